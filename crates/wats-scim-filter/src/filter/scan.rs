//! The scanner: tokens of a filter, and their positions.

use serde_json::Number;

use super::FilterError;

/// The maximum length of the text, in bytes. It is far more than fits into a URL.
const MAX_LENGTH: usize = 64 * 1024;

/// A text, and the position up to which it was read.
pub(super) struct Scanner<'a> {
    text: &'a str,
    /// The text that was not read yet.
    rest: &'a str,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Result<Self, FilterError> {
        if text.len() > MAX_LENGTH {
            return Err(FilterError::other(format!("the text is longer than {MAX_LENGTH} bytes")));
        }
        Ok(Self { text, rest: text })
    }

    /// The position to return to.
    pub(super) fn mark(&self) -> &'a str {
        self.rest
    }

    pub(super) fn rewind(&mut self, mark: &'a str) {
        self.rest = mark;
    }

    pub(super) fn is_at(&self, c: char) -> bool {
        self.rest.starts_with(c)
    }

    pub(super) fn string(&mut self) -> Result<String, FilterError> {
        let mut escaped = false;
        let end = self.rest.bytes().skip(1).position(|byte| {
            let ends = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            ends
        });
        // `position` counts from after the opening quote; the closing quote is part of the literal.
        let literal = end.and_then(|end| self.rest.get(..end.saturating_add(2)));
        let literal = literal.ok_or_else(|| self.expected("a string with a closing quote"))?;
        let string = serde_json::from_str(literal).map_err(|_| self.expected("a string with the escapes of JSON"))?;
        self.advance(literal.len());
        Ok(string)
    }

    /// Everything up to white space, a quote, a parenthesis or a bracket.
    pub(super) fn word(&self) -> &'a str {
        let ends = |c: char| c.is_ascii_whitespace() || matches!(c, '"' | '(' | ')' | '[' | ']');
        self.rest.split(ends).next().unwrap_or_default()
    }

    pub(super) fn keyword(&mut self, keyword: &str) -> bool {
        let found = self.word().eq_ignore_ascii_case(keyword);
        if found {
            self.advance(keyword.len());
        }
        found
    }

    pub(super) fn eat(&mut self, c: char) -> bool {
        let rest = self.rest.strip_prefix(c);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    pub(super) fn skip_spaces(&mut self) -> bool {
        let before = self.rest.len();
        self.rest = self.rest.trim_ascii_start();
        self.rest.len() < before
    }

    pub(super) fn spaces(&mut self) -> Result<(), FilterError> {
        if self.skip_spaces() { Ok(()) } else { Err(self.expected("a space")) }
    }

    pub(super) fn end(&self, expected: &str) -> Result<(), FilterError> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.expected(expected)) }
    }

    pub(super) fn advance(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    pub(super) fn position(&self) -> usize {
        let read = self.text.len().saturating_sub(self.rest.len());
        let read = self.text.get(..read).unwrap_or_default();
        read.chars().count()
    }

    pub(super) fn expected(&self, what: &str) -> FilterError {
        let found = match self.word() {
            "" => self.rest,
            word => word,
        };
        FilterError::syntax(self.position(), what, found)
    }
}

/// A JSON number; `None` if it is not one or too large.
pub(super) fn number(word: &str) -> Option<Number> {
    let number: Number = serde_json::from_str(word).ok()?;
    if number.is_f64() {
        // The standard library rounds correctly, so a printed number is read back unchanged;
        // serde_json needs a feature for that.
        return Number::from_f64(word.parse().ok()?);
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_more_than_64_kib_is_rejected() {
        assert!(Scanner::new(&" ".repeat(65_536)).is_ok());
        assert!(Scanner::new(&" ".repeat(65_537)).is_err());
    }

    #[test]
    fn an_escaped_quote_does_not_end_a_string() {
        let mut scanner = Scanner::new(r#""a\"b\\" c"#).unwrap();
        assert_eq!(scanner.string().unwrap(), r#"a"b\"#);
        assert_eq!(scanner.mark(), " c");
    }

    #[test]
    fn printed_floats_are_read_back() {
        for float in [f64::MIN_POSITIVE, f64::MAX, 0.1, -0.0, 1e16, 5e-324] {
            let printed = Number::from_f64(float).unwrap().to_string();
            assert_eq!(number(&printed).unwrap().to_string(), printed);
        }
    }
}
