//! What a server supports.

mod described;

use std::fmt;
use std::num::NonZero;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use wats_scim_filter::json::is_write_only;

use super::BulkLimits;
use super::base_url::BaseUrl;
use super::membership::{MemberLimit, Membership};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Resource, ScimPatchOperation, ScimPatchRequest};
use crate::wats;

/// The features of a server. Requests that it does not support are rejected before they are sent.
///
/// The default follows from the base URL; see [`ScimConfig::new`](crate::ScimConfig::new).
/// [`discover`](crate::blocking::ScimService::discover) reads a profile from the server, and a
/// [probe](crate::probe) measures it. With serde it is an object of its features, for a log or a report, or to keep what
/// was measured. It is read with all of its features or not at all.
///
/// ```
/// use wats_scim::Profile;
///
/// assert!(!Profile::wats().offers("Groups"));
/// assert!(Profile::standard().offers("Groups"));
///
/// let kept = serde_json::to_string(&Profile::wats())?;
/// assert_eq!(serde_json::from_str::<Profile>(&kept)?, Profile::wats());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(clippy::struct_excessive_bools, reason = "each is an independent feature of a server")]
pub struct Profile {
    name: Kind,
    /// Whether `GET /Users/userName={userName}` finds a user; not in RFC 7644.
    pub(crate) reads_by_name_route: bool,
    /// Whether `GET /Token` issues tokens; not in RFC 7644.
    pub(crate) issues_tokens: bool,
    /// The available endpoints; `None` if unknown.
    pub(crate) endpoints: Option<Vec<String>>,
    /// The only paths that a PATCH can change, with `replace`; `None` if there is no restriction.
    patch_paths: Option<Vec<String>>,
    /// Whether PUT is supported.
    replaces: bool,
    /// Whether POST `.search` is supported.
    pub(crate) searches: bool,
    /// Whether `/Me` may be supported.
    pub(crate) knows_me: bool,
    /// Whether PATCH is supported.
    pub(crate) patches: bool,
    /// Where the members of groups can be read.
    pub(crate) membership: Membership,
    /// The most members that a group shows.
    member_limit: MemberLimit,
    /// Whether members are removed by a list of them, and not by a path for each.
    pub(crate) removes_members_by_list: bool,
    /// Whether a patch can change a password.
    changes_passwords: bool,
    /// Whether filters are supported.
    pub(crate) filters: bool,
    /// Whether resources have versions, for conditional requests (RFC 7644 §3.14).
    pub(crate) has_versions: bool,
    /// Whether the server is known to reject a write for another version: it says so, or a probe has seen it.
    pub(crate) checks_versions: bool,
    /// Whether the server is known to do so in bulk requests, too: a probe has seen it.
    pub(crate) checks_versions_in_bulk: bool,
    /// Whether sorting is supported.
    pub(crate) sorts: bool,
    /// Whether attribute selection is supported.
    pub(crate) selects_attributes: bool,
    /// Whether cursor-based paging is supported (RFC 9865).
    pub(crate) pages_by_cursor: bool,
    /// The maximum number of resources per page, if it is known.
    max_page_size: Option<NonZero<u64>>,
    /// The limits of a bulk request, if bulk requests are supported.
    pub(crate) bulk: Option<BulkLimits>,
}

/// The kind of server, for messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Kind {
    #[serde(rename = "WATS")]
    Wats,
    #[serde(rename = "standard SCIM")]
    Standard,
}

impl Profile {
    /// The profile of WATS.
    ///
    /// WATS issues tokens and finds a user by name at an endpoint of its own. It has only users,
    /// and does not support PUT, `.search`, `/Me`, sorting, attribute selection or bulk requests. A
    /// PATCH supports only `replace`, on the paths `fullName`, `familyName`, `givenName`, `email`,
    /// `roles`, `active`, `levels`, `productGroups` and `displayName`.
    #[must_use]
    pub fn wats() -> Self {
        Self {
            name: Kind::Wats,
            reads_by_name_route: true,
            issues_tokens: true,
            endpoints: Some(vec!["Users".to_owned()]),
            patch_paths: Some(wats::PATCH_PATHS.iter().map(|&path| path.to_owned()).collect()),
            replaces: false,
            searches: false,
            knows_me: false,
            patches: true,
            membership: Membership::default(),
            member_limit: MemberLimit::default(),
            removes_members_by_list: false,
            changes_passwords: true,
            filters: true,
            has_versions: true,
            checks_versions: false,
            checks_versions_in_bulk: false,
            sorts: false,
            selects_attributes: false,
            pages_by_cursor: false,
            max_page_size: None,
            bulk: None,
        }
    }

    /// The profile of a server that follows RFC 7644: all features except bulk requests and
    /// cursor-based paging, which are used only if `discover` finds them.
    #[must_use]
    pub fn standard() -> Self {
        Self {
            name: Kind::Standard,
            reads_by_name_route: false,
            issues_tokens: false,
            endpoints: None,
            patch_paths: None,
            replaces: true,
            searches: true,
            knows_me: true,
            patches: true,
            membership: Membership::default(),
            member_limit: MemberLimit::default(),
            removes_members_by_list: false,
            changes_passwords: true,
            filters: true,
            has_versions: true,
            checks_versions: false,
            checks_versions_in_bulk: false,
            sorts: true,
            selects_attributes: true,
            pages_by_cursor: false,
            max_page_size: None,
            bulk: None,
        }
    }

    /// The profile of a probe, which rejects no request; for WATS, with its own routes.
    pub(crate) fn to_probe(known: &Self) -> Self {
        let Self { name, reads_by_name_route, endpoints, .. } = known.clone();
        Self { name, reads_by_name_route, endpoints, ..Self::standard() }
    }

    /// Where the members of groups can be read; of the groups by default.
    ///
    /// ```
    /// use wats_scim::{MemberPages, Membership, Profile};
    ///
    /// let profile = Profile::standard().with_membership(Membership::Paged(MemberPages::Endpoint));
    /// # let _ = profile;
    /// ```
    #[must_use]
    pub fn with_membership(self, membership: Membership) -> Self {
        Self { membership, ..self }
    }

    /// Returns where the members of groups can be read.
    #[must_use]
    pub fn membership(&self) -> Membership {
        self.membership
    }

    /// The most members that a group of the server shows ([`Membership::OfGroups`]), or `None` if a group
    /// shows all of its members. A group that shows as many is not taken for complete.
    ///
    /// By default it is unknown: then the members of a group are not taken for complete if their number looks
    /// like a limit (100, 150, 200, 250 or 500, or one of them with more zeros), unless the users of the server
    /// show their groups and confirm it.
    ///
    /// ```
    /// use wats_scim::Profile;
    ///
    /// let cut_at_100 = Profile::standard().with_member_limit(100);
    /// let shows_all = Profile::standard().with_member_limit(None);
    /// # let _ = (cut_at_100, shows_all);
    /// ```
    #[must_use]
    pub fn with_member_limit(self, most: impl Into<Option<usize>>) -> Self {
        Self { member_limit: most.into().map_or(MemberLimit::None, MemberLimit::Most), ..self }
    }

    /// Whether the groups show their members, all or in pages.
    pub(crate) fn shows_members(&self) -> bool {
        matches!(self.membership, Membership::OfGroups | Membership::Paged(_))
    }

    /// Whether a group that shows so many members may have others.
    pub(crate) fn may_hide_members(&self, shown: usize) -> bool {
        self.membership == Membership::OfGroups && self.member_limit.may_be_reached(shown)
    }

    /// Removes members by a list of them, for a server that does not support a path with a filter (`members[value
    /// eq "2819c223"]`, RFC 7644 §3.5.2). Some servers then remove all members, so this is off by default.
    #[must_use]
    pub fn allow_removal_by_list(self) -> Self {
        Self { removes_members_by_list: true, ..self }
    }

    /// Sends writes for one version in bulk requests, too: changes of an [apply](crate::blocking::ScimApply), and writes
    /// with [`ScimWrite::in_version`](crate::ScimWrite::in_version). RFC 7644 §3.7 leaves it to a server whether it
    /// checks the version of an operation, and one that does not would overwrite what another writer has changed, so
    /// this is off unless a probe has found it ([`Check::VersionsInBulk`](crate::probe::Check::VersionsInBulk)).
    #[must_use]
    pub fn allow_versions_in_bulk(self) -> Self {
        Self { checks_versions_in_bulk: true, ..self }
    }

    /// Sends every PATCH request, and leaves it to the server to reject it. Use this for a WATS
    /// version that supports more than this library knows.
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

    /// Whether it is the profile of WATS, or one that was made of it.
    #[must_use]
    pub fn is_wats(&self) -> bool {
        self.issues_tokens
    }

    /// The profile that follows from a base URL, as [`ScimConfig::new`](crate::ScimConfig::new) says.
    ///
    /// ```
    /// use wats_scim::Profile;
    ///
    /// assert!(Profile::of_url("https://acme.wats.com")?.is_wats());
    /// assert!(!Profile::of_url("https://id.example.com/scim/v2")?.is_wats());
    /// # Ok::<(), wats_scim::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](ErrorKind::InvalidInput) if it is not a URL of a server.
    pub fn of_url(base_url: &str) -> Result<Self> {
        Ok(BaseUrl::read(base_url, None, true)?.profile().clone())
    }

    /// The error of a request that the server does not support.
    pub(crate) fn unsupported(&self, what: &str) -> Error {
        Error::new(ErrorKind::Unsupported, format!("a {} server does not support {what}", self.name))
    }

    /// Checks that the server has the endpoint of a resource type.
    pub(crate) fn check_resource<T: Resource>(&self) -> Result<()> {
        if self.offers(T::ENDPOINT) { Ok(()) } else { Err(self.unsupported(&format!("{}s", T::NAME))) }
    }

    /// Checks that the server supports PUT.
    pub(crate) fn check_replacement(&self) -> Result<()> {
        if self.replaces { Ok(()) } else { Err(self.unsupported("PUT; change the resource with a patch")) }
    }

    /// Checks that the server supports every operation of a patch.
    pub(crate) fn check_patch(&self, patch: &ScimPatchRequest) -> Result<()> {
        let rejected = |what: &str| Err(self.unsupported(what));
        if !self.patches {
            return rejected("PATCH; replace the resource instead");
        }
        if !self.changes_passwords && patch.operations.iter().any(sets_password) {
            return rejected("changes of passwords");
        }
        let Some(paths) = &self.patch_paths else { return Ok(()) };
        patch.operations.iter().try_for_each(|operation| {
            let why = wats::rejection(paths, operation);
            why.map_or(Ok(()), |why| rejected(&format!("{why}, only `replace` on {}", paths.join(", "))))
        })
    }

    /// Returns whether the server has an endpoint, such as `Groups`. `true` if its endpoints are
    /// unknown.
    #[must_use]
    pub fn offers(&self, endpoint: &str) -> bool {
        let is_named = |known: &String| known.eq_ignore_ascii_case(endpoint);
        self.endpoints.as_ref().is_none_or(|endpoints| endpoints.iter().any(is_named))
    }

    /// Returns whether lists are paged by cursor (RFC 9865).
    #[must_use]
    pub fn pages_by_cursor(&self) -> bool {
        self.pages_by_cursor
    }

    /// Returns the maximum number of resources per page, if it is known: the smaller of
    /// `filter.maxResults` (RFC 7643 §5) and `pagination.maxPageSize` (RFC 9865 §4). Lists are
    /// requested in pages of at most this size.
    #[must_use]
    pub fn max_page_size(&self) -> Option<u64> {
        self.max_page_size.map(NonZero::get)
    }

    /// Returns the limits of a bulk request, or `None` if bulk requests are not supported.
    #[must_use]
    pub fn bulk(&self) -> Option<BulkLimits> {
        self.bulk
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Wats => "WATS",
            Self::Standard => "standard SCIM",
        })
    }
}

/// Whether a PATCH operation changes a password.
fn sets_password(operation: &ScimPatchOperation) -> bool {
    let is_password = |path: &str| is_write_only(path.rsplit([':', '.']).next().unwrap_or(path));
    match (&operation.path, &operation.value) {
        (Some(path), _) => is_password(path),
        (None, Some(Value::Object(members))) => members.keys().any(|name| is_password(name)),
        (None, _) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::MemberPages;
    use crate::model::PatchOp;

    #[test]
    fn a_password_is_changed_by_a_path_or_by_a_value_without_one() {
        let profile = Profile { changes_passwords: false, ..Profile::standard() };
        let bare = ScimPatchOperation { op: PatchOp::Add, path: None, value: Some(json!({ "Password": "x" })) };
        for patch in [
            ScimPatchRequest::new().replace("urn:ietf:params:scim:schemas:core:2.0:User:password", "x"),
            ScimPatchRequest::new().with(bare),
        ] {
            assert_eq!(profile.check_patch(&patch).unwrap_err().kind(), ErrorKind::Unsupported);
        }
        assert!(profile.check_patch(&ScimPatchRequest::new().replace("active", true)).is_ok());
    }

    #[test]
    fn a_profile_is_read_as_it_was_written() {
        let described = json!({ "bulk": { "supported": true, "maxOperations": 5, "maxPayloadSize": 1000 } });
        let types = json!([{ "endpoint": "/Users" }]);
        for profile in [
            Profile::wats(),
            Profile::wats().allow_any_patch(),
            Profile::standard().described(Some(&described), Some(&types)).allow_versions_in_bulk(),
            Profile::standard().with_membership(Membership::Paged(MemberPages::Attribute)).with_member_limit(100),
            Profile::standard().with_membership(Membership::ByFilter).with_member_limit(None).allow_removal_by_list(),
        ] {
            let kept = serde_json::to_string(&profile).unwrap();
            assert_eq!(serde_json::from_str::<Profile>(&kept).unwrap(), profile, "{kept}");
        }
    }

    #[test]
    fn a_profile_that_is_not_whole_and_right_is_rejected() {
        let whole = serde_json::to_value(Profile::standard()).unwrap();
        let read = serde_json::from_value::<Profile>;
        for feature in ["name", "filters", "checksVersionsInBulk", "membership"] {
            let mut part = whole.clone();
            part.as_object_mut().unwrap().remove(feature);
            assert!(read(part).unwrap_err().to_string().contains(feature));
        }
        for (name, value) in [
            ("filter", json!(true)),
            ("maxPageSize", json!(0)),
            ("bulk", json!({ "maxOperations": 0, "maxPayloadSize": 1000 })),
        ] {
            let mut wrong = whole.clone();
            wrong[name] = value;
            assert!(read(wrong).is_err(), "{name}");
        }
    }

    #[test]
    fn wats_supports_few_patches() {
        let check = |patch: ScimPatchRequest| Profile::wats().check_patch(&patch).map_err(|error| error.to_string());
        let new = ScimPatchRequest::new;
        for supported in [
            new().replace("fullName", "Jane").replace("ACTIVE", false).replace("levels", "A;B"),
            new().replace("displayName", "Jane"),
            new().replace("email", Value::Null),
        ] {
            assert_eq!(check(supported), Ok(()));
        }
        for (unsupported, why) in [
            (new().replace("active", true).add("email", "j@x"), "`add` (here on \"email\")"),
            (new().remove("email"), "`remove` (here of \"email\")"),
            (new().replace("name.familyName", "Roe"), "a change of \"name.familyName\""),
            (new().replace("roles", json!(["Operator"])), "a value for \"roles\" other than a string or a boolean"),
            (
                new().with(ScimPatchOperation { op: PatchOp::Replace, path: None, value: Some(json!({})) }),
                "an operation without a path",
            ),
        ] {
            let message = check(unsupported.clone()).unwrap_err();
            assert!(message.starts_with(&format!("a WATS server does not support {why}, only")), "{message}");
            assert!(Profile::wats().allow_any_patch().check_patch(&unsupported).is_ok());
            assert!(Profile::standard().check_patch(&unsupported).is_ok());
        }
    }
}
