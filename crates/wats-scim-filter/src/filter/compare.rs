//! Comparison of two values (RFC 7644 §3.4.2.2, table 3).

use std::cmp::Ordering;

use serde_json::{Number, Value};

use super::expression::Operator;
use crate::json::text_key;

/// Whether the comparison is true. Values of different types are not comparable. `ne` is not decided
/// here: it is the opposite of `eq` over all values.
pub(super) fn compare(actual: &Value, operator: Operator, operand: &Value, exact: bool) -> bool {
    match (actual, operand) {
        (Value::String(actual), Value::String(operand)) if exact => compare_strings(actual, operator, operand),
        (Value::String(actual), Value::String(operand)) => {
            compare_strings(&text_key(actual), operator, &text_key(operand))
        }
        (Value::Number(actual), Value::Number(operand)) => {
            compare_numbers(actual, operand).is_some_and(|ordering| accepts(operator, ordering))
        }
        (Value::Bool(actual), Value::Bool(operand)) => operator == Operator::Equal && actual == operand,
        _ => false,
    }
}

fn compare_strings(actual: &str, operator: Operator, operand: &str) -> bool {
    match operator {
        Operator::Equal => actual == operand,
        Operator::Contains => actual.contains(operand),
        Operator::StartsWith => actual.starts_with(operand),
        Operator::EndsWith => actual.ends_with(operand),
        _ => match (utc(actual), utc(operand)) {
            (Some(actual), Some(operand)) => accepts(operator, actual.cmp(operand)),
            _ => accepts(operator, actual.cmp(operand)),
        },
    }
}

/// A date and time in UTC as text that sorts by time: without the `Z`, which sorts after the `.` of a
/// fraction, and without trailing zeros of the fraction. A time without a zone is valid (RFC 7643 §2.3.5),
/// and is taken as UTC.
fn utc(text: &str) -> Option<&str> {
    let time = text.strip_suffix(['Z', 'z']).unwrap_or(text);
    let is_date = time.bytes().take(19).zip(b"0000-00-00T00:00:00").all(|(byte, form)| match form {
        b'0' => byte.is_ascii_digit(),
        form => byte.eq_ignore_ascii_case(form),
    });
    let is_fraction = |rest: &str| {
        rest.is_empty() || rest.strip_prefix('.').is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
    };
    if !is_date || !time.get(19..).is_some_and(is_fraction) {
        return None;
    }
    Some(if time.contains('.') { time.trim_end_matches('0').trim_end_matches('.') } else { time })
}

fn compare_numbers(actual: &Number, operand: &Number) -> Option<Ordering> {
    let whole = |number: &Number| {
        let signed = number.as_i64().map(i128::from);
        signed.or_else(|| number.as_u64().map(i128::from))
    };
    match (whole(actual), whole(operand)) {
        (Some(actual), Some(operand)) => Some(actual.cmp(&operand)),
        _ => actual.as_f64()?.partial_cmp(&operand.as_f64()?),
    }
}

fn accepts(operator: Operator, ordering: Ordering) -> bool {
    match operator {
        Operator::Equal => ordering.is_eq(),
        Operator::Greater => ordering.is_gt(),
        Operator::GreaterOrEqual => ordering.is_ge(),
        Operator::Less => ordering.is_lt(),
        Operator::LessOrEqual => ordering.is_le(),
        Operator::NotEqual | Operator::Contains | Operator::StartsWith | Operator::EndsWith => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_compared_exactly() {
        let (less, greater) = (Number::from(u64::MAX - 1), Number::from(u64::MAX));
        assert_eq!(compare_numbers(&less, &greater), Some(Ordering::Less));
    }

    #[test]
    fn trailing_zeros_of_a_fraction_are_ignored() {
        assert_eq!(utc("2011-05-13T04:42:30.00Z"), utc("2011-05-13T04:42:30Z"));
        assert_eq!(utc("2011-05-13T04:42:30.10Z"), utc("2011-05-13T04:42:30.1Z"));
    }

    #[test]
    fn a_time_without_a_zone_is_in_utc() {
        assert_eq!(utc("2019-02-18T08:03:34"), utc("2019-02-18T08:03:34.0Z"));
        assert_eq!(utc("2019-02-18T08:03:34+02:00"), None);
        assert_eq!(utc("2019-02-18T08:03"), None);
    }

    #[test]
    fn text_that_ends_in_z_is_not_always_a_date() {
        assert_eq!(utc("jazz"), None);
        assert_eq!(utc("not a datez"), None);
    }

    #[test]
    fn every_string_contains_the_empty_one() {
        assert!(compare_strings("a", Operator::Contains, ""));
    }
}
