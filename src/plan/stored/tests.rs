use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::config::Profile;
use crate::model::{Origin, ScimUser};
use crate::plan::{Current, Ours, Policy};

/// A plan with all that a plan can have.
fn plan() -> Plan {
    let current: Vec<ScimUser> = serde_json::from_value(json!([
        { "id": "1", "userName": "ann", "externalId": "7", "active": true, "meta": { "version": "W/\"1\"" },
          "name": { "familyName": "Doe" },
          "urn:ietf:params:scim:schemas:extension:custom:2.0:user": { "levels": "A" } },
        { "id": "2", "userName": "bob", "active": true },
        { "id": "3", "userName": "eve", "urn:ietf:params:scim:schemas:extension:custom:2.0:user": { "levels": "A" } },
    ]))
    .unwrap();
    let desired: Vec<ScimUser> = serde_json::from_value(json!([
        { "userName": "cy", "password": "canary", "x": { "a": [1.50, 12_345_678_901_234_567_890_u64] } },
        { "userName": "ann", "externalId": "7", "name": { "familyName": "Roe" },
          "urn:ietf:params:scim:schemas:extension:custom:2.0:user": { "levels": "B" } },
        { "userName": "eve", "urn:ietf:params:scim:schemas:extension:custom:2.0:user": { "levels": "" } },
        { "userName": "dee" }, { "userName": "dee" },
    ]))
    .unwrap();
    let current = Current::complete(current).of_server("https://a.example/scim");
    let plan = Policy::new(&Profile::wats()).ours(Ours::Everybody).clears(["title"]).plan(&current, &desired).unwrap();
    let mut plan = plan.with_made_by("nightly").with_policy(json!({ "leavers": "deactivate" }));
    plan.conflicts[0].held = Some(crate::plan::Reference::id("1"));
    plan.steps[0].origin = Some(Origin::row(Some("people.csv"), 2));
    plan.steps[1].origin = Some(Origin::held(Some("https://b.example"), "9"));
    let members = json!([{ "id": "1", "externalId": "7", "name": "ann" }, { "type": "Group", "name": "G" }]);
    for action in ["addMembers", "removeMembers"] {
        let step = json!({ "action": action, "name": "G", "id": "g", "members": members });
        plan.steps.push(serde_json::from_value(step).unwrap());
    }
    plan
}

fn stored() -> Value {
    serde_json::to_value(plan()).unwrap()
}

fn why(edited: &Value) -> String {
    serde_json::from_value::<Plan>(edited.clone()).unwrap_err().to_string()
}

#[test]
fn a_stored_plan_has_its_format_its_maker_and_its_time() {
    let stored = stored();
    assert_eq!(stored["format"], "wats-scim-plan/1");
    assert_eq!((&stored["server"], &stored["madeBy"]), (&json!("https://a.example/scim"), &json!("nightly")));
    assert!(stored["madeAt"].is_string() && stored["salt"].is_string());
    assert_eq!(stored["policy"], json!({ "leavers": "deactivate" }));
    let counts = json!({ "create": 1, "update": 1, "deactivate": 1, "addMembers": 1, "removeMembers": 1 });
    assert_eq!(stored["counts"], counts);
    assert_eq!(stored["digest"], plan_of(&stored).digest());
    let causes: Vec<_> = stored["steps"].as_array().unwrap().iter().map(|step| &step["cause"]).collect();
    assert_eq!(causes, ["source", "source", "missing", "source", "source"]);
    assert_eq!(stored["steps"][0]["origin"], json!({ "file": "people.csv", "line": 2 }));
    assert_eq!(stored["steps"][2]["origin"], json!({ "server": "https://a.example/scim", "id": "2" }));
}

fn plan_of(stored: &Value) -> Plan {
    serde_json::from_value(stored.clone()).unwrap()
}

/// The members of all objects in another order.
fn reversed(value: Value) -> Value {
    match value {
        Value::Object(members) => members.into_iter().rev().map(|(name, value)| (name, reversed(value))).collect(),
        Value::Array(items) => items.into_iter().map(reversed).collect(),
        value => value,
    }
}

#[test]
fn a_plan_has_one_digest_however_it_is_written() {
    let plan = plan();
    let text = serde_json::to_string_pretty(&plan).unwrap();
    let read: Plan = serde_json::from_str(&text).unwrap();
    assert_eq!((read.digest(), &read), (plan.digest(), &plan));
    assert_eq!(plan_of(&reversed(stored())).digest().len(), 64);
    assert_eq!(serde_json::to_string_pretty(&read).unwrap(), text);
}

/// Every value of the stored plan is covered by the digest.
#[test]
fn a_plan_that_was_edited_after_it_was_stored_is_not_read() {
    let stored = stored();
    let mut paths = Vec::new();
    leaves(&stored, "", &mut paths);
    assert!(paths.len() > 60, "{paths:?}");
    for path in paths.iter().filter(|path| *path != "/format") {
        let mut edited = stored.clone();
        let leaf = edited.pointer_mut(path).unwrap();
        *leaf = match leaf.clone() {
            Value::Bool(truth) => (!truth).into(),
            Value::Number(number) => (number.as_f64().unwrap() + 1.0).into(),
            Value::String(text) => format!("{text}x").into(),
            _ => "x".into(),
        };
        assert!(serde_json::from_value::<Plan>(edited).is_err(), "{path}");
    }
    let mut edited = stored.clone();
    edited["madeBy"] = "mallory".into();
    assert!(why(&edited).starts_with("the plan was edited after it was stored"), "{}", why(&edited));
    edited.as_object_mut().unwrap().remove("digest");
    assert_eq!(plan_of(&edited).made_by.as_deref(), Some("mallory"));
    edited["steps"].as_array_mut().unwrap().pop();
    assert!(why(&edited).starts_with("the counts of the plan are not those of its steps"), "{}", why(&edited));
    edited.as_object_mut().unwrap().remove("counts");
    assert_eq!(plan_of(&edited).steps.len(), 4);
}

fn leaves(value: &Value, path: &str, paths: &mut Vec<String>) {
    match value {
        Value::Object(members) if !members.is_empty() => members.iter().for_each(|(name, value)| {
            leaves(value, &format!("{path}/{}", name.replace('/', "~1")), paths);
        }),
        Value::Array(items) if !items.is_empty() => {
            items.iter().enumerate().for_each(|(at, value)| leaves(value, &format!("{path}/{at}"), paths));
        }
        _ => paths.push(path.to_owned()),
    }
}

#[test]
fn another_format_is_not_read_as_a_plan() {
    let mut stored = stored();
    for (format, expected) in [
        ("wats-scim-plan/2", "its format is \"wats-scim-plan/2\", and this version reads \"wats-scim-plan/1\""),
        ("wats-scim-journal/1", "it is the journal of an apply; read it with Journal::plan"),
        ("wats-scim-trail/1", "it is an audit trail; read it with Trail::read"),
    ] {
        stored["format"] = format.into();
        assert!(why(&stored).starts_with(expected), "{}", why(&stored));
    }
    stored.as_object_mut().unwrap().remove("format");
    assert!(why(&stored).starts_with("missing field `format`"), "{}", why(&stored));
}

#[test]
fn a_password_is_stored_only_if_it_is_allowed() {
    let plan = plan();
    let text = serde_json::to_string(&plan).unwrap();
    assert!(!text.contains("canary") && text.contains(r#""leftOutSecrets":["password"]"#), "{text}");
    let read: Plan = serde_json::from_str(&text).unwrap();
    assert!(plan.missing_secrets(|_| false).is_none());
    assert!(read.missing_secrets(|_| false).unwrap().contains("passwords of 1 users, the first of which is cy"));
    assert!(read.missing_secrets(|step| step == 0).is_none(), "it is done");
    let read = read.with_passwords([("CY", "canary"), ("eve", "x")]);
    assert!(read.missing_secrets(|_| false).is_none());
    let password = |plan: &Plan| plan.steps[0].desired.as_ref().unwrap().attributes.get("password").cloned();
    assert_eq!((password(&read), &read), (password(&plan), &plan));

    let allowed = plan.clone().allow_passwords();
    let text = serde_json::to_string(&allowed).unwrap();
    assert!(text.contains("canary"));
    let read: Plan = serde_json::from_str(&text).unwrap();
    assert_eq!(read.steps, allowed.steps);
    assert_eq!(serde_json::to_string(&read).unwrap(), text);
    assert!(!serde_json::to_string(&plan.steps[0]).unwrap().contains("canary"), "a step alone");
}

/// A value that may have passwords at any depth.
fn any_value() -> impl Strategy<Value = Value> {
    let name = || prop::sample::select(&["a", "password", "newPassword", "b"][..]);
    let leaf = prop_oneof![
        name().prop_map(|name| Value::from(format!("of {name}"))),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter_map("a number", |number| serde_json::Number::from_f64(number).map(Value::from)),
        Just(Value::Null),
    ];
    leaf.prop_recursive(3, 12, 3, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::vec((name(), inner), 0..3).prop_map(|members| {
                // What is below a password is secret.
                let secret = |name: &str, value| if name.contains("assword") { json!(["canary"]) } else { value };
                members.into_iter().map(|(name, value)| (name, secret(name, value))).collect()
            }),
        ]
    })
}

proptest! {
    #[test]
    fn any_plan_is_read_as_it_was_stored_and_has_no_password(
        values in prop::collection::vec((any_value(), any_value()), 1..4), allows in any::<bool>(),
    ) {
        let user = |n: usize, value: &Value| {
            let user = ScimUser::new(format!("user{n}")).with_attribute("urn:x:2.0:User", json!({ "c": value.clone() }));
            user.with_attribute("d", value.clone())
        };
        // The first is new, the others change.
        let held: Vec<_> = values.iter().enumerate().skip(1).map(|(n, (held, _))| user(n, held)).collect();
        let held = held.into_iter().enumerate().map(|(n, user)| ScimUser { id: Some(n.to_string()), ..user });
        let desired: Vec<_> = values.iter().enumerate().map(|(n, (_, desired))| user(n, desired)).collect();
        let plan = Policy::new(&Profile::standard()).plan(&Current::complete(held.collect()), &desired).unwrap();
        let plan = if allows { plan.allow_passwords() } else { plan };
        let text = serde_json::to_string(&plan).unwrap();
        prop_assert!(allows || !text.contains("canary"), "{}", text);
        prop_assert!(!plan.to_string().contains("canary"), "{}", plan);
        let read: Plan = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&read, &plan);
        prop_assert_eq!(read.digest(), plan.digest());
        prop_assert_eq!(serde_json::to_string(&read).unwrap(), text.clone());
        let by_value: Plan = serde_json::from_value(serde_json::from_str(&text).unwrap()).unwrap();
        prop_assert_eq!(by_value.digest(), plan.digest());
        let is_lost = read.missing_secrets(|_| false).is_some();
        prop_assert_eq!(is_lost, text.contains("leftOutSecrets"));
    }
}

/// The keywords of JSON Schema that the schema of a plan uses. Adds the paths of the properties that the
/// value has to `seen`.
fn validate(schema: &Value, value: &Value, root: &Value, seen: &mut BTreeSet<String>) -> Result<(), String> {
    for (keyword, rule) in schema.as_object().unwrap() {
        let is_valid = match keyword.as_str() {
            "$ref" => {
                let at = rule.as_str().unwrap().strip_prefix('#').unwrap();
                validate(root.pointer(at).unwrap(), value, root, seen)?;
                true
            }
            "const" => value == rule,
            "enum" => rule.as_array().unwrap().contains(value),
            "type" => match rule.as_str().unwrap() {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "boolean" => value.is_boolean(),
                "integer" => value.is_u64(),
                other => panic!("{other}"),
            },
            "required" => rule.as_array().unwrap().iter().all(|name| value.get(name.as_str().unwrap()).is_some()),
            "additionalProperties" => {
                let known = schema["properties"].as_object().unwrap();
                value.as_object().unwrap().keys().all(|name| known.contains_key(name))
            }
            "properties" => {
                for (name, rule) in rule.as_object().unwrap() {
                    if let Some(value) = value.get(name) {
                        // The address of a property tells those of one name apart.
                        seen.insert(format!("{name} {:p}", std::ptr::from_ref(rule)));
                        validate(rule, value, root, seen)?;
                    }
                }
                true
            }
            "items" => {
                for item in value.as_array().unwrap() {
                    validate(rule, item, root, seen)?;
                }
                true
            }
            "anyOf" => rule.as_array().unwrap().iter().any(|rule| validate(rule, value, root, seen).is_ok()),
            "minimum" | "pattern" | "format" | "description" | "title" | "$schema" | "$defs" => true,
            other => panic!("the test does not know {other}"),
        };
        if !is_valid {
            return Err(format!("{keyword} {rule} is not met by {value}"));
        }
    }
    Ok(())
}

fn properties(schema: &Value, found: &mut BTreeSet<String>) {
    for (keyword, rule) in schema.as_object().into_iter().flatten() {
        if keyword == "properties" {
            for (name, rule) in rule.as_object().unwrap() {
                found.insert(format!("{name} {:p}", std::ptr::from_ref(rule)));
            }
        }
        match rule {
            Value::Array(rules) => rules.iter().for_each(|rule| properties(rule, found)),
            rule => properties(rule, found),
        }
    }
}

#[test]
fn the_json_schema_describes_every_member_of_a_stored_plan() {
    let schema: Value = serde_json::from_str(include_str!("../../../docs/plan.schema.json")).unwrap();
    let (mut seen, mut known) = (BTreeSet::new(), BTreeSet::new());
    validate(&schema, &stored(), &schema, &mut seen).unwrap();
    properties(&schema, &mut known);
    let unseen: Vec<_> = known.difference(&seen).map(|name| name.split(' ').next().unwrap()).collect();
    let counts = ["adopt", "createGroup", "delete", "deleteGroup", "freeName", "reactivate", "renameGroup"];
    assert_eq!(unseen, counts, "members that a plan never has");
    assert!(validate(&schema, &json!({ "format": "wats-scim-plan/1" }), &schema, &mut seen).is_err());
    let mut more = stored();
    more["steps"][0]["more"] = 1.into();
    assert!(validate(&schema, &more, &schema, &mut seen).is_err());
}

#[test]
fn the_json_schema_has_every_action_and_cause() {
    let schema: Value = serde_json::from_str(include_str!("../../../docs/plan.schema.json")).unwrap();
    let step = &schema["$defs"]["step"]["properties"];
    let actions: Vec<Action> = serde_json::from_value(step["action"]["enum"].clone()).unwrap();
    let counted = schema["properties"]["counts"]["properties"].as_object().unwrap();
    assert!(counted.keys().eq(step["action"]["enum"].as_array().unwrap().iter().map(|name| name.as_str().unwrap())));
    // An error names all that are known.
    let names = serde_json::from_str::<Action>("\"x\"").unwrap_err().to_string();
    assert_eq!(names.matches('`').count(), 2 * (actions.len() + 1), "{names}");
    let names = serde_json::from_str::<crate::plan::Cause>("\"x\"").unwrap_err().to_string();
    assert_eq!(names.matches('`').count(), 2 * (step["cause"]["enum"].as_array().unwrap().len() + 1), "{names}");
}
