//! Discovery: the documents about the server (RFC 7643 §5-7, RFC 7644 §4), without credentials.

use http::Response;
use serde_json::{Value, json};
use wats_scim_filter::json::same_name;

use super::kinds::{KINDS, Kind};
use super::list::ListResponse;
use super::query::{self, DEFAULT_COUNT};
use super::schema::{Schema, render};
use super::{Standard, refusals};
use crate::message::json_body;
use crate::refusal::Refusal;

impl Standard {
    /// `/ServiceProviderConfig`.
    pub(super) fn service_provider_config(&self) -> Response<Vec<u8>> {
        let max_results = self.quirks.page_cap;
        let (operations, payload) =
            self.settings.bulk.map_or((0, 0), |limits| (limits.max_operations, limits.max_payload_size));
        let mut pagination = json!({
            "cursor": self.settings.cursors,
            "index": true,
            "defaultPaginationMethod": "index",
            "defaultPageSize": DEFAULT_COUNT,
        });
        if let (Value::Object(pagination), Some(max_results)) = (&mut pagination, max_results) {
            pagination.insert("maxPageSize".to_owned(), max_results.into());
        }
        json_body(&json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
            "patch": {"supported": true},
            "bulk": {
                "supported": self.settings.bulk.is_some(),
                "maxOperations": operations,
                "maxPayloadSize": payload,
            },
            "filter": {"supported": true, "maxResults": max_results},
            "changePassword": {"supported": true},
            "sort": {"supported": true},
            "etag": {"supported": true},
            "pagination": pagination,
            "authenticationSchemes": [
                {"type": "httpbasic", "name": "HTTP Basic", "description": "The sandbox's token", "primary": true},
                {"type": "oauthbearertoken", "name": "Bearer", "description": "The sandbox's token"},
            ],
            "meta": {
                "resourceType": "ServiceProviderConfig",
                "location": format!("{}/ServiceProviderConfig", self.base),
            },
        }))
    }

    /// `/ResourceTypes`, or one of them by its name.
    pub(super) fn resource_types(&self, name: Option<&str>) -> Result<Response<Vec<u8>>, Refusal> {
        let Some(name) = name else {
            return Ok(json_body(&ListResponse::whole(KINDS.iter().map(|kind| self.resource_type(kind)).collect())));
        };
        let kind = KINDS.iter().find(|kind| kind.name() == name);
        let kind = kind.ok_or_else(|| Refusal::not_found(format!("there is no resource type '{name}'")))?;
        Ok(json_body(&self.resource_type(kind)))
    }

    fn resource_type(&self, kind: &Kind) -> Value {
        let extensions = kind.extensions.iter().map(|schema| json!({"schema": schema.id, "required": false}));
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
            "id": kind.name(),
            "name": kind.name(),
            "description": kind.schema.description,
            "endpoint": format!("/{}", kind.endpoint),
            "schema": kind.schema.id,
            "schemaExtensions": extensions.collect::<Vec<Value>>(),
            "meta": {
                "resourceType": "ResourceType",
                "location": format!("{}/ResourceTypes/{}", self.base, kind.name()),
            },
        })
    }

    /// `/Schemas`, or one of them by its URN.
    pub(super) fn schemas(&self, urn: Option<&str>) -> Result<Response<Vec<u8>>, Refusal> {
        let Some(urn) = urn else {
            return Ok(json_body(&ListResponse::whole(all().map(|schema| render(schema, &self.base)).collect())));
        };
        let schema = all().find(|schema| same_name(schema.id, urn));
        let schema = schema.ok_or_else(|| Refusal::not_found(format!("there is no schema '{urn}'")))?;
        Ok(json_body(&render(schema, &self.base)))
    }
}

/// RFC 7644 §4 requires 403 for a filter on discovery.
pub(super) fn refuse_filter(query: &str) -> Result<(), Refusal> {
    let has_filter = query::parameters(query).keys().any(|name| same_name(name, "filter"));
    if has_filter { Err(refusals::forbidden("discovery does not support filters")) } else { Ok(()) }
}

fn all() -> impl Iterator<Item = &'static Schema> {
    KINDS.iter().flat_map(|kind| std::iter::once(kind.schema).chain(kind.extensions.iter().copied()))
}
