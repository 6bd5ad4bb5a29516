//! The audit trail: every write and its outcome.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use http::Method;
use serde_json::{Value, json};
use wats_scim::audit::{Event, Outcome, Trail};
use wats_scim::{
    Credentials, ErrorKind, RetryPolicy, ScimConfig, ScimGroup, ScimPatchRequest, ScimUser, ScimWrite, WriteOutcome,
};
use wats_scim_sandbox::{Fault, FaultProxy, FaultRule, Sandbox, StandardSandbox};

use super::{Server, answer, config, quick, received};
use crate::{ScimClient, maybe_async, test};

/// The events so far.
#[derive(Clone, Default)]
pub(crate) struct Events(pub(crate) Arc<Mutex<Vec<Event>>>);

impl Events {
    pub(crate) fn audit(&self) -> Trail {
        let events = Arc::clone(&self.0);
        Trail::to(move |event: &Event| events.lock().unwrap().push(event.clone()))
    }

    pub(crate) fn take(&self) -> Vec<Event> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    /// The events since the last call, as `operation outcome attempts`.
    pub(crate) fn recorded(&self) -> Vec<String> {
        let text = |event: &Event| format!("{} {:?} {}", event.operation, event.outcome, event.attempts);
        self.take().iter().map(text).collect()
    }

    /// The only outcome since the last call.
    fn outcome(&self) -> Event {
        let mut outcomes = self.take();
        outcomes.retain(|event| event.outcome != Outcome::Begun);
        assert_eq!(outcomes.len(), 1, "{outcomes:?}");
        outcomes.remove(0)
    }
}

fn audited(sandbox: &dyn Server) -> (ScimClient, Events) {
    let events = Events::default();
    let config = ScimConfig::new(sandbox.scim_url(), Credentials::wats_token(sandbox.token()));
    (ScimClient::with_config(&config.retry(quick()).audit(events.audit())).unwrap(), events)
}

/// A client whose requests meet this fault, without retries.
fn faulty(sandbox: &dyn Server, fault: FaultRule) -> (ScimClient, Events, FaultProxy) {
    let proxy = FaultProxy::builder(sandbox.scim_url()).with_rule(fault).start().unwrap();
    let events = Events::default();
    let config = ScimConfig::new(proxy.base_url(), Credentials::wats_token(sandbox.token()));
    let client = ScimClient::with_config(&config.retry(RetryPolicy::none()).audit(events.audit())).unwrap();
    (client, events, proxy)
}

/// A sandbox that answers the first writes with this status.
fn failing(times: usize, status: u16) -> Sandbox {
    let left = AtomicUsize::new(times);
    Sandbox::builder()
        .users(1)
        .respond_with(move |request| {
            let fails = request.method() != "GET" && left.load(Ordering::SeqCst) > 0;
            fails.then(|| {
                left.fetch_sub(1, Ordering::SeqCst);
                answer(status, "text/plain", "later")
            })
        })
        .start()
        .unwrap()
}

pub(super) fn first_id(sandbox: &dyn Server) -> String {
    sandbox.users()[0]["id"].as_str().unwrap().to_owned()
}

pub(super) fn jane() -> ScimUser {
    ScimUser::new("jane@example.com").with_external_id("4711").with_active(true)
}

pub(super) fn replace(path: &str, value: impl Into<Value>) -> ScimPatchRequest {
    ScimPatchRequest::new().replace(path, value)
}

#[maybe_async]
#[test]
async fn every_write_has_a_start_and_an_outcome() {
    let sandbox = StandardSandbox::start().unwrap();
    let (client, events) = audited(&sandbox);
    let mut user = jane();
    user.id = Some("mine".into());
    let mut user = client.create_user(&user).await.unwrap();
    let id = user.id.clone().unwrap();
    let [begun, applied] = events.take().try_into().unwrap();
    assert_eq!((begun.id.as_deref(), applied.id.as_deref()), (None, Some(id.as_str())), "the server gives the id");
    assert_eq!((begun.outcome, applied.outcome), (Outcome::Begun, Outcome::Applied));
    assert_eq!((begun.attempts, applied.attempts), (0, 1));
    assert_eq!(begun.write, applied.write);
    assert!(begun.at <= applied.at && applied.at <= chrono::Utc::now());
    for event in [begun, applied] {
        assert_eq!(event.operation.to_string(), "create user");
        assert_eq!((event.name.as_deref(), event.external_id.as_deref()), (Some("jane@example.com"), Some("4711")));
        let paths: Vec<_> = event.attributes.iter().map(|attribute| attribute.path.as_str()).collect();
        assert_eq!(paths, ["externalId", "userName", "active"]);
        assert_eq!((event.label, event.error), (None, None));
    }

    client.update_user(&id, &replace("title", "Engineer")).await.unwrap();
    let [begun, applied] = events.take().try_into().unwrap();
    assert_eq!(serde_json::to_value(&begun.attributes).unwrap(), json!([{ "op": "replace", "path": "title" }]));
    assert_eq!((begun.id.as_deref(), begun.name.as_deref()), (Some(id.as_str()), None));
    assert_eq!(applied.name.as_deref(), Some("jane@example.com"), "the server shows it");
    assert_eq!((begun.operation.to_string(), applied.outcome), ("update user".to_owned(), Outcome::Applied));

    user.display_name = Some("Jane".into());
    user.meta = None;
    client.resources::<ScimUser>().replace(&user).await.unwrap();
    let [begun, applied] = events.take().try_into().unwrap();
    assert_eq!((begun.id.as_deref(), begun.name.as_deref()), (Some(id.as_str()), Some("jane@example.com")));
    assert_eq!((begun.operation.to_string(), applied.outcome), ("replace user".to_owned(), Outcome::Applied));

    client.delete_user(&id).await.unwrap();
    let [begun, applied] = events.take().try_into().unwrap();
    assert_eq!((begun.id, begun.attributes.len()), (Some(id), 0));
    assert_eq!((begun.operation.to_string(), applied.outcome), ("delete user".to_owned(), Outcome::Applied));

    client.groups().create(&ScimGroup::new("Testers")).await.unwrap();
    let group = events.outcome();
    assert_eq!((group.operation.to_string(), group.name.as_deref()), ("create group".to_owned(), Some("Testers")));
}

#[maybe_async]
#[test]
async fn reads_are_not_in_the_trail() {
    let sandbox = Sandbox::builder().users(1).start().unwrap();
    let (client, events) = audited(&sandbox);
    client.get_user(&first_id(&sandbox)).await.unwrap();
    client.get_user_by_username("user0001@example.com").await.unwrap();
    client.iter_users().try_next().await.unwrap();
    assert_eq!(events.recorded(), Vec::<String>::new());
}

#[maybe_async]
#[test]
async fn a_fetched_token_is_in_the_trail_without_the_token() {
    let sandbox = Sandbox::start().unwrap();
    let (client, events) = audited(&sandbox);
    let token = client.get_token(Some(90)).await.unwrap();
    let [begun, applied] = events.take().try_into().unwrap();
    assert_eq!((begun.outcome, applied.outcome, applied.attempts), (Outcome::Begun, Outcome::Applied, 1));
    assert_eq!((begun.operation.to_string().as_str(), applied.id, applied.name), ("get token", None, None));
    assert!(!format!("{begun:?}").contains(token.token.expose()));

    client.get_token(Some(0)).await.unwrap_err();
    assert_eq!(events.recorded(), ["get token Refused 0"], "it is not sent");
    let (client, events) = audited(&sandbox);
    drop(sandbox);
    client.get_token(None).await.unwrap_err();
    assert_eq!(events.recorded()[0], "get token Begun 0");
}

#[maybe_async]
#[test]
async fn a_write_rejected_by_the_server_is_refused() {
    let sandbox = Sandbox::builder().users(1).start().unwrap();
    let (client, events) = audited(&sandbox);
    let error = client.create_user(&ScimUser::new("user0001@example.com")).await.unwrap_err();
    let event = events.outcome();
    assert_eq!((event.outcome, event.attempts, event.id), (Outcome::Refused, 1, None));
    assert_eq!(event.error, Some(error.to_string()));
    assert!(error.to_string().contains("409 Conflict"), "{error}");

    client.deactivate_user("missing").await.unwrap_err();
    client.delete_user("missing").await.unwrap_err();
    let recorded = events.recorded();
    assert_eq!(
        recorded,
        ["update user Begun 0", "update user Refused 1", "delete user Begun 0", "delete user Refused 1"],
        "404"
    );
}

#[maybe_async]
#[test]
async fn a_write_that_is_not_sent_is_refused_without_a_start() {
    let sandbox = Sandbox::builder().users(1).start().unwrap();
    let (client, events) = audited(&sandbox);
    client.create_user(&ScimUser::default()).await.unwrap_err();
    client.update_user("1", &ScimPatchRequest::new()).await.unwrap_err();
    client.delete_user("..").await.unwrap_err();
    let user = client.get_user(&first_id(&sandbox)).await.unwrap().unwrap();
    let error = client.resources::<ScimUser>().replace(&user).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    client.groups().create(&ScimGroup::new("Testers")).await.unwrap_err();
    let recorded = events.take();
    let words: Vec<_> =
        recorded.iter().map(|event| format!("{} {:?} {}", event.operation, event.outcome, event.attempts)).collect();
    assert_eq!(
        words,
        [
            "create user Refused 0",
            "update user Refused 0",
            "delete user Refused 0",
            "replace user Refused 0",
            "create group Refused 0",
        ]
    );
    assert!(
        recorded.iter().all(|event| event.error.as_deref().unwrap().ends_with("; nothing was sent")),
        "{recorded:?}"
    );
    assert_eq!(received(&sandbox).len(), 1, "the one that reads");
}

#[maybe_async]
#[test]
async fn a_write_without_a_response_is_unknown() {
    let sandbox = Sandbox::builder().users(2).start().unwrap();
    let (client, events, _proxy) = faulty(&sandbox, FaultRule::new(Fault::ResetAfterApplied));
    let id = first_id(&sandbox);
    let created = client.create_user(&jane()).await;
    let patched = client.deactivate_user(&id).await;
    let deleted = client.delete_user(&id).await;
    for error in [created.unwrap_err(), patched.unwrap_err(), deleted.unwrap_err()] {
        assert_eq!(error.write_outcome(), Some(WriteOutcome::Unknown));
    }
    let recorded = events.take();
    let outcomes: Vec<_> = recorded.iter().map(|event| (event.outcome, event.attempts)).collect();
    let pair = [(Outcome::Begun, 0), (Outcome::Unknown, 1)];
    assert_eq!(outcomes, [pair, pair, pair].concat());
    assert!(recorded[1].error.as_deref().unwrap().contains("the connection to"), "{recorded:?}");
    assert_eq!(sandbox.users().len(), 2, "all of them were applied");
}

#[maybe_async]
#[test]
async fn a_write_that_does_not_reach_the_server_is_refused() {
    let sandbox = Sandbox::start().unwrap();
    let events = Events::default();
    let config = config(&sandbox).audit(events.audit());
    let service = crate::api::ScimService::with_http_client(&config, crate::unreachable_host()).unwrap();
    service.delete_user("1").await.unwrap_err();
    assert_eq!(events.recorded(), ["delete user Begun 0", "delete user Refused 3"]);
}

#[maybe_async]
#[test]
async fn every_attempt_of_a_write_is_counted() {
    let sandbox = failing(2, 503);
    let (client, events) = audited(&sandbox);
    client.deactivate_user(&first_id(&sandbox)).await.unwrap();
    assert_eq!(events.recorded(), ["update user Begun 0", "update user Applied 3"]);

    // Retries of a creation look for the user first; only the creations are counted.
    let sandbox = failing(2, 502);
    let (client, events) = audited(&sandbox);
    client.create_user(&ScimUser::new("jane@example.com")).await.unwrap();
    assert_eq!(events.recorded(), ["create user Begun 0", "create user Applied 3"]);
    assert_eq!(received(&sandbox).len(), 5);

    let sandbox = failing(9, 429);
    let (client, events) = audited(&sandbox);
    client.create_user(&jane()).await.unwrap_err();
    assert_eq!(events.recorded(), ["create user Begun 0", "create user Refused 3"]);

    let sandbox = failing(9, 503);
    let (client, events) = audited(&sandbox);
    client.delete_user(&first_id(&sandbox)).await.unwrap_err();
    assert_eq!(events.recorded(), ["delete user Begun 0", "delete user Unknown 3"]);
}

#[maybe_async]
#[test]
async fn a_creation_found_on_the_server_is_applied() {
    let sandbox = Sandbox::start().unwrap();
    let lost = FaultRule::new(Fault::ResetAfterApplied).on_method(Method::POST).times(1);
    let proxy = FaultProxy::builder(sandbox.base_url()).with_rule(lost).start().unwrap();
    let events = Events::default();
    let config = ScimConfig::new(proxy.base_url(), Credentials::wats_token(sandbox.token())).retry(quick());
    ScimClient::with_config(&config.audit(events.audit())).unwrap().create_user(&jane()).await.unwrap();
    let applied = events.outcome();
    assert_eq!((applied.outcome, applied.attempts, applied.id), (Outcome::Applied, 1, Some(first_id(&sandbox))));
}

fn mixed(id: &str) -> Vec<ScimWrite> {
    vec![
        ScimWrite::create(jane()),
        ScimWrite::create(ScimUser::default()),
        ScimWrite::patch(id, replace("active", false)),
        ScimWrite::create(ScimUser::new("user0001@example.com")),
        ScimWrite::delete("missing"),
    ]
}

#[maybe_async]
#[test]
async fn each_write_of_a_bulk_request_has_its_own_events() {
    let sandbox = StandardSandbox::builder().users(1).start().unwrap();
    let (client, events) = audited(&sandbox);
    let client = client.discover().await.unwrap();
    sandbox.clear_requests();
    let items = client.write_users(mixed(&first_id(&sandbox))).run().await;
    assert_eq!(received(&sandbox), ["POST /scim/v2/Bulk"]);
    let recorded = events.take();
    let words: Vec<_> =
        recorded.iter().map(|event| format!("{} {:?} {}", event.operation, event.outcome, event.attempts)).collect();
    assert_eq!(
        words,
        [
            "create user Refused 0",
            "create user Begun 0",
            "update user Begun 0",
            "create user Begun 0",
            "delete user Begun 0",
            "create user Applied 1",
            "update user Applied 1",
            "create user Refused 1",
            "delete user Refused 1",
        ]
    );
    for n in 1..5 {
        assert_eq!(recorded[n].write, recorded[n + 4].write);
    }
    let created = items[0].result.as_ref().unwrap().as_ref().unwrap();
    assert_eq!((recorded[5].id.clone(), recorded[5].name.as_deref()), (created.id.clone(), Some("jane@example.com")));
    assert_eq!(recorded[7].error, Some(items[3].result.as_ref().unwrap_err().to_string()));
}

#[maybe_async]
#[test]
async fn writes_of_a_bulk_request_without_a_response_are_unknown_and_then_settled() {
    let sandbox = StandardSandbox::builder().users(1).start().unwrap();
    let lost = FaultRule::new(Fault::ResetAfterApplied).on_path("/Bulk");
    let (client, events, _proxy) = faulty(&sandbox, lost);
    let client = client.discover().await.unwrap();
    let writes = [ScimWrite::patch(first_id(&sandbox), replace("active", false)), ScimWrite::delete("missing")];
    client.write_users(writes).run().await;
    assert_eq!(
        events.recorded(),
        [
            "update user Begun 0",
            "delete user Begun 0",
            "update user Unknown 1",
            "delete user Unknown 1",
            "update user Begun 0",
            "update user Applied 1",
            "delete user Begun 0",
            "delete user Refused 1",
        ]
    );
}

#[maybe_async]
#[test]
async fn every_write_of_a_rejected_bulk_request_is_refused() {
    let sandbox = StandardSandbox::builder()
        .users(1)
        .respond_with(|request| {
            request
                .uri()
                .path()
                .ends_with("/Bulk")
                .then(|| answer(413, "application/json", r#"{"detail":"too large"}"#))
        })
        .start()
        .unwrap();
    let (client, events) = audited(&sandbox);
    let client = client.discover().await.unwrap();
    client.create_users([jane(), ScimUser::new("joe@example.com")]).run().await;
    let recorded = events.take();
    let outcomes: Vec<_> = recorded.iter().map(|event| (event.outcome, event.attempts)).collect();
    let (begun, applied) = ((Outcome::Begun, 0), (Outcome::Applied, 1));
    let refused = (Outcome::Refused, 1);
    assert_eq!(outcomes, [begun, begun, refused, refused, begun, applied, begun, applied]);
    let sentence = recorded[2].error.as_deref().unwrap();
    assert!(sentence.starts_with("could not write users in bulk: the server answered 413"), "{sentence}");
}

#[maybe_async]
#[test]
async fn each_clone_has_its_label() {
    let sandbox = Sandbox::start().unwrap();
    let events = Events::default();
    let client = ScimClient::with_config(&config(&sandbox).audit(events.audit().label("import"))).unwrap();
    let ann = client.labelled("ann, ticket 4711");
    let id = client.create_user(&jane()).await.unwrap().id.unwrap();
    ann.deactivate_user(&id).await.unwrap();
    ann.labelled("bob").delete_users([id]).run().await;
    client.delete_user("missing").await.unwrap_err();
    let recorded = events.take();
    let labels: Vec<_> = recorded.iter().map(|event| event.label.as_deref().unwrap()).collect();
    let (import, ann) = ("import", "ann, ticket 4711");
    assert_eq!(labels, [import, import, ann, ann, "bob", "bob", import, import]);
    let mut writes: Vec<_> = recorded.iter().map(|event| event.write.clone()).collect();
    writes.dedup();
    assert_eq!(writes.len(), 4, "clones share the numbers");
    assert_eq!(sandbox.connections(), 1, "and the connections");
}

#[maybe_async]
#[test]
async fn values_are_recorded_if_allowed() {
    for with_values in [false, true] {
        let sandbox = StandardSandbox::start().unwrap();
        let events = Events::default();
        let audit = if with_values { events.audit().allow_values() } else { events.audit() };
        let config = ScimConfig::new(sandbox.scim_url(), Credentials::wats_token(sandbox.token())).audit(audit);
        let client = ScimClient::with_config(&config).unwrap();
        let user = jane().with_attribute("title", "value1").with_email("value2");
        let id = client.create_user(&user).await.unwrap().id.unwrap();
        client.update_user(&id, &replace("nickName", "value3")).await.unwrap();
        client.update_user(&id, &ScimPatchRequest::new().remove("emails[value eq \"value4\"]")).await.unwrap_err();
        for event in events.take() {
            let text =
                serde_json::to_value(&event.attributes).unwrap().to_string() + &format!("{:?}", event.attributes);
            assert_eq!(text.contains("value1") || text.contains("value3") || text.contains("value4"), with_values);
            assert_eq!(text.contains("value2"), with_values && event.operation.to_string() == "create user");
        }
    }
}

#[maybe_async]
#[test]
async fn the_trail_agrees_with_what_the_server_received() {
    let sandbox = failing(3, 503);
    let (client, events) = audited(&sandbox);
    let id = first_id(&sandbox);
    let mut writes = vec![ScimWrite::set_active(&id, false), ScimWrite::delete("missing"), ScimWrite::delete(&id)];
    writes.extend((0..20).map(|n| ScimWrite::create(ScimUser::new(format!("new{}@example.com", n % 15)))));
    client.write_users(writes).in_flight(1).run().await;

    let mut requests: Vec<_> = sandbox.requests();
    requests.retain(|request| request.method != Method::GET);
    let mut requests = requests.into_iter();
    for event in events.take() {
        // Each outcome follows its number of attempts: requests of its method for its resource.
        let last = (0..event.attempts).filter_map(|_| requests.next()).last();
        if event.outcome == Outcome::Begun {
            assert!(last.is_none());
            continue;
        }
        let last = last.unwrap();
        let method = match event.operation.to_string().as_str() {
            "create user" => Method::POST,
            "update user" => Method::PATCH,
            _ => Method::DELETE,
        };
        assert_eq!(last.method, method);
        assert_eq!(last.status.unwrap().is_success(), event.outcome == Outcome::Applied, "{event:?}");
        match method {
            Method::POST => {
                let body: Value = serde_json::from_slice(&last.body).unwrap();
                assert_eq!(body["userName"].as_str(), event.name.as_deref());
            }
            _ => assert!(last.target.ends_with(event.id.as_deref().unwrap()), "{event:?}"),
        }
    }
    assert_eq!(requests.len(), 0);
}
