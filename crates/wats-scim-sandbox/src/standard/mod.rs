//! A server that follows RFC 7643 and RFC 7644, with cursors (RFC 9865).

mod builder;
mod bulk;
mod cursors;
mod discovery;
mod intake;
mod kinds;
mod list;
mod members;
mod membership;
mod patch;
mod projection;
mod query;
mod refusals;
mod routes;
mod schema;
mod service;
mod sort;
mod store;
mod versions;

use std::fmt;
use std::io;

use serde_json::Value;

use self::service::{Answer, BASE, ReservedId, Standard};
use crate::example::example;
use crate::running::{Running, shared_methods};
use crate::server::lock;

pub use self::builder::StandardSandboxBuilder;

/// A running SCIM 2.0 server that follows RFC 7643 and RFC 7644, at `/scim/v2`.
///
/// It starts in about a millisecond on a free port, so each test can have its own. Dropping it closes
/// all connections and stops it.
///
#[doc = example!("StandardSandbox":
    "let sandbox = StandardSandbox::start()?;\n",
    "let config = send(\"GET\", &format!(\"{}/ServiceProviderConfig\", sandbox.base_url()), \"\", \"\")?;\n",
    "assert!(config.contains(\"oauthbearertoken\"));",
)]
///
/// # Rules
///
/// The endpoints are `/Users` with the enterprise and the WATS extension, `/Groups`, `/Bulk`,
/// `/.search` at the base and at each endpoint, `/ServiceProviderConfig`, `/ResourceTypes` and
/// `/Schemas`. `/Me` answers 501 unless [`me`](StandardSandboxBuilder::me) is set.
///
/// - **Credentials**: the token as `Basic` or as `Bearer`; discovery needs none.
/// - **`schemas`** of a new or replaced resource, and of every message, list the schema and each extension
///   that is sent (RFC 7643 §3), or the answer is `invalidSyntax`. The resources of the builder need none.
/// - **Writes** keep attributes without a schema, except that the path of a PATCH must be an attribute
///   of a schema (`invalidPath`). Passwords are accepted and not stored.
/// - **Members** of a group must exist; the server sets their `type`, `display` and `$ref`. `groups` of
///   a user contains its direct groups, and does not affect the version of the user.
/// - **PATCH** (RFC 7644 §3.5.2): adding `emails[type eq "work"].value` creates the value if it does not
///   exist, as on servers for Entra ID. Other value paths that select nothing answer `noTarget`.
/// - **Versions** (§3.14) are weak entity tags, `W/"1"` for a new resource. A write without a change
///   keeps the version.
/// - **Lists** have 100 resources per page by default, and at most 1000, or
///   [`page_cap`](StandardSandboxBuilder::page_cap).
pub struct StandardSandbox {
    running: Running<Standard>,
}

impl StandardSandbox {
    /// Starts a server without resources and without quirks.
    ///
    #[doc = example!("StandardSandbox": "assert!(StandardSandbox::start()?.users().is_empty());")]
    ///
    /// # Errors
    ///
    /// If a loopback port, a thread or a runtime is not available.
    pub fn start() -> io::Result<Self> {
        Self::builder().start()
    }

    /// Builds a server with users and groups, with fewer features, or with the quirks of real servers.
    ///
    #[doc = example!("StandardSandbox":
        "let sandbox = StandardSandbox::builder().users(3).without_bulk().start()?;\n",
        "assert_eq!(sandbox.users().len(), 3);",
    )]
    pub fn builder() -> StandardSandboxBuilder {
        StandardSandboxBuilder::default()
    }

    shared_methods!("StandardSandbox", "\"/scim/v2\"", "\"/scim/v2\"");

    /// The current groups, in the order of their creation.
    ///
    #[doc = example!("StandardSandbox":
        "let sandbox = StandardSandbox::start()?;\n",
        "let groups = format!(\"{}/Groups\", sandbox.scim_url());\n",
        "let testers = r#\"{\"schemas\": [\"urn:ietf:params:scim:schemas:core:2.0:Group\"], \"displayName\": \"Testers\"}\"#;\n",
        "send(\"POST\", &groups, sandbox.token(), testers)?;\n",
        "assert_eq!(sandbox.groups()[0][\"displayName\"], \"Testers\");",
    )]
    #[must_use]
    pub fn groups(&self) -> Vec<Value> {
        lock(&self.running.shared.service).resources("Groups")
    }
}

/// Redacts the token and the password.
impl fmt::Debug for StandardSandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StandardSandbox").field(&self.running).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use serde_json::json;

    use super::*;

    #[test]
    fn it_starts_with_the_given_users_and_groups() {
        let sandbox = StandardSandbox::builder()
            .users(1)
            .with_users([json!({ "id": "jane", "userName": "jane" })])
            .with_groups([
                json!({ "displayName": "All", "members": [{ "value": "testers" }] }),
                json!({ "id": "testers", "displayName": "Testers", "members": [{ "value": "jane" }] }),
            ])
            .start()
            .unwrap();
        let groups = sandbox.groups();
        assert_eq!(groups[0]["members"][0]["display"], "Testers");
        assert_eq!(groups[1]["members"][0]["display"], "jane");
        assert_eq!(sandbox.users()[1]["groups"][0]["value"], "testers");
    }

    #[test]
    fn it_does_not_start_with_a_resource_that_a_create_would_reject() {
        let start = |users: Vec<Value>, groups: Vec<Value>| {
            StandardSandbox::builder().with_users(users).with_groups(groups).start().map(drop).map_err(|e| e.kind())
        };
        let jane = || json!({ "id": "1", "userName": "jane" });
        assert_eq!(start(vec![jane()], vec![json!({ "displayName": "G" })]), Ok(()));
        for (users, groups) in [
            (vec![json!({ "title": "Dr" })], vec![]),
            (vec![jane(), json!({ "userName": "JANE" })], vec![]),
            (vec![jane(), json!({ "id": "1", "userName": "joan" })], vec![]),
            (vec![json!("jane")], vec![]),
            (vec![], vec![json!({ "displayName": "G", "members": [{ "value": "unknown" }] })]),
            (vec![jane()], vec![json!({ "id": "1", "displayName": "G" })]),
        ] {
            assert_eq!(start(users.clone(), groups.clone()), Err(ErrorKind::InvalidInput), "{users:?} {groups:?}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let sandbox = StandardSandbox::start().unwrap();
        let shown = format!("{sandbox:?}");
        assert!(!shown.contains(sandbox.token()) && !shown.contains(sandbox.password()));
    }

    #[test]
    fn it_can_be_shared_between_threads() {
        fn shareable<T: Send + Sync + 'static>() {}
        shareable::<StandardSandbox>();
        shareable::<StandardSandboxBuilder>();
    }
}
