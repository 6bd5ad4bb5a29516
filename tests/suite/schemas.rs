//! The schemas and resource types of a server, and what they say of a resource before it is sent.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};
use wats_scim::{
    AttributeType, Credentials, EnterpriseUser, ErrorKind, Extension, Mutability, Resource, ResourceType,
    SchemaProblemKind, ScimAddress, ScimGroup, ScimManager, ScimMember, ScimUser, ScimUserName, ScimValue, Uniqueness,
};
use wats_scim_sandbox::{Sandbox, StandardSandbox};

use super::{answer, received};
use crate::{ScimClient, maybe_async, test};

fn standard() -> (StandardSandbox, ScimClient) {
    let sandbox = StandardSandbox::start().unwrap();
    let client = ScimClient::new(sandbox.base_url(), Credentials::bearer(sandbox.token())).unwrap();
    (sandbox, client)
}

/// A server that answers every request with this.
fn always(status: u16, body: Value) -> (Sandbox, ScimClient) {
    let sandbox = Sandbox::builder()
        .standard_path()
        .respond_with(move |_| Some(answer(status, "application/scim+json", body.to_string())))
        .start()
        .unwrap();
    let client = ScimClient::new(sandbox.scim_url(), Credentials::bearer(sandbox.token())).unwrap();
    (sandbox, client)
}

#[maybe_async]
#[test]
async fn the_schemas_of_a_server_are_typed() {
    let (_sandbox, client) = standard();
    let schemas = client.schemas().await.unwrap();
    let user = schemas.get(ScimUser::SCHEMA).unwrap();
    let name = user.attribute("USERNAME").unwrap();
    assert_eq!((name.r#type, name.is_required(), name.is_multi_valued()), (Some(AttributeType::String), true, false));
    assert_eq!((name.mutability(), name.uniqueness()), (Mutability::ReadWrite, Uniqueness::Server));
    assert_eq!(user.attribute("groups").unwrap().mutability(), Mutability::ReadOnly);
    let r#type = user.attribute("emails").unwrap().sub_attribute("type").unwrap();
    assert_eq!(r#type.canonical_values.as_deref().unwrap(), ["work", "home", "other"]);
    assert_eq!(user.attribute("profileUrl").unwrap().reference_types.as_deref().unwrap(), ["external"]);
    assert!(schemas.get(EnterpriseUser::SCHEMA).is_some() && schemas.get(ScimGroup::SCHEMA).is_some());
}

#[maybe_async]
#[test]
async fn the_resource_types_of_a_server_are_typed() {
    let (_sandbox, client) = standard();
    let types = client.resource_types().await.unwrap();
    let user = types.iter().find(|one| one.schema.as_deref() == Some(ScimUser::SCHEMA)).unwrap();
    assert_eq!((user.name.as_deref(), user.endpoint.as_deref()), (Some("User"), Some("/Users")));
    let extensions = user.schema_extensions.as_deref().unwrap();
    let enterprise = extensions.iter().find(|one| one.schema.as_deref() == Some(EnterpriseUser::SCHEMA)).unwrap();
    assert_eq!(enterprise.required, Some(false));
}

#[maybe_async]
#[test]
async fn schemas_may_be_an_array_with_truth_values_as_text() {
    let document = json!([{
        "ID": ScimUser::SCHEMA,
        "attributes": [{ "name": "userName", "type": "String", "required": "true", "multiValued": "False" }],
    }]);
    let (_sandbox, client) = always(200, document);
    let schemas = client.schemas().await.unwrap();
    let problems = schemas.check(&ScimUser::default()).unwrap();
    assert_eq!(problems[0].to_string(), "userName is required");
}

#[maybe_async]
#[test]
async fn schemas_that_a_server_does_not_have_are_unsupported() {
    for status in [404, 405, 501] {
        let (_sandbox, client) = always(status, json!({ "status": status.to_string() }));
        for error in [client.schemas().await.unwrap_err(), client.resource_types().await.unwrap_err()] {
            assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
        }
    }
    let sandbox = Sandbox::start().unwrap();
    let error = super::client(&sandbox).schemas().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().ends_with("the server has no document /Schemas"), "{error}");
    assert_eq!(received(&sandbox), Vec::<String>::new());
}

#[maybe_async]
#[test]
async fn an_incomplete_list_of_schemas_is_an_error() {
    for document in
        [json!({ "totalResults": 2, "Resources": [{ "id": "urn:x" }] }), json!({ "Resources": 7 }), json!(7)]
    {
        let (_sandbox, client) = always(200, document.clone());
        let error = client.schemas().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedBody, "{document}: {error}");
    }
    let (_sandbox, client) = always(200, json!({ "totalResults": 2, "Resources": [{ "id": "User" }] }));
    let error = client.resource_types().await.unwrap_err();
    assert!(error.to_string().contains("it has 1 of 2 resources"), "{error}");
    let (_sandbox, client) = always(200, json!({ "totalResults": 0, "Resources": [] }));
    let types = client.resource_types().await.unwrap();
    assert_eq!(types, Vec::<ResourceType>::new());
}

#[maybe_async]
#[test]
async fn a_user_with_every_attribute_is_accepted_and_returned() {
    let (_sandbox, client) = standard();
    let work = EnterpriseUser::default()
        .with_employee_number("701984")
        .with_cost_center("4130")
        .with_organization("Universal Studios")
        .with_division("Theme Park")
        .with_department("Tour Operations")
        .with_manager(ScimManager::new("26118915").with_ref("../Users/26118915"));
    let name = ScimUserName::new("Barbara", "Jensen")
        .with_middle_name("Jane")
        .with_honorific_prefix("Ms.")
        .with_honorific_suffix("III");
    let address = ScimAddress {
        locality: Some("Hollywood".to_owned()),
        r#type: Some("home".to_owned()),
        ..ScimAddress::default()
    };
    let sent = ScimUser::new("bjensen@example.com")
        .with_name(name)
        .with_nick_name("Babs")
        .with_profile_url("https://login.example.com/bjensen")
        .with_title("Tour Guide")
        .with_user_type("Employee")
        .with_preferred_language("en-US")
        .with_locale("en-US")
        .with_timezone("America/Los_Angeles")
        .with_phone_number(ScimValue::new("555-555-5555").with_type("work").with_primary(true))
        .with_phone_number(ScimValue::new("555-555-4444").with_type("mobile"))
        .with_im(ScimValue::new("someaimhandle").with_type("aim"))
        .with_photo(ScimValue::new("https://photos.example.com/F").with_type("photo"))
        .with_address(address)
        .with_entitlement("licence")
        .with_role(ScimValue::new("guide").with_display("Guide"))
        .with_x509_certificate("MIIDQzCCAqygAwIBAgICEAAwDQYJKoZIhvcNAQEFBQAwTjELMAkGA1UEBhMCVVMx")
        .with_extension(&work)
        .unwrap();
    let schemas = client.schemas().await.unwrap();
    assert_eq!(schemas.check(&sent).unwrap(), []);

    let stored = client.create_user(&sent).await.unwrap();
    assert_eq!((stored.title(), stored.timezone()), (Some("Tour Guide"), Some("America/Los_Angeles")));
    assert_eq!(stored.phone_numbers().unwrap(), sent.phone_numbers().unwrap());
    assert_eq!(stored.addresses().unwrap(), sent.addresses().unwrap());
    assert_eq!(stored.roles().unwrap()[0].display.as_deref(), Some("Guide"));
    assert_eq!(stored.name.as_ref().unwrap().middle_name(), Some("Jane"));
    assert_eq!(stored.extension::<EnterpriseUser>().unwrap(), Some(work));
    assert_eq!(stored.get(r#"phoneNumbers[type eq "mobile"].value"#).unwrap(), Some(json!("555-555-4444")));
    let department = format!("{}:department", EnterpriseUser::SCHEMA);
    assert_eq!(stored.get(&department).unwrap(), Some(json!("Tour Operations")));

    // What the server has added is all that it would ignore.
    let found = schemas.check(&stored).unwrap();
    assert!(found.iter().all(|problem| problem.kind == SchemaProblemKind::ReadOnly), "{found:?}");
}

#[maybe_async]
#[test]
async fn the_groups_of_a_user_are_read() {
    let (_sandbox, client) = standard();
    let jane = client.create_user(&ScimUser::new("jane@example.com")).await.unwrap();
    let group = ScimGroup::new("Testers").with_member(ScimMember::new(jane.require_id().unwrap()));
    let schemas = client.schemas().await.unwrap();
    assert_eq!(schemas.check(&group).unwrap(), []);
    let group = client.groups().create(&group).await.unwrap();
    let jane = client.get_user(&jane).await.unwrap().unwrap();
    let groups = jane.groups().unwrap();
    assert_eq!((groups[0].value.as_deref(), groups[0].display.as_deref()), (group.id.as_deref(), Some("Testers")));
    let found = schemas.check(&jane).unwrap();
    assert_eq!((found.len(), found[0].kind), (1, SchemaProblemKind::ReadOnly));
}

/// Any value of an attribute, mostly of a wrong type. A truth value is never text: the sandbox also accepts
/// `"True"`, as Entra ID sends it.
fn value() -> impl Strategy<Value = Value> {
    let plain = prop_oneof![
        Just(Value::Null),
        Just(json!(" ")),
        Just(json!("work")),
        Just(json!("x")),
        any::<bool>().prop_map(Value::from),
        Just(json!(7)),
        Just(json!(1.5)),
    ];
    let names = "value|type|primary|display|givenName|formatted|department|manager|displayName|street|country";
    plain.prop_recursive(2, 12, 3, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            proptest::collection::vec((names, inner), 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// A value of the type of its attribute.
fn good() -> impl Strategy<Value = Vec<(&'static str, Value)>> {
    let plural = json!([{ "value": "a", "type": "work", "primary": true }, { "value": "b", "type": "home" }]);
    let members = vec![
        ("title", json!("Engineer")),
        ("active", json!(true)),
        ("name", json!({ "givenName": "Jane", "middleName": "Q" })),
        ("emails", plural.clone()),
        ("phoneNumbers", plural.clone()),
        ("addresses", json!([{ "country": "NO", "type": "work", "primary": true }])),
        ("roles", json!([{ "value": "r", "type": "any" }])),
        ("password", json!("t1meMa$heen")),
        (EnterpriseUser::SCHEMA, json!({ "department": "Test", "manager": { "value": "7" } })),
    ];
    let count = members.len();
    proptest::sample::subsequence(members, 0..=count)
}

/// A user, most of it valid.
fn any_user() -> impl Strategy<Value = ScimUser> {
    let names = prop::sample::select(vec![
        "userName",
        "externalId",
        "displayName",
        "title",
        "active",
        "name",
        "emails",
        "phoneNumbers",
        "addresses",
        "roles",
        "groups",
        "x509Certificates",
        "password",
        "schemas",
        "badge",
        EnterpriseUser::SCHEMA,
    ]);
    let odd = proptest::collection::vec((names, value()), 0..2);
    (good(), odd).prop_map(|(good, odd)| {
        let mut user = json!({ "userName": "jane@example.com" });
        for (name, value) in good.into_iter().chain(odd) {
            user[name] = value;
        }
        serde_json::from_value(user).unwrap()
    })
}

#[maybe_async]
#[test]
async fn what_the_check_does_not_mention_is_accepted_and_what_it_rejects_is_rejected() {
    let (sandbox, client) = standard();
    let schemas = client.schemas().await.unwrap();
    let mut runner = TestRunner::deterministic();
    let (mut accepted, mut rejected) = (0, 0);
    for _ in 0..400 {
        let user = any_user().new_tree(&mut runner).unwrap().current();
        let found = schemas.check(&user).unwrap();
        let is_fatal =
            |kind| matches!(kind, SchemaProblemKind::Required | SchemaProblemKind::Type | SchemaProblemKind::Primary);
        let is_rejected = found.iter().any(|problem| is_fatal(problem.kind));
        match client.create_user(&user).await {
            Ok(created) => {
                assert!(!is_rejected, "{user:?} is accepted in spite of {found:?}");
                client.delete_user(&created).await.unwrap();
                accepted += 1;
            }
            Err(error) => {
                let is_expected = matches!(error.kind(), ErrorKind::BadRequest | ErrorKind::InvalidInput);
                assert!(is_expected && is_rejected, "{user:?}: {error}, but the check found {found:?}");
                rejected += 1;
            }
        }
    }
    assert!(accepted > 100 && rejected > 100, "{accepted} accepted, {rejected} rejected");
    assert_eq!(sandbox.users(), Vec::<Value>::new());
}
