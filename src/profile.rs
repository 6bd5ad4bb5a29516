/// What a kind of server offers, so that what it lacks is refused before it is sent.
///
/// A client chooses it by its base URL; see [`ScimConfig::new`](crate::ScimConfig::new).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    pub(crate) name: &'static str,
    /// `GET /Users/userName={userName}`, which is not in the RFC.
    pub(crate) reads_by_name_route: bool,
    /// `GET /Token`, likewise.
    pub(crate) issues_tokens: bool,
}

impl Profile {
    /// The WATS server: it issues tokens, and finds a user by name on a route of its own.
    #[must_use]
    pub fn wats() -> Self {
        Self { name: "WATS", reads_by_name_route: true, issues_tokens: true }
    }

    /// A server that keeps to RFC 7644: a user is found by name with a filter.
    #[must_use]
    pub fn standard() -> Self {
        Self { name: "standard SCIM", reads_by_name_route: false, issues_tokens: false }
    }
}
