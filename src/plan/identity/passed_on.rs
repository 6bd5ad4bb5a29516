//! Leavers whose name was passed on: the source gives it to a user with another externalId.
//!
//! Such a user is in conflict, since it can be the same person with a new externalId. But if it were always
//! in conflict, a leaver would stay active for ever.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use wats_scim_filter::json::same_text;

use crate::model::{Resource, ScimUser, ScimUserName};
use crate::plan::identity::matching::name_of;

/// How a user of the server is related to the users of the source that have its name and are in conflict.
#[derive(Clone, Copy, PartialEq)]
enum Relation {
    /// It can be one of them.
    Same,
    /// It is another person, unless the ids of the source are of another kind than those of the server.
    Likely,
    /// It is another person: all of them are other users of the server, by their externalId.
    Certain,
}

/// Which users of the server have passed on their name. `in_conflict` are users of the source.
pub(in crate::plan) fn passed_on(current: &[ScimUser], desired: &[ScimUser], in_conflict: &[&ScimUser]) -> Vec<bool> {
    let [on_server, in_source] = [current, desired].map(external_ids);
    let mut holders: HashMap<Cow<'_, str>, Vec<&ScimUser>> = HashMap::new();
    for user in in_conflict {
        if let Some(name) = name_of(user) {
            holders.entry(name).or_default().push(user);
        }
    }
    let relation = |user: &ScimUser| {
        let is_unknown = user.external_id().is_some_and(|id| !in_source.contains(id));
        let holders = name_of(user).and_then(|name| holders.get(&name)).filter(|_| is_unknown);
        let Some(holders) = holders else { return Relation::Same };
        let all = |is_so: &dyn Fn(&ScimUser, &str) -> bool| {
            holders.iter().all(|holder| holder.external_id().is_some_and(|id| is_so(holder, id)))
        };
        if all(&|_, id| on_server.contains(id)) {
            Relation::Certain
        } else if all(&|holder, _| !is_alike(user, holder)) {
            Relation::Likely
        } else {
            Relation::Same
        }
    };
    let relations: Vec<_> = current.iter().map(relation).collect();
    let likely = relations.iter().filter(|relation| **relation == Relation::Likely).count();
    let ids_are_of_one_kind = on_server.intersection(&in_source).count() >= likely;
    let has_passed_on = |relation| match relation {
        Relation::Same => false,
        Relation::Likely => ids_are_of_one_kind,
        Relation::Certain => true,
    };
    relations.into_iter().map(has_passed_on).collect()
}

fn external_ids(users: &[ScimUser]) -> HashSet<&str> {
    users.iter().filter_map(Resource::external_id).collect()
}

/// Whether all parts of a person's name that both have are the same, and there is one. An email address
/// is not compared: it is passed on with the user name.
fn is_alike(one: &ScimUser, other: &ScimUser) -> bool {
    let no_name = ScimUserName::default();
    let parts = |user: &'_ ScimUser| -> [Option<String>; 4] {
        let name = user.name.as_ref().unwrap_or(&no_name);
        let parts = [&name.family_name, &name.given_name, &name.formatted, &user.display_name];
        parts.map(|part| part.clone().filter(|part| !part.is_empty()))
    };
    let mut both = parts(one).into_iter().zip(parts(other)).filter_map(|(one, other)| one.zip(other)).peekable();
    both.peek().is_some() && both.all(|(one, other)| same_text(&one, &other))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Users from a user name, an external id and a family name, which may be empty.
    fn users(users: &[[&str; 3]]) -> Vec<ScimUser> {
        let user = |[name, id, family]: &[&str; 3]| json!({ "userName": name, "externalId": id, "name": { "familyName": family } });
        users.iter().map(|parts| serde_json::from_value(user(parts)).unwrap()).collect()
    }

    /// Whether the first user of the server has passed on its name to the first users of the source.
    fn has_passed_on(current: &[[&str; 3]], desired: &[[&str; 3]], in_conflict: usize) -> bool {
        let (current, desired) = (users(current), users(desired));
        passed_on(&current, &desired, &desired.iter().take(in_conflict).collect::<Vec<_>>())[0]
    }

    #[test]
    fn a_name_that_another_user_of_the_server_gets_is_passed_on() {
        assert!(has_passed_on(&[["bob", "2", "Doe"], ["ann", "1", ""]], &[["bob", "1", "Doe"]], 1));
        assert!(!has_passed_on(&[["bob", "2", ""], ["ann", "1", ""]], &[["bob", "1", ""], ["bo", "2", ""]], 2));
    }

    #[test]
    fn a_name_that_a_new_user_gets_is_passed_on_if_the_ids_are_of_one_kind() {
        let current = [["ann", "1", ""], ["bob", "2", ""]];
        assert!(has_passed_on(&current, &[["Ann", "3", ""], ["bob", "2", ""]], 1));
        assert!(!has_passed_on(&current, &[["ann", "P-1", ""], ["bob", "P-2", ""]], 2));
    }

    #[test]
    fn a_person_of_the_same_name_is_the_same_person_with_another_id() {
        let desired = |family| [["ann", "3", family], ["bob", "2", ""]];
        let current = [["ann", "1", "Doe"], ["bob", "2", ""]];
        assert!(!has_passed_on(&current, &desired("DOE"), 1));
        assert!(has_passed_on(&current, &desired("Roe"), 1));
        assert!(has_passed_on(&current, &desired(""), 1), "nothing is known");
    }

    #[test]
    fn a_user_without_an_id_can_be_anyone_of_its_name() {
        assert!(!has_passed_on(&[["ann", "", ""], ["bob", "2", ""]], &[["ann", "3", ""], ["bob", "2", ""]], 1));
        assert!(!has_passed_on(&[["ann", "1", ""], ["bob", "2", ""]], &[["ann", "", ""], ["bob", "2", ""]], 1));
    }
}
