//! Listing a directory while it changes. Every user that exists throughout is returned exactly
//! once, or the listing ends with an error; an unchanged directory is never an error.

use std::collections::{BTreeSet, HashMap};
use std::sync::Mutex;

use wats_scim::{
    Error, ErrorKind, ListQuery, Resource, Result, ScimListResponse, ScimPatchRequest, ScimToken, ScimUser, Target,
};

use super::random::Random;
use crate::api::{ScimRepository, ScimService};
use crate::{maybe_async, test};

/// The changes between two requests.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Change {
    Nothing,
    /// Users are added and removed anywhere, in a stable order.
    Members,
    /// The order changes, but no user is added or removed.
    Order,
}

struct Directory {
    /// The users, in the order of the list.
    order: Vec<u32>,
    /// The users that have existed since the beginning.
    throughout: BTreeSet<u32>,
    change: Change,
    /// The probability of a change at each request, in percent.
    likely: u64,
    /// The maximum page size.
    cap: usize,
    tells_total: bool,
    random: Random,
}

impl Random {
    fn index(&mut self, end: usize) -> usize {
        usize::try_from(self.below(u64::try_from(end).unwrap())).unwrap()
    }
}

impl Directory {
    fn new(seed: u64, change: Change) -> Self {
        let mut random = Random(seed);
        let users = random.below(90);
        // Every second number, so that users can be inserted between any two.
        let order: Vec<u32> = (0..users).map(|n| u32::try_from(n).unwrap() * 1000).collect();
        Self {
            throughout: order.iter().copied().collect(),
            order,
            change,
            likely: [2, 10, 40][random.index(3)],
            // Pages of one user cannot overlap, so added and removed users may not be detected.
            cap: if change == Change::Members {
                [2, 7, 20, 1000][random.index(4)]
            } else {
                [1, 2, 7, 20, 1000][random.index(5)]
            },
            // Without a total, a changed order cannot be detected.
            tells_total: change == Change::Order || random.below(4) > 0,
            random,
        }
    }

    fn change(&mut self) {
        if self.random.below(100) >= self.likely {
            return;
        }
        match self.change {
            Change::Nothing => {}
            Change::Order => {
                for _ in 0..3 {
                    let (from, to) =
                        (self.random.index(self.order.len().max(1)), self.random.index(self.order.len().max(1)));
                    if !self.order.is_empty() {
                        let moved = self.order.remove(from);
                        self.order.insert(to, moved);
                    }
                }
            }
            Change::Members => {
                for _ in 0..=self.random.below(3) {
                    if self.random.below(2) == 0 && !self.order.is_empty() {
                        let gone = self.order.remove(self.random.index(self.order.len()));
                        self.throughout.remove(&gone);
                    } else {
                        let new = u32::try_from(self.random.below(90_000)).unwrap();
                        if let Err(at) = self.order.binary_search(&new) {
                            self.order.insert(at, new);
                        }
                    }
                }
            }
        }
    }
}

struct Shifting(Mutex<Directory>);

impl Shifting {
    fn page<T: Resource>(&self, query: &ListQuery) -> ScimListResponse<T> {
        let mut directory = self.0.lock().unwrap();
        directory.change();
        let start = usize::try_from(query.start_index.unwrap()).unwrap() - 1;
        let count = usize::try_from(query.count.unwrap()).unwrap().min(directory.cap);
        let ids = directory.order.iter().skip(start).take(count);
        ScimListResponse {
            total_results: directory.tells_total.then(|| u64::try_from(directory.order.len()).unwrap()),
            resources: ids
                .map(|id| serde_json::from_value(serde_json::json!({ "id": id.to_string() })).unwrap())
                .collect(),
            ..ScimListResponse::default()
        }
    }
}

fn unused() -> Error {
    Error::new(ErrorKind::Unsupported, "only listing is offered")
}

#[maybe_async(AFIT)]
impl ScimRepository for Shifting {
    async fn list<T: Resource>(&self, query: &ListQuery) -> Result<ScimListResponse<T>> {
        Ok(self.page(query))
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

/// Lists one directory; returns whether the list was complete.
#[maybe_async]
async fn is_complete(seed: u64, change: Change, in_flight: usize, page_size: u64) -> bool {
    let service = ScimService::with_repository(Shifting(Mutex::new(Directory::new(seed, change))));
    let what = format!("{change:?}, seed {seed}, {in_flight} in flight, pages of {page_size}");
    let mut pages = service.iter_users().page_size(page_size).in_flight(in_flight);
    let mut times: HashMap<u32, u32> = HashMap::new();
    loop {
        match pages.try_next().await {
            Ok(Some(ScimUser { id: Some(id), .. })) => *times.entry(id.parse().unwrap()).or_default() += 1,
            Ok(Some(_)) => panic!("{what}: a user without an id"),
            Ok(None) => break,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::IncompleteList, "{what}: {error}");
                assert_ne!(change, Change::Nothing, "{what}: {error}");
                return false;
            }
        }
    }
    let directory = service.repository().0.lock().unwrap();
    assert!(times.values().all(|count| *count == 1), "{what}: a user was returned twice");
    for user in &directory.throughout {
        assert!(
            times.contains_key(user),
            "{what}, cap {}, total {}: {user} was there throughout and did not come",
            directory.cap,
            directory.tells_total
        );
    }
    true
}

/// Lists many directories while they change.
#[maybe_async]
async fn check(change: Change) {
    let (mut complete, mut all) = (0, 0);
    for seed in 0..150 {
        for in_flight in [1, 4, 16] {
            for page_size in [5, 20] {
                all += 1;
                complete += u32::from(is_complete(seed, change, in_flight, page_size).await);
            }
        }
    }
    // Errors are allowed, but must be rare.
    assert!(complete * 3 > all, "{change:?}: only {complete} of {all} were complete");
    println!("{change:?}: {complete} of {all} complete");
}

#[maybe_async]
#[test]
async fn every_user_is_returned_once_while_nothing_changes() {
    check(Change::Nothing).await;
}

#[maybe_async]
#[test]
async fn every_user_that_exists_throughout_is_returned_once_or_the_listing_fails() {
    check(Change::Members).await;
}

#[maybe_async]
#[test]
async fn every_user_is_returned_once_or_the_listing_fails_while_the_order_changes() {
    check(Change::Order).await;
}
