//! Filters of SCIM resources (RFC 7644 §3.4.2.2).

mod compare;
mod error;
mod expression;
mod matches;
mod parse;
mod path;
#[cfg(test)]
mod round_trip;
mod scan;

use std::fmt;
use std::ops::Not;

use serde_json::Value;

pub use self::error::FilterError;
use self::expression::{Expression, Operator, parse_path};
pub use self::path::{AttributePath, PatchPath};

/// A filter: which resources a query returns (RFC 7644 §3.4.2.2).
///
/// A filter is built from comparisons, or parsed from text. A value that is given to a
/// constructor stays a value, whatever quotes and operators are in it, so a filter can be built
/// from what a user typed; text that is put together and then parsed cannot.
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
/// The paths are attribute paths: `userName`, `name.givenName`, or either one after the URN of
/// its schema. The constructors do not fail: whatever is wrong with a path or a value is kept,
/// and [`check`](Self::check) reports it.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    expression: Expression,
    /// How many levels of parentheses and brackets it is written with.
    depth: usize,
}

/// Comparisons. The value is a string, a number, a boolean or null; an array or an object is
/// reported by [`check`](Filter::check). JSON has no NaN and no infinity: such a float is null.
impl Filter {
    /// The attribute equals the value: `userName eq "bjensen"`.
    ///
    /// Compared with null, it has no value.
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

/// Combinations. Parentheses are written where the structure needs them.
impl Filter {
    /// Both this filter and the other one match.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let depth = self.depth_in_and().max(other.depth_in_and());
        let mut parts = self.into_and_parts();
        parts.extend(other.into_and_parts());
        Self::nested(Expression::And(parts), depth)
    }

    /// This filter matches, or the other one, or both.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let depth = self.depth.max(other.depth);
        let mut parts = self.into_or_parts();
        parts.extend(other.into_or_parts());
        Self::nested(Expression::Or(parts), depth)
    }

    /// This filter does not match; `!filter` is the same.
    #[must_use]
    #[expect(
        clippy::should_implement_trait,
        reason = "`Not` is implemented; this one reads in a chain and needs no import"
    )]
    pub fn not(self) -> Self {
        let depth = self.depth.saturating_add(1);
        Self::nested(Expression::Not(Box::new(self)), depth)
    }

    /// One and the same value of a multi-valued attribute matches the whole filter, whose paths
    /// are sub-attributes.
    ///
    /// Its text is also the path of a PATCH operation on those values (RFC 7644 §3.5.2).
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
            // RFC 7643 §2.3.8: the sub-attributes of an attribute have none of their own.
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

    /// Whether the filter can be sent.
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
    /// The first thing that a constructor was given and could not accept: a path that is no
    /// attribute path, a value that is an array or an object, a filter of values inside another
    /// one, or more than 64 levels of parentheses.
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

/// The text that is sent, operators in lower case, strings quoted as in JSON.
///
/// Where [`check`](Filter::check) reports something, no server accepts the text.
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
    fn an_or_inside_an_and_is_put_in_parentheses() {
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
    fn an_array_is_no_value() {
        let filter = Filter::eq("emails", vec!["a", "b"]);
        assert!(filter.check().is_err());
    }

    #[test]
    fn a_value_path_contains_no_other() {
        let filter = Filter::any_of("a", Filter::any_of("b", a()).not());
        assert!(filter.check().is_err());
    }
}
