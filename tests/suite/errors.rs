//! The mapping from responses and failed requests to errors.

use wats_scim::{ErrorKind, ScimUser, WriteOutcome};

use super::{always, client, config};
use crate::{api, maybe_async, test};

#[maybe_async]
#[test]
async fn every_status_has_its_kind_and_outcome() {
    use WriteOutcome::{NotApplied, Unknown};
    for (status, kind, outcome) in [
        (400, ErrorKind::BadRequest, NotApplied),
        (401, ErrorKind::Unauthorized, NotApplied),
        (403, ErrorKind::Forbidden, NotApplied),
        (404, ErrorKind::NotFound, NotApplied),
        (405, ErrorKind::UnexpectedStatus, NotApplied),
        (408, ErrorKind::UnexpectedStatus, Unknown),
        (409, ErrorKind::Conflict, NotApplied),
        (412, ErrorKind::PreconditionFailed, NotApplied),
        (413, ErrorKind::PayloadTooLarge, NotApplied),
        (418, ErrorKind::UnexpectedStatus, NotApplied),
        (429, ErrorKind::TooManyRequests, NotApplied),
        (500, ErrorKind::Server, Unknown),
        (501, ErrorKind::Server, Unknown),
        (502, ErrorKind::Server, Unknown),
        (503, ErrorKind::Server, Unknown),
        (504, ErrorKind::Server, Unknown),
    ] {
        let sandbox = always(status, "application/json", r#"{"detail":"because\nof this.","scimType":"mutability"}"#);
        let client = client(&sandbox);
        for error in [
            client.create_user(&ScimUser::new("jane")).await.unwrap_err(),
            client.deactivate_user("1").await.unwrap_err(),
            client.delete_user("1").await.unwrap_err(),
        ] {
            assert_eq!((error.kind(), error.write_outcome()), (kind, Some(outcome)), "{status}");
            assert_eq!(error.status().map(|status| status.as_u16()), Some(status));
            assert_eq!((error.detail(), error.scim_type()), (Some("because of this."), Some("mutability")));
            let text = error.to_string();
            assert!(text.contains("(mutability): because of this") && !text.contains('\n'), "{text}");
        }
        let error = client.get_token(None).await.unwrap_err();
        assert_eq!((error.kind(), error.write_outcome()), (kind, None));
        if status != 404 {
            let answer = client.get_user("1").await;
            assert_eq!(answer.unwrap_err().kind(), kind);
            let answer = client.get_user_by_username("1").await;
            assert_eq!(answer.unwrap_err().kind(), kind);
        }
    }
}

#[maybe_async]
#[test]
async fn errors_without_a_server_message_suggest_a_fix() {
    for (status, words) in
        [(401, "check the credentials"), (403, "do not allow this"), (429, "wait before"), (302, "check the base URL")]
    {
        let sandbox = always(status, "text/html", "<html>");
        let error = client(&sandbox).get_user("1").await.unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[maybe_async]
#[test]
async fn a_success_without_the_expected_body_is_an_error() {
    for (media_type, body, kind) in [
        ("application/json", "", ErrorKind::EmptyBody),
        ("application/json", " null ", ErrorKind::EmptyBody),
        ("text/html", "<html></html>", ErrorKind::UnexpectedBody),
        ("application/xml", "<User/>", ErrorKind::UnexpectedBody),
        ("text/plain", "OK", ErrorKind::UnexpectedBody),
        ("application/json", "{", ErrorKind::UnexpectedBody),
        ("application/json", "[]", ErrorKind::UnexpectedBody),
        ("application/json", "true", ErrorKind::UnexpectedBody),
        ("application/json", r#"{"Message":"no"}"#, ErrorKind::UnexpectedBody),
    ] {
        let sandbox = always(200, media_type, body);
        let client = client(&sandbox);
        let answer = client.get_user("1").await;
        assert_eq!(answer.unwrap_err().kind(), kind, "{body}");
        let answer = client.get_user_by_username("1").await;
        assert_eq!(answer.unwrap_err().kind(), kind, "{body}");
        let answer = client.get_token(None).await;
        assert_eq!(answer.unwrap_err().kind(), kind, "{body}");
        let answer = client.iter_users().try_next().await;
        assert_eq!(answer.unwrap_err().kind(), kind, "{body}");
        let patched = client.deactivate_user("1").await;
        match kind {
            ErrorKind::EmptyBody => assert!(patched.unwrap().is_none(), "{body}"),
            _ => assert_eq!(patched.unwrap_err().write_outcome(), Some(WriteOutcome::Unknown), "{body}"),
        }
        let deleted = client.delete_user("1").await;
        let is_json = serde_json::from_str::<serde_json::Value>(body).is_ok() || body.is_empty();
        assert_eq!(deleted.is_ok(), is_json, "{body}: what is not JSON is no success of the server's");
    }
}

#[maybe_async]
#[test]
async fn an_unreachable_server_changed_nothing() {
    let sandbox = always(200, "application/json", "{}");
    let service = api::ScimService::with_http_client(&config(&sandbox), crate::unreachable_host()).unwrap();
    let error = service.delete_user("1").await.unwrap_err();
    assert_eq!((error.kind(), error.write_outcome()), (ErrorKind::Connection, Some(WriteOutcome::NotApplied)));
    assert_eq!(
        error.to_string(),
        format!("could not delete user: no connection to {}; nothing was changed", sandbox.base_url())
    );

    let config = config(&sandbox);
    drop(sandbox);
    let error = crate::ScimClient::with_config(&config).unwrap().create_user(&ScimUser::new("jane")).await.unwrap_err();
    assert_eq!((error.kind(), error.write_outcome()), (ErrorKind::Connection, Some(WriteOutcome::NotApplied)));
    assert_eq!(error.attempts(), 3);
}

#[maybe_async]
#[test]
async fn credentials_repeated_in_an_error_body_are_redacted() {
    let sandbox = wats_scim_sandbox::Sandbox::builder()
        .respond_with(|request| {
            let credentials = request.headers()["authorization"].to_str().unwrap();
            let body = serde_json::json!({ "detail": format!("bad header: {credentials}"), "scimType": credentials })
                .to_string();
            Some(super::answer(400, "application/json", body))
        })
        .start()
        .unwrap();
    let person = wats_scim::Credentials::basic(sandbox.user_name(), sandbox.password());
    let person = crate::ScimClient::new(sandbox.base_url(), person).unwrap();
    for client in [client(&sandbox), person] {
        let error = client.get_user("1").await.unwrap_err();
        let text = format!("{error} {error:?} {:?} {:?}", error.detail(), error.scim_type());
        assert!(text.contains("bad header: Basic [redacted]"), "{text}");
        assert!(!text.contains(sandbox.token()) && !text.contains(sandbox.password()), "{text}");
    }
}

#[maybe_async]
#[test]
async fn credentials_repeated_in_a_successful_body_are_redacted() {
    let sandbox = wats_scim_sandbox::Sandbox::builder()
        .respond_with(|request| {
            let credentials = request.headers()["authorization"].to_str().unwrap();
            let list = request.method() == http::Method::GET && request.uri().path().ends_with("Users");
            let body = if list {
                serde_json::json!({ "totalResults": { "repeated": credentials }, "Resources": credentials })
            } else {
                credentials.into()
            };
            Some(super::answer(200, "application/json", body.to_string()))
        })
        .start()
        .unwrap();
    let client = client(&sandbox);
    let read = client.get_user("1").await.unwrap_err();
    let listed = client.iter_users().try_next().await.unwrap_err();
    let written = client.deactivate_user("1").await.unwrap_err();
    assert!(read.to_string().contains("the answer is not a user: expected a JSON object"), "{read}");
    for error in [read, listed, written] {
        let text = format!("{error} {error:?} {:?}", std::error::Error::source(&error));
        assert!(!text.contains(sandbox.token()), "{text}");
    }
}
