//! Passwords of new users, which a stored plan leaves out unless they are allowed in it.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use wats_scim_filter::json::{same_name, text_key};

use crate::error::one_line;
use crate::model::json::names_password;
use crate::model::{Origin, ScimUser, object};
use crate::plan::{Action, Cause, Change, Plan, Reference, Step};

impl Plan {
    /// Stores the passwords of new users with the plan, and in the journal of its apply. The file is then a
    /// secret.
    ///
    /// By default a stored plan leaves them out; see [`with_passwords`](Self::with_passwords).
    #[must_use]
    pub fn allow_passwords(mut self) -> Self {
        self.stores_passwords = true;
        self
    }

    /// Sets the passwords of users that the plan creates, by their `userName` in any form of the same name;
    /// for a plan that was read from a file or a journal, which has none. Names of other users are ignored.
    ///
    /// A step [whose password was left out](Step::left_out_secrets) cannot be applied without it: a plan with
    /// such a step is rejected before anything is sent.
    ///
    /// ```
    /// use wats_scim::{Profile, ScimUser};
    /// use wats_scim::plan::{Current, Plan, Policy};
    ///
    /// let jane = ScimUser::new("jane").with_attribute("password", "s3cret");
    /// let plan = Policy::new(&Profile::standard()).plan(&Current::complete(vec![]), &[jane])?;
    /// let stored = serde_json::to_string(&plan)?;
    /// assert!(!stored.contains("s3cret"));
    ///
    /// let plan: Plan = serde_json::from_str(&stored)?;
    /// assert_eq!(plan.steps[0].left_out_secrets, ["password"]);
    /// let plan = plan.with_passwords([("jane", "s3cret")]);
    /// assert!(plan.steps[0].left_out_secrets.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_passwords<N: AsRef<str>, P: Into<String>>(
        mut self,
        passwords: impl IntoIterator<Item = (N, P)>,
    ) -> Self {
        let passwords = passwords.into_iter().map(|(name, password)| (text_key(name.as_ref()).into_owned(), password));
        let mut passwords: HashMap<String, P> = passwords.collect();
        for step in self.steps.iter_mut().filter(|step| step.action == Action::Create) {
            if let (Some(desired), Some(password)) = (&mut step.desired, passwords.remove(&*text_key(&step.name))) {
                desired.attributes.set("password", password.into());
                step.left_out_secrets.retain(|name| !same_name(name, "password"));
            }
        }
        self
    }

    /// The reason why the plan cannot be applied: a password is missing from a step that is not done.
    pub(crate) fn missing_secrets(&self, is_done: impl Fn(usize) -> bool) -> Option<String> {
        let has_none = |(number, step): &(usize, &Step)| !step.left_out_secrets.is_empty() && !is_done(*number);
        let mut missing = self.steps.iter().enumerate().filter(has_none).map(|(_, step)| step);
        let first = missing.next()?;
        Some(format!(
            "the stored plan left out the passwords of {} users, the first of which is {}; set them with \
             Plan::with_passwords, make a new plan, or allow them in stored plans with Plan::allow_passwords",
            missing.count().saturating_add(1),
            one_line(&first.name).unwrap_or_default()
        ))
    }
}

impl Step {
    /// Whether a password would be stored with the step, if it were allowed.
    pub(in crate::plan) fn has_password(&self) -> bool {
        let is_secret = |change: &Change| {
            names_password(&change.path) || [&change.from, &change.to].into_iter().flatten().any(has_password)
        };
        self.changes.iter().any(is_secret) || self.desired_with_password().is_some()
    }

    /// The desired user as JSON, if it has a password.
    fn desired_with_password(&self) -> Option<Value> {
        // A user that cannot be written as JSON is not stored.
        let desired = Value::Object(object(self.desired.as_ref()?).ok()?);
        has_password(&desired).then_some(desired)
    }
}

fn has_password(value: &Value) -> bool {
    match value {
        Value::Object(members) => {
            members.iter().any(|(name, value)| names_password(name) && !value.is_null() || has_password(value))
        }
        Value::Array(items) => items.iter().any(has_password),
        _ => false,
    }
}

/// The value without passwords at any depth; the names of those that were left out are added to `left_out`.
fn without(value: Value, left_out: &mut Vec<String>) -> Value {
    match value {
        Value::Object(members) => {
            let mut kept = Map::new();
            for (name, value) in members {
                if names_password(&name) {
                    if !value.is_null() && !left_out.contains(&name) {
                        left_out.push(name);
                    }
                } else {
                    kept.insert(name, without(value, left_out));
                }
            }
            kept.into()
        }
        Value::Array(items) => items.into_iter().map(|item| without(item, left_out)).collect(),
        plain => plain,
    }
}

/// A step as it is stored.
pub(in crate::plan) struct StoredStep<'a> {
    pub(in crate::plan) step: &'a Step,
    pub(in crate::plan) with_passwords: bool,
}

impl Serialize for StoredStep<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Step { action, name, id, external_id, version, cause, origin, changes, left_out, .. } = self.step;
        let Step { desired, members, left_out_secrets, .. } = self.step;
        let mut left_out_secrets = Cow::Borrowed(&**left_out_secrets);
        let (mut changes, mut desired) = (Cow::Borrowed(&**changes), desired.as_ref().map(Cow::Borrowed));
        if !self.with_passwords && self.step.has_password() {
            let left_out = left_out_secrets.to_mut();
            if let Some(user) = self.step.desired_with_password() {
                let user = serde_json::from_value(without(user, left_out)).map_err(serde::ser::Error::custom)?;
                desired = Some(Cow::Owned(user));
            }
            let changes = changes.to_mut();
            changes.retain(|change| {
                let is_kept = !names_password(&change.path);
                if !is_kept {
                    left_out.push(change.path.clone());
                }
                is_kept
            });
            for change in changes {
                change.from = change.from.take().map(|from| without(from, left_out));
                change.to = change.to.take().map(|to| without(to, left_out));
            }
        }
        let action = *action;
        let stored = Form {
            action,
            name,
            id: id.as_deref(),
            external_id: external_id.as_deref(),
            version: version.as_deref(),
            cause: *cause,
            origin: origin.as_ref(),
            changes,
            left_out,
            desired,
            left_out_secrets,
            members,
        };
        stored.serialize(serializer)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Form<'a> {
    action: Action,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    cause: Cause,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<&'a Origin>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    changes: Cow<'a, [Change]>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    left_out: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    desired: Option<Cow<'a, ScimUser>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    left_out_secrets: Cow<'a, [String]>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    members: &'a [Reference],
}

/// All of the step, without passwords.
impl Serialize for Step {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        StoredStep { step: self, with_passwords: false }.serialize(serializer)
    }
}
