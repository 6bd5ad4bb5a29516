//! The stored form of a plan: what it says about itself, and how it is checked when it is read.

pub(in crate::plan) mod check;
pub(in crate::plan) mod digest;
pub(in crate::plan) mod secrets;

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::audit::format;
use crate::plan::stored::secrets::StoredStep;
use crate::plan::{Action, Conflict, Inexpressible, Plan, Rules, Step};

/// A plan as it is stored, before it is checked.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::plan) struct StoredPlan {
    #[serde(deserialize_with = "of_a_plan")]
    #[expect(dead_code, reason = "it is checked while it is read")]
    format: String,
    server: Option<String>,
    #[serde(default, with = "crate::plan::provenance::time")]
    made_at: Option<DateTime<Utc>>,
    made_by: Option<String>,
    policy: Option<Value>,
    salt: Option<String>,
    counts: Option<Counts>,
    digest: Option<String>,
    steps: Vec<Step>,
    conflicts: Vec<Conflict>,
    inexpressible: Vec<Inexpressible>,
    unchanged: usize,
    rules: Rules,
}

fn of_a_plan<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let found = Cow::<'de, str>::deserialize(deserializer)?;
    match format::mismatch(&found, format::PLAN) {
        Some(why) => Err(D::Error::custom(why)),
        None => Ok(found.into_owned()),
    }
}

impl TryFrom<StoredPlan> for Plan {
    type Error = String;

    fn try_from(stored: StoredPlan) -> Result<Self, String> {
        let StoredPlan { format: _, server, made_at, made_by, policy, salt, counts, digest, steps, .. } = stored;
        let StoredPlan { conflicts, inexpressible, unchanged, rules, .. } = stored;
        for (number, step) in (1..).zip(&steps) {
            step.check().map_err(|why| format!("step {number} of the plan is inconsistent: {why}"))?;
        }
        let stores_passwords = steps.iter().any(Step::has_password);
        let plan = Self {
            server,
            made_at,
            made_by,
            policy,
            salt,
            steps,
            conflicts,
            inexpressible,
            unchanged,
            rules,
            stores_passwords,
        };
        if digest.is_some_and(|digest| !digest.trim().eq_ignore_ascii_case(&plan.digest())) {
            return Err("the plan was edited after it was stored: its digest is that of another plan. If the edit is \
                        intended, remove the members digest and counts; to apply only some of its steps, no edit is \
                        needed"
                .to_owned());
        }
        match counts {
            Some(counts) if counts != Counts::of(&plan.steps) => {
                Err("the counts of the plan are not those of its steps; remove the member counts if steps were \
                     taken out on purpose"
                    .to_owned())
            }
            _ => Ok(plan),
        }
    }
}

/// The number of steps of each action, without those of which there are none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(in crate::plan) struct Counts(BTreeMap<Action, usize>);

impl Counts {
    pub(in crate::plan) fn of(steps: &[Step]) -> Self {
        let mut counts = Self::default();
        for step in steps {
            *counts.0.entry(step.action).or_default() += 1;
        }
        counts
    }

    pub(in crate::plan) fn iter(&self) -> impl Iterator<Item = (Action, usize)> {
        self.0.iter().map(|(action, count)| (*action, *count))
    }
}

/// A stored plan without its digest and its steps.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::plan) struct Head<'a> {
    format: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "crate::plan::provenance::time::serialize")]
    made_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    made_by: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    salt: Option<&'a str>,
    counts: Counts,
    unchanged: usize,
    rules: &'a Rules,
    conflicts: &'a [Conflict],
    inexpressible: &'a [Inexpressible],
}

impl<'a> Head<'a> {
    pub(in crate::plan) fn of(plan: &'a Plan, format: &'static str) -> Self {
        let Plan { server, made_at, made_by, policy, salt, steps, conflicts, inexpressible, unchanged, .. } = plan;
        let Plan { rules, stores_passwords: _, .. } = plan;
        Self {
            format,
            server: server.as_deref(),
            made_at: *made_at,
            made_by: made_by.as_deref(),
            policy: policy.as_ref(),
            salt: salt.as_deref(),
            counts: Counts::of(steps),
            unchanged: *unchanged,
            rules,
            conflicts,
            inexpressible,
        }
    }
}

#[derive(Serialize)]
pub(in crate::plan) struct Stored<'a> {
    #[serde(flatten)]
    pub(in crate::plan) head: Head<'a>,
    pub(in crate::plan) digest: &'a str,
    pub(in crate::plan) steps: StoredSteps<'a>,
}

/// The steps of a plan as they are stored.
pub(in crate::plan) struct StoredSteps<'a>(pub(in crate::plan) &'a Plan);

impl Serialize for StoredSteps<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Plan { steps, stores_passwords, .. } = self.0;
        serializer.collect_seq(steps.iter().map(|step| StoredStep { step, with_passwords: *stores_passwords }))
    }
}

/// All of the plan, without passwords unless [`Plan::allow_passwords`] was called.
impl Serialize for Plan {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let stored = Stored { head: Head::of(self, format::PLAN), digest: &self.digest(), steps: StoredSteps(self) };
        stored.serialize(serializer)
    }
}

#[cfg(test)]
mod tests;
