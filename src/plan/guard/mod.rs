//! Guards: plans that look destructive are rejected.

pub(in crate::plan) mod allowance;
pub(in crate::plan) mod limits;
pub(in crate::plan) mod tally;

use std::collections::HashSet;
use std::fmt;

use serde::Serialize;
use wats_scim_filter::json::text_key;

use crate::error::Error;
use crate::model::{Resource, ScimUser};
use crate::plan::guard::allowance::Allowance;
use crate::plan::guard::limits::{Count, Limits};
use crate::plan::guard::tally::Tally;
use crate::plan::identity::matching::name_of;
use crate::plan::{Action, CurrentGroup, Plan};

/// A plan that was rejected because it looks destructive.
///
/// `Display` prints the reason, and the setting of [`Policy`](crate::plan::Policy) that allows the plan. As JSON
/// (serde) it has the guard, that message, and the number of steps of each kind.
///
/// ```
/// use wats_scim::{Profile, ScimUser};
/// use wats_scim::plan::{Current, Guard, Policy};
///
/// let current = Current::complete(vec![ScimUser::new("ann").with_external_id("1")]);
/// let refusal = Policy::new(&Profile::wats()).plan(&current, &[]).unwrap_err();
/// assert_eq!(refusal.guard(), Guard::EmptySource);
/// assert!(refusal.to_string().contains("Policy::allow_empty_source"));
/// assert_eq!(refusal.allowances()[0].to_string(), "allow_empty_source=1");
/// assert_eq!(refusal.plan().steps.len(), 1, "what would have been done");
/// ```
#[derive(Clone, PartialEq, thiserror::Error)]
#[error("{}; {}", .objection.reason, .objection.remedy())]
pub struct Refusal {
    objection: Objection,
    plan: Box<Plan>,
}

/// What a guard says against a plan.
#[derive(Clone, PartialEq)]
pub(in crate::plan) struct Objection {
    pub(in crate::plan) guard: Guard,
    pub(in crate::plan) reason: String,
    /// The settings that admit the plan, if that is what they are for.
    pub(in crate::plan) allowances: Vec<Allowance>,
    /// What else to do.
    pub(in crate::plan) advice: &'static str,
}

impl Objection {
    fn remedy(&self) -> String {
        let calls: Vec<_> = self.allowances.iter().map(|allowance| allowance.call()).collect();
        if calls.is_empty() {
            self.advice.to_owned()
        } else {
            format!("if this is intended, use {}", calls.join(" and "))
        }
    }
}

/// The reason for which a plan is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Guard {
    /// The [mapping](crate::plan::Policy::mapping) cannot be applied to a user of the source.
    Unmapped,
    /// The list of the server's users is incomplete.
    IncompleteList,
    /// The source has no users at all.
    EmptySource,
    /// The source looks truncated.
    TruncatedSource,
    /// A user that has to be in the source and on the server is not.
    MissingUser,
    /// Too many users would be deactivated or deleted.
    TooManyDeactivations,
    /// Too many users would be created.
    TooManyCreations,
    /// Too many users would be adopted: users without an `externalId` would get that of the source.
    TooManyAdoptions,
    /// Too many users would be reactivated.
    TooManyReactivations,
    /// Too many users would get another value of one attribute.
    TooManyChanges,
    /// Too many users would lose the value of one attribute.
    TooManyCleared,
    /// Too many users with different values of one attribute would get the same value.
    TooManyAlike,
    /// Too many values would change in nothing but letters outside ASCII, as in the wrong charset.
    BrokenCharset,
    /// Too many members would be added to groups.
    TooManyMembersAdded,
    /// Too many members would be removed from groups.
    TooManyMembersRemoved,
    /// Too many groups that have 3 or more members would have none.
    TooManyGroupsEmptied,
    /// Too many groups would be deleted.
    TooManyGroupsDeleted,
    /// Too many users would be renamed: users that match by their externalId and have another userName.
    TooManyRenames,
}

impl Refusal {
    /// The guard that rejected the plan.
    #[must_use]
    pub fn guard(&self) -> Guard {
        self.objection.guard
    }

    /// Why the plan is rejected, without the settings that admit it.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.objection.reason
    }

    /// The settings that admit exactly this plan, all of which it needs. None if the list of the server's users
    /// is incomplete, or a user is missing that has to be there.
    #[must_use]
    pub fn allowances(&self) -> &[Allowance] {
        &self.objection.allowances
    }

    pub(in crate::plan) fn unmapped(plan: Plan, error: &Error) -> Self {
        let advice = "correct the mapping, or the source";
        let objection = Objection { guard: Guard::Unmapped, reason: error.to_string(), allowances: Vec::new(), advice };
        Self { objection, plan: Box::new(plan) }
    }

    /// The rejected plan, for inspection.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The input of the guards.
pub(in crate::plan) struct Facts<'a> {
    /// The reason for an incomplete list of the server's users.
    pub(in crate::plan) missing: Option<&'a str>,
    pub(in crate::plan) held: &'a [ScimUser],
    pub(in crate::plan) groups: &'a [CurrentGroup],
    pub(in crate::plan) desired: &'a [ScimUser],
    /// How many users of the server are in the scope of the source and could be deactivated or deleted.
    pub(in crate::plan) at_stake: usize,
    /// How many users of the server match a user of the source.
    pub(in crate::plan) matched: usize,
    /// The users that could be deactivated or deleted and are missing from the source.
    pub(in crate::plan) leavers: Vec<&'a ScimUser>,
}

impl Limits {
    /// Returns the plan, unless a guard rejects it.
    pub(in crate::plan) fn check(&self, plan: Plan, facts: &Facts<'_>) -> Result<Plan, Refusal> {
        match self.objection(&plan, facts) {
            Some(objection) => Err(Refusal { objection, plan: Box::new(plan) }),
            None => Ok(plan),
        }
    }

    fn objection(&self, plan: &Plan, facts: &Facts<'_>) -> Option<Objection> {
        let objection = |guard, reason, allowances, advice| Some(Objection { guard, reason, allowances, advice });
        let ending = plan.count(Action::Deactivate) + plan.count(Action::Delete);
        if let Some(why) = facts.missing.filter(|_| !self.allow_incomplete_list) {
            let reason = format!(
                "the list of the server's users is incomplete ({why}), so existing users would be created again"
            );
            let advice = "read all users, or use Policy::allow_incomplete_list";
            return objection(Guard::IncompleteList, reason, Vec::new(), advice);
        }
        if facts.desired.is_empty() && self.allow_empty_source.is_none_or(|users| users < ending) {
            let reason = format!("the source has no users, so {ending} users would be deactivated or deleted");
            return objection(Guard::EmptySource, reason, vec![Allowance::of("allow_empty_source", ending)], "");
        }
        let missing = facts.leavers.len();
        let may_be_truncated = self.allow_truncated_source.is_some_and(|users| users >= missing);
        if let Some(why) = self.signs_of_truncation(facts).filter(|_| !may_be_truncated) {
            let reason = format!("the source looks truncated: {why}");
            return objection(
                Guard::TruncatedSource,
                reason,
                vec![Allowance::of("allow_truncated_source", missing)],
                "",
            );
        }
        if let Some((where_, name)) = self.missing_user(facts) {
            let reason = format!("{where_} does not have the user {name:?}, who has to be there");
            let advice = "is it the right one, and complete? Policy::must_contain names the user";
            return objection(Guard::MissingUser, reason, Vec::new(), advice);
        }
        let tally = Tally::of(plan, facts.groups);
        self.counts(&tally, facts).iter().find_map(Count::objection)
    }

    /// A user that must be in both lists and is not, and the list.
    fn missing_user(&self, facts: &Facts<'_>) -> Option<(&'static str, &str)> {
        if self.must_contain.is_empty() {
            return None;
        }
        [("the source", facts.desired), ("the server", facts.held)].into_iter().find_map(|(list, users)| {
            let names: HashSet<_> = users.iter().filter_map(name_of).collect();
            self.must_contain.iter().find(|name| !names.contains(&***name)).map(|name| (list, &**name))
        })
    }

    fn signs_of_truncation(&self, facts: &Facts<'_>) -> Option<String> {
        let count = facts.desired.len();
        if let Some(expected) = self.expected.filter(|expected| *expected != count) {
            return Some(format!("it has {count} users, and {expected} were expected"));
        }
        let gone = facts.leavers.len();
        if gone < SUSPICIOUS {
            return None;
        }
        if is_page_size(count) {
            return Some(format!(
                "it has exactly {count} users, a common page size, and {gone} users of the server are missing"
            ));
        }
        let by_name = |user: &ScimUser| user.user_name.as_deref().map(|name| text_key(name).into_owned());
        let is_cut = is_cut_off(facts, by_name)
            // Numbers are sorted by their size, which their length decides first.
            || is_cut_off(facts, |user| user.external_id().map(|id| (id.len(), id)))
            || is_cut_off(facts, Resource::external_id);
        is_cut.then(|| format!("it is sorted, and all {gone} missing users would follow its last one"))
    }
}

/// The least number of missing users that counts as a sign of truncation.
const SUSPICIOUS: usize = 3;

/// Common page sizes and query limits.
fn is_page_size(count: usize) -> bool {
    matches!(count, 50 | 100 | 200 | 250 | 500 | 1000 | 2000 | 2500 | 5000 | 10_000 | 20_000 | 25_000 | 50_000)
}

/// Whether the source is sorted and all missing users would come after its last one.
fn is_cut_off<'a, K: PartialOrd>(facts: &Facts<'a>, key: impl Fn(&'a ScimUser) -> Option<K>) -> bool {
    let [.., last] = facts.desired else { return false };
    let Some(last) = key(last) else { return false };
    facts.desired.len() >= 10
        // The missing users are few, and usually decide.
        && facts.leavers.iter().all(|user| key(user).is_some_and(|key| key > last))
        && facts.desired.iter().map(key).is_sorted_by(|before, key| key.is_some() && before.is_some() && before <= key)
}

#[cfg(test)]
mod tests;
