//! Guards: plans that look destructive are rejected.

use std::fmt;

use serde::Serialize;
use wats_scim_filter::json::text_key;

use super::{Action, Plan, Step};
use crate::model::{Resource, ScimUser};

/// A plan that was rejected because it looks destructive.
///
/// `Display` prints the reason, and the setting of [`Policy`](super::Policy) that allows the plan. As JSON
/// (serde) it has the guard, that message, and the number of steps of each kind.
///
/// ```
/// use wats_scim::{Profile, ScimUser};
/// use wats_scim::plan::{Current, Guard, Policy};
///
/// let current = Current::complete(vec![ScimUser::new("ann")]);
/// let refusal = Policy::new(&Profile::wats()).plan(&current, &[]).unwrap_err();
/// assert_eq!(refusal.guard(), Guard::EmptySource);
/// assert!(refusal.to_string().contains("Policy::allow_empty_source"));
/// assert_eq!(refusal.plan().steps.len(), 1, "what would have been done");
/// ```
#[derive(Clone, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    guard: Guard,
    message: String,
    plan: Box<Plan>,
}

/// The reason for which a plan is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Guard {
    /// The list of the server's users is incomplete.
    IncompleteList,
    /// The source has no users at all.
    EmptySource,
    /// The source looks truncated.
    TruncatedSource,
    /// Too many users would be deactivated or deleted.
    TooManyDeactivations,
    /// Too many users would be renamed: users that match by their externalId and have another userName.
    TooManyRenames,
}

impl Refusal {
    /// The guard that rejected the plan.
    #[must_use]
    pub fn guard(&self) -> Guard {
        self.guard
    }

    /// The rejected plan, for inspection.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// The limits of a policy.
#[derive(Clone, Debug)]
pub(super) struct Limits {
    pub(super) deactivations: usize,
    /// As a percentage of the users that could be deactivated or deleted.
    pub(super) share: u8,
    pub(super) renames: usize,
    /// As a percentage of the users that match.
    pub(super) share_of_renames: u8,
    pub(super) expected: Option<usize>,
    pub(super) allows_incomplete: bool,
    pub(super) allows_empty: bool,
    pub(super) allows_truncated: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            deactivations: 100,
            share: 20,
            renames: 100,
            share_of_renames: 20,
            expected: None,
            allows_incomplete: false,
            allows_empty: false,
            allows_truncated: false,
        }
    }
}

/// Up to this many users are never too large a share: in a small directory, one user would be.
const FEW: usize = 5;

/// The input of the guards.
pub(super) struct Facts<'a> {
    /// The reason for an incomplete list of the server's users.
    pub(super) missing: Option<&'a str>,
    pub(super) desired: &'a [ScimUser],
    /// How many users of the server are in the scope of the source and could be deactivated or deleted.
    pub(super) at_stake: usize,
    /// How many users of the server match a user of the source.
    pub(super) matched: usize,
    /// The users that could be deactivated or deleted and are missing from the source.
    pub(super) leavers: Vec<&'a ScimUser>,
}

impl Limits {
    /// Returns the plan, unless a guard rejects it.
    pub(super) fn check(&self, plan: Plan, facts: &Facts<'_>) -> Result<Plan, Refusal> {
        match self.objection(&plan, facts) {
            Some((guard, message)) => Err(Refusal { guard, message, plan: Box::new(plan) }),
            None => Ok(plan),
        }
    }

    fn objection(&self, plan: &Plan, facts: &Facts<'_>) -> Option<(Guard, String)> {
        let ending = plan.count(Action::Deactivate) + plan.count(Action::Delete);
        if let Some(why) = facts.missing.filter(|_| !self.allows_incomplete) {
            let message = format!(
                "the list of the server's users is incomplete ({why}), so existing users would be created again; read \
                 all users, or use Policy::allow_incomplete_list"
            );
            return Some((Guard::IncompleteList, message));
        }
        if facts.desired.is_empty() && !self.allows_empty {
            let message = format!(
                "the source has no users, so {ending} users would be deactivated or deleted; if this is intended, use \
                 Policy::allow_empty_source"
            );
            return Some((Guard::EmptySource, message));
        }
        if let Some(why) = self.signs_of_truncation(facts).filter(|_| !self.allows_truncated) {
            let message =
                format!("the source looks truncated: {why}; if it is complete, use Policy::allow_truncated_source");
            return Some((Guard::TruncatedSource, message));
        }
        let is_renamed = |step: &&Step| step.changes.iter().any(|change| change.is_of("userName"));
        let ended = Count {
            what: "deactivated or deleted",
            users: ending,
            most: (self.deactivations, "Policy::max_deactivations"),
            share: (self.share, "Policy::max_deactivation_percent"),
            of: facts.at_stake,
        };
        let renamed = Count {
            what: "renamed",
            users: plan.steps.iter().filter(is_renamed).count(),
            most: (self.renames, "Policy::max_renames"),
            share: (self.share_of_renames, "Policy::max_rename_percent"),
            of: facts.matched,
        };
        let ended = ended.objection().map(|message| (Guard::TooManyDeactivations, message));
        ended.or_else(|| renamed.objection().map(|message| (Guard::TooManyRenames, message)))
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

/// A number of users, and its limits.
struct Count {
    /// What would happen to them.
    what: &'static str,
    users: usize,
    /// The largest number, and the setting that raises it.
    most: (usize, &'static str),
    /// The largest percentage of `of`, and the setting that raises it.
    share: (u8, &'static str),
    of: usize,
}

impl Count {
    fn objection(&self) -> Option<String> {
        let Self { what, users, most: (most, setting), share: (share, share_setting), of } = self;
        if users > most {
            return Some(format!(
                "{users} users would be {what}, and at most {most} may be; if this is intended, use {setting}"
            ));
        }
        let is_too_large = users.saturating_mul(100) > of.saturating_mul(usize::from(*share));
        (*users > FEW && is_too_large).then(|| {
            format!(
                "{users} of {of} users would be {what}, and at most {share} % may be; if this is intended, use \
                 {share_setting}"
            )
        })
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
mod tests {
    use super::super::{Current, Policy};
    use super::*;
    use crate::config::Profile;

    fn users(numbers: impl IntoIterator<Item = usize>) -> Vec<ScimUser> {
        let user = |n: usize| ScimUser::new(format!("user{n:05}")).with_external_id(n.to_string()).with_active(true);
        numbers.into_iter().map(user).collect()
    }

    fn policy() -> Policy {
        Policy::new(&Profile::standard())
    }

    /// What guards against the damage, and how many would be deactivated without it.
    fn refused(policy: &Policy, current: &Current, desired: &[ScimUser]) -> (Guard, usize) {
        let refusal = policy.plan(current, desired).unwrap_err();
        (refusal.guard(), refusal.plan().count(Action::Deactivate))
    }

    #[test]
    fn an_empty_source_would_deactivate_all_users() {
        let current = Current::complete(users(0..50));
        assert_eq!(refused(&policy(), &current, &[]), (Guard::EmptySource, 50));
        let allowed = policy().allow_empty_source().max_deactivation_percent(100);
        assert_eq!(allowed.plan(&current, &[]).unwrap().count(Action::Deactivate), 50);
    }

    #[test]
    fn a_source_that_is_cut_off_would_deactivate_the_rest() {
        let current = Current::complete(users(0..1000));
        assert_eq!(refused(&policy(), &current, &users(0..913)), (Guard::TruncatedSource, 87));
        let unsorted = |count: usize| users((0..1000).map(|n| n * 7 % 1000).take(count));
        assert_eq!(refused(&policy(), &current, &unsorted(500)), (Guard::TruncatedSource, 500), "a page");
        let expecting = policy().expecting(1000);
        assert_eq!(refused(&expecting, &current, &unsorted(998)), (Guard::TruncatedSource, 2), "fewer than expected");
        let allowed = expecting.allow_truncated_source().plan(&current, &unsorted(998)).unwrap();
        assert_eq!(allowed.count(Action::Deactivate), 2);
    }

    #[test]
    fn numbers_are_sorted_as_numbers_too() {
        let numbered = |numbers: std::ops::Range<usize>| -> Vec<ScimUser> {
            numbers.map(|n| ScimUser::new(format!("{}", n * 7919 % 9973)).with_external_id(n.to_string())).collect()
        };
        let current = Current::complete(numbered(0..1200));
        assert_eq!(refused(&policy(), &current, &numbered(0..1150)), (Guard::TruncatedSource, 50));
    }

    #[test]
    fn leavers_are_not_all_at_the_end() {
        let current = Current::complete(users(0..1000));
        let stayed = users((0..1000).filter(|n| n % 11 != 3));
        let plan = policy().plan(&current, &stayed).unwrap();
        assert_eq!(plan.count(Action::Deactivate), 91);
    }

    #[test]
    fn a_mass_deactivation_is_rejected_by_number_and_by_share() {
        let current = Current::complete(users(0..2000));
        let all_but = |n: usize| users((0..2000).filter(move |at| at % 3 != 0 || *at >= n * 3));
        assert_eq!(refused(&policy(), &current, &all_but(101)), (Guard::TooManyDeactivations, 101));
        assert!(policy().plan(&current, &all_but(99)).is_ok());
        assert!(policy().max_deactivations(101).plan(&current, &all_but(101)).is_ok());

        let small = Current::complete(users(0..20));
        let left = |n: usize| users((0..20).filter(move |at| at % 2 != 0 || *at >= n * 2));
        assert_eq!(refused(&policy(), &small, &left(6)), (Guard::TooManyDeactivations, 6));
        assert!(policy().plan(&small, &left(5)).is_ok(), "so few are no mass");
        assert!(policy().max_deactivation_percent(30).plan(&small, &left(6)).is_ok());
    }

    #[test]
    fn users_that_the_source_itself_deactivates_count_too() {
        let current = Current::complete(users(0..20));
        let inactive: Vec<_> = users(0..20).into_iter().map(|user| user.with_active(false)).collect();
        assert_eq!(refused(&policy(), &current, &inactive), (Guard::TooManyDeactivations, 20));
    }

    #[test]
    fn with_an_incomplete_list_existing_users_would_be_created_again() {
        let all = users(0..80);
        let current = Current::partial(all[..30].to_vec(), "it is the first page");
        let refusal = policy().plan(&current, &all).unwrap_err();
        assert_eq!((refusal.guard(), refusal.plan().count(Action::Create)), (Guard::IncompleteList, 50));
        assert_eq!(policy().allow_incomplete_list().plan(&current, &all).unwrap().steps.len(), 50);
    }

    #[test]
    fn only_a_sorted_source_is_cut_off() {
        let current = Current::complete(users(0..1000));
        let plan = policy().plan(&current, &users((0..990).rev())).unwrap();
        assert_eq!(plan.count(Action::Deactivate), 10);
        let sorted = users((0..500).chain(499..990));
        assert_eq!(refused(&policy(), &current, &sorted), (Guard::TruncatedSource, 10));
    }

    #[test]
    fn a_mass_rename_is_rejected_by_number_and_by_share() {
        // A row was lost in the column of names.
        let shifted = |users: usize, to: usize| -> Vec<ScimUser> {
            let name = |n: usize| format!("user{:05}", if n < to { n + 100_000 } else { n });
            (0..users).map(|n| ScimUser::new(name(n)).with_external_id(n.to_string())).collect()
        };
        let current = Current::complete(users(0..2000));
        let renames = |users, to| {
            let refusal = policy().plan(&current, &shifted(users, to)).unwrap_err();
            (refusal.guard(), refusal.plan().steps.len(), refusal.to_string())
        };
        let (guard, steps, message) = renames(2000, 1000);
        assert_eq!((guard, steps), (Guard::TooManyRenames, 1000));
        assert!(message.ends_with("use Policy::max_renames"), "{message}");
        assert!(policy().plan(&current, &shifted(2000, 100)).is_ok());
        let allowed = policy().max_renames(1000).max_rename_percent(50);
        assert_eq!(allowed.plan(&current, &shifted(2000, 1000)).unwrap().steps.len(), 1000);

        let small = Current::complete(users(0..20));
        assert!(policy().plan(&small, &shifted(20, 5)).is_ok());
        let refusal = policy().plan(&small, &shifted(20, 6)).unwrap_err();
        assert_eq!(refusal.guard(), Guard::TooManyRenames);
        assert!(refusal.to_string().ends_with("use Policy::max_rename_percent"), "{refusal}");
    }
}
