//! Creations whose outcome was not known: what the look for them finds.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use http::{HeaderValue, Method, Response};
use serde_json::{Value, json};
use wats_scim::{ErrorKind, Profile, ScimConfig, ScimGroup, ScimUser, ScimWrite, WriteOutcome};
use wats_scim_sandbox::StandardSandbox;

use super::{answer, received};
use crate::{ScimClient, maybe_async, test};

type Answer = Option<Response<Vec<u8>>>;

/// A server that answers some requests in its own way: the rule gets the method, the end of the path,
/// and the number of the request among those with its method, from 1 on.
fn server(seed: &[Value], rule: impl Fn(&str, &str, u32) -> Answer + Send + Sync + 'static) -> StandardSandbox {
    let counters: Mutex<HashMap<Method, u32>> = Mutex::default();
    StandardSandbox::builder()
        .bulk_limits(10, 100_000)
        .with_users(seed.iter().cloned())
        .respond_with(move |request| {
            let path = request.uri().path().rsplit('/').next().unwrap_or_default();
            let number = {
                let mut counters = counters.lock().unwrap();
                let counter = counters.entry(request.method().clone()).or_default();
                *counter += 1;
                *counter
            };
            rule(request.method().as_str(), path, number)
        })
        .start()
        .unwrap()
}

fn gateway() -> Response<Vec<u8>> {
    answer(502, "text/html", "<html>")
}

/// Two groups of one name.
fn twice() -> Response<Vec<u8>> {
    let groups = json!({ "totalResults": 2, "Resources": [
        { "id": "1", "displayName": "Testers" }, { "id": "2", "displayName": "Testers" },
    ] });
    answer(200, "application/scim+json", groups.to_string())
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
    let sandbox = server(&[renamed], |method, _, _| (method == "POST").then(gateway));
    let jane = ScimUser::new("jane").with_external_id("4711");
    let error = client(&sandbox).create_user(&jane).await.unwrap_err();
    assert_eq!(error.write_outcome(), Some(WriteOutcome::Unknown), "{error}");
    assert!(error.to_string().contains("has the same externalId, and another userName"), "{error}");
    assert_eq!(posts(&sandbox), 1);
}

#[maybe_async]
#[test]
async fn a_user_that_the_server_stored_with_other_values_is_not_reported_as_not_created() {
    let trimmed = json!({ "userName": "jane", "externalId": "4711", "displayName": "Jane" });
    let sandbox = server(&[trimmed], |method, _, _| (method == "POST").then(gateway));
    let jane = ScimUser::new("jane").with_external_id("4711").with_display_name(" Jane ");
    let error = client(&sandbox).create_user(&jane).await.unwrap_err();
    assert_eq!(error.write_outcome(), Some(WriteOutcome::Unknown), "{error}");
    assert!(error.to_string().contains("has the same externalId, and another userName or other values"), "{error}");
    assert_eq!(posts(&sandbox), 1);
}

#[maybe_async]
#[test]
async fn a_look_that_a_gateway_rejects_finds_nothing_out() {
    let renamed = json!({ "userName": "jane@corp.example", "externalId": "4711" });
    let sandbox = server(&[renamed], |method, _, number| match (method, number) {
        ("POST", _) => Some(gateway()),
        // The second look, for the external id.
        ("GET", 2) => Some(answer(400, "text/html", "<html>bad request</html>")),
        _ => None,
    });
    let jane = ScimUser::new("jane").with_external_id("4711");
    let error = client(&sandbox).create_user(&jane).await.unwrap_err();
    assert_eq!(error.write_outcome(), Some(WriteOutcome::Unknown), "{error}");
    assert_eq!(posts(&sandbox), 1);
}

#[maybe_async]
#[test]
async fn one_of_several_users_of_a_name_says_nothing_about_the_others() {
    // The pages of the server have one user, and two have this name.
    const PAGE: &str = r#"{"totalResults":2,"Resources":[{"id":"1","userName":"jane","externalId":"other"}]}"#;
    let sandbox = server(&[], |method, _, _| match method {
        "POST" => Some(gateway()),
        _ => Some(answer(200, "application/scim+json", PAGE)),
    });
    let jane = ScimUser::new("jane").with_external_id("4711");
    let error = client(&sandbox).create_user(&jane).await.unwrap_err();
    assert_eq!(error.write_outcome(), Some(WriteOutcome::Unknown), "{error}");
    assert!(error.to_string().contains("and states that there are several"), "{error}");
    assert_eq!(posts(&sandbox), 1);
}

#[maybe_async]
#[test]
async fn several_users_of_one_external_id_are_not_taken_for_one_that_was_created() {
    // Both attempts were carried out after the look by name. A page can show one of the two.
    const TWO: &str = r#"{"totalResults":2,"Resources":[{"id":"1","userName":"jane","externalId":"4711"},{"id":"2","userName":"jane","externalId":"4711"}]}"#;
    const ONE: &str = r#"{"totalResults":2,"Resources":[{"id":"1","userName":"jane","externalId":"4711"}]}"#;
    for page in [TWO, ONE] {
        let sandbox = server(&[], move |method, _, number| match (method, number) {
            ("POST", _) => Some(gateway()),
            ("GET", 2) => Some(answer(200, "application/scim+json", page)),
            _ => None,
        });
        let jane = ScimUser::new("jane").with_external_id("4711");
        let error = client(&sandbox).create_user(&jane).await.unwrap_err();
        assert_eq!(error.write_outcome(), Some(WriteOutcome::Unknown), "{error}");
        assert!(error.to_string().contains("several users with this externalId"), "{error}");
        assert_eq!(posts(&sandbox), 1);
    }
}

#[maybe_async]
#[test]
async fn a_number_without_resources_is_never_an_absence() {
    let sandbox = server(&[], |method, _, _| match method {
        "POST" => Some(gateway()),
        _ => Some(answer(200, "application/scim+json", r#"{"totalResults":1,"Resources":[]}"#)),
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
    let sandbox = server(&[json!({ "userName": "jane" })], |method, _, _| {
        (method == "POST").then(|| {
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
    // The first creation is carried out after the look for it. The second answer may show the group, or
    // only where it is.
    for is_shown in [true, false] {
        let sandbox = server(&[], move |method, path, number| match (method, path, number) {
            ("POST", _, 1) => Some(gateway()),
            ("POST", ..) if !is_shown => {
                let mut created = answer(201, "application/scim+json", "");
                created.headers_mut().insert("location", HeaderValue::from_static("/Groups/1"));
                Some(created)
            }
            ("GET", "1", _) => Some(answer(200, "application/scim+json", r#"{"id":"1","displayName":"Testers"}"#)),
            ("GET", "Groups", 2..) => Some(twice()),
            _ => None,
        });
        let error = client(&sandbox).groups().create(&ScimGroup::new("Testers")).await.unwrap_err();
        assert_eq!(error.write_outcome(), Some(WriteOutcome::Unknown), "{error}");
        assert!(error.to_string().contains("two groups of this name"), "{error}");
        assert_eq!(posts(&sandbox), 2);
    }
}

#[maybe_async]
#[test]
async fn a_group_that_a_later_attempt_created_once_is_applied() {
    let sandbox = server(&[], |method, _, number| ((method, number) == ("POST", 1)).then(gateway));
    let testers = client(&sandbox).groups().create(&ScimGroup::new("Testers")).await.unwrap();
    assert!(testers.id.is_some());
    assert_eq!(posts(&sandbox), 2);
}

/// The writes of a bulk request without an answer, each sent alone after that.
#[maybe_async]
#[test]
async fn writes_of_a_lost_bulk_request_are_settled_as_single_ones_are() {
    // The server changes names.
    let renamed = json!({ "userName": "jane@corp.example", "externalId": "4711" });
    let lost = |method: &str, path: &str, _| ((method, path) == ("POST", "Bulk")).then(gateway);
    let sandbox = server(&[renamed], lost);
    let bulk = client(&sandbox).discover().await.unwrap();
    let users = [ScimUser::new("jane").with_external_id("4711"), ScimUser::new("joan")];
    let items = bulk.create_users(users).run().await;
    let error = items[0].result.as_ref().unwrap_err();
    assert_eq!(error.write_outcome(), Some(WriteOutcome::Unknown), "{error}");
    assert!(error.to_string().contains("has the same externalId"), "{error}");
    assert!(items[1].result.is_ok());
    assert_eq!(sandbox.users().len(), 2, "jane is not created again");

    // A gateway answers 404 without a body.
    let sandbox = server(&[], |method, path, _| match (method, path) {
        ("POST", "Bulk") => Some(gateway()),
        ("DELETE", _) => Some(answer(404, "text/plain", "")),
        _ => None,
    });
    let bulk = client(&sandbox).discover().await.unwrap();
    for item in bulk.delete_users(["1", "2"]).run().await {
        assert_eq!(item.result.unwrap_err().write_outcome(), Some(WriteOutcome::Unknown));
    }

    // The bulk request is carried out after the look.
    let groups = AtomicU32::new(0);
    let sandbox = server(&[], move |method, path, _| match (method, path) {
        ("POST", "Bulk") => Some(gateway()),
        ("GET", "Groups") if groups.fetch_add(1, Ordering::Relaxed) > 0 => Some(twice()),
        _ => None,
    });
    let bulk = client(&sandbox).discover().await.unwrap();
    let writes = ["Testers", "Makers"].map(|name| ScimWrite::create(ScimGroup::new(name)));
    let items = bulk.groups().write(writes).run().await;
    let error = items[0].result.as_ref().unwrap_err();
    assert_eq!(error.write_outcome(), Some(WriteOutcome::Unknown), "{error}");
}
