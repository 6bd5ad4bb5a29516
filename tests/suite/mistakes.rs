//! Known bugs of an older client, which must not be repeated. Those about retries are in `retries`,
//! those about threads and tasks in `blocking.rs` and `asynchronous.rs`.

use serde_json::{Value, json};
use wats_scim::{ErrorKind, ScimPatchRequest, ScimUser, WriteOutcome};
use wats_scim_sandbox::Sandbox;

use super::{answer, client, received};
use crate::{maybe_async, test};

#[maybe_async]
#[test]
async fn a_creation_and_every_patch_are_sent() {
    let sandbox = Sandbox::start().unwrap();
    let client = client(&sandbox);
    let id = client.create_user(&ScimUser::new("jane@example.com")).await.unwrap().id.unwrap();
    client.update_user(&id, &ScimPatchRequest::new().replace("givenName", "J")).await.unwrap();
    client.deactivate_user(&id).await.unwrap();
    client.set_user_active(&id, true).await.unwrap();
    client.update_display_name(&id, "Jane").await.unwrap();
    let requests = sandbox.requests();
    let operations: Vec<Value> = requests[1..]
        .iter()
        .map(|request| serde_json::from_slice::<Value>(&request.body).unwrap()["Operations"].clone())
        .collect();
    assert_eq!(requests[0].method, "POST");
    assert!(requests[1..].iter().all(|request| request.method == "PATCH" && request.target.ends_with(&id)));
    assert_eq!(
        operations,
        [
            json!([{ "op": "replace", "path": "givenName", "value": "J" }]),
            json!([{ "op": "replace", "path": "active", "value": false }]),
            json!([{ "op": "replace", "path": "active", "value": true }]),
            json!([{ "op": "replace", "path": "displayName", "value": "Jane" }]),
        ]
    );
}

#[maybe_async]
#[test]
async fn nothing_is_cached() {
    let sandbox = Sandbox::builder().users(1).start().unwrap();
    let client = client(&sandbox);
    let id = sandbox.users()[0]["id"].as_str().unwrap().to_owned();
    let answer = client.get_user(&id).await;
    assert_eq!(answer.unwrap().unwrap().active, Some(true));
    client.deactivate_user(&id).await.unwrap();
    let answer = client.get_user(&id).await;
    assert_eq!(answer.unwrap().unwrap().active, Some(false));
    let (first, second) = (client.get_token(None).await.unwrap(), client.get_token(None).await.unwrap());
    assert_ne!(first.token.expose(), second.token.expose());
}

#[maybe_async]
#[test]
async fn an_id_or_a_name_is_one_path_segment() {
    let sandbox = Sandbox::builder().users(1).start().unwrap();
    let client = client(&sandbox);
    let id = sandbox.users()[0]["id"].as_str().unwrap().to_owned();

    let guest = "john_contoso.com#EXT#@fabrikam.onmicrosoft.com";
    client.create_user(&ScimUser::new("john_contoso.com")).await.unwrap();
    let answer = client.get_user_by_username(guest).await;
    assert!(answer.unwrap().is_none());
    client.create_user(&ScimUser::new(guest)).await.unwrap();
    let answer = client.get_user_by_username(guest).await;
    assert_eq!(answer.unwrap().unwrap().user_name.as_deref(), Some(guest));

    let answer = client.delete_user(&format!("{id}#x")).await;
    assert_eq!(answer.unwrap_err().kind(), ErrorKind::NotFound);
    let answer = client.delete_user(&format!("{id}?x")).await;
    assert_eq!(answer.unwrap_err().kind(), ErrorKind::NotFound);
    let answer = client.get_user("../Token").await;
    assert!(answer.unwrap().is_none());
    let answer = client.get_user("a+b c").await;
    assert!(answer.unwrap().is_none());
    let requests = sandbox.requests();
    let last: Vec<_> = requests.iter().rev().take(2).map(|request| request.target.as_str()).collect();
    assert_eq!(last, ["/api/SCIM/v2/Users/a%2Bb%20c", "/api/SCIM/v2/Users/..%2FToken"]);

    let before = sandbox.requests().len();
    let answer = client.delete_user("").await;
    assert_eq!(answer.unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!((sandbox.requests().len(), sandbox.users().len()), (before, 3));
}

#[maybe_async]
#[test]
async fn errors_have_the_servers_message() {
    let sandbox = Sandbox::start().unwrap();
    let client = client(&sandbox);
    client.create_user(&ScimUser::new("jane@example.com")).await.unwrap();
    let error = client.create_user(&ScimUser::new("JANE@example.com")).await.unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(409));
    assert_eq!(error.scim_type(), Some("uniqueness"));
    assert!(error.to_string().contains(error.detail().unwrap().trim_end_matches('.')), "{error}");
}

#[maybe_async]
#[test]
async fn a_web_page_is_a_one_line_error() {
    let page: &'static str = Box::leak(format!("<!DOCTYPE html><html>{}</html>", "x".repeat(10_000)).into_boxed_str());
    for status in [200, 404, 500] {
        let sandbox = super::always(status, "text/html", page);
        let client = client(&sandbox);
        for error in [
            client.get_user("1").await.unwrap_err(),
            client.iter_users().try_next().await.unwrap_err(),
            client.get_token(None).await.unwrap_err(),
        ] {
            let text = error.to_string();
            assert!(text.len() < 200 && !text.contains("<html"), "{text}");
        }
    }
}

#[maybe_async]
#[test]
async fn a_bad_body_is_an_error_of_this_crate() {
    let sandbox = super::always(200, "application/json", r#"{"id": "1", "#);
    let error = client(&sandbox).get_user("1").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedBody);
    assert_eq!(error.to_string(), "could not get user: the server answered 200 OK, but the JSON ends too early");
    assert!(std::error::Error::source(&error).is_some());
}

#[maybe_async]
#[test]
async fn a_patch_answered_with_204_succeeded() {
    let sandbox = Sandbox::builder().users(1).patch_answers_204().start().unwrap();
    let id = sandbox.users()[0]["id"].as_str().unwrap().to_owned();
    let answer = client(&sandbox).deactivate_user(&id).await;
    assert!(answer.unwrap().is_none());
    assert_eq!(sandbox.users()[0]["active"], false);
}

#[maybe_async]
#[test]
async fn a_redirected_write_is_not_a_success() {
    for status in [301, 302, 303, 307, 308] {
        let sandbox = Sandbox::builder()
            .respond_with(move |request| {
                let mut answer = answer(status, "text/html", "");
                let elsewhere =
                    http::HeaderValue::from_static("https://user:canary@login.example.com/form?next=canary#canary");
                answer.headers_mut().insert("location", elsewhere);
                (!request.uri().path().contains("/form")).then_some(answer)
            })
            .start()
            .unwrap();
        let client = client(&sandbox);
        for error in [
            client.delete_user("1").await.unwrap_err(),
            client.deactivate_user("1").await.unwrap_err(),
            client.get_user("1").await.unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::Redirect);
            let text = format!("{error} {error:?}");
            assert!(text.contains("https://login.example.com/form, and redirects are not followed"), "{text}");
            assert!(!text.contains("canary"), "{text}");
        }
        assert_eq!(received(&sandbox).len(), 3, "nothing is followed and nothing is repeated");
    }
}

#[maybe_async]
#[test]
async fn null_is_sent_to_clear_an_attribute() {
    let sandbox = Sandbox::start().unwrap();
    let clear = ScimPatchRequest::new().replace("displayName", Value::Null);
    let error = client(&sandbox).update_user("1", &clear).await.unwrap_err();
    assert_eq!(error.write_outcome(), Some(WriteOutcome::NotApplied));
    let body: Value = serde_json::from_slice(&sandbox.requests()[0].body).unwrap();
    assert_eq!(body["Operations"], json!([{ "op": "replace", "path": "displayName", "value": null }]));
}

#[maybe_async]
#[test]
async fn unknown_sub_attributes_round_trip() {
    let body = r#"{"id":"1","userName":"jane","name":{"middleName":"Q"},"emails":[{"value":"j@x","display":"J"}]}"#;
    let sandbox = super::always(200, "application/scim+json", body);
    let user = client(&sandbox).get_user("1").await.unwrap().unwrap();
    assert_eq!(serde_json::to_string(&user).unwrap(), body);
}

#[maybe_async]
#[test]
async fn the_token_is_redacted() {
    let sandbox = Sandbox::start().unwrap();
    let client = client(&sandbox);
    let token = client.get_token(None).await.unwrap();
    let text = format!("{token:?} {client:?} {:?} {:?}", client.repository(), super::config(&sandbox));
    assert!(!text.contains(token.token.expose()) && !text.contains(sandbox.token()), "{text}");
}
