//! Matches users of the source with users of the server: by `externalId`, or else by `userName` in
//! any form of the same name, or else, if that is asked for, by email address.

use std::borrow::Cow;
use std::collections::HashSet;
use std::hash::RandomState;

use wats_scim_filter::json::text_key;

use crate::model::{Resource, ScimUser};
use crate::plan::identity::by_email::by_email;
use crate::plan::identity::chains::{Claim, Passing, pass_on};
use crate::plan::identity::conflict::reference;
use crate::plan::identity::identifiers::{Shared, shared};
use crate::plan::identity::ours::Standing;
use crate::plan::identity::passed_on::passed_on;
use crate::plan::{Conflict, ConflictKind, Joiners, Leavers};

/// The matches, by the indexes of the users in their lists.
#[derive(Debug)]
pub(in crate::plan) struct Pairs {
    /// For each user of the source: its match, a new user, or a conflict.
    pub(in crate::plan) desired: Vec<Pair>,
    /// Which users of the server have a match or a conflict in the source.
    pub(in crate::plan) meant: Vec<bool>,
    pub(in crate::plan) conflicts: Vec<Conflict>,
    /// How names are passed on.
    pub(in crate::plan) passing: Passing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::plan) enum Pair {
    New,
    With(usize),
    /// A match by nothing but the email address.
    ByEmail(usize),
    Conflict,
}

impl Pair {
    pub(in crate::plan) fn held(self) -> Option<usize> {
        match self {
            Self::With(at) | Self::ByEmail(at) => Some(at),
            Self::New | Self::Conflict => None,
        }
    }
}

/// What of the policy decides about matches.
pub(in crate::plan) struct Terms<'a> {
    /// Of each user of the server.
    pub(in crate::plan) standing: &'a [Standing],
    pub(in crate::plan) joiners: Joiners,
    pub(in crate::plan) leavers: Leavers,
    /// Whether the names of existing users are taken from the source.
    pub(in crate::plan) writes_names: bool,
    /// Whether the server can rename a user.
    pub(in crate::plan) renames: bool,
    pub(in crate::plan) adopts_by_email: bool,
}

impl Terms<'_> {
    pub(in crate::plan) fn standing(&self, at: usize) -> Standing {
        self.standing.get(at).copied().unwrap_or(Standing::Outside)
    }
}

/// A name in the form in which names are compared.
pub(in crate::plan) fn name_of(user: &ScimUser) -> Option<Cow<'_, str>> {
    let name = user.user_name.as_deref().filter(|name| !name.is_empty())?;
    Some(text_key(name))
}

pub(in crate::plan) fn pairs(current: &[ScimUser], desired: &[ScimUser], terms: &Terms<'_>) -> Pairs {
    let mut search = Search { current, desired, terms, claims: Vec::new(), conflicts: Vec::new() };
    let mut found = search.find_all();
    search.refuse_sharing(&mut found);
    let mut meant = vec![false; current.len()];
    search.match_by_email(&mut found, &mut meant);
    let (passing, has_passed_on) = search.pass_names_on(&mut found);

    if !search.conflicts.is_empty() {
        search.mark_conflicts(&found, &has_passed_on, &mut meant);
    }
    for at in found.iter().filter_map(|pair| pair.held()) {
        mark(&mut meant, at);
    }
    search.turn_away(&mut found);
    Pairs { desired: found, meant, conflicts: search.conflicts, passing }
}

fn mark(marks: &mut [bool], at: usize) {
    if let Some(mark) = marks.get_mut(at) {
        *mark = true;
    }
}

struct Search<'a> {
    current: &'a [ScimUser],
    desired: &'a [ScimUser],
    terms: &'a Terms<'a>,
    /// Users of the source whose desired name belongs to another user of the server.
    claims: Vec<Claim>,
    conflicts: Vec<Conflict>,
}

impl Search<'_> {
    fn find_all(&mut self) -> Vec<Pair> {
        let (current, desired) = (self.current, self.desired);
        let shared = shared(current, desired, &RandomState::new());
        desired.iter().enumerate().zip(shared).map(|((who, user), (id, name))| self.find(who, user, id, name)).collect()
    }

    fn find(&mut self, who: usize, user: &ScimUser, id: Shared, name: Shared) -> Pair {
        use ConflictKind::{InvalidName, TwiceInSource, TwiceOnServer};
        if let Err(error) = crate::exchange::check_name(user) {
            return self.conflict(user, InvalidName, &format!("the user of the source has no valid name: {error}"));
        }
        match (id, name) {
            (Shared::InSource, _) => {
                self.conflict(user, TwiceInSource, "the source has several users with its externalId")
            }
            (_, Shared::InSource) => {
                self.conflict(user, TwiceInSource, "the source has several users with its userName")
            }
            (Shared::Nowhere, Shared::With(at))
                if self.current.get(at).is_some_and(|held| have_other_ids(held, user)) =>
            {
                self.claims.push(Claim { who, holder: at });
                Pair::New
            }
            (Shared::With(at), name) => match name {
                Shared::With(holder) if holder != at && self.terms.writes_names => {
                    self.claims.push(Claim { who, holder });
                    Pair::With(at)
                }
                Shared::WithSeveral if self.terms.writes_names => {
                    self.conflict(user, TwiceOnServer, "the server has several users with its userName")
                }
                _ => Pair::With(at),
            },
            (Shared::Nowhere, Shared::With(at)) => Pair::With(at),
            (Shared::Nowhere, Shared::Nowhere) => Pair::New,
            (Shared::WithSeveral, _) => self.conflict(
                user,
                TwiceOnServer,
                "the server has several users with its externalId; remove it from all but one of them",
            ),
            (Shared::Nowhere, Shared::WithSeveral) => {
                self.conflict(user, TwiceOnServer, "the server has several users with its userName")
            }
        }
    }

    /// Two users of the source, one by its externalId and one by its name, can match the same user.
    fn refuse_sharing(&mut self, found: &mut [Pair]) {
        let mut times = vec![0_usize; self.current.len()];
        for at in found.iter().filter_map(|pair| pair.held()) {
            if let Some(times) = times.get_mut(at) {
                *times += 1;
            }
        }
        let is_shared = |pair: &Pair| pair.held().and_then(|at| times.get(at)).is_some_and(|times| *times > 1);
        let shared: Vec<_> =
            found.iter().enumerate().filter_map(|(who, pair)| is_shared(pair).then_some(who)).collect();
        for who in shared {
            let reason = "the source has another user that matches the same user of the server";
            self.refuse(found, who, ConflictKind::TwiceInSource, reason, None);
        }
    }

    /// A new user that has the email address of a user of the server can be that user.
    fn match_by_email(&mut self, found: &mut [Pair], meant: &mut [bool]) {
        for (who, at) in by_email(self.current, self.desired, found, &self.claims) {
            mark(meant, at);
            if self.terms.adopts_by_email && self.terms.standing(at) != Standing::Protected {
                if let Some(pair) = found.get_mut(who) {
                    *pair = Pair::ByEmail(at);
                }
            } else {
                let reason = "a user of the server has its email address, and another userName; if it is the same person, \
                              set the externalId or the userName of that user, or let the policy adopt users by email";
                self.refuse(found, who, ConflictKind::SameEmail, reason, Some(at));
            }
        }
    }

    /// Decides which users get the name of another one, and returns which users of the server have passed
    /// on their name to another person.
    fn pass_names_on(&mut self, found: &mut [Pair]) -> (Passing, Vec<bool>) {
        let claims = std::mem::take(&mut self.claims);
        if claims.is_empty() && self.conflicts.is_empty() {
            return (Passing::default(), Vec::new());
        }
        let mut wants = vec![false; found.len()];
        for claim in &claims {
            mark(&mut wants, claim.who);
        }
        let users = self.desired.iter().zip(found.iter()).zip(wants);
        let unsure: Vec<_> =
            users.filter_map(|((user, pair), wants)| (wants || *pair == Pair::Conflict).then_some(user)).collect();
        let has_passed_on = passed_on(self.current, self.desired, &unsure);
        if claims.is_empty() {
            return (Passing::default(), has_passed_on);
        }
        let (passing, refused) = pass_on(self.current, self.desired, found, &claims, &has_passed_on, self.terms);
        for refused in refused {
            self.refuse(found, refused.who, refused.kind, refused.reason, Some(refused.held));
        }
        (passing, has_passed_on)
    }

    /// New users that are not to be created.
    fn turn_away(&mut self, found: &mut [Pair]) {
        if self.terms.joiners == Joiners::Create {
            return;
        }
        for (user, pair) in self.desired.iter().zip(found).filter(|(_, pair)| **pair == Pair::New) {
            *pair = Pair::Conflict;
            if self.terms.joiners == Joiners::Report {
                let reason = "the server has no such user, and the policy only reports new users (joiners)";
                self.conflict(user, ConflictKind::NotOnServer, reason);
            }
        }
    }

    fn refuse(&mut self, found: &mut [Pair], who: usize, kind: ConflictKind, reason: &str, held: Option<usize>) {
        if let (Some(user), Some(pair)) = (self.desired.get(who), found.get_mut(who)) {
            *pair = self.conflict(user, kind, reason);
            if let (Some(held), Some(conflict)) = (held.and_then(|at| self.current.get(at)), self.conflicts.last_mut())
            {
                conflict.held = Some(reference(held));
            }
        }
    }

    /// Marks the users of the server that a conflict concerns: those with an identifier of a user in
    /// conflict, except leavers whose name was passed on.
    fn mark_conflicts(&self, found: &[Pair], has_passed_on: &[bool], meant: &mut [bool]) {
        let pairs = self.desired.iter().zip(found);
        let in_conflict: Vec<_> = pairs.filter(|(_, pair)| **pair == Pair::Conflict).map(|(user, _)| user).collect();
        let ids: HashSet<_> = in_conflict.iter().filter_map(|user| user.external_id()).collect();
        let names: HashSet<_> = in_conflict.iter().filter_map(|user| name_of(user)).collect();
        for ((user, has_passed_on), meant) in self.current.iter().zip(has_passed_on).zip(meant) {
            let has_id = user.external_id().is_some_and(|id| ids.contains(id));
            *meant |= has_id || (!has_passed_on && name_of(user).is_some_and(|name| names.contains(&name)));
        }
    }

    fn conflict(&mut self, user: &ScimUser, kind: ConflictKind, reason: &str) -> Pair {
        let name = user.user_name.as_deref().filter(|name| !name.is_empty());
        let user = name.or(user.external_id()).unwrap_or("a user without a name");
        self.conflicts.push(Conflict::new(kind, user, reason));
        Pair::Conflict
    }
}

/// Whether both have an external id, and not the same.
pub(in crate::plan) fn have_other_ids(held: &ScimUser, user: &ScimUser) -> bool {
    held.external_id().is_some_and(|known| user.external_id().is_some_and(|id| id != known))
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
        let standing = vec![Standing::Ours; current.len()];
        let terms = Terms {
            standing: &standing,
            joiners: Joiners::Create,
            leavers: Leavers::Deactivate,
            writes_names: true,
            // As on WATS.
            renames: false,
            adopts_by_email: false,
        };
        let pairs = pairs(&users(current), &users(desired), &terms);
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
