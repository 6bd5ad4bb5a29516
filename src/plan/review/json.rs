//! Steps and their outcomes as JSON, for reports: without passwords, which a stored plan has.

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::error::Error;
use crate::model::json::names_password;
use crate::plan::review::print::without_passwords;
use crate::plan::{Action, AppliedStep, Cause, Change, JournalStep, Origin, Outcome, Plan, Refusal, Step, StepState};

/// What a report shows of a step.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownStep<'a> {
    number: usize,
    action: Action,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<&'a str>,
    cause: Cause,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<&'a Origin>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    changes: Vec<Change>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    left_out: &'a [String],
}

impl<'a> ShownStep<'a> {
    fn of(number: usize, step: &'a Step, id: Option<&'a str>) -> Self {
        Self {
            number,
            action: step.action,
            name: &step.name,
            id: id.or(step.id.as_deref()),
            external_id: step.external_id.as_deref(),
            cause: step.cause,
            origin: step.origin.as_ref(),
            changes: step.changes.iter().map(Change::without_password).collect(),
            left_out: &step.left_out,
        }
    }
}

impl Plan {
    /// The stored form of the plan for review: with its digest, but with `[redacted]` in place of each password, so that
    /// it cannot be applied.
    ///
    /// # Errors
    ///
    /// As any other [serialization](serde_json::to_value) of the plan.
    ///
    /// ```
    /// use wats_scim::plan::{Current, Policy};
    /// use wats_scim::{Profile, ScimUser};
    ///
    /// let jane = ScimUser::new("jane").with_attribute("password", "s3cret");
    /// let plan = Policy::new(&Profile::standard()).plan(&Current::complete(vec![]), &[jane])?.allow_passwords();
    /// let json = plan.to_json_for_review()?;
    /// assert_eq!(json["steps"][0]["desired"]["password"], "[redacted]");
    /// assert_eq!(json["digest"], plan.digest());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn to_json_for_review(&self) -> serde_json::Result<Value> {
        let mut json = without_passwords(&serde_json::to_value(self)?);
        let steps = json.get_mut("steps").and_then(Value::as_array_mut).into_iter().flatten();
        let changes = steps.filter_map(|step| step.get_mut("changes")?.as_array_mut()).flatten();
        for change in changes.filter(|change| change.get("path").and_then(Value::as_str).is_some_and(names_password)) {
            for side in ["from", "to"] {
                if let Some(value) = change.get_mut(side) {
                    *value = "[redacted]".into();
                }
            }
        }
        Ok(json)
    }
}

impl Change {
    fn without_password(&self) -> Self {
        let shown = |value: &Value| {
            if names_password(&self.path) { "[redacted]".into() } else { without_passwords(value) }
        };
        Self { path: self.path.clone(), from: self.from.as_ref().map(shown), to: self.to.as_ref().map(shown) }
    }
}

#[derive(Serialize)]
struct ShownApplied<'a> {
    #[serde(flatten)]
    step: ShownStep<'a>,
    #[serde(flatten)]
    outcome: &'a Outcome,
}

impl Serialize for AppliedStep {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let id = self.user.as_ref().and_then(|user| user.id.as_deref());
        ShownApplied { step: ShownStep::of(self.number, &self.step, id), outcome: &self.outcome }.serialize(serializer)
    }
}

#[derive(Serialize)]
struct ShownOutcome<'a> {
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a Error>,
}

/// Serializes the name of the outcome, its `reason`, and the `error` of a failed step.
impl Serialize for Outcome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (outcome, reason, error) = match self {
            Self::Applied => ("applied", None, None),
            Self::Unneeded => ("unneeded", None, None),
            Self::DoneBefore => ("doneBefore", None, None),
            Self::Planned => ("planned", None, None),
            Self::Skipped(reason) => ("skipped", Some(reason.clone()), None),
            Self::NotKept(paths) => ("notKept", Some(paths.join(", ")), None),
            Self::Differs(reason) => ("differs", Some(reason.clone()), None),
            Self::Blocked(by) => ("blocked", Some(format!("blocked by {by}")), None),
            Self::Failed(error) => ("failed", Some(error.to_string()), Some(error)),
        };
        ShownOutcome { outcome, reason, error }.serialize(serializer)
    }
}

#[derive(Serialize)]
struct ShownJournalStep<'a> {
    #[serde(flatten)]
    step: ShownStep<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<StepState>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

impl Serialize for JournalStep {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        ShownJournalStep {
            step: ShownStep::of(self.number, &self.step, self.id.as_deref()),
            state: self.state,
            at: self.at.as_deref(),
            reason: self.reason.as_deref(),
        }
        .serialize(serializer)
    }
}

impl Serialize for Refusal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let plan = self.plan();
        let mut object = serializer.serialize_struct("Refusal", 11)?;
        object.serialize_field("guard", &self.guard())?;
        object.serialize_field("message", &self.to_string())?;
        object.serialize_field("allowances", self.allowances())?;
        for (name, action) in [
            ("create", Action::Create),
            ("update", Action::Update),
            ("adopt", Action::Adopt),
            ("reactivate", Action::Reactivate),
            ("deactivate", Action::Deactivate),
            ("delete", Action::Delete),
        ] {
            object.serialize_field(name, &plan.count(action))?;
        }
        object.serialize_field("unchanged", &plan.unchanged)?;
        object.serialize_field("conflicts", &plan.conflicts.len())?;
        object.end()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::Profile;
    use crate::error::ErrorKind;
    use crate::model::ScimUser;
    use crate::plan::{Current, Policy, Report};

    #[test]
    fn a_report_is_json_without_passwords() {
        let ann = json!({ "id": "1", "userName": "ann", "active": true });
        let current = Current::complete(vec![serde_json::from_value(ann).unwrap()]);
        let jane = ScimUser::new("jane").with_external_id("7").with_attribute("password", "s3cret");
        let ann = ScimUser::new("ann").with_display_name("Ann");
        let mut plan = Policy::new(&Profile::standard()).plan(&current, &[ann, jane]).unwrap();
        let secret = Change { path: "x:password".to_owned(), from: Some(json!("s3cret")), to: Some(json!(["s3cret"])) };
        let mut report = Report::default();
        for (number, mut step) in plan.steps.drain(..).enumerate() {
            step.changes.push(secret.clone());
            let user = serde_json::from_value(json!({ "id": number.to_string(), "password": "s3cret" })).ok();
            let outcome = match number {
                0 => Outcome::Skipped("gone".to_owned()),
                _ => Outcome::Failed(Error::new(ErrorKind::Conflict, "taken")),
            };
            report.count(AppliedStep { number, step, outcome, user });
        }
        let json = serde_json::to_value(&report).unwrap();
        assert!(!json.to_string().contains("s3cret"), "{json}");
        assert_eq!((&json["applied"], &json["doneBefore"], &json["notBegun"]), (&json!(0), &json!(0), &json!(0)));
        let problems = json["problems"].as_array().unwrap();
        let outcomes: Vec<_> = problems.iter().map(|problem| &problem["outcome"]).collect();
        assert_eq!(outcomes, ["skipped", "failed"]);
        assert_eq!((&problems[0]["reason"], &problems[1]["reason"]), (&json!("gone"), &json!("taken")));
        assert_eq!(problems[1]["error"]["kind"], "conflict");
        assert!(
            problems.iter().all(|problem| problem["changes"].as_array().unwrap().last().unwrap()["to"] == "[redacted]")
        );
    }

    #[test]
    fn a_refusal_is_json_with_its_numbers() {
        let current = Current::complete(vec![ScimUser::new("ann").with_external_id("1")]);
        let refusal = Policy::new(&Profile::wats()).plan(&current, &[]).unwrap_err();
        let json = serde_json::to_value(&refusal).unwrap();
        assert_eq!((&json["guard"], &json["deactivate"]), (&json!("emptySource"), &json!(1)));
        assert_eq!(json["message"], refusal.to_string());
    }
}
