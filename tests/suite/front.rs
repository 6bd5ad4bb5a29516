//! Answers from in front of the server: a gateway, a proxy, a web server, a login page. They say
//! nothing about a resource.

use std::sync::atomic::{AtomicU32, Ordering};

use http::Method;
use serde_json::json;
use wats_scim::plan::{Leavers, Outcome, Policy};
use wats_scim::{Error, ErrorKind, ListQuery, Profile, ScimUser, WriteOutcome};
use wats_scim_sandbox::Sandbox;

use super::{answer, client, config};
use crate::{ScimClient, maybe_async, test};

/// The columns.
const OPERATIONS: [&str; 7] = ["token", "list", "get", "name", "create", "patch", "delete"];

const TEXT: &str = "404 page not found\n";
const BACKEND: &str = "default backend - 404";
const PAGE: &str = "<!DOCTYPE html><html><head><title>Sign in</title></head></html>";
const ROUTE: &str = r#"{"message":"no Route matched with those values"}"#;
const SPRING: &str = r#"{"timestamp":"2026-01-01","status":404,"error":"Not Found","path":"/Users/1"}"#;
const SCIM: &str = r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"404","detail":"unknown"}"#;
const NO_STATUS: &str = r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"detail":"unknown"}"#;
const ASP: &str = r#"{"Message":"The user does not exist."}"#;

/// A status, a media type and a body, and the result of each operation: as in the fault matrix, and
/// `none` for a resource that does not exist.
#[rustfmt::skip]
const TABLE: [(u16, &str, &str, [&str; 7]); 20] = [
    (404, "text/plain",            TEXT,      ["unexpected", "unexpected", "unexpected", "unexpected", "unexpected!", "unexpected!", "unexpected!"]),
    (404, "text/plain",            BACKEND,   ["unexpected", "unexpected", "unexpected", "unexpected", "unexpected!", "unexpected!", "unexpected!"]),
    (404, "text/html",             PAGE,      ["unexpected", "unexpected", "unexpected", "unexpected", "unexpected!", "unexpected!", "unexpected!"]),
    (404, "application/scim+json", PAGE,      ["unexpected", "unexpected", "unexpected", "unexpected", "unexpected!", "unexpected!", "unexpected!"]),
    (404, "application/json",      ROUTE,     ["unexpected", "unexpected", "unexpected", "unexpected", "unexpected!", "unexpected!", "unexpected!"]),
    (404, "application/json",      SPRING,    ["unexpected", "unexpected", "unexpected", "unexpected", "unexpected!", "unexpected!", "unexpected!"]),
    (404, "text/html",             "",        ["404",        "404",        "none",       "none",       "404!",        "404!",        "404!"]),
    (404, "application/scim+json", SCIM,      ["404",        "404",        "none",       "none",       "404!",        "404!",        "404!"]),
    (404, "text/html",             SCIM,      ["404",        "404",        "none",       "none",       "404!",        "404!",        "404!"]),
    (404, "application/json",      ASP,       ["404",        "404",        "none",       "none",       "404!",        "404!",        "404!"]),
    (200, "application/scim+json", SCIM,      ["404",        "404",        "none",       "none",       "404!",        "404!",        "404!"]),
    (200, "application/scim+json", NO_STATUS, ["200",        "200",        "200",        "200",        "200?",        "200?",        "200?"]),
    (204, "application/scim+json", "",        ["empty",      "empty",      "empty",      "empty",      "empty?",      "ok",          "ok"]),
    (200, "text/html",             PAGE,      ["unexpected", "unexpected", "unexpected", "unexpected", "unexpected?", "unexpected?", "unexpected?"]),
    (200, "application/json",      PAGE,      ["unexpected", "unexpected", "unexpected", "unexpected", "unexpected?", "unexpected?", "unexpected?"]),
    (401, "text/html",             PAGE,      ["401",        "401",        "401",        "401",        "401!",        "401!",        "401!"]),
    (403, "text/html",             PAGE,      ["403",        "403",        "403",        "403",        "403!",        "403!",        "403!"]),
    (409, "text/plain",            "busy",    ["409",        "409",        "409",        "409",        "409!",        "409!",        "409!"]),
    (502, "text/html",             PAGE,      ["502",        "502",        "502",        "502",        "502?",        "502?",        "502?"]),
    (503, "text/html",             PAGE,      ["503",        "503",        "503",        "503",        "503?",        "503?",        "503?"]),
];

fn word(error: &Error) -> String {
    let what = match error.kind() {
        ErrorKind::UnexpectedBody => "unexpected".to_owned(),
        ErrorKind::EmptyBody => "empty".to_owned(),
        _ => error.status().map_or_else(|| format!("{:?}", error.kind()), |status| status.as_u16().to_string()),
    };
    what + match error.write_outcome() {
        None => "",
        Some(WriteOutcome::NotApplied) => "!",
        Some(_) => "?",
    }
}

fn cell<T>(result: Result<Option<T>, Error>) -> String {
    match result {
        Ok(Some(_)) => "ok".to_owned(),
        Ok(None) => "none".to_owned(),
        Err(error) => word(&error),
    }
}

#[maybe_async]
async fn result(client: &ScimClient, operation: &str) -> String {
    match operation {
        "token" => cell(client.get_token(None).await.map(Some)),
        "list" => cell(client.get_users(&ListQuery::new()).await.map(Some)),
        "get" => cell(client.get_user("1").await),
        "name" => cell(client.get_user_by_username("jane").await),
        "create" => cell(client.create_user(&ScimUser::new("jane")).await.map(Some)),
        "patch" => cell(client.deactivate_user("1").await.map(Some)),
        _ => cell(client.delete_user("1").await.map(Some)),
    }
}

#[maybe_async]
#[test]
async fn every_operation_has_its_result_for_every_answer_from_in_front() {
    let mut wrong = Vec::new();
    for (status, media_type, body, expected) in TABLE {
        let sandbox = super::always(status, media_type, body);
        let client = client(&sandbox);
        for (operation, expected) in OPERATIONS.into_iter().zip(expected) {
            let result = result(&client, operation).await;
            if result != expected {
                wrong.push(format!("{status} {media_type} {body:?}, {operation}: {result}, not {expected}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} cells are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// A server that answers the first of these requests with 502, and the later ones with this.
fn after_a_502(method: Method, status: u16, media_type: &'static str, body: &'static str) -> Sandbox {
    let requests = AtomicU32::new(0);
    Sandbox::builder()
        .users(1)
        .respond_with(move |request| {
            if request.method() != method {
                return None;
            }
            let is_first = requests.fetch_add(1, Ordering::Relaxed) == 0;
            Some(if is_first { answer(502, "text/html", PAGE) } else { answer(status, media_type, body) })
        })
        .start()
        .unwrap()
}

#[maybe_async]
#[test]
async fn only_the_servers_own_404_confirms_a_deletion_whose_outcome_was_unknown() {
    for (media_type, body, expected) in [
        ("text/html", BACKEND, "unexpected?"),
        ("text/plain", TEXT, "unexpected?"),
        ("application/json", ROUTE, "unexpected?"),
        ("text/html", PAGE, "unexpected?"),
        ("text/plain", "", "404?"),
        ("application/scim+json", SCIM, "ok"),
    ] {
        let sandbox = after_a_502(Method::DELETE, 404, media_type, body);
        let deleted = client(&sandbox).delete_user("1").await;
        assert_eq!(cell(deleted.map(Some)), expected, "{body}");
    }
}

#[maybe_async]
#[test]
async fn an_apply_does_not_take_a_gateways_404_for_a_deleted_user() {
    let sandbox = Sandbox::builder()
        .users(2)
        .respond_with(|request| {
            let is_of_one = request.uri().path().split('/').next_back().is_some_and(|last| last != "Users");
            (request.method() == Method::GET && is_of_one).then(|| answer(404, "text/html", BACKEND))
        })
        .start()
        .unwrap();
    let client = client(&sandbox);
    let current = client.current_users().await.unwrap();
    let policy = Policy::new(client.profile()).leavers(Leavers::Delete).max_deactivation_percent(100);
    let plan = policy.plan(&current, &[ScimUser::new("user0001@example.com")]).unwrap();
    let report = client.apply(plan).run().await.unwrap();
    assert_eq!(report.applied, 0);
    assert!(report.problems.iter().any(|step| matches!(step.outcome, Outcome::Failed(_))), "{report:?}");
    assert_eq!(sandbox.users().len(), 2);
}

#[maybe_async]
#[test]
async fn a_name_that_the_route_cannot_carry_is_looked_up_with_a_filter() {
    let sandbox = Sandbox::builder()
        .with_users([json!({ "userName": "jane+test@example.com" })])
        .respond_with(|request| {
            let is_refused = request.uri().path().contains("%2B");
            is_refused.then(|| answer(404, "text/plain", "The resource you are looking for has been removed."))
        })
        .start()
        .unwrap();
    let found = client(&sandbox).get_user_by_username("jane+test@example.com").await.unwrap();
    assert_eq!(found.unwrap().user_name.as_deref(), Some("jane+test@example.com"));

    let blind = super::always(404, "text/plain", "The resource you are looking for has been removed.");
    let error = client(&blind).get_user_by_username("jane+test@example.com").await.unwrap_err();
    assert!(error.to_string().contains("a gateway may have sent it"), "{error}");
}

#[maybe_async]
#[test]
async fn a_name_that_cannot_be_looked_up_with_a_filter_either_is_reported_with_the_reason() {
    for (status, kind) in [
        (401, ErrorKind::Unauthorized),
        (403, ErrorKind::Forbidden),
        (429, ErrorKind::TooManyRequests),
        (500, ErrorKind::Server),
        // The route has said more.
        (404, ErrorKind::UnexpectedBody),
        (400, ErrorKind::UnexpectedBody),
    ] {
        let sandbox = Sandbox::builder()
            .respond_with(move |request| {
                let of_filter = request.uri().query().is_some_and(|query| query.contains("filter"));
                let scim = r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"]}"#;
                let gone = || answer(404, "text/html", "<html>gone</html>");
                Some(if of_filter { answer(status, "application/scim+json", scim) } else { gone() })
            })
            .start()
            .unwrap();
        let error = client(&sandbox).get_user_by_username("jane").await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
    }
}

#[maybe_async]
#[test]
async fn a_403_with_retry_after_is_a_rate_limit() {
    let requests = AtomicU32::new(0);
    let sandbox = Sandbox::builder()
        .users(1)
        .respond_with(move |_| {
            let mut limited = answer(403, "text/plain", "slow down");
            limited.headers_mut().insert("retry-after", http::HeaderValue::from_static("0"));
            (requests.fetch_add(1, Ordering::Relaxed) == 0).then_some(limited)
        })
        .start()
        .unwrap();
    let client = ScimClient::with_config(&config(&sandbox)).unwrap();
    client.create_user(&ScimUser::new("jane")).await.unwrap();
    assert_eq!(sandbox.users().len(), 2);

    let forbidden = super::always(403, "text/plain", "no");
    let error = super::client(&forbidden).get_user("1").await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Forbidden, 1));
}

#[maybe_async]
#[test]
async fn a_400_of_uniqueness_is_a_conflict() {
    let body = r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"scimType":"uniqueness","status":"400"}"#;
    let sandbox = super::always(400, "application/scim+json", body);
    let error = client(&sandbox).create_user(&ScimUser::new("jane")).await.unwrap_err();
    assert_eq!((error.kind(), error.write_outcome()), (ErrorKind::Conflict, Some(WriteOutcome::NotApplied)));
    let profile = config(&sandbox).profile(Profile::standard());
    let error = ScimClient::with_config(&profile).unwrap().create_user(&ScimUser::new("jane")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
}
