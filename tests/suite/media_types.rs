//! The media type of bodies.

use http::Method;
use wats_scim::ScimUser;
use wats_scim_sandbox::Sandbox;

use super::{answer, config};
use crate::{ScimClient, maybe_async, test};

/// A server that takes only `application/json`.
fn plain() -> Sandbox {
    Sandbox::builder()
        .respond_with(|request| {
            let media_type = request.headers().get("content-type")?;
            (media_type != "application/json").then(|| answer(415, "text/plain", "Unsupported Media Type"))
        })
        .start()
        .unwrap()
}

fn posts(sandbox: &Sandbox) -> usize {
    sandbox.requests().iter().filter(|request| request.method == Method::POST).count()
}

#[maybe_async]
#[test]
async fn a_server_that_rejects_the_media_type_of_scim_gets_plain_json() {
    let sandbox = plain();
    let client = ScimClient::with_config(&config(&sandbox)).unwrap();
    client.create_user(&ScimUser::new("jane")).await.unwrap();
    client.create_user(&ScimUser::new("joan")).await.unwrap();
    assert_eq!((sandbox.users().len(), posts(&sandbox)), (2, 3), "only the first one is sent twice");

    let sandbox = plain();
    let client = ScimClient::with_config(&config(&sandbox).plain_json(true)).unwrap();
    client.create_user(&ScimUser::new("jane")).await.unwrap();
    assert_eq!(posts(&sandbox), 1);

    let never = super::always(415, "text/plain", "no");
    let error = super::client(&never).create_user(&ScimUser::new("jane")).await.unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(415));
    assert_eq!(posts(&never), 2);
}
