//! Versions of resources: where they are read from, and how they are sent.

use http::{HeaderValue, Method};
use wats_scim::{Profile, ScimConfig, ScimPatchRequest, Target};
use wats_scim_sandbox::Sandbox;

use super::{answer, config};
use crate::{ScimClient, maybe_async, test};

/// A server with one user, whose answers have this `meta` and this `ETag`.
fn server(meta: &'static str, tag: Option<&'static str>) -> Sandbox {
    Sandbox::builder()
        .respond_with(move |request| {
            let body = match *request.method() {
                Method::GET => format!(r#"{{"id":"1","userName":"jane"{meta}}}"#),
                _ => String::new(),
            };
            let mut user = answer(if body.is_empty() { 204 } else { 200 }, "application/scim+json", body);
            if let Some(tag) = tag {
                user.headers_mut().insert("etag", HeaderValue::from_static(tag));
            }
            Some(user)
        })
        .start()
        .unwrap()
}

#[maybe_async]
#[test]
async fn the_version_comes_from_the_body_or_the_header_and_is_sent_as_an_entity_tag() {
    for (meta, tag, sent) in [
        ("", Some("W/\"7\""), "W/\"7\""),
        (r#","meta":{"version":"W/\"7\""}"#, None, "W/\"7\""),
        (r#","meta":{"version":"7"}"#, Some("\"7\""), "\"7\""),
        (r#","meta":{"version":"7"}"#, None, "W/\"7\""),
        // The tag of a framework, which is another one for every body.
        (r#","meta":{"version":"W/\"7\""}"#, Some("W/\"1a-x\""), "W/\"7\""),
    ] {
        let sandbox = server(meta, tag);
        let standard: ScimConfig = config(&sandbox).profile(Profile::standard());
        let client = ScimClient::with_config(&standard).unwrap();
        let jane = client.get_user("1").await.unwrap().unwrap();
        let patch = ScimPatchRequest::new().replace("title", "Engineer");
        client.users().update(Target::unchanged(&jane).unwrap(), &patch).await.unwrap();
        let requests = sandbox.requests();
        let condition = requests.last().unwrap().headers.get("if-match").map(|value| value.to_str().unwrap());
        assert_eq!(condition, Some(sent), "{meta} {tag:?}");
    }
}
