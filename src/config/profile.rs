use serde_json::Value;

use super::BulkLimits;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Resource, ScimPatchRequest, member};
use crate::wats;

/// What a server offers, so that what it lacks is refused before it is sent.
///
/// A client takes one by its base URL; see [`ScimConfig::new`](crate::ScimConfig::new). Any server
/// can be asked for its own with `discover`.
///
/// ```
/// use wats_scim::Profile;
///
/// assert!(!Profile::wats().offers("Groups"));
/// assert!(Profile::standard().offers("Groups"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is a thing of its own that a server has or lacks")]
#[non_exhaustive]
pub struct Profile {
    /// What the server is called in a message.
    pub(crate) name: &'static str,
    /// Whether `GET /Users/userName={userName}` finds a user, which is not in the RFC.
    pub(crate) reads_by_name_route: bool,
    /// Whether `GET /Token` issues tokens, likewise.
    pub(crate) issues_tokens: bool,
    /// The endpoints there are; `None` if that is not known.
    pub(crate) endpoints: Option<Vec<String>>,
    /// The paths that a PATCH may replace, and do nothing else; `None` if it may do anything.
    patch_paths: Option<&'static [&'static str]>,
    /// Whether a resource can be replaced with PUT.
    pub(crate) replaces: bool,
    /// Whether there is POST `.search`.
    pub(crate) searches: bool,
    /// Whether `/Me` may be there.
    pub(crate) knows_me: bool,
    /// Whether lists can be sorted.
    pub(crate) sorts: bool,
    /// Whether attributes can be chosen.
    pub(crate) selects_attributes: bool,
    /// Whether lists come by cursor (RFC 9865).
    pub(crate) pages_by_cursor: bool,
    /// What one bulk request may hold, if there are any.
    pub(crate) bulk: Option<BulkLimits>,
}

impl Profile {
    /// The WATS server: it issues tokens, finds a user by name on a route of its own, and has
    /// users only, without PUT, `.search`, `/Me`, sorting, a choice of attributes, or bulk
    /// requests. A PATCH may only replace, on the paths `fullName`, `familyName`, `givenName`,
    /// `email`, `roles`, `active`, `levels`, `productGroups` and `displayName`.
    #[must_use]
    pub fn wats() -> Self {
        Self {
            name: "WATS",
            reads_by_name_route: true,
            issues_tokens: true,
            endpoints: Some(vec!["Users".to_owned()]),
            patch_paths: Some(wats::PATCH_PATHS),
            replaces: false,
            searches: false,
            knows_me: false,
            sorts: false,
            selects_attributes: false,
            pages_by_cursor: false,
            bulk: None,
        }
    }

    /// A server that keeps to RFC 7644, of which nothing else is known: everything is tried but
    /// bulk requests and cursors, which only the server can offer.
    #[must_use]
    pub fn standard() -> Self {
        Self {
            name: "standard SCIM",
            reads_by_name_route: false,
            issues_tokens: false,
            endpoints: None,
            patch_paths: None,
            replaces: true,
            searches: true,
            knows_me: true,
            sorts: true,
            selects_attributes: true,
            pages_by_cursor: false,
            bulk: None,
        }
    }

    /// The same server, for all PATCH requests: what it does not take, it refuses itself. For a
    /// WATS server that takes more than is known here.
    ///
    /// ```
    /// use wats_scim::{Credentials, Profile, ScimConfig};
    ///
    /// let config = ScimConfig::new("https://acme.wats.com", Credentials::wats_token("dTpw"))
    ///     .profile(Profile::wats().allow_any_patch());
    /// ```
    #[must_use]
    pub fn allow_any_patch(self) -> Self {
        Self { patch_paths: None, ..self }
    }

    pub(crate) fn is_wats(&self) -> bool {
        self.issues_tokens
    }

    /// Whether the server takes every operation of a patch.
    pub(crate) fn check_patch(&self, patch: &ScimPatchRequest) -> Result<()> {
        let Some(paths) = self.patch_paths else { return Ok(()) };
        patch.operations.iter().try_for_each(|operation| {
            let why = wats::rejection(paths, operation);
            why.map_or(Ok(()), |why| {
                let message =
                    format!("a {} server takes no {why}; it takes `replace` on {}", self.name, paths.join(", "));
                Err(Error::new(ErrorKind::Unsupported, message))
            })
        })
    }

    /// Whether there is such an endpoint, as far as is known.
    #[must_use]
    pub fn offers(&self, endpoint: &str) -> bool {
        let is_named = |known: &String| known.eq_ignore_ascii_case(endpoint);
        self.endpoints.as_ref().is_none_or(|endpoints| endpoints.iter().any(is_named))
    }

    pub(crate) fn offers_resource<T: Resource>(&self) -> bool {
        self.offers(T::ENDPOINT)
    }

    /// Whether lists come by cursor.
    #[must_use]
    pub fn pages_by_cursor(&self) -> bool {
        self.pages_by_cursor
    }

    /// What one bulk request may hold; `None` if there are none.
    #[must_use]
    pub fn bulk(&self) -> Option<BulkLimits> {
        self.bulk
    }

    /// The profile that a server describes (RFC 7643 §5 and §6). What it does not describe is as
    /// in [`standard`](Self::standard).
    pub(crate) fn described(configuration: Option<&Value>, resource_types: Option<&Value>) -> Self {
        let standard = Self::standard();
        let Some(configuration) = configuration else {
            return Self { endpoints: resource_types.and_then(endpoints), ..standard };
        };
        let supports =
            |feature: &str| member(configuration, feature).is_some_and(|value| is_true(member(value, "supported")));
        let limit = |name: &str| {
            let limit = member(member(configuration, "bulk")?, name)?.as_u64()?;
            usize::try_from(limit).ok().filter(|limit| *limit > 0)
        };
        let limits = limit("maxOperations").zip(limit("maxPayloadSize")).filter(|_| supports("bulk"));
        Self {
            endpoints: resource_types.and_then(endpoints),
            bulk: limits.map(|(max_operations, max_payload_size)| BulkLimits { max_operations, max_payload_size }),
            sorts: supports("sort"),
            pages_by_cursor: member(configuration, "pagination").is_some_and(|value| is_true(member(value, "cursor"))),
            ..standard
        }
    }
}

/// The endpoints in a list of resource types; servers write them with and without a slash or the
/// base path before them.
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

fn is_true(value: Option<&Value>) -> bool {
    match value {
        Some(Value::Bool(is)) => *is,
        Some(Value::String(text)) => text.eq_ignore_ascii_case("true"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::{PatchOp, ScimPatchOperation};

    #[test]
    fn a_server_describes_itself() {
        let configuration = json!({
            "bulk": { "supported": true, "maxOperations": 5, "maxPayloadSize": 1000 },
            "sort": { "supported": "False" }, "pagination": { "cursor": true },
        });
        let types = json!({ "Resources": [{ "endpoint": "/Users" }, { "endpoint": "https://x/scim/v2/Groups/" }] });
        let profile = Profile::described(Some(&configuration), Some(&types));
        assert_eq!(profile.bulk(), Some(BulkLimits { max_operations: 5, max_payload_size: 1000 }));
        assert!(profile.pages_by_cursor() && !profile.sorts);
        assert!(profile.offers("users") && profile.offers("Groups") && !profile.offers("Devices"));
    }

    #[test]
    fn wats_takes_few_patches() {
        let said = |patch: ScimPatchRequest| Profile::wats().check_patch(&patch).map_err(|error| error.to_string());
        let new = ScimPatchRequest::new;
        for taken in [
            new().replace("fullName", "Jane").replace("ACTIVE", false).replace("levels", "A;B"),
            new().replace("displayName", "Jane"),
            new().replace("email", Value::Null),
        ] {
            assert_eq!(said(taken), Ok(()));
        }
        for (refused, why) in [
            (new().replace("active", true).add("email", "j@x"), "`add` (here on \"email\")"),
            (new().remove("email"), "`remove` (here of \"email\")"),
            (new().replace("name.familyName", "Roe"), "change of \"name.familyName\""),
            (new().replace("roles", json!(["Operator"])), "value for \"roles\" but a text or a boolean"),
            (
                new().with(ScimPatchOperation { op: PatchOp::Replace, path: None, value: Some(json!({})) }),
                "operation without a path",
            ),
        ] {
            let told = said(refused.clone()).unwrap_err();
            assert!(told.starts_with(&format!("a WATS server takes no {why}; it takes")), "{told}");
            assert!(Profile::wats().allow_any_patch().check_patch(&refused).is_ok());
            assert!(Profile::standard().check_patch(&refused).is_ok());
        }
    }

    #[test]
    fn a_server_that_says_nothing_is_a_standard_one() {
        assert_eq!(Profile::described(None, None), Profile::standard());
    }
}
