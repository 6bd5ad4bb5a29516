//! Evaluates a filter on a part of a resource: what a server returns can leave out attributes.

use serde_json::Value;

use super::Filter;
use super::compare::compare;
use super::expression::{Expression, Operator};
use super::matches::{compared, is_any_present, is_present, values};

impl Filter {
    /// Whether a resource certainly does not match the filter, however the server compares text.
    ///
    /// Unlike the opposite of [`matches`](Self::matches), this is `false` in case of doubt: about
    /// attributes that the resource does not have, because a server may not return them; about letter
    /// case; about the order of text other than dates in UTC; and about values of different types.
    ///
    /// ```
    /// use wats_scim_filter::Filter;
    ///
    /// let user = serde_json::json!({ "userName": "bjensen" });
    /// assert!(Filter::eq("userName", "jane").excludes(&user));
    /// assert!(!Filter::eq("userName", "BJensen").excludes(&user));
    /// assert!(!Filter::eq("title", "Engineer").excludes(&user));
    /// ```
    #[must_use]
    pub fn excludes(&self, resource: &Value) -> bool {
        self.check().is_ok() && self.decide(resource) == Some(false)
    }

    /// Whether a resource matches; `None` if that is not certain.
    fn decide(&self, resource: &Value) -> Option<bool> {
        match &self.expression {
            Expression::Compare { path, operator: Operator::NotEqual, value: Value::Null } => {
                is_any_present(resource, path).then_some(true)
            }
            Expression::Compare { path, operator: Operator::Equal, value: Value::Null } => {
                is_any_present(resource, path).then_some(false)
            }
            // For one value. Of several, a server may look for one that differs, or for none that is equal.
            Expression::Compare { path, operator: Operator::NotEqual, value } => all_alike(
                compared(resource, path)
                    .filter(|actual| is_present(actual))
                    .map(|actual| decide_one(actual, Operator::Equal, value).map(|is_equal| !is_equal)),
            ),
            Expression::Compare { path, operator, value } => any(compared(resource, path)
                .filter(|actual| is_present(actual))
                .map(|actual| decide_one(actual, *operator, value))),
            Expression::Present { path } => is_any_present(resource, path).then_some(true),
            Expression::And(parts) => any(parts.iter().map(|part| part.decide(resource).map(|is_match| !is_match)))
                .map(|is_failed| !is_failed),
            Expression::Or(parts) => any(parts.iter().map(|part| part.decide(resource))),
            Expression::Not(filter) => filter.decide(resource).map(|is_match| !is_match),
            Expression::ValuePath { path, filter } => any(values(resource, path).map(|value| filter.decide(value))),
            Expression::Invalid(_) => None,
        }
    }
}

/// Whether one is true; `None` if one of them may be, or if there is none.
fn any(decisions: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut result = None;
    let mut is_certain = true;
    for decision in decisions {
        match decision {
            Some(true) => return Some(true),
            Some(false) => result = Some(false),
            None => is_certain = false,
        }
    }
    result.filter(|_| is_certain)
}

/// The decision that all have in common.
fn all_alike(mut decisions: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let first = decisions.next()??;
    decisions.all(|decision| decision == Some(first)).then_some(first)
}

fn decide_one(actual: &Value, operator: Operator, operand: &Value) -> Option<bool> {
    match (actual, operand, operator) {
        (Value::Number(_), Value::Number(_), _) | (Value::Bool(_), Value::Bool(_), Operator::Equal) => {
            Some(compare(actual, operator, operand, true))
        }
        (
            Value::String(_),
            Value::String(_),
            Operator::Equal | Operator::Contains | Operator::StartsWith | Operator::EndsWith,
        ) => {
            let (exact, loose) = (compare(actual, operator, operand, true), compare(actual, operator, operand, false));
            (exact == loose).then_some(exact)
        }
        (Value::String(one), Value::String(other), _) if is_utc(one) && is_utc(other) => {
            Some(compare(actual, operator, operand, true))
        }
        _ => None,
    }
}

fn is_utc(text: &str) -> bool {
    text.as_bytes().get(10) == Some(&b'T') && text.ends_with('Z')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn excludes(filter: &str) -> bool {
        let user = json!({
            "id": "Ab1",
            "userName": "bjensen",
            "active": true,
            "age": 30,
            "emails": [{"value": "a@example.com", "type": "work"}, {"value": "b@example.org", "type": "home"}],
            "meta": {"lastModified": "2011-05-13T04:42:34.5Z"},
        });
        filter.parse::<Filter>().unwrap().excludes(&user)
    }

    #[test]
    fn a_value_that_differs_excludes() {
        for filter in [
            r#"userName eq "jane""#,
            r#"userName ne "bjensen""#,
            "active eq false",
            "age gt 30",
            "userName eq null",
            r#"emails.type eq "other""#,
            r#"emails[type eq "other"]"#,
            r#"meta.lastModified gt "2011-05-13T04:42:35Z""#,
            r#"title pr and userName sw "j""#,
            r#"userName sw "j" or age lt 3"#,
            "not (userName pr)",
        ] {
            assert!(excludes(filter), "{filter}");
        }
    }

    #[test]
    fn a_value_that_is_missing_or_may_be_equal_does_not_exclude() {
        for filter in [
            r#"title eq "Engineer""#,
            "title pr",
            "not (title pr)",
            r#"title eq "x" or userName sw "j""#,
            r#"id eq "ab1""#,
            r#"not (id eq "ab1")"#,
            r#"emails.type ne "work""#,
            r#"userName gt "z""#,
            r#"age eq "30""#,
            r#"emails[type eq "other" and display eq "x"] or title pr"#,
            r#"userName sw "b" and age le 30"#,
        ] {
            assert!(!excludes(filter), "{filter}");
        }
    }
}
