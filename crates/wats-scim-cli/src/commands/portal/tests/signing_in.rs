use axum::http::{StatusCode, header};
use wats_scim::Secret;
use wats_scim_sandbox::Sandbox;

use super::super::door::Door;
use super::super::password_file::{PasswordFile, hashed};
use super::super::router::router;
use super::super::sessions::Sessions;
use super::browser::{Browser, Form, Page, form};
use super::{config, guard, portal};

const PASSWORD: &str = "correct horse battery";

struct Office {
    browser: Browser,
    sandbox: Sandbox,
    folder: tempfile::TempDir,
}

/// A portal that Ann can sign in to.
fn office() -> Office {
    let folder = tempfile::tempdir().unwrap();
    let file = PasswordFile::at(Some(folder.path().join("people"))).unwrap();
    file.set("ann", Some(hashed(&Secret::new(PASSWORD)).unwrap())).unwrap();
    let sandbox = Sandbox::builder().users(2).start().unwrap();
    let (portal, _) = portal(config(&sandbox), Door::Passwords(Sessions::of(file).unwrap()));
    Office { browser: Browser::of(router(portal, guard())), sandbox, folder }
}

fn fields(name: &str, password: &str) -> Form {
    form(&[("name", name), ("password", password), ("to", "/users/1")])
}

/// The cookie that a page sets, as it is sent along from then on.
fn cookie(page: &Page) -> String {
    let set = page.headers[header::SET_COOKIE].to_str().unwrap();
    assert!(set.contains("HttpOnly; SameSite=Strict"), "{set}");
    set.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn without_a_session_nothing_is_shown_or_changed() {
    let Office { mut browser, sandbox, folder: _folder } = office();
    for cookie in ["", "wats-scim-portal=", "wats-scim-portal=0000"] {
        browser.always = vec![("cookie", cookie.to_owned())];
        let page = browser.get("/users/1?done=saved").await;
        assert_eq!(page.status, StatusCode::UNAUTHORIZED);
        assert_eq!(page.forms[0]["to"], "/users/1?done=saved");
        let page = browser.post("/users/1/deactivate", &form(&[])).await;
        assert_eq!((page.status, page.forms[0]["to"].as_str()), (StatusCode::UNAUTHORIZED, "/"));
    }
    assert!(sandbox.requests().is_empty());
}

#[tokio::test]
async fn a_person_signs_in_and_out() {
    let Office { mut browser, sandbox: _sandbox, folder: _folder } = office();
    let done = browser.post("/sign-in", &fields(" ann ", PASSWORD)).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text);
    assert_eq!(done.headers[header::LOCATION], "/users/1");
    browser.always = vec![("cookie", cookie(&done))];
    let list = browser.get("/").await;
    assert_eq!(list.user_names.len(), 2);
    assert!(list.text.contains("Signed in as ann"), "{}", list.text);
    let out = browser.post("/sign-out", &form(&[])).await;
    assert!(cookie(&out).ends_with('='));
    // A copy of the cookie is worth nothing.
    assert_eq!(browser.get("/").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_look_the_same() {
    let Office { browser, sandbox: _sandbox, folder: _folder } = office();
    let mut pages = Vec::new();
    for (name, password) in [("ann", "wrong"), ("bob", PASSWORD), ("", ""), ("ANN", PASSWORD)] {
        let page = browser.post("/sign-in", &fields(name, password)).await;
        assert_eq!(page.status, StatusCode::UNAUTHORIZED, "{name}");
        assert!(!page.headers.contains_key(header::SET_COOKIE) && !page.source.contains(PASSWORD));
        assert!(page.text.contains("The name or the password is wrong."));
        pages.push(page.source.replace(&format!("value=\"{name}\""), ""));
    }
    assert_eq!(pages[0], pages[1]);
}

#[tokio::test]
async fn after_many_wrong_passwords_the_right_one_has_to_wait() {
    let Office { browser, sandbox: _sandbox, folder: _folder } = office();
    for _ in 0..5 {
        let page = browser.post("/sign-in", &fields("ann", "wrong")).await;
        assert_eq!(page.status, StatusCode::UNAUTHORIZED);
    }
    let page = browser.post("/sign-in", &fields("ann", PASSWORD)).await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(page.text.contains("60 seconds"), "{}", page.text);
}

#[tokio::test]
async fn style_and_icon_are_for_the_page_to_sign_in_too() {
    let Office { browser, sandbox: _sandbox, folder: _folder } = office();
    assert_eq!(browser.get("/style.css?1").await.status, StatusCode::OK);
    assert_eq!(browser.get("/icon.svg?1").await.status, StatusCode::OK);
}
