//! A listing ends, whatever the server does: complete, or with an error after every user that can be
//! reached.

use std::sync::Mutex;

use serde_json::json;
use wats_scim::{Error, ErrorKind, ListQuery, Resource, Result, ScimListResponse, ScimPatchRequest, ScimToken, Target};

use super::small_servers::SmallServer;
use crate::api::{ScimRepository, ScimService};
use crate::{maybe_async, test};

struct Small(Mutex<SmallServer>);

impl Small {
    fn page<T: Resource>(&self, query: &ListQuery) -> Result<ScimListResponse<T>> {
        let mut server = self.0.lock().unwrap();
        if server.requests > 2_000 {
            return Err(Error::new(ErrorKind::Server, "the listing does not end"));
        }
        let page = server.page(query.start_index, query.count, query.cursor.as_deref());
        let user = |id: &u32| serde_json::from_value(json!({ "id": id.to_string() })).unwrap();
        Ok(ScimListResponse {
            total_results: page.total,
            next_cursor: page.next_cursor,
            resources: page.ids.iter().map(user).collect(),
            ..ScimListResponse::default()
        })
    }
}

fn unused() -> Error {
    Error::new(ErrorKind::Unsupported, "only listing is offered")
}

#[maybe_async(AFIT)]
impl ScimRepository for Small {
    async fn list<T: Resource>(&self, query: &ListQuery) -> Result<ScimListResponse<T>> {
        self.page(query)
    }

    fn pages_by_cursor(&self) -> bool {
        self.0.lock().unwrap().pages_by_cursor
    }

    async fn token(&self, _: Option<u32>) -> Result<ScimToken> {
        Err(unused())
    }

    async fn get<T: Resource>(&self, _: &str) -> Result<Option<T>> {
        Err(unused())
    }

    async fn get_by_name<T: Resource>(&self, _: &str) -> Result<Option<T>> {
        Err(unused())
    }

    async fn create<T: Resource>(&self, _: &T) -> Result<T> {
        Err(unused())
    }

    async fn patch<T: Resource>(&self, _: Target<'_>, _: &ScimPatchRequest) -> Result<Option<T>> {
        Err(unused())
    }

    async fn delete<T: Resource>(&self, _: Target<'_>) -> Result<()> {
        Err(unused())
    }
}

/// Lists one server; returns what is wrong.
#[maybe_async]
async fn problem(seed: u64, page_size: u64, in_flight: usize) -> Option<String> {
    let service = ScimService::with_repository(Small(Mutex::new(SmallServer::new(seed))));
    let mut users = service.iter_users().page_size(page_size).in_flight(in_flight);
    let mut returned = Vec::new();
    let end = loop {
        match users.try_next().await {
            Ok(Some(user)) => returned.push(user.id.unwrap().parse().unwrap()),
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    let after = users.try_next().await;
    let server = service.repository().0.lock().unwrap();
    // As `ScimListing` documents it.
    let most = 100 + 5 * u64::try_from(returned.len()).unwrap();
    let mut problem = server.check(page_size, in_flight == 1, &returned, end.is_ok()).err();
    if server.requests > most {
        problem = Some(format!("{} requests, and at most {most} are allowed", server.requests));
    }
    if end.as_ref().is_err_and(|error| error.kind() != ErrorKind::IncompleteList) {
        problem = Some(format!("another error: {end:?}"));
    }
    if !matches!(after, Ok(None)) {
        problem = Some("something follows the end".to_owned());
    }
    problem.map(|problem| format!("seed {seed}, {page_size} a page, {in_flight} in flight: {problem}\n{server:?}"))
}

#[maybe_async]
#[test]
async fn a_listing_of_any_server_ends_and_returns_what_can_be_reached() {
    let mut problems = Vec::new();
    for seed in 0..400 {
        for (page_size, in_flight) in [(1, 1), (3, 1), (20, 1), (3, 4), (20, 4)] {
            problems.extend(problem(seed, page_size, in_flight).await);
        }
    }
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems[..problems.len().min(5)].join("\n"));
}
