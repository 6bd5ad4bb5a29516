//! A complete SCIM 2.0 server (RFC 7643, RFC 7644), in place of one that has the rules of WATS.

mod builder;
mod bulk;
mod cursors;
mod discovery;
mod fields;
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
mod sort;
mod store;
mod versions;

use http::header::AUTHORIZATION;
use http::{HeaderMap, Response};
use serde_json::Value;

use self::cursors::Cursors;
use self::store::Store;
use super::quirks::Quirks;
use super::refusal::Refusal;
use crate::samples as seed;
use crate::wats::gate::Account;

pub(super) use self::builder::Settings;

/// How many resources a page holds at most, where no cap is set.
const MAX_RESULTS: usize = 1000;

type Answer = Result<Response<Vec<u8>>, Refusal>;

/// The id that a bulk request has promised to a resource that it creates.
#[derive(Clone, Debug)]
struct ReservedId(String);

/// All that the server knows.
pub(super) struct Standard {
    /// The address of the SCIM base.
    base: String,
    store: Store,
    account: Account,
    quirks: Quirks,
    settings: Settings,
    cursors: Cursors,
}

impl Standard {
    /// A server at `base` that holds `users` sample users.
    pub(super) fn new(base: &str, account: Account, mut quirks: Quirks, settings: Settings, users: usize) -> Self {
        quirks.page_cap.get_or_insert(MAX_RESULTS);
        let mut store = Store::new(base);
        if let Some(kind) = kinds::users() {
            for number in (1..).take(users) {
                // Cannot conflict: nothing else has been created yet.
                let _ = store.create(kind, seed::user(number), None);
            }
        }
        Self { base: base.to_owned(), store, account, quirks, settings, cursors: Cursors::default() }
    }

    /// The resources at an endpoint, in the order of their creation.
    pub(super) fn resources(&self, endpoint: &str) -> Vec<Value> {
        kinds::at(endpoint).map(|kind| self.store.iter(kind).cloned().collect()).unwrap_or_default()
    }

    /// Lets a request through that carries the token, as Basic or as Bearer.
    fn let_in(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let passes = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .is_some_and(|(scheme, credentials)| {
                let is_known = ["basic", "bearer"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
                is_known && credentials.trim() == self.account.token
            });
        if passes { Ok(()) } else { Err(refusals::unauthorized()) }
    }
}
