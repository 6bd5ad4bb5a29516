//! Computes the smallest patch between two versions of a resource.

use std::collections::HashSet;

use serde_json::{Map, Value};
use wats_scim_filter::Filter;
use wats_scim_filter::json::{assigned, equal, is_server_attribute, is_unassigned, member, take};

use crate::model::{PatchOp, Resource, ScimPatchOperation, ScimPatchRequest};

impl ScimPatchRequest {
    /// Returns the smallest patch that changes `old` into `new`.
    ///
    /// The operations are `replace` and `remove` (RFC 7644 §3.5.2). A sub-attribute of a complex
    /// attribute has its own path; a multi-valued attribute is replaced as a whole. `id`, `meta` and
    /// `schemas` belong to the server and are ignored. If nothing differs, the patch has no operations;
    /// do not send it, as servers reject it.
    ///
    /// The `members` of a group are compared by their ids, and added and removed one by one: a server
    /// can have members that `old` does not show. Servers limit the size of a request; for more than
    /// about 100 members, use `add_members` and `remove_members` of the client.
    ///
    /// ```
    /// use wats_scim::{ScimPatchRequest, ScimUser, ScimUserName};
    ///
    /// let old = ScimUser::new("jane").with_name(ScimUserName::new("Jane", "Doe")).with_display_name("Jane");
    /// let new = ScimUser::new("jane").with_name(ScimUserName::new("Jane", "Roe"));
    /// let patch = ScimPatchRequest::between(&old, &new)?;
    /// assert_eq!(patch, ScimPatchRequest::new().replace("name.familyName", "Roe").remove("displayName"));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The serialization error if a resource cannot be written as JSON.
    pub fn between<T: Resource>(old: &T, new: &T) -> serde_json::Result<Self> {
        let (mut old, mut new) = (object(old)?, object(new)?);
        let members = members_between(&old, &new);
        if members.is_some() {
            for resource in [&mut old, &mut new] {
                take(resource, MEMBERS);
            }
        }
        Ok(members.into_iter().flatten().fold(Self::of(differences(&old, &new)), Self::with))
    }

    pub(crate) fn of(differences: Differences) -> Self {
        differences.into_iter().fold(Self::new(), |patch, (path, value)| match value {
            Some(value) => patch.replace(path, value),
            None => patch.remove(path),
        })
    }
}

const MEMBERS: &str = "members";

/// The operations that add and remove the members of a group. `None` if a member has no id.
fn members_between(old: &Map<String, Value>, new: &Map<String, Value>) -> Option<Vec<ScimPatchOperation>> {
    let [old, new] = [members(old)?, members(new)?];
    let ids = |members: &[(&'_ str, &Value)]| members.iter().map(|(id, _)| (*id).to_owned()).collect::<HashSet<_>>();
    let (old_ids, new_ids) = (ids(&old), ids(&new));
    let added: Vec<_> =
        new.iter().filter(|(id, _)| !old_ids.contains(*id)).map(|(_, member)| (*member).clone()).collect();
    let add = ScimPatchOperation { op: PatchOp::Add, path: Some(MEMBERS.to_owned()), value: Some(added.into()) };
    let is_empty = add.value.as_ref().is_none_or(is_unassigned);
    let removed = old.iter().filter(|(id, _)| !new_ids.contains(*id)).map(|(id, _)| {
        let member = Filter::any_of(MEMBERS, Filter::eq("value", *id));
        ScimPatchOperation { op: PatchOp::Remove, path: Some(member.to_string()), value: None }
    });
    Some((!is_empty).then_some(add).into_iter().chain(removed).collect())
}

/// The members of a group with their ids. `None` if one has no id.
fn members(group: &Map<String, Value>) -> Option<Vec<(&str, &Value)>> {
    let Some(members) = assigned(group, MEMBERS) else { return Some(Vec::new()) };
    let members = members.as_array()?.iter();
    members.map(|member| Some((assigned(member.as_object()?, "value")?.as_str()?, member))).collect()
}

pub(crate) fn object<T: Resource>(resource: &T) -> serde_json::Result<Map<String, Value>> {
    match serde_json::to_value(resource)? {
        Value::Object(object) => Ok(object),
        _ => Err(serde::ser::Error::custom(format!("a {} is not written as a JSON object", T::NAME))),
    }
}

/// Paths and their new values; `None` removes the attribute.
pub(crate) type Differences = Vec<(String, Option<Value>)>;

pub(crate) fn differences(old: &Map<String, Value>, new: &Map<String, Value>) -> Differences {
    let mut found = Vec::new();
    compare_members("", None, old, new, &mut found);
    found
}

/// Compares two objects at `path`. A member's path is `path`, the separator and its name; without a
/// separator, it is the name alone.
fn compare_members(
    path: &str,
    separator: Option<char>,
    old: &Map<String, Value>,
    new: &Map<String, Value>,
    found: &mut Differences,
) {
    let is_servers = |name: &str| path.is_empty() && is_server_attribute(name);
    let path_of =
        |name: &str| separator.map_or_else(|| name.to_owned(), |separator| format!("{path}{separator}{name}"));
    for (name, new) in new.iter().filter(|(name, _)| !is_servers(name)) {
        compare(&path_of(name), separator, assigned(old, name), new, found);
    }
    for (name, value) in old.iter().filter(|(name, _)| !is_servers(name)) {
        // A member that is null in `new` was compared above.
        if !is_unassigned(value) && member(new, name).is_none() {
            found.push((path_of(name), None));
        }
    }
}

fn compare(path: &str, before: Option<char>, old: Option<&Value>, new: &Value, found: &mut Differences) {
    // `attribute.sub`, `urn:schema:attribute`, `urn:schema:attribute.sub` (RFC 7644 §3.10).
    let inside = match before {
        None if path.to_ascii_lowercase().starts_with("urn:") => Some(':'),
        None | Some(':') => Some('.'),
        Some(_) => None,
    };
    match (old, new, inside) {
        (Some(old), new, _) if equal(old, new) => {}
        (None, new, _) if is_unassigned(new) => {}
        (Some(_), new, _) if is_unassigned(new) => found.push((path.to_owned(), None)),
        (Some(Value::Object(old)), Value::Object(new), Some(_)) => compare_members(path, inside, old, new, found),
        (_, new, _) => found.push((path.to_owned(), Some(new.clone()))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::{ScimGroup, ScimUser};

    fn user(json: Value) -> ScimUser {
        serde_json::from_value(json).unwrap()
    }

    fn between(old: Value, new: Value) -> Value {
        let patch = ScimPatchRequest::between(&user(old), &user(new)).unwrap();
        serde_json::to_value(patch).unwrap()["Operations"].clone()
    }

    #[test]
    fn only_what_differs_is_in_the_patch() {
        let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
        let old = json!({
            "id": "1", "meta": { "version": "1" }, "schemas": ["a"], "userName": "jane", "title": "T",
            "name": { "givenName": "Jane", "familyName": "Doe" }, "emails": [{ "value": "a" }, { "value": "b" }],
            enterprise: { "department": "X", "manager": { "value": "1", "displayName": "M" } },
        });
        let new = json!({
            "id": "2", "meta": { "version": "2" }, "schemas": ["b"], "userName": "jane", "active": true, "x": [],
            "name": { "givenName": "Jane", "familyName": "Roe" }, "emails": [{ "value": "b" }, { "value": "a" }],
            enterprise: { "department": "Y", "manager": { "value": "2", "displayName": "M" } },
        });
        assert_eq!(
            between(old, new),
            json!([
                { "op": "replace", "path": "name.familyName", "value": "Roe" },
                { "op": "replace", "path": "active", "value": true },
                { "op": "replace", "path": format!("{enterprise}:department"), "value": "Y" },
                { "op": "replace", "path": format!("{enterprise}:manager.value"), "value": "2" },
                { "op": "remove", "path": "title" },
            ])
        );
    }

    #[test]
    fn missing_attributes_are_removed() {
        let old =
            json!({ "emails": [{ "value": "a" }, { "value": "b" }], "name": { "givenName": "J", "middleName": "Q" } });
        let new = json!({ "emails": [{ "value": "b" }], "name": { "givenName": "J" } });
        assert_eq!(
            between(old, new),
            json!([
                { "op": "remove", "path": "name.middleName" },
                { "op": "replace", "path": "emails", "value": [{ "value": "b" }] },
            ])
        );
    }

    #[test]
    fn equal_resources_give_an_empty_patch() {
        let jane = json!({ "userName": "jane", "nickName": null, "emails": [{ "value": "a" }, { "value": "b" }] });
        let same = json!({ "USERNAME": "jane", "emails": [{ "value": "b" }, { "value": "a" }], "photos": [] });
        assert_eq!(between(jane, same), json!([]));
    }

    #[test]
    fn members_of_a_group_are_added_and_removed_and_not_replaced() {
        let group = |members: Value| -> ScimGroup {
            serde_json::from_value(json!({ "displayName": "Testers", "members": members })).unwrap()
        };
        let between = |old: Value, new: Value| {
            serde_json::to_value(ScimPatchRequest::between(&group(old), &group(new)).unwrap()).unwrap()["Operations"]
                .clone()
        };
        let ids = |ids: std::ops::Range<usize>| ids.map(|id| json!({ "value": id.to_string() })).collect::<Value>();
        let shown =
            (0..211).map(|id| json!({ "value": id.to_string(), "display": "x", "type": "User" })).collect::<Value>();
        assert_eq!(
            between(shown.clone(), ids(0..212)),
            json!([{ "op": "add", "path": "members", "value": [{ "value": "211" }] }])
        );
        assert_eq!(
            between(shown.clone(), ids(2..212)),
            json!([
                { "op": "add", "path": "members", "value": [{ "value": "211" }] },
                { "op": "remove", "path": "members[value eq \"0\"]" },
                { "op": "remove", "path": "members[value eq \"1\"]" },
            ])
        );
        assert_eq!(between(shown, ids(0..211)), json!([]));
        assert_eq!(
            between(json!([{ "value": "a\"b" }]), json!(null)),
            json!([{ "op": "remove", "path": "members[value eq \"a\\\"b\"]" }])
        );
        let unnamed = json!([{ "display": "x" }]);
        assert_eq!(
            between(ids(0..2), unnamed.clone()),
            json!([{ "op": "replace", "path": "members", "value": unnamed }]),
            "a member without an id can only be sent with the list"
        );
    }

    /// A comparison in pairs would take minutes.
    #[test]
    fn long_lists_are_compared_in_linear_time() {
        const ENTRIES: usize = 50_000;
        let list = |ids: &mut dyn Iterator<Item = usize>| {
            ids.map(|id| json!({ "value": format!("{id:06}") })).collect::<Value>()
        };
        let user = |list: &Value| ScimUser::new("jane").with_attribute("entitlements", list.clone());
        let (old, same) = (list(&mut (0..ENTRIES)), list(&mut (0..ENTRIES).rev()));
        assert_eq!(ScimPatchRequest::between(&user(&old), &user(&same)).unwrap(), ScimPatchRequest::new());
        let other = list(&mut (3..ENTRIES + 3).rev());
        let patch = ScimPatchRequest::between(&user(&old), &user(&other)).unwrap();
        assert_eq!(patch, ScimPatchRequest::new().replace("entitlements", other));
    }

    #[test]
    fn a_patch_for_wats_has_supported_paths_and_reports_the_rest() {
        let old = user(
            json!({ "name": { "familyName": "Doe", "middleName": "Q" }, "emails": [{ "value": "a" }], "displayName": "J" }),
        );
        let new = user(
            json!({ "name": { "familyName": "Roe", "formatted": "Jane Roe" }, "emails": [{ "value": "b" }], "title": "T",
                    "roles": [{ "value": "Operator" }] }),
        );
        let (patch, left_out) = ScimPatchRequest::between_for_wats(&old, &new).unwrap();
        let expected = ScimPatchRequest::new()
            .replace("fullName", "Jane Roe")
            .replace("familyName", "Roe")
            .replace("email", "b")
            .replace("roles", "Operator");
        assert_eq!(patch, expected);
        assert_eq!(left_out, ["name.middleName: removing it", "title: setting it", "displayName: removing it"]);
    }
}
