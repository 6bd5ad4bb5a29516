//! A listing of a server that answers as the input says: it ends within the bound that `ScimListing`
//! states, returns every resource that it was shown and none twice, and is not complete below the total.
#![no_main]

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use wats_scim::blocking::ScimService;
use wats_scim::http::{Request, Response};
use wats_scim::{Credentials, Profile, RetryPolicy, ScimConfig};

fuzz_target!(|script: &[u8]| {
    let [page_size, users, form, script @ ..] = script else { return };
    let server =
        Arc::new(Mutex::new(Server { users: users % 64, form: *form, script: script.to_vec(), ..Server::default() }));
    let shared = Arc::clone(&server);
    let answer =
        move |request: Request<Vec<u8>>| Ok(shared.lock().unwrap_or_else(PoisonError::into_inner).answer(&request));
    let config = ScimConfig::new("https://scim.example.com", Credentials::bearer("dG9rZW4tb2YtdGVzdHM"));
    let config = config.profile(Profile::standard()).retry(RetryPolicy::none());
    let client = ScimService::with_http_client(&config, answer).unwrap().discover().unwrap();

    let mut listing = client.iter_users().page_size(u64::from(page_size % 24));
    let mut returned = BTreeSet::new();
    let is_complete = loop {
        match listing.try_next() {
            Ok(Some(user)) => {
                let id = user.id.unwrap();
                assert!(returned.insert(id.clone()), "{id} is returned twice");
            }
            Ok(None) => break true,
            Err(_) => break false,
        }
    };
    assert!(matches!(listing.try_next(), Ok(None)), "something follows the end");

    let server = server.lock().unwrap();
    assert_eq!(returned, server.shown);
    let total = server.total.unwrap_or(0);
    let counted = u64::try_from(returned.len()).unwrap() + server.repeated;
    assert!(!is_complete || total <= counted, "complete with {} of {total} users", returned.len());
    assert!(!is_complete || !server.has_nameless, "complete with a user without an id");
});

/// A server whose answers follow a script.
#[derive(Default)]
struct Server {
    /// How many users an honest answer is about.
    users: u8,
    /// Whether there are cursors, what the largest page is, and how the script goes on at its end.
    form: u8,
    script: Vec<u8>,
    at: usize,
    requests: u64,
    /// The pages with a user that no page before them had.
    fruitful: u64,
    /// The ids on all pages.
    shown: BTreeSet<String>,
    /// The users that a page had already: the total may count them.
    repeated: u64,
    /// The last total that was stated.
    total: Option<u64>,
    has_nameless: bool,
}

impl Server {
    fn answer(&mut self, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
        let path = request.uri().path();
        if path.ends_with("ServiceProviderConfig") {
            let cursors = json!({ "cursor": self.form & 1 > 0 });
            let limit = [0, 1, 2, 7][usize::from(self.form >> 1 & 3)];
            return respond(
                200,
                &json!({ "pagination": cursors, "filter": { "supported": true, "maxResults": limit } }),
            );
        }
        if path.ends_with("ResourceTypes") {
            return respond(404, &json!({ "status": "404" }));
        }
        self.requests += 1;
        // As `ScimListing` documents it; the answer to this request can be fruitful, too.
        let most = 100 + 5 * (self.fruitful + 1);
        assert!(self.requests <= most, "{} requests, and {} pages had a new user", self.requests, self.fruitful);
        self.page(request.uri().query().unwrap_or_default())
    }

    /// The next byte of the script; at its end, it begins again, or only honest answers follow.
    fn next(&mut self) -> u8 {
        if self.at >= self.script.len() && self.form & 8 > 0 {
            self.at = 0;
        }
        let byte = self.script.get(self.at).copied().unwrap_or_default();
        self.at += 1;
        byte
    }

    fn page(&mut self, query: &str) -> Response<Vec<u8>> {
        let kind = self.next();
        let (kind, length) = (kind % 16, kind / 16);
        let parameter = |name: &str| query.split('&').find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
        let number = |name: &str| parameter(name).and_then(|value| value.parse::<u64>().ok());
        let users = match kind {
            0..8 => {
                let first = number("startIndex").unwrap_or(1);
                let most =
                    number("count").unwrap_or(u64::MAX).min(if length == 0 { u64::MAX } else { u64::from(length) });
                let shown = (first..first.saturating_add(most)).take_while(|id| *id <= u64::from(self.users));
                shown.map(|id| json!({ "id": id.to_string() })).collect()
            }
            8 => return respond(422, &json!({ "status": "422" })),
            9 => return respond(400, &json!({ "status": "400", "scimType": "invalidCount" })),
            10 => return respond(503, &json!({ "status": "503" })),
            _ => (0..length).map(|_| self.user()).collect::<Vec<_>>(),
        };
        let (total, cursor) = match kind {
            0..4 => (Some(u64::from(self.users)), None),
            4..8 => (self.any_total(), None),
            _ => (self.any_total(), Some(self.next()).filter(|cursor| *cursor < 128)),
        };
        self.record(&users, total);
        let mut page = json!({ "Resources": users });
        if let Some(total) = total {
            page["totalResults"] = json!(total);
        }
        if let Some(cursor) = cursor {
            page["nextCursor"] = json!(cursor.to_string());
        }
        respond(200, &page)
    }

    fn user(&mut self) -> Value {
        match self.next() {
            254 => json!({ "userName": "without an id" }),
            255 => Value::Null,
            id => json!({ "id": id.to_string() }),
        }
    }

    fn any_total(&mut self) -> Option<u64> {
        match self.next() {
            253 => Some(1 << 62),
            254 => Some(u64::MAX),
            255 => None,
            total => Some(u64::from(total)),
        }
    }

    fn record(&mut self, users: &[Value], total: Option<u64>) {
        let ids: Vec<&str> = users.iter().filter_map(|user| user["id"].as_str()).collect();
        let distinct: BTreeSet<&str> = ids.iter().copied().collect();
        self.repeated += u64::try_from(ids.len() - distinct.len()).unwrap();
        let before = self.shown.len();
        self.shown.extend(distinct.into_iter().map(str::to_owned));
        self.fruitful += u64::from(self.shown.len() > before);
        self.has_nameless |= users.iter().any(|user| user["id"].is_null() && !user.is_null());
        self.total = total.or(self.total);
    }
}

fn respond(status: u16, body: &Value) -> Response<Vec<u8>> {
    let response = Response::builder().status(status).header("Content-Type", "application/scim+json");
    response.body(body.to_string().into()).unwrap()
}
