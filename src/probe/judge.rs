//! From what was observed to a finding. No I/O.

use wats_scim_filter::json::same_text;

use super::seen::{Form, Seen};
use super::{Check, Finding, Verdict};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{ScimListResponse, ScimUser};

/// The characters that some servers cannot take in a name.
pub(crate) const SPECIAL: [char; 4] = ['+', '%', '/', '#'];

pub(super) fn finding(check: Check, verdict: Verdict, evidence: impl Into<String>) -> Finding {
    Finding { check, verdict, evidence: evidence.into() }
}

/// A request of a check failed.
pub(super) fn failed(check: Check, error: &Error) -> Finding {
    let verdict = if error.is_retryable() || error.status().is_none() { Verdict::Unclear } else { Verdict::No };
    finding(check, verdict, error.without_details())
}

fn users(number: usize) -> String {
    match number {
        0 => "no users".to_owned(),
        1 => "1 user".to_owned(),
        _ => format!("{number} users"),
    }
}

fn of_total(page: &ScimListResponse) -> String {
    page.total_results.map_or_else(|| "no total is stated".to_owned(), |total| format!("of {total}"))
}

fn length(page: &ScimListResponse) -> u64 {
    u64::try_from(page.resources.len()).unwrap_or(u64::MAX)
}

/// The users of a listing.
pub(crate) struct Listed {
    /// Their number, or the error with which the listing ended.
    pub(crate) number: Result<u64>,
    /// Whether the listing was read to its end.
    pub(crate) is_whole: bool,
}

impl Listed {
    /// The number of users that there are at least.
    fn at_least(&self) -> u64 {
        self.number.as_ref().copied().unwrap_or(0)
    }
}

/// `one` is a page with `count=1`, and `large` one with a large `count`.
pub(crate) fn count(one: &Result<ScimListResponse>, large: &Result<ScimListResponse>) -> Finding {
    let page = match one {
        Ok(page) => page,
        Err(error) => return failed(Check::Count, error),
    };
    let verdict = match page.resources.len() {
        1 if page.total_results > Some(1) || has_several(large) => Verdict::Yes,
        0 | 1 => Verdict::Unclear,
        _ => Verdict::No,
    };
    finding(Check::Count, verdict, format!("for count=1: {} ({})", users(page.resources.len()), of_total(page)))
}

fn has_several(page: &Result<ScimListResponse>) -> bool {
    page.as_ref().is_ok_and(|page| page.resources.len() > 1)
}

/// Two pages of one user, the second with `startIndex=2`.
pub(crate) fn start_index(one: &Result<ScimListResponse>, two: &Result<ScimListResponse>) -> Finding {
    let check = Check::StartIndex;
    let (one, two) = match (one, two) {
        (Ok(one), Ok(two)) => (one, two),
        (Err(error), _) | (_, Err(error)) => return failed(check, error),
    };
    let id = |page: &ScimListResponse| page.resources.first().and_then(|user| user.id.clone());
    match (id(one), id(two)) {
        (Some(one), Some(two)) if one == two => {
            finding(check, Verdict::No, "startIndex=2 returns the first user again")
        }
        (Some(_), Some(_)) => finding(check, Verdict::Yes, "startIndex=2 returns another user than startIndex=1"),
        (Some(_), None) if one.total_results > Some(1) => {
            finding(check, Verdict::No, format!("startIndex=2 returns no users ({})", of_total(one)))
        }
        _ => finding(check, Verdict::Unclear, "there are fewer than two users"),
    }
}

/// A page whose `startIndex` is larger than the number of users.
pub(crate) fn past_the_end(start: u64, page: &Result<ScimListResponse>) -> Finding {
    match page {
        Err(error) => failed(Check::PastTheEnd, error),
        Ok(page) => {
            let verdict = if page.resources.is_empty() { Verdict::Yes } else { Verdict::No };
            finding(Check::PastTheEnd, verdict, format!("for startIndex={start}: {}", users(page.resources.len())))
        }
    }
}

/// A page of as many users as `requested`.
pub(crate) fn page_size(requested: u64, large: &Result<ScimListResponse>, listed: &Listed) -> Finding {
    let page = match large {
        Ok(page) => page,
        Err(error) => return failed(Check::PageSize, error),
    };
    let got = length(page);
    let verdict = match page.total_results {
        _ if got >= requested => Verdict::Yes,
        Some(total) if got < total => Verdict::No,
        _ if got < listed.at_least() => Verdict::No,
        None if !listed.is_whole || listed.number.is_err() => Verdict::Unclear,
        _ => Verdict::Yes,
    };
    let of_listed = match (page.total_results, &listed.number) {
        (None, Ok(number)) => format!(", and a listing returns {number}"),
        _ => String::new(),
    };
    let evidence = format!("for count={requested}: {} ({}){of_listed}", users(page.resources.len()), of_total(page));
    finding(Check::PageSize, verdict, evidence)
}

/// The totals of a page of one user and of a large page, and the users of a listing.
pub(crate) fn totals(one: Option<u64>, large: Option<u64>, listed: &Listed) -> Finding {
    let check = Check::Totals;
    let total = match (one, large) {
        (None, None) => return finding(check, Verdict::No, "no total is stated"),
        (Some(one), Some(large)) if one != large => {
            let evidence = format!("a total of {one} for a small page, and of {large} for a large one");
            return finding(check, Verdict::No, evidence);
        }
        (one, large) => large.or(one).unwrap_or_default(),
    };
    match &listed.number {
        Err(error) if error.kind() == ErrorKind::IncompleteList => finding(
            check,
            Verdict::No,
            format!("a listing does not return as many users as the total of {total} states"),
        ),
        Err(error) => failed(check, error),
        Ok(number) if !listed.is_whole => {
            finding(check, Verdict::Unclear, format!("a total of {total}; only {number} users were read"))
        }
        Ok(number) => {
            let verdict = if *number == total { Verdict::Yes } else { Verdict::No };
            finding(check, verdict, format!("a total of {total}, and a listing returns {number}"))
        }
    }
}

/// The users found for the name of a user, and for a name that no user has.
pub(crate) fn filter(known: Option<(&str, &Result<ScimListResponse>)>, unknown: &Result<ScimListResponse>) -> Finding {
    let check = Check::Filter;
    let none = match unknown {
        Ok(page) => page.resources.len(),
        Err(error) => return failed(check, error),
    };
    if none > 0 {
        return finding(check, Verdict::No, format!("ignored: {} for a name that no user has", users(none)));
    }
    let (name, page) = match known {
        None => {
            let evidence = "no users for a name that no user has; no other name is known";
            return finding(check, Verdict::Unclear, evidence);
        }
        Some((_, Err(error))) => return failed(check, error),
        Some((name, Ok(page))) => (name, page),
    };
    let is_other = |user: &ScimUser| !user.user_name.as_deref().is_some_and(|other| same_text(other, name));
    let others = if page.resources.iter().any(is_other) { ", not all with this name" } else { "" };
    let verdict = if page.resources.len() == 1 && others.is_empty() { Verdict::Yes } else { Verdict::No };
    let found = users(page.resources.len());
    finding(check, verdict, format!("{found} for the name of a user{others}, no users for a name that no user has"))
}

/// Users with the attribute `userName` only, and the same users with all attributes.
pub(crate) fn attribute_selection(selected: &Result<ScimListResponse>, complete: &Result<ScimListResponse>) -> Finding {
    let check = Check::AttributeSelection;
    let (selected, complete) = match (selected, complete) {
        (Ok(selected), Ok(complete)) => (selected, complete),
        (Err(error), _) | (_, Err(error)) => return failed(check, error),
    };
    let has_more = |page: &ScimListResponse| page.resources.iter().any(has_other_attributes);
    let is_nameless = selected.resources.iter().any(|user| user.user_name.is_none());
    match (has_more(selected), has_more(complete)) {
        _ if is_nameless => finding(check, Verdict::No, "for attributes=userName: users without userName"),
        (_, false) => finding(check, Verdict::Unclear, "no user has an attribute that could be left out"),
        (true, true) => finding(check, Verdict::No, "for attributes=userName: other attributes as well"),
        (false, true) => finding(check, Verdict::Yes, "for attributes=userName: no other attributes"),
    }
}

/// Whether a user has attributes beside the name and those that are always returned.
fn has_other_attributes(user: &ScimUser) -> bool {
    let is_set = [user.name.is_some(), user.display_name.is_some(), user.active.is_some(), user.emails.is_some()];
    is_set.contains(&true) || !user.attributes.is_empty()
}

/// The first page with an empty cursor and `count=1`, and the page of its `nextCursor`; `large` is a page
/// without a cursor.
pub(crate) fn cursors(
    page: &Result<ScimListResponse>,
    next: Option<&Result<ScimListResponse>>,
    large: &Result<ScimListResponse>,
) -> Finding {
    let check = Check::Cursors;
    let page = match page {
        Err(error) => return failed(check, error),
        Ok(page) => page,
    };
    let id = |page: &ScimListResponse| page.resources.first().and_then(|user| user.id.clone());
    match next {
        Some(Err(error)) => failed(check, error),
        Some(Ok(next)) if next.resources.is_empty() => {
            finding(check, Verdict::No, "for an empty cursor: a nextCursor that leads to no users")
        }
        Some(Ok(next)) if id(next) == id(page) => {
            finding(check, Verdict::No, "for an empty cursor: a nextCursor that leads to the first user again")
        }
        Some(Ok(_)) => finding(check, Verdict::Yes, "for an empty cursor: a nextCursor that leads to the next user"),
        None if page.total_results > Some(1) || has_several(large) => {
            finding(check, Verdict::No, "for an empty cursor: no nextCursor")
        }
        None => finding(check, Verdict::Unclear, "there are fewer than two users"),
    }
}

/// What became of a new user with all special characters in its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SpecialUser {
    /// It was read by its name, or it was not.
    Created { is_read: bool },
    /// It could not be created, and one with an ordinary name could; the status, if there was one.
    Rejected(Option<u16>),
    /// It was created, and could not be read by its id.
    Unreadable,
}

/// For each special character, whether a user with it in the name was read by name; `None` if no such
/// user is known. With leave to write, also what became of a new user with all of them in its name.
pub(crate) fn special_names(read: &[(char, Option<bool>)], new: Option<&SpecialUser>) -> Finding {
    let parts = read.iter().filter(|(_, is_read)| new.is_none() || is_read.is_some()).map(|(special, is_read)| {
        let word = is_read.map_or("no such user", |is_read| if is_read { "read" } else { "not read" });
        format!("{special} {word}")
    });
    let mut parts: Vec<String> = parts.collect();
    parts.extend(new.map(|new| {
        let all = SPECIAL.map(String::from).join(" ");
        match new {
            SpecialUser::Created { is_read: true } => format!("a new user with {all} in its name is read by it"),
            SpecialUser::Created { is_read: false } => format!("a new user with {all} in its name is not found by it"),
            SpecialUser::Rejected(Some(status)) => format!("a new user with {all} in its name is rejected ({status})"),
            SpecialUser::Rejected(None) => format!("a new user with {all} in its name is not created"),
            SpecialUser::Unreadable => format!("a new user with {all} in its name cannot be read by its id"),
        }
    }));
    let is_not_read = matches!(new, Some(SpecialUser::Created { is_read: false } | SpecialUser::Unreadable));
    let verdict = match read {
        _ if is_not_read || read.iter().any(|(_, is_read)| *is_read == Some(false)) => Verdict::No,
        _ if new == Some(&SpecialUser::Created { is_read: true }) => Verdict::Yes,
        _ if read.iter().all(|(_, is_read)| *is_read == Some(true)) => Verdict::Yes,
        _ => Verdict::Unclear,
    };
    finding(Check::SpecialNames, verdict, parts.join(", "))
}

/// The answer for an id that no user has: an error, or `None` for a success.
pub(crate) fn errors(refused: Option<&Error>, seen: Option<&Seen>) -> Finding {
    let check = Check::Errors;
    let seen = match (refused, seen) {
        (None, _) => return finding(check, Verdict::No, "a user is returned for an id that no user has"),
        (Some(error), Some(seen)) if error.status().is_some() && !error.is_retryable() => seen,
        (Some(error), _) => return failed(check, error),
    };
    let (is_scim, what) = match seen.form() {
        Form::ScimError => (!seen.status().is_success(), "a SCIM error message"),
        Form::OtherError => (false, "an error message in another format"),
        Form::Json | Form::Text | Form::Nothing => (false, "a body that is no error message"),
    };
    let verdict = if is_scim { Verdict::Yes } else { Verdict::No };
    finding(check, verdict, format!("for an unknown id: {}", seen.describe(what)))
}

/// A creation, and the answer to its POST.
pub(crate) fn creation(created: &Result<ScimUser>, seen: Option<&Seen>) -> Finding {
    match (created, seen) {
        (Err(error), Some(seen)) if error.status().is_some() && seen.form() == Form::Text => {
            let failed = failed(Check::Creation, error);
            Finding { evidence: format!("{}; the answer is a web page or a text", failed.evidence), ..failed }
        }
        (Err(error), _) => failed(Check::Creation, error),
        (Ok(_), Some(seen)) => {
            let found = if seen.form() == Form::Nothing { "; the user was looked up" } else { "" };
            finding(Check::Creation, Verdict::Yes, format!("POST: {}{found}", seen.describe("the user")))
        }
        (Ok(_), None) => finding(Check::Creation, Verdict::Yes, "a user is created and can be read"),
    }
}

/// The answer to the POST of a creation that succeeded.
pub(crate) fn media_type(seen: &Seen) -> Finding {
    let status = seen.status().as_u16();
    if seen.was_asked_in_plain_json() {
        let evidence = format!("POST: {status} for application/json; rejected as application/scim+json");
        finding(Check::MediaType, Verdict::No, evidence)
    } else {
        finding(Check::MediaType, Verdict::Yes, format!("POST: {status} for application/scim+json"))
    }
}

/// A user as it was sent, and as it was read afterwards.
pub(crate) fn kept(sent: &ScimUser, held: &ScimUser) -> Finding {
    let family_name = |user: &ScimUser| user.name.as_ref().and_then(|name| name.family_name.clone());
    let compared = [
        ("userName", sent.user_name == held.user_name),
        ("externalId", sent.external_id == held.external_id),
        ("displayName", sent.display_name == held.display_name),
        ("name", family_name(sent) == family_name(held)),
        ("emails", sent.email() == held.email()),
        ("title", sent.attributes.get("title") == held.attributes.get("title")),
    ];
    let names = |is_kept: bool| {
        let names = compared.iter().filter(|(_, same)| *same == is_kept).map(|(name, _)| *name);
        names.collect::<Vec<_>>().join(", ")
    };
    match (names(true), names(false)) {
        (kept, lost) if lost.is_empty() => {
            finding(Check::Kept, Verdict::Yes, format!("read as they were sent: {kept}"))
        }
        (kept, lost) if kept.is_empty() => {
            finding(Check::Kept, Verdict::No, format!("not kept as they were sent: {lost}"))
        }
        (kept, lost) => finding(Check::Kept, Verdict::No, format!("not kept as they were sent: {lost}; kept: {kept}")),
    }
}

/// The answer to a PATCH, and the user that is read afterwards: whether it has the new value.
pub(crate) fn patching(
    patched: &Result<Option<ScimUser>>,
    seen: Option<&Seen>,
    is_changed: std::result::Result<bool, &Error>,
) -> Finding {
    let check = Check::Patching;
    let (answer, is_changed) = match (patched, seen, is_changed) {
        (Err(error), ..) | (_, _, Err(error)) => return failed(check, error),
        (Ok(_), Some(seen), Ok(is_changed)) => (seen.describe("the user"), is_changed),
        (Ok(_), None, Ok(is_changed)) => ("done".to_owned(), is_changed),
    };
    if is_changed {
        finding(check, Verdict::Yes, format!("replace displayName: {answer}; the new value is read"))
    } else {
        finding(check, Verdict::No, format!("replace displayName: {answer}, but the new value is not read"))
    }
}

/// The version of a user, and the answer to a PATCH for another version, if one was accepted without.
pub(crate) fn versions(
    version: Option<&str>,
    outdated: Option<&Result<Option<ScimUser>>>,
    seen: Option<&Seen>,
) -> Finding {
    let check = Check::Versions;
    if version.is_none() {
        return finding(check, Verdict::No, "users have no version, neither in meta nor as ETag");
    }
    let status = seen.map_or_else(String::new, |seen| format!(": {}", seen.status().as_u16()));
    match outdated {
        None => finding(check, Verdict::Unclear, "users have versions; there is no PATCH to try one with"),
        Some(Err(error)) if error.kind() == ErrorKind::PreconditionFailed => {
            finding(check, Verdict::Yes, format!("PATCH with If-Match and another version{status}"))
        }
        Some(Err(error)) => failed(check, error),
        Some(Ok(_)) => {
            let evidence = format!("users have versions, but PATCH with If-Match and another version{status}");
            finding(check, Verdict::No, evidence)
        }
    }
}

/// The answer to a patch in a bulk request, for a version that the user does not have.
pub(crate) fn versions_in_bulk(outdated: &Result<Vec<Result<Option<ScimUser>>>>) -> Finding {
    let check = Check::VersionsInBulk;
    match outdated.as_deref() {
        Ok([Err(error)]) if error.kind() == ErrorKind::PreconditionFailed => {
            finding(check, Verdict::Yes, "a bulk request with another version: 412 for its operation")
        }
        Ok([Ok(_)]) => finding(check, Verdict::No, "a bulk request with another version was carried out"),
        Ok([Err(error)]) | Err(error) => failed(check, error),
        Ok(_) => finding(check, Verdict::Unclear, "a bulk request with one operation had another number of results"),
    }
}

/// The answer to a deletion, and to reading the user afterwards.
pub(crate) fn deletion(deleted: &Result<()>, held: &Result<Option<ScimUser>>, seen: Option<&Seen>) -> Finding {
    let check = Check::Deletion;
    if let Err(error) = deleted {
        let failed = failed(check, error);
        let rest = match held {
            Ok(Some(_)) => "the user wats-scim-probe… still exists: delete it",
            Ok(None) => "the user does not exist any more",
            Err(_) => "the user wats-scim-probe… may still exist: look for it",
        };
        return Finding { evidence: format!("{}; {rest}", failed.evidence), ..failed };
    }
    let answer = seen.map_or_else(|| "done".to_owned(), |seen| seen.describe("a body"));
    match held {
        Err(error) => {
            let failed = failed(check, error);
            Finding { evidence: format!("DELETE: {answer}; then {}", failed.evidence), ..failed }
        }
        Ok(None) => finding(check, Verdict::Yes, format!("DELETE: {answer}; the user does not exist any more")),
        Ok(Some(user)) if user.active == Some(false) => {
            finding(check, Verdict::No, format!("DELETE: {answer}; the user still exists, and is not active"))
        }
        Ok(Some(_)) => finding(check, Verdict::No, format!("DELETE: {answer}; the user still exists")),
    }
}
