//! The report of the checks. It names no server and no person, so that it can be pasted into an issue.

use std::env::consts;
use std::fmt;

use wats_scim::probe;

use crate::failure::Exit;

/// What was checked, in its order.
#[derive(Debug, Default)]
pub(super) struct Report {
    lines: Vec<Line>,
    /// What was measured.
    pub(super) probe: Option<probe::Report>,
    exit: Option<Exit>,
    /// Names that are not shown, such as that of the server.
    pub(super) hidden: Vec<String>,
}

#[derive(Debug)]
struct Line {
    check: &'static str,
    found: String,
    /// What to do about a problem.
    next: Option<String>,
}

/// A check that failed: what was found, what to do next, and the exit code.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) found: String,
    pub(super) next: String,
    pub(super) exit: Exit,
}

impl Problem {
    pub(super) fn new(found: impl Into<String>, next: impl Into<String>, exit: Exit) -> Self {
        Self { found: found.into(), next: next.into(), exit }
    }
}

impl Report {
    /// Adds the result of a check, and returns whether it is ok.
    pub(super) fn add(&mut self, check: &'static str, result: Result<String, Problem>) -> bool {
        let (found, next) = match result {
            Ok(found) => (found, None),
            Err(problem) => {
                self.exit.get_or_insert(problem.exit);
                (problem.found, Some(problem.next))
            }
        };
        let is_ok = next.is_none();
        self.lines.push(Line { check, found: self.hide(&found), next: next.map(|next| self.hide(&next)) });
        is_ok
    }

    /// The exit code of the first problem.
    pub(super) fn exit(&self) -> Exit {
        self.exit.unwrap_or(Exit::Done)
    }

    /// The problems, one sentence each.
    pub(super) fn problems(&self) -> impl Iterator<Item = String> {
        self.lines.iter().filter_map(|line| {
            line.next.as_ref().map(|next| format!("problem: {}: {}; {next}", line.check, line.found))
        })
    }

    fn hide(&self, text: &str) -> String {
        let hidden = self.hidden.iter().filter(|name| !name.is_empty());
        hidden.fold(text.to_owned(), |text, name| text.replace(name.as_str(), "SERVER"))
    }
}

/// Markdown.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "# wats-scim doctor\n")?;
        writeln!(f, "wats-scim {} on {} {}\n", env!("CARGO_PKG_VERSION"), consts::OS, consts::ARCH)?;
        for Line { check, found, next } in &self.lines {
            match next {
                None => writeln!(f, "- ok: {check}: {found}")?,
                Some(next) => writeln!(f, "- **problem**: {check}: {found}. Next: {next}")?,
            }
        }
        if let Some(probe) = &self.probe {
            writeln!(f, "\n```text\n{}\n```", probe.to_string().trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_names_no_server_and_ends_with_the_first_problem() {
        let mut report = Report { hidden: vec!["acme.wats.com".to_owned()], ..Report::default() };
        assert_eq!(report.exit(), Exit::Done);
        assert!(report.add("name", Ok("acme.wats.com has an address".to_owned())));
        assert!(!report.add("tls", Err(Problem::new("not for acme.wats.com", "ask", Exit::Unreachable))));
        report.add("login", Err(Problem::new("no", "login", Exit::Credentials)));
        let text = report.to_string();
        assert!(!text.contains("acme") && text.contains("- **problem**: tls: not for SERVER. Next: ask"), "{text}");
        assert_eq!(report.exit(), Exit::Unreachable);
        assert_eq!(report.problems().count(), 2);
    }
}
