//! The settings of a standard server.

use std::io;

use serde_json::Value;

use super::StandardSandbox;
use super::service::{BASE, Standard};
use crate::example::example;
use crate::setup::{Setup, shared_settings};

/// The limits of a bulk request (RFC 7644 §3.7.4).
#[derive(Clone, Copy, Debug)]
pub(super) struct BulkLimits {
    pub(super) max_operations: usize,
    pub(super) max_payload_size: usize,
}

/// The features of the server.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of the server")]
pub(super) struct Settings {
    pub(super) bulk: Option<BulkLimits>,
    /// Whether the version of an operation of a bulk request is ignored.
    pub(super) ignore_versions_in_bulk: bool,
    pub(super) cursors: bool,
    pub(super) me: Option<String>,
    /// The most members that an answer shows of a group.
    pub(super) member_cap: Option<usize>,
    /// Whether `/Groups/{id}/members` lists members in pages.
    pub(super) members_endpoint: bool,
    /// Whether `attributes=members[startIndex=1&count=10]` selects a page of members.
    pub(super) member_pages: bool,
}

impl Default for Settings {
    fn default() -> Self {
        let bulk = BulkLimits { max_operations: 1000, max_payload_size: 1_048_576 };
        Self {
            bulk: Some(bulk),
            ignore_versions_in_bulk: false,
            cursors: false,
            me: None,
            member_cap: None,
            members_endpoint: false,
            member_pages: false,
        }
    }
}

/// Builds a [`StandardSandbox`] with resources, features, latency and quirks.
///
/// By default the server has no resources, answers at once, records all requests and follows the RFCs.
/// Each quirk was seen on a real server.
///
#[doc = example!("StandardSandbox":
    "use serde_json::json;\n\n",
    "let sandbox = StandardSandbox::builder()\n",
    "    .with_users([json!({ \"id\": \"7f3a\", \"userName\": \"jane@example.com\" })])\n",
    "    .with_groups([json!({ \"displayName\": \"Testers\", \"members\": [{ \"value\": \"7f3a\" }] })])\n",
    "    .allow_cursors()\n",
    "    .start()?;\n",
    "assert_eq!(sandbox.users()[0][\"groups\"][0][\"display\"], \"Testers\");",
)]
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing until `start` is called"]
pub struct StandardSandboxBuilder {
    setup: Setup,
    groups: Vec<Value>,
    settings: Settings,
}

impl StandardSandboxBuilder {
    shared_settings!("StandardSandbox");

    /// Adds these groups.
    ///
    /// They follow the rules of a create, except that an `id` is kept. Their members are the ids of
    /// users or groups that are given to this builder; a group can be a member of an earlier one.
    /// [`start`](Self::start) fails if the server rejects one of them.
    ///
    #[doc = example!("StandardSandbox":
        "use serde_json::json;\n\n",
        "let sandbox = StandardSandbox::builder()\n",
        "    .with_users([json!({ \"id\": \"7f3a\", \"userName\": \"jane@example.com\" })])\n",
        "    .with_groups([json!({ \"displayName\": \"Testers\", \"members\": [{ \"value\": \"7f3a\" }] })])\n",
        "    .start()?;\n",
        "assert_eq!(sandbox.groups()[0][\"members\"][0][\"display\"], \"jane@example.com\");",
    )]
    pub fn with_groups(mut self, groups: impl IntoIterator<Item = Value>) -> Self {
        self.groups.extend(groups);
        self
    }

    /// Sets the maximum number of operations in a bulk request, and its maximum size in bytes (RFC 7644
    /// §3.7.4).
    ///
    /// A larger request is answered with 413. The default is 1000 operations and 1 MiB.
    ///
    #[doc = example!("StandardSandbox":
        "let sandbox = StandardSandbox::builder().bulk_limits(5, 4096).start()?;\n",
        "let config = send(\"GET\", &format!(\"{}/ServiceProviderConfig\", sandbox.scim_url()), \"\", \"\")?;\n",
        "assert!(config.contains(\"\\\"maxOperations\\\":5\"));",
    )]
    pub fn bulk_limits(mut self, max_operations: usize, max_payload_size: usize) -> Self {
        self.settings.bulk = Some(BulkLimits { max_operations, max_payload_size });
        self
    }

    /// Turns off bulk requests: `/Bulk` answers 501, and `/ServiceProviderConfig` reports it.
    ///
    #[doc = example!("StandardSandbox":
        "let sandbox = StandardSandbox::builder().without_bulk().start()?;\n",
        "let answer = send(\"POST\", &format!(\"{}/Bulk\", sandbox.scim_url()), sandbox.token(), \"{}\")?;\n",
        "assert!(answer.starts_with(\"HTTP/1.1 501\"));",
    )]
    pub fn without_bulk(mut self) -> Self {
        self.settings.bulk = None;
        self
    }

    /// Ignores the `version` of an operation of a bulk request, which a server need not check (RFC 7644 §3.7). By default
    /// an operation for another version fails with 412.
    ///
    #[doc = example!("StandardSandbox":
        "let sandbox = StandardSandbox::builder().users(1).ignore_versions_in_bulk().start()?;\n",
        "let id = sandbox.users()[0][\"id\"].as_str().unwrap_or_default().to_owned();\n",
        "let body = format!(\n",
        "    r#\"{{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:BulkRequest\"],\"Operations\":[\n",
        "        {{\"method\":\"DELETE\",\"path\":\"/Users/{id}\",\"version\":\"W/0\"}}]}}\"#\n",
        ");\n",
        "let answer = send(\"POST\", &format!(\"{}/Bulk\", sandbox.scim_url()), sandbox.token(), &body)?;\n",
        "assert!(answer.contains(\"\\\"status\\\":\\\"204\\\"\"));",
    )]
    pub fn ignore_versions_in_bulk(mut self) -> Self {
        self.settings.ignore_versions_in_bulk = true;
        self
    }

    /// Turns on paging by cursor, for list requests with the parameter `cursor` (RFC 9865).
    ///
    /// Paging by `startIndex` still works. By default `cursor` is ignored. The results of a query are
    /// fixed when its first page is requested. A cursor can be used more than once; the cursors of the
    /// last 64 queries are valid, older ones are expired.
    ///
    #[doc = example!("StandardSandbox":
        "let sandbox = StandardSandbox::builder().users(3).allow_cursors().start()?;\n",
        "let url = format!(\"{}/Users?cursor&count=2\", sandbox.scim_url());\n",
        "assert!(send(\"GET\", &url, sandbox.token(), \"\")?.contains(\"nextCursor\"));",
    )]
    pub fn allow_cursors(mut self) -> Self {
        self.settings.cursors = true;
        self
    }

    /// Answers `/Me` (RFC 7644 §3.11) with the user of this name; letter case is ignored.
    ///
    /// `/Me` does not redirect: GET, PUT, PATCH and DELETE work as at the URL of the user, which is in
    /// `Content-Location`. If the user does not exist, `/Me` answers 404. By default it answers 501.
    ///
    #[doc = example!("StandardSandbox":
        "let sandbox = StandardSandbox::builder().users(2).me(\"user0002@example.com\").start()?;\n",
        "let me = send(\"GET\", &format!(\"{}/Me\", sandbox.scim_url()), sandbox.token(), \"\")?;\n",
        "assert!(me.contains(\"Sample User 0002\"));",
    )]
    pub fn me(mut self, user_name: impl Into<String>) -> Self {
        self.settings.me = Some(user_name.into());
        self
    }

    /// Shows at most this many members of a group, without a word, as `FusionAuth` did with 100.
    ///
    /// The server keeps the others: a filter finds them, and users show the group.
    ///
    #[doc = example!("StandardSandbox":
        "use serde_json::json;\n\n",
        "let sandbox = StandardSandbox::builder()\n",
        "    .with_users([json!({ \"id\": \"1\", \"userName\": \"ann\" }), json!({ \"id\": \"2\", \"userName\": \"bob\" })])\n",
        "    .with_groups([json!({ \"displayName\": \"Testers\", \"members\": [{ \"value\": \"1\" }, { \"value\": \"2\" }] })])\n",
        "    .member_cap(1)\n",
        "    .start()?;\n",
        "let groups = send(\"GET\", &format!(\"{}/Groups\", sandbox.scim_url()), sandbox.token(), \"\")?;\n",
        "assert!(groups.contains(\"ann\") && !groups.contains(\"bob\"));",
    )]
    pub fn member_cap(mut self, n: usize) -> Self {
        self.settings.member_cap = Some(n);
        self
    }

    /// Lists the members of a group in pages at `/Groups/{id}/members`, as INDIGO IAM does: a list response
    /// with `startIndex` and `count` (RFC 7644 §3.4.2.4). By default it answers 404.
    ///
    #[doc = example!("StandardSandbox":
        "use serde_json::json;\n\n",
        "let sandbox = StandardSandbox::builder()\n",
        "    .with_users([json!({ \"id\": \"1\", \"userName\": \"ann\" })])\n",
        "    .with_groups([json!({ \"id\": \"7\", \"displayName\": \"Testers\", \"members\": [{ \"value\": \"1\" }] })])\n",
        "    .allow_members_endpoint()\n",
        "    .start()?;\n",
        "let url = format!(\"{}/Groups/7/members?startIndex=1&count=1\", sandbox.scim_url());\n",
        "assert!(send(\"GET\", &url, sandbox.token(), \"\")?.contains(\"\\\"totalResults\\\":1\"));",
    )]
    pub fn allow_members_endpoint(mut self) -> Self {
        self.settings.members_endpoint = true;
        self
    }

    /// Selects a page of the members of a group with `attributes=members[startIndex=1&count=10]`, as Oracle
    /// Identity Domains does. There is no total. By default it is an attribute that no group has.
    ///
    #[doc = example!("StandardSandbox":
        "use serde_json::json;\n\n",
        "let sandbox = StandardSandbox::builder()\n",
        "    .with_users([json!({ \"id\": \"1\", \"userName\": \"ann\" })])\n",
        "    .with_groups([json!({ \"id\": \"7\", \"displayName\": \"Testers\", \"members\": [{ \"value\": \"1\" }] })])\n",
        "    .allow_member_pages()\n",
        "    .start()?;\n",
        "let page = |start: u32| {\n",
        "    let page = format!(\"attributes=members%5BstartIndex%3D{start}%26count%3D1%5D\");\n",
        "    send(\"GET\", &format!(\"{}/Groups/7?{page}\", sandbox.scim_url()), sandbox.token(), \"\")\n",
        "};\n",
        "assert!(page(1)?.contains(\"ann\") && !page(2)?.contains(\"ann\"));",
    )]
    pub fn allow_member_pages(mut self) -> Self {
        self.settings.member_pages = true;
        self
    }

    /// Starts the server. It accepts requests when this returns.
    ///
    #[doc = example!("StandardSandbox":
        "let sandbox = StandardSandbox::builder().users(2).start()?;\n",
        "let answer = send(\"GET\", &format!(\"{}/Users\", sandbox.scim_url()), sandbox.token(), \"\")?;\n",
        "assert!(answer.contains(\"\\\"totalResults\\\":2\"));",
    )]
    ///
    /// # Errors
    ///
    /// If the server rejects one of the given resources, or if a loopback port, a thread or a runtime is
    /// not available.
    pub fn start(self) -> io::Result<StandardSandbox> {
        let (groups, settings) = (self.groups, self.settings);
        let mut running = self.setup.start(BASE, |place, setup| {
            let mut server = Standard::new(place.scim_url, place.account.clone(), setup.quirks.clone(), settings);
            server.seed(setup.all_users(), &groups)?;
            Ok(server)
        })?;
        running.base_url.clone_from(&running.scim_url);
        Ok(StandardSandbox { running })
    }
}
