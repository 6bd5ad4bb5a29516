use axum::http::{Request, Response, StatusCode, header};
use wats_scim::{Credentials, ScimConfig};
use wats_scim_sandbox::{Sandbox, StandardSandbox};

use super::browser::{form, with};
use super::{browser, config, guard, with_users};

const SCRIPT: &str = "\"><script>alert(1)</script>";

#[tokio::test]
async fn the_list_has_pages() {
    let (browser, _sandbox) = with_users(60);
    let first = browser.get("/").await;
    assert_eq!(first.user_names.len(), 20);
    assert!(first.text.contains("60 users in all, 1 to 20 on this page") && !first.has("Previous"));
    assert_eq!(first.headers[header::CONTENT_TYPE], "text/html; charset=utf-8");
    assert_eq!(first.headers[header::CACHE_CONTROL], "no-store");
    let second = browser.get(&first.links["Next"]).await;
    assert_eq!(second.user_names[0], "user0021@example.com");
    assert_eq!(browser.get(&second.links["Previous"]).await.user_names, first.user_names);
    let last = browser.get(&second.links["Next"]).await;
    assert_eq!(last.user_names[19], "user0060@example.com");
    assert!(!last.has("Next"));
}

#[tokio::test]
async fn no_more_than_a_page_is_read() {
    let (browser, sandbox) = with_users(60);
    browser.get("/").await;
    let requests = sandbox.requests();
    assert_eq!(requests.len(), 1, "{requests:?}");
}

#[tokio::test]
async fn style_script_and_icon_are_kept_by_browsers() {
    let (browser, _sandbox) = with_users(1);
    for (path, kind) in [("/style.css", "text/css"), ("/search.js", "text/javascript"), ("/icon.svg", "image/svg+xml")]
    {
        let file = browser.get(path).await;
        assert_eq!((&file.headers[header::CONTENT_TYPE], file.status), (&kind.parse().unwrap(), StatusCode::OK));
        assert_eq!(file.headers[header::CACHE_CONTROL], "max-age=86400");
    }
}

#[tokio::test]
async fn past_the_end_there_is_a_way_back_and_none_onward() {
    let (browser, _sandbox) = with_users(60);
    for start in ["61", "1000", "9223372036854775807"] {
        let page = browser.get(&format!("/?start={start}")).await;
        assert!(page.user_names.is_empty() && !page.has("Next"), "{start}");
        assert_eq!(browser.get(&page.links["Previous"]).await.user_names[0], "user0041@example.com", "{start}");
    }
    assert_eq!(browser.get("/?start=0").await.user_names.len(), 20);
}

#[tokio::test]
async fn without_a_total_next_leads_to_users() {
    let one_a_page = |request: &Request<Vec<u8>>| {
        let query = request.uri().query().unwrap_or_default();
        let is_within = ["startIndex=1&", "startIndex=2&"].iter().any(|start| query.contains(start));
        let users = if is_within { r#"{"Resources":[{"id":"1","userName":"jane"}]}"# } else { r#"{"Resources":[]}"# };
        Some(Response::builder().header("content-type", "application/scim+json").body(users.into()).unwrap())
    };
    let sandbox = Sandbox::builder().respond_with(one_a_page).start().unwrap();
    let (browser, _) = browser(config(&sandbox), guard());
    let first = browser.get("/").await;
    assert!(first.links["Next"].ends_with("start=2"));
    let second = browser.get(&first.links["Next"]).await;
    assert_eq!(second.user_names, ["jane"]);
    assert!(!second.has("Next"));
}

#[tokio::test]
async fn a_search_finds_what_it_says_and_cannot_break_out() {
    let (browser, _sandbox) = with_users(60);
    let search = async |text: &str| browser.submit("/search", &form(&[("search", text)])).await;
    assert_eq!(search(" 0007@ ").await.user_names, ["user0007@example.com"]);
    assert_eq!(search("").await.user_names.len(), 20);
    let pages = search("@example.com").await;
    assert_eq!(browser.get(&pages.links["Next"]).await.forms[0]["search"], "@example.com");
    for text in [SCRIPT, "\" or userName pr or userName eq \""] {
        let found = search(text).await;
        assert!(found.user_names.is_empty() && found.text.contains("No user found"), "{text}");
        assert_eq!(found.forms[0]["search"], text);
        assert!(!found.source.contains("<script>"));
    }
}

#[tokio::test]
async fn a_search_is_in_no_url() {
    let (browser, _sandbox) = with_users(60);
    let sent = browser.post("/search", &form(&[("search", "user00")])).await;
    let location = sent.headers[header::LOCATION].to_str().unwrap();
    let found = browser.get(location).await;
    assert_eq!(found.user_names.len(), 20);
    assert!(!location.contains("user00") && !found.links["Next"].contains("user00"), "{location}");
    // One that is forgotten is none.
    assert!(browser.get("/?search=unknown").await.text.contains("60 users in all"));
}

#[tokio::test]
async fn a_standard_server_is_searched_by_name_and_email_too() {
    let server = StandardSandbox::builder().users(30).start().unwrap();
    let config = ScimConfig::new(server.scim_url(), Credentials::bearer(server.token()));
    let (browser, _) = browser(config, guard());
    let found = browser.submit("/search", &form(&[("search", "user 0012")])).await;
    assert_eq!(found.user_names, ["user0012@example.com"]);
    assert!(found.text.contains("1 user found"), "{}", found.text);
    let page = browser.get(&browser.path_of("user0003@example.com").await).await;
    let path = page.links["Deactivate…"].replace("/deactivate", "");
    let title = with(&with(&page.forms[0], "title", "Engineer"), "displayName", "");
    let saved = browser.submit(&path, &title).await;
    assert!(saved.text.contains("The changes are saved."));
    assert_eq!((saved.forms[0]["title"].as_str(), saved.forms[0]["displayName"].as_str()), ("Engineer", ""));
}

#[tokio::test]
async fn a_page_is_made_for_a_phone_and_a_screen_reader() {
    let (browser, _sandbox) = with_users(1);
    let page = browser.get("/").await;
    for part in [
        r#"<meta name="viewport" content="width=device-width, initial-scale=1">"#,
        r#"<html lang="en">"#,
        r##"<a class="skip" href="#main">"##,
        r#"<main id="main""#,
        r#"<label for="search">"#,
        r#"<p id="count" role="status">"#,
        r#"<th scope="col">"#,
    ] {
        assert!(page.source.contains(part), "{part}");
    }
}
