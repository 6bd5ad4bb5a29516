//! Where the members of groups can be read, and how many a server shows.

use serde::{Deserialize, Serialize};

/// Where the members of groups can be read.
///
/// Servers differ: some show the members of a group, some only the groups of a user, and some answer only
/// the question whether a group has a member. [`discover`](crate::blocking::ScimService::discover) cannot find
/// it out, but a [probe](crate::probe) does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Membership {
    /// Groups show their members, in a list or when they are read by their id. Some servers show only the first
    /// ones: see [`Profile::with_member_limit`](crate::Profile::with_member_limit).
    #[default]
    OfGroups,
    /// The members of a group are read in pages: at least two requests for each group.
    Paged(MemberPages),
    /// Users show their groups (`groups`, RFC 7643 §4.1.2), and groups show no members.
    OfUsers,
    /// A filter finds the groups that have a member, as in AWS: one request for each user.
    ByFilter,
    /// They cannot be read.
    Hidden,
}

/// How a page of the members of a group is requested. RFC 7644 has no way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum MemberPages {
    /// `GET /Groups/{id}/members?startIndex=1&count=100`, a list of members or of users, as in INDIGO IAM.
    Endpoint,
    /// `GET /Groups/{id}?attributes=members[startIndex=1&count=100]`, as in Oracle Identity Domains.
    Attribute,
}

/// The most members that a group shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum MemberLimit {
    #[default]
    Unknown,
    None,
    Most(usize),
}

impl MemberLimit {
    /// Whether so many members may be the most that are shown.
    pub(super) fn may_be_reached(self, shown: usize) -> bool {
        match self {
            Self::None => false,
            Self::Most(most) => shown >= most,
            Self::Unknown => looks_like_a_limit(shown),
        }
    }
}

/// `FusionAuth` shows 100 members, others 1,000 to 10,000.
fn looks_like_a_limit(mut shown: usize) -> bool {
    while shown >= 1_000 && shown.is_multiple_of(10) {
        shown /= 10;
    }
    matches!(shown, 100 | 150 | 200 | 250 | 500)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_number_of_members_may_be_a_limit() {
        for shown in [100, 150, 200, 250, 500, 1_000, 1_500, 2_000, 2_500, 5_000, 10_000, 50_000] {
            assert!(MemberLimit::Unknown.may_be_reached(shown), "{shown}");
        }
        for shown in [0, 1, 10, 50, 99, 101, 110, 300, 999, 1_001, 1_100, 12_000] {
            assert!(!MemberLimit::Unknown.may_be_reached(shown), "{shown}");
        }
    }

    #[test]
    fn a_known_limit_decides_alone() {
        assert!(!MemberLimit::None.may_be_reached(100));
        assert!(MemberLimit::Most(30).may_be_reached(30) && MemberLimit::Most(30).may_be_reached(31));
        assert!(!MemberLimit::Most(300).may_be_reached(100));
    }
}
