//! The state of the server, and its access control.

use std::io;

use http::header::AUTHORIZATION;
use http::{HeaderMap, Response};
use serde_json::{Map, Value};

use super::builder::Settings;
use super::cursors::Cursors;
use super::store::Store;
use super::{kinds, refusals};
use crate::account::Account;
use crate::message::text;
use crate::quirks::Quirks;
use crate::refusal::Refusal;
use crate::setup::{object, rejected};

/// The path of the SCIM base.
pub(super) const BASE: &str = "/scim/v2";

type Resource = Map<String, Value>;

/// The maximum page size without a cap.
const MAX_RESULTS: usize = 1000;

pub(super) type Answer = Result<Response<Vec<u8>>, Refusal>;

/// The id that a bulk request has reserved for a resource.
#[derive(Clone, Debug)]
pub(super) struct ReservedId(pub(super) String);

/// The state of the server.
pub(crate) struct Standard {
    /// The URL of the SCIM base.
    pub(super) base: String,
    pub(super) store: Store,
    pub(super) account: Account,
    pub(super) quirks: Quirks,
    pub(super) settings: Settings,
    pub(super) cursors: Cursors,
}

impl Standard {
    /// An empty server at `base`.
    pub(super) fn new(base: &str, account: Account, mut quirks: Quirks, settings: Settings) -> Self {
        quirks.page_cap.get_or_insert(MAX_RESULTS);
        Self { base: base.to_owned(), store: Store::new(base), account, quirks, settings, cursors: Cursors::default() }
    }

    /// Adds the initial users and groups. Groups can have later ones as members.
    pub(super) fn seed(
        &mut self,
        users: impl Iterator<Item = io::Result<Resource>>,
        groups: &[Value],
    ) -> io::Result<()> {
        for user in users {
            self.add("Users", &user?)?;
        }
        let groups: Vec<_> = groups.iter().map(object).collect::<io::Result<_>>()?;
        for group in &groups {
            if let Some((id, kind)) = text(group, "id").zip(kinds::at("Groups")) {
                self.store.expected.insert(id.to_owned(), kind);
            }
        }
        for group in &groups {
            self.add("Groups", group)?;
        }
        Ok(())
    }

    /// Adds a resource, and keeps its `id` if it has one.
    fn add(&mut self, endpoint: &str, resource: &Resource) -> io::Result<()> {
        let Some(kind) = kinds::at(endpoint) else { return Ok(()) };
        let id = text(resource, "id").map(str::to_owned);
        if let Some(id) = id.as_deref().filter(|id| self.store.find(id).is_some()) {
            let refusal = Refusal::invalid_value(format!("there is a resource with the id '{id}'"));
            return Err(rejected(resource, &refusal));
        }
        let created = self.store.create(kind, resource.clone(), id.as_deref());
        created.map(drop).map_err(|refusal| rejected(resource, &refusal))
    }

    /// The current users, in the order of their creation.
    pub(crate) fn users(&self) -> Vec<Value> {
        self.resources("Users")
    }

    /// The resources at an endpoint, in the order of their creation.
    pub(super) fn resources(&self, endpoint: &str) -> Vec<Value> {
        kinds::at(endpoint).map(|kind| self.store.iter(kind).cloned().collect()).unwrap_or_default()
    }

    /// Accepts a request with the token as Basic or as Bearer.
    pub(super) fn let_in(&self, headers: &HeaderMap) -> Result<(), Refusal> {
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
