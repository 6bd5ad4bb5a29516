//! Creations whose outcome was not known: what the look for them finds.

use std::sync::atomic::{AtomicU32, Ordering};

use http::{HeaderValue, Method, Response};
use serde_json::{Value, json};
use wats_scim::{ErrorKind, Profile, ScimConfig, ScimGroup, ScimUser, WriteOutcome};
use wats_scim_sandbox::StandardSandbox;

use super::{answer, received};
use crate::{ScimClient, maybe_async, test};

type Answer = Option<Response<Vec<u8>>>;

/// A server that answers some requests in its own way: the rule gets the number of the request among
/// those with its method, from 1 on.
fn server(seed: &[Value], rule: impl Fn(&Method, u32) -> Answer + Send + Sync + 'static) -> StandardSandbox {
    let (posts, others) = (AtomicU32::new(0), AtomicU32::new(0));
    StandardSandbox::builder()
        .with_users(seed.iter().cloned())
        .respond_with(move |request| {
            let counter = if request.method() == Method::POST { &posts } else { &others };
            rule(request.method(), counter.fetch_add(1, Ordering::Relaxed) + 1)
        })
        .start()
        .unwrap()
}

fn client(sandbox: &StandardSandbox) -> ScimClient {
    let credentials = wats_scim::Credentials::wats_token(sandbox.token());
    let config = ScimConfig::new(sandbox.scim_url(), credentials).retry(super::quick()).profile(Profile::standard());
    ScimClient::with_config(&config).unwrap()
}

fn posts(sandbox: &StandardSandbox) -> usize {
    received(sandbox).iter().filter(|request| request.starts_with("POST")).count()
}

#[maybe_async]
#[test]
async fn a_user_that_the_server_renamed_is_not_reported_as_not_created() {
    let renamed = json!({ "userName": "jane@corp.example", "externalId": "4711" });
    let sandbox = server(&[renamed], |method, _| (method == Method::POST).then(|| answer(502, "text/html", "<html>")));
    let jane = ScimUser::new("jane").with_external_id("4711");
    let error = client(&sandbox).create_user(&jane).await.unwrap_err();
    assert_eq!(error.write_outcome(), Some(WriteOutcome::Unknown), "{error}");
    assert!(error.to_string().contains("has the same externalId and another userName"), "{error}");
    assert_eq!(posts(&sandbox), 1);
}

#[maybe_async]
#[test]
async fn a_number_without_resources_is_never_an_absence() {
    let sandbox = server(&[], |method, _| {
        Some(match *method {
            Method::POST => answer(502, "text/html", "<html>"),
            _ => answer(200, "application/scim+json", r#"{"totalResults":1,"Resources":[]}"#),
        })
    });
    let client = client(&sandbox);
    let error = client.get_user_by_username("jane").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedBody, "{error}");
    let error = client.create_user(&ScimUser::new("jane")).await.unwrap_err();
    assert_eq!(error.write_outcome(), Some(WriteOutcome::Unknown), "{error}");
    assert_eq!(posts(&sandbox), 1, "it is not created again");
}

#[maybe_async]
#[test]
async fn a_created_user_whose_location_is_wrong_is_found_by_its_name() {
    let sandbox = server(&[json!({ "userName": "jane" })], |method, _| {
        (method == Method::POST).then(|| {
            let mut created = answer(201, "application/scim+json", "");
            created.headers_mut().insert("location", HeaderValue::from_static("/Users/nowhere"));
            created
        })
    });
    let jane = client(&sandbox).create_user(&ScimUser::new("jane")).await.unwrap();
    assert_eq!(jane.id.as_deref(), sandbox.users()[0]["id"].as_str());
}

#[maybe_async]
#[test]
async fn a_group_that_was_created_twice_after_all_is_not_reported_as_applied() {
    let twice = json!({ "totalResults": 2, "Resources": [
        { "id": "1", "displayName": "Testers" }, { "id": "2", "displayName": "Testers" },
    ] });
    // The first creation is carried out after the look for it.
    let sandbox = server(&[], move |method, number| match (method.as_str(), number) {
        ("POST", 1) => Some(answer(502, "text/html", "<html>")),
        ("GET", 2) => Some(answer(200, "application/scim+json", twice.to_string())),
        _ => None,
    });
    let error = client(&sandbox).groups().create(&ScimGroup::new("Testers")).await.unwrap_err();
    assert_eq!(error.write_outcome(), Some(WriteOutcome::Unknown), "{error}");
    assert!(error.to_string().contains("two groups of this name"), "{error}");
    assert_eq!(posts(&sandbox), 2);
}

#[maybe_async]
#[test]
async fn a_group_that_a_later_attempt_created_once_is_applied() {
    let sandbox = server(&[], |method, number| {
        (method == Method::POST && number == 1).then(|| answer(502, "text/html", "<html>"))
    });
    let testers = client(&sandbox).groups().create(&ScimGroup::new("Testers")).await.unwrap();
    assert!(testers.id.is_some());
    assert_eq!(posts(&sandbox), 2);
}
