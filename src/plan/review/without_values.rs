//! A plan without values, for review in public.

use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::audit::{format, without_filter};
use crate::model::object;
use crate::plan::stored::{Head, Stored, StoredSteps};
use crate::plan::{Change, Conflict, Inexpressible, Origin, Plan, Reference, Step};

/// A plan whose values are replaced by `[redacted]`, from [`Plan::without_values`].
///
/// `Display` and serde write it as they write a plan. It is no plan: it cannot be read as one or applied.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanWithoutValues {
    plan: Plan,
    digest: String,
}

const REDACTED: &str = "[redacted]";

impl Plan {
    /// The plan without personal data, for review in public: actions, attribute names, causes, the lines of the
    /// source, truth values and counts are kept; names, ids, all other values and the reasons of conflicts are
    /// replaced.
    ///
    /// It has the [digest](Self::digest) of this plan, so a review can name the plan that it approves.
    ///
    /// ```
    /// use wats_scim::{Profile, ScimUser};
    /// use wats_scim::plan::{Current, Plan, Policy};
    ///
    /// let plan = Policy::new(&Profile::wats()).plan(&Current::complete(vec![]), &[ScimUser::new("ann")])?;
    /// let public = plan.without_values();
    /// assert_eq!(public.digest(), plan.digest());
    /// let text = serde_json::to_string(&public)?;
    /// assert!(!text.contains("ann"));
    /// let error = serde_json::from_str::<Plan>(&text).unwrap_err();
    /// assert!(error.to_string().contains("it is a plan without values, for review"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn without_values(&self) -> PlanWithoutValues {
        let Self { server, made_at, made_by, policy, salt: _, steps, conflicts, inexpressible, unchanged, .. } = self;
        let Self { rules, stores_passwords: _, .. } = self;
        let plan = Self {
            server: server.clone(),
            made_at: *made_at,
            made_by: made_by.as_deref().map(redacted),
            policy: policy.as_ref().map(value),
            salt: None,
            steps: steps.iter().map(step).collect(),
            conflicts: conflicts.iter().map(|conflict| Conflict::new(conflict.kind, REDACTED, REDACTED)).collect(),
            inexpressible: inexpressible
                .iter()
                .map(|user| Inexpressible { user_name: redacted(&user.user_name), left_out: left_out(&user.left_out) })
                .collect(),
            unchanged: *unchanged,
            rules: rules.clone(),
            // What is stored is redacted.
            stores_passwords: true,
        };
        PlanWithoutValues { plan, digest: self.digest() }
    }
}

impl PlanWithoutValues {
    /// The digest of the plan that it was made from.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    pub(super) fn plan(&self) -> &Plan {
        &self.plan
    }
}

fn redacted(_: &str) -> String {
    REDACTED.to_owned()
}

fn step(step: &Step) -> Step {
    let Step { action, name, id, external_id, version, cause, origin, changes, .. } = step;
    let Step { left_out: left, desired, left_out_secrets, members, .. } = step;
    let optional = |text: &Option<String>| text.as_deref().map(redacted);
    let desired = desired.as_ref().and_then(|user| object(user).ok()).map(|user| value(&user.into()));
    Step {
        action: *action,
        name: redacted(name),
        id: optional(id),
        external_id: optional(external_id),
        version: optional(version),
        cause: *cause,
        origin: origin.as_ref().filter(|origin| matches!(origin, Origin::Row { .. })).cloned(),
        changes: changes.iter().map(change).collect(),
        left_out: left_out(left),
        desired: desired.and_then(|user| serde_json::from_value(user).ok()),
        left_out_secrets: left_out_secrets.clone(),
        members: members
            .iter()
            .map(|member| Reference {
                kind: member.kind,
                id: optional(&member.id),
                external_id: optional(&member.external_id),
                name: optional(&member.name),
            })
            .collect(),
    }
}

fn change(change: &Change) -> Change {
    let Change { path, from, to } = change;
    Change { path: without_filter(path), from: from.as_ref().map(value), to: to.as_ref().map(value) }
}

/// A difference begins with its path.
fn left_out(texts: &[String]) -> Vec<String> {
    let path = |text: &String| format!("{}: {REDACTED}", without_filter(text.split(": ").next().unwrap_or_default()));
    texts.iter().map(path).collect()
}

/// The value with its structure and its truth values.
fn value(of: &Value) -> Value {
    match of {
        Value::Object(members) => {
            members.iter().map(|(name, of)| (name.clone(), value(of))).collect::<Map<_, _>>().into()
        }
        Value::Array(items) => items.iter().map(value).collect(),
        Value::Null | Value::Bool(_) => of.clone(),
        Value::Number(_) | Value::String(_) => REDACTED.into(),
    }
}

/// As a plan is stored, with another `format`.
impl Serialize for PlanWithoutValues {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let head = Head::of(&self.plan, format::PLAN_WITHOUT_VALUES);
        Stored { head, digest: &self.digest, steps: StoredSteps(&self.plan) }.serialize(serializer)
    }
}

/// As a plan is printed.
impl fmt::Display for PlanWithoutValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.plan.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::Profile;
    use crate::model::ScimUser;
    use crate::plan::{Current, Policy};

    #[test]
    fn a_plan_for_review_in_public_has_no_values() {
        let current: Vec<ScimUser> = serde_json::from_value(json!([
            { "id": "canary1", "userName": "canary2", "externalId": "canary3", "title": "canary4", "active": true },
            { "id": "canary5", "userName": "canary6", "active": true, "meta": { "version": "canary7" },
              "urn:ietf:params:scim:schemas:extension:custom:2.0:user": { "levels": "canary8;canary8b" } },
        ]))
        .unwrap();
        let desired: Vec<ScimUser> = serde_json::from_value(json!([
            { "userName": "canary9", "externalId": "canary3", "title": "canary10", "password": "canary11" },
            { "userName": "canary12", "emails": [{ "value": "canary13" }], "badge": 7_654_321, "password": "canary14" },
            { "userName": "canary6", "displayName": "canary15",
              "urn:ietf:params:scim:schemas:extension:custom:2.0:user": { "levels": "canary8" } },
            { "userName": "canary16" }, { "userName": "canary16" },
        ]))
        .unwrap();
        for profile in [Profile::standard(), Profile::wats()] {
            let plan = Policy::new(&profile).plan(&Current::complete(current.clone()), &desired).unwrap();
            let plan = plan.with_made_by("canary17").with_policy(json!({ "protect": ["canary18"] }));
            let public = plan.without_values();
            let text = format!("{public} {public:?} {} {}", public.markdown(), serde_json::to_string(&public).unwrap());
            assert!(!text.contains("canary") && !text.contains("7654321"), "{text}");
            assert!(text.contains("emails") && text.contains(&plan.digest()), "{text}");
            let counts = |plan: Value| plan["counts"].clone();
            assert_eq!(counts(serde_json::to_value(&public).unwrap()), counts(serde_json::to_value(&plan).unwrap()));
        }
    }
}
