//! The syntax tree of a filter, and its text.

use std::fmt;

use serde_json::Value;

use super::{AttributePath, Filter, FilterError};

/// The maximum nesting of parentheses and brackets. Parsing, printing and evaluation are recursive, so
/// the limit prevents a stack overflow from a hostile filter.
pub(super) const MAX_DEPTH: usize = 64;

/// The rules of the grammar of RFC 7644 §3.4.2.2.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expression {
    Compare {
        path: AttributePath,
        operator: Operator,
        /// Never an array or an object.
        value: Value,
    },
    Present {
        path: AttributePath,
    },
    /// Two or more, none of which is itself an `And`.
    And(Vec<Filter>),
    /// Two or more, none of which is itself an `Or`.
    Or(Vec<Filter>),
    Not(Box<Filter>),
    ValuePath {
        path: AttributePath,
        /// Contains no other value path.
        filter: Box<Filter>,
    },
    /// An invalid argument of a constructor, which `Filter::check` reports.
    Invalid(FilterError),
}

/// The comparison operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Contains,
    StartsWith,
    EndsWith,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

impl Operator {
    pub(super) const ALL: [Self; 9] = [
        Self::Equal,
        Self::NotEqual,
        Self::Contains,
        Self::StartsWith,
        Self::EndsWith,
        Self::Greater,
        Self::GreaterOrEqual,
        Self::Less,
        Self::LessOrEqual,
    ];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "eq",
            Self::NotEqual => "ne",
            Self::Contains => "co",
            Self::StartsWith => "sw",
            Self::EndsWith => "ew",
            Self::Greater => "gt",
            Self::GreaterOrEqual => "ge",
            Self::Less => "lt",
            Self::LessOrEqual => "le",
        }
    }

    pub(super) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operator| word.eq_ignore_ascii_case(operator.as_str()))
    }
}

impl Expression {
    /// The first invalid argument of a constructor.
    pub(super) fn first_error(&self) -> Option<&FilterError> {
        match self {
            Self::Compare { .. } | Self::Present { .. } => None,
            Self::And(parts) | Self::Or(parts) => parts.iter().find_map(|part| part.expression.first_error()),
            Self::Not(filter) | Self::ValuePath { filter, .. } => filter.expression.first_error(),
            Self::Invalid(error) => Some(error),
        }
    }

    pub(super) fn has_value_path(&self) -> bool {
        match self {
            Self::Compare { .. } | Self::Present { .. } | Self::Invalid(_) => false,
            Self::And(parts) | Self::Or(parts) => parts.iter().any(|part| part.expression.has_value_path()),
            Self::Not(filter) => filter.expression.has_value_path(),
            Self::ValuePath { .. } => true,
        }
    }
}

impl Filter {
    pub(super) fn leaf(expression: Expression) -> Self {
        Self { expression, depth: 0 }
    }

    pub(super) fn presence(path: AttributePath) -> Self {
        Self::leaf(Expression::Present { path })
    }

    pub(super) fn comparison(path: AttributePath, operator: Operator, value: Value) -> Self {
        Self::leaf(Expression::Compare { path, operator, value })
    }

    pub(super) fn value_path(path: AttributePath, filter: Self) -> Self {
        let depth = filter.depth.saturating_add(1);
        let filter = Box::new(filter);
        Self::nested(Expression::ValuePath { path, filter }, depth)
    }

    pub(super) fn nested(expression: Expression, depth: usize) -> Self {
        if depth > MAX_DEPTH {
            return Self::leaf(Expression::Invalid(FilterError::other(format!(
                "the filter needs more than {MAX_DEPTH} levels of parentheses"
            ))));
        }
        Self { expression, depth }
    }

    pub(super) fn is_or(&self) -> bool {
        matches!(self.expression, Expression::Or(_))
    }

    pub(super) fn depth_in_and(&self) -> usize {
        self.depth.saturating_add(usize::from(self.is_or()))
    }

    pub(super) fn into_and_parts(self) -> Vec<Self> {
        match self.expression {
            Expression::And(parts) => parts,
            _ => vec![self],
        }
    }

    pub(super) fn into_or_parts(self) -> Vec<Self> {
        match self.expression {
            Expression::Or(parts) => parts,
            _ => vec![self],
        }
    }
}

/// Parses the path argument of a constructor.
pub(super) fn parse_path(path: &str) -> Result<AttributePath, FilterError> {
    path.parse().map_err(|error| {
        let path = path.escape_debug();
        FilterError::other(format!("`{path}` is not an attribute path: {error}"))
    })
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // A `Value` prints as JSON, which is the form of `compValue`.
            Self::Compare { path, operator, value } => write!(f, "{path} {} {value}", operator.as_str()),
            Self::Present { path } => write!(f, "{path} pr"),
            Self::And(parts) => write_joined(f, parts, " and "),
            Self::Or(parts) => write_joined(f, parts, " or "),
            Self::Not(filter) => write!(f, "not ({filter})"),
            Self::ValuePath { path, filter } => write!(f, "{path}[{filter}]"),
            // The invalid text is not printed, so it cannot become part of the filter. No valid filter
            // contains a `<`, so no server accepts this one.
            Self::Invalid(_) => f.write_str("<invalid>"),
        }
    }
}

fn write_joined(f: &mut fmt::Formatter<'_>, parts: &[Filter], connective: &str) -> fmt::Result {
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            f.write_str(connective)?;
        }
        // Only an `or` inside an `and` needs parentheses: an `and` binds tighter than an `or`,
        // and neither contains its own kind.
        if connective == " and " && part.is_or() {
            write!(f, "({part})")?;
        } else {
            write!(f, "{part}")?;
        }
    }
    Ok(())
}
