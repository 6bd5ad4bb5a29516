use std::collections::HashMap;
use std::collections::hash_map::Entry;

use wats_scim_filter::json::{is_invisible, is_joiner, text_key};

use super::error::{BadRow, ImportError};
use crate::model::ScimUser;

/// The users of a source, and its bad rows, as they are read.
#[derive(Default)]
pub(super) struct Rows {
    users: Vec<ScimUser>,
    bad: Vec<BadRow>,
    /// Which line has which `userName` and `externalId`.
    lines: HashMap<(&'static str, String), u64>,
}

impl Rows {
    /// Takes the user of a line, and what is wrong with it already.
    pub(super) fn take(&mut self, line: u64, user: ScimUser, mut wrong: Vec<String>) {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
        let user_name = given(&user.user_name);
        // One of another type is wrong already.
        if user_name.is_none() && user.attributes.get("userName").is_none() {
            wrong.push("userName is missing".to_owned());
        }
        // A user name is the same in any letter case (RFC 7643 §4.1.1), an external id is not (§3.1).
        let user_name = user_name.map(|name| text_key(&name).into_owned());
        for (what, id) in [("userName", user_name), ("externalId", given(&user.external_id))] {
            let Some(id) = id else { continue };
            if id.trim().len() < id.len() {
                wrong.push(format!("{what} has a blank at its start or end"));
            }
            if id.contains(is_unseen) {
                wrong.push(format!("{what} has a control character or an invisible one in it"));
            }
            match self.lines.entry((what, id)) {
                Entry::Occupied(first) => wrong.push(format!("the same {what} as on line {}", first.get())),
                Entry::Vacant(free) => {
                    free.insert(line);
                }
            }
        }
        if wrong.is_empty() {
            self.users.push(user);
        } else {
            self.refuse(line, wrong.join("; "));
        }
    }

    /// Reports a line that no user can be made of.
    pub(super) fn refuse(&mut self, line: u64, reason: impl Into<String>) {
        self.bad.push(BadRow { line, reason: reason.into() });
    }

    /// All users, or all bad rows.
    pub(super) fn finish(self) -> Result<Vec<ScimUser>, ImportError> {
        if self.bad.is_empty() { Ok(self.users) } else { Err(ImportError::of_rows(self.bad)) }
    }
}

/// What is pasted along with a name and makes it another one. Joiners are letters of some scripts.
fn is_unseen(c: char) -> bool {
    c.is_control() || (is_invisible(c) && !is_joiner(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(users: Vec<ScimUser>) -> Vec<String> {
        let mut rows = Rows::default();
        for (line, user) in (1..).zip(users) {
            rows.take(line, user, Vec::new());
        }
        let bad = rows.finish().err().map(|error| error.rows().to_vec()).unwrap_or_default();
        bad.iter().map(|row| format!("{}: {}", row.line(), row.reason())).collect()
    }

    #[test]
    fn a_name_that_comes_again_is_reported_with_both_lines() {
        let users = ["jane", "john", "JANE", "Jane"].map(ScimUser::new);
        assert_eq!(read(users.into()), ["3: the same userName as on line 1", "4: the same userName as on line 1"]);
    }

    #[test]
    fn an_external_id_differs_by_letter_case() {
        let user = |name, id: &str| ScimUser::new(name).with_external_id(id);
        let users = vec![user("a", "X"), user("b", "x"), user("c", "X"), user("d", ""), user("e", "")];
        assert_eq!(read(users), ["3: the same externalId as on line 1"]);
    }

    #[test]
    fn a_name_is_there_and_can_be_seen_whole() {
        for name in ["", " ", "\u{a0}"] {
            assert_eq!(read(vec![ScimUser::new(name)]), ["1: userName is missing"], "{name:?}");
        }
        for name in ["ja\u{0}ne", "jane\u{200b}", "\u{202a}jane", "\u{feff}jane", "ja\u{85}ne"] {
            let reason = "1: userName has a control character or an invisible one in it";
            assert_eq!(read(vec![ScimUser::new(name)]), [reason], "{name:?}");
        }
        let user = ScimUser::new("jane ").with_external_id("\t7");
        let reason = concat!(
            "1: userName has a blank at its start or end; externalId has a blank at its start or end; ",
            "externalId has a control character or an invisible one in it"
        );
        assert_eq!(read(vec![user]), [reason]);
    }
}
