//! The formats of files. Each file names its own, so that none is read as another.

use std::io;

use serde::Deserialize;

pub(crate) const PLAN: &str = "wats-scim-plan/1";
pub(crate) const PLAN_WITHOUT_VALUES: &str = "wats-scim-plan-without-values/1";
pub(crate) const JOURNAL: &str = "wats-scim-journal/1";
pub(crate) const TRAIL: &str = "wats-scim-trail/1";

/// The reason why a file of one format is not read as another, with what to do.
pub(crate) fn mismatch(found: &str, expected: &str) -> Option<String> {
    let kind = |format: &str| format.split_once('/').map_or_else(String::new, |(kind, _)| kind.to_owned());
    if found == expected {
        return None;
    }
    let found_kind = kind(found);
    let what = [
        (expected, ""),
        (PLAN, "it is a plan; read it with serde_json, as a Plan"),
        (PLAN_WITHOUT_VALUES, "it is a plan without values, for review; use the plan that it was made from"),
        (JOURNAL, "it is the journal of an apply; read it with Journal::plan or Journal::steps"),
        (TRAIL, "it is an audit trail; read it with Trail::read"),
    ]
    .into_iter()
    .find_map(|(format, what)| (kind(format) == found_kind).then_some(what));
    Some(match what {
        Some("") | None => {
            let found: String = found.chars().take(60).collect();
            format!("its format is {found:?}, and this version reads {expected:?}; use the version that wrote it")
        }
        Some(what) => what.to_owned(),
    })
}

/// The format that the first line of a file names; `None` if it names none.
pub(crate) fn of_line(line: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Named {
        format: String,
    }
    serde_json::from_slice(line).ok().map(|Named { format }| format)
}

/// The error for a file whose first line names another format.
pub(crate) fn check_line(line: &[u8], expected: &str) -> io::Result<()> {
    match of_line(line).and_then(|found| mismatch(&found, expected)) {
        Some(why) => Err(io::Error::new(io::ErrorKind::InvalidData, why)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_format_is_distinguished_from_the_others() {
        let all = [PLAN, PLAN_WITHOUT_VALUES, JOURNAL, TRAIL];
        for found in all {
            for expected in all {
                let why = mismatch(found, expected);
                assert_eq!(why.is_none(), found == expected, "{found} {expected}");
                assert!(why.is_none_or(|why| why.starts_with("it is ")), "{found} {expected}");
            }
            let later = found.replace("/1", "/2");
            assert!(mismatch(&later, found).unwrap().contains("use the version that wrote it"));
        }
        assert!(mismatch("x", PLAN).unwrap().starts_with("its format is \"x\""));
    }
}
