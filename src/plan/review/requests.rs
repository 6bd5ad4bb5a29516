//! The requests that an apply would send for a step, for an explanation.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::model::json::names_password;
use crate::model::{Resource, ScimGroup, ScimPatchRequest, ScimUser, object};
use crate::plan::apply::recheck::Fit;
use crate::plan::review::print::shown;
use crate::plan::{Action, Rules, Step};

/// A request that an apply would send, if the user is still as it was when the plan was made. Passwords in it are
/// `[redacted]`. `Display` prints it on one line.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct PlannedRequest {
    /// The method: `POST`, `PATCH` or `DELETE`.
    pub method: &'static str,
    /// The path below the SCIM base URL. What the plan creates has no id yet: `{id}` stands for it.
    pub path: String,
    /// The body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
}

impl Rules {
    /// The request of a step for a user as the server holds it; `None` if there is nothing to send.
    pub(in crate::plan) fn request(&self, step: &Step, held: Option<&ScimUser>) -> Option<PlannedRequest> {
        let id = step.id.as_deref().unwrap_or("{id}");
        let of = |endpoint: &str| format!("/{endpoint}/{id}");
        let request = |method, path, body| Some(PlannedRequest { method, path, body });
        let patched =
            |endpoint: &str, patch: &ScimPatchRequest| request("PATCH", of(endpoint), Some(redacted(json!(patch))));
        let (users, groups) = (ScimUser::ENDPOINT, ScimGroup::ENDPOINT);
        match step.action {
            Action::Create => {
                let body = step.desired.as_ref().and_then(|user| object(user).ok());
                request("POST", format!("/{users}"), body.map(|body| redacted(body.into())))
            }
            Action::Delete => request("DELETE", of(users), None),
            Action::CreateGroup => {
                let body = object(&step.new_group()).ok();
                request("POST", format!("/{groups}"), body.map(Value::Object))
            }
            Action::DeleteGroup => request("DELETE", of(groups), None),
            Action::RenameGroup => patched(groups, &step.patch()),
            Action::AddMembers | Action::RemoveMembers => patched(groups, &step.members_patch(&step.members, false)),
            _ => match self.fit(step, held?).ok()? {
                Fit::Change(patch) => patched(users, &patch),
                _ => None,
            },
        }
    }
}

/// The value without passwords, at any depth: neither under their name, nor in an operation with their path.
fn redacted(value: Value) -> Value {
    const REDACTED: &str = "[redacted]";
    match value {
        Value::Object(members) => {
            let is_of_password = members.get("path").and_then(Value::as_str).is_some_and(names_password);
            let hide = |name: &str| names_password(name) || (is_of_password && name == "value");
            let redacted = members.into_iter().map(|(name, value)| {
                let value = if hide(&name) { REDACTED.into() } else { redacted(value) };
                (name, value)
            });
            redacted.collect::<Map<_, _>>().into()
        }
        Value::Array(values) => values.into_iter().map(redacted).collect(),
        plain => plain,
    }
}

impl fmt::Display for PlannedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, shown(&self.path))?;
        self.body.as_ref().map_or(Ok(()), |body| write!(f, " {}", shown(&body.to_string())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Profile;
    use crate::plan::{Current, Policy};

    fn users(users: Value) -> Vec<ScimUser> {
        serde_json::from_value(users).unwrap()
    }

    fn sent(profile: &Profile, desired: Value, who: &str) -> Vec<String> {
        let current = Current::complete(users(json!([
            { "id": "1", "userName": "ann", "externalId": "7", "active": true, "name": { "familyName": "Doe" } },
            { "id": "2", "userName": "bob", "externalId": "8", "active": true },
        ])));
        let explanation = Policy::new(profile).explain(&current, &users(desired), who);
        explanation.requests.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_explanation_has_the_requests_in_the_dialect_of_the_server_and_without_passwords() {
        let roe = json!([{ "userName": "ann", "externalId": "7", "name": { "familyName": "Roe" } }]);
        let patch = |path: &str| {
            format!(
                r#"PATCH /Users/1 {{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{{"op":"replace","path":"{path}","value":"Roe"}}]}}"#
            )
        };
        assert_eq!(sent(&Profile::standard(), roe.clone(), "ann"), [patch("name.familyName")]);
        assert_eq!(sent(&Profile::wats(), roe.clone(), "7"), [patch("familyName")]);
        let deactivated = sent(&Profile::standard(), roe, "bob");
        assert!(
            deactivated[0].starts_with("PATCH /Users/2") && deactivated[0].contains(r#""path":"active","value":false"#)
        );
        let new = json!([{ "userName": "cy", "password": "s3cret-canary" }, { "userName": "ann", "externalId": "7" },
                         { "userName": "bob", "externalId": "8" }]);
        let created = sent(&Profile::standard(), new.clone(), "cy");
        assert!(
            created[0].starts_with("POST /Users {") && created[0].contains(r#""password":"[redacted]""#),
            "{created:?}"
        );
        assert_eq!(sent(&Profile::standard(), new, "bob"), [""; 0]);
    }
}
