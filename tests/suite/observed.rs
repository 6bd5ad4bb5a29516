//! `ScimConfig::on_request`: each request is reported once.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};

use http::{Method, Request, Response};
use serde_json::{json, to_value};
use wats_scim::{
    AccessToken, Credentials, ErrorKind, Filter, ListQuery, Operation, RequestEvent, RetryReason, ScimConfig,
    ScimPatchRequest, ScimUser,
};
use wats_scim_sandbox::{Sandbox, StandardSandbox};

use super::answer;
use crate::api::{HttpClient, ScimService};
use crate::{ScimClient, answering, maybe_async, providing, test, unreachable_host};

/// A configuration that reports requests to a channel.
fn observed(config: ScimConfig) -> (ScimConfig, Receiver<RequestEvent>) {
    let (sender, events) = channel();
    (config.retry(super::quick()).on_request(move |event| sender.send(event.clone()).unwrap()), events)
}

fn wats() -> ScimConfig {
    ScimConfig::new("https://acme.wats.com", Credentials::wats_token("dTpw"))
}

/// A transport that gives these answers, the last one for ever.
fn in_turn(answers: &[(u16, &'static str)]) -> impl HttpClient + Clone + use<> {
    let rest = Arc::new(Mutex::new(answers.to_vec()));
    answering(move |_: Request<Vec<u8>>| {
        let mut rest = rest.lock().unwrap();
        let (status, body) = if rest.len() > 1 { rest.remove(0) } else { rest[0] };
        let mut response: Response<_> = answer(status, "application/scim+json", body);
        if status == 429 {
            response.headers_mut().insert("retry-after", "0".parse().unwrap());
        }
        response
    })
}

#[maybe_async]
#[test]
async fn each_attempt_is_reported_once() {
    let (config, events) = observed(wats());
    let client =
        ScimService::with_http_client(&config, in_turn(&[(503, "busy"), (429, ""), (200, r#"{"id":"1"}"#)])).unwrap();
    client.get_user("1").await.unwrap();
    let events: Vec<_> = events.try_iter().collect();
    assert_eq!(events.len(), 3);
    let seen: Vec<_> =
        events.iter().map(|event| (event.attempt, event.status.unwrap().as_u16(), event.error, event.retry)).collect();
    assert_eq!(
        seen,
        [
            (1, 503, Some(ErrorKind::Server), Some(RetryReason::Failed)),
            (2, 429, Some(ErrorKind::TooManyRequests), Some(RetryReason::Throttled)),
            (3, 200, None, None),
        ]
    );
    for event in &events {
        assert_eq!((event.operation, &event.method), (Operation::Get("user"), &Method::GET));
        assert_eq!((event.endpoint.as_str(), event.server.as_str()), ("/Users/{id}", "https://acme.wats.com"));
        assert_eq!((event.bytes_sent, event.is_cancelled), (0, false));
    }
    assert_eq!(events.iter().map(|event| event.bytes_received).collect::<Vec<_>>(), [4, 0, 10]);
    let mut shown = to_value(&events[0]).unwrap();
    assert!(shown["duration"].take().is_f64());
    let expected = json!({
        "operation": "get user", "method": "GET", "endpoint": "/Users/{id}", "server": "https://acme.wats.com",
        "status": 503, "error": "server", "isCancelled": false, "attempt": 1, "duration": null, "bytesSent": 0,
        "bytesReceived": 4, "retry": "failed",
    });
    assert_eq!(shown, expected);
}

#[maybe_async]
#[test]
async fn an_endpoint_has_no_id_and_no_name() {
    let sandbox = Sandbox::start().unwrap();
    let (config, events) = observed(super::config(&sandbox));
    let client = ScimClient::with_config(&config).unwrap();
    let jane = client.create_user(&ScimUser::new("jane@secret")).await.unwrap();
    client.get_user_by_username("jane@secret").await.unwrap();
    client.get_users(&ListQuery::new().filter(Filter::eq("userName", "jane@secret"))).await.unwrap();
    client.deactivate_user(&jane).await.unwrap();
    client.get_token(None).await.unwrap();
    client.delete_user(&jane).await.unwrap();
    let events: Vec<_> = events.try_iter().collect();
    let seen: Vec<_> = events.iter().map(|event| format!("{} {}", event.method, event.endpoint)).collect();
    let expected = [
        "POST /Users",
        "GET /Users/userName={userName}",
        "GET /Users",
        "PATCH /Users/{id}",
        "GET /Token",
        "DELETE /Users/{id}",
    ];
    assert_eq!(seen, expected);
    let shown = to_value(&events).unwrap().to_string();
    assert!(!shown.contains("secret") && !shown.contains(jane.id.as_deref().unwrap()), "{shown}");
    assert!(events[0].bytes_sent > 20 && events[0].bytes_received > 20);

    let sandbox = StandardSandbox::start().unwrap();
    let (config, events) = observed(ScimConfig::new(sandbox.base_url(), Credentials::bearer(sandbox.token())));
    let client = ScimClient::with_config(&config).unwrap();
    client.discover().await.unwrap();
    client.users().search(&ListQuery::new()).await.unwrap();
    client.groups().get("1").await.unwrap();
    let seen: Vec<_> = events.try_iter().map(|event| event.endpoint).collect();
    assert_eq!(seen, ["/ServiceProviderConfig", "/ResourceTypes", "/Users/.search", "/Groups/{id}"]);
}

#[maybe_async]
#[test]
async fn a_request_without_an_answer_is_reported_with_its_error() {
    let (config, received) = observed(wats());
    let client = ScimService::with_http_client(&config, unreachable_host()).unwrap();
    client.get_user("1").await.unwrap_err();
    let events: Vec<_> = received.try_iter().collect();
    assert_eq!(events.len(), 3);
    assert!(events.iter().all(|event| event.status.is_none() && event.error == Some(ErrorKind::Connection)));
    assert_eq!(events[2].retry, None);
    // Nothing was sent.
    client.get_user("..").await.unwrap_err();
    let invalid = ScimService::with_http_client(&config, in_turn(&[(200, "{}")])).unwrap();
    let invalid = invalid.with_token_provider(providing(|| Err(wats_scim::Error::new(ErrorKind::InvalidInput, "no"))));
    invalid.get_user("1").await.unwrap_err();
    assert!(received.try_recv().is_err());
}

#[maybe_async]
#[test]
async fn the_reason_of_a_retry_is_reported() {
    for (status, reason) in [(401, RetryReason::TokenRejected), (415, RetryReason::MediaTypeRejected)] {
        let (config, events) = observed(wats());
        let client = ScimService::with_http_client(&config, in_turn(&[(status, ""), (200, r#"{"id":"1"}"#)])).unwrap();
        let client = client.with_token_provider(providing(|| Ok(AccessToken::new("t"))));
        client.update_user("1", &ScimPatchRequest::new().replace("active", true)).await.unwrap();
        let reasons: Vec<_> = events.try_iter().map(|event| event.retry).collect();
        assert_eq!(reasons, [Some(reason), None], "{status}");
    }
}

#[maybe_async]
#[test]
async fn a_function_that_panics_changes_nothing_and_clones_share_it() {
    let calls = Arc::new(AtomicU32::new(0));
    let seen = Arc::clone(&calls);
    let config = wats().on_request(move |_| {
        seen.fetch_add(1, Ordering::Relaxed);
        panic!("on purpose");
    });
    let client = ScimService::with_http_client(&config, in_turn(&[(200, r#"{"id":"1"}"#)])).unwrap();
    client.get_user("1").await.unwrap();
    client.clone().get_user("1").await.unwrap();
    client.with_timeout(super::MS * 1_000).labelled("ann").get_user("1").await.unwrap();
    client.boxed().get_user("1").await.unwrap();
    let items = client.create_users((0..5).map(|n| ScimUser::new(n.to_string()))).in_flight(3).run().await;
    assert!(items.iter().all(|item| item.result.is_ok()));
    assert_eq!(calls.load(Ordering::Relaxed), 9);
}
