//! Whether the members that a server shows of a group are all that it has: some servers show only the first ones.

use std::collections::{HashMap, HashSet};

use crate::config::Profile;
use crate::model::{Resource, ScimGroup, ScimMember, ScimUser, member};

/// The groups that users show (`groups`, RFC 7643 §4.1.2).
pub(crate) struct GroupsOfUsers<'a> {
    users: HashSet<&'a str>,
    /// The users that show a group, by its id, and whether they are direct members of it.
    of: HashMap<String, HashMap<&'a str, bool>>,
}

impl<'a> GroupsOfUsers<'a> {
    pub(crate) fn of(users: &'a [ScimUser]) -> Self {
        let mut of: HashMap<String, HashMap<&str, bool>> = HashMap::new();
        for (id, user) in users.iter().filter_map(|user| Some((user.id()?, user))) {
            let groups = user.attributes.get("groups").and_then(|groups| groups.as_array());
            for group in groups.into_iter().flatten() {
                let is_direct = member(group, "type").and_then(|kind| kind.as_str()) != Some("indirect");
                // It has the form of a member.
                let reference = serde_json::from_value::<ScimMember>(group.clone()).ok();
                if let Some(group) = reference.as_ref().and_then(ScimMember::known_id) {
                    *of.entry(group.to_owned()).or_default().entry(id).or_default() |= is_direct;
                }
            }
        }
        Self { users: users.iter().filter_map(ScimUser::id).collect(), of }
    }

    /// The users that are direct members of a group.
    pub(crate) fn members(&self, group: &str) -> impl Iterator<Item = &'a str> {
        let shown = self.of.get(group).into_iter().flatten();
        shown.filter(|(_, is_direct)| **is_direct).map(|(user, _)| *user)
    }

    /// Why the group may have other members than it shows; `None` if it shows all of them.
    pub(crate) fn why_incomplete(&self, group: &ScimGroup, profile: &Profile) -> Option<String> {
        let shown: HashSet<_> = group.member_ids().collect();
        // With nested groups, users are members that the group does not show.
        let shows_users_only = shown.iter().all(|id| self.users.contains(id));
        let group = group.id().unwrap_or_default();
        let hidden = self.members(group).filter(|user| !shown.contains(user)).count();
        if hidden > 0 && shows_users_only {
            return Some(format!(
                "of those who show that they are in it, the group does not show {hidden}; the server may cut long \
                 lists of members; a probe finds where it shows all"
            ));
        }
        let confirmed = self.of.get(group).map_or(0, |users| users.keys().filter(|user| shown.contains(*user)).count());
        let all = self.of.get(group).map_or(0, HashMap::len);
        let is_confirmed = shows_users_only && confirmed == shown.len() && all == confirmed;
        (profile.may_hide_members(shown.len()) && !is_confirmed).then(|| {
            format!(
                "the group shows {} members, which may be the most that the server shows; a probe finds where it \
                 shows all, or set its member limit in the profile if you know it",
                shown.len()
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn users(number: usize, shows_groups: impl Fn(usize) -> bool, kind: &str) -> Vec<ScimUser> {
        let user = |at: usize| {
            let groups = if shows_groups(at) { json!([{ "value": "g", "type": kind }]) } else { json!([]) };
            serde_json::from_value(json!({ "id": at.to_string(), "userName": at.to_string(), "groups": groups }))
                .unwrap()
        };
        (0..number).map(user).collect()
    }

    fn group(members: impl IntoIterator<Item = usize>) -> ScimGroup {
        let group = ScimGroup { id: Some("g".to_owned()), ..ScimGroup::new("G") };
        members.into_iter().fold(group, |group, id| group.with_member(ScimMember::new(id.to_string())))
    }

    proptest! {
        /// A list that is cut is found out by the users, whatever the limit is.
        #[test]
        fn a_list_that_hides_a_user_is_incomplete(members in 1_usize..400, shown in 0_usize..400, limit in any::<bool>()) {
            let users = users(400, |at| at < members, "direct");
            let shown = shown.min(members);
            let profile = if limit { Profile::standard() } else { Profile::standard().with_member_limit(None) };
            let why = GroupsOfUsers::of(&users).why_incomplete(&group(0..shown), &profile);
            prop_assert_eq!(why.is_none(), shown == members, "{:?}", why);
        }
    }

    #[test]
    fn a_number_that_looks_like_a_limit_is_complete_only_if_the_users_confirm_it() {
        let standard = Profile::standard();
        let silent = users(100, |_| false, "direct");
        let why = GroupsOfUsers::of(&silent).why_incomplete(&group(0..100), &standard);
        assert!(why.unwrap().starts_with("the group shows 100 members, which may be the most"));
        assert_eq!(GroupsOfUsers::of(&silent).why_incomplete(&group(0..99), &standard), None);
        let all_shown = standard.clone().with_member_limit(None);
        assert_eq!(GroupsOfUsers::of(&silent).why_incomplete(&group(0..100), &all_shown), None);

        let confirming = users(100, |_| true, "direct");
        assert_eq!(GroupsOfUsers::of(&confirming).why_incomplete(&group(0..100), &standard), None);
        // A nested group is hidden.
        let nested = users(101, |_| true, "indirect");
        assert!(GroupsOfUsers::of(&nested).why_incomplete(&group(0..100), &standard).is_some());
    }

    #[test]
    fn members_of_nested_groups_are_not_hidden() {
        let users = users(3, |_| true, "direct");
        let nested = group([0]).with_member(ScimMember::new("inner"));
        assert_eq!(GroupsOfUsers::of(&users).why_incomplete(&nested, &Profile::standard()), None);
        let indirect = super::tests::users(3, |at| at > 0, "indirect");
        assert_eq!(GroupsOfUsers::of(&indirect).why_incomplete(&group([0]), &Profile::standard()), None);
    }
}
