use proptest::prelude::*;

use super::*;
use crate::plan::{Action, Current, Guard, Policy, Write};

const DEPARTMENT: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department";

fn source() -> ScimUser {
    let jane = json!({
        "userName": " Jane ", "externalId": "7", "title": "M", "active": true, "emails": [{ "value": "J.Doe@x.org" }],
        "name": { "givenName": "Jane", "familyName": "Doe" },
    });
    serde_json::from_value(jane).unwrap()
}

fn mapped(path: &str, value: Derived) -> Value {
    let mapping = Mapping::new().with(path, value).unwrap();
    let stored = serde_json::to_value(&mapping).unwrap();
    assert_eq!(serde_json::from_value::<Mapping>(stored).unwrap(), mapping);
    let users = mapping.apply(&[source()]).unwrap();
    let user = object(&users[0]).unwrap();
    value_at(&user, path).cloned().unwrap_or_default()
}

#[test]
fn a_value_is_computed_from_others() {
    let of = Derived::of;
    let names = || [of("name.givenName"), of("nickName"), of("name.familyName")];
    for (value, expected) in [
        (Derived::constant("C"), json!("C")),
        (of("externalId"), json!("7")),
        (of("emails"), json!("J.Doe@x.org")),
        (of("active"), json!("true")),
        (of("name"), Value::Null),
        (of("nickName"), Value::Null),
        (Derived::first_of([of("nickName"), of("title")]), json!("M")),
        (Derived::template("{name.givenName} {{{name.familyName}}}").unwrap(), json!("Jane {Doe}")),
        (Derived::template("{nickName}@x").unwrap(), Value::Null),
        (of("userName").trim(), json!("Jane")),
        (of("title").lower(), json!("m")),
        (of("name.familyName").upper(), json!("DOE")),
        (of("emails").split("@", 0), json!("J.Doe")),
        (of("emails").split("@", 2), Value::Null),
        (of("emails").split("", 0), json!("J.Doe@x.org")),
        (Derived::join(names(), "-"), json!("Jane-Doe")),
        (of("title").look_up([("M", "Manager")]), json!("Manager")),
        (of("title").look_up([("m", "Manager")]), Value::Null),
    ] {
        assert_eq!(mapped("displayName", value.clone()), expected, "{value:?}");
    }
}

#[test]
fn every_kind_of_attribute_can_be_set() {
    let constant = || Derived::constant("C");
    assert_eq!(mapped("userName", constant()), "C");
    assert_eq!(mapped("NAME.givenname", constant()), "C");
    assert_eq!(mapped(DEPARTMENT, constant()), "C");
    assert_eq!(mapped("roles", constant()), json!([{ "value": "C" }]));
    assert_eq!(mapped("emails", constant()), json!([{ "value": "C" }]));
    let users = Mapping::new().with("name.givenName", constant()).unwrap().apply(&[source()]).unwrap();
    let name = users[0].name.as_ref().unwrap();
    assert_eq!((name.given_name.as_deref(), name.family_name.as_deref()), (Some("C"), Some("Doe")));
}

#[test]
fn rules_read_the_source_and_not_each_other() {
    let swap = Mapping::new().with("title", Derived::of("externalId")).unwrap();
    let swap = swap.with("externalId", Derived::of("title")).unwrap();
    let user = swap.apply(&[source()]).unwrap().remove(0);
    assert_eq!((user.external_id.as_deref(), user.attributes.get("title")), (Some("M"), Some(&json!("7"))));
}

#[test]
fn a_mapping_that_cannot_work_is_not_read() {
    for (file, why) in [
        (json!({ "title": { "template": "{a" } }), "not closed"),
        (json!({ "title": { "template": "a}" } }), "not opened"),
        (json!({ "a b": { "constant": "C" } }), "not the path of an attribute"),
        (json!({ "title": { "shout": "C" } }), "unknown variant"),
        (json!({ "title": { "split": { "of": { "of": "title" }, "by": "-" } } }), "missing field"),
    ] {
        let error = serde_json::from_value::<Mapping>(file).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}

proptest! {
    #[test]
    fn a_template_of_braces_is_an_error_or_has_a_value(text in "[{}a]{0,8}") {
        if let Ok(template) = Template::try_from(text.clone()) {
            prop_assert_eq!(String::from(template.clone()), text);
            let user = json!({ "a": "b", "aa": "b", "": "b" });
            prop_assert!(template.value(user.as_object().unwrap()).is_none_or(|value| value.len() <= 8));
        }
    }
}

#[test]
fn a_policy_computes_attributes_before_it_matches_users() {
    let held = ScimUser::new("ann.doe@example.com").with_external_id("1").with_display_name("Ann Doe");
    let source: ScimUser = serde_json::from_value(json!({
        "externalId": "1", "name": { "givenName": "Ann", "familyName": "Doe" }, "userType": "left",
    }))
    .unwrap();
    let file = json!({ "mapping": {
        "userName": { "lower": { "template": "{name.givenName}.{name.familyName}@example.com" } },
        "displayName": { "template": "{name.givenName} {name.familyName}" },
        "active": { "lookUp": { "of": { "of": "userType" }, "in": { "left": "False" }, "otherwise": { "constant": "true" } } },
    } });
    let policy: Policy = serde_json::from_value(file).unwrap();
    let policy = policy.write("name", Write::Never).write("userType", Write::Never);
    let current = Current::complete(vec![held]);
    let plan = policy.plan(&current, std::slice::from_ref(&source)).unwrap();
    assert_eq!(plan.steps.len(), 1, "{plan}");
    assert_eq!(plan.steps[0].action, Action::Deactivate, "{plan}");
    let explained = policy.explain(&current, std::slice::from_ref(&source), "ann.doe@example.com").to_string();
    assert!(explained.contains("in the source: ann.doe@example.com"), "{explained}");

    let file = json!({ "mapping": { "active": { "of": "userType" } } });
    let policy: Policy = serde_json::from_value(file).unwrap();
    let refusal = policy.plan(&current, std::slice::from_ref(&source)).unwrap_err();
    assert_eq!(refusal.guard(), Guard::Unmapped);
    assert!(refusal.to_string().contains("neither true nor false; correct the mapping"), "{refusal}");
}

#[test]
fn what_has_parts_or_belongs_to_the_server_cannot_be_computed() {
    for path in ["name", "ID", "meta", "schemas"] {
        let error = Mapping::new().with(path, Derived::constant("x")).unwrap_err().to_string();
        assert!(error.contains("cannot be computed"), "{error}");
    }
}
