//! The client against SCIM servers that follow the RFCs, with their differences.
//!
//! The file that includes this module chooses the server: a third-party one, started by a script in
//! `scripts/`, or the sandbox.

mod any_resource;
mod directories;
mod probing;

use std::collections::HashSet;
use std::sync::OnceLock;

use wats_scim::{Credentials, ErrorKind, Filter, ListQuery, ScimPatchRequest, ScimUser, ScimUserName, WriteOutcome};
use wats_scim_sandbox::StandardSandbox;

use crate::{ScimClient, maybe_async, test};

/// A server, and the features that it does not support.
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) credentials: Credentials,
    without: String,
}

impl Server {
    /// The server in the environment: its SCIM base URL in `SCIM_SERVER`, its token in `SCIM_TOKEN`, and
    /// the features it does not support in `SCIM_WITHOUT`: `escapes`, `versions`, or both.
    #[allow(dead_code, reason = "the suite over the sandbox does not need it")]
    pub(crate) fn started() -> Self {
        let of = |name| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set; run scripts/scim2-server"));
        let without = std::env::var("SCIM_WITHOUT").unwrap_or_default();
        Self { url: of("SCIM_SERVER"), credentials: Credentials::bearer(of("SCIM_TOKEN")), without }
    }

    fn client(&self) -> ScimClient {
        ScimClient::new(&self.url, self.credentials.clone()).unwrap()
    }

    /// The sandbox, as a standard server.
    #[allow(dead_code, reason = "the suite over other servers does not need it")]
    pub(crate) fn sandbox() -> Self {
        static SANDBOX: OnceLock<StandardSandbox> = OnceLock::new();
        let start = || StandardSandbox::builder().allow_cursors().bulk_limits(5, 4096).page_cap(7).start().unwrap();
        let sandbox = SANDBOX.get_or_init(start);
        let credentials = Credentials::wats_token(sandbox.token());
        Self { url: sandbox.scim_url().to_owned(), credentials, without: String::new() }
    }

    /// Whether a filter value can contain a quote or a backslash. In scimmy a quote ends the string, and
    /// a backslash is doubled.
    fn reads_escapes(&self) -> bool {
        !self.without.contains("escapes")
    }

    /// Whether resources have versions that writes can require.
    fn has_versions(&self) -> bool {
        !self.without.contains("versions")
    }
}

fn client() -> ScimClient {
    crate::server().client()
}

/// A name unique to one test.
fn unique(name: &str) -> String {
    let now = chrono::Utc::now().timestamp_micros();
    format!("{name}-{now}-{}@example.com", std::process::id())
}

#[maybe_async]
#[test]
async fn a_users_life_cycle() {
    let server = crate::server();
    let client = server.client();
    let name = unique(if server.reads_escapes() { "jane+o'neil\"\\#EXT#" } else { "jane+o'neil#EXT#" });
    let jane = ScimUser::new(&name)
        .with_name(ScimUserName::new("Jane", "Doe").with_formatted("Jane Doe"))
        .with_display_name("Jane Doe")
        .with_email("jane@example.com")
        .with_external_id(&name)
        .with_attribute("title", "Engineer");
    let created = client.create_user(&jane).await.unwrap();
    let id = created.id.clone().unwrap();
    assert_eq!(created.external_id.as_deref(), Some(name.as_str()));
    assert_eq!(created.attributes.get("title"), Some(&"Engineer".into()));
    assert!(created.meta.as_ref().unwrap().created_at().is_some());

    let read = client.get_user(&id).await.unwrap().unwrap();
    assert_eq!(read.name.unwrap().family_name.as_deref(), Some("Doe"));
    let named = client.get_user_by_username(&name).await.unwrap().unwrap();
    assert_eq!(named.id.as_deref(), Some(id.as_str()));

    let patch = ScimPatchRequest::new().replace("displayName", "Jane Roe").replace("name.familyName", "Roe");
    client.update_user(&id, &patch).await.unwrap();
    client.deactivate_user(&id).await.unwrap();
    let read = client.get_user(&id).await.unwrap().unwrap();
    assert_eq!((read.display_name.as_deref(), read.active), (Some("Jane Roe"), Some(false)));
    client.set_user_active(&id, true).await.unwrap();

    client.delete_user(&id).await.unwrap();
    let gone = client.get_user(&id).await.unwrap();
    assert!(gone.is_none());
    let gone = client.get_user_by_username(&name).await.unwrap();
    assert!(gone.is_none());
    let error = client.delete_user(&id).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[maybe_async]
#[test]
async fn a_duplicate_name_is_a_conflict_with_the_servers_message() {
    let client = client();
    let jane = ScimUser::new(unique("taken"));
    let id = client.create_user(&jane).await.unwrap().id.unwrap();
    let error = client.create_user(&jane).await.unwrap_err();
    assert_eq!((error.kind(), error.write_outcome()), (ErrorKind::Conflict, Some(WriteOutcome::NotApplied)));
    assert_eq!(error.scim_type(), Some("uniqueness"), "{error}");
    client.delete_user(&id).await.unwrap();
}

#[maybe_async]
#[test]
async fn every_user_is_listed_once() {
    let client = client();
    let mark = unique("many");
    let mut ids = HashSet::new();
    for n in 0..37 {
        let user = ScimUser::new(format!("{n:02}.{mark}")).with_display_name(&mark);
        ids.insert(client.create_user(&user).await.unwrap().id.unwrap());
    }
    for page_size in [1, 10, 100] {
        let mut pages = client.iter_users().matching(Filter::eq("displayName", mark.as_str())).page_size(page_size);
        let mut listed = Vec::new();
        while let Some(user) = pages.try_next().await.unwrap() {
            listed.push(user.id.unwrap());
        }
        assert_eq!(listed.len(), ids.len(), "pages of {page_size}");
        assert_eq!(listed.into_iter().collect::<HashSet<_>>(), ids);
    }
    let filter = Filter::eq("displayName", mark.as_str()).and(Filter::sw("userName", "0"));
    let page = client.get_users(&ListQuery::new().filter(filter).start_index(2).count(3)).await.unwrap();
    assert_eq!((page.total_results, page.start_index, page.resources.len()), (Some(10), Some(2), 3));
    for id in ids {
        client.delete_user(&id).await.unwrap();
    }
}

#[maybe_async]
#[test]
async fn an_error_has_the_servers_message() {
    let client = client();
    let error = client.update_user("missing", &ScimPatchRequest::new().replace("active", true)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    let stranger = ScimClient::new(crate::server().url, Credentials::bearer("wrong")).unwrap();
    let error = stranger.get_user("1").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized, "{error}");
    let error = client.get_token(None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}
