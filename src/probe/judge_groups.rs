//! From what was observed of a group with two members to findings. No I/O.

use super::judge::{failed, finding};
use super::{Check, Finding, Verdict};
use crate::config::MemberPages;
use crate::error::{Error, Result};

/// Which of the two members are shown.
pub(crate) type Shown = [bool; 2];

const BOTH: Shown = [true, true];

/// A way to see the members of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// The group in a list.
    Listed,
    /// The group, read by its id.
    ById,
    /// The pages of the members of the group.
    Paged(MemberPages),
    /// The `groups` of the users.
    OfUsers,
    /// Filters for the groups that have a member.
    ByFilter,
}

/// What each way shows.
pub(crate) struct Looks {
    pub(crate) listed: Result<Shown>,
    pub(crate) by_id: Result<Shown>,
    pub(crate) endpoint: Result<Shown>,
    pub(crate) attribute: Result<Shown>,
    pub(crate) of_users: Result<Shown>,
    pub(crate) by_filter: Result<Shown>,
}

impl Looks {
    /// The way in which a client can see the members.
    pub(crate) fn way(&self) -> Option<Way> {
        let ways = [
            (Way::ById, &self.by_id),
            (Way::Listed, &self.listed),
            (Way::Paged(MemberPages::Endpoint), &self.endpoint),
            (Way::Paged(MemberPages::Attribute), &self.attribute),
            (Way::OfUsers, &self.of_users),
            (Way::ByFilter, &self.by_filter),
        ];
        ways.into_iter().find(|(_, shown)| is_complete(shown)).map(|(way, _)| way)
    }

    pub(crate) fn findings(&self) -> Vec<Finding> {
        let endpoint = pages(Check::MembersEndpoint, "GET /Groups/{id}/members with count=1", &self.endpoint);
        let attribute = pages(Check::MemberPages, "attributes=members[startIndex=…&count=1]", &self.attribute);
        vec![self.members(), endpoint, attribute, self.groups_of_users(), self.filter_by_member()]
    }

    fn members(&self) -> Finding {
        let check = Check::Members;
        let evidence = match (is_complete(&self.listed), is_complete(&self.by_id)) {
            (true, true) => "in a list and by its id, a group shows its members",
            (false, true) => "by its id, a group shows its members; in a list it does not",
            (true, false) => "in a list, a group shows its members; by its id it does not",
            (false, false) => {
                return match (&self.listed, &self.by_id) {
                    (_, Err(error)) | (Err(error), _) => failed(check, error),
                    (Ok(listed), Ok(by_id)) if listed.contains(&true) || by_id.contains(&true) => {
                        finding(check, Verdict::No, "a group shows one of two members")
                    }
                    (Ok(_), Ok(_)) => finding(check, Verdict::No, "a group shows no members, in a list or by its id"),
                };
            }
        };
        finding(check, Verdict::Yes, evidence)
    }

    fn groups_of_users(&self) -> Finding {
        let check = Check::GroupsOfUsers;
        match &self.of_users {
            Err(error) => failed(check, error),
            Ok(shown) if *shown == BOTH => {
                finding(check, Verdict::Yes, "users show the group that they are members of")
            }
            Ok(_) => finding(check, Verdict::No, "users do not show the group that they are members of"),
        }
    }

    fn filter_by_member(&self) -> Finding {
        let check = Check::FilterByMember;
        match &self.by_filter {
            Err(error) => failed(check, error),
            Ok(shown) if *shown == BOTH => finding(
                check,
                Verdict::Yes,
                "members eq an id: the group is found for its members, and for no other id",
            ),
            Ok(_) => finding(check, Verdict::No, "members eq an id: the group is not found, or is found for any id"),
        }
    }
}

/// Two pages of one member were requested.
fn pages(check: Check, what: &str, shown: &Result<Shown>) -> Finding {
    match shown {
        Err(error) => failed(check, error),
        Ok(shown) if *shown == BOTH => finding(check, Verdict::Yes, format!("{what}: two pages show the two members")),
        Ok(_) => finding(check, Verdict::No, format!("{what}: two pages do not show the two members")),
    }
}

fn is_complete(shown: &Result<Shown>) -> bool {
    matches!(shown, Ok(shown) if *shown == BOTH)
}

/// The group of a probe, or a second user for it, could not be created.
pub(crate) fn no_group(error: &Error) -> Finding {
    failed(Check::Members, error)
}

/// The answer to the removal of the first member, and the members that are shown afterwards; `None` if no way
/// shows them.
pub(crate) fn removal(check: Check, removed: &Result<()>, answer: &str, after: Option<&Result<Shown>>) -> Finding {
    let what =
        if check == Check::RemovalByList { "remove members with a list" } else { "remove members[value eq an id]" };
    let after = match (removed, after) {
        (Err(error), _) | (Ok(()), Some(Err(error))) => return failed(check, error),
        (Ok(()), None) => {
            return finding(check, Verdict::Unclear, format!("{what}: {answer}; the members are not shown"));
        }
        (Ok(()), Some(Ok(after))) => after,
    };
    let (verdict, evidence) = match after {
        [false, true] => (Verdict::Yes, "this member is removed, and no other"),
        [true, true] => (Verdict::No, "no member is removed"),
        [false, false] => (Verdict::No, "all members are removed"),
        [true, false] => (Verdict::No, "another member is removed"),
    };
    finding(check, verdict, format!("{what}: {answer}; {evidence}"))
}

/// Notes what could not be deleted at the end.
pub(crate) fn note_leftovers(findings: &mut [Finding], group: &Result<()>, user: &Result<()>) {
    let left = match (group, user) {
        (Ok(()), Ok(())) => return,
        (Err(_), Ok(())) => "a group",
        (Ok(()), Err(_)) => "a second user",
        (Err(_), Err(_)) => "a group and a second user",
    };
    if let Some(last) = findings.last_mut() {
        last.evidence = format!("{}; look for {left} wats-scim-probe…, which may still exist", last.evidence);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    const NONE: Shown = [false, false];

    fn error() -> Result<Shown> {
        Err(Error::new(ErrorKind::BadRequest, "no"))
    }

    fn looks(listed: Result<Shown>, by_id: Result<Shown>, of_users: Shown, by_filter: Shown) -> Looks {
        let (endpoint, attribute) = (error(), Ok(NONE));
        Looks { listed, by_id, endpoint, attribute, of_users: Ok(of_users), by_filter: Ok(by_filter) }
    }

    #[test]
    fn the_way_is_the_cheapest_one_that_shows_both_members() {
        for (looks, way) in [
            (looks(Ok(BOTH), Ok(BOTH), BOTH, BOTH), Some(Way::ById)),
            (looks(Ok(BOTH), Ok([true, false]), BOTH, BOTH), Some(Way::Listed)),
            (looks(error(), Ok(BOTH), NONE, NONE), Some(Way::ById)),
            (looks(Ok([true, false]), Ok(NONE), BOTH, BOTH), Some(Way::OfUsers)),
            (looks(Ok(NONE), Ok(NONE), [false, true], BOTH), Some(Way::ByFilter)),
            (looks(Ok(NONE), error(), NONE, NONE), None),
        ] {
            assert_eq!(looks.way(), way);
            let is_found = looks.findings().iter().any(|finding| finding.verdict == Verdict::Yes);
            assert_eq!(is_found, way.is_some());
        }
    }

    #[test]
    fn a_removal_works_if_only_the_named_member_is_gone() {
        for (after, verdict) in [
            (Some(Ok([false, true])), Verdict::Yes),
            (Some(Ok(BOTH)), Verdict::No),
            (Some(Ok(NONE)), Verdict::No),
            (Some(Ok([true, false])), Verdict::No),
            (Some(error()), Verdict::Unclear),
            (None, Verdict::Unclear),
        ] {
            for check in [Check::MemberRemoval, Check::RemovalByList] {
                assert_eq!(removal(check, &Ok(()), "204", after.as_ref()).verdict, verdict, "{after:?}");
            }
        }
    }
}
