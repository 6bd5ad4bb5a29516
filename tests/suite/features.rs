//! A description of a server is followed, and what it only claims is checked.

use http::{Request, Response};
use serde_json::{Value, json};
use wats_scim::{Credentials, ErrorKind, Filter, ListQuery, Resource, ScimPatchRequest, ScimUser};
use wats_scim_sandbox::Sandbox;

use super::{answer, received};
use crate::{ScimClient, maybe_async, test};

/// The value of a parameter of a request.
fn parameter(request: &Request<Vec<u8>>, name: &str) -> Option<String> {
    let query = request.uri().query()?;
    query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=').map(ToOwned::to_owned))
}

/// A server that describes itself, and has five users. It rejects pages of more than `most`, and ignores
/// filters.
fn server(description: Value, most: u64, rejection: (u16, &'static str)) -> (Sandbox, ScimClient) {
    let sandbox = Sandbox::builder()
        .standard_path()
        .respond_with(move |request| -> Option<Response<Vec<u8>>> {
            let json = |status, body: &Value| Some(answer(status, "application/scim+json", body.to_string()));
            if request.uri().path().ends_with("/ServiceProviderConfig") {
                return json(200, &description);
            }
            if !request.uri().path().ends_with("/Users") {
                return json(404, &json!({ "status": "404" }));
            }
            let number = |name, default| parameter(request, name).map_or(default, |value| value.parse().unwrap());
            let (start, count) = (number("startIndex", 1), number("count", most));
            if count > most {
                return json(rejection.0, &json!({ "status": rejection.0.to_string(), "scimType": rejection.1 }));
            }
            let users: Vec<Value> = (start..(start + count).min(6))
                .map(|n| json!({ "id": n.to_string(), "userName": format!("user{n}"), "active": true }))
                .collect();
            json(200, &json!({ "totalResults": 5, "Resources": users }))
        })
        .start()
        .unwrap();
    let client = ScimClient::new(sandbox.scim_url(), Credentials::wats_token(sandbox.token())).unwrap();
    (sandbox, client)
}

#[maybe_async]
#[test]
async fn the_largest_page_of_the_server_is_kept_to() {
    for (description, most) in [
        (json!({ "filter": { "supported": true, "maxResults": 2 } }), 2),
        (json!({ "filter": { "maxResults": 200 }, "pagination": { "cursor": false, "maxPageSize": 1 } }), 1),
    ] {
        let (sandbox, client) = server(description, most, (400, "invalidValue"));
        let client = client.discover().await.unwrap();
        let current = client.current_users().await.unwrap();
        assert_eq!(current.users().len(), 5);
        let page = client.get_users(&ListQuery::new().count(500)).await.unwrap();
        assert_eq!(page.total_results, Some(5));
        let limit = format!("count={most}");
        let targets = received(&sandbox);
        assert!(targets.iter().filter(|target| target.contains("count=")).all(|target| target.ends_with(&limit)));
    }
}

#[maybe_async]
#[test]
async fn a_rejected_page_size_makes_pages_smaller() {
    for rejection in [(400, "invalidCount"), (422, "invalidValue")] {
        for (in_flight, most) in [(1, 3), (4, 3), (1, 1)] {
            let (_sandbox, client) = server(json!({}), most, rejection);
            let mut users = client.iter_users().in_flight(in_flight);
            let mut names = Vec::new();
            while let Some(user) = users.try_next().await.unwrap() {
                names.push(user.user_name.unwrap());
            }
            assert_eq!(names, ["user1", "user2", "user3", "user4", "user5"]);
        }
    }
    let (sandbox, client) = server(json!({}), 0, (422, ""));
    let error = client.iter_users().try_next().await.unwrap_err();
    assert_eq!(error.status().unwrap(), 422);
    assert!(received(&sandbox).len() < 10);
}

#[maybe_async]
#[test]
async fn what_the_server_does_not_support_is_rejected_before_it_is_sent() {
    let (sandbox, client) = server(
        json!({
            "filter": { "supported": false, "maxResults": 0 }, "patch": { "supported": false },
            "etag": { "supported": false }, "changePassword": { "supported": false },
        }),
        100,
        (400, ""),
    );
    let client = client.discover().await.unwrap();
    let before = received(&sandbox).len();
    let filter = Filter::eq("userName", "user1");
    let jane: ScimUser =
        serde_json::from_value(json!({ "id": "1", "userName": "jane", "meta": { "version": "W/\"1\"" } })).unwrap();
    let users = client.users();
    for error in [
        client.get_users(&ListQuery::new().filter(filter.clone())).await.unwrap_err(),
        client.iter_users().matching(filter).try_next().await.unwrap_err(),
        client.get_user_by_username("user1").await.unwrap_err(),
        client.deactivate_user("1").await.unwrap_err(),
        users.get_if_changed(&jane).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    }
    assert_eq!(received(&sandbox).len(), before);

    let (sandbox, client) = server(json!({ "changePassword": { "supported": false } }), 100, (400, ""));
    let client = client.discover().await.unwrap();
    let before = received(&sandbox).len();
    let error = client.update_user("1", &ScimPatchRequest::new().replace("password", "x")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    assert_eq!(received(&sandbox).len(), before);
}

#[maybe_async]
#[test]
async fn an_ignored_filter_ends_a_listing_in_an_error() {
    let (_sandbox, client) = server(json!({ "filter": { "supported": true } }), 2, (422, ""));
    let mut users = client.iter_users().matching(Filter::eq("userName", "USER1"));
    let first = users.try_next().await.unwrap().unwrap();
    assert_eq!(first.name(), Some("user1"));
    let error = users.try_next().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedBody);
    assert!(error.to_string().contains("does not match the filter"), "{error}");
    let answer = users.try_next().await;
    assert!(answer.unwrap().is_none());

    // Whether these match is not certain.
    for filter in [Filter::eq("title", "Engineer"), Filter::eq("active", true).and(Filter::gt("userName", "x"))] {
        let mut users = client.iter_users().matching(filter);
        let mut count = 0;
        while users.try_next().await.unwrap().is_some() {
            count += 1;
        }
        assert_eq!(count, 5);
    }
}
