//! Who of the source is who on the server: by `externalId`, or else by `userName` in any letter
//! case.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::slice;

use wats_scim_filter::json::text_key;

use super::Conflict;
use crate::model::{Resource, ScimUser};

/// What was found, by the places of the users in their lists.
#[derive(Debug)]
pub(super) struct Pairs {
    /// For each user of the source: whom it is, nobody, or a conflict.
    pub(super) desired: Vec<Pair>,
    /// Which users of the server are meant by somebody in the source, in a conflict or not.
    pub(super) meant: Vec<bool>,
    pub(super) conflicts: Vec<Conflict>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pair {
    New,
    With(usize),
    Conflict,
}

/// The places of users by what identifies them.
struct Index<'a> {
    by_external_id: HashMap<&'a str, Places>,
    by_name: HashMap<Cow<'a, str>, Places>,
}

/// The places of the users that share an identifier. It is one, but for mistakes.
enum Places {
    One(usize),
    Several(Vec<usize>),
}

impl Places {
    fn add(&mut self, at: usize) {
        match self {
            Self::One(first) => *self = Self::Several(vec![*first, at]),
            Self::Several(all) => all.push(at),
        }
    }

    fn as_slice(&self) -> &[usize] {
        match self {
            Self::One(at) => slice::from_ref(at),
            Self::Several(all) => all,
        }
    }
}

impl<'a> Index<'a> {
    fn of(users: &'a [ScimUser]) -> Self {
        let mut by_external_id = HashMap::with_capacity(users.len());
        let mut by_name = HashMap::with_capacity(users.len());
        for (at, user) in users.iter().enumerate() {
            if let Some(id) = user.external_id() {
                by_external_id.entry(id).and_modify(|places: &mut Places| places.add(at)).or_insert(Places::One(at));
            }
            if let Some(name) = name_of(user) {
                by_name.entry(name).and_modify(|places: &mut Places| places.add(at)).or_insert(Places::One(at));
            }
        }
        Self { by_external_id, by_name }
    }

    fn with_external_id(&self, user: &ScimUser) -> &[usize] {
        user.external_id().and_then(|id| self.by_external_id.get(id)).map_or(&[], Places::as_slice)
    }

    fn with_name(&self, user: &ScimUser) -> &[usize] {
        name_of(user).and_then(|name| self.by_name.get(&*name)).map_or(&[], Places::as_slice)
    }
}

/// A name as it is compared. Most are in small letters already.
pub(super) fn name_of(user: &ScimUser) -> Option<Cow<'_, str>> {
    let name = user.user_name.as_deref().filter(|name| !name.is_empty())?;
    Some(text_key(name))
}

/// Which of these are there more than once.
fn repeated<T: Eq + Hash>(identifiers: impl ExactSizeIterator<Item = Option<T>>) -> Vec<bool> {
    let mut repeated = vec![false; identifiers.len()];
    let mut first = HashMap::with_capacity(identifiers.len());
    for (at, identifier) in identifiers.enumerate() {
        let Some(identifier) = identifier else { continue };
        let first = *first.entry(identifier).or_insert(at);
        if first != at {
            for at in [first, at] {
                if let Some(is_repeated) = repeated.get_mut(at) {
                    *is_repeated = true;
                }
            }
        }
    }
    repeated
}

pub(super) fn pairs(current: &[ScimUser], desired: &[ScimUser]) -> Pairs {
    let held = Index::of(current);
    let mut search = Search { current, desired, held: &held, named_as_others: Vec::new(), conflicts: Vec::new() };
    let mut found = search.find_all();
    search.refuse_sharing(&mut found);
    search.refuse_taken_names(&mut found);

    // A conflict is about everybody with the same identifier.
    let (mut ids, mut names) = (HashSet::new(), HashSet::new());
    for (user, _) in desired.iter().zip(&found).filter(|(_, pair)| **pair == Pair::Conflict) {
        ids.extend(user.external_id());
        names.extend(name_of(user));
    }
    let is_in_conflict = |user: &ScimUser| {
        user.external_id().is_some_and(|id| ids.contains(id)) || name_of(user).is_some_and(|name| names.contains(&name))
    };
    let mut meant: Vec<bool> = current.iter().map(is_in_conflict).collect();
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
    held: &'a Index<'a>,
    /// Who of the source is to have a name that another user of the server has.
    named_as_others: Vec<usize>,
    conflicts: Vec<Conflict>,
}

impl Search<'_> {
    fn find_all(&mut self) -> Vec<Pair> {
        let desired = self.desired;
        let shares_id = repeated(desired.iter().map(Resource::external_id));
        let shares_name = repeated(desired.iter().map(name_of));
        let shares = shares_id.into_iter().zip(shares_name);
        let find = |((who, user), (id, name))| self.find(who, user, id, name);
        desired.iter().enumerate().zip(shares).map(find).collect()
    }

    fn find(&mut self, who: usize, user: &ScimUser, shares_id: bool, shares_name: bool) -> Pair {
        if let Err(error) = crate::exchange::check_name(user) {
            return self.conflict(user, &format!("a user of the source cannot be named: {error}"));
        }
        if shares_id {
            return self.conflict(user, "the source has several users with its externalId");
        }
        if shares_name {
            return self.conflict(user, "the source has several users with its userName");
        }
        match (self.held.with_external_id(user), self.held.with_name(user)) {
            ([], [at]) if self.is_somebody_else(*at, user) => {
                self.conflict(user, "the server has a user of this name with another externalId")
            }
            ([at], holders) | ([], holders @ [at]) => {
                if holders.iter().any(|holder| holder != at) {
                    self.named_as_others.push(who);
                }
                Pair::With(*at)
            }
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
        let means = |pair: &Pair| if let Pair::With(at) = pair { Some(*at) } else { None };
        let shared = repeated(found.iter().map(means)).into_iter().enumerate();
        let shared = shared.filter_map(|(who, is_shared)| is_shared.then_some(who)).collect();
        self.refuse(found, shared, "the source has another user that means the same one");
    }

    /// A user cannot get a name that somebody else has.
    fn refuse_taken_names(&mut self, found: &mut [Pair]) {
        let mut taken = std::mem::take(&mut self.named_as_others);
        taken.retain(|who| found.get(*who).is_some_and(|pair| *pair != Pair::Conflict));
        let reason = "the server has another user of this name; if that one is about to get another, apply this plan and \
                      plan again";
        self.refuse(found, taken, reason);
    }

    fn refuse(&mut self, found: &mut [Pair], whom: Vec<usize>, reason: &str) {
        for who in whom {
            if let (Some(user), Some(pair)) = (self.desired.get(who), found.get_mut(who)) {
                *pair = self.conflict(user, reason);
            }
        }
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
