//! Listings of thousands of small servers, without I/O.

use std::collections::VecDeque;

use serde_json::{Value, json};

use super::{Listing, NextRequest};
use crate::error::{ErrorKind, Result};
use crate::exchange::ListQuery;
use crate::model::{ScimListResponse, ScimUser};

#[path = "../../tests/suite/random.rs"]
mod random;
#[path = "../../tests/suite/small_servers.rs"]
mod small_servers;

use random::Random;
use small_servers::SmallServer;

/// Reads a listing to its end, with up to `in_flight` pages. Returns the ids, the result, and the
/// number of requests.
fn read(
    mut listing: Listing<ScimUser>,
    in_flight: usize,
    mut answer: impl FnMut(&ListQuery) -> ScimListResponse,
) -> (Vec<String>, Result<()>, u64) {
    let mut ids = Vec::new();
    let mut ahead = VecDeque::new();
    let mut requests = 0;
    loop {
        while let Some(user) = listing.pop() {
            ids.push(user.id.unwrap());
        }
        match listing.next_request() {
            Err(error) => return (ids, Err(error), requests),
            Ok(NextRequest::Done) => return (ids, Ok(()), requests),
            Ok(NextRequest::Prefetched) => {
                let _ = listing.accept_prefetched(ahead.pop_front().unwrap());
            }
            Ok(NextRequest::Page(query)) => {
                if listing.is_prefetch_empty() {
                    ahead.clear();
                }
                requests += 1;
                let _ = listing.accept(answer(&query));
            }
        }
        while ahead.len() < in_flight
            && let Some(query) = listing.prefetch()
        {
            requests += 1;
            ahead.push_back(answer(&query));
        }
    }
}

fn users(ids: impl IntoIterator<Item = u32>) -> Vec<ScimUser> {
    ids.into_iter().map(|id| ScimUser { id: Some(id.to_string()), ..ScimUser::default() }).collect()
}

fn problem(seed: u64) -> Option<String> {
    let mut server = SmallServer::new(seed);
    let mut random = Random(!seed);
    let page_size = [1, 2, 3, 7, 20][usize::try_from(random.below(5)).unwrap()];
    let in_flight = [0, 0, 2, 5][usize::try_from(random.below(4)).unwrap()];
    let listing = Listing::new(ListQuery::new(), page_size, None, in_flight);
    let listing = if server.pages_by_cursor { listing.by_cursor() } else { listing };
    let (ids, end, requests) = read(listing, in_flight, |query| {
        assert!(server.requests < 2_000, "seed {seed}: the listing does not end");
        let page = server.page(query.start_index, query.count, query.cursor.as_deref());
        ScimListResponse {
            total_results: page.total,
            next_cursor: page.next_cursor,
            resources: users(page.ids),
            ..ScimListResponse::default()
        }
    });
    let ids: Vec<u32> = ids.iter().map(|id| id.parse().unwrap()).collect();
    let mut problem = server.check(page_size, in_flight == 0, &ids, end.is_ok()).err();
    if requests > 100 + 5 * u64::try_from(ids.len()).unwrap() {
        problem = Some(format!("{requests} requests for {} users", ids.len()));
    }
    problem.map(|problem| format!("seed {seed}, {page_size} a page, {in_flight} in flight: {problem}\n{server:?}"))
}

#[test]
fn every_listing_ends_and_returns_what_can_be_reached() {
    let problems: Vec<String> = (0..10_000).filter_map(problem).collect();
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems[..problems.len().min(5)].join("\n"));
}

/// A listing of these pages, one after the other, and then of empty ones.
fn of_pages(
    pages: impl IntoIterator<Item = Value>,
    page_size: u64,
    max: Option<u64>,
) -> (Vec<String>, Result<()>, u64) {
    let mut pages = pages.into_iter();
    let listing = Listing::new(ListQuery::new(), page_size, max, 0);
    read(listing, 0, |_| serde_json::from_value(pages.next().unwrap_or(json!({ "Resources": [] }))).unwrap())
}

#[test]
fn a_hidden_user_does_not_end_the_list_early() {
    for (page_size, window) in [(100, 0), (100, 4), (7, 0), (1, 0)] {
        let listing = Listing::new(ListQuery::new(), page_size, None, window);
        let (ids, end, requests) = read(listing, window, |query| {
            let start = u32::try_from(query.start_index.unwrap()).unwrap();
            let count = u32::try_from(query.count.unwrap()).unwrap();
            let shown = (start..start.saturating_add(count).min(451)).filter(|id| *id != 150);
            ScimListResponse { total_results: Some(450), resources: users(shown), ..ScimListResponse::default() }
        });
        assert_eq!(ids.len(), 449);
        assert_eq!(end.unwrap_err().kind(), ErrorKind::IncompleteList);
        assert!(requests <= 3 * (450 / page_size + 3), "{requests} requests of {page_size}");
    }
}

#[test]
fn a_user_twice_on_a_page_is_one_user() {
    let user = |id: u32| json!({ "id": id.to_string() });
    let (ids, end, _) = of_pages(
        [
            json!({ "totalResults": 4, "Resources": [user(1), user(2), user(2), user(3)] }),
            json!({ "totalResults": 4, "Resources": [user(3)] }),
        ],
        100,
        None,
    );
    assert_eq!(ids, ["1", "2", "3"]);
    assert!(end.is_ok(), "{end:?}");
}

#[test]
fn a_page_that_ends_where_it_began_does_not_explain_the_total() {
    let page = json!({ "totalResults": 3, "Resources": [{ "id": "1" }, { "id": "2" }, { "id": "1" }] });
    let (ids, end, requests) = of_pages(std::iter::repeat_n(page, 200), 100, None);
    assert_eq!((ids.len(), end.unwrap_err().kind()), (2, ErrorKind::IncompleteList));
    assert!(requests < 20, "{requests}");
}

#[test]
fn the_resources_of_the_last_page_precede_the_error() {
    let (ids, end, _) = of_pages(
        [
            json!({ "totalResults": 9, "Resources": [{ "id": "1" }, { "userName": "nameless" }], "nextCursor": "x" }),
            json!({ "totalResults": 9, "Resources": [{ "id": "2" }] }),
        ],
        100,
        None,
    );
    assert_eq!(ids, ["1", "2"]);
    assert!(end.unwrap_err().to_string().contains("without an id"));
}

#[test]
fn a_maximum_that_is_reached_is_no_error() {
    let page = json!({ "totalResults": 9, "Resources": [{ "id": "1" }, { "id": "2" }], "nextCursor": "x" });
    let (ids, end, requests) = of_pages([page.clone(), page.clone(), page], 100, Some(2));
    assert_eq!((ids.len(), end.is_ok(), requests), (2, true, 1));

    let last = json!({ "totalResults": 9, "Resources": [{ "id": "1" }, { "id": "2" }] });
    let first = json!({ "totalResults": 9, "Resources": [], "nextCursor": "x" });
    let (ids, end, _) = of_pages([first, last], 100, Some(2));
    assert_eq!((ids.len(), end.is_ok()), (2, true));
}

#[test]
fn a_huge_total_requests_few_pages_in_advance() {
    let mut listing = Listing::<ScimUser>::new(ListQuery::new(), 100, None, usize::MAX);
    assert!(matches!(listing.next_request(), Ok(NextRequest::Page(_))));
    let page = ScimListResponse { total_results: Some(1 << 62), resources: users(1..=100), ..Default::default() };
    listing.accept(page);
    let requested = std::iter::from_fn(|| listing.prefetch()).take(1_000).count();
    assert!(requested < 60, "{requested}");
}

#[test]
fn a_rejected_page_size_is_reduced() {
    let mut listing = Listing::<ScimUser>::new(ListQuery::new(), 100, None, 0);
    let mut sizes = Vec::new();
    loop {
        let Ok(NextRequest::Page(query)) = listing.next_request() else { panic!("no page is requested") };
        sizes.push(query.count.unwrap());
        if !listing.shrink_pages() {
            break;
        }
    }
    assert_eq!(sizes, [100, 50, 25, 12, 6, 3, 1]);
}

#[test]
fn a_server_limit_of_one_is_kept_to() {
    let listing = Listing::new(ListQuery::new(), 100, None, 4).limited_to(Some(1));
    let (ids, end, _) = read(listing, 4, |query| {
        assert_eq!(query.count, Some(1));
        let start = u32::try_from(query.start_index.unwrap()).unwrap();
        let shown = (start..=start).filter(|id| *id <= 5);
        ScimListResponse { total_results: Some(5), resources: users(shown), ..ScimListResponse::default() }
    });
    assert_eq!((ids.len(), end.is_ok()), (5, true));
}
