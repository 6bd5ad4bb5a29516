//! A parsed filter or path round-trips through its text, and can be evaluated.
#![no_main]

use std::fmt::{Debug, Display};
use std::str::FromStr;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use wats_scim::Filter;
use wats_scim::filter::{AttributePath, FilterError, PatchPath};

static USER: LazyLock<Value> = LazyLock::new(|| {
    json!({
        "id": "Ab1", "userName": "BJensen", "nickName": "", "title": null, "active": true, "age": 30.5, "tags": ["x", "y"],
        "emails": [{ "value": "a@example.com", "type": "work" }, { "value": "b@example.org", "primary": true }, 7, []],
        "meta": { "lastModified": "2011-05-13T04:42:34.5Z", "version": "W/\"a\"" },
        "urn:x:2.0:User": { "department": "Straße" },
    })
});

fuzz_target!(|text: &str| {
    parsed::<AttributePath>(text);
    if let Some(filter) = parsed::<Filter>(text) {
        assert_eq!(filter.check(), Ok(()));
        let matches = filter.matches(&USER);
        let opposite = !filter;
        assert!(opposite.check().is_err() || opposite.matches(&USER) != matches);
    }
    if let Some(path) = parsed::<PatchPath>(text)
        && let Some(filter) = path.filter()
    {
        // RFC 7644 §3.5.2: the two grammars share `valuePath`.
        let value_path = format!("{}[{filter}]", path.path()).parse::<Filter>();
        assert_eq!(value_path, Ok(Filter::any_of(&path.path().to_string(), filter.clone())));
    }
});

fn parsed<T: FromStr<Err = FilterError> + Display + PartialEq + Debug>(text: &str) -> Option<T> {
    let value: T = text.parse().ok()?;
    let printed = value.to_string();
    let again: T = printed.parse().expect("a printed value is parsed");
    assert_eq!(again, value, "{printed}");
    assert_eq!(again.to_string(), printed);
    Some(value)
}
