use axum::http::{Method, Request, Response, StatusCode, header};
use serde_json::json;
use wats_scim_sandbox::Sandbox;

use super::browser::{form, with};
use super::{browser, config, guard};

const SCRIPT: &str = "\"><script>alert(1)</script>";
const ODD_ID: &str = "a/b?c#d&e \"<i>\u{e9}%41";
const ODD_PATH: &str = "/a%2Fb%3Fc%23d%26e%20%22%3Ci%3E%C3%A9%2541";

/// A server whose user has an odd id and a hostile name, which rejects every change and repeats the
/// credentials.
fn hostile() -> Sandbox {
    let answer = |request: &Request<Vec<u8>>| {
        let user = json!({ "id": ODD_ID, "userName": SCRIPT, "active": true });
        let path = request.uri().path().trim_start_matches("/api/SCIM/v2/Users");
        let query = request.uri().query().unwrap_or_default();
        let credentials = request.headers().get(header::AUTHORIZATION).unwrap().to_str().unwrap();
        let (status, body) = if *request.method() == Method::PATCH {
            let is_email = String::from_utf8_lossy(request.body()).contains("\"email\"");
            (if is_email { 409 } else { 401 }, json!({ "detail": format!("<u>{credentials}</u>") }))
        } else if path == ODD_PATH {
            (200, user)
        } else if !query.is_empty() && !query.contains("filter=") {
            let users = if query.contains("startIndex=1&") { vec![user] } else { Vec::new() };
            (200, json!({ "Resources": users }))
        } else {
            (404, json!({ "detail": path }))
        };
        let answer = Response::builder().status(status).header(header::CONTENT_TYPE, "application/scim+json");
        Some(answer.body(body.to_string().into_bytes()).unwrap())
    };
    Sandbox::builder().respond_with(answer).start().unwrap()
}

#[tokio::test]
async fn a_hostile_server_puts_nothing_into_a_page() {
    let sandbox = hostile();
    let (browser, _) = browser(config(&sandbox), guard());
    let list = browser.get("/").await;
    assert!(!list.has("Next"));
    let path = list.links[SCRIPT].clone();
    let user = browser.get(&path).await;
    assert_eq!(user.status, StatusCode::OK, "{}", user.text);
    assert_eq!(user.forms[0]["email"], "");
    let taken = browser.post(&path, &with(&user.forms[0], "email", "taken@example.com")).await;
    assert_eq!(taken.status, StatusCode::CONFLICT);
    assert!(taken.text.contains("Another user already has this value. Nothing was changed."), "{}", taken.text);
    let search = browser.submit("/search", &form(&[("search", "x")])).await;
    assert_eq!(search.status, StatusCode::BAD_GATEWAY);
    assert!(search.text.contains("404 Not Found"), "{}", search.text);
    let question = browser.get(&user.links["Deactivate…"]).await;
    assert_eq!(question.links["Cancel"], path);
    let refused = browser.post(&user.links["Deactivate…"], &form(&[])).await;
    assert_eq!(refused.status, StatusCode::BAD_GATEWAY);
    assert!(refused.text.contains("401 Unauthorized") && refused.text.contains("Nothing was changed."));
    assert_eq!(refused.links["Show the current values"], path);
    for page in [list, user, taken, search, question, refused] {
        assert!(!page.source.contains("<script>") && !page.source.contains("<u>"), "{}", page.source);
        assert!(!page.source.contains(sandbox.token()), "{}", page.source);
    }
}
