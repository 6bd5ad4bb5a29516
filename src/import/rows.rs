use std::collections::HashMap;
use std::collections::hash_map::Entry;

use wats_scim_filter::json::{is_invisible, is_joiner, text_key};

use super::error::{BadRow, ImportError};
use crate::model::{Origins, ScimUser};
use crate::plan::{Desired, DesiredGroup, LeftOut};

/// The users and the bad rows of a source, collected while it is read.
#[derive(Default)]
pub(super) struct Rows {
    users: Vec<ScimUser>,
    origins: Origins,
    bad: Vec<BadRow>,
    /// Who the bad rows are about.
    left_out: Vec<LeftOut>,
    /// A row is bad that is not of a user.
    has_other: bool,
    /// The line of each `userName` and `externalId`.
    lines: HashMap<(&'static str, String), u64>,
}

impl Rows {
    /// Adds the user of a line, with the problems found so far.
    pub(super) fn add(&mut self, line: u64, user: ScimUser, mut problems: Vec<String>) {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
        let user_name = given(&user.user_name);
        // A value of another type is already a problem.
        if user_name.is_none() && user.attributes.get("userName").is_none() {
            problems.push("userName is missing".to_owned());
        }
        // A userName has several forms (RFC 7644 §5), an externalId has one (RFC 7643 §3.1).
        let user_name = user_name.map(|name| text_key(&name).into_owned());
        for (what, id) in [("userName", user_name), ("externalId", given(&user.external_id))] {
            let Some(id) = id else { continue };
            problems.extend(identifier_problems(what, &id));
            match self.lines.entry((what, id)) {
                Entry::Occupied(first) => problems.push(format!("same {what} as line {}", first.get())),
                Entry::Vacant(free) => {
                    free.insert(line);
                }
            }
        }
        if problems.is_empty() {
            self.users.push(user);
            self.origins.lines.push(line);
        } else {
            let external_id = given(&user.external_id);
            self.leave_out(line, problems.join("; "), given(&user.user_name), external_id);
        }
    }

    /// Adds a line that is not a user.
    pub(super) fn reject(&mut self, line: u64, reason: impl Into<String>) {
        self.leave_out(line, reason.into(), None, None);
    }

    /// Adds a line with something else that is bad, such as a group.
    pub(super) fn reject_other(&mut self, line: u64, reason: impl Into<String>) {
        self.has_other = true;
        self.reject(line, reason);
    }

    fn leave_out(&mut self, line: u64, reason: String, user_name: Option<String>, external_id: Option<String>) {
        self.bad.push(BadRow { line, reason: reason.clone() });
        self.left_out.push(LeftOut { line, reason, user_name, external_id });
    }

    /// Returns all users, or an error with all bad rows.
    pub(super) fn finish(mut self) -> Result<Vec<ScimUser>, ImportError> {
        if self.bad.is_empty() { Ok(self.users) } else { Err(self.error()) }
    }

    /// Returns all users as a directory with these groups, which knows their rows.
    pub(super) fn finish_directory(mut self, groups: Option<Vec<DesiredGroup>>) -> Result<Desired, ImportError> {
        let error = (!self.bad.is_empty()).then(|| self.error());
        let directory = Desired::of_users(self.users).with_origins(self.origins);
        let directory = match groups {
            Some(groups) => directory.with_groups(groups),
            None => directory,
        };
        match error {
            None => Ok(directory),
            Some(error) if self.has_other => Err(error),
            Some(error) => Err(error.with_rest(directory, self.left_out)),
        }
    }

    fn error(&mut self) -> ImportError {
        self.bad.sort_by_key(|row| row.line);
        ImportError::of_rows(std::mem::take(&mut self.bad))
    }
}

/// Why an identifier would not be found again by what a person reads.
pub(super) fn identifier_problems(what: &str, id: &str) -> impl Iterator<Item = String> {
    let problems = [
        (id.trim().is_empty(), "is missing"),
        (id.trim().len() < id.len(), "begins or ends with white space"),
        (id.contains(is_hidden), "contains a control character or an invisible character"),
    ];
    problems.into_iter().filter(|(is_so, _)| *is_so).map(move |(_, problem)| format!("{what} {problem}"))
}

/// Whether a character is invisible but makes a pasted name different. Joiners are letters of some
/// scripts.
fn is_hidden(c: char) -> bool {
    c.is_control() || (is_invisible(c) && !is_joiner(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(users: Vec<ScimUser>) -> Vec<String> {
        let mut rows = Rows::default();
        for (line, user) in (1..).zip(users) {
            rows.add(line, user, Vec::new());
        }
        let bad = rows.finish().err().map(|error| error.rows().to_vec()).unwrap_or_default();
        bad.iter().map(|row| format!("{}: {}", row.line(), row.reason())).collect()
    }

    #[test]
    fn a_repeated_name_is_reported_with_both_lines() {
        let users = ["jane", "john", "JANE", "ｊａｎｅ"].map(ScimUser::new);
        assert_eq!(read(users.into()), ["3: same userName as line 1", "4: same userName as line 1"]);
        let composed = ["jürgen", "ju\u{308}rgen"].map(ScimUser::new);
        assert_eq!(read(composed.into()), ["2: same userName as line 1"]);
    }

    #[test]
    fn an_external_id_differs_by_letter_case() {
        let user = |name, id: &str| ScimUser::new(name).with_external_id(id);
        let users = vec![user("a", "X"), user("b", "x"), user("c", "X"), user("d", ""), user("e", "")];
        assert_eq!(read(users), ["3: same externalId as line 1"]);
    }

    #[test]
    fn a_missing_name_and_hidden_characters_are_reported() {
        for name in ["", " ", "\u{a0}"] {
            assert_eq!(read(vec![ScimUser::new(name)]), ["1: userName is missing"], "{name:?}");
        }
        for name in ["ja\u{0}ne", "jane\u{200b}", "\u{202a}jane", "\u{feff}jane", "ja\u{85}ne"] {
            let reason = "1: userName contains a control character or an invisible character";
            assert_eq!(read(vec![ScimUser::new(name)]), [reason], "{name:?}");
        }
        let user = ScimUser::new("jane ").with_external_id("\t7");
        let reason = concat!(
            "1: userName begins or ends with white space; externalId begins or ends with white space; ",
            "externalId contains a control character or an invisible character"
        );
        assert_eq!(read(vec![user]), [reason]);
    }
}
