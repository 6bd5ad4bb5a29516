//! From what was observed to a finding. No I/O.

use super::{Check, Finding, Verdict};
use crate::error::{Error, ErrorKind, Result, Sender};
use crate::model::{ScimListResponse, ScimUser};

/// The characters that some servers cannot take in a name.
pub(crate) const SPECIAL: [char; 4] = ['+', '%', '/', '#'];

fn finding(check: Check, verdict: Verdict, evidence: impl Into<String>) -> Finding {
    Finding { check, verdict, evidence: evidence.into() }
}

/// A request of a check failed.
fn failed(check: Check, error: &Error) -> Finding {
    let verdict = if error.is_retryable() { Verdict::Unclear } else { Verdict::No };
    finding(check, verdict, error.without_details())
}

fn users(number: usize) -> String {
    if number == 1 { "1 user".to_owned() } else { format!("{number} users") }
}

fn of_total(page: &ScimListResponse) -> String {
    page.total_results.map_or_else(|| "no total is stated".to_owned(), |total| format!("of {total}"))
}

/// `one` is a page with `count=1`.
pub(crate) fn count(one: &Result<ScimListResponse>) -> Finding {
    let page = match one {
        Ok(page) => page,
        Err(error) => return failed(Check::Count, error),
    };
    let verdict = match (page.resources.len(), page.total_results) {
        (1, Some(2..)) => Verdict::Yes,
        (0 | 1, _) => Verdict::Unclear,
        _ => Verdict::No,
    };
    finding(Check::Count, verdict, format!("for count=1: {} ({})", users(page.resources.len()), of_total(page)))
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
        _ => finding(check, Verdict::Unclear, "there are fewer than two users"),
    }
}

/// A page of as many users as `requested`.
pub(crate) fn page_size(requested: u64, large: &Result<ScimListResponse>) -> Finding {
    let page = match large {
        Ok(page) => page,
        Err(error) => return failed(Check::PageSize, error),
    };
    let got = u64::try_from(page.resources.len()).unwrap_or(u64::MAX);
    let verdict = match page.total_results {
        _ if got >= requested => Verdict::Yes,
        Some(total) if got < total => Verdict::No,
        Some(_) => Verdict::Yes,
        None => Verdict::Unclear,
    };
    let evidence = format!("for count={requested}: {} ({})", users(page.resources.len()), of_total(page));
    finding(Check::PageSize, verdict, evidence)
}

/// The users of a listing, and the total of its first page. `is_whole` is false if the listing was ended
/// before its end.
pub(crate) fn totals(stated: Option<u64>, listed: &Result<u64>, is_whole: bool) -> Finding {
    let check = Check::Totals;
    match (listed, stated) {
        (Err(error), _) if error.kind() == ErrorKind::IncompleteList => {
            finding(check, Verdict::No, "a listing does not return as many users as the total states")
        }
        (Err(error), _) => failed(check, error),
        (Ok(_), None) => finding(check, Verdict::No, "no total is stated"),
        (Ok(number), Some(total)) if !is_whole => {
            finding(check, Verdict::Unclear, format!("a total of {total}; only {number} users were read"))
        }
        (Ok(number), Some(total)) => {
            let verdict = if *number == total { Verdict::Yes } else { Verdict::No };
            finding(check, verdict, format!("a total of {total}, and a listing returns {number}"))
        }
    }
}

/// The users found for the name of a user, and for a name that no user has.
pub(crate) fn filter(known: Option<&Result<ScimListResponse>>, unknown: &Result<ScimListResponse>) -> Finding {
    let check = Check::Filter;
    let none = match unknown {
        Ok(page) => page.resources.len(),
        Err(error) => return failed(check, error),
    };
    if none > 0 {
        return finding(check, Verdict::No, format!("ignored: {} for a name that no user has", users(none)));
    }
    match known {
        None => finding(check, Verdict::Unclear, "nothing for a name that no user has; there are no users"),
        Some(Err(error)) => failed(check, error),
        Some(Ok(page)) => {
            let found = page.resources.len();
            let verdict = if found == 1 { Verdict::Yes } else { Verdict::No };
            finding(
                check,
                verdict,
                format!("{} for the name of one, nothing for a name that no user has", users(found)),
            )
        }
    }
}

/// Users with the attribute `userName` only, and the same users with all attributes.
pub(crate) fn attribute_selection(selected: &Result<ScimListResponse>, complete: &Result<ScimListResponse>) -> Finding {
    let check = Check::AttributeSelection;
    let (selected, complete) = match (selected, complete) {
        (Ok(selected), Ok(complete)) => (selected, complete),
        (Err(error), _) | (_, Err(error)) => return failed(check, error),
    };
    let has_more = |page: &ScimListResponse| page.resources.iter().any(has_other_attributes);
    match (has_more(selected), has_more(complete)) {
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

/// The first page with an empty cursor and `count=1`.
pub(crate) fn cursors(page: &Result<ScimListResponse>) -> Finding {
    match page {
        Err(error) => failed(Check::Cursors, error),
        Ok(page) if page.next_cursor.is_some() => finding(Check::Cursors, Verdict::Yes, "a page has a nextCursor"),
        Ok(page) if page.resources.len() == 1 && page.total_results == Some(1) => {
            finding(Check::Cursors, Verdict::Unclear, "there is only one user")
        }
        Ok(_) => finding(Check::Cursors, Verdict::No, "a page has no nextCursor"),
    }
}

/// For each special character, whether a user with it in the name was read by name; `None` if no such
/// user is known.
pub(crate) fn special_names(read: &[(char, Option<bool>)]) -> Finding {
    let check = Check::SpecialNames;
    let parts = read.iter().map(|(special, is_read)| {
        let word = is_read.map_or("no such user", |is_read| if is_read { "read" } else { "not read" });
        format!("{special} {word}")
    });
    let evidence = parts.collect::<Vec<_>>().join(", ");
    let verdict = match read {
        _ if read.iter().any(|(_, is_read)| *is_read == Some(false)) => Verdict::No,
        _ if read.iter().all(|(_, is_read)| *is_read == Some(true)) => Verdict::Yes,
        _ => Verdict::Unclear,
    };
    finding(check, verdict, evidence)
}

/// The answer for an id that no user has: an error, or `None` for a success.
pub(crate) fn errors(refused: Option<&Error>) -> Finding {
    let check = Check::Errors;
    let Some(error) = refused else {
        return finding(check, Verdict::No, "a user is returned for an id that no user has");
    };
    let status = error.status().map_or_else(|| "no answer".to_owned(), |status| status.as_u16().to_string());
    match error.sender() {
        Sender::Server => finding(check, Verdict::Yes, format!("for an unknown id: {status} with an error message")),
        Sender::Unclear => finding(check, Verdict::No, format!("for an unknown id: {status} without a body")),
        Sender::Intermediary => {
            finding(check, Verdict::No, format!("for an unknown id: {status} with a body that is no error message"))
        }
    }
}

pub(crate) fn creation(created: &Result<ScimUser>) -> Finding {
    match created {
        Ok(_) => finding(Check::Creation, Verdict::Yes, "a user is created and can be read"),
        Err(error) => failed(Check::Creation, error),
    }
}

pub(crate) fn media_type(sends_plain_json: bool) -> Finding {
    if sends_plain_json {
        finding(Check::MediaType, Verdict::No, "bodies are accepted as application/json only")
    } else {
        finding(Check::MediaType, Verdict::Yes, "bodies are accepted as application/scim+json")
    }
}

/// A user as it was sent, and as it was read afterwards.
pub(crate) fn kept(sent: &ScimUser, held: &ScimUser) -> Finding {
    let lost: Vec<&str> = [
        ("externalId", sent.external_id != held.external_id),
        ("displayName", sent.display_name != held.display_name),
        ("name", held.name.as_ref().map(|name| &name.family_name) != sent.name.as_ref().map(|name| &name.family_name)),
        ("emails", held.email() != sent.email()),
        ("title", held.attributes.get("title") != sent.attributes.get("title")),
    ]
    .into_iter()
    .filter_map(|(name, is_lost)| is_lost.then_some(name))
    .collect();
    if lost.is_empty() {
        finding(Check::Kept, Verdict::Yes, "externalId, displayName, name, emails, title")
    } else {
        finding(Check::Kept, Verdict::No, format!("not kept as they were sent: {}", lost.join(", ")))
    }
}

/// The answer to a PATCH, and whether the user has the new value afterwards.
pub(crate) fn patching(patched: &Result<Option<ScimUser>>, is_changed: bool) -> Finding {
    let check = Check::Patching;
    let returned = match patched {
        Ok(Some(_)) => "the user is returned",
        Ok(None) => "no body is returned",
        Err(error) => return failed(check, error),
    };
    if is_changed {
        finding(check, Verdict::Yes, returned)
    } else {
        finding(check, Verdict::No, format!("{returned}, but the value is not kept"))
    }
}

/// Whether users have versions, and the answer to a write for another version.
pub(crate) fn versions(version: Option<&str>, outdated: Option<&Result<Option<ScimUser>>>) -> Finding {
    let check = Check::Versions;
    match (version, outdated) {
        (None, _) | (_, None) => finding(check, Verdict::No, "users have no version"),
        (Some(_), Some(Err(error))) if error.kind() == ErrorKind::PreconditionFailed => {
            finding(check, Verdict::Yes, "a write for another version is refused")
        }
        (Some(_), Some(Err(error))) => failed(check, error),
        (Some(_), Some(Ok(_))) => finding(check, Verdict::No, "users have versions, but If-Match is ignored"),
    }
}

/// The answer to a deletion, and to reading the user afterwards.
pub(crate) fn deletion(deleted: &Result<()>, held: &Result<Option<ScimUser>>) -> Finding {
    let check = Check::Deletion;
    match (deleted, held) {
        (Err(error), _) | (Ok(()), Err(error)) => failed(check, error),
        (Ok(()), Ok(None)) => finding(check, Verdict::Yes, "a deleted user does not exist any more"),
        (Ok(()), Ok(Some(user))) if user.active == Some(false) => {
            finding(check, Verdict::No, "a deleted user still exists, and is not active")
        }
        (Ok(()), Ok(Some(_))) => finding(check, Verdict::No, "a deleted user still exists"),
    }
}
