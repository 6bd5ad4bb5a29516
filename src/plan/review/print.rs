//! Prints a plan for review.

use std::fmt;

use serde_json::Value;
use wats_scim_filter::json::{holds_nothing, is_write_only, same_name};

use crate::error::one_line;
use crate::model::json::names_password;
use crate::model::{member, object};
use crate::plan::values::merge::is_ours;
use crate::plan::{Action, Change, Origin, Plan, Step};

/// A summary, and a line for each user or group: `+` is created, `~` updated or adopted, `^` reactivated, `-`
/// deactivated, `x` deleted, `!` in conflict, and `?` has a difference that cannot be sent.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |action| self.count(action);
        write!(
            f,
            "{} to create, {} to update, {} to reactivate, {} to deactivate, {} to delete; ",
            count(Action::Create),
            count(Action::Update),
            count(Action::Reactivate),
            count(Action::Deactivate),
            count(Action::Delete),
        )?;
        if self.steps.iter().any(|step| step.action.is_of_group()) {
            let members = |action| {
                let steps = self.steps.iter().filter(move |step| step.action == action);
                steps.map(|step| step.members.len()).sum::<usize>()
            };
            write!(
                f,
                "groups: {} to create, {} to rename, {} to delete, {} members to add, {} to remove; ",
                count(Action::CreateGroup),
                count(Action::RenameGroup),
                count(Action::DeleteGroup),
                members(Action::AddMembers),
                members(Action::RemoveMembers),
            )?;
        }
        write!(f, "{} unchanged", self.unchanged)?;
        if count(Action::Adopt) > 0 {
            write!(f, "; {} to adopt", count(Action::Adopt))?;
        }
        if !self.conflicts.is_empty() {
            write!(f, "; {} in conflict", self.conflicts.len())?;
        }
        for step in &self.steps {
            write!(f, "\n{step}")?;
        }
        for conflict in &self.conflicts {
            write!(f, "\n! {}  {}", shown(&conflict.user), shown(&conflict.reason))?;
        }
        for user in &self.inexpressible {
            write!(f, "\n? {}  cannot be sent: {}", shown(&user.user_name), shown(&user.left_out.join("; ")))?;
        }
        Ok(())
    }
}

/// One line: the user, the action, what changes, and the row of the source. A creation has all attributes of
/// the new user.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.action.sign(), shown(&self.name))?;
        if let Some(id) = &self.external_id {
            write!(f, " ({})", shown(id))?;
        }
        write!(f, "  {}", self.action.verb())?;
        let mut separator = ": ";
        let members = self.members.iter().map(|member| shown(&member.to_string()));
        for text in self.contents().into_iter().chain(self.texts()).chain(members) {
            write!(f, "{separator}{text}")?;
            separator = "; ";
        }
        if !self.left_out.is_empty() {
            write!(f, "{separator}cannot be sent: {}", shown(&self.left_out.join("; ")))?;
        }
        if !self.left_out_secrets.is_empty() {
            write!(f, "{separator}not stored: {}", shown(&self.left_out_secrets.join(", ")))?;
        }
        if let Some(origin @ Origin::Row { .. }) = &self.origin {
            write!(f, "  [{}]", shown(&origin.to_string()))?;
        }
        Ok(())
    }
}

impl Step {
    /// The step without what it changes.
    pub(crate) fn title(&self) -> String {
        format!("{} {}", self.action.verb(), shown(&self.name))
    }

    fn texts(&self) -> impl Iterator<Item = String> {
        self.changes.iter().filter(|change| !self.action.says(change)).map(Change::to_string)
    }

    /// The attributes of a new user that are not printed before them.
    fn contents(&self) -> Vec<String> {
        let mut contents = Vec::new();
        let desired = self.desired.as_ref().filter(|_| self.action == Action::Create);
        let is_printed = |name: &str| ["userName", "externalId"].iter().any(|printed| same_name(printed, name));
        // A user that cannot be written as JSON is not sent.
        for (name, value) in desired.and_then(|user| object(user).ok()).into_iter().flatten() {
            if !is_printed(&name) && (is_ours(&name) || is_write_only(&name)) {
                let is_extension = name.get(..4).is_some_and(|start| same_name(start, "urn:"));
                put_contents(&name, if is_extension { ':' } else { '.' }, &value, &mut contents);
            }
        }
        contents
    }
}

/// Prints an attribute, or each part of a complex one by its path (RFC 7644 §3.10).
fn put_contents(path: &str, separator: char, value: &Value, contents: &mut Vec<String>) {
    match value {
        value if holds_nothing(value) => {}
        Value::Object(members) => {
            members
                .iter()
                .for_each(|(name, value)| put_contents(&format!("{path}{separator}{name}"), '.', value, contents));
        }
        value => contents.push(format!("{} {}", shown(path), shown_value(path, value))),
    }
}

/// The path, the old value and the new value.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value =
            |value: Option<&Value>| value.map_or_else(|| "nothing".to_owned(), |value| shown_value(&self.path, value));
        write!(f, "{} {} → {}", shown(&self.path), value(self.from.as_ref()), value(self.to.as_ref()))
    }
}

/// The value of an attribute, but for a password.
fn shown_value(path: &str, value: &Value) -> String {
    if names_password(path) { "[redacted]".to_owned() } else { shown(&brief(value).to_string()) }
}

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Action {
    const fn sign(self) -> char {
        match self {
            Self::Create | Self::CreateGroup => '+',
            Self::Update
            | Self::Adopt
            | Self::FreeName
            | Self::RenameGroup
            | Self::AddMembers
            | Self::RemoveMembers => '~',
            Self::Reactivate => '^',
            Self::Deactivate => '-',
            Self::Delete | Self::DeleteGroup => 'x',
        }
    }

    pub(in crate::plan) const fn verb(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Adopt => "adopt",
            Self::FreeName => "free name",
            Self::Reactivate => "reactivate",
            Self::Deactivate => "deactivate",
            Self::Delete => "delete",
            Self::CreateGroup => "create group",
            Self::RenameGroup => "rename group",
            Self::AddMembers => "add members",
            Self::RemoveMembers => "remove members",
            Self::DeleteGroup => "delete group",
        }
    }

    /// Whether the name of the action implies this change.
    fn says(self, change: &Change) -> bool {
        matches!(self, Self::Reactivate | Self::Deactivate | Self::Delete) && change.path.eq_ignore_ascii_case("active")
    }
}

/// A list by its values, and a single value by itself, without types and display names.
fn brief(value: &Value) -> Value {
    match value {
        Value::Array(items) => {
            let mut values: Vec<Value> =
                items.iter().map(|item| without_passwords(member(item, "value").unwrap_or(item))).collect();
            match (values.pop(), values.is_empty()) {
                (Some(only), true) => only,
                (last, _) => values.into_iter().chain(last).collect(),
            }
        }
        value => without_passwords(value),
    }
}

pub(in crate::plan) fn without_passwords(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| {
                let value = if names_password(name) { "[redacted]".into() } else { without_passwords(value) };
                (name.clone(), value)
            })
            .collect(),
        Value::Array(items) => items.iter().map(without_passwords).collect(),
        value => value.clone(),
    }
}

/// On one line, without control characters.
pub(in crate::plan) fn shown(text: &str) -> String {
    one_line(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::Profile;
    use crate::model::ScimUser;
    use crate::plan::{Current, Ours, Policy};

    fn users(users: Value) -> Vec<ScimUser> {
        serde_json::from_value(users).unwrap()
    }

    #[test]
    fn a_password_is_neither_printed_nor_stored() {
        let held = users(json!([{ "id": "1", "userName": "ann", "title": "T" }]));
        let desired = users(json!([
            { "userName": "ann", "title": "Dr", "password": "canary", "urn:x": { "accounts": [{ "password": "hidden" }] } },
            { "userName": "bob", "password": "canary", "accounts": [{ "password": "hidden" }] },
        ]));
        let plan = Policy::new(&Profile::standard()).plan(&Current::complete(held), &desired).unwrap();
        assert_eq!(plan.steps.len(), 2);
        let text = format!("{plan} {plan:?}");
        assert!(!text.contains("canary") && !text.contains("hidden"), "{text}");
        let stored = serde_json::to_string(&plan).unwrap();
        assert!(!stored.contains("canary") && !stored.contains("hidden"), "{stored}");
        assert!(stored.contains(r#""leftOutSecrets":["password"]"#), "{stored}");
    }

    #[test]
    fn the_summary_has_groups_if_the_plan_changes_any() {
        let mut plan = Policy::new(&Profile::standard())
            .plan(&Current::complete(Vec::new()), &users(json!([{ "userName": "ann" }])))
            .unwrap();
        plan.steps.extend(
            serde_json::from_value::<Vec<Step>>(json!([
                { "action": "createGroup", "name": "A" },
                { "action": "addMembers", "name": "A", "members": [{ "name": "ann" }, { "id": "2" }] },
                { "action": "addMembers", "name": "A", "members": [{ "type": "Group", "name": "B" }] },
                { "action": "deleteGroup", "name": "C", "id": "c", "cause": "missing" },
            ]))
            .unwrap(),
        );
        insta::assert_snapshot!(plan, @r"
        1 to create, 0 to update, 0 to reactivate, 0 to deactivate, 0 to delete; groups: 1 to create, 0 to rename, 1 to delete, 3 members to add, 0 to remove; 0 unchanged
        + ann  create
        + A  create group
        ~ A  add members: ann; id 2
        ~ A  add members: B
        x C  delete group
        ");
    }

    #[test]
    fn a_plan_is_printed_for_review() {
        let current = users(json!([
            { "id": "1", "userName": "ann", "externalId": "1", "active": true, "name": { "familyName": "Doe" }, "title": "T",
              "emails": [{ "value": "a@x", "type": "work" }, { "value": "b@x" }] },
            { "id": "2", "userName": "bob", "active": true },
            { "id": "3", "userName": "cy", "active": false },
            { "id": "4", "userName": "dee", "active": true },
            { "id": "5", "userName": "eve", "active": true, "urn:ietf:params:scim:schemas:extension:custom:2.0:user": { "levels": "A" } },
        ]));
        let desired = users(json!([
            { "userName": "ann", "externalId": "1", "name": { "familyName": "Roe\u{1b}[31m" }, "title": "Dr",
              "emails": [{ "value": "c@x", "type": "work" }] },
            { "userName": "cy", "emails": [{ "value": "c@x", "primary": true }], "roles": [{ "value": "R" }] },
            { "userName": "dee", "active": true },
            { "userName": "eve", "urn:ietf:params:scim:schemas:extension:custom:2.0:user": { "levels": "" } },
            { "userName": "new\nline" },
            { "userName": "new", "externalId": "9", "active": true, "name": { "givenName": "N", "familyName": null },
              "emails": [{ "value": "n@x" }], "password": "canary", "id": "x", "meta": {},
              "urn:x:2.0:User": { "a": { "b": 1 }, "c": "2\u{202e}" } },
        ]));
        let policy = Policy::new(&Profile::wats()).ours(Ours::Everybody);
        let plan = policy.plan(&Current::complete(current), &desired).unwrap();
        insta::assert_snapshot!(plan, @r#"
        1 to create, 1 to update, 1 to reactivate, 1 to deactivate, 0 to delete; 1 unchanged; 1 in conflict
        ~ ann (1)  update: name.familyName "Doe" → "Roe\u001b[31m"; cannot be sent: emails: setting it; title: setting it
        ^ cy  reactivate: emails nothing → "c@x"; roles nothing → "R"
        + new (9)  create: name.givenName "N"; active true; emails "n@x"; password [redacted]; urn:x:2.0:User:a.b 1; urn:x:2.0:User:c "2"
        - bob  deactivate
        ! new line  the user of the source has no valid name: the userName contains a control character
        ? eve  cannot be sent: levels: removing A
        "#);
    }
}
