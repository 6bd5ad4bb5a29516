use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::Path;

use serde_json::value::RawValue;
use serde_json::{Value, json};
use wats_scim_filter::json::{assigned, member_mut};

use super::error::{ImportError, quoted};
use super::groups::Groups;
use super::json::{Entries, Members, cause, duplicate_name, entries, read_entry, rows_of_users, text_of, with_lines};
use super::rows::Rows;
use super::schema;
use crate::model::{EnterpriseUser, Extension, ScimMember, ScimUser};
use crate::plan::{Desired, DesiredGroup, Kind, Reference};

/// Reads users and groups from JSON: an object with `users` and `groups`. Users alone are also read in any form of
/// [`users_from_json`](super::users_from_json); then nothing is said about groups.
///
/// `users` is an array of SCIM users or a list response, read as by [`users_from_json`](super::users_from_json).
/// `groups` is the same with groups: SCIM groups, or groups whose members are named by `userName` or `externalId`.
/// Without `groups`, nothing is said about groups; a group without `members` keeps those that it has.
///
/// A member is a user unless its `type` is `Group`, and is named by one of `value` (or `id`), `externalId` and
/// `userName` (`displayName` for a group). If users or groups of the file have ids, as in the export of a
/// server, then all ids in the file are of that export: a `value` of a member or a manager has to be the id of
/// a user or group in the file, and is read as its name. If none has, they are ids on the server that the
/// directory is for. The `groups` of a user are read-only in SCIM, and not read.
///
/// ```
/// use wats_scim::import::directory_from_json;
/// use wats_scim::plan::Reference;
///
/// let directory = directory_from_json(
///     r#"{
///         "users": [{ "userName": "ann", "externalId": "7" }, { "userName": "bob" }],
///         "groups": [{ "displayName": "Testers", "members": [{ "externalId": "7" }, { "userName": "bob" }] }]
///     }"#,
/// )?;
/// let groups = directory.groups().unwrap_or_default();
/// assert_eq!(groups[0].members, Some(vec![Reference::external_id("7"), Reference::user_name("bob")]));
/// # Ok::<(), wats_scim::import::ImportError>(())
/// ```
///
/// # Errors
///
/// An [`ImportError`] with the bad users and groups, or without them if the text is not such an object. A
/// group is bad if it or a member has an unknown attribute, a duplicate name or a value of another type, if it
/// has no `displayName`, if another one has its `displayName` or `externalId`, or if a member is not named.
pub fn directory_from_json(json: impl AsRef<[u8]>) -> Result<Desired, ImportError> {
    let text = text_of(json.as_ref())?;
    let document = match serde_json::from_str::<Members<'_>>(text) {
        Ok(document) if document.get("users").is_some() || document.get("groups").is_some() => document,
        _ => return rows_of_users(text)?.finish_directory(None),
    };
    if let Some(name) = document.duplicate() {
        return Err(ImportError::unreadable(format!("it has a duplicate {name}")));
    }
    if let Some(name) = document.other_than(&["users", "groups"]) {
        return Err(ImportError::unreadable(format!("unknown {name}; expected an object with users and groups")));
    }
    let users = list("users", document.get("users"))?;
    let users = users.ok_or_else(|| ImportError::unreadable("users is missing; without users write []"))?;
    let listed = list("groups", document.get("groups"))?;

    let mut rows = Rows::default();
    let mut exported = Exported::default();
    let mut users: Vec<_> = with_lines(text, users).map(|(line, entry)| (line, read_entry(entry))).collect();
    for (line, user) in &mut users {
        if let Ok((user, problems)) = user
            && let Some((id, name)) = user.id.clone().zip(user.user_name.clone())
        {
            problems.extend(exported.add(Kind::User, *line, id, name));
        }
    }
    let mut read = Vec::new();
    for (line, entry) in listed.iter().flat_map(|groups| with_lines(text, groups.clone())) {
        match read_group(entry) {
            Ok((id, group)) => {
                let problem = id.and_then(|id| exported.add(Kind::Group, line, id, group.display_name.clone()));
                read.push((line, group, problem));
            }
            Err(problem) => rows.reject_other(line, problem),
        }
    }
    for (line, user) in users {
        match user {
            Ok((mut user, mut problems)) => {
                problems.extend(exported.name_manager(&mut user).err());
                // Read-only (RFC 7643 §4.1.2): a server rejects it, or ignores it.
                user.attributes.remove("groups");
                rows.add(line, user, problems);
            }
            Err(problem) => rows.reject(line, problem),
        }
    }
    let mut groups = Groups::default();
    for (line, mut group, problem) in read {
        let name = group.display_name.clone();
        let mut problems: Vec<_> = problem.into_iter().chain(exported.name_members(&mut group).err()).collect();
        groups.add(line, group, &mut problems);
        if !problems.is_empty() {
            rows.reject_other(line, of_group(&name, &problems));
        }
    }
    rows.finish_directory(listed.is_some().then(|| groups.finish()))
}

/// Reads users and groups from a JSON file, like [`directory_from_json`]. Errors name the file.
///
/// # Errors
///
/// Those of [`directory_from_json`], and an I/O error if the file cannot be read.
pub fn directory_from_json_file(path: impl AsRef<Path>) -> Result<Desired, ImportError> {
    let path = path.as_ref();
    let read = std::fs::read(path).map_err(ImportError::from).and_then(directory_from_json);
    read.map(|directory| directory.in_file(path)).map_err(|error| error.in_file(path))
}

fn list<'a>(name: &str, value: Option<&'a RawValue>) -> Result<Option<Vec<&'a RawValue>>, ImportError> {
    match value.filter(|value| value.get() != "null").map(entries).transpose()? {
        None => Ok(None),
        Some(Entries::Of(entries)) => Ok(Some(entries)),
        Some(_) => Err(ImportError::unreadable(format!("{name} is neither an array nor a list response"))),
    }
}

/// Reads a group, with its id.
fn read_group(entry: &RawValue) -> Result<(Option<String>, DesiredGroup), String> {
    let value: Value = serde_json::from_str(entry.get()).map_err(|error| cause(&error))?;
    let Value::Object(group) = &value else { return Err("it is not an object".to_owned()) };
    let text = |name: &str| assigned(group, name).and_then(Value::as_str).map(ToOwned::to_owned);
    let name = text("displayName").unwrap_or_default();
    let mut problems = schema::group_errors(&value);
    problems.extend(duplicate_name(entry).map(|name| format!("duplicate name {name}")));
    // `[]` is no attribute in SCIM, but it is said here: the group has no members.
    let members = group.iter().find(|(name, _)| name.eq_ignore_ascii_case("members")).map(|(_, members)| members);
    let members = members.and_then(Value::as_array).map(|members| {
        members.iter().filter_map(|member| reference(member).map_err(|problem| problems.push(problem)).ok()).collect()
    });
    problems.dedup();
    if problems.is_empty() {
        let external_id = text("externalId");
        return Ok((text("id"), DesiredGroup { external_id, members, ..DesiredGroup::new(name) }));
    }
    Err(of_group(&name, &problems))
}

fn of_group(name: &str, problems: &[String]) -> String {
    let name = Some(name).filter(|name| !name.is_empty()).map(|name| format!("group {}: ", quoted(name)));
    format!("{}{}", name.unwrap_or_default(), problems.join("; "))
}

fn reference(member: &Value) -> Result<Reference, String> {
    // A value that is no object is a type error.
    let Value::Object(of) = member else { return Ok(Reference::default()) };
    let text = |names: &[&str]| {
        let mut given = names.iter().filter_map(|name| assigned(of, name)?.as_str().filter(|text| !text.is_empty()));
        given.next().map(ToOwned::to_owned)
    };
    let kind = match (text(&["type"]), text(&["$ref"])) {
        (Some(kind), _) if kind.eq_ignore_ascii_case("Group") => Kind::Group,
        (Some(kind), _) if kind.eq_ignore_ascii_case("User") => Kind::User,
        (Some(_), _) => return Err("the type of a member is neither User nor Group".to_owned()),
        (None, Some(uri)) if uri.trim_end_matches('/').rsplit('/').nth(1) == Some("Groups") => Kind::Group,
        (None, _) => Kind::User,
    };
    let in_ref = ScimMember { r#ref: text(&["$ref"]), ..ScimMember::default() };
    let id = text(&["value", "id"]).or_else(|| in_ref.known_id().map(ToOwned::to_owned));
    let (external_id, name) = (text(&["externalId"]), text(&["userName", "displayName", "name"]));
    if id.is_none() && external_id.is_none() && name.is_none() {
        return Err("a member has no value, externalId or userName".to_owned());
    }
    Ok(Reference { kind, id, external_id, name })
}

/// The ids in the file, if it is the export of a server: another server has other ids, perhaps of others.
#[derive(Default)]
struct Exported(HashMap<(Kind, String), Named>);

struct Named {
    line: u64,
    name: String,
}

impl Exported {
    /// Adds an id, unless another entry has it: then returns the problem.
    fn add(&mut self, kind: Kind, line: u64, id: String, name: String) -> Option<String> {
        match self.0.entry((kind, id)) {
            Entry::Occupied(first) => Some(format!("same id as line {}", first.get().line)),
            Entry::Vacant(free) => {
                free.insert(Named { line, name });
                None
            }
        }
    }

    /// The name for an id of the export; `None` if the file has no ids of its own.
    fn name_of(&self, kind: Kind, id: &str) -> Option<Result<&str, &'static str>> {
        if self.0.is_empty() {
            return None;
        }
        let named = self.0.get(&(kind, id.to_owned()));
        Some(named.map(|named| named.name.as_str()).ok_or("is not in the file, which has ids of its own"))
    }

    fn name_members(&self, group: &mut DesiredGroup) -> Result<(), String> {
        for member in group.members.iter_mut().flatten() {
            if let Some(name) = member.id.as_deref().and_then(|id| self.name_of(member.kind, id)) {
                let name = name.map_err(|problem| format!("a member {problem}"))?;
                *member = Reference { kind: member.kind, name: Some(name.to_owned()), ..Reference::default() };
            }
        }
        Ok(())
    }

    fn name_manager(&self, user: &mut ScimUser) -> Result<(), String> {
        if self.0.is_empty() {
            return Ok(());
        }
        let Some(mut extension) = user.attributes.get(EnterpriseUser::SCHEMA).cloned() else { return Ok(()) };
        let Some(manager) = extension.as_object_mut().and_then(|extension| member_mut(extension, "manager")) else {
            return Ok(());
        };
        let id = manager.as_object().and_then(|manager| assigned(manager, "value")).and_then(Value::as_str);
        let Some(name) = id.and_then(|id| self.name_of(Kind::User, id)) else { return Ok(()) };
        let name = name.map_err(|problem| format!("the manager {problem}"))?;
        *manager = json!({ "userName": name });
        user.attributes.set(EnterpriseUser::SCHEMA, extension);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &Value) -> Desired {
        directory_from_json(json.to_string()).unwrap()
    }

    fn bad(json: &str) -> Vec<String> {
        let rows = directory_from_json(json).unwrap_err().rows().to_vec();
        rows.iter().map(|row| format!("{}: {}", row.line(), row.reason())).collect()
    }

    #[test]
    fn groups_are_read_as_they_are_written() {
        let groups = vec![
            DesiredGroup::new("Testers").with_external_id("g7").with_members([
                Reference::id("1"),
                Reference::user_name("ann"),
                Reference::external_id("7"),
                Reference::external_id("g8").to_group(),
                Reference::group("Makers"),
            ]),
            DesiredGroup::new("Makers").with_members([]),
            DesiredGroup::new("Left alone"),
        ];
        let directory = read(&json!({ "users": [{ "userName": "ann" }], "groups": groups }));
        assert_eq!(directory, Desired::of_users(vec![ScimUser::new("ann")]).with_groups(groups));
        assert_eq!(read(&json!({ "users": [] })).groups(), None);
    }

    #[test]
    fn users_and_groups_know_their_lines_and_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("directory.json");
        std::fs::write(&path, "{\"users\":[],\n\"groups\":[{\"displayName\":\"A\"},\n{\"displayName\":\"B\"}]}")
            .unwrap();
        let directory = directory_from_json_file(&path).unwrap();
        let origins: Vec<_> = directory.groups().unwrap().iter().map(|group| group.origin.clone()).collect();
        let file = path.display().to_string();
        assert_eq!(origins, [2, 3].map(|line| Some(crate::plan::Origin::row(Some(&file), line))));
    }

    #[test]
    fn the_ids_of_an_export_are_read_as_names() {
        let manager = |value: Value| json!({ EnterpriseUser::SCHEMA: { "manager": value } });
        let mut user = manager(json!({ "value": "1", "displayName": "Ann" }));
        user["userName"] = "bob".into();
        user["id"] = "2".into();
        let directory = read(&json!({
            "groups": {
                "totalResults": 2,
                "Resources": [
                    { "id": "1", "displayName": "Testers", "schemas": ["x"], "meta": { "resourceType": "Group" }, "members": [
                        { "value": "1", "$ref": "https://x/Users/1", "type": "User", "display": "Ann" },
                        { "$ref": "https://x/Groups/2" },
                    ] },
                    { "id": "2", "displayName": "Makers", "members": null },
                ],
            },
            "users": [{ "userName": "ann", "id": "1" }, user],
        }));
        let members = [Reference::user_name("ann"), Reference::group("Makers")];
        let groups = [DesiredGroup::new("Testers").with_members(members), DesiredGroup::new("Makers")];
        assert_eq!(directory.groups(), Some(&groups[..]));
        let extension = directory.users()[1].attributes.get(EnterpriseUser::SCHEMA);
        assert_eq!(extension, Some(&json!({ "manager": { "userName": "ann" } })));
    }

    #[test]
    fn an_id_that_is_not_in_the_export_is_reported() {
        let json = r#"{ "users": [
            { "userName": "ann", "id": "1" },
            { "userName": "bob", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": { "manager": { "value": "3" } } }],
            "groups": [{ "displayName": "Testers", "members": [{ "value": "1" }, { "value": "4" }] }] }"#;
        let problem = "is not in the file, which has ids of its own";
        let expected = [format!("3: the manager {problem}"), format!("4: group \"Testers\": a member {problem}")];
        assert_eq!(bad(json), expected);
    }

    #[test]
    fn an_id_that_two_have_is_reported() {
        let json = r#"{ "users": [{ "userName": "ann", "id": "1" },
            { "userName": "bob", "id": "1" }],
            "groups": [{ "displayName": "A", "id": "1" }, { "displayName": "B", "id": "1" }] }"#;
        assert_eq!(bad(json), ["2: same id as line 1", "3: group \"B\": same id as line 3"]);
    }

    #[test]
    fn every_bad_group_is_named_with_its_line() {
        let json = "{ \"groups\": [
            7,
            { \"displayName\": \"A\", \"membrs\": [] },
            { \"displayName\": \"B\", \"members\": [{ \"valu\": \"canary\" }, 7, { \"value\": 7 }] },
            { \"members\": [] },
            { \"displayName\": \"C\", \"members\": [{ \"userName\": \"\" }, { \"value\": \"1\", \"type\": \"canary\" }] },
            { \"displayName\": \"D\", \"displayname\": \"E\" },
            { \"displayName\": \"F\", \"externalId\": \"1\" },
            { \"displayName\": \"f\", \"externalId\": \"1\" }],
            \"users\": [{}] }";
        let expected = [
            "2: it is not an object",
            "3: group \"A\": unknown attribute \"membrs\" of the group",
            "4: group \"B\": members has a value that is not an object; members.value is not text; unknown attribute \"valu\" of a \
             member; a member has no value, externalId or userName",
            "5: displayName is missing",
            "6: group \"C\": a member has no value, externalId or userName; the type of a member is neither User nor Group",
            "7: group \"D\": duplicate name \"displayname\"",
            "9: group \"f\": same displayName as line 8; same externalId as line 8",
            "10: userName is missing",
        ];
        assert_eq!(bad(json), expected);
    }

    #[test]
    fn users_alone_say_nothing_about_groups_and_have_their_lines() {
        for json in [r#"[{"userName":"ann"}]"#, r#"{"Resources":[{"userName":"ann"}]}"#, "{\"userName\":\"ann\"}\n\n"] {
            let directory = directory_from_json(json).unwrap();
            assert_eq!((directory.users(), directory.groups()), (&[ScimUser::new("ann")][..], None), "{json}");
        }
        let lines = "{\"userName\":\"ann\"}\n{\"userName\":\"bob\",\"active\":\"perhaps\"}\n{\"userName\":\"cy\"}";
        let directory = directory_from_json(lines).unwrap_err().without_bad_rows().unwrap();
        assert_eq!(directory.users().len(), 2);
        assert_eq!((directory.left_out()[0].line, directory.left_out()[0].user_name.as_deref()), (2, Some("bob")));
    }

    #[test]
    fn a_bad_group_cannot_be_left_out() {
        let error = directory_from_json(r#"{"users":[{"userName":""}],"groups":[{"displayName":""}]}"#).unwrap_err();
        assert_eq!(error.without_bad_rows().unwrap_err().rows().len(), 2);
    }

    #[test]
    fn another_document_is_rejected() {
        for (json, problem) in [
            ("", "it is empty"),
            ("7", "expected an array of users"),
            ("{", "it is not JSON"),
            (r#"{"groups":[]}"#, "users is missing"),
            (r#"{"users":[],"Users":[]}"#, "it has a duplicate \"Users\""),
            (r#"{"users":[],"teams":[]}"#, "unknown \"teams\"; expected"),
            (r#"{"users":{"userName":"ann"}}"#, "users is neither an array nor a list response"),
            (r#"{"users":[],"groups":7}"#, "groups is neither an array nor a list response"),
            (r#"{"users":[],"groups":{"totalResults":7,"Resources":[]}}"#, "it is a single page of a longer list"),
        ] {
            let text = directory_from_json(json).unwrap_err().to_string();
            assert!(text.starts_with(&format!("nothing was read: {problem}")), "{json}: {text}");
        }
    }
}
