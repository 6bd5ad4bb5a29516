//! Checks when a step of a group is applied whether it still fits the current state of the group.

use std::collections::HashSet;

use serde_json::{Value, json};
use wats_scim_filter::Filter;
use wats_scim_filter::json::{same_characters, same_text};

use crate::model::{PatchOp, ScimGroup, ScimMember, ScimPatchOperation, ScimPatchRequest};
use crate::plan::{Action, Change, Fit, Reference, Step};

impl Step {
    /// The group that a step creates: without members, which other steps add.
    pub(crate) fn new_group(&self) -> ScimGroup {
        ScimGroup { external_id: self.external_id.clone(), ..ScimGroup::new(&self.name) }
    }

    /// Compares a step that renames or deletes a group with its current state.
    pub(crate) fn fit_group(&self, held: &ScimGroup) -> Fit {
        if self.action == Action::DeleteGroup {
            return self.why_not_on(held, None).map_or(Fit::Delete, Fit::Stale);
        }
        let mut patch = ScimPatchRequest::new();
        for change in &self.changes {
            let current = if change.is_of("displayName") { &held.display_name } else { &held.external_id };
            if is_value(current.as_deref(), change.to.as_ref()) {
                continue;
            }
            if !is_value(current.as_deref(), change.from.as_ref()) {
                return Fit::Stale(format!("the {} of the group has changed since the plan was made", change.path));
            }
            patch = change.put(patch);
        }
        if patch.operations.is_empty() { Fit::Done } else { Fit::Change(patch) }
    }

    /// The renamed group, for a server without PATCH.
    pub(crate) fn renamed(&self, mut held: ScimGroup) -> ScimGroup {
        for change in &self.changes {
            let value = change.to.as_ref().and_then(Value::as_str).map(ToOwned::to_owned);
            if change.is_of("displayName") {
                held.display_name = value;
            } else {
                held.external_id = value;
            }
        }
        held
    }

    /// Why the step is not for this group any more. A read can still show the name that the group had before
    /// the plan renamed it.
    pub(crate) fn why_not_on(&self, held: &ScimGroup, before: Option<&str>) -> Option<String> {
        let name = held.display_name.as_deref().unwrap_or_default();
        let is_named = same_text(name, &self.name) || before.is_some_and(|before| same_text(name, before));
        (!is_named).then(|| format!("the group has another name now than {:?}", self.name))
    }

    /// Which of these members the step still has to add or remove; all if the group does not show members.
    pub(crate) fn left_to_change(&self, held: &ScimGroup, members: &[Reference]) -> Vec<Reference> {
        let Some(shown) = &held.members else {
            // A group without members is shown without the attribute.
            return if self.action == Action::AddMembers { members.to_vec() } else { Vec::new() };
        };
        let shown: HashSet<_> = shown.iter().filter_map(ScimMember::known_id).collect();
        let is_to_be_in = self.action == Action::AddMembers;
        let is_left = |member: &&Reference| member.id.as_deref().is_some_and(|id| shown.contains(id) != is_to_be_in);
        members.iter().filter(is_left).cloned().collect()
    }

    /// The request that adds or removes these members.
    pub(crate) fn members_patch(&self, members: &[Reference], removes_by_list: bool) -> ScimPatchRequest {
        match self.action {
            Action::AddMembers => additions(members),
            _ => removals(members, removes_by_list),
        }
    }

    /// The group with these members added or removed, for a server without PATCH.
    pub(crate) fn with_members_changed(&self, mut held: ScimGroup, members: &[Reference]) -> ScimGroup {
        if self.action == Action::AddMembers {
            held.members.get_or_insert_default().extend(members.iter().filter_map(Reference::member));
        } else {
            let gone: HashSet<_> = members.iter().filter_map(|member| member.id.as_deref()).collect();
            let is_kept = |member: &ScimMember| member.known_id().is_none_or(|id| !gone.contains(id));
            held.members = held.members.map(|members| members.into_iter().filter(|one| is_kept(one)).collect());
        }
        held
    }
}

/// The members that a group has lost, but for those that were to be removed.
pub(crate) fn lost(before: &ScimGroup, after: &ScimGroup, removed: &[Reference]) -> Vec<Reference> {
    let removed = removed.iter().filter_map(|member| member.id.as_deref());
    let kept: HashSet<_> = after.member_ids().chain(removed).collect();
    before.member_ids().filter(|id| !kept.contains(id)).map(Reference::id).collect()
}

/// The request that adds members to a group.
pub(crate) fn additions(members: &[Reference]) -> ScimPatchRequest {
    ScimPatchRequest::new().add("members", values(members))
}

/// The request that removes members from a group: by a list of them, or by a path for each.
pub(crate) fn removals(members: &[Reference], by_list: bool) -> ScimPatchRequest {
    let remove = |path, value| ScimPatchOperation { op: PatchOp::Remove, path: Some(path), value };
    if by_list {
        return ScimPatchRequest::new().with(remove("members".to_owned(), Some(values(members).into())));
    }
    members.iter().filter_map(|member| member.id.as_deref()).fold(ScimPatchRequest::new(), |patch, id| {
        patch.with(remove(Filter::any_of("members", Filter::eq("value", id)).to_string(), None))
    })
}

fn values(members: &[Reference]) -> Vec<Value> {
    members.iter().filter_map(Reference::as_member).collect()
}

impl Change {
    fn put(&self, patch: ScimPatchRequest) -> ScimPatchRequest {
        match &self.to {
            Some(to) => patch.replace(self.path.clone(), to.clone()),
            None => patch.remove(self.path.clone()),
        }
    }
}

impl Reference {
    fn as_member(&self) -> Option<Value> {
        let member = self.member()?;
        // A server takes a member for a user if it has no type.
        Some(match member.r#type {
            Some(kind) => json!({ "value": member.value, "type": kind }),
            None => json!({ "value": member.value }),
        })
    }
}

fn is_value(current: Option<&str>, value: Option<&Value>) -> bool {
    match (current.filter(|text| !text.is_empty()), value.and_then(Value::as_str)) {
        (Some(current), Some(value)) => same_characters(current, value),
        (current, value) => current.is_none() && value.is_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(json: Value) -> Step {
        serde_json::from_value(json).unwrap()
    }

    fn group(json: Value) -> ScimGroup {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn a_group_that_was_renamed_meanwhile_is_not_renamed_again_or_deleted() {
        let changes =
            json!([{ "path": "displayName", "from": "Old", "to": "New" }, { "path": "externalId", "to": "7" }]);
        let rename = step(json!({ "action": "renameGroup", "name": "Old", "id": "1", "changes": changes }));
        let patch = ScimPatchRequest::new().replace("externalId", "7");
        assert_eq!(rename.fit_group(&group(json!({ "displayName": "New" }))), Fit::Change(patch), "a part is done");
        assert_eq!(rename.fit_group(&group(json!({ "displayName": "New", "externalId": "7" }))), Fit::Done);
        assert!(matches!(rename.fit_group(&group(json!({ "displayName": "Newer" }))), Fit::Stale(_)));
        let delete = step(json!({ "action": "deleteGroup", "name": "Old", "id": "1" }));
        assert_eq!(delete.fit_group(&group(json!({ "displayName": "OLD" }))), Fit::Delete);
        assert!(matches!(delete.fit_group(&group(json!({ "displayName": "New" }))), Fit::Stale(_)));
    }

    #[test]
    fn members_are_known_by_their_reference_too() {
        let members = json!([{ "$ref": "https://x/scim/v2/Users/1" }, { "value": 2 }]);
        let held = group(json!({ "displayName": "T", "members": members }));
        let wanted = [Reference::id("1"), Reference::id("2"), Reference::id("3")];
        let add = step(json!({ "action": "addMembers", "name": "T", "id": "9", "members": [{ "id": "1" }] }));
        assert_eq!(add.left_to_change(&held, &wanted), [Reference::id("3")]);
        let remove = step(json!({ "action": "removeMembers", "name": "T", "id": "9", "members": [{ "id": "1" }] }));
        assert_eq!(remove.left_to_change(&held, &wanted), wanted[..2]);
        let replaced = remove.with_members_changed(held, &wanted[..1]);
        assert_eq!(replaced.member_ids().collect::<Vec<_>>(), ["2"]);
    }
}
