//! How much a plan may change: each kind of change has a limit by count and one by share.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::plan::guard::allowance::Allowance;
use crate::plan::guard::tally::{OfAttribute, Tally};
use crate::plan::guard::{Facts, Guard, Objection};
use crate::plan::identity::ours::{keys, names};
use crate::plan::policy::Policy;

/// The largest number of changes of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::plan) struct Limit {
    pub(in crate::plan) count: usize,
    /// The largest share, which is no limit for a [few](FEW).
    pub(in crate::plan) percent: u8,
}

/// The limits of a policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(in crate::plan) struct Limits {
    pub(in crate::plan) creations: Limit,
    pub(in crate::plan) adoptions: Limit,
    pub(in crate::plan) changes: Limit,
    pub(in crate::plan) cleared: Limit,
    pub(in crate::plan) alike: Limit,
    pub(in crate::plan) charset_changes: Limit,
    pub(in crate::plan) renames: Limit,
    pub(in crate::plan) reactivations: Limit,
    pub(in crate::plan) deactivations: Limit,
    pub(in crate::plan) members_added: Limit,
    pub(in crate::plan) members_removed: Limit,
    pub(in crate::plan) groups_emptied: Limit,
    pub(in crate::plan) groups_deleted: Limit,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::plan) expected: Option<usize>,
    /// Names in the form in which they are compared.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", deserialize_with = "names")]
    pub(in crate::plan) must_contain: BTreeSet<String>,
    pub(in crate::plan) allow_incomplete_list: bool,
    /// The largest number of users that may be deactivated or deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::plan) allow_empty_source: Option<usize>,
    /// The largest number of users that may be missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::plan) allow_truncated_source: Option<usize>,
}

impl Default for Limits {
    fn default() -> Self {
        let limit = |count, percent| Limit { count, percent };
        Self {
            creations: limit(1000, 50),
            adoptions: limit(100, 20),
            changes: limit(1000, 50),
            cleared: limit(100, 20),
            alike: limit(100, 20),
            charset_changes: limit(20, 5),
            renames: limit(100, 20),
            reactivations: limit(100, 20),
            deactivations: limit(100, 20),
            members_added: limit(1000, 30),
            members_removed: limit(1000, 20),
            groups_emptied: limit(0, 20),
            groups_deleted: limit(10, 20),
            expected: None,
            must_contain: BTreeSet::new(),
            allow_incomplete_list: false,
            allow_empty_source: None,
            allow_truncated_source: None,
        }
    }
}

/// Up to this many users are never too large a share: in a small directory, one user would be.
const FEW: usize = 5;

/// A number of changes of one kind, and its limit.
pub(in crate::plan) struct Count {
    pub(in crate::plan) guard: Guard,
    /// How many, and of how many.
    pub(in crate::plan) number: usize,
    pub(in crate::plan) of: usize,
    /// What they are and what would happen to them, such as `users would be created`.
    pub(in crate::plan) what: String,
    pub(in crate::plan) limit: Limit,
    /// The settings that raise the limit: of the count, and of the share.
    pub(in crate::plan) settings: [&'static str; 2],
}

impl Limits {
    /// The numbers that have a limit.
    pub(in crate::plan) fn counts(&self, tally: &Tally<'_>, facts: &Facts<'_>) -> Vec<Count> {
        let matched = facts.matched;
        // No more than these can be created again: on an empty server, and in a resumed first import, none.
        let without_match = facts.held.len().saturating_sub(matched);
        let groups = facts.groups.len();
        let members: usize = facts.groups.iter().map(|held| held.group().member_ids().count()).sum();
        let created = if without_match <= FEW { 0 } else { tally.created };
        let members_added = if members <= FEW { 0 } else { tally.members_added };
        let count = |guard, (number, of), what: &str, limit, settings| Count {
            guard,
            number,
            of,
            what: what.to_owned(),
            limit,
            settings,
        };
        let mut counts = vec![
            count(
                Guard::TooManyDeactivations,
                (tally.ended, facts.at_stake),
                "users would be deactivated or deleted",
                self.deactivations,
                ["max_deactivations", "max_deactivation_percent"],
            ),
            count(
                Guard::TooManyCreations,
                (created, facts.desired.len()),
                "users would be created",
                self.creations,
                ["max_creations", "max_creation_percent"],
            ),
            count(
                Guard::TooManyAdoptions,
                (tally.adopted, matched),
                "users without an externalId would be adopted",
                self.adoptions,
                ["max_adoptions", "max_adoption_percent"],
            ),
            count(
                Guard::TooManyRenames,
                (tally.renamed, matched),
                "users would be renamed",
                self.renames,
                ["max_renames", "max_rename_percent"],
            ),
            count(
                Guard::TooManyReactivations,
                (tally.reactivated, matched),
                "users would be reactivated",
                self.reactivations,
                ["max_reactivations", "max_reactivation_percent"],
            ),
            count(
                Guard::TooManyMembersAdded,
                (members_added, members.saturating_add(members_added)),
                "memberships would be new",
                self.members_added,
                ["max_members_added", "max_members_added_percent"],
            ),
            count(
                Guard::TooManyMembersRemoved,
                (tally.members_removed, members),
                "memberships would be removed",
                self.members_removed,
                ["max_members_removed", "max_members_removed_percent"],
            ),
            count(
                Guard::TooManyGroupsEmptied,
                (tally.groups_emptied, groups),
                "groups would lose all of their members",
                self.groups_emptied,
                ["max_groups_emptied", "max_groups_emptied_percent"],
            ),
            count(
                Guard::TooManyGroupsDeleted,
                (tally.groups_deleted, groups),
                "groups would be deleted",
                self.groups_deleted,
                ["max_groups_deleted", "max_groups_deleted_percent"],
            ),
        ];
        counts
            .extend(tally.attributes.iter().flat_map(|(path, attribute)| self.of_attribute(path, attribute, matched)));
        counts
    }

    fn of_attribute(&self, path: &str, attribute: &OfAttribute, of: usize) -> [Count; 4] {
        let count = |guard, number, what, limit, settings| Count { guard, number, of, what, limit, settings };
        [
            count(
                Guard::BrokenCharset,
                attribute.in_charset,
                format!("values of {path:?} would change in letters outside ASCII alone, as in the wrong charset"),
                self.charset_changes,
                ["max_charset_changes", "max_charset_change_percent"],
            ),
            count(
                Guard::TooManyCleared,
                attribute.cleared,
                format!("users would lose their {path:?}"),
                self.cleared,
                ["max_cleared", "max_cleared_percent"],
            ),
            count(
                Guard::TooManyAlike,
                attribute.alike(),
                format!("different values of {path:?} would be replaced by one and the same"),
                self.alike,
                ["max_alike", "max_alike_percent"],
            ),
            count(
                Guard::TooManyChanges,
                attribute.changed,
                format!("users would get another {path:?}"),
                self.changes,
                ["max_changes", "max_change_percent"],
            ),
        ]
    }
}

impl Count {
    /// Why there are too many, and the settings that allow so many.
    pub(in crate::plan) fn objection(&self) -> Option<Objection> {
        let Self { guard, number, of, what, limit: Limit { count, percent }, settings: [most, share] } = self;
        let is_too_large = *number > FEW && number.saturating_mul(100) > of.saturating_mul(usize::from(*percent));
        let needed = number.saturating_mul(100).div_ceil((*of).max(1));
        let allowances: Vec<_> = [
            (number > count).then(|| Allowance::of(most, *number)),
            is_too_large.then(|| Allowance::of(share, needed)),
        ]
        .into_iter()
        .flatten()
        .collect();
        let reason = format!("{number} of {of} {what}, and at most {count} and {percent} % may");
        (!allowances.is_empty()).then_some(Objection { guard: *guard, reason, allowances, advice: "" })
    }
}

/// The two settings of a limit.
macro_rules! limit {
    ($(#[doc = $doc:literal] $name:ident, #[doc = $share_doc:literal] $share:ident => $limit:ident;)*) => {
        /// Limits. Up to 5 are never too large a share.
        impl Policy {$(
            #[doc = $doc]
            #[must_use]
            pub fn $name(mut self, number: usize) -> Self {
                self.limits.$limit.count = number;
                self
            }

            #[doc = $share_doc]
            #[must_use]
            pub fn $share(mut self, percent: u8) -> Self {
                self.limits.$limit.percent = percent;
                self
            }
        )*

            /// Sets what an [`Allowance`] names. More than 100 percent is 100.
            #[must_use]
            pub fn allow(mut self, allowance: Allowance) -> Self {
                let Allowance { setting, number } = allowance;
                match setting {
                    "allow_empty_source" => self.limits.allow_empty_source = Some(number),
                    "allow_truncated_source" => self.limits.allow_truncated_source = Some(number),
                    $(
                        stringify!($name) => self.limits.$limit.count = number,
                        stringify!($share) => self.limits.$limit.percent = u8::try_from(number.min(100)).unwrap_or(100),
                    )*
                    // An allowance has one of these names.
                    _ => {}
                }
                self
            }

            /// The names of the settings that an allowance can have.
            pub(in crate::plan) fn limit_names() -> impl Iterator<Item = &'static &'static str> {
                ["allow_empty_source", "allow_truncated_source", $(stringify!($name), stringify!($share),)*].iter()
            }
        }
    };
}

limit! {
    /// The most users that may be deactivated or deleted; 100 by default.
    max_deactivations,
    /// The largest share of the active users that may be deactivated, or of all users that may be deleted, in percent; 20 by default.
    max_deactivation_percent => deactivations;
    /// The most users that may be created; 1,000 by default. Not limited if up to 5 users of the server have no match in the source, as in a first import.
    max_creations,
    /// The largest share of the source that may be created, in percent; 50 by default. Not limited if up to 5 users of the server have no match in the source.
    max_creation_percent => creations;
    /// The most users that may be [adopted](crate::plan::Action::Adopt); 100 by default. The first run for a server whose users were made by hand adopts all of them.
    max_adoptions,
    /// The largest share of the matching users that may be adopted, in percent; 20 by default.
    max_adoption_percent => adoptions;
    /// The most users that may be renamed, that is, have another `userName` in the source; 100 by default.
    max_renames,
    /// The largest share of the matching users that may be renamed, in percent; 20 by default.
    max_rename_percent => renames;
    /// The most users that may be reactivated; 100 by default.
    max_reactivations,
    /// The largest share of the matching users that may be reactivated, in percent; 20 by default.
    max_reactivation_percent => reactivations;
    /// The most users that may get another value of one attribute; 1,000 by default. A first value is not counted.
    max_changes,
    /// The largest share of the matching users that may get another value of one attribute, in percent; 50 by default.
    max_change_percent => changes;
    /// The most users that may lose the value of one attribute; 100 by default.
    max_cleared,
    /// The largest share of the matching users that may lose the value of one attribute, in percent; 20 by default.
    max_cleared_percent => cleared;
    /// The most different values of one attribute that one and the same value may replace; 100 by default.
    max_alike,
    /// The same number as a share of the matching users, in percent; 20 by default.
    max_alike_percent => alike;
    /// The most values of one attribute that may change in nothing but letters outside ASCII, as if the source was read in the wrong charset; 20 by default.
    max_charset_changes,
    /// The same number as a share of the matching users, in percent; 5 by default.
    max_charset_change_percent => charset_changes;
    /// The most members that may be added to groups; 1,000 by default. Not limited while all groups together have up to 5 members.
    max_members_added,
    /// The same number as a share of all memberships afterwards, in percent; 30 by default.
    max_members_added_percent => members_added;
    /// The most members that may be removed from groups; 1,000 by default.
    max_members_removed,
    /// The same number as a share of the memberships on the server, in percent; 20 by default.
    max_members_removed_percent => members_removed;
    /// The most groups with 3 or more members that may lose all of them; 0 by default.
    max_groups_emptied,
    /// The same number as a share of the groups, in percent; 20 by default.
    max_groups_emptied_percent => groups_emptied;
    /// The most groups that may be deleted; 10 by default.
    max_groups_deleted,
    /// The same number as a share of the groups, in percent; 20 by default.
    max_groups_deleted_percent => groups_deleted;
}

/// Guards against the wrong lists.
impl Policy {
    /// The expected number of users in the source; with another number it looks truncated.
    #[must_use]
    pub fn expecting(mut self, users: usize) -> Self {
        self.limits.expected = Some(users);
        self
    }

    /// User names, in any form of the same name, that have to be in the source and on the server: a plan for
    /// the wrong source, or for the wrong server, is rejected. May be called more than once.
    #[must_use]
    pub fn must_contain<N: AsRef<str>>(mut self, user_names: impl IntoIterator<Item = N>) -> Self {
        self.limits.must_contain.extend(keys(user_names));
        self
    }

    /// Allows an empty source, if at most this many users are deactivated or deleted.
    #[must_use]
    pub fn allow_empty_source(mut self, users: usize) -> Self {
        self.limits.allow_empty_source = Some(users);
        self
    }

    /// Allows a source that looks truncated, if at most this many users are missing from it. It looks
    /// truncated if it has another number of users than [expected](Self::expecting); or if at least 3 users
    /// are missing from it, and either its size is that of a page (50, 100, 200, 250, 500, 1000 …), or it is
    /// sorted and all missing users would come after its last one.
    #[must_use]
    pub fn allow_truncated_source(mut self, missing: usize) -> Self {
        self.limits.allow_truncated_source = Some(missing);
        self
    }

    /// Allows an incomplete list of the server's users. Users that exist but are not in the list will
    /// be created, which the server may reject.
    #[must_use]
    pub fn allow_incomplete_list(mut self) -> Self {
        self.limits.allow_incomplete_list = true;
        self
    }
}
