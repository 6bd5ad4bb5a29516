//! Retries: which requests, and when.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use http::{Method, StatusCode};
use serde_json::json;
use wats_scim::{
    Credentials, ErrorKind, PatchOp, Profile, RetryPolicy, ScimConfig, ScimPatchOperation, ScimPatchRequest, ScimUser,
    WriteOutcome,
};
use wats_scim_sandbox::{Fault, FaultProxy, FaultRule, Sandbox};

use super::{MS, answer, client, config, received};
use crate::{ScimClient, api, maybe_async, test};

/// A sandbox with one user that answers the first requests of a method with a status.
fn failing(times: usize, method: &'static str, status: u16, header: Option<(&'static str, String)>) -> Sandbox {
    let left = AtomicUsize::new(times);
    Sandbox::builder()
        .users(1)
        .respond_with(move |request| {
            let fails = request.method() == method && left.load(Ordering::SeqCst) > 0;
            fails.then(|| {
                left.fetch_sub(1, Ordering::SeqCst);
                let mut answer = answer(status, "text/plain", "later");
                if let Some((name, value)) = &header {
                    answer.headers_mut().insert(*name, value.parse().unwrap());
                }
                answer
            })
        })
        .start()
        .unwrap()
}

fn first_id(sandbox: &Sandbox) -> String {
    sandbox.users()[0]["id"].as_str().unwrap().to_owned()
}

#[maybe_async]
#[test]
async fn safe_requests_are_retried_until_they_succeed() {
    for status in [408, 429, 500, 502, 503, 504] {
        for method in ["GET", "PATCH", "DELETE"] {
            let sandbox = failing(2, method, status, None);
            let (client, id) = (client(&sandbox), first_id(&sandbox));
            match method {
                "GET" => drop(client.get_user(&id).await.unwrap().unwrap()),
                "PATCH" => drop(client.deactivate_user(&id).await.unwrap()),
                _ => client.delete_user(&id).await.unwrap(),
            }
            assert_eq!(received(&sandbox).len(), 3, "{status} {method}");
        }
    }
}

#[maybe_async]
#[test]
async fn permanent_errors_are_not_retried() {
    for status in [400, 401, 403, 409, 412, 413, 501, 505, 302] {
        let sandbox = failing(9, "GET", status, None);
        let error = client(&sandbox).get_user("1").await.unwrap_err();
        assert_eq!((received(&sandbox).len(), error.attempts(), error.is_retryable()), (1, 1, false), "{status}");
    }
}

#[maybe_async]
#[test]
async fn attempts_are_limited() {
    for (policy, attempts) in [(super::quick(), 3), (super::quick().attempts(5), 5), (RetryPolicy::none(), 1)] {
        let sandbox = failing(9, "GET", 503, None);
        let client = ScimClient::with_config(&config(&sandbox).retry(policy)).unwrap();
        let error = client.get_user("1").await.unwrap_err();
        assert_eq!((received(&sandbox).len(), error.attempts()), (attempts, u32::try_from(attempts).unwrap()));
    }
}

#[maybe_async]
#[test]
async fn a_patch_that_is_not_idempotent_is_sent_once() {
    let add = ScimPatchRequest::new().add("emails", json!([{ "value": "j@x" }]));
    let by_value = ScimPatchRequest::new().with(ScimPatchOperation {
        op: PatchOp::Remove,
        path: Some("emails[type eq \"work\"]".into()),
        value: None,
    });
    for patch in [add, by_value] {
        let client =
            |sandbox| ScimClient::with_config(&config(sandbox).profile(Profile::wats().allow_any_patch())).unwrap();
        let sandbox = failing(9, "PATCH", 503, None);
        let error = client(&sandbox).update_user("1", &patch).await.unwrap_err();
        assert_eq!((received(&sandbox).len(), error.write_outcome()), (1, Some(WriteOutcome::Unknown)));
        let sandbox = failing(9, "PATCH", 429, None);
        let error = client(&sandbox).update_user("1", &patch).await.unwrap_err();
        assert_eq!((received(&sandbox).len(), error.write_outcome()), (3, Some(WriteOutcome::NotApplied)));
    }
}

#[maybe_async]
#[test]
async fn retry_after_is_followed() {
    let sandbox = failing(1, "GET", 429, Some(("retry-after", "1".into())));
    let started = Instant::now();
    client(&sandbox).get_user(&first_id(&sandbox)).await.unwrap();
    assert!(started.elapsed() >= Duration::from_secs(1), "{:?}", started.elapsed());

    let in_two = httpdate::fmt_http_date(std::time::SystemTime::now() + Duration::from_secs(3600));
    let sandbox = failing(1, "GET", 503, Some(("retry-after", in_two)));
    let policy = super::quick().max_retry_after(20 * MS);
    let client = ScimClient::with_config(&config(&sandbox).retry(policy)).unwrap();
    let answer = client.get_user(&first_id(&sandbox)).await;
    assert!(answer.is_ok(), "an hour is capped");
}

#[maybe_async]
#[test]
async fn the_next_operation_waits_for_a_server_that_throttled_the_last_one() {
    let sandbox = failing(2, "GET", 429, Some(("retry-after", "1".into())));
    let policy = super::quick().attempts(2);
    let client = ScimClient::with_config(&config(&sandbox).retry(policy)).unwrap();
    let error = client.get_user("1").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooManyRequests);
    let started = Instant::now();
    client.get_user("1").await.unwrap();
    assert!(started.elapsed() >= 900 * MS, "{:?}", started.elapsed());

    // Without retries, the program decides when it calls again.
    let sandbox = failing(1, "GET", 429, Some(("retry-after", "3600".into())));
    let client = ScimClient::with_config(&config(&sandbox).retry(RetryPolicy::none())).unwrap();
    let error = client.get_user("1").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooManyRequests);
    client.get_user("1").await.unwrap();
}

#[maybe_async]
#[test]
async fn the_deadline_limits_all_attempts() {
    let sandbox = failing(99, "GET", 503, Some(("retry-after", "30".into())));
    let policy = super::quick().attempts(50).deadline(Duration::from_secs(5));
    let error = ScimClient::with_config(&config(&sandbox).retry(policy)).unwrap().get_user("1").await.unwrap_err();
    assert_eq!((error.attempts(), error.retry_after()), (1, Some(Duration::from_secs(30))));

    let sandbox = Sandbox::builder().latency(Duration::from_secs(20)).start().unwrap();
    let config = config(&sandbox).retry(super::quick().deadline(150 * MS));
    let started = Instant::now();
    let error = ScimClient::with_config(&config).unwrap().get_user("1").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(started.elapsed() < Duration::from_secs(10), "the deadline also bounds one attempt");
}

/// A sandbox whose first creation is applied and then meets this fault, and a client of it.
fn applied_then(fault: Fault) -> (Sandbox, FaultProxy, ScimClient) {
    let sandbox = Sandbox::start().unwrap();
    let proxy = FaultProxy::before(sandbox.base_url()).unwrap();
    proxy.add_rule(FaultRule::new(fault).on_method(Method::POST).times(1));
    let config = ScimConfig::new(proxy.base_url(), Credentials::wats_token(sandbox.token()));
    let client = ScimClient::with_config(&config.timeout(500 * MS).retry(super::quick())).unwrap();
    (sandbox, proxy, client)
}

#[maybe_async]
#[test]
async fn a_creation_whose_response_was_lost_is_found_and_returned() {
    let status = |code| Fault::StatusAfterApplied { code: StatusCode::from_u16(code).unwrap(), retry_after: None };
    for fault in [status(302), status(408), status(500), status(502), status(504), Fault::HtmlAfterApplied] {
        let (sandbox, _proxy, client) = applied_then(fault.clone());
        let jane = ScimUser::new("jane@example.com").with_external_id("4711");
        let created = client.create_user(&jane).await.unwrap();
        assert_eq!((created.id.is_some(), created.external_id.as_deref()), (true, Some("4711")), "{fault:?}");
        let posts = received(&sandbox).iter().filter(|request| request.starts_with("POST")).count();
        assert_eq!(posts, 1, "{fault:?}: it is not retried");
    }
}

#[maybe_async]
#[test]
async fn a_creation_that_timed_out_is_found_and_is_no_conflict() {
    let (sandbox, _proxy, client) = applied_then(Fault::StallAfterApplied(Duration::from_secs(5)));
    let created = client.create_user(&ScimUser::new("jane@example.com")).await.unwrap();
    assert!(created.id.is_some());
    assert_eq!(received(&sandbox).iter().filter(|request| request.starts_with("POST")).count(), 1);
}

#[maybe_async]
#[test]
async fn a_creation_that_was_not_applied_is_retried() {
    let sandbox = failing(2, "POST", 502, None);
    let created = client(&sandbox).create_user(&ScimUser::new("jane@example.com")).await.unwrap();
    assert!(created.id.is_some());
    let methods: Vec<_> = sandbox.requests().iter().map(|request| request.method.to_string()).collect();
    assert_eq!(methods, ["POST", "GET", "POST", "GET", "POST"], "it looks before it sends again");
}

#[maybe_async]
#[test]
async fn a_name_of_another_user_is_a_conflict() {
    let sandbox = failing(1, "POST", 504, None);
    let other = ScimUser::new("user0001@example.com").with_external_id("not theirs");
    let error = client(&sandbox).create_user(&other).await.unwrap_err();
    // The server may apply the lost request late, after the other user was deleted.
    assert_eq!((error.kind(), error.write_outcome()), (ErrorKind::Conflict, Some(WriteOutcome::Unknown)));
}

#[maybe_async]
#[test]
async fn a_creation_that_cannot_be_looked_up_is_unknown() {
    let sandbox = super::always(502, "text/html", "<html>");
    let error = client(&sandbox).create_user(&ScimUser::new("jane")).await.unwrap_err();
    assert_eq!(error.write_outcome(), Some(WriteOutcome::Unknown));
    assert!(error.to_string().contains("looking for it failed too"), "{error}");
    let posts = received(&sandbox).iter().filter(|request| request.starts_with("POST")).count();
    assert_eq!(posts, 1, "it is not sent blindly");
}

#[maybe_async]
#[test]
async fn without_retries_a_creation_is_not_looked_up() {
    let sandbox = failing(1, "POST", 502, None);
    let client = ScimClient::with_config(&config(&sandbox).retry(RetryPolicy::none())).unwrap();
    let error = client.create_user(&ScimUser::new("jane")).await.unwrap_err();
    assert_eq!(error.write_outcome(), Some(WriteOutcome::Unknown));
    assert_eq!(received(&sandbox).len(), 1);
}

#[maybe_async]
#[test]
async fn a_retried_deletion_of_a_missing_user_succeeded() {
    let gone = AtomicUsize::new(0);
    let sandbox = Sandbox::builder()
        .respond_with(move |_| {
            let first = gone.fetch_add(1, Ordering::SeqCst) == 0;
            let absent = r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"404"}"#;
            Some(if first { answer(502, "text/html", "<html>") } else { answer(404, "application/json", absent) })
        })
        .start()
        .unwrap();
    let client = client(&sandbox);
    client.delete_user("1").await.unwrap();
    let answer = client.delete_user("1").await;
    assert_eq!(answer.unwrap_err().kind(), ErrorKind::NotFound, "the first 404 is an answer");
}

#[maybe_async]
#[test]
async fn a_broken_connection_is_retried() {
    let broken = AtomicUsize::new(0);
    let config = config(&Sandbox::start().unwrap());
    let client = crate::breaking(move || broken.fetch_add(1, Ordering::SeqCst) < 2);
    let service = api::ScimService::with_http_client(&config, client).unwrap();
    let answer = service.get_user("1").await;
    assert!(answer.unwrap().is_some());
}

/// A sandbox whose creates meet these statuses in turn, again and again, and are not applied.
fn creates_fail(statuses: [u16; 3], retry_after: [&'static str; 3]) -> Sandbox {
    let posts = AtomicUsize::new(0);
    Sandbox::builder()
        .respond_with(move |request| {
            if request.method() != Method::POST {
                return None;
            }
            let post = posts.fetch_add(1, Ordering::SeqCst) % 3;
            let mut answer = answer(statuses[post], "application/json", "{}");
            answer.headers_mut().insert("retry-after", http::HeaderValue::from_static(retry_after[post]));
            Some(answer)
        })
        .start()
        .unwrap()
}

#[maybe_async]
#[test]
async fn the_attempts_of_a_creation_are_one_budget() {
    for (statuses, looks) in [([429, 429, 502], 1), ([502, 502, 502], 3), ([502, 429, 429], 1)] {
        let sandbox = creates_fail(statuses, ["0"; 3]);
        let error = client(&sandbox).create_user(&ScimUser::new("jane")).await.unwrap_err();
        let posts = received(&sandbox).iter().filter(|line| line.starts_with("POST")).count();
        assert_eq!((posts, received(&sandbox).len() - posts), (3, looks), "{statuses:?}");
        assert_eq!(error.attempts(), 3, "{statuses:?}");
    }
}

#[maybe_async]
#[test]
async fn waiting_for_a_throttled_server_counts_towards_the_deadline() {
    // One second, and then a minute, for which there is no time.
    let sandbox = creates_fail([429, 429, 429], ["1", "60", "60"]);
    let policy = super::quick().attempts(9).deadline(Duration::from_secs(30));
    let client = ScimClient::with_config(&config(&sandbox).retry(policy)).unwrap();
    let error = client.create_user(&ScimUser::new("jane")).await.unwrap_err();
    assert_eq!((received(&sandbox).len(), error.attempts()), (2, 2));
    assert_eq!((error.kind(), error.write_outcome()), (ErrorKind::TooManyRequests, Some(WriteOutcome::NotApplied)));
}
