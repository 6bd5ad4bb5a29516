//! A server that follows the RFCs: all of RFC 7643 and RFC 7644, and cursors (RFC 9865).

mod builder;
mod bulk;
mod cursors;
mod discovery;
mod intake;
mod kinds;
mod list;
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
/// It starts in about a millisecond, on a free port, so each test can have one. Dropping it closes
/// every connection and stops it.
///
#[doc = example!("StandardSandbox":
    "let sandbox = StandardSandbox::start()?;\n",
    "let config = send(\"GET\", &format!(\"{}/ServiceProviderConfig\", sandbox.base_url()), \"\", \"\")?;\n",
    "assert!(config.contains(\"oauthbearertoken\"));",
)]
///
/// # Its rules
///
/// There are `/Users` with the enterprise and the WATS extension, `/Groups`, `/Bulk`, `/.search`
/// here and at each endpoint, `/ServiceProviderConfig`, `/ResourceTypes` and `/Schemas`; `/Me`
/// answers 501 unless [`me`](StandardSandboxBuilder::me) is called.
///
/// - **Credentials**: the token, as `Basic` or as `Bearer`; discovery needs none.
/// - **Writes** keep attributes that no schema has, except that the path of a PATCH must name one
///   that exists (`invalidPath`). Passwords are accepted and not kept.
/// - **Members** of a group must exist; their `type`, `display` and `$ref` are the server's. A
///   user's `groups` lists its direct groups and is no part of the user's version.
/// - **PATCH** (RFC 7644 §3.5.2) that adds `emails[type eq "work"].value` where there is no such
///   value creates one, as servers for Entra ID do; other value paths that select nothing answer
///   `noTarget`.
/// - **Versions** (§3.14) are weak entity tags, `W/"1"` for a new resource. A write that changes
///   nothing keeps the version.
/// - **Lists** have 100 resources where no `count` is given, and never more than 1000, or
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
    /// If no loopback port can be bound, or no thread or runtime started.
    pub fn start() -> io::Result<Self> {
        Self::builder().start()
    }

    /// Sets up a server with users and groups, with less than all features, or with the quirks of
    /// real servers.
    ///
    #[doc = example!("StandardSandbox":
        "let sandbox = StandardSandbox::builder().users(3).without_bulk().start()?;\n",
        "assert_eq!(sandbox.users().len(), 3);",
    )]
    pub fn builder() -> StandardSandboxBuilder {
        StandardSandboxBuilder::default()
    }

    shared_methods!("StandardSandbox", "\"/scim/v2\"", "\"/scim/v2\"");

    /// The current groups, in the order in which they were created.
    ///
    #[doc = example!("StandardSandbox":
        "let sandbox = StandardSandbox::start()?;\n",
        "let groups = format!(\"{}/Groups\", sandbox.scim_url());\n",
        "send(\"POST\", &groups, sandbox.token(), r#\"{\"displayName\": \"Testers\"}\"#)?;\n",
        "assert_eq!(sandbox.groups()[0][\"displayName\"], \"Testers\");",
    )]
    #[must_use]
    pub fn groups(&self) -> Vec<Value> {
        lock(&self.running.shared.service).resources("Groups")
    }
}

/// Shows neither the token nor the password.
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
    fn it_starts_with_the_users_and_groups_that_it_is_given() {
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
    fn what_it_would_not_create_it_does_not_start_with() {
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
            (vec![], vec![json!({ "displayName": "G", "members": [{ "value": "nobody" }] })]),
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
