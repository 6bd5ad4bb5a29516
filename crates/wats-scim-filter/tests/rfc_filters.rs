//! The filters and paths in RFC 7644 outside Figures 2 and 8, which the unit tests cover.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use wats_scim_filter::{AttributePath, Filter, PatchPath};

/// Checks that a text prints as `printed`, and that `printed` parses to the same value.
#[track_caller]
fn parse<T: FromStr<Err: Debug> + Display + PartialEq + Debug>(text: &str, printed: &str) -> T {
    let parsed: T = text.parse().unwrap_or_else(|error| panic!("{text}: {error:?}"));
    assert_eq!(parsed.to_string(), printed);
    assert_eq!(printed.parse::<T>().unwrap(), parsed, "{text}");
    parsed
}

#[test]
fn filters() {
    for (text, printed) in [
        // §3.4.2.2: operators in any letter case
        (r#"userName Eq "john""#, r#"userName eq "john""#),
        (r#"Username eq "john""#, r#"Username eq "john""#),
        // §3.4.3
        (r#"displayName sw "smith""#, r#"displayName sw "smith""#),
        // §3.12, Table 9
        ("(userName pr)", "userName pr"),
    ] {
        parse::<Filter>(text, printed);
    }
}

#[test]
fn examples_that_violate_the_grammar_are_rejected() {
    for text in [
        // §3.4.2.1 has values without quotes, and §3.7.1 with quotes other than those of JSON.
        "(meta.resourceType eq User) or (meta.resourceType eq Group)",
        "displayName sw 'Group'",
    ] {
        assert!(text.parse::<Filter>().is_err(), "{text}");
    }
    // §3.5.2.2 has a value without the space before it.
    let text = r#"members[value eq"2819c223...919d-413861904646"]"#;
    assert!(text.parse::<PatchPath>().is_err(), "{text}");
}

#[test]
fn patch_paths() {
    for text in [
        // §3.5.2
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber",
        // §3.5.2.2
        r#"members[value eq "2819c223-7f76-...413861904646"]"#,
        r#"emails[type eq "work" and value ew "example.com"]"#,
        // §3.5.2.3
        r#"addresses[type eq "work"]"#,
        r#"addresses[type eq "work"].streetAddress"#,
        // §3.7.3
        "nickName",
        "userName",
    ] {
        parse::<PatchPath>(text, text);
    }
}

#[test]
fn attribute_notation() {
    for (text, schema, name, sub_attribute) in [
        // §3.4.2.2 and §3.9
        ("userName", None, "userName", None),
        ("name.givenName", None, "name", Some("givenName")),
        ("emails", None, "emails", None),
        // §3.10
        (
            "urn:ietf:params:scim:schemas:core:2.0:User:userName",
            Some("urn:ietf:params:scim:schemas:core:2.0:User"),
            "userName",
            None,
        ),
        (
            "urn:ietf:params:scim:schemas:exampleCo:2.0:hr:age",
            Some("urn:ietf:params:scim:schemas:exampleCo:2.0:hr"),
            "age",
            None,
        ),
        (
            "urn:ietf:params:scim:schemas:core:2.0:User:name.givenName",
            Some("urn:ietf:params:scim:schemas:core:2.0:User"),
            "name",
            Some("givenName"),
        ),
    ] {
        let path = parse::<AttributePath>(text, text);
        assert_eq!((path.schema(), path.name(), path.sub_attribute()), (schema, name, sub_attribute), "{text}");
        parse::<PatchPath>(text, text);
        let present = format!("{text} pr");
        parse::<Filter>(&present, &present);
    }
}

/// RFC 7643 §2.3.8: a complex attribute cannot contain another one.
#[test]
fn value_paths_do_not_nest() {
    assert!("emails[value[type pr]]".parse::<PatchPath>().is_err());
    assert!("emails[value[type pr]]".parse::<Filter>().is_err());
}
