//! The JSON examples of RFC 7643 §8 and RFC 7644 §3 and §4 that a client reads or writes: each one
//! round-trips.
//!
//! The files are those of the RFCs, without page breaks, line breaks in strings, and "..." for
//! omitted parts. Errors of the RFCs are fixed: a missing brace in each of the two patches without
//! a path, and a missing comma in an error.
#![cfg(feature = "blocking-api")]

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use http::{Request, Response};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use wats_scim::blocking::{HttpClient, HttpScimRepository, ScimService};
use wats_scim::{
    AttributeType, Attributes, Credentials, EnterpriseUser, Extension, ListQuery, Profile, Resource, ResourceType,
    Schema, SchemaAttribute, Schemas, ScimConfig, ScimGroup, ScimListResponse, ScimManager, ScimPatchRequest, ScimUser,
    ScimUserName, ScimValue,
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Reads an example and writes it back.
type Again = fn(&str) -> Result<Value>;

/// The files of `tests/rfc`.
const EXAMPLES: [(&str, Again); 39] = [
    ("rfc7643-8.1-minimal-user", one::<ScimUser>),
    ("rfc7643-8.2-full-user", one::<ScimUser>),
    ("rfc7643-8.3-enterprise-user", one::<ScimUser>),
    ("rfc7643-8.4-group", one::<ScimGroup>),
    ("rfc7643-8.5-service-provider-config", one::<Anything>),
    ("rfc7643-8.6-resource-types", listed::<ResourceType>),
    ("rfc7643-8.7.1-resource-schemas", listed::<Schema>),
    ("rfc7643-8.7.2-service-provider-schemas", listed::<Schema>),
    ("rfc7644-3.3-create-request", one::<ScimUser>),
    ("rfc7644-3.3-created-user", one::<ScimUser>),
    ("rfc7644-3.4.1-known-user", one::<ScimUser>),
    ("rfc7644-3.4.2-list", list::<ScimUser>),
    ("rfc7644-3.4.2.4-list-page", list::<ScimUser>),
    ("rfc7644-3.4.3-search-request", search),
    ("rfc7644-3.4.3-search-response", list::<Anything>),
    ("rfc7644-3.5.1-replace-request", one::<ScimUser>),
    ("rfc7644-3.5.1-replaced-user", one::<ScimUser>),
    ("rfc7644-3.5.2-patch-structure", one::<ScimPatchRequest>),
    ("rfc7644-3.5.2.1-add-attributes", one::<ScimPatchRequest>),
    ("rfc7644-3.5.2.1-add-member", one::<ScimPatchRequest>),
    ("rfc7644-3.5.2.2-remove-all-members", one::<ScimPatchRequest>),
    ("rfc7644-3.5.2.2-remove-and-add-member", one::<ScimPatchRequest>),
    ("rfc7644-3.5.2.2-remove-and-add-members", one::<ScimPatchRequest>),
    ("rfc7644-3.5.2.2-remove-member", one::<ScimPatchRequest>),
    ("rfc7644-3.5.2.2-remove-value", one::<ScimPatchRequest>),
    ("rfc7644-3.5.2.3-replace-attributes", one::<ScimPatchRequest>),
    ("rfc7644-3.5.2.3-replace-members", one::<ScimPatchRequest>),
    ("rfc7644-3.5.2.3-replace-street-address", one::<ScimPatchRequest>),
    ("rfc7644-3.5.2.3-replace-work-address", one::<ScimPatchRequest>),
    ("rfc7644-3.6-error-after-delete", error),
    ("rfc7644-3.7.1-list-of-groups", list::<ScimGroup>),
    ("rfc7644-3.7.2-group", one::<ScimGroup>),
    ("rfc7644-3.7.4-error-too-large", error),
    ("rfc7644-3.9-partial-user", one::<ScimUser>),
    ("rfc7644-3.12-error-mutability", error),
    ("rfc7644-3.12-error-not-found", error),
    ("rfc7644-3.14-create-request", one::<ScimUser>),
    ("rfc7644-3.14-created-user", one::<ScimUser>),
    ("rfc7644-4-list-of-resource-types", list::<Anything>),
];

#[test]
fn every_example_round_trips() {
    for (name, again) in EXAMPLES {
        let text = read(name);
        let example: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name} is no JSON: {error}"));
        let written = again(&text).unwrap_or_else(|error| panic!("{name} is not read: {error}"));
        assert_eq!(
            without_empty(written),
            without_empty(example),
            "{name}: written on the left, the RFC's on the right"
        );
    }
}

/// An empty list is the same as a missing attribute (RFC 7643 §2.5); two schemas have such `canonicalValues`.
fn without_empty(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(without_empty).collect(),
        Value::Object(members) => members
            .into_iter()
            .filter(|(_, value)| value.as_array().is_none_or(|items| !items.is_empty()))
            .map(|(name, value)| (name, without_empty(value)))
            .collect(),
        value => value,
    }
}

#[test]
fn every_file_is_in_the_table() {
    let files: BTreeSet<PathBuf> = fs::read_dir(directory()).unwrap().map(|entry| entry.unwrap().path()).collect();
    let table: BTreeSet<PathBuf> = EXAMPLES.iter().map(|(name, _)| file(name)).collect();
    let only_in_one: Vec<_> = files.symmetric_difference(&table).collect();
    assert!(only_in_one.is_empty(), "not in both the directory and the table: {only_in_one:?}");
}

#[test]
fn known_attributes_are_in_their_fields() {
    let user: ScimUser = serde_json::from_str(&read("rfc7643-8.3-enterprise-user")).unwrap();
    assert_eq!(
        user.attributes.iter().map(|(name, _)| name).collect::<Vec<_>>(),
        [
            "nickName",
            "profileUrl",
            "addresses",
            "phoneNumbers",
            "ims",
            "photos",
            "userType",
            "title",
            "preferredLanguage",
            "locale",
            "timezone",
            "password",
            "groups",
            "x509Certificates",
            EnterpriseUser::SCHEMA,
        ]
    );
    let work = user.extension::<EnterpriseUser>().unwrap().unwrap();
    assert_eq!(serde_json::to_value(&work).unwrap(), user.attributes.get(EnterpriseUser::SCHEMA).cloned().unwrap());
    let manager = work.manager.unwrap();
    assert!(work.attributes.is_empty() && manager.attributes.is_empty());
    assert_eq!(manager.display_name.as_deref(), Some("John Smith"));

    let meta = user.meta.unwrap();
    assert_eq!(meta.version.as_deref(), Some(r#"W/"3694e05e9dff591""#));
    assert_eq!(meta.last_modified_at().unwrap().to_rfc3339(), "2011-05-13T04:42:34+00:00");

    let group: ScimGroup = serde_json::from_str(&read("rfc7643-8.4-group")).unwrap();
    assert!(group.attributes.is_empty());
    let ids: Vec<_> = group.member_ids().collect();
    assert_eq!(ids, ["2819c223-7f76-453a-919d-413861904646", "902c246b-6245-4190-8e05-00816be7344a"]);
}

/// The user with the same attributes, each read from its field or method and set by its builder.
fn rebuilt(user: &ScimUser) -> ScimUser {
    let text = |text: Option<&str>| text.unwrap_or_else(|| panic!("an attribute is missing")).to_owned();
    let name = user.name.as_ref().unwrap();
    let mut again = ScimUser {
        schemas: user.schemas.clone(),
        id: user.id.clone(),
        emails: user.emails.clone(),
        meta: user.meta.clone(),
        ..ScimUser::new(text(user.user_name.as_deref()))
    }
    .with_external_id(text(user.external_id.as_deref()))
    .with_name(
        ScimUserName::new(text(name.given_name.as_deref()), text(name.family_name.as_deref()))
            .with_formatted(text(name.formatted.as_deref()))
            .with_middle_name(text(name.middle_name()))
            .with_honorific_prefix(text(name.honorific_prefix()))
            .with_honorific_suffix(text(name.honorific_suffix())),
    )
    .with_display_name(text(user.display_name.as_deref()))
    .with_nick_name(text(user.nick_name()))
    .with_profile_url(text(user.profile_url()))
    .with_title(text(user.title()))
    .with_user_type(text(user.user_type()))
    .with_preferred_language(text(user.preferred_language()))
    .with_locale(text(user.locale()))
    .with_timezone(text(user.timezone()))
    .with_active(user.active.unwrap())
    .with_attribute("password", user.attributes.get("password").cloned())
    .with_attribute("groups", user.groups().unwrap());
    for (values, with) in [
        (user.phone_numbers(), ScimUser::with_phone_number as fn(ScimUser, ScimValue) -> ScimUser),
        (user.ims(), ScimUser::with_im),
        (user.photos(), ScimUser::with_photo),
        (user.entitlements(), ScimUser::with_entitlement),
        (user.roles(), ScimUser::with_role),
        (user.x509_certificates(), ScimUser::with_x509_certificate),
    ] {
        again = values.unwrap().into_iter().fold(again, with);
    }
    again = user.addresses().unwrap().into_iter().fold(again, ScimUser::with_address);
    let Some(work) = user.extension::<EnterpriseUser>().unwrap() else { return again };
    let manager = work.manager.unwrap();
    let work = EnterpriseUser::default()
        .with_employee_number(text(work.employee_number.as_deref()))
        .with_cost_center(text(work.cost_center.as_deref()))
        .with_organization(text(work.organization.as_deref()))
        .with_division(text(work.division.as_deref()))
        .with_department(text(work.department.as_deref()))
        .with_manager(ScimManager {
            display_name: manager.display_name.clone(),
            ..ScimManager::new(text(manager.value.as_deref())).with_ref(text(manager.r#ref.as_deref()))
        });
    again.with_extension(&work).unwrap()
}

#[test]
fn every_attribute_of_a_user_is_typed() {
    for name in ["rfc7643-8.2-full-user", "rfc7643-8.3-enterprise-user"] {
        let text = read(name);
        let user: ScimUser = serde_json::from_str(&text).unwrap();
        let written = serde_json::to_value(rebuilt(&user)).unwrap();
        assert_eq!(written, serde_json::from_str::<Value>(&text).unwrap(), "{name}");

        let (addresses, groups) = (user.addresses().unwrap(), user.groups().unwrap());
        assert_eq!((addresses.len(), groups.len(), user.phone_numbers().unwrap().len()), (2, 3, 2));
        let is_known = |attributes: &Attributes| assert!(attributes.is_empty(), "{name}: {attributes:?}");
        for address in &addresses {
            is_known(&address.attributes);
        }
        for group in &groups {
            is_known(&group.attributes);
        }
        assert_eq!(groups[0].display.as_deref(), Some("Tour Guides"));
        assert!(groups[0].r#ref.as_deref().unwrap().ends_with("Groups/e9e30dba-f08f-4109-8486-d5c6a331660a"));

        for (path, value) in [
            ("name.familyName", "Jensen"),
            (r#"emails[type eq "home"].value"#, "babs@jensen.org"),
            (r#"phoneNumbers[type eq "mobile"].value"#, "555-555-4444"),
            ("urn:ietf:params:scim:schemas:core:2.0:User:addresses.locality", "Hollywood"),
            ("meta.resourceType", "User"),
        ] {
            assert_eq!(user.get(path).unwrap(), Some(value.into()), "{name}: {path}");
        }
    }
    let enterprise: ScimUser = serde_json::from_str(&read("rfc7643-8.3-enterprise-user")).unwrap();
    let manager = format!("{}:manager.displayName", EnterpriseUser::SCHEMA);
    assert_eq!(enterprise.get(&manager).unwrap(), Some("John Smith".into()));
}

#[test]
fn every_member_of_a_schema_is_typed() {
    fn check(attributes: &[SchemaAttribute]) -> usize {
        let inner = attributes.iter().map(|attribute| {
            assert!(
                attribute.other.is_empty() && attribute.name.is_some() && attribute.r#type.is_some(),
                "{attribute:?}"
            );
            check(attribute.sub_attributes.as_deref().unwrap_or_default())
        });
        inner.sum::<usize>() + attributes.len()
    }
    let mut all = 0;
    for name in ["rfc7643-8.7.1-resource-schemas", "rfc7643-8.7.2-service-provider-schemas"] {
        let schemas: Schemas = serde_json::from_str(&read(name)).unwrap();
        for schema in &schemas {
            assert!(schema.other.is_empty(), "{schema:?}");
            all += check(schema.attributes.as_deref().unwrap());
        }
        let complex = schemas.iter().flat_map(|schema| schema.attributes.iter().flatten());
        assert!(
            complex.filter(|one| one.r#type == Some(AttributeType::Complex)).all(|one| one.sub_attributes.is_some())
        );
    }
    assert!(all > 100, "{all}");
}

#[test]
fn the_service_configuration_of_the_rfc_is_read() {
    let client = service(|request| match request.uri().path() {
        "/v2/ServiceProviderConfig" => answer(200, read("rfc7643-8.5-service-provider-config")),
        "/v2/ResourceTypes" => answer(200, read("rfc7644-4-list-of-resource-types")),
        path => panic!("{path} was asked for"),
    });
    let discovered = client.discover().unwrap();
    let offered = ["Users", "Groups", "Devices"].map(|endpoint| discovered.profile().offers(endpoint));
    assert_eq!(offered, [true, true, false]);
    assert!(!discovered.profile().pages_by_cursor());
}

fn directory() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/rfc"))
}

fn file(name: &str) -> PathBuf {
    directory().join(format!("{name}.json"))
}

fn read(name: &str) -> String {
    fs::read_to_string(file(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn one<T: Serialize + DeserializeOwned>(text: &str) -> Result<Value> {
    Ok(serde_json::to_value(serde_json::from_str::<T>(text)?)?)
}

/// A page of a list; the model does not keep the URN of the message.
fn list<T: Resource>(text: &str) -> Result<Value> {
    let mut page = one::<ScimListResponse<T>>(text)?;
    page["schemas"] = json!(["urn:ietf:params:scim:api:messages:2.0:ListResponse"]);
    Ok(page)
}

/// An array of typed documents.
fn listed<T: Serialize + DeserializeOwned>(text: &str) -> Result<Value> {
    one::<Vec<T>>(text)
}

/// An error response, as returned to the caller.
fn error(text: &str) -> Result<Value> {
    let body: Value = serde_json::from_str(text)?;
    let status = body["status"].as_str().ok_or("it has no status")?.parse()?;
    let client = service(move |_| answer(status, body.to_string()));
    let error = client.delete_user("2819c223-7f76-453a-919d-413861904646").err().ok_or("it is no error")?;
    let mut example = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
        "status": error.status().map(|status| status.as_u16().to_string()),
        "detail": error.detail(),
    });
    if let Some(scim_type) = error.scim_type() {
        example["scimType"] = scim_type.into();
    }
    Ok(example)
}

/// A search request, as sent for the equivalent query.
fn search(text: &str) -> Result<Value> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Search {
        attributes: Vec<String>,
        filter: String,
        start_index: u64,
        count: u64,
    }
    let search: Search = serde_json::from_str(text)?;
    let query = ListQuery::new()
        .attributes(search.attributes)
        .filter(search.filter.parse()?)
        .start_index(search.start_index)
        .count(search.count);
    let sent = Arc::new(Mutex::new(Vec::new()));
    let client = service({
        let sent = Arc::clone(&sent);
        move |request| {
            *sent.lock().unwrap() = request.into_body();
            answer(200, read("rfc7644-3.4.3-search-response"))
        }
    });
    assert_eq!(client.resources::<Anything>().search(&query)?.resources.len(), 2);
    let sent = sent.lock().unwrap();
    Ok(serde_json::from_slice(&sent)?)
}

/// The client of a server that answers from a closure.
fn service<F>(answer: F) -> ScimService<HttpScimRepository<impl HttpClient + Clone>>
where
    F: Fn(Request<Vec<u8>>) -> Response<Vec<u8>> + Clone + Send + Sync + 'static,
{
    let config = ScimConfig::new("https://example.com/v2", Credentials::bearer("h480djs93hd8"));
    ScimService::with_http_client(&config.profile(Profile::standard()), move |request| Ok(answer(request))).unwrap()
}

fn answer(status: u16, body: String) -> Response<Vec<u8>> {
    Response::builder().status(status).header("content-type", "application/scim+json").body(body.into_bytes()).unwrap()
}

/// A resource of any type, which keeps all attributes.
#[derive(Clone, Deserialize, Serialize)]
#[serde(transparent)]
struct Anything(Map<String, Value>);

impl Resource for Anything {
    const NAME: &'static str = "thing";
    const ENDPOINT: &'static str = "Things";
    const SCHEMA: &'static str = "urn:example:2.0:Thing";
    const NAMED_BY: &'static str = "name";

    fn id(&self) -> Option<&str> {
        self.0.get("id")?.as_str()
    }

    fn name(&self) -> Option<&str> {
        self.0.get("name")?.as_str()
    }
}
