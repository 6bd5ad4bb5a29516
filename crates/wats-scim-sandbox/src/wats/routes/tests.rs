//! The routes, without a network.

use super::*;
use std::time::Duration;

use crate::account::Account;
use crate::samples;

/// A server and its answers, as a client with credentials sees them.
struct Peer {
    server: Wats,
    authorization: String,
}

impl Peer {
    fn of(users: usize) -> Self {
        Self::with(users, Quirks::default())
    }

    fn with(users: usize, quirks: Quirks) -> Self {
        Self::at(Base::Wats, users, quirks, None)
    }

    fn at(base: Base, users: usize, quirks: Quirks, lifetime: Option<Duration>) -> Self {
        let account = Account::random();
        let authorization = format!("Basic {}", account.token);
        let mut directory = Directory::new(format!("http://sandbox.test{}/Users", base.path()));
        for number in 1..=users {
            directory.seed(samples::user(number)).unwrap();
        }
        let gate = Gate::new(account, "http://sandbox.test", lifetime);
        Self { server: Wats { directory, gate, base, quirks }, authorization }
    }

    fn send(&mut self, method: &str, target: &str, body: &str) -> Response<Vec<u8>> {
        let request = Request::builder()
            .method(method)
            .uri(target)
            .header("authorization", &self.authorization)
            .body(body.as_bytes().to_vec())
            .unwrap();
        self.server.respond(&request)
    }

    fn get(&mut self, target: &str) -> Response<Vec<u8>> {
        self.send("GET", target, "")
    }

    /// The path of the first user.
    fn first(&self) -> String {
        let user = self.server.directory.iter().next().unwrap();
        format!("/api/SCIM/v2/Users/{}", user["id"].as_str().unwrap())
    }
}

fn read(response: &Response<Vec<u8>>) -> Value {
    serde_json::from_slice(response.body()).unwrap()
}

const PATCH: &str = r#"{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
    "Operations": [{"op": "replace", "path": "active", "value": false}]}"#;

#[test]
fn missing_credentials_are_rejected_with_a_scim_error() {
    let mut peer = Peer::of(0);
    peer.authorization = String::new();
    let response = peer.get("/api/SCIM/v2/Users");
    assert_eq!(response.status(), 401);
    assert_eq!(read(&response)["status"], "401");
}

#[test]
fn wrong_credentials_are_rejected() {
    let mut peer = Peer::of(0);
    peer.authorization = "Basic c2FuZGJveDp4".to_owned();
    assert_eq!(peer.get("/api/SCIM/v2/Users").status(), 401);
}

#[test]
fn an_issued_token_is_accepted_as_bearer() {
    let mut peer = Peer::of(0);
    let token = read(&peer.get("/api/SCIM/v2/Token"))["token"].clone();
    peer.authorization = format!("Bearer {}", token.as_str().unwrap());
    assert_eq!(peer.get("/api/SCIM/v2/Users").status(), 200);
}

#[test]
fn an_expired_token_is_rejected() {
    let mut peer = Peer::at(Base::Wats, 0, Quirks::default(), Some(Duration::ZERO));
    let token = read(&peer.get("/api/SCIM/v2/Token"))["token"].clone();
    peer.authorization = format!("Bearer {}", token.as_str().unwrap());
    assert_eq!(peer.get("/api/SCIM/v2/Users").status(), 401);
}

#[test]
fn a_token_is_valid_for_90_days_by_default() {
    let token = read(&Peer::of(0).get("/api/SCIM/v2/Token"));
    assert_eq!(token["durationDays"], 90);
}

#[test]
fn a_token_is_a_jwt_with_its_expiry() {
    use base64::Engine;
    let reply = read(&Peer::of(0).get("/api/SCIM/v2/Token?duration=7"));
    let payload = reply["token"].as_str().unwrap().split('.').nth(1).unwrap();
    let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload);
    let claims: Value = serde_json::from_slice(&payload.unwrap()).unwrap();
    let lifetime = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
    assert_eq!(lifetime, 7 * 24 * 60 * 60);
}

#[test]
fn a_duration_below_one_day_is_rejected() {
    let response = Peer::of(0).get("/api/SCIM/v2/Token?duration=0");
    assert_eq!(response.status(), 400);
}

#[test]
fn a_duration_that_is_not_a_number_is_rejected() {
    let response = Peer::of(0).get("/api/SCIM/v2/Token?duration=long");
    assert_eq!(response.status(), 400);
}

#[test]
fn the_longest_duration_does_not_overflow() {
    let response = Peer::of(0).get("/api/SCIM/v2/Token?duration=2147483647");
    assert!(response.status() == 200 || response.status() == 400);
}

#[test]
fn the_base_ignores_letter_case() {
    assert_eq!(Peer::of(0).get("/API/scim/V2/Users").status(), 200);
}

#[test]
fn an_unknown_route_is_not_found() {
    assert_eq!(Peer::of(0).get("/api/SCIM/v2/Groups").status(), 404);
}

#[test]
fn dots_in_a_path_are_not_resolved() {
    assert_eq!(Peer::of(0).get("/api/SCIM/v2/Users/../Token").status(), 404);
}

#[test]
fn an_unsupported_method_is_not_allowed() {
    let response = Peer::of(0).send("PUT", "/api/SCIM/v2/Users/x", "{}");
    assert_eq!(response.status(), 405);
    assert_eq!(response.headers()["allow"], "GET, PATCH, DELETE");
}

#[test]
fn an_encoded_slash_stays_in_its_segment() {
    let route = Route::of("/api/SCIM/v2/Users/userName=a%2Fb", Base::Wats);
    assert_eq!(route.unwrap(), Route::UserNamed("a/b".to_owned()));
}

#[test]
fn a_plus_in_a_path_stays_a_plus() {
    let route = Route::of("/api/SCIM/v2/Users/userName=a+b", Base::Wats);
    assert_eq!(route.unwrap(), Route::UserNamed("a+b".to_owned()));
}

#[test]
fn a_segment_is_decoded_once() {
    let route = Route::of("/api/SCIM/v2/Users/userName=a%2523", Base::Wats);
    assert_eq!(route.unwrap(), Route::UserNamed("a%23".to_owned()));
}

#[test]
fn an_empty_id_means_the_list() {
    let route = Route::of("/api/SCIM/v2/Users/", Base::Wats);
    assert_eq!(route.unwrap(), Route::Users);
}

#[test]
fn the_standard_path_has_no_token_route() {
    let mut peer = Peer::at(Base::Standard, 0, Quirks::default(), None);
    assert_eq!(peer.get("/scim/v2/Token").status(), 404);
}

#[test]
fn the_standard_path_has_no_by_name_route() {
    let route = Route::of("/scim/v2/Users/userName=x", Base::Standard);
    assert_eq!(route.unwrap(), Route::User("userName=x".to_owned()));
}

#[test]
fn a_user_is_found_by_name() {
    let response = Peer::of(2).get("/api/SCIM/v2/Users/userName=user0002%40example.com");
    assert_eq!(read(&response)["externalId"], "ext-0002");
}

#[test]
fn a_create_answers_201_with_the_location() {
    let response = Peer::of(0).send("POST", "/api/SCIM/v2/Users", r#"{"userName": "jane"}"#);
    assert_eq!(response.status(), 201);
    let location = read(&response)["meta"]["location"].clone();
    assert_eq!(response.headers()["location"], location.as_str().unwrap());
}

#[test]
fn a_create_may_answer_without_a_body() {
    let quirks = Quirks { create_answers_empty: true, ..Quirks::default() };
    let mut peer = Peer::with(0, quirks);
    let response = peer.send("POST", "/api/SCIM/v2/Users", r#"{"userName": "jane"}"#);
    assert_eq!((response.status(), response.body().len()), (StatusCode::OK, 0));
}

#[test]
fn a_second_create_is_a_conflict() {
    let mut peer = Peer::of(1);
    let body = r#"{"userName": "USER0001@example.com"}"#;
    let response = peer.send("POST", "/api/SCIM/v2/Users", body);
    assert_eq!(response.status(), 409);
    assert_eq!(read(&response)["scimType"], "uniqueness");
}

#[test]
fn a_body_that_is_not_json_is_invalid_syntax() {
    let response = Peer::of(0).send("POST", "/api/SCIM/v2/Users", "{");
    assert_eq!(read(&response)["scimType"], "invalidSyntax");
}

#[test]
fn a_body_of_another_media_type_is_unsupported() {
    let mut peer = Peer::of(0);
    let request = Request::post("/api/SCIM/v2/Users")
        .header("authorization", &peer.authorization)
        .header("content-type", "application/xml")
        .body(b"<user/>".to_vec());
    assert_eq!(peer.server.respond(&request.unwrap()).status(), 415);
}

#[test]
fn a_patch_answers_with_the_user() {
    let mut peer = Peer::of(1);
    let response = peer.send("PATCH", &peer.first(), PATCH);
    assert_eq!(read(&response)["active"], false);
}

#[test]
fn a_patch_may_answer_204() {
    let quirks = Quirks { patch_answers_204: true, ..Quirks::default() };
    let mut peer = Peer::with(1, quirks);
    let response = peer.send("PATCH", &peer.first(), PATCH);
    assert_eq!(response.status(), 204);
}

#[test]
fn a_delete_answers_204() {
    let mut peer = Peer::of(1);
    let response = peer.send("DELETE", &peer.first(), "");
    assert_eq!((response.status(), response.body().len()), (StatusCode::NO_CONTENT, 0));
}

#[test]
fn a_list_has_its_numbers() {
    let list = read(&Peer::of(5).get("/api/SCIM/v2/Users?startIndex=2&count=3"));
    let numbers = (&list["totalResults"], &list["startIndex"], &list["itemsPerPage"]);
    assert_eq!(numbers, (&json!(5), &json!(2), &json!(3)));
    assert_eq!(list["Resources"][0]["externalId"], "ext-0002");
}

#[test]
fn a_list_has_100_users_by_default() {
    let list = read(&Peer::of(101).get("/api/SCIM/v2/Users"));
    assert_eq!(list["itemsPerPage"], 100);
}

#[test]
fn a_start_index_below_one_is_one() {
    let list = read(&Peer::of(1).get("/api/SCIM/v2/Users?startIndex=-4"));
    assert_eq!(list["startIndex"], 1);
}

#[test]
fn a_count_below_zero_is_zero() {
    let list = read(&Peer::of(1).get("/api/SCIM/v2/Users?count=-4"));
    assert_eq!(list["itemsPerPage"], 0);
}

#[test]
fn a_list_may_omit_its_total() {
    let quirks = Quirks { total: Total::Omitted, ..Quirks::default() };
    let list = read(&Peer::with(1, quirks).get("/api/SCIM/v2/Users"));
    assert_eq!(list.get("totalResults"), None);
}

#[test]
fn a_total_may_be_the_size_of_the_page() {
    let quirks = Quirks { total: Total::PageSize, ..Quirks::default() };
    let list = read(&Peer::with(5, quirks).get("/api/SCIM/v2/Users?count=2"));
    assert_eq!(list["totalResults"], 2);
}

#[test]
fn a_filter_is_applied() {
    let target = "/api/SCIM/v2/Users?filter=userName%20eq%20%22user0002%40example.com%22";
    let list = read(&Peer::of(3).get(target));
    assert_eq!(list["Resources"][0]["externalId"], "ext-0002");
}

#[test]
fn a_filter_that_cannot_be_parsed_is_rejected() {
    let response = Peer::of(0).get("/api/SCIM/v2/Users?filter=userName%20%3D%3D");
    assert_eq!(response.status(), 400);
    assert_eq!(read(&response)["scimType"], "invalidFilter");
}
