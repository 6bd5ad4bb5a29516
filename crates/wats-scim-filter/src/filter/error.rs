//! The error for an invalid filter or path.

use std::fmt;

/// The error for an invalid [`Filter`](crate::Filter), [`AttributePath`](crate::AttributePath) or
/// [`PatchPath`](crate::PatchPath).
///
/// The message names what was expected, where, and what was found instead.
///
/// ```
/// use wats_scim_filter::Filter;
///
/// let error = "userName = \"bjensen\"".parse::<Filter>().unwrap_err();
/// assert_eq!(error.position(), Some(9));
/// assert_eq!(
///     error.to_string(),
///     "expected an operator (eq, ne, co, sw, ew, gt, ge, lt, le or pr) at character 9, found `=`"
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterError {
    problem: Problem,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Problem {
    Syntax { position: usize, expected: String, found: String },
    Other(String),
}

/// The maximum number of characters of the invalid text in a message.
const FOUND_CHARS: usize = 32;

impl FilterError {
    /// `position` counts characters; `found` is the text there, whose start is quoted.
    pub(super) fn syntax(position: usize, expected: impl Into<String>, found: &str) -> Self {
        let found = if found.is_empty() {
            "the end of the text".to_owned()
        } else {
            let start: String = found.chars().take(FOUND_CHARS).collect();
            format!("`{}`", start.escape_debug())
        };
        Self { problem: Problem::Syntax { position, expected: expected.into(), found } }
    }

    /// An error without a position.
    pub(super) fn other(problem: impl Into<String>) -> Self {
        Self { problem: Problem::Other(problem.into()) }
    }

    /// The same error for a text that begins at `offset` characters in a longer text.
    pub(super) fn shifted(mut self, offset: usize) -> Self {
        if let Problem::Syntax { position, .. } = &mut self.problem {
            *position = position.saturating_add(offset);
        }
        self
    }

    /// The position of the error, in characters from the start of the text.
    ///
    /// It is `None` for a filter that was built and not parsed, and for text that is too long.
    #[must_use]
    pub fn position(&self) -> Option<usize> {
        match &self.problem {
            Problem::Syntax { position, .. } => Some(*position),
            Problem::Other(_) => None,
        }
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.problem {
            Problem::Syntax { position, expected, found } => {
                write!(f, "expected {expected} at character {position}, found {found}")
            }
            Problem::Other(problem) => f.write_str(problem),
        }
    }
}

impl std::error::Error for FilterError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_quotes_only_the_start_of_a_long_text() {
        let error = FilterError::syntax(0, "x", &"a".repeat(10_000));
        assert!(error.to_string().len() < 100);
    }

    #[test]
    fn a_message_escapes_control_characters() {
        let error = FilterError::syntax(0, "x", "\u{1b}[2J");
        assert!(!error.to_string().contains('\u{1b}'));
    }
}
