//! Filters of SCIM resources (RFC 7644 §3.4.2.2).

mod compare;
mod error;
mod excludes;
mod expression;
mod matches;
mod parse;
mod path;
#[cfg(test)]
mod round_trip;
mod scan;
mod select;

use std::fmt;
use std::ops::Not;

use serde_json::Value;

pub use self::error::FilterError;
use self::expression::{Expression, Operator, parse_path};
pub use self::path::{AttributePath, PatchPath};

/// A filter, which selects the resources that a query returns (RFC 7644 §3.4.2.2).
///
/// Build a filter from comparisons, or parse it from text. A value in a constructor is always quoted,
/// so it is safe to build a filter from user input. It is not safe to concatenate user input to text
/// and parse that.
///
/// ```
/// use wats_scim_filter::Filter;
///
/// let filter = Filter::eq("userType", "Employee")
///     .and(Filter::co("emails", "example.com").or(Filter::eq("active", false).not()));
/// assert_eq!(
///     filter.to_string(),
///     r#"userType eq "Employee" and (emails co "example.com" or not (active eq false))"#
/// );
/// assert_eq!(filter.to_string().parse(), Ok(filter));
///
/// assert_eq!(
///     Filter::eq("userName", r#"x" or id pr or title eq ""#).to_string(),
///     r#"userName eq "x\" or id pr or title eq \"""#
/// );
/// ```
///
/// Paths are [attribute paths](AttributePath): `userName`, `name.givenName`, or one of these after the
/// URN of its schema. The constructors do not fail; [`check`](Self::check) reports an invalid path or
/// value.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    expression: Expression,
    /// The number of nested levels of parentheses and brackets in its text.
    depth: usize,
}

/// Comparisons. A value is a string, a number, a boolean or null; [`check`](Filter::check) rejects
/// arrays and objects. NaN and infinity become null, because JSON has neither.
impl Filter {
    /// The attribute equals the value: `userName eq "bjensen"`.
    ///
    /// An attribute without a value equals null.
    #[must_use]
    pub fn eq(path: &str, value: impl Into<Value>) -> Self {
        Self::compare(path, Operator::Equal, value.into())
    }

    /// The attribute does not equal the value: `userType ne "Employee"`.
    #[must_use]
    pub fn ne(path: &str, value: impl Into<Value>) -> Self {
        Self::compare(path, Operator::NotEqual, value.into())
    }

    /// The attribute contains the value: `name.familyName co "O'Malley"`.
    #[must_use]
    pub fn co(path: &str, value: impl Into<Value>) -> Self {
        Self::compare(path, Operator::Contains, value.into())
    }

    /// The attribute starts with the value: `userName sw "J"`.
    #[must_use]
    pub fn sw(path: &str, value: impl Into<Value>) -> Self {
        Self::compare(path, Operator::StartsWith, value.into())
    }

    /// The attribute ends with the value: `userName ew "@example.com"`.
    #[must_use]
    pub fn ew(path: &str, value: impl Into<Value>) -> Self {
        Self::compare(path, Operator::EndsWith, value.into())
    }

    /// The attribute is greater than the value, or later:
    /// `meta.lastModified gt "2011-05-13T04:42:34Z"`.
    #[must_use]
    pub fn gt(path: &str, value: impl Into<Value>) -> Self {
        Self::compare(path, Operator::Greater, value.into())
    }

    /// The attribute is greater than the value, or equal to it:
    /// `meta.lastModified ge "2011-05-13T04:42:34Z"`.
    #[must_use]
    pub fn ge(path: &str, value: impl Into<Value>) -> Self {
        Self::compare(path, Operator::GreaterOrEqual, value.into())
    }

    /// The attribute is less than the value, or earlier:
    /// `meta.lastModified lt "2011-05-13T04:42:34Z"`.
    #[must_use]
    pub fn lt(path: &str, value: impl Into<Value>) -> Self {
        Self::compare(path, Operator::Less, value.into())
    }

    /// The attribute is less than the value, or equal to it:
    /// `meta.lastModified le "2011-05-13T04:42:34Z"`.
    #[must_use]
    pub fn le(path: &str, value: impl Into<Value>) -> Self {
        Self::compare(path, Operator::LessOrEqual, value.into())
    }

    /// The attribute has a value: `title pr`.
    #[must_use]
    pub fn present(path: &str) -> Self {
        match parse_path(path) {
            Ok(path) => Self::presence(path),
            Err(error) => Self::leaf(Expression::Invalid(error)),
        }
    }

    fn compare(path: &str, operator: Operator, value: Value) -> Self {
        if value.is_array() || value.is_object() {
            return Self::leaf(Expression::Invalid(FilterError::other(format!(
                "`{}` cannot be compared with an array or an object",
                path.escape_debug()
            ))));
        }
        match parse_path(path) {
            Ok(path) => Self::comparison(path, operator, value),
            Err(error) => Self::leaf(Expression::Invalid(error)),
        }
    }
}

/// Combinations. Parentheses are added where they are needed.
impl Filter {
    /// Matches if both filters match.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let depth = self.depth_in_and().max(other.depth_in_and());
        let mut parts = self.into_and_parts();
        parts.extend(other.into_and_parts());
        Self::nested(Expression::And(parts), depth)
    }

    /// Matches if at least one of the two filters matches.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let depth = self.depth.max(other.depth);
        let mut parts = self.into_or_parts();
        parts.extend(other.into_or_parts());
        Self::nested(Expression::Or(parts), depth)
    }

    /// Matches if this filter does not; `!filter` is the same.
    #[must_use]
    #[expect(
        clippy::should_implement_trait,
        reason = "`Not` is implemented too; the method can be chained and needs no import"
    )]
    pub fn not(self) -> Self {
        let depth = self.depth.saturating_add(1);
        Self::nested(Expression::Not(Box::new(self)), depth)
    }

    /// Matches if a single value of a multi-valued attribute matches the whole `filter`. The paths in
    /// `filter` are sub-attributes.
    ///
    /// The text of such a filter is also the path of a PATCH operation on these values (RFC 7644
    /// §3.5.2).
    ///
    /// ```
    /// use wats_scim_filter::Filter;
    ///
    /// let work = Filter::eq("type", "work").and(Filter::co("value", "@example.com"));
    /// assert_eq!(
    ///     Filter::any_of("emails", work).to_string(),
    ///     r#"emails[type eq "work" and value co "@example.com"]"#
    /// );
    /// ```
    #[must_use]
    pub fn any_of(path: &str, filter: Self) -> Self {
        if filter.expression.has_value_path() {
            // RFC 7643 §2.3.8: sub-attributes have no sub-attributes.
            return Self::leaf(Expression::Invalid(FilterError::other(format!(
                "the filter of the values of `{}` contains a filter of values",
                path.escape_debug()
            ))));
        }
        match parse_path(path) {
            Ok(path) => Self::value_path(path, filter),
            Err(error) => Self::leaf(Expression::Invalid(error)),
        }
    }

    /// Checks that the filter is valid.
    ///
    /// ```
    /// use wats_scim_filter::Filter;
    ///
    /// let error = Filter::eq("user name", "bjensen").check().unwrap_err();
    /// assert!(error.to_string().starts_with("`user name` is not an attribute path"));
    /// ```
    ///
    /// # Errors
    ///
    /// The first invalid argument of a constructor: an invalid attribute path, an array or object as a
    /// value, a nested value filter, or more than 64 levels of parentheses.
    pub fn check(&self) -> Result<(), FilterError> {
        match self.expression.first_error() {
            Some(error) => Err(error.clone()),
            None => Ok(()),
        }
    }
}

impl Not for Filter {
    type Output = Self;

    fn not(self) -> Self {
        Self::not(self)
    }
}

/// The text that is sent to the server, with operators in lower case and strings quoted as in JSON.
///
/// No server accepts the text of a filter that [`check`](Filter::check) rejects.
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.expression.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn a() -> Filter {
        Filter::present("a")
    }

    fn b() -> Filter {
        Filter::present("b")
    }

    #[test]
    fn an_or_inside_an_and_gets_parentheses() {
        let filter = a().or(b()).and(a());
        assert_eq!(filter.to_string(), "(a pr or b pr) and a pr");
    }

    #[test]
    fn an_and_inside_an_or_needs_no_parentheses() {
        let filter = a().and(b()).or(a());
        assert_eq!(filter.to_string(), "a pr and b pr or a pr");
    }

    #[test]
    fn the_operator_and_the_method_negate_alike() {
        assert_eq!(!a(), a().not());
    }

    #[test]
    fn a_value_cannot_break_out_of_its_string() {
        let filter = Filter::eq("userName", "\" or id pr or title eq \"\\");
        assert_eq!(filter.to_string(), r#"userName eq "\" or id pr or title eq \"\\""#);
    }

    #[test]
    fn a_path_cannot_break_out() {
        let filter = a().and(Filter::present("id pr or b"));
        assert_eq!(filter.to_string(), "a pr and <invalid>");
        assert!(filter.check().is_err());
    }

    #[test]
    fn an_array_is_not_a_value() {
        let filter = Filter::eq("emails", vec!["a", "b"]);
        assert!(filter.check().is_err());
    }

    #[test]
    fn value_paths_do_not_nest() {
        let filter = Filter::any_of("a", Filter::any_of("b", a()).not());
        assert!(filter.check().is_err());
    }
}
