//! The exact result of every operation under every fault.
//!
//! A cell is the result for the caller: `ok` for success, a word for the kind of the error, or a
//! number for its status; for a write, followed by `!` for "not applied" or `?` for "unknown". The
//! result is then compared with the server: with `ok` the write must have been applied, once, and
//! with `!` it must not. `ok*` is a success that the server reported without applying the write,
//! which a client cannot detect.

use std::time::Duration;

use http::StatusCode;
use serde_json::json;
use wats_scim::{
    Credentials, Error, ErrorKind, ListQuery, Profile, ScimConfig, ScimPatchRequest, ScimUser, WriteOutcome,
};
use wats_scim_sandbox::{Fault, FaultProxy, FaultRule, Sandbox};

use super::MS;
use crate::{ScimClient, maybe_async, test};

const CANARY: &str = "canary";

/// The columns. `add` is a patch that may not be idempotent; WATS rejects it with 400.
const OPERATIONS: [&str; 8] = ["token", "list", "get", "name", "create", "patch", "delete", "add"];

/// The requests that meet the fault.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Strikes {
    Once,
    Always,
    /// Only the previous request, whose connection is reused.
    Before,
}
use Strikes::{Always, Before, Once};

fn status(code: u16) -> Fault {
    Fault::Status { code: StatusCode::from_u16(code).unwrap(), retry_after: None }
}

fn status_after(code: u16) -> Fault {
    Fault::StatusAfterApplied { code: StatusCode::from_u16(code).unwrap(), retry_after: None }
}

fn redirect(code: u16) -> Fault {
    let location = format!("https://user:{CANARY}@elsewhere.example/{code}?token={CANARY}");
    Fault::Redirect { code: StatusCode::from_u16(code).unwrap(), location }
}

fn table() -> Vec<(Strikes, Fault, [&'static str; 8])> {
    let throttled = Fault::Status { code: StatusCode::TOO_MANY_REQUESTS, retry_after: Some(Duration::ZERO) };
    let slow = Fault::Trickle { bytes: 1, every: 100 * MS };
    let steady = Fault::Trickle { bytes: 50, every: MS };
    let long = Duration::from_secs(60);
    #[rustfmt::skip]
    let table = vec![
        //                                       token         list          get           name          create         patch          delete         add
        (Once,   Fault::ResetBeforeAnswer,      ["ok",         "ok",         "ok",         "ok",         "ok",          "ok",          "ok",          "connection?"]),
        (Once,   Fault::ResetAfterApplied,      ["ok",         "ok",         "ok",         "ok",         "ok",          "ok",          "ok",          "connection?"]),
        (Once,   Fault::Stall(long),            ["ok",         "ok",         "ok",         "ok",         "ok",          "ok",          "ok",          "timeout?"]),
        (Once,   Fault::StallAfterApplied(long),["ok",         "ok",         "ok",         "ok",         "ok",          "ok",          "ok",          "timeout?"]),
        (Once,   Fault::Truncate,               ["ok",         "ok",         "ok",         "ok",         "ok",          "ok",          "ok",          "connection?"]),
        (Once,   slow.clone(),                  ["ok",         "ok",         "ok",         "ok",         "ok",          "ok",          "ok",          "timeout?"]),
        (Once,   steady.clone(),                ["ok",         "ok",         "ok",         "ok",         "ok",          "ok",          "ok",          "400!"]),
        (Once,   throttled.clone(),             ["ok",         "ok",         "ok",         "ok",         "ok",          "ok",          "ok",          "400!"]),
        (Once,   status(408),                   ["ok",         "ok",         "ok",         "ok",         "ok",          "ok",          "ok",          "408?"]),
        (Once,   status(429),                   ["ok",         "ok",         "ok",         "ok",         "ok",          "ok",          "ok",          "400!"]),
        (Once,   status(500),                   ["ok",         "ok",         "ok",         "ok",         "ok",          "ok",          "ok",          "500?"]),
        (Once,   status(501),                   ["501",        "501",        "501",        "501",        "501?",        "501?",        "501?",        "501?"]),
        (Once,   status(502),                   ["ok",         "ok",         "ok",         "ok",         "ok",          "ok",          "ok",          "502?"]),
        (Once,   status(503),                   ["ok",         "ok",         "ok",         "ok",         "ok",          "ok",          "ok",          "503?"]),
        (Once,   status(504),                   ["ok",         "ok",         "ok",         "ok",         "ok",          "ok",          "ok",          "504?"]),
        (Once,   status_after(500),             ["ok",         "ok",         "ok",         "ok",         "ok",          "ok",          "ok",          "500?"]),
        (Once,   status_after(502),             ["ok",         "ok",         "ok",         "ok",         "ok",          "ok",          "ok",          "502?"]),
        (Once,   status_after(504),             ["ok",         "ok",         "ok",         "ok",         "ok",          "ok",          "ok",          "504?"]),
        (Once,   redirect(302),                 ["302",        "302",        "302",        "302",        "302?",        "302?",        "302?",        "302?"]),
        (Once,   redirect(307),                 ["307",        "307",        "307",        "307",        "307!",        "307!",        "307!",        "307!"]),
        (Once,   Fault::Html,                   ["unexpected", "unexpected", "unexpected", "unexpected", "unexpected?", "unexpected?", "unexpected?", "unexpected?"]),
        (Once,   Fault::HtmlAfterApplied,       ["unexpected", "unexpected", "unexpected", "unexpected", "ok",          "unexpected?", "unexpected?", "unexpected?"]),
        (Once,   Fault::Empty,                  ["empty",      "empty",      "empty",      "empty",      "empty?",      "ok*",         "ok*",         "ok*"]),
        (Once,   Fault::WrongMediaType,         ["unexpected", "unexpected", "unexpected", "unexpected", "unexpected?", "unexpected?", "unexpected?", "unexpected?"]),
        (Once,   Fault::Oversized(300_000),     ["too large",  "too large",  "too large",  "too large",  "too large?",  "too large?",  "too large?",  "too large?"]),
        (Once,   Fault::GzipBomb(3_000_000),   ["too large",  "too large",  "too large",  "too large",  "too large?",  "too large?",  "too large?",  "too large?"]),
        (Before, Fault::CloseIdle,              ["ok",         "ok",         "ok",         "ok",         "ok",          "ok",          "ok",          "400!"]),
        (Before, Fault::CloseOnReuse,           ["ok",         "ok",         "ok",         "ok",         "ok",          "ok",          "ok",          "connection?"]),
        (Always, Fault::ResetBeforeAnswer,      ["connection", "connection", "connection", "connection", "connection?", "connection?", "connection?", "connection?"]),
        (Always, Fault::ResetAfterApplied,      ["connection", "connection", "connection", "connection", "connection?", "connection?", "connection?", "connection?"]),
        (Always, Fault::Stall(long),            ["timeout",    "timeout",    "timeout",    "timeout",    "timeout?",    "timeout?",    "timeout?",    "timeout?"]),
        (Always, Fault::StallAfterApplied(long),["timeout",    "timeout",    "timeout",    "timeout",    "timeout?",    "timeout?",    "timeout?",    "timeout?"]),
        (Always, Fault::Truncate,               ["connection", "connection", "connection", "connection", "connection?", "connection?", "connection?", "connection?"]),
        (Always, slow,                          ["timeout",    "timeout",    "timeout",    "timeout",    "timeout?",    "timeout?",    "ok",          "timeout?"]),
        (Always, steady,                        ["ok",         "ok",         "ok",         "ok",         "ok",          "ok",          "ok",          "400!"]),
        (Always, throttled,                     ["429",        "429",        "429",        "429",        "429!",        "429!",        "429!",        "429!"]),
        (Always, status(408),                   ["408",        "408",        "408",        "408",        "408?",        "408?",        "408?",        "408?"]),
        (Always, status(500),                   ["500",        "500",        "500",        "500",        "500?",        "500?",        "500?",        "500?"]),
        (Always, status(503),                   ["503",        "503",        "503",        "503",        "503?",        "503?",        "503?",        "503?"]),
        (Always, status_after(502),             ["502",        "502",        "502",        "502",        "502?",        "502?",        "502?",        "502?"]),
        (Always, redirect(301),                 ["301",        "301",        "301",        "301",        "301?",        "301?",        "301?",        "301?"]),
        (Always, redirect(308),                 ["308",        "308",        "308",        "308",        "308!",        "308!",        "308!",        "308!"]),
        (Always, Fault::Html,                   ["unexpected", "unexpected", "unexpected", "unexpected", "unexpected?", "unexpected?", "unexpected?", "unexpected?"]),
        (Always, Fault::HtmlAfterApplied,       ["unexpected", "unexpected", "unexpected", "unexpected", "unexpected?", "unexpected?", "unexpected?", "unexpected?"]),
        (Always, Fault::Empty,                  ["empty",      "empty",      "empty",      "empty",      "empty?",      "ok*",         "ok*",         "ok*"]),
        (Always, Fault::CloseIdle,              ["ok",         "ok",         "ok",         "ok",         "ok",          "ok",          "ok",          "400!"]),
        (Always, Fault::CloseOnReuse,           ["ok",         "ok",         "ok",         "ok",         "ok",          "ok",          "ok",          "400!"]),
    ];
    table
}

fn word(error: &Error) -> String {
    let what = match error.kind() {
        ErrorKind::Connection => "connection".to_owned(),
        ErrorKind::Timeout => "timeout".to_owned(),
        ErrorKind::UnexpectedBody => "unexpected".to_owned(),
        ErrorKind::EmptyBody => "empty".to_owned(),
        ErrorKind::ResponseTooLarge => "too large".to_owned(),
        _ => error.status().map_or_else(|| format!("{:?}", error.kind()), |status| status.as_u16().to_string()),
    };
    what + match error.write_outcome() {
        None => "",
        Some(WriteOutcome::NotApplied) => "!",
        Some(_) => "?",
    }
}

fn text<T>(result: Result<T, Error>, secrets: &[&str]) -> String {
    let Err(error) = result else { return "ok".to_owned() };
    let text = format!("{error} {error:?} {error:#?}");
    assert!(!secrets.iter().any(|secret| text.contains(secret)), "a secret is shown: {text}");
    assert!(!error.to_string().contains('\n'), "more than a line: {error}");
    word(&error)
}

/// The number of tries of a cell, each with four times the timeout of the previous one: on a busy
/// machine an ordinary request can exceed the timeout. Wrong code fails with every timeout.
const TRIES: u32 = 3;

/// The result of an operation under a fault; the expected result if any try returns it.
#[maybe_async]
async fn cell(strikes: Strikes, fault: Option<&Fault>, operation: &str, expected: &str) -> String {
    let mut timeout = if strikes == Always { 300 * MS } else { 600 * MS };
    let mut result = String::new();
    for _ in 0..TRIES {
        result = tried(strikes, fault.cloned(), operation, timeout).await;
        if result == expected {
            break;
        }
        timeout *= 4;
    }
    result
}

#[maybe_async]
async fn tried(strikes: Strikes, fault: Option<Fault>, operation: &str, timeout: Duration) -> String {
    let sandbox = Sandbox::builder().users(2).start().unwrap();
    let id = sandbox.users()[0]["id"].as_str().unwrap().to_owned();
    let proxy = FaultProxy::before(sandbox.base_url()).unwrap();
    let config = ScimConfig::new(proxy.base_url(), Credentials::wats_token(sandbox.token()))
        .retry(super::quick())
        .timeout(timeout)
        .profile(Profile::wats().allow_any_patch())
        .max_response_bytes(100_000);
    let client = ScimClient::with_config(&config).unwrap();
    match (strikes, fault) {
        (_, None) => proxy.refuse_connections(true).unwrap(),
        (Once, Some(fault)) => proxy.add_rule(FaultRule::new(fault).times(1)),
        (Always, Some(fault)) => proxy.add_rule(FaultRule::new(fault)),
        (Before, Some(fault)) => {
            proxy.add_rule(FaultRule::new(fault).times(1));
            client.get_user(&id).await.unwrap();
        }
    }
    let secrets = [sandbox.token(), sandbox.password(), CANARY];
    let result = match operation {
        "token" => text(client.get_token(None).await, &secrets),
        "list" => text(client.get_users(&ListQuery::new()).await, &secrets),
        "get" => text(client.get_user(&id).await.map(Option::unwrap), &secrets),
        "name" => text(client.get_user_by_username("user0001@example.com").await.map(Option::unwrap), &secrets),
        "create" => text(client.create_user(&ScimUser::new("new").with_external_id("4711")).await, &secrets),
        "patch" => text(client.deactivate_user(&id).await, &secrets),
        "delete" => text(client.delete_user(&id).await, &secrets),
        _ => {
            let add = ScimPatchRequest::new().add("emails", json!([{ "value": "j@x" }]));
            text(client.update_user(&id, &add).await, &secrets)
        }
    };
    let users = sandbox.users();
    let is_applied = match operation {
        "create" => {
            let created = users.iter().filter(|user| user["userName"] == "new").count();
            assert!(created < 2, "it was created twice");
            created == 1
        }
        "patch" => users[0]["active"] == false,
        "delete" => users.len() == 1,
        "add" => users[0]["emails"].as_array().unwrap().len() > 1,
        _ => return result,
    };
    match (result.as_str(), is_applied) {
        ("ok", false) => "ok*".to_owned(),
        (_, true) if result.ends_with('!') => format!("{result}, but it was applied"),
        _ => result,
    }
}

/// Checks the results of one operation under every fault.
#[maybe_async]
async fn check_column(operation: &str) {
    let column = OPERATIONS.iter().position(|known| *known == operation).unwrap();
    let mut wrong = Vec::new();
    for (strikes, fault, expected) in table() {
        let expected = expected[column];
        let result = cell(strikes, Some(&fault), operation, expected).await;
        if result != expected {
            wrong.push(format!("{strikes:?} {fault:?}, {operation}: {result}, not {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{} cells are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// A test for each operation, so that they run at the same time.
macro_rules! columns {
    ($($test:ident: $operation:literal;)*) => {
        $(
            #[maybe_async]
            #[test]
            async fn $test() {
                check_column($operation).await;
            }
        )*
    };
}

columns! {
    a_token_has_its_result_under_every_fault: "token";
    a_list_has_its_result_under_every_fault: "list";
    a_read_has_its_result_under_every_fault: "get";
    a_look_up_has_its_result_under_every_fault: "name";
    a_creation_has_its_result_under_every_fault: "create";
    a_patch_has_its_result_under_every_fault: "patch";
    a_deletion_has_its_result_under_every_fault: "delete";
    a_patch_that_adds_has_its_result_under_every_fault: "add";
}

#[maybe_async]
#[test]
async fn a_refused_connection_changed_nothing() {
    for operation in OPERATIONS {
        let is_read = ["token", "list", "get", "name"].contains(&operation);
        let expected = if is_read { "connection" } else { "connection!" };
        let result = cell(Always, None, operation, expected).await;
        assert_eq!(result, expected, "{operation}");
    }
}
