use std::fmt;

use serde::Serialize;

use crate::config::{MemberPages, Membership, Profile};

/// What a probe has found: an answer to each question, with its evidence.
///
/// `Display` prints a table without names, ids or credentials, to paste into an issue. As JSON (serde)
/// it has the same contents. [`profile`](Self::profile) is a profile for
/// [`ScimConfig::profile`](crate::ScimConfig::profile).
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The findings, in the order of the checks.
    pub findings: Vec<Finding>,
    #[serde(skip)]
    profile: Profile,
}

/// The answer to one question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// The question.
    pub check: Check,
    /// The answer.
    pub verdict: Verdict,
    /// What was observed, in a sentence.
    pub evidence: String,
}

/// A question of a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Check {
    /// Does a page have no more resources than `count`?
    Count,
    /// Does a page begin at `startIndex`?
    StartIndex,
    /// Is a page empty whose `startIndex` is behind the last resource (RFC 7644 §3.4.2.4)?
    PastTheEnd,
    /// Does a page have as many resources as were requested, however many these are?
    PageSize,
    /// Is `totalResults` the number of resources that a complete listing returns, whatever the size of a
    /// page is?
    Totals,
    /// Does a filter find a user, and nothing for a name that no user has?
    Filter,
    /// Are only those attributes returned that were selected?
    AttributeSelection,
    /// Are there cursors, which lead from page to page (RFC 9865)?
    Cursors,
    /// Can users be read by a name that contains `+`, `%`, `/` or `#`? With leave to write, the new user
    /// has such a name.
    SpecialNames,
    /// Is an error in the format of RFC 7644 §3.12?
    Errors,
    /// Is a user created, and returned? With leave to write only, as all that follow.
    Creation,
    /// Are bodies accepted as `application/scim+json`?
    MediaType,
    /// Are the attributes of a new user read as they were sent?
    Kept,
    /// Does a PATCH change a user, and what does it return?
    Patching,
    /// Is a write with `If-Match` rejected if the version is another one (RFC 7644 §3.14)?
    Versions,
    /// Is an operation of a bulk request rejected if its `version` is another one (RFC 7644 §3.7)? Asked if the
    /// server says that it supports bulk requests.
    VersionsInBulk,
    /// Does a group show its members, in a list or when it is read by its id? This and the next six are
    /// asked if the server has groups.
    Members,
    /// Does `GET /Groups/{id}/members` list the members of a group in pages, as in INDIGO IAM?
    MembersEndpoint,
    /// Does `attributes=members[startIndex=1&count=1]` select a page of the members of a group, as in Oracle
    /// Identity Domains?
    MemberPages,
    /// Does a user show the groups that it is a member of (RFC 7643 §4.1.2)?
    GroupsOfUsers,
    /// Does a filter find the groups that have a member?
    FilterByMember,
    /// Does a PATCH with a value path (`members[value eq "2819c223"]`, RFC 7644 §3.5.2) remove one member?
    MemberRemoval,
    /// Does a PATCH with a list of members remove those, and no others? Only asked if there is no removal by a
    /// value path.
    RemovalByList,
    /// Is a deleted user gone?
    Deletion,
}

/// The answer to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Verdict {
    /// The server does so.
    Yes,
    /// The server does not.
    No,
    /// It could not be found out.
    Unclear,
}

impl Report {
    pub(crate) fn new(profile: Profile, findings: Vec<Finding>) -> Self {
        Self { findings, profile }
    }

    /// Returns the finding of a check; `None` if it was not carried out.
    #[must_use]
    pub fn finding(&self, check: Check) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.check == check)
    }

    /// Returns the profile of the client, without the features that the server was seen not to have, and with
    /// the [`Membership`] and the way of removing members that were measured.
    #[must_use]
    pub fn profile(&self) -> Profile {
        let has_not = |check| self.finding(check).is_some_and(|finding| finding.verdict == Verdict::No);
        let has = |check| self.finding(check).is_some_and(|finding| finding.verdict == Verdict::Yes);
        let mut profile = self.profile.clone();
        profile.filters &= !has_not(Check::Filter);
        profile.selects_attributes &= !has_not(Check::AttributeSelection);
        profile.pages_by_cursor &= has(Check::Cursors);
        profile.has_versions &= !has_not(Check::Versions);
        profile.checks_versions = has(Check::Versions) || (profile.checks_versions && profile.has_versions);
        profile.checks_versions_in_bulk &= !has_not(Check::VersionsInBulk);
        profile.checks_versions_in_bulk |= has(Check::VersionsInBulk);
        profile.membership = self.membership().unwrap_or(profile.membership);
        if has(Check::MemberRemoval) || has(Check::RemovalByList) {
            profile.removes_members_by_list = has(Check::RemovalByList);
        }
        profile
    }

    /// Where members can be read, if that was found out.
    fn membership(&self) -> Option<Membership> {
        // Pages first: a server that has them may show only a part of a long list.
        let ways = [
            (Check::MembersEndpoint, Membership::Paged(MemberPages::Endpoint)),
            (Check::MemberPages, Membership::Paged(MemberPages::Attribute)),
            (Check::Members, Membership::OfGroups),
            (Check::GroupsOfUsers, Membership::OfUsers),
            (Check::FilterByMember, Membership::ByFilter),
        ];
        let verdicts = ways.map(|(check, way)| Some((self.finding(check)?.verdict, way)));
        let found = verdicts.iter().flatten().find(|(verdict, _)| *verdict == Verdict::Yes);
        let is_none = verdicts.iter().all(|way| way.is_some_and(|(verdict, _)| verdict == Verdict::No));
        found.map(|(_, way)| *way).or_else(|| is_none.then_some(Membership::Hidden))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            writeln!(f, "{:<8} {:<20} {}", finding.verdict.to_string(), finding.check.to_string(), finding.evidence)?;
        }
        Ok(())
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Count => "count",
            Self::StartIndex => "startIndex",
            Self::PastTheEnd => "past the end",
            Self::PageSize => "page size",
            Self::Totals => "totals",
            Self::Filter => "filter",
            Self::AttributeSelection => "attributes",
            Self::Cursors => "cursors",
            Self::SpecialNames => "special names",
            Self::Errors => "errors",
            Self::Creation => "creation",
            Self::MediaType => "media type",
            Self::Kept => "kept attributes",
            Self::Patching => "PATCH",
            Self::Versions => "versions",
            Self::VersionsInBulk => "versions in bulk",
            Self::Members => "members",
            Self::MembersEndpoint => "members endpoint",
            Self::MemberPages => "pages of members",
            Self::GroupsOfUsers => "groups of users",
            Self::FilterByMember => "filter by member",
            Self::MemberRemoval => "member removal",
            Self::RemovalByList => "removal by list",
            Self::Deletion => "deletion",
        })
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Unclear => "unclear",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_checks_versions_only_if_it_was_seen_to_or_says_so() {
        let mut says_so = Profile::standard();
        says_so.checks_versions = true;
        for (known, verdict, checks) in [
            (Profile::standard(), None, false),
            (Profile::standard(), Some(Verdict::Yes), true),
            (Profile::standard(), Some(Verdict::No), false),
            (says_so.clone(), None, true),
            (says_so.clone(), Some(Verdict::Unclear), true),
            (says_so, Some(Verdict::No), false),
        ] {
            let finding = |verdict| Finding { check: Check::Versions, verdict, evidence: String::new() };
            let report = Report::new(known, verdict.map(finding).into_iter().collect());
            assert_eq!(report.profile().checks_versions, checks, "{verdict:?}");
        }
    }
}
