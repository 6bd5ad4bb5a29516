//! The life cycle of a user, with the sandbox.

use serde_json::{Value, json};
use wats_scim::{
    Credentials, ErrorKind, Filter, ListQuery, PatchOp, ScimPatchOperation, ScimPatchRequest, ScimUser, ScimUserName,
};
use wats_scim_sandbox::Sandbox;

use super::{client, config, received};
use crate::{ScimClient, api, maybe_async, test};

#[maybe_async]
#[test]
async fn a_users_life_cycle() {
    let sandbox = Sandbox::start().unwrap();
    super::in_memory::life_cycle(&client(&sandbox)).await;
    assert_eq!(sandbox.users(), Vec::<Value>::new());
}

#[maybe_async]
#[test]
async fn requests_have_the_expected_bodies() {
    let sandbox = Sandbox::start().unwrap();
    let client = client(&sandbox);
    let jane = ScimUser::new("jane@example.com")
        .with_external_id("4711")
        .with_name(ScimUserName::new("Jane", "Doe"))
        .with_email("jane@example.com")
        .with_levels(["Level 1"])
        .with_attribute("id", "mine")
        .with_attribute("title", "Engineer");
    client.create_user(&jane).await.unwrap();
    let request = sandbox.requests().pop().unwrap();
    assert_eq!(request.headers["content-type"], "application/scim+json");
    assert_eq!(request.headers["accept"], "application/scim+json, application/json;q=0.9");
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    insta::allow_duplicates! {
        insta::assert_json_snapshot!(body, @r#"
        {
          "schemas": [
            "urn:ietf:params:scim:schemas:core:2.0:User",
            "urn:ietf:params:scim:schemas:extension:custom:2.0:user"
          ],
          "externalId": "4711",
          "userName": "jane@example.com",
          "name": {
            "familyName": "Doe",
            "givenName": "Jane"
          },
          "emails": [
            {
              "value": "jane@example.com",
              "type": "work",
              "primary": true
            }
          ],
          "urn:ietf:params:scim:schemas:extension:custom:2.0:user": {
            "levels": "Level 1"
          },
          "title": "Engineer"
        }
        "#);
    }
}

#[maybe_async]
#[test]
async fn every_wats_path_has_a_method() {
    let sandbox = Sandbox::builder().users(1).start().unwrap();
    let id = sandbox.users()[0]["id"].as_str().unwrap().to_owned();
    let client = client(&sandbox);
    client.wats().update_full_name(&id, "Jane Q Roe").await.unwrap();
    client.update_display_name(&id, "Jane").await.unwrap();
    client.wats().update_given_name(&id, "Janet").await.unwrap();
    client.wats().update_family_name(&id, "Roe").await.unwrap();
    client.wats().update_email(&id, "j@x.example").await.unwrap();
    client.wats().set_user_role(&id, "Operator").await.unwrap();
    client.wats().add_user_levels(&id, &["Level 1"]).await.unwrap();
    client.wats().add_user_levels(&id, &["Level 2", "Level 3"]).await.unwrap();
    client.wats().add_user_product_groups(&id, &["Group A", "Group B"]).await.unwrap();
    let user = client.set_user_active(&id, false).await.unwrap().unwrap();

    assert_eq!(user.display_name.as_deref(), Some("Jane"));
    assert_eq!(user.email(), Some("j@x.example"));
    assert_eq!(user.active, Some(false));
    let name = user.name.unwrap();
    assert_eq!((name.given_name.as_deref(), name.family_name.as_deref()), (Some("Janet"), Some("Roe")));
    assert_eq!(user.attributes.get("roles"), Some(&json!([{ "value": "Operator" }])));
    assert_eq!(
        user.attributes.get("urn:ietf:params:scim:schemas:extension:custom:2.0:user"),
        Some(&json!({ "levels": "Level 1;Level 2;Level 3", "productGroups": "Group A;Group B" }))
    );
}

#[maybe_async]
#[test]
async fn a_level_with_a_semicolon_is_rejected() {
    let sandbox = Sandbox::start().unwrap();
    let client = client(&sandbox);
    for levels in [&["Level 1;Level 2"][..], &[""], &[" "], &[]] {
        let error = client.wats().add_user_levels("1", levels).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{levels:?}");
        let answer = client.wats().add_user_product_groups("1", levels).await;
        assert!(answer.is_err(), "{levels:?}");
    }
    assert_eq!(received(&sandbox), Vec::<String>::new());
}

#[maybe_async]
#[test]
async fn a_query_has_a_start_a_count_and_a_filter() {
    let sandbox = Sandbox::builder().users(30).start().unwrap();
    let client = client(&sandbox);
    let filter = Filter::sw("userName", "user00\"\\&?#%/+").or(Filter::sw("userName", "user001"));
    let page = client.get_users(&ListQuery::new().start_index(3).count(4).filter(filter)).await.unwrap();
    assert_eq!((page.total_results, page.start_index, page.items_per_page), (Some(10), Some(3), Some(4)));
    assert_eq!(page.resources[0].user_name.as_deref(), Some("user0012@example.com"));
    let target = sandbox.requests()[0].target.clone();
    assert!(target.ends_with("&startIndex=3&count=4"), "{target}");
}

#[maybe_async]
#[test]
async fn an_invalid_query_is_rejected() {
    let sandbox = Sandbox::start().unwrap();
    let client = client(&sandbox);
    for query in [ListQuery::new().start_index(0), ListQuery::new().filter(Filter::eq("user name", "x"))] {
        let answer = client.get_users(&query).await;
        assert_eq!(answer.unwrap_err().kind(), ErrorKind::InvalidInput);
    }
    assert_eq!(received(&sandbox), Vec::<String>::new());
}

#[maybe_async]
#[test]
async fn a_token_is_requested_for_days() {
    let sandbox = Sandbox::start().unwrap();
    let client = client(&sandbox);
    let token = client.get_token(Some(30)).await.unwrap();
    assert_eq!(token.duration_days, Some(30));
    assert!(token.expires.unwrap() > chrono::Utc::now() + chrono::Duration::days(29));
    client.get_token(None).await.unwrap();
    assert_eq!(received(&sandbox), ["GET /api/SCIM/v2/Token?duration=30", "GET /api/SCIM/v2/Token"]);
    for days in [0, u32::MAX] {
        let error = client.get_token(Some(days)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains("from 1 to 2147483647 days"), "{error}");
    }
}

#[maybe_async]
#[test]
async fn the_token_authenticates_an_identity_provider() {
    let sandbox = Sandbox::builder().users(2).start().unwrap();
    let token = client(&sandbox).get_token(None).await.unwrap();
    let entra = ScimClient::new(sandbox.base_url(), Credentials::bearer(token.token)).unwrap();
    let answer = entra.get_users(&ListQuery::new()).await;
    assert_eq!(answer.unwrap().resources.len(), 2);
    let person = Credentials::basic(sandbox.user_name(), sandbox.password());
    let answer = ScimClient::new(sandbox.base_url(), person).unwrap().get_users(&ListQuery::new()).await;
    assert!(answer.is_ok());
}

#[maybe_async]
#[test]
async fn an_unsupported_patch_is_rejected_before_it_is_sent() {
    let sandbox = Sandbox::builder().users(1).start().unwrap();
    let id = sandbox.users()[0]["id"].as_str().unwrap().to_owned();
    let client = client(&sandbox);
    for patch in [
        ScimPatchRequest::new().replace("active", false).replace("name.familyName", "Roe"),
        ScimPatchRequest::new().add("email", "j@x"),
        ScimPatchRequest::new().remove("fullName"),
    ] {
        let error = client.update_user(&id, &patch).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().ends_with("levels, productGroups, displayName; nothing was sent"), "{error}");
        let item = client.update_users([(id.clone(), patch)]).run().await.remove(0);
        assert_eq!(item.result.unwrap_err().kind(), ErrorKind::Unsupported);
    }
    assert_eq!(received(&sandbox), Vec::<String>::new());
}

#[maybe_async]
#[test]
async fn a_filter_finds_a_user_by_name_on_other_servers() {
    let sandbox = Sandbox::builder().users(3).standard_path().start().unwrap();
    let client = ScimClient::new(sandbox.scim_url(), Credentials::wats_token(sandbox.token())).unwrap();
    let guest = ScimUser::new("o'neil\"\\ or userName pr#EXT#@x");
    client.create_user(&guest).await.unwrap();
    let found = client.get_user_by_username("O'NEIL\"\\ or userName pr#EXT#@x").await.unwrap().unwrap();
    assert_eq!(found.user_name, guest.user_name);
    let answer = client.get_user_by_username("x\" or userName pr or userName eq \"").await;
    assert!(answer.unwrap().is_none());

    let before = sandbox.requests().len();
    let answer = client.get_token(None).await;
    assert_eq!(answer.unwrap_err().kind(), ErrorKind::Unsupported);
    assert_eq!(sandbox.requests().len(), before);
}

#[maybe_async]
#[test]
async fn a_response_with_another_user_is_an_error() {
    let body = r#"{"id":"1","userName":"another.user"}"#;
    let sandbox = super::always(200, "application/json", body);
    let error = client(&sandbox).get_user_by_username("jane").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedBody);
    assert!(error.to_string().contains("another user"), "{error}");
}

#[maybe_async]
#[test]
async fn a_creation_without_a_body_is_read_back() {
    let sandbox = Sandbox::builder().create_answers_empty().start().unwrap();
    let jane = client(&sandbox).create_user(&ScimUser::new("jane@example.com")).await.unwrap();
    assert_eq!(jane.id.as_deref(), sandbox.users()[0]["id"].as_str());
}

#[maybe_async]
#[test]
async fn a_creation_with_only_a_location_is_read_from_there() {
    let sandbox = Sandbox::builder()
        .users(1)
        .respond_with(|request| {
            let created = request.method() == "POST";
            created.then(|| {
                http::Response::builder().status(201).header("location", "/x/Users/a%20b/").body(Vec::new()).unwrap()
            })
        })
        .start()
        .unwrap();
    let error = client(&sandbox).create_user(&ScimUser::new("jane@example.com")).await.unwrap_err();
    assert_eq!(received(&sandbox)[1], "GET /api/SCIM/v2/Users/a%20b");
    assert_eq!(
        error.to_string(),
        "could not create user: the server accepted the user, but does not show it; it may have been applied"
    );
}

#[maybe_async]
#[test]
async fn invalid_input_is_rejected_before_a_request_is_sent() {
    let sandbox = Sandbox::start().unwrap();
    let client = client(&sandbox);
    let patch = ScimPatchRequest::new().replace("active", true);
    for id in ["", ".", "..", "a\nb", "a\u{0}"] {
        let answer = client.get_user(id).await;
        assert_eq!(answer.unwrap_err().kind(), ErrorKind::InvalidInput, "{id:?}");
        let answer = client.update_user(id, &patch).await;
        assert_eq!(answer.unwrap_err().kind(), ErrorKind::InvalidInput, "{id:?}");
        let answer = client.delete_user(id).await;
        assert_eq!(answer.unwrap_err().kind(), ErrorKind::InvalidInput, "{id:?}");
    }
    for name in ["", "a\nb"] {
        let answer = client.get_user_by_username(name).await;
        assert_eq!(answer.unwrap_err().kind(), ErrorKind::InvalidInput, "{name:?}");
        let answer = client.create_user(&ScimUser::new(name)).await;
        assert_eq!(answer.unwrap_err().kind(), ErrorKind::InvalidInput);
    }
    let answer = client.create_user(&ScimUser::default()).await;
    assert_eq!(answer.unwrap_err().kind(), ErrorKind::InvalidInput);
    let error = client.update_user("1", &ScimPatchRequest::new()).await.unwrap_err();
    assert_eq!(error.to_string(), "could not update user: the patch has no operations; nothing was sent");
    let nameless = ScimPatchOperation { op: PatchOp::Remove, path: None, value: None };
    let valueless = ScimPatchOperation { op: PatchOp::Replace, path: Some("active".into()), value: None };
    for patch in [
        ScimPatchRequest::new().with(nameless),
        ScimPatchRequest::new().with(valueless),
        ScimPatchRequest::new().replace("a b", 1),
        ScimPatchRequest::new().remove("emails[type eq]"),
        ScimPatchRequest::new().with(ScimPatchOperation { op: PatchOp::Add, path: None, value: Some(7.into()) }),
    ] {
        let error = client.update_user("1", &patch).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{patch:?}");
    }
    assert_eq!(received(&sandbox), Vec::<String>::new());
}

#[maybe_async]
#[test]
async fn a_closure_is_an_http_client() {
    let config = config(&Sandbox::start().unwrap());
    let client = crate::answering(|request| {
        super::answer(200, "application/json", format!(r#"{{"id":"{}"}}"#, request.method()))
    });
    let service = api::ScimService::with_http_client(&config, client).unwrap();
    let answer = service.get_user("1").await;
    assert_eq!(answer.unwrap().unwrap().id.as_deref(), Some("GET"));
}
