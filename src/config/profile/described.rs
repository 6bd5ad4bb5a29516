//! The profile of a server by its own description.

use std::num::NonZero;

use serde_json::Value;

use super::Profile;
use crate::config::BulkLimits;
use crate::model::member;

impl Profile {
    /// Reads the profile from the server's configuration and resource types (RFC 7643 §5 and §6).
    /// Anything missing there stays as it is: what these documents do not tell, such as the way of reading members,
    /// can be a setting.
    pub(crate) fn described(self, configuration: Option<&Value>, resource_types: Option<&Value>) -> Self {
        let Some(configuration) = configuration else {
            return Self { endpoints: resource_types.and_then(endpoints), ..self };
        };
        let feature = |name: &str, value: &str| member(member(configuration, name)?, value);
        let is_unsupported = |name: &str| is_bool(feature(name, "supported"), false);
        let limit = |name: &str, value: &str| NonZero::new(number(feature(name, value)?)?);
        let bulk_limit = |value: &str| usize::try_from(limit("bulk", value)?.get()).ok();
        let bulk_limits = bulk_limit("maxOperations").zip(bulk_limit("maxPayloadSize"));
        let page_sizes = [limit("filter", "maxResults"), limit("pagination", "maxPageSize")];
        Self {
            endpoints: resource_types.and_then(endpoints),
            bulk: bulk_limits
                .filter(|_| is_bool(feature("bulk", "supported"), true))
                .map(|(max_operations, max_payload_size)| BulkLimits { max_operations, max_payload_size }),
            patches: !is_unsupported("patch"),
            changes_passwords: !is_unsupported("changePassword"),
            filters: !is_unsupported("filter"),
            has_versions: !is_unsupported("etag"),
            checks_versions: is_bool(feature("etag", "supported"), true),
            sorts: !is_unsupported("sort"),
            pages_by_cursor: is_bool(feature("pagination", "cursor"), true),
            max_page_size: page_sizes.into_iter().flatten().min(),
            ..self
        }
    }
}

/// The endpoints in a list of resource types. Servers write them with or without a leading slash or
/// base path.
fn endpoints(resource_types: &Value) -> Option<Vec<String>> {
    let list = match resource_types {
        Value::Array(list) => list,
        list => member(list, "Resources")?.as_array()?,
    };
    let endpoints: Vec<String> = list
        .iter()
        .filter_map(|kind| member(kind, "endpoint")?.as_str()?.trim_end_matches('/').rsplit('/').next())
        .filter(|endpoint| !endpoint.is_empty())
        .map(ToOwned::to_owned)
        .collect();
    (!endpoints.is_empty()).then_some(endpoints)
}

/// Servers write booleans as strings, too.
fn is_bool(value: Option<&Value>, expected: bool) -> bool {
    match value {
        Some(Value::Bool(is)) => *is == expected,
        Some(Value::String(text)) => text.eq_ignore_ascii_case(if expected { "true" } else { "false" }),
        _ => false,
    }
}

/// And numbers.
fn number(value: &Value) -> Option<u64> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        value => value.as_u64(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_profile_is_read_from_the_servers_description() {
        let configuration = json!({
            "bulk": { "supported": true, "maxOperations": 5, "maxPayloadSize": 1000 },
            "sort": { "supported": "False" }, "pagination": { "cursor": true },
        });
        let types = json!({ "Resources": [{ "endpoint": "/Users" }, { "endpoint": "https://x/scim/v2/Groups/" }] });
        let profile = Profile::standard().described(Some(&configuration), Some(&types));
        assert_eq!(profile.bulk(), Some(BulkLimits { max_operations: 5, max_payload_size: 1000 }));
        assert!(profile.pages_by_cursor() && !profile.sorts);
        assert!(profile.offers("users") && profile.offers("Groups") && !profile.offers("Devices"));
    }

    #[test]
    fn a_feature_is_missing_only_if_the_server_says_so() {
        let all = Profile::standard().described(Some(&json!({ "filter": { "supported": true }, "patch": {} })), None);
        assert!(all.filters && all.patches && all.changes_passwords && all.has_versions && all.sorts);
        let none = Profile::standard().described(
            Some(&json!({
                "filter": { "supported": false }, "patch": { "supported": "false" }, "sort": { "supported": false },
                "etag": { "supported": false }, "changePassword": { "supported": false },
            })),
            None,
        );
        assert!(!none.filters && !none.patches && !none.changes_passwords && !none.has_versions && !none.sorts);
    }

    #[test]
    fn the_page_size_is_the_smaller_of_two_limits() {
        for (configuration, size) in [
            (json!({ "filter": { "maxResults": 200 }, "pagination": { "maxPageSize": "50" } }), Some(50)),
            (json!({ "filter": { "maxResults": 20 }, "pagination": { "maxPageSize": 50 } }), Some(20)),
            (json!({ "filter": { "supported": false, "maxResults": 0 } }), None),
            (json!({}), None),
        ] {
            assert_eq!(
                Profile::standard().described(Some(&configuration), None).max_page_size(),
                size,
                "{configuration}"
            );
        }
    }

    #[test]
    fn a_server_without_a_description_is_standard() {
        assert_eq!(Profile::standard().described(None, None), Profile::standard());
    }
}
