//! Printing and parsing are inverse.

use proptest::prelude::*;
use serde_json::Value;

use super::expression::Operator;
use super::{AttributePath, Filter, PatchPath};

/// Figure 2 of RFC 7644.
const EXAMPLES: [&str; 17] = [
    r#"userName eq "bjensen""#,
    r#"name.familyName co "O'Malley""#,
    r#"userName sw "J""#,
    r#"urn:ietf:params:scim:schemas:core:2.0:User:userName sw "J""#,
    "title pr",
    r#"meta.lastModified gt "2011-05-13T04:42:34Z""#,
    r#"meta.lastModified ge "2011-05-13T04:42:34Z""#,
    r#"meta.lastModified lt "2011-05-13T04:42:34Z""#,
    r#"meta.lastModified le "2011-05-13T04:42:34Z""#,
    r#"title pr and userType eq "Employee""#,
    r#"title pr or userType eq "Intern""#,
    r#"schemas eq "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User""#,
    r#"userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")"#,
    r#"userType ne "Employee" and not (emails co "example.com" or emails.value co "example.org")"#,
    r#"userType eq "Employee" and (emails.type eq "work")"#,
    r#"userType eq "Employee" and emails[type eq "work" and value co "@example.com"]"#,
    r#"emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]"#,
];

#[test]
fn the_examples_of_rfc_7644_print_unchanged_except_for_redundant_parentheses() {
    for text in EXAMPLES {
        let filter: Filter = text.parse().unwrap();
        let expected = text.replace(r#"(emails.type eq "work")"#, r#"emails.type eq "work""#);
        assert_eq!(filter.to_string(), expected);
        assert_eq!(filter.to_string().parse(), Ok(filter));
    }
}

#[test]
fn the_example_paths_of_rfc_7644_print_unchanged() {
    for text in [
        "members",
        "name.familyName",
        r#"addresses[type eq "work"]"#,
        r#"members[value eq "2819c223-7f76-453a-919d-413861904646"]"#,
        r#"members[value eq "2819c223-7f76-453a-919d-413861904646"].displayName"#,
    ] {
        assert_eq!(text.parse::<PatchPath>().unwrap().to_string(), text);
    }
}

#[test]
fn the_grouping_of_one_connective_is_ignored() {
    let a = || Filter::present("a");
    assert_eq!(a().and(a().and(a())), a().and(a()).and(a()));
    assert_eq!(a().or(a().or(a())), a().or(a()).or(a()));
}

#[test]
fn nesting_is_limited_to_what_can_be_parsed() {
    let deep = (0..64).fold(Filter::present("a"), |filter, _| !filter);
    assert_eq!(deep.check(), Ok(()));
    assert_eq!(deep.to_string().parse(), Ok(deep.clone()));
    assert!(deep.not().check().is_err());
}

#[test]
fn the_parentheses_of_an_or_count_as_nesting() {
    let a = || Filter::present("a");
    let deep = (0..64).fold(a(), |filter, _| filter.or(a()).and(a()));
    assert_eq!(deep.to_string().parse(), Ok(deep.clone()));
    assert!(deep.or(a()).and(a()).check().is_err());
}

#[test]
fn hostile_nesting_is_rejected_in_text() {
    for open in ["(", "not (", "a["] {
        assert!(open.repeat(5_000).parse::<Filter>().is_err());
    }
}

#[test]
fn a_hostile_length_is_rejected_in_text() {
    let of_length = |length: usize| format!("a eq \"{}\"", "x".repeat(length - 7)).parse::<Filter>();
    assert!(of_length(64 << 10).is_ok());
    let error = of_length((64 << 10) + 1).unwrap_err().to_string();
    assert!(error.contains("longer than 65536 bytes") && error.len() < 200, "{error}");
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z][a-zA-Z0-9_$-]{0,6}",
        // Keywords are valid names, too.
        prop::sample::select(vec!["not", "and", "or", "pr", "eq", "true", "null", "$ref"]).prop_map(str::to_owned),
    ]
}

fn path() -> impl Strategy<Value = String> {
    let schema = prop::option::of("urn(:[a-z0-9.-]{1,5}){1,3}");
    (schema, name(), prop::option::of(name())).prop_map(|(schema, name, sub)| {
        let schema = schema.map(|schema| schema + ":").unwrap_or_default();
        let sub = sub.map(|sub| format!(".{sub}")).unwrap_or_default();
        format!("{schema}{name}{sub}")
    })
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<String>().prop_map(Value::from),
        r#"[a" \\()\[\]]{0,8}"#.prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
    ]
}

fn comparison() -> impl Strategy<Value = Filter> {
    let operator = prop::sample::select(Operator::ALL.to_vec());
    prop_oneof![
        4 => (path(), operator, value())
            .prop_map(|(path, operator, value)| Filter::compare(&path, operator, value)),
        1 => path().prop_map(|path| Filter::present(&path)),
    ]
}

fn combined(leaf: impl Strategy<Value = Filter> + 'static) -> impl Strategy<Value = Filter> {
    leaf.prop_recursive(5, 24, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| a.and(b)),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| a.or(b)),
            inner.prop_map(Filter::not),
        ]
    })
}

fn filter() -> impl Strategy<Value = Filter> {
    let value_path = (path(), combined(comparison())).prop_map(|(path, filter)| Filter::any_of(&path, filter));
    combined(prop_oneof![3 => comparison(), 1 => value_path])
}

proptest! {
    #[test]
    fn any_string_is_only_a_value(string: String) {
        let filter = Filter::eq("userName", string);
        prop_assert_eq!(filter.to_string().parse(), Ok(filter));
    }

    #[test]
    fn any_path_is_accepted_whole_or_reported(path in r#"[a-z:. "()\[\]$-]{0,12}"#) {
        let filter = Filter::present(&path);
        match filter.check() {
            Ok(()) => prop_assert_eq!(filter.to_string(), format!("{path} pr")),
            Err(_) => prop_assert!(filter.to_string().parse::<Filter>().is_err()),
        }
    }

    #[test]
    fn any_filter_is_parsed_as_it_was_built(filter in filter()) {
        prop_assert_eq!(filter.check(), Ok(()));
        prop_assert_eq!(filter.to_string().parse(), Ok(filter));
    }

    #[test]
    fn any_filter_selects_values_for_a_patch(
        path in path(),
        filter in combined(comparison()),
        sub in prop::option::of(name()),
    ) {
        let sub = sub.map(|sub| format!(".{sub}")).unwrap_or_default();
        let text = format!("{}{sub}", Filter::any_of(&path, filter.clone()));
        let parsed: PatchPath = text.parse().unwrap();
        prop_assert_eq!(parsed.to_string(), text);
        prop_assert_eq!(parsed.filter(), Some(&filter));
    }

    #[test]
    fn what_is_printed_of_any_parsed_text_stays(
        text in r#"(a|b\.c|not| |and|or|pr|eq|co|\(|\)|\[|\]|"x"|1|null){0,12}"#,
    ) {
        if let Ok(filter) = text.parse::<Filter>() {
            prop_assert_eq!(filter.to_string().parse(), Ok(filter));
        }
    }

    #[test]
    fn no_text_makes_the_parsers_panic(text in ".*") {
        let _ = text.parse::<Filter>();
        let _ = text.parse::<PatchPath>();
        let _ = text.parse::<AttributePath>();
        let _ = format!("a eq \"{text}").parse::<Filter>();
        let _ = format!("a[{text}").parse::<PatchPath>();
    }
}
