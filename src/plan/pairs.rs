//! Who of the source is who on the server: by `externalId`, or else by `userName` in any letter
//! case.

use std::collections::HashMap;

use super::PlanConflict;
use crate::model::{Resource, ScimUser};

/// What was found, by the places of the users in their lists.
#[derive(Debug)]
pub(super) struct Pairs {
    /// For each user of the source: whom it is, nobody, or a conflict.
    pub(super) desired: Vec<Pair>,
    /// Which users of the server are meant by somebody in the source, in a conflict or not.
    pub(super) meant: Vec<bool>,
    pub(super) conflicts: Vec<PlanConflict>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pair {
    New,
    With(usize),
    Conflict,
}

/// The places of users by what identifies them.
struct Index {
    by_external_id: HashMap<String, Vec<usize>>,
    by_name: HashMap<String, Vec<usize>>,
}

impl Index {
    fn of(users: &[ScimUser]) -> Self {
        let (mut by_external_id, mut by_name) = (HashMap::<_, Vec<_>>::new(), HashMap::<_, Vec<_>>::new());
        for (at, user) in users.iter().enumerate() {
            if let Some(id) = user.external_id() {
                by_external_id.entry(id.to_owned()).or_default().push(at);
            }
            if let Some(name) = name_of(user) {
                by_name.entry(name).or_default().push(at);
            }
        }
        Self { by_external_id, by_name }
    }

    fn with_external_id(&self, user: &ScimUser) -> &[usize] {
        user.external_id().and_then(|id| self.by_external_id.get(id)).map_or(&[], Vec::as_slice)
    }

    fn with_name(&self, user: &ScimUser) -> &[usize] {
        name_of(user).and_then(|name| self.by_name.get(&name)).map_or(&[], Vec::as_slice)
    }
}

/// A name as it is compared.
pub(super) fn name_of(user: &ScimUser) -> Option<String> {
    user.user_name.as_deref().filter(|name| !name.is_empty()).map(str::to_lowercase)
}

pub(super) fn pairs(current: &[ScimUser], desired: &[ScimUser]) -> Pairs {
    let (held, wanted) = (Index::of(current), Index::of(desired));
    let mut search = Search { current, desired, held: &held, taken: HashMap::new(), conflicts: Vec::new() };
    let mut found: Vec<Pair> = desired.iter().map(|user| search.find(user, &wanted)).collect();
    search.refuse_sharing(&mut found);
    search.refuse_taken_names(&mut found);

    let mut meant = vec![false; current.len()];
    for (user, pair) in desired.iter().zip(&found) {
        let with = if let Pair::With(at) = pair { Some(at) } else { None };
        let in_conflict =
            (*pair == Pair::Conflict).then(|| held.with_external_id(user).iter().chain(held.with_name(user)));
        for at in with.into_iter().chain(in_conflict.into_iter().flatten()) {
            if let Some(meant) = meant.get_mut(*at) {
                *meant = true;
            }
        }
    }
    Pairs { desired: found, meant, conflicts: search.conflicts }
}

struct Search<'a> {
    current: &'a [ScimUser],
    desired: &'a [ScimUser],
    held: &'a Index,
    /// Who of the source is each user of the server.
    taken: HashMap<usize, Vec<usize>>,
    conflicts: Vec<PlanConflict>,
}

impl Search<'_> {
    fn find(&mut self, user: &ScimUser, wanted: &Index) -> Pair {
        if let Err(error) = crate::wire::check_name(user) {
            return self.conflict(user, &format!("a user of the source cannot be named: {error}"));
        }
        if wanted.with_external_id(user).len() > 1 {
            return self.conflict(user, "the source has several users with its externalId");
        }
        if wanted.with_name(user).len() > 1 {
            return self.conflict(user, "the source has several users with its userName");
        }
        match (self.held.with_external_id(user), self.held.with_name(user)) {
            ([], [at]) if self.is_somebody_else(*at, user) => {
                self.conflict(user, "the server has a user of this name with another externalId")
            }
            ([at], _) | ([], [at]) => Pair::With(*at),
            ([], []) => Pair::New,
            ([_, _, ..], _) => self.conflict(user, "the server has several users with its externalId"),
            ([], _) => self.conflict(user, "the server has several users with its userName"),
        }
    }

    /// Both systems know them by different numbers.
    fn is_somebody_else(&self, at: usize, user: &ScimUser) -> bool {
        let known = self.current.get(at).and_then(Resource::external_id);
        known.is_some_and(|known| user.external_id().is_some_and(|id| id != known))
    }

    /// One by its externalId and another by its name can mean the same user.
    fn refuse_sharing(&mut self, found: &mut [Pair]) {
        for (who, pair) in found.iter().enumerate() {
            if let Pair::With(at) = pair {
                self.taken.entry(*at).or_default().push(who);
            }
        }
        let shared: Vec<usize> = self.taken.values().filter(|who| who.len() > 1).flatten().copied().collect();
        self.refuse(found, shared, "the source has another user that means the same one");
    }

    /// A user cannot get a name that somebody else has.
    fn refuse_taken_names(&mut self, found: &mut [Pair]) {
        let is_taken = |(user, pair): (&ScimUser, &Pair)| match pair {
            Pair::With(at) => self.held.with_name(user).iter().any(|holder| holder != at),
            Pair::New | Pair::Conflict => false,
        };
        let taken = self.desired.iter().zip(found.iter()).enumerate();
        let taken = taken.filter(|(_, pair)| is_taken(*pair)).map(|(who, _)| who).collect();
        let reason = "the server has another user of this name; if that one is about to get another, apply this plan and \
                      plan again";
        self.refuse(found, taken, reason);
    }

    fn refuse(&mut self, found: &mut [Pair], mut whom: Vec<usize>, reason: &str) {
        whom.sort_unstable();
        for who in whom {
            if let (Some(user), Some(pair)) = (self.desired.get(who), found.get_mut(who)) {
                *pair = self.conflict(user, reason);
            }
        }
    }

    fn conflict(&mut self, user: &ScimUser, reason: &str) -> Pair {
        let name = user.user_name.as_deref().filter(|name| !name.is_empty());
        let user = name.or(user.external_id()).unwrap_or("a user without a name").to_owned();
        self.conflicts.push(PlanConflict { user, reason: reason.to_owned() });
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
    fn two_of_the_source_for_one_user_are_both_left_alone() {
        assert_eq!(paired(&[["ann", "1"]], &[["ann", "1"], ["bob", "1"]]), (vec![Conflict; 2], vec![true]));
        assert_eq!(paired(&[["ann", "1"]], &[["ann", ""], ["ANN", "2"]]), (vec![Conflict; 2], vec![true]));
        assert_eq!(paired(&[["ann", "1"]], &[["bob", "1"], ["ann", ""]]), (vec![Conflict; 2], vec![true]));
        assert_eq!(paired(&[], &[["new", ""], ["New", ""]]), (vec![Conflict; 2], vec![]));
    }

    #[test]
    fn a_name_that_went_to_somebody_else_is_no_match() {
        assert_eq!(paired(&[["ann", "1"]], &[["ann", "2"]]), (vec![Conflict], vec![true]));
        let swapped = paired(&[["ann", "1"], ["bob", "2"]], &[["bob", "1"], ["ann", "2"]]);
        assert_eq!(swapped, (vec![Conflict; 2], vec![true; 2]));
        let handed_on = paired(&[["ann", "1"], ["bob", "2"]], &[["bob", "1"], ["cy", "2"]]);
        assert_eq!(handed_on, (vec![Conflict, With(1)], vec![true; 2]));
    }

    #[test]
    fn a_server_that_has_somebody_twice_is_not_touched_there() {
        assert_eq!(paired(&[["ann", "1"], ["bob", "1"]], &[["cy", "1"]]), (vec![Conflict], vec![true; 2]));
        assert_eq!(paired(&[["ann", ""], ["Ann", ""]], &[["ann", "1"]]), (vec![Conflict], vec![true; 2]));
    }

    #[test]
    fn who_cannot_be_named_is_a_conflict_and_still_meant() {
        assert_eq!(paired(&[["ann", "1"]], &[["", "1"]]), (vec![Conflict], vec![true]));
        assert_eq!(paired(&[], &[["a\nb", ""]]), (vec![Conflict], vec![]));
    }
}
