//! Calls written by hand, without this crate: the same HTTP clients with the same settings, headers
//! and limits, a check of each status, and serde's derive for the models.

pub(crate) mod asynchronous;
pub(crate) mod blocking;
pub(crate) mod sync;

use http::{HeaderValue, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use super::Result;

pub(crate) const TOKEN: &str = "c2VjcmV0";

const ACCEPT_SCIM: HeaderValue = HeaderValue::from_static("application/scim+json, application/json;q=0.9");
const SCIM_JSON: HeaderValue = HeaderValue::from_static("application/scim+json");
const AGENT: HeaderValue = HeaderValue::from_static("by-hand/1.0");
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const MOST_BYTES: u64 = 64 << 20;
/// The page size for a whole list.
const PAGE: u64 = 100;

/// A user. Unknown attributes are dropped.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PlainUser {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) schemas: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) external_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<PlainName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) display_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) active: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) emails: Option<Vec<PlainEmail>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) meta: Option<PlainMeta>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PlainName {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) formatted: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) family_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) given_name: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub(crate) struct PlainEmail {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) r#type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) primary: Option<bool>,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PlainMeta {
    pub(crate) resource_type: Option<String>,
    pub(crate) created: Option<String>,
    pub(crate) last_modified: Option<String>,
    pub(crate) location: Option<String>,
    pub(crate) version: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PlainPage {
    pub(crate) total_results: Option<u64>,
    pub(crate) start_index: Option<u64>,
    pub(crate) items_per_page: Option<u64>,
    #[serde(rename = "Resources", default)]
    pub(crate) resources: Vec<PlainUser>,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct PlainPatch {
    schemas: [&'static str; 1],
    #[serde(rename = "Operations")]
    operations: Vec<PlainOperation>,
}

#[derive(Clone, Debug, Serialize)]
struct PlainOperation {
    op: &'static str,
    path: &'static str,
    value: serde_json::Value,
}

/// The user to create.
pub(crate) fn jane() -> PlainUser {
    PlainUser {
        schemas: Some(vec!["urn:ietf:params:scim:schemas:core:2.0:User".to_owned()]),
        external_id: Some("4711".to_owned()),
        user_name: Some("jane@example.com".to_owned()),
        name: Some(PlainName {
            family_name: Some("Doe".to_owned()),
            given_name: Some("Jane".to_owned()),
            ..PlainName::default()
        }),
        display_name: Some("Jane Doe".to_owned()),
        emails: Some(vec![PlainEmail {
            value: Some("jane@example.com".to_owned()),
            r#type: Some("work".to_owned()),
            primary: Some(true),
        }]),
        ..PlainUser::default()
    }
}

/// The user with this number in the other system; see [`users::wanted`](super::users::wanted).
pub(crate) fn wanted(number: u32, family_name: &str) -> PlainUser {
    let address = super::users::name(number);
    PlainUser {
        external_id: Some(format!("E{number:07}")),
        user_name: Some(address.clone()),
        name: Some(PlainName {
            family_name: Some(family_name.to_owned()),
            given_name: Some("Jane".to_owned()),
            ..PlainName::default()
        }),
        active: Some(true),
        emails: Some(vec![PlainEmail { value: Some(address), r#type: Some("work".to_owned()), primary: Some(true) }]),
        ..jane()
    }
}

/// The new user with this number; see [`users::new`](super::users::new).
pub(crate) fn new(number: u32) -> PlainUser {
    PlainUser { external_id: None, user_name: Some(super::users::name(number)), name: None, emails: None, ..jane() }
}

/// The same user in this crate's model.
pub(crate) fn our_jane() -> wats_scim::ScimUser {
    wats_scim::ScimUser::new("jane@example.com")
        .with_name(wats_scim::ScimUserName::new("Jane", "Doe"))
        .with_display_name("Jane Doe")
        .with_email("jane@example.com")
        .with_external_id("4711")
}

/// The common part of all requests to a server.
struct Target {
    base: String,
    authorization: HeaderValue,
}

impl Target {
    fn new(base: &str) -> Result<Self> {
        let mut authorization = HeaderValue::try_from(format!("Bearer {TOKEN}"))?;
        authorization.set_sensitive(true);
        Ok(Self { base: base.to_owned(), authorization })
    }

    fn user(&self, id: &str) -> String {
        format!("{}/Users/{}", self.base, utf8_percent_encode(id, UNRESERVED))
    }

    fn users(&self) -> String {
        format!("{}/Users", self.base)
    }

    fn page(&self, start: u64, count: u64) -> String {
        format!("{}/Users?startIndex={start}&count={count}", self.base)
    }
}

/// The start indices of the pages after the first one.
fn rest(first: &PlainPage) -> impl Iterator<Item = u64> + use<> {
    let total = first.total_results.unwrap_or(0);
    (1..=total).step_by(100).skip(1)
}

/// The body of a successful response.
fn decoded<T: serde::de::DeserializeOwned>(status: StatusCode, body: &[u8]) -> Result<T> {
    if !status.is_success() {
        return Err(format!("{status}: {}", String::from_utf8_lossy(body)).into());
    }
    Ok(serde_json::from_slice(body)?)
}
