//! The tests of both APIs. Each API includes these files with its own `maybe_async` and `test`.

mod always_ending;
mod applying;
pub(crate) mod audit;
mod audit_sinks;
mod batches;
mod changing;
mod checking;
mod configuration;
mod cursors;
mod directories;
mod errors;
mod exported;
mod faults;
mod features;
mod front;
mod in_bulk;
pub(crate) mod in_memory;
mod injection;
mod listing;
mod long_groups;
mod me;
mod media_types;
mod mistakes;
mod observed;
mod odd_groups;
mod people;
mod probing;
mod probing_groups;
mod random;
#[cfg(feature = "rate-limit")]
mod rate_limit;
mod reports;
mod retries;
mod reviewed;
mod schemas;
mod settling;
mod shaping;
mod small_servers;
mod tls;
pub(crate) mod tokens;
#[cfg(feature = "tracing")]
pub(crate) mod traces;
pub(crate) mod transports;
mod undoing;
mod unread;
mod unusual_json;
mod users;
mod versions;

use std::time::Duration;

use http::{Request, Response, StatusCode};
use serde_json::Value;
use wats_scim::plan::{Ours, Policy};
use wats_scim::{Credentials, Profile, RetryPolicy, ScimConfig};
use wats_scim_sandbox::{RecordedRequest, Sandbox, StandardSandbox};

use crate::ScimClient;

pub(crate) const MS: Duration = Duration::from_millis(1);

pub(crate) fn config(sandbox: &Sandbox) -> ScimConfig {
    ScimConfig::new(sandbox.base_url(), Credentials::wats_token(sandbox.token())).retry(quick())
}

/// A policy for small directories, whose users are all ours.
pub(crate) fn without_guards(profile: &Profile) -> Policy {
    Policy::new(profile)
        .ours(Ours::Everybody)
        .allow_empty_source(100)
        .allow_truncated_source(100)
        .max_deactivation_percent(100)
        .max_creation_percent(100)
        .max_adoption_percent(100)
        .max_rename_percent(100)
        .max_reactivation_percent(100)
        .max_change_percent(100)
        .max_alike_percent(100)
        .max_charset_change_percent(100)
        .max_members_added_percent(100)
        .max_members_removed_percent(100)
        .max_groups_emptied(100)
        .max_groups_emptied_percent(100)
        .max_groups_deleted_percent(100)
}

pub(crate) fn client(sandbox: &Sandbox) -> ScimClient {
    ScimClient::with_config(&config(sandbox)).unwrap()
}

/// The default retry policy without delays.
pub(crate) fn quick() -> RetryPolicy {
    RetryPolicy::default().delays(MS, 2 * MS)
}

pub(crate) fn answer(status: u16, media_type: &str, body: impl Into<Vec<u8>>) -> Response<Vec<u8>> {
    Response::builder()
        .status(StatusCode::from_u16(status).unwrap())
        .header("content-type", media_type)
        .body(body.into())
        .unwrap()
}

/// A sandbox that answers every request with this.
pub(crate) fn always(status: u16, media_type: &'static str, body: &'static str) -> Sandbox {
    Sandbox::builder().respond_with(move |_| Some(answer(status, media_type, body))).start().unwrap()
}

/// The received requests, as `METHOD target`.
pub(crate) fn received(sandbox: &dyn Server) -> Vec<String> {
    sandbox.requests().iter().map(|request| format!("{} {}", request.method, request.target)).collect()
}

/// The common interface of both sandbox servers.
pub(crate) trait Server {
    fn scim_url(&self) -> &str;
    fn token(&self) -> &str;
    fn users(&self) -> Vec<Value>;
    fn requests(&self) -> Vec<RecordedRequest>;
}

macro_rules! server {
    ($sandbox:ty) => {
        impl Server for $sandbox {
            fn scim_url(&self) -> &str {
                self.scim_url()
            }

            fn token(&self) -> &str {
                self.token()
            }

            fn users(&self) -> Vec<Value> {
                self.users()
            }

            fn requests(&self) -> Vec<RecordedRequest> {
                self.requests()
            }
        }
    };
}

server!(Sandbox);
server!(StandardSandbox);

/// A server that redirects everything but its form.
pub(crate) fn redirecting() -> Sandbox {
    let redirect = |request: &Request<Vec<u8>>| {
        let elsewhere = Response::builder().status(303).header("location", "/form").body(Vec::new()).unwrap();
        Some(if request.uri().path() == "/form" { answer(200, "application/json", r#"{"id":"1"}"#) } else { elsewhere })
    };
    Sandbox::builder().respond_with(redirect).start().unwrap()
}
