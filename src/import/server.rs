use super::error::ImportError;
use crate::plan::{Current, Desired};

/// Takes the directory of a server as the source of a plan for another one.
///
/// The ids of the server are not those of another one, so members and managers are named by `userName`. A group
/// whose members could not be read keeps those that it has.
///
/// ```
/// use wats_scim::ScimUser;
/// use wats_scim::import::directory_of;
/// use wats_scim::plan::{Current, Policy};
///
/// let source = Current::complete(vec![ScimUser::new("ann").with_external_id("1")]); // From `current_directory`.
/// let target = Current::complete(Vec::new());
/// let plan = Policy::default().plan(&target, &directory_of(&source)?)?;
/// assert_eq!(plan.steps[0].name, "ann");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// An [`ImportError`] if the list of users is incomplete, or with the users and groups that could not be found
/// again on another server, such as two users with one `externalId`; the line is the place in the list.
pub fn directory_of(current: &Current) -> Result<Desired, ImportError> {
    // A line for each user and group, which errors name.
    let export = serde_json::to_vec(current).map_err(|error| ImportError::unreadable(error.to_string()))?;
    super::directory_from_json(export)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::model::ScimUser;
    use crate::plan::{Action, CurrentGroup, Ours, Policy};

    const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

    type Person = (String, String, Option<bool>, Option<usize>, bool);
    type Team = (BTreeSet<usize>, Option<usize>, bool);

    /// What a server can hold: users with managers, and groups with users and groups as members.
    fn held() -> impl Strategy<Value = Current> {
        let user = ("\\PC{0,4}", any::<String>(), any::<Option<bool>>(), prop::option::of(0..6_usize), any::<bool>());
        let group = (prop::collection::btree_set(0..6_usize, 0..6), prop::option::of(0..3_usize), any::<bool>());
        let groups = prop::option::of(prop::collection::vec(group, 0..3));
        (prop::collection::vec(user, 0..6), groups).prop_map(|(users, groups)| {
            let count = users.len();
            let users = users.into_iter().enumerate().map(|(at, person)| user_of(at, person, count)).collect();
            let current = Current::complete(users);
            match groups {
                None => current,
                Some(groups) => {
                    let size = groups.len();
                    let groups = groups.into_iter().enumerate().map(|(at, team)| group_of(at, team, count, size));
                    current.with_groups(groups.collect())
                }
            }
        })
    }

    fn user_of(at: usize, (name, text, active, manager, has_id): Person, count: usize) -> ScimUser {
        let name = format!("u{at}{}", name.trim().replace(|c: char| !c.is_alphanumeric(), "_"));
        let mut user = json!({ "id": format!("id{at}"), "userName": name, "displayName": text, "active": active });
        user["emails"] = json!([{ "value": text, "type": "home" }, { "value": "b@example.com" }]);
        if let Some(manager) = manager.filter(|manager| *manager < count && *manager != at) {
            user[ENTERPRISE]["manager"]["value"] = format!("id{manager}").into();
        }
        if has_id {
            user["externalId"] = format!("e{at}").into();
        }
        serde_json::from_value(user).unwrap()
    }

    fn group_of(at: usize, (members, nested, is_read): Team, count: usize, size: usize) -> CurrentGroup {
        let users = members.into_iter().filter(|member| *member < count);
        let mut members: Vec<Value> = users.map(|user| json!({ "value": format!("id{user}") })).collect();
        if let Some(inner) = nested.filter(|inner| *inner < size && *inner != at) {
            members.push(json!({ "value": format!("g{inner}"), "type": "Group" }));
        }
        let group = json!({ "id": format!("g{at}"), "displayName": format!("G{at}"), "members": members });
        let group = serde_json::from_value(group).unwrap();
        if is_read { CurrentGroup::complete(group) } else { CurrentGroup::unread(group, "hidden") }
    }

    proptest! {
        #[test]
        fn a_plan_that_is_made_of_an_export_changes_nothing(current in held()) {
            let policy = Policy::default().ours(Ours::Everybody).deletes_groups(true).allow_empty_source(0);
            let plan = policy.plan(&current, &directory_of(&current).unwrap()).unwrap();
            prop_assert!(plan.is_empty(), "{plan}");
        }

        #[test]
        fn another_server_gets_all_users_and_groups(current in held()) {
            let empty = Current::complete(Vec::new()).with_groups(Vec::new());
            let plan = Policy::default().allow_empty_source(0).plan(&empty, &directory_of(&current).unwrap()).unwrap();
            // Circles of managers and of groups are conflicts, and so is what waits for them.
            let people = plan.conflicts.iter().filter(|conflict| conflict.user.starts_with('u')).count();
            prop_assert!(plan.count(Action::Create) + people >= current.users().len(), "{}", plan);
        }
    }

    #[test]
    fn an_incomplete_list_is_no_source() {
        let error = directory_of(&Current::partial(Vec::new(), "it was interrupted")).unwrap_err();
        assert!(error.to_string().contains("incomplete (it was interrupted)"), "{error}");
    }
}
