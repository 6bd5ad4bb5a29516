//! Evaluates a filter as a server does (RFC 7644 §3.4.2.2).

use serde_json::Value;

use super::compare::compare;
use super::expression::{Expression, Operator};
use super::{AttributePath, Filter};
use crate::json::{self, same_name};

/// The schemas whose attributes are at the top level of a resource; the attributes of any other schema
/// are in a member with its name (RFC 7643 §3.3).
const CORE_SCHEMAS: [&str; 2] =
    ["urn:ietf:params:scim:schemas:core:2.0:User", "urn:ietf:params:scim:schemas:core:2.0:Group"];

impl Filter {
    /// Whether a resource matches the filter, as on a server with the schemas of RFC 7643 only.
    ///
    /// - Letter case is ignored in attribute names and in strings, except in the values of `id`,
    ///   `externalId`, `$ref`, `meta.version`, `meta.location` and `meta.resourceType`.
    /// - A multi-valued attribute matches if one of its values matches. A complex value is compared by
    ///   its sub-attribute `value`.
    /// - An attribute that is null, empty or missing is not present, and equals null.
    /// - `ne` is the opposite of `eq`.
    /// - Values of different types are neither equal nor ordered. Booleans have no order. Dates in UTC
    ///   are compared as points in time.
    /// - A filter that [`check`](Self::check) rejects matches nothing.
    ///
    /// ```
    /// use wats_scim_filter::Filter;
    ///
    /// let user = serde_json::json!({
    ///     "userName": "bjensen",
    ///     "emails": [{"value": "bjensen@example.com", "type": "work"}],
    /// });
    /// assert!(Filter::eq("username", "BJensen").matches(&user));
    /// assert!(Filter::ew("emails", "@example.com").matches(&user));
    /// assert!(!Filter::any_of("emails", Filter::eq("type", "home")).matches(&user));
    /// ```
    #[must_use]
    pub fn matches(&self, resource: &Value) -> bool {
        self.check().is_ok() && self.holds(resource, None)
    }

    /// `parent` is the attribute of the enclosing value path.
    pub(super) fn holds(&self, value: &Value, parent: Option<&AttributePath>) -> bool {
        match &self.expression {
            Expression::Compare { path, operator, value: operand } => {
                let exact = is_case_exact(path, parent);
                let any = |operator| compared(value, path).any(|actual| compare(actual, operator, operand, exact));
                match (operator, operand) {
                    (Operator::Equal, Value::Null) => !is_any_present(value, path),
                    (Operator::NotEqual, Value::Null) => is_any_present(value, path),
                    (Operator::NotEqual, _) => !any(Operator::Equal),
                    (operator, _) => any(*operator),
                }
            }
            Expression::Present { path } => is_any_present(value, path),
            Expression::And(parts) => parts.iter().all(|part| part.holds(value, parent)),
            Expression::Or(parts) => parts.iter().any(|part| part.holds(value, parent)),
            Expression::Not(filter) => !filter.holds(value, parent),
            Expression::ValuePath { path, filter } => values(value, path).any(|value| filter.holds(value, Some(path))),
            Expression::Invalid(_) => false,
        }
    }
}

/// Whether the attributes of a schema are at the top level of a resource.
pub(super) fn is_core(schema: &str) -> bool {
    CORE_SCHEMAS.iter().any(|core| same_name(core, schema))
}

/// The values at a path: none, one, or all values of a multi-valued attribute.
pub(super) fn values<'a>(resource: &'a Value, path: &'a AttributePath) -> impl Iterator<Item = &'a Value> {
    let holder = match path.schema() {
        Some(schema) if !is_core(schema) => member(resource, schema),
        _ => Some(resource),
    };
    holder
        .and_then(|holder| member(holder, path.name()))
        .into_iter()
        .flat_map(each)
        .filter_map(|value| match path.sub_attribute() {
            Some(sub) => member(value, sub),
            None => Some(value),
        })
        .flat_map(each)
}

/// The values at a path that are compared: of each complex value, its `value`.
pub(super) fn compared<'a>(resource: &'a Value, path: &'a AttributePath) -> impl Iterator<Item = &'a Value> {
    values(resource, path).filter_map(|value| match value {
        Value::Object(_) => member(value, "value"),
        _ => Some(value),
    })
}

pub(super) fn member<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    json::member(value.as_object()?, name)
}

pub(super) fn each(value: &Value) -> &[Value] {
    match value {
        Value::Array(values) => values,
        value => std::slice::from_ref(value),
    }
}

pub(super) fn is_any_present(resource: &Value, path: &AttributePath) -> bool {
    values(resource, path).any(is_present)
}

pub(super) fn is_present(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(_) | Value::Number(_) => true,
        Value::String(string) => !string.is_empty(),
        Value::Array(values) => values.iter().any(is_present),
        Value::Object(members) => members.values().any(is_present),
    }
}

/// The attributes that RFC 7643 §3.1 declares `caseExact`, and references, which always are (§2.3.7).
fn is_case_exact(path: &AttributePath, parent: Option<&AttributePath>) -> bool {
    let (name, sub) = match parent {
        Some(parent) => (parent.name(), Some(path.name())),
        None => (path.name(), path.sub_attribute()),
    };
    let is = |name: &str, names: &[&str]| names.iter().any(|known| same_name(known, name));
    match sub {
        None => is(name, &["id", "externalId", "$ref"]),
        Some(sub) => is(sub, &["$ref"]) || is(name, &["meta"]) && is(sub, &["version", "location", "resourceType"]),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

    fn holds(filter: &str) -> bool {
        let user = json!({
            "id": "Ab1",
            "userName": "BJensen",
            "nickName": "",
            "displayName": null,
            "active": true,
            "age": 30,
            "name": {"givenName": "Barbara"},
            "title": {},
            "tags": ["x", "y"],
            "emails": [
                {"value": "a@example.com", "type": "work"},
                {"value": "b@example.org", "type": "home", "$ref": "https://x/B"},
            ],
            ENTERPRISE: {"department": "Sales", "manager": {"value": "m1"}},
            "meta": {"lastModified": "2011-05-13T04:42:34.5Z", "version": "W/\"a\""},
        });
        filter.parse::<Filter>().unwrap().matches(&user)
    }

    #[test]
    fn attribute_names_and_strings_ignore_case() {
        assert!(holds(r#"USERNAME eq "bjensen""#));
    }

    #[test]
    fn identifiers_are_case_sensitive() {
        assert!(holds(r#"id eq "Ab1""#));
        assert!(!holds(r#"id eq "ab1""#));
        assert!(!holds(r#"meta.version eq "w/\"A\"""#));
        assert!(!holds(r#"meta[version eq "w/\"A\""]"#));
        assert!(!holds(r#"emails[$ref ew "b"]"#));
    }

    #[test]
    fn one_of_several_values_is_enough() {
        assert!(holds(r#"tags eq "y""#));
        assert!(holds(r#"emails.type eq "home""#));
    }

    #[test]
    fn complex_values_are_compared_by_their_value() {
        assert!(holds(r#"emails ew "example.org""#));
        assert!(!holds(r#"emails eq "work""#));
    }

    #[test]
    fn brackets_select_one_value() {
        let sub = r#"type eq "work" and value co "org""#;
        assert!(!holds(&format!("emails[{sub}]")));
        assert!(holds(r#"emails.type eq "work" and emails.value co "org""#));
    }

    #[test]
    fn extensions_are_found_by_their_urn() {
        assert!(holds(&format!(r#"{ENTERPRISE}:department eq "sales""#)));
        let lower = ENTERPRISE.to_lowercase();
        assert!(holds(&format!(r#"{lower}:manager.value eq "m1""#)));
        assert!(!holds(r#"department eq "sales""#));
    }

    #[test]
    fn the_urn_of_a_core_schema_is_the_top_level() {
        assert!(holds("urn:ietf:params:scim:schemas:core:2.0:user:name.givenName pr"));
    }

    #[test]
    fn empty_attributes_are_not_present() {
        for path in ["nickName", "displayName", "title", "unknown", "name.unknown"] {
            assert!(!holds(&format!("{path} pr")), "{path}");
            assert!(holds(&format!("{path} eq null")), "{path}");
        }
        assert!(holds("name pr and active ne null"));
    }

    #[test]
    fn ne_is_the_opposite_of_eq() {
        assert!(!holds(r#"tags ne "x""#));
        assert!(holds(r#"unknown ne "x""#));
    }

    #[test]
    fn numbers_are_ordered_as_numbers() {
        assert!(holds("age gt 9 and age le 30.0 and age eq 30.0"));
        assert!(!holds(r#"age gt "9""#));
    }

    #[test]
    fn booleans_have_no_order() {
        assert!(holds("active eq true"));
        assert!(!holds("active ge true"));
    }

    #[test]
    fn dates_are_ordered_by_time() {
        assert!(holds(r#"meta.lastModified gt "2011-05-13T04:42:34Z""#));
        assert!(holds(r#"meta.lastModified le "2011-05-13T04:42:34.500Z""#));
        assert!(holds(r#"meta.lastModified lt "2011-05-13T04:42:35Z""#));
    }

    #[test]
    fn the_negation_of_an_invalid_filter_matches_nothing() {
        assert!(!Filter::present("no path").not().matches(&json!({})));
    }
}
