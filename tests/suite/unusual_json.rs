//! JSON that servers send although it is unusual, or not quite valid.

use serde_json::json;
use wats_scim::{Credentials, ErrorKind, ListQuery, ScimGroup, ScimUser};
use wats_scim_sandbox::Sandbox;

use super::{always, answer, client};
use crate::{ScimClient, maybe_async, test};

#[maybe_async]
#[test]
async fn half_an_emoji_in_one_user_changes_only_that_text() {
    let sandbox = always(
        200,
        "application/scim+json",
        r#"{"totalResults":2,"Resources":[{"id":"1","userName":"bob","displayName":"Bob \ud83d","nick":"\ud83d"},
            {"id":"2","userName":"ann","displayName":"Ann \ud83d\ude00"}]}"#,
    );
    let mut users = client(&sandbox).iter_users();
    let bob = users.try_next().await.unwrap().unwrap();
    assert_eq!(bob.display_name.as_deref(), Some("Bob \u{fffd}"));
    assert_eq!(bob.attributes.get("nick"), Some(&json!("\u{fffd}")));
    let ann = users.try_next().await.unwrap().unwrap();
    assert_eq!(ann.display_name.as_deref(), Some("Ann \u{1f600}"));
    let answer = users.try_next().await;
    assert!(answer.unwrap().is_none());

    let sandbox =
        always(200, "application/scim+json", r#"{"id":"1","userName":"bob","displayName":"\udc00","nick":"\ud83d"}"#);
    let bob = client(&sandbox).get_user("1").await.unwrap().unwrap();
    assert_eq!(bob.display_name.as_deref(), Some("\u{fffd}"));
    assert_eq!(bob.attributes.get("nick"), Some(&json!("\u{fffd}")));
}

#[maybe_async]
#[test]
async fn a_byte_order_mark_is_ignored() {
    let sandbox = always(200, "application/scim+json", "\u{feff}{\"id\":\"1\",\"userName\":\"bob\"}");
    let client = client(&sandbox);
    let bob = client.get_user("1").await.unwrap().unwrap();
    assert_eq!(bob.id.as_deref(), Some("1"));
    let created = client.create_user(&ScimUser::new("bob")).await.unwrap();
    assert_eq!(created.id.as_deref(), Some("1"));
}

#[maybe_async]
#[test]
async fn identifiers_may_be_numbers() {
    let sandbox = always(201, "application/scim+json", r#"{"id":53,"userName":"bob","externalId":4711}"#);
    let created = client(&sandbox).create_user(&ScimUser::new("bob")).await.unwrap();
    assert_eq!((created.id.as_deref(), created.external_id.as_deref()), (Some("53"), Some("4711")));

    let sandbox = Sandbox::builder()
        .standard_path()
        .respond_with(|_| Some(answer(200, "application/scim+json", r#"{"id":7,"members":[{"value":53}]}"#)))
        .start()
        .unwrap();
    let client = ScimClient::new(sandbox.scim_url(), Credentials::wats_token(sandbox.token())).unwrap();
    let group: ScimGroup = client.groups().get("7").await.unwrap().unwrap();
    assert_eq!(group.member_ids().collect::<Vec<_>>(), ["53"]);
}

#[maybe_async]
#[test]
async fn the_same_user_twice_is_one_user() {
    let sandbox = Sandbox::builder()
        .standard_path()
        .respond_with(|_| {
            let page = r#"{"totalResults":2,"Resources":[{"id":"1","userName":"jane"},{"id":"1","userName":"jane"}]}"#;
            Some(answer(200, "application/scim+json", page))
        })
        .start()
        .unwrap();
    let client = ScimClient::new(sandbox.scim_url(), Credentials::wats_token(sandbox.token())).unwrap();
    let jane = client.get_user_by_username("jane").await.unwrap().unwrap();
    assert_eq!(jane.id.as_deref(), Some("1"));

    let sandbox = Sandbox::builder()
        .respond_with(|request| {
            let is_first = request.uri().query().unwrap_or_default().contains("startIndex=1&");
            let page = if is_first {
                r#"{"totalResults":3,"Resources":[{"id":"1"},{"id":"1"},{"id":"2"}]}"#
            } else {
                r#"{"totalResults":3,"Resources":[{"id":"2"}]}"#
            };
            Some(answer(200, "application/scim+json", page))
        })
        .start()
        .unwrap();
    let current = super::client(&sandbox).current_users().await.unwrap();
    assert_eq!(current.users().len(), 2);
}

#[maybe_async]
#[test]
async fn a_cursor_may_be_a_number_and_a_resource_null() {
    let sandbox = Sandbox::builder()
        .respond_with(|request| {
            let page = match request.uri().query().unwrap_or_default() {
                query if query.contains("cursor=9007199254740993") => r#"{"Resources":[null,{"id":"2"}]}"#,
                _ => r#"{"Resources":[{"id":"1"},null],"nextCursor":9007199254740993}"#,
            };
            Some(answer(200, "application/scim+json", page))
        })
        .start()
        .unwrap();
    let mut users = client(&sandbox).iter_users();
    for id in ["1", "2"] {
        let user = users.try_next().await.unwrap().unwrap();
        assert_eq!(user.id.as_deref(), Some(id));
    }
    let answer = users.try_next().await;
    assert!(answer.unwrap().is_none());
}

#[maybe_async]
#[test]
async fn a_body_of_very_many_values_is_rejected() {
    let sandbox = Sandbox::builder()
        .respond_with(|_| {
            let body = format!(r#"{{"Resources":[{}{{}}]}}"#, "{},".repeat(1_000_000));
            Some(answer(200, "application/scim+json", body))
        })
        .start()
        .unwrap();
    let error = client(&sandbox).get_users(&ListQuery::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedBody);
    assert!(error.to_string().contains("more values than a body of its size may have"), "{error}");
}

#[maybe_async]
#[test]
async fn a_huge_total_needs_no_memory_for_pages_in_flight() {
    let sandbox = Sandbox::builder()
        .respond_with(|request| {
            let is_first = request.uri().query().unwrap_or_default().contains("startIndex=1&");
            let users: Vec<_> = (0..if is_first { 3 } else { 0 }).map(|n| json!({ "id": n.to_string() })).collect();
            let page = json!({ "totalResults": 1_u64 << 62, "Resources": users });
            Some(answer(200, "application/scim+json", page.to_string()))
        })
        .start()
        .unwrap();
    let mut users = client(&sandbox).iter_users().in_flight(usize::MAX);
    let mut count = 0;
    let error = loop {
        match users.try_next().await {
            Ok(user) => count += u32::from(user.is_some()),
            Err(error) => break error,
        }
    };
    assert_eq!((count, error.kind()), (3, ErrorKind::IncompleteList));
    assert!(sandbox.requests().len() <= 105);
}
