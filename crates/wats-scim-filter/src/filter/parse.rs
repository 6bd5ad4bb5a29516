//! From text to filters and PATCH paths: the ABNF of RFC 7644 §3.4.2.2 and §3.5.2, by recursive
//! descent.

use std::str::FromStr;

use serde_json::Value;

use super::expression::{MAX_DEPTH, Operator};
use super::path::check_name;
use super::scan::{Scanner, number};
use super::{AttributePath, Filter, FilterError, PatchPath};

/// Parses a filter as a server does: letter case is ignored in operators, `and`, `or`, `not`, `true`,
/// `false` and `null`, and any amount of white space is accepted.
///
/// More than 64 KiB of text or more than 64 levels of parentheses are rejected.
impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        let mut parser = Parser::new(text)?;
        let filter = parser.disjunction()?;
        parser.scanner.skip_spaces();
        parser.scanner.end("a space and `and` or `or`, or the end of the filter")?;
        Ok(filter)
    }
}

/// `PATH = attrPath / valuePath [subAttr]` (RFC 7644 §3.5.2).
impl FromStr for PatchPath {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        let mut parser = Parser::new(text)?;
        parser.scanner.skip_spaces();
        let path = parser.path()?;
        let mut filter = None;
        let mut sub_attribute = None;
        if parser.scanner.eat('[') {
            parser.in_brackets = true;
            filter = Some(parser.group(']')?);
            if parser.scanner.eat('.') {
                let offset = parser.scanner.position();
                let name = parser.scanner.word();
                check_name(name, "a sub-attribute name").map_err(|error| error.shifted(offset))?;
                parser.scanner.advance(name.len());
                sub_attribute = Some(name.to_owned());
            }
        }
        parser.scanner.skip_spaces();
        parser.scanner.end("the end of the path")?;
        Ok(Self { path, filter, sub_attribute })
    }
}

struct Parser<'a> {
    scanner: Scanner<'a>,
    depth: usize,
    in_brackets: bool,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Result<Self, FilterError> {
        Ok(Self { scanner: Scanner::new(text)?, depth: 0, in_brackets: false })
    }

    /// Filters joined by `or`, which has the lowest precedence.
    fn disjunction(&mut self) -> Result<Filter, FilterError> {
        let mut filter = self.conjunction()?;
        while self.connective("or")? {
            filter = filter.or(self.conjunction()?);
        }
        Ok(filter)
    }

    fn conjunction(&mut self) -> Result<Filter, FilterError> {
        let mut filter = self.term()?;
        while self.connective("and")? {
            filter = filter.and(self.term()?);
        }
        Ok(filter)
    }

    /// `SP word SP`; otherwise reads nothing.
    fn connective(&mut self, word: &str) -> Result<bool, FilterError> {
        let before = self.scanner.mark();
        if self.scanner.skip_spaces() && self.scanner.keyword(word) {
            self.scanner.spaces()?;
            return Ok(true);
        }
        self.scanner.rewind(before);
        Ok(false)
    }

    fn term(&mut self) -> Result<Filter, FilterError> {
        self.scanner.skip_spaces();
        let before = self.scanner.mark();
        // `not` is only reserved before a parenthesis: an attribute may have that name.
        if self.scanner.keyword("not") {
            self.scanner.skip_spaces();
            if self.scanner.eat('(') {
                return Ok(self.group(')')?.not());
            }
            self.scanner.rewind(before);
        }
        if self.scanner.eat('(') {
            return self.group(')');
        }
        if self.scanner.word().is_empty() {
            return Err(self.scanner.expected("an attribute path, `not` or `(`"));
        }
        let path = self.path()?;
        let spaced = self.scanner.skip_spaces();
        if self.scanner.is_at('[') && self.in_brackets {
            // RFC 7643 §2.3.8: sub-attributes have no sub-attributes.
            return Err(self.scanner.expected("an operator, since brackets do not nest,"));
        }
        if self.scanner.eat('[') {
            self.in_brackets = true;
            let filter = self.group(']')?;
            self.in_brackets = false;
            return Ok(Filter::value_path(path, filter));
        }
        if !spaced {
            return Err(self.scanner.expected("a space and an operator"));
        }
        if self.scanner.keyword("pr") {
            return Ok(Filter::presence(path));
        }
        let word = self.scanner.word();
        let operator = Operator::from_word(word)
            .ok_or_else(|| self.scanner.expected("an operator (eq, ne, co, sw, ew, gt, ge, lt, le or pr)"))?;
        self.scanner.advance(word.len());
        self.scanner.spaces()?;
        let value = self.value()?;
        Ok(Filter::comparison(path, operator, value))
    }

    /// The filter after an opening parenthesis or bracket, up to and including the closing one.
    fn group(&mut self, close: char) -> Result<Filter, FilterError> {
        if self.depth >= MAX_DEPTH {
            let what = format!("at most {MAX_DEPTH} levels of parentheses");
            return Err(self.scanner.expected(&what));
        }
        self.depth = self.depth.saturating_add(1);
        let filter = self.disjunction()?;
        self.scanner.skip_spaces();
        if !self.scanner.eat(close) {
            return Err(self.scanner.expected(&format!("a space and `and` or `or`, or `{close}`")));
        }
        self.depth = self.depth.saturating_sub(1);
        Ok(filter)
    }

    fn path(&mut self) -> Result<AttributePath, FilterError> {
        let offset = self.scanner.position();
        let word = self.scanner.word();
        let path = word.parse::<AttributePath>().map_err(|error| error.shifted(offset))?;
        self.scanner.advance(word.len());
        Ok(path)
    }

    /// `compValue`: JSON, except that the letter case of the three keywords is ignored, as in ABNF.
    fn value(&mut self) -> Result<Value, FilterError> {
        if self.scanner.is_at('"') {
            return self.scanner.string().map(Value::String);
        }
        let word = self.scanner.word();
        let value = match word.to_ascii_lowercase().as_str() {
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            "null" => Some(Value::Null),
            _ => number(word).map(Value::Number),
        };
        let value = value.ok_or_else(|| self.scanner.expected("a quoted string, a number, true, false or null"))?;
        self.scanner.advance(word.len());
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(text: &str) -> String {
        text.parse::<Filter>().unwrap().to_string()
    }

    fn error(text: &str) -> String {
        text.parse::<Filter>().unwrap_err().to_string()
    }

    #[test]
    fn and_binds_tighter_than_or() {
        let [a, b, c] = ["a", "b", "c"].map(Filter::present);
        assert_eq!("a pr or b pr and c pr".parse(), Ok(a.or(b.and(c))));
    }

    #[test]
    fn not_binds_tighter_than_and() {
        let [a, b] = ["a", "b"].map(Filter::present);
        assert_eq!("not (a pr) and b pr".parse(), Ok(a.not().and(b)));
    }

    #[test]
    fn keywords_ignore_case() {
        assert_eq!(printed("NOT (a EQ TRUE) And b Pr OR c ne Null"), "not (a eq true) and b pr or c ne null");
    }

    #[test]
    fn more_white_space_is_tolerated() {
        let text = " ( a  pr\n or b  eq  1 )  and emails [ type eq \"x\" ] ";
        assert_eq!(printed(text), "(a pr or b eq 1) and emails[type eq \"x\"]");
    }

    #[test]
    fn attributes_may_be_named_like_keywords() {
        assert_eq!(printed("not pr and and pr"), "not pr and and pr");
    }

    #[test]
    fn an_error_has_the_position_in_characters() {
        assert_eq!(error("ä pr"), "expected an attribute name at character 0, found `ä`");
        assert_eq!(
            error(r#"a eq "äö" nor b pr"#),
            "expected a space and `and` or `or`, or the end of the filter at character 10, \
             found `nor`"
        );
        assert_eq!(
            error("(a pr"),
            "expected a space and `and` or `or`, or `)` at character 5, found the end of the text"
        );
    }

    #[test]
    fn values_are_json() {
        for text in ["01", "+1", "1.", ".5", "NaN", "1e999", "'x'", "[]", r#""\x""#, r#""x"#] {
            assert!(format!("a eq {text}").parse::<Filter>().is_err(), "{text}");
        }
    }

    #[test]
    fn brackets_do_not_nest() {
        assert!(error("a[b[c pr]]").contains("at character 3"));
    }

    #[test]
    fn no_filter_is_empty() {
        for text in ["", " ", "()", "not ()", "a[]"] {
            assert!(text.parse::<Filter>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_filter_cannot_have_a_sub_attribute_after_its_brackets() {
        assert!(error("emails[type pr].value pr").contains("at character 15"));
    }

    #[test]
    fn a_patch_path_ends_after_its_sub_attribute() {
        assert!("emails[type pr].value pr".parse::<PatchPath>().is_err());
        assert!("emails[type pr].value.x".parse::<PatchPath>().is_err());
    }
}
