//! The authenticated user, `/Me` (RFC 7644 §3.11).

use http::HeaderValue;
use wats_scim::{Credentials, ErrorKind, ScimUser};
use wats_scim_sandbox::Sandbox;

use super::{answer, received};
use crate::{ScimClient, maybe_async, test};

fn server(status: u16, location: Option<&'static str>) -> (Sandbox, ScimClient) {
    let sandbox = Sandbox::builder()
        .standard_path()
        .respond_with(move |request| {
            let is_me = request.uri().path().ends_with("/Me");
            let mut me = answer(if is_me { status } else { 200 }, "application/scim+json", r#"{"id":"a b"}"#);
            if let (true, Some(location)) = (is_me, location) {
                me.headers_mut().insert("location", HeaderValue::from_static(location));
            }
            Some(me)
        })
        .start()
        .unwrap();
    let client = ScimClient::new(sandbox.scim_url(), Credentials::wats_token(sandbox.token())).unwrap();
    (sandbox, client)
}

#[maybe_async]
#[test]
async fn the_user_is_read_from_the_body_or_the_redirect() {
    for (status, location) in [(200, None), (308, Some("https://elsewhere.example/v2/Users/a%20b"))] {
        let (sandbox, client) = server(status, location);
        let me = client.resources::<ScimUser>().me().await.unwrap();
        assert_eq!(me.id.as_deref(), Some("a b"));
        let last = received(&sandbox).pop().unwrap();
        assert!(location.is_none() || last == "GET /scim/v2/Users/a%20b", "{last}");
    }
}

#[maybe_async]
#[test]
async fn me_is_optional() {
    let (_sandbox, client) = server(501, None);
    let error = client.resources::<ScimUser>().me().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let (_sandbox, client) = server(302, Some("https://login.example/form"));
    let error = client.resources::<ScimUser>().me().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Redirect);
}

#[maybe_async]
#[test]
async fn features_that_wats_does_not_support_are_rejected_before_they_are_sent() {
    let sandbox = Sandbox::builder().users(1).start().unwrap();
    let client = super::client(&sandbox);
    let users = client.resources::<ScimUser>();
    let query = wats_scim::ListQuery::new();
    let jane = users.get_by_name("user0001@example.com").await.unwrap().unwrap();
    let before = received(&sandbox).len();
    for error in [
        client.groups().get("1").await.unwrap_err(),
        client.groups().add_members("1", &["2"]).await.unwrap_err(),
        client.groups().iter().try_next().await.unwrap_err(),
        users.me().await.unwrap_err(),
        users.search(&query).await.unwrap_err(),
        users.list(&query.clone().sort_by("userName")).await.unwrap_err(),
        users.list(&query.clone().attributes(["userName"])).await.unwrap_err(),
        users.replace(&jane).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains("a WATS server does not support "), "{error}");
    }
    assert_eq!(received(&sandbox).len(), before);
}
