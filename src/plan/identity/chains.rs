//! Names that are passed on from one user of the server to another, within one plan.
//!
//! A name is free for its next user once its holder was renamed, deleted or moved aside. Users that exchange
//! their names form a cycle, in which one of them gets a temporary name first.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::model::ScimUser;
use crate::plan::identity::conflict::OUTSIDE;
use crate::plan::identity::matching::{Pair, Terms, have_other_ids, name_of};
use crate::plan::identity::ours::Standing;
use crate::plan::values::merge::is_active;
use crate::plan::{ConflictKind, Joiners, Leavers};

/// A user of the source whose desired name another user of the server has.
#[derive(Clone, Copy, Debug)]
pub(in crate::plan) struct Claim {
    /// The place of the user in the source.
    pub(in crate::plan) who: usize,
    /// The place of the other one on the server.
    pub(in crate::plan) holder: usize,
}

/// How the names of a plan are passed on.
#[derive(Debug, Default)]
pub(in crate::plan) struct Passing {
    /// Leavers, by their place on the server, that are renamed because another user gets their name.
    pub(in crate::plan) aside: HashSet<usize>,
    /// Users, by their place in the source, that get a temporary name first.
    pub(in crate::plan) parked: HashSet<usize>,
}

/// A claim that cannot be fulfilled.
#[derive(Debug)]
pub(in crate::plan) struct Refused {
    pub(in crate::plan) who: usize,
    pub(in crate::plan) held: usize,
    pub(in crate::plan) kind: ConflictKind,
    pub(in crate::plan) reason: &'static str,
}

/// Decides which claims can be fulfilled.
pub(in crate::plan) fn pass_on(
    current: &[ScimUser],
    desired: &[ScimUser],
    found: &[Pair],
    claims: &[Claim],
    has_passed_on: &[bool],
    terms: &Terms<'_>,
) -> (Passing, Vec<Refused>) {
    let rows = found.iter().enumerate().filter_map(|(who, pair)| Some((pair.held()?, who))).collect();
    let names = Names { current, desired, found, rows, has_passed_on, terms };
    let claims: Vec<Claim> = claims.iter().filter(|claim| names.is_open(claim)).copied().collect();
    let by_holder: HashMap<usize, usize> = claims.iter().map(|claim| (claim.holder, claim.who)).collect();

    let mut refused: Vec<Refused> = claims.iter().filter_map(|claim| names.objection(*claim)).collect();
    let mut is_refused: HashSet<usize> = refused.iter().map(|refused| refused.who).collect();
    // A user in conflict keeps its name.
    let mut next = 0;
    while let Some(who) = refused.get(next).map(|refused| refused.who) {
        next += 1;
        let Some(keeps) = found.get(who).and_then(|pair| pair.held()) else { continue };
        if let Some(who) = by_holder.get(&keeps).filter(|who| is_refused.insert(**who)) {
            let reason = "the server has another user with this userName, which is in conflict itself";
            refused.push(Refused { who: *who, held: keeps, kind: ConflictKind::NameTaken, reason });
        }
    }
    let fulfilled: Vec<Claim> = claims.into_iter().filter(|claim| !is_refused.contains(&claim.who)).collect();
    let is_left = |holder: &usize| terms.leavers == Leavers::Deactivate && !names.rows.contains_key(holder);
    let aside = fulfilled.iter().map(|claim| claim.holder).filter(is_left).collect();
    (Passing { aside, parked: parked(&fulfilled, &names.rows) }, refused)
}

struct Names<'a> {
    current: &'a [ScimUser],
    desired: &'a [ScimUser],
    found: &'a [Pair],
    /// The user of the source that matches a user of the server.
    rows: HashMap<usize, usize>,
    has_passed_on: &'a [bool],
    terms: &'a Terms<'a>,
}

impl Names<'_> {
    /// Whether the user would be given the name: not if it is in conflict, or protected.
    fn is_open(&self, claim: &Claim) -> bool {
        match self.found.get(claim.who) {
            Some(Pair::With(at) | Pair::ByEmail(at)) => self.terms.standing(*at) != Standing::Protected,
            Some(Pair::New) => true,
            Some(Pair::Conflict) | None => false,
        }
    }

    fn objection(&self, claim: Claim) -> Option<Refused> {
        let Claim { who, holder } = claim;
        let own = self.found.get(who).and_then(|pair| pair.held());
        if let Some(at) = own.filter(|at| self.terms.standing(*at) == Standing::Outside) {
            return Some(Refused { who, held: at, kind: ConflictKind::Outside, reason: OUTSIDE });
        }
        let held = self.current.get(holder)?;
        let why = match self.rows.get(&holder) {
            Some(row) => self.keeps_its_name(holder, *row),
            None => self.desired.get(who).and_then(|user| self.stays(holder, held, user, own.is_none())),
        };
        why.map(|(kind, reason)| Refused { who, held: holder, kind, reason })
    }

    /// Why a user that matches a user of the source, by which it would be renamed, is not.
    fn keeps_its_name(&self, holder: usize, row: usize) -> Option<(ConflictKind, &'static str)> {
        let is_ours = match self.terms.standing(holder) {
            Standing::Ours => true,
            Standing::Outside => matches!(self.found.get(row), Some(Pair::ByEmail(_))),
            Standing::Protected => false,
        };
        let reason = if !is_ours {
            "the server has another user with this userName, which the policy does not rename"
        } else if !self.terms.renames {
            "the server has another user with this userName, and this plan cannot rename it; rename that user on the \
             server, and make a new plan"
        } else {
            return None;
        };
        Some((ConflictKind::NameTaken, reason))
    }

    /// Why a user that is missing from the source keeps its name.
    fn stays(
        &self,
        holder: usize,
        held: &ScimUser,
        user: &ScimUser,
        is_new: bool,
    ) -> Option<(ConflictKind, &'static str)> {
        use ConflictKind::{InactiveHolder, NameTaken, OtherExternalId};
        let Terms { leavers, renames, joiners, .. } = *self.terms;
        if have_other_ids(held, user) && is_active(held) == Some(false) && leavers != Leavers::Delete {
            return Some((
                InactiveHolder,
                "an inactive user of the server has this userName and another externalId; if it is the same person, set \
                 its externalId, or else rename or delete that user, and make a new plan",
            ));
        }
        if self.terms.standing(holder) != Standing::Ours {
            let reason = "the server has another user with this userName, which the policy neither renames nor deletes; \
                          rename or delete that user, and make a new plan";
            return Some((NameTaken, reason));
        }
        if !self.has_passed_on.get(holder).copied().unwrap_or(false) || (is_new && joiners != Joiners::Create) {
            return Some(if have_other_ids(held, user) {
                let reason = "the server has a user with this userName and another externalId; if it is the same person, \
                              set its externalId, or else rename or delete that user, and make a new plan";
                (OtherExternalId, reason)
            } else {
                (
                    NameTaken,
                    "the server has another user with this userName; rename or delete that user, and make a new plan",
                )
            });
        }
        match leavers {
            Leavers::Delete => None,
            Leavers::Deactivate if renames => None,
            Leavers::Deactivate => Some((
                NameTaken,
                "a user that is missing from the source has this userName, and this plan can only deactivate it; rename or \
                 delete that user on the server, and make a new plan",
            )),
            Leavers::Keep => Some((
                NameTaken,
                "a user that is missing from the source has this userName, and the policy keeps it (leavers); rename or \
                 delete that user, and make a new plan",
            )),
        }
    }
}

/// One user of each cycle of users that get each other's names.
fn parked(claims: &[Claim], rows: &HashMap<usize, usize>) -> HashSet<usize> {
    let holder_of: HashMap<usize, usize> = claims.iter().map(|claim| (claim.who, claim.holder)).collect();
    let mut seen: HashMap<usize, usize> = HashMap::new();
    let mut parked = HashSet::new();
    for (walk, claim) in claims.iter().enumerate() {
        let mut at = Some(claim.who);
        while let Some(who) = at {
            if let Some(earlier) = seen.insert(who, walk) {
                if earlier == walk {
                    parked.insert(who);
                }
                // Whatever follows has been walked.
                break;
            }
            at = holder_of.get(&who).and_then(|holder| rows.get(holder)).copied();
        }
    }
    parked
}

/// Names that no user has, made from the names of users.
pub(in crate::plan) struct FreeNames {
    taken: HashSet<String>,
}

impl FreeNames {
    pub(in crate::plan) fn beside(current: &[ScimUser], desired: &[ScimUser]) -> Self {
        let names = current.iter().chain(desired).filter_map(name_of);
        Self { taken: names.map(std::borrow::Cow::into_owned).collect() }
    }

    /// A name beside that of a user, such as `ann~0a1b2c3d@example.com`: the same one for the same user.
    pub(in crate::plan) fn beside_that_of(&mut self, user: &ScimUser) -> String {
        let name = user.user_name.as_deref().unwrap_or_default();
        let at = name.find('@').unwrap_or(name.len());
        let (local, domain) = name.split_at_checked(at).unwrap_or((name, ""));
        let mut hasher = DefaultHasher::new();
        (&user.id, name).hash(&mut hasher);
        let mut number = hasher.finish();
        loop {
            let free = format!("{local}~{:08x}{domain}", number & 0xffff_ffff);
            if self.taken.insert(wats_scim_filter::json::text_key(&free).into_owned()) {
                return free;
            }
            number = number.wrapping_add(1);
        }
    }
}

#[cfg(test)]
mod tests;
