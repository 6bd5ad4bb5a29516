//! The routes, without a network.

use serde_json::json;

use super::*;
use crate::account::Account;
use crate::quirks::Quirks;
use crate::setup::Setup;
use crate::standard::builder::Settings;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
const SEARCH: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";
const BULK: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";

/// A server, and the answers that a client with credentials gets.
struct Peer {
    server: Standard,
    authorization: String,
    if_match: Option<&'static str>,
    if_none_match: Option<&'static str>,
}

impl Peer {
    fn of(users: usize) -> Self {
        Self::with(users, Quirks::default(), |_| {})
    }

    fn with(users: usize, quirks: Quirks, set: impl FnOnce(&mut Settings)) -> Self {
        let account = Account::random();
        let authorization = format!("Bearer {}", account.token);
        let mut settings = Settings::default();
        set(&mut settings);
        let mut server = Standard::new("http://x/scim/v2", account, quirks, settings);
        let setup = Setup { sample_users: users, ..Setup::default() };
        server.seed(setup.all_users(), &[]).unwrap();
        Self { server, authorization, if_match: None, if_none_match: None }
    }

    fn send(&mut self, method: &str, path: &str, body: &Value) -> Response<Vec<u8>> {
        let uri = format!("/scim/v2{path}");
        let mut request = Request::builder().method(method).uri(uri).header("authorization", &self.authorization);
        if let Some(tag) = self.if_match {
            request = request.header("if-match", tag);
        }
        if let Some(tag) = self.if_none_match {
            request = request.header("if-none-match", tag);
        }
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        self.server.respond(&request.body(body).unwrap())
    }

    fn get(&mut self, path: &str) -> Value {
        read(&self.send("GET", path, &Value::Null))
    }

    /// The path of the first user.
    fn first(&self) -> String {
        format!("/Users/{}", self.server.resources("Users")[0]["id"].as_str().unwrap())
    }

    fn bulk(&mut self, fail_on_errors: Option<u64>, operations: &Value) -> Value {
        let body = json!({"schemas": [BULK], "failOnErrors": fail_on_errors, "Operations": operations});
        read(&self.send("POST", "/Bulk", &body))["Operations"].clone()
    }
}

fn read(response: &Response<Vec<u8>>) -> Value {
    serde_json::from_slice(response.body()).unwrap()
}

#[test]
fn missing_credentials_are_rejected() {
    let mut peer = Peer::of(0);
    peer.authorization = String::new();
    let refused = peer.send("GET", "/Users", &Value::Null);
    assert_eq!(refused.status(), 401);
    let offered = refused.headers()[http::header::WWW_AUTHENTICATE].to_str().unwrap();
    assert!(offered.contains("Basic") && offered.contains("Bearer"), "{offered}");
}

#[test]
fn discovery_needs_no_credentials() {
    let mut peer = Peer::of(0);
    peer.authorization = String::new();
    for path in ["/ServiceProviderConfig", "/ResourceTypes/User", "/Schemas"] {
        assert_eq!(peer.send("GET", path, &Value::Null).status(), 200, "{path}");
    }
}

#[test]
fn discovery_rejects_a_filter() {
    let response = Peer::of(0).send("GET", "/Schemas?filter=id%20pr", &Value::Null);
    assert_eq!(response.status(), 403);
}

#[test]
fn a_schema_is_found_by_its_urn() {
    let path = "/Schemas/urn:ietf:params:scim:schemas:core:2.0:Group";
    assert_eq!(Peer::of(0).get(path)["name"], "Group");
}

#[test]
fn a_create_answers_with_location_and_version() {
    let response = Peer::of(0).send("POST", "/Users", &json!({"schemas": [USER], "userName": "jane"}));
    assert_eq!(response.status(), 201);
    assert_eq!(response.headers()[ETAG], "W/\"1\"");
    let location = read(&response)["meta"]["location"].clone();
    assert_eq!(response.headers()[LOCATION].to_str().ok(), location.as_str());
}

#[test]
fn a_resource_lists_its_schema_and_its_extensions() {
    let mut peer = Peer::of(1);
    let first = peer.first();
    for (schemas, status) in [
        (Value::Null, 400),
        (json!([]), 400),
        (json!([GROUP, ENTERPRISE]), 400),
        (json!([USER]), 400),
        (json!([USER.to_uppercase(), ENTERPRISE]), 201),
    ] {
        let sent = json!({"schemas": schemas, "userName": "jane", ENTERPRISE: {"department": "D"}});
        let created = peer.send("POST", "/Users", &sent);
        assert_eq!(created.status(), status, "{schemas}");
        assert!(status == 201 || read(&created)["scimType"] == "invalidSyntax");
        let sent = json!({"schemas": schemas, "userName": "user0001@example.com", ENTERPRISE: {"department": "D"}});
        assert_eq!(peer.send("PUT", &first, &sent).status(), if status == 201 { 200 } else { 400 }, "{schemas}");
    }
    // An extension without a value is as a missing one (RFC 7643 §2.5).
    let sent = json!({"schemas": [USER], "userName": "bob", ENTERPRISE: null});
    assert_eq!(peer.send("POST", "/Users", &sent).status(), 201);
}

#[test]
fn a_replacement_of_an_unknown_user_is_not_found() {
    let response = Peer::of(0).send("PUT", "/Users/1", &json!({"userName": "jane"}));
    assert_eq!(response.status(), 404);
}

#[test]
fn a_patch_answers_with_the_resource() {
    let mut peer = Peer::of(1);
    let operations = json!([{"op": "replace", "path": "title", "value": "T"}]);
    let path = peer.first();
    let response = peer.send("PATCH", &path, &json!({"schemas": [PATCH], "Operations": operations}));
    assert_eq!(
        (read(&response)["title"].as_str(), &response.headers()[ETAG]),
        (Some("T"), &"W/\"2\"".parse().unwrap())
    );
}

#[test]
fn another_version_is_not_changed() {
    let mut peer = Peer::of(1);
    peer.if_match = Some("W/\"9\"");
    let path = peer.first();
    assert_eq!(peer.send("DELETE", &path, &Value::Null).status(), 412);
}

#[test]
fn a_known_version_is_not_sent_again() {
    let mut peer = Peer::of(1);
    peer.if_none_match = Some("W/\"1\"");
    let path = peer.first();
    assert_eq!(peer.send("GET", &path, &Value::Null).status(), 304);
}

#[test]
fn a_list_is_filtered_sorted_and_projected() {
    let query =
        "filter=userName%20gt%20%22user0002%22&sortBy=userName&sortOrder=descending&count=2&attributes=userName";
    let list = Peer::of(5).get(&format!("/Users?{query}"));
    assert_eq!((&list["totalResults"], &list["Resources"][1]["userName"]), (&json!(4), &json!("user0004@example.com")));
    assert_eq!(list["Resources"][0].get("meta"), None);
}

#[test]
fn a_page_cap_is_applied_and_announced() {
    let quirks = Quirks { page_cap: Some(2), ..Quirks::default() };
    let mut peer = Peer::with(5, quirks, |_| {});
    assert_eq!(peer.get("/Users?count=5")["itemsPerPage"], 2);
    assert_eq!(peer.get("/ServiceProviderConfig")["filter"]["maxResults"], 2);
}

#[test]
fn a_search_at_the_base_returns_all_types() {
    let mut peer = Peer::of(2);
    peer.send("POST", "/Groups", &json!({"schemas": [GROUP], "displayName": "Sample"}));
    let search = json!({"schemas": [SEARCH], "filter": "displayName sw \"Sample\"", "count": 10});
    assert_eq!(read(&peer.send("POST", "/.search", &search))["totalResults"], 3);
    assert_eq!(read(&peer.send("POST", "/Users/.search", &search))["totalResults"], 2);
}

#[test]
fn a_cursor_leads_to_the_next_page() {
    let mut peer = Peer::with(3, Quirks::default(), |settings| settings.cursors = true);
    let first = peer.get("/Users?cursor&count=2");
    let second = peer.get(&format!("/Users?count=2&cursor={}", first["nextCursor"].as_str().unwrap()));
    assert_eq!((second["itemsPerPage"].as_u64(), second.get("nextCursor")), (Some(1), None));
}

#[test]
fn me_is_not_supported_by_default() {
    assert_eq!(Peer::of(1).send("GET", "/Me", &Value::Null).status(), 501);
}

#[test]
fn me_is_the_user_of_that_name() {
    let mut peer = Peer::with(2, Quirks::default(), |settings| settings.me = Some("USER0002@example.com".to_owned()));
    assert_eq!(peer.get("/Me")["userName"], "user0002@example.com");
}

#[test]
fn a_bulk_operation_may_refer_to_a_later_one() {
    let mut peer = Peer::of(0);
    let results = peer.bulk(
        None,
        &json!([
            {"method": "POST", "path": "/Groups", "bulkId": "g",
             "data": {"schemas": [GROUP], "displayName": "G", "members": [{"value": "bulkId:u"}]}},
            {"method": "POST", "path": "/Users", "bulkId": "u", "data": {"schemas": [USER], "userName": "jane"}},
            {"method": "PATCH", "path": "/Users/bulkId:u", "data": {"schemas": [PATCH],
             "Operations": [{"op": "add", "path": "title", "value": "T"}]}},
        ]),
    );
    let statuses: Vec<_> = results.as_array().unwrap().iter().map(|one| one["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["201", "201", "200"], "{results}");
    let user = &peer.server.resources("Users")[0];
    assert_eq!(user["groups"][0]["display"], "G");
    assert_eq!(peer.server.resources("Groups")[0]["members"][0]["display"], "jane");
    assert_eq!((&results[1]["location"], &results[2]["version"]), (&user["meta"]["location"], &json!("W/\"2\"")));
}

#[test]
fn a_resource_that_a_bulk_request_failed_to_create_is_not_a_member() {
    let mut peer = Peer::of(0);
    let results = peer.bulk(
        None,
        &json!([
            {"method": "POST", "path": "/Groups", "bulkId": "g",
             "data": {"schemas": [GROUP], "displayName": "G", "members": [{"value": "bulkId:u"}]}},
            {"method": "POST", "path": "/Users", "bulkId": "u", "data": {"schemas": [USER]}},
        ]),
    );
    assert_eq!(results[1]["response"]["scimType"], "invalidValue");
    assert_eq!(peer.server.resources("Groups")[0].get("members"), None);
}

#[test]
fn a_bulk_request_ends_at_its_number_of_failures() {
    let missing = json!({"method": "DELETE", "path": "/Users/1"});
    let results = Peer::of(0).bulk(Some(1), &json!([missing, missing]));
    assert_eq!(results.as_array().map(Vec::len), Some(1));
}

#[test]
fn head_is_answered_as_get() {
    let mut peer = Peer::of(1);
    let one = peer.first();
    for path in ["/Users", "/Schemas", &one] {
        assert_eq!(peer.send("HEAD", path, &Value::Null).status(), 200, "{path}");
    }
    assert_eq!(peer.send("HEAD", "/Bulk", &Value::Null).status(), 405);
}

#[test]
fn a_bulk_operation_checks_its_version() {
    let mut peer = Peer::of(1);
    let operation = json!({"method": "DELETE", "path": peer.first(), "version": "W/\"9\""});
    assert_eq!(peer.bulk(None, &json!([operation]))[0]["status"], "412");
}

#[test]
fn a_bulk_request_over_its_limits_is_too_large() {
    let limits = super::super::builder::BulkLimits { max_operations: 0, max_payload_size: 1000 };
    let mut peer = Peer::with(0, Quirks::default(), |settings| settings.bulk = Some(limits));
    let body = json!({"schemas": [BULK], "Operations": [{}]});
    assert_eq!(peer.send("POST", "/Bulk", &body).status(), 413);
}

#[test]
fn missing_bulk_support_is_announced() {
    let mut peer = Peer::with(0, Quirks::default(), |settings| settings.bulk = None);
    assert_eq!(peer.send("POST", "/Bulk", &json!({})).status(), 501);
    assert_eq!(peer.get("/ServiceProviderConfig")["bulk"]["supported"], false);
}
