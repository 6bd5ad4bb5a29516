//! Users written as JSON in any form are read back, and anything ambiguous is an error.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{directory_from_json, users_from_json};
use crate::model::ScimUser;
use crate::plan::{Desired, DesiredGroup, Reference};

/// Any JSON, mostly with the attribute names and values of a user.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "(?i)true|false|\\PC{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::vec((name(), inner), 0..4).prop_map(|members| Value::Object(Map::from_iter(members))),
        ]
    })
}

fn name() -> impl Strategy<Value = String> {
    "active|name|displayName|members|givenName|emails|EMAILS|value|primary|type|meta|version|schemas|externalId|roles|x"
}

fn user() -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::vec((name(), value()), 0..4).prop_map(Map::from_iter)
}

fn group() -> impl Strategy<Value = Option<Vec<Reference>>> {
    let of = |id: String, by: u8, is_group: bool| {
        let reference = match by {
            0 => Reference::id(id),
            1 => Reference::external_id(id),
            _ => Reference::user_name(id),
        };
        if is_group { reference.to_group() } else { reference }
    };
    let member = ("\\PC{0,4}x", 0..3_u8, any::<bool>()).prop_map(move |(id, by, is_group)| of(id, by, is_group));
    prop::option::of(prop::collection::vec(member, 0..4))
}

/// Whether a field's value has an unexpected type.
fn has_mismatch(user: &ScimUser) -> bool {
    let user_fields = ["active", "name", "emails", "meta", "schemas", "externalId", "userName"];
    user_fields.iter().any(|name| user.attributes.get(name).is_some())
        || user.name.iter().any(|name| name.attributes.get("givenName").is_some())
        || user.meta.iter().any(|meta| meta.attributes.get("version").is_some())
        || user
            .emails
            .iter()
            .flatten()
            .any(|email| ["value", "type", "primary"].iter().any(|name| email.attributes.get(name).is_some()))
}

proptest! {
    #[test]
    fn every_form_gives_the_written_users(mut users in prop::collection::vec(user(), 0..6)) {
        for (number, user) in users.iter_mut().enumerate() {
            user.insert("userName".to_owned(), number.to_string().into());
        }
        let lines: Vec<_> = users.iter().map(|user| json!(user).to_string()).collect();
        let array = users_from_json(json!(users).to_string());
        let pretty = users_from_json(format!("{:#}", json!({ "Resources": users })));
        prop_assert_eq!(array.as_ref().ok(), pretty.as_ref().ok());
        if let Ok(users) = &array {
            let written: Vec<ScimUser> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
            prop_assert_eq!(users, &written);
            prop_assert!(!users.iter().any(has_mismatch));
        }
        if !users.is_empty() {
            prop_assert_eq!(array.ok(), users_from_json(lines.join("\n")).ok());
        }
    }

    #[test]
    fn any_directory_is_read_as_it_is_written(groups in prop::collection::vec(group(), 0..5)) {
        let groups: Vec<_> = (0..).zip(groups).map(|(n, members)| {
            DesiredGroup { members, ..DesiredGroup::new(format!("Group {n}")).with_external_id(n.to_string()) }
        }).collect();
        let directory = Desired::of_users(vec![ScimUser::new("ann")]).with_groups(groups.clone());
        let json = json!({ "groups": groups, "users": directory.users() });
        prop_assert_eq!(directory_from_json(json.to_string()).unwrap(), directory);
    }

    #[test]
    fn any_groups_give_a_directory_or_an_error(groups in prop::collection::vec(value(), 0..4)) {
        if let Ok(directory) = directory_from_json(json!({ "users": [], "groups": groups }).to_string()) {
            prop_assert_eq!(directory.groups().map(<[_]>::len), Some(groups.len()));
        }
    }

    #[test]
    fn any_text_gives_users_or_an_error(text in r#"(\[|\]|\{|\}|,|:|"userName"|"a"|"Resources"|1|null| |\n){0,24}"#) {
        match users_from_json(&text) {
            Ok(users) => prop_assert!(users.iter().all(|user| user.user_name.is_some())),
            Err(error) => prop_assert!(error.to_string().contains("nothing was read")),
        }
    }
}
