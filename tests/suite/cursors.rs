//! Cursor-based paging (RFC 9865).

use std::sync::Mutex;

use http::Response;
use serde_json::json;
use wats_scim::{ErrorKind, Filter};
use wats_scim_sandbox::Sandbox;

use super::{answer, client, received};
use crate::{maybe_async, test};

/// A server that starts cursor-based paging without being asked.
fn server(cursors: [&'static str; 3], total: Option<u64>) -> Sandbox {
    let asked = Mutex::new(0);
    Sandbox::builder()
        .respond_with(move |_| -> Option<Response<Vec<u8>>> {
            let mut asked = asked.lock().unwrap();
            let users = [json!({ "id": format!("{asked}a") }), json!({ "id": format!("{asked}b") })];
            let mut page = json!({ "Resources": users });
            match cursors.get(*asked) {
                Some(cursor) if !cursor.is_empty() => page["nextCursor"] = (*cursor).into(),
                _ => {}
            }
            if let Some(total) = total {
                page["totalResults"] = total.into();
            }
            *asked += 1;
            Some(answer(200, "application/scim+json", page.to_string()))
        })
        .start()
        .unwrap()
}

#[maybe_async]
#[test]
async fn an_unrequested_cursor_is_followed_to_the_end() {
    let sandbox = server(["x+/=&", "y", ""], None);
    let mut pages = client(&sandbox).iter_users().page_size(2).matching(Filter::present("userName"));
    let mut ids = Vec::new();
    while let Some(user) = pages.try_next().await.unwrap() {
        ids.push(user.id.unwrap());
    }
    assert_eq!(ids, ["0a", "0b", "1a", "1b", "2a", "2b"]);
    assert_eq!(
        received(&sandbox),
        [
            "GET /api/SCIM/v2/Users?filter=userName%20pr&startIndex=1&count=2",
            "GET /api/SCIM/v2/Users?filter=userName%20pr&cursor=x%2B%2F%3D%26&count=2",
            "GET /api/SCIM/v2/Users?filter=userName%20pr&cursor=y&count=2",
        ]
    );
}

#[maybe_async]
#[test]
async fn a_cursor_that_repeats_or_ends_early_is_an_error() {
    for (cursors, total) in [(["x", "x", "x"], None), (["x", "", ""], Some(9))] {
        let sandbox = server(cursors, total);
        let mut pages = client(&sandbox).iter_users();
        let error = loop {
            if let Err(error) = pages.try_next().await {
                break error;
            }
        };
        assert_eq!(error.kind(), ErrorKind::IncompleteList);
        assert!(received(&sandbox).len() <= 3);
    }
}
