//! Matches users of the source with users of the server: by `externalId`, or else by `userName` in
//! any form of the same name.

use std::borrow::Cow;
use std::collections::HashSet;
use std::hash::RandomState;

use wats_scim_filter::json::text_key;

use super::Conflict;
use super::identifiers::{Shared, shared};
use super::passed_on::passed_on;
use crate::model::{Resource, ScimUser};

/// The matches, by the indexes of the users in their lists.
#[derive(Debug)]
pub(super) struct Pairs {
    /// For each user of the source: its match, a new user, or a conflict.
    pub(super) desired: Vec<Pair>,
    /// Which users of the server have a match or a conflict in the source.
    pub(super) meant: Vec<bool>,
    pub(super) conflicts: Vec<Conflict>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pair {
    New,
    With(usize),
    Conflict,
}

/// A name in the form in which names are compared.
pub(super) fn name_of(user: &ScimUser) -> Option<Cow<'_, str>> {
    let name = user.user_name.as_deref().filter(|name| !name.is_empty())?;
    Some(text_key(name))
}

pub(super) fn pairs(current: &[ScimUser], desired: &[ScimUser]) -> Pairs {
    let mut search = Search { current, desired, named_as_others: Vec::new(), conflicts: Vec::new() };
    let mut found = search.find_all();
    search.refuse_sharing(&mut found);
    search.refuse_taken_names(&mut found);

    let mut meant = match search.conflicts[..] {
        [] => vec![false; current.len()],
        _ => search.in_conflict(&found),
    };
    for pair in &found {
        if let Pair::With(at) = pair
            && let Some(meant) = meant.get_mut(*at)
        {
            *meant = true;
        }
    }
    Pairs { desired: found, meant, conflicts: search.conflicts }
}

struct Search<'a> {
    current: &'a [ScimUser],
    desired: &'a [ScimUser],
    /// Users of the source whose desired name belongs to another user of the server.
    named_as_others: Vec<usize>,
    conflicts: Vec<Conflict>,
}

impl Search<'_> {
    fn find_all(&mut self) -> Vec<Pair> {
        let (current, desired) = (self.current, self.desired);
        let shared = shared(current, desired, &RandomState::new());
        desired.iter().enumerate().zip(shared).map(|((who, user), (id, name))| self.find(who, user, id, name)).collect()
    }

    fn find(&mut self, who: usize, user: &ScimUser, id: Shared, name: Shared) -> Pair {
        if let Err(error) = crate::exchange::check_name(user) {
            return self.conflict(user, &format!("the user of the source has no valid name: {error}"));
        }
        match (id, name) {
            (Shared::InSource, _) => self.conflict(user, "the source has several users with its externalId"),
            (_, Shared::InSource) => self.conflict(user, "the source has several users with its userName"),
            (Shared::Nowhere, Shared::With(at)) if self.is_another_user(at, user) => self.conflict(
                user,
                "the server has a user with this userName and another externalId; delete or rename that user first",
            ),
            (Shared::With(at), name) => {
                if ![Shared::Nowhere, Shared::With(at)].contains(&name) {
                    self.named_as_others.push(who);
                }
                Pair::With(at)
            }
            (Shared::Nowhere, Shared::With(at)) => Pair::With(at),
            (Shared::Nowhere, Shared::Nowhere) => Pair::New,
            (Shared::WithSeveral, _) => self.conflict(user, "the server has several users with its externalId"),
            (Shared::Nowhere, Shared::WithSeveral) => {
                self.conflict(user, "the server has several users with its userName")
            }
        }
    }

    /// Whether both have an external id, and not the same.
    fn is_another_user(&self, at: usize, user: &ScimUser) -> bool {
        let known = self.current.get(at).and_then(Resource::external_id);
        known.is_some_and(|known| user.external_id().is_some_and(|id| id != known))
    }

    /// Two users of the source, one by its externalId and one by its name, can match the same user.
    fn refuse_sharing(&mut self, found: &mut [Pair]) {
        let means = |pair: &Pair| if let Pair::With(at) = pair { Some(*at) } else { None };
        let mut times = vec![0_usize; self.current.len()];
        for at in found.iter().filter_map(means) {
            if let Some(times) = times.get_mut(at) {
                *times += 1;
            }
        }
        let is_shared = |pair: &Pair| means(pair).and_then(|at| times.get(at)).is_some_and(|times| *times > 1);
        let shared = found.iter().enumerate().filter_map(|(who, pair)| is_shared(pair).then_some(who)).collect();
        self.refuse(found, shared, "the source has another user that matches the same user of the server");
    }

    /// A user cannot be given a name that another user has.
    fn refuse_taken_names(&mut self, found: &mut [Pair]) {
        let mut taken = std::mem::take(&mut self.named_as_others);
        taken.retain(|who| found.get(*who).is_some_and(|pair| *pair != Pair::Conflict));
        let reason = "the server has another user with this userName; if this plan renames or deletes that user, apply it, \
                      and make a new plan";
        self.refuse(found, taken, reason);
    }

    fn refuse(&mut self, found: &mut [Pair], whom: Vec<usize>, reason: &str) {
        for who in whom {
            if let (Some(user), Some(pair)) = (self.desired.get(who), found.get_mut(who)) {
                *pair = self.conflict(user, reason);
            }
        }
    }

    /// Which users of the server a conflict concerns: those with an identifier of a user in conflict, except
    /// leavers whose name was passed on.
    fn in_conflict(&self, found: &[Pair]) -> Vec<bool> {
        let pairs = self.desired.iter().zip(found);
        let in_conflict: Vec<_> = pairs.filter(|(_, pair)| **pair == Pair::Conflict).map(|(user, _)| user).collect();
        let ids: HashSet<_> = in_conflict.iter().filter_map(|user| user.external_id()).collect();
        let names: HashSet<_> = in_conflict.iter().filter_map(|user| name_of(user)).collect();
        let passed_on = passed_on(self.current, self.desired, &in_conflict);
        let is_in_conflict = |(user, has_passed_on): (&ScimUser, bool)| {
            let has_id = user.external_id().is_some_and(|id| ids.contains(id));
            has_id || (!has_passed_on && name_of(user).is_some_and(|name| names.contains(&name)))
        };
        self.current.iter().zip(passed_on).map(is_in_conflict).collect()
    }

    fn conflict(&mut self, user: &ScimUser, reason: &str) -> Pair {
        let name = user.user_name.as_deref().filter(|name| !name.is_empty());
        let user = name.or(user.external_id()).unwrap_or("a user without a name").to_owned();
        self.conflicts.push(Conflict { user, reason: reason.to_owned() });
        Pair::Conflict
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Users from a name and an external id, either of which may be empty.
    fn users(users: &[[&str; 2]]) -> Vec<ScimUser> {
        let user = |[name, id]: &[&str; 2]| json!({ "userName": name, "externalId": id });
        users.iter().map(|parts| serde_json::from_value(user(parts)).unwrap()).collect()
    }

    fn paired(current: &[[&str; 2]], desired: &[[&str; 2]]) -> (Vec<Pair>, Vec<bool>) {
        let pairs = pairs(&users(current), &users(desired));
        let conflicts = pairs.desired.iter().filter(|pair| **pair == Pair::Conflict).count();
        assert_eq!(pairs.conflicts.len(), conflicts, "{:?}", pairs.conflicts);
        (pairs.desired, pairs.meant)
    }

    use Pair::{Conflict, New, With};

    #[test]
    fn the_external_id_decides_and_then_the_name_in_any_case() {
        let current = [["ann", "1"], ["bob", ""], ["cy", "3"]];
        let desired = [["ann.roe", "1"], ["BOB", "2"], ["dee", "4"], ["Cy", ""]];
        assert_eq!(paired(&current, &desired), (vec![With(0), With(1), New, With(2)], vec![true; 3]));
    }

    #[test]
    fn two_users_of_the_source_for_one_user_are_in_conflict() {
        assert_eq!(paired(&[["ann", "1"]], &[["ann", "1"], ["bob", "1"]]), (vec![Conflict; 2], vec![true]));
        assert_eq!(paired(&[["ann", "1"]], &[["ann", ""], ["ANN", "2"]]), (vec![Conflict; 2], vec![true]));
        assert_eq!(paired(&[["ann", "1"]], &[["bob", "1"], ["ann", ""]]), (vec![Conflict; 2], vec![true]));
        assert_eq!(paired(&[], &[["new", ""], ["New", ""]]), (vec![Conflict; 2], vec![]));
    }

    #[test]
    fn a_name_that_another_user_has_is_no_match() {
        assert_eq!(paired(&[["ann", "1"]], &[["ann", "2"]]), (vec![Conflict], vec![true]));
        let swapped = paired(&[["ann", "1"], ["bob", "2"]], &[["bob", "1"], ["ann", "2"]]);
        assert_eq!(swapped, (vec![Conflict; 2], vec![true; 2]));
        let handed_on = paired(&[["ann", "1"], ["bob", "2"]], &[["bob", "1"], ["cy", "2"]]);
        assert_eq!(handed_on, (vec![Conflict, With(1)], vec![true; 2]));
    }

    #[test]
    fn a_leaver_whose_name_was_passed_on_is_a_leaver() {
        let hired = paired(&[["ann", "1"], ["bob", "2"]], &[["ann", "3"], ["bob", "2"]]);
        assert_eq!(hired, (vec![Conflict, With(1)], vec![false, true]));
        let renamed = paired(&[["ann", "1"], ["bob", "2"]], &[["bob", "1"]]);
        assert_eq!(renamed, (vec![Conflict], vec![true, false]));
        let without_id = paired(&[["ann", ""], ["bob", "2"]], &[["ann", "3"], ["bob", "2"], ["Ann", "4"]]);
        assert_eq!(without_id, (vec![Conflict, With(1), Conflict], vec![true, true]), "it may be either");
    }

    #[test]
    fn users_with_ids_of_another_kind_are_no_leavers() {
        let current = [["ann", "1"], ["bob", "2"], ["cy", "3"]];
        let renumbered = paired(&current, &[["ann", "P-1"], ["bob", "P-2"], ["cy", "3"]]);
        assert_eq!(renumbered, (vec![Conflict, Conflict, With(2)], vec![true; 3]));
    }

    #[test]
    fn a_name_is_the_same_composed_and_decomposed() {
        assert_eq!(paired(&[["jürgen", ""]], &[["ju\u{308}rgen", "1"]]), (vec![With(0)], vec![true]));
        assert_eq!(paired(&[], &[["jürgen", ""], ["JU\u{308}RGEN", ""]]), (vec![Conflict; 2], vec![]));
    }

    #[test]
    fn a_user_that_the_server_has_twice_is_in_conflict() {
        assert_eq!(paired(&[["ann", "1"], ["bob", "1"]], &[["cy", "1"]]), (vec![Conflict], vec![true; 2]));
        assert_eq!(paired(&[["ann", ""], ["Ann", ""]], &[["ann", "1"]]), (vec![Conflict], vec![true; 2]));
    }

    #[test]
    fn a_user_without_a_valid_name_is_a_conflict_and_still_meant() {
        assert_eq!(paired(&[["ann", "1"]], &[["", "1"]]), (vec![Conflict], vec![true]));
        assert_eq!(paired(&[], &[["a\nb", ""]]), (vec![Conflict], vec![]));
    }
}
