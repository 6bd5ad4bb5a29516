use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use futures_util::stream;
use wats_scim_sandbox::Sandbox;

use super::super::guard::Guard;
use super::super::site::Site;
use super::browser::{form, with};
use super::{HOST, ORIGIN, USER_HEADER, browser, config, guard, with_users};

#[tokio::test]
async fn a_change_comes_from_a_page_of_the_portal_or_is_rejected() {
    let (browser, _sandbox) = with_users(2);
    let path = browser.path_of("user0002@example.com").await;
    let before = browser.get(&path).await;
    let mallory = with(&before.forms[0], "familyName", "Mallory");
    let (here, site) = (("origin", ORIGIN), ("sec-fetch-site", "same-origin"));
    let (evil, null) = (("origin", "http://evil.example"), ("origin", "null"));
    let rejected: [&[(&str, &str)]; 17] = [
        &[],
        &[("sec-fetch-site", "none")],
        &[null, site],
        &[evil, site],
        &[evil],
        &[("origin", "https://127.0.0.1:3000"), site],
        &[("origin", "http://127.0.0.1:3001"), site],
        &[("origin", "http://127.0.0.1:3000.evil.example"), site],
        &[here, ("sec-fetch-site", "cross-site")],
        &[here, ("sec-fetch-site", "same-site")],
        &[here, site, ("host", "evil.example")],
        &[here, site, ("host", "localhost:3000")],
        &[("origin", "http://evil.example:3000"), site, ("host", "evil.example:3000")],
        // Two values of one header.
        &[here, evil, site],
        &[evil, here, site],
        &[here, site, ("sec-fetch-site", "cross-site")],
        &[here, site, ("host", HOST), ("host", "evil.example")],
    ];
    for headers in rejected {
        for path in [path.clone(), format!("{path}/deactivate"), "/search".to_owned(), "/sign-in".to_owned()] {
            let page = browser.post_with(&path, headers, &mallory).await;
            assert_eq!(page.status, StatusCode::FORBIDDEN, "{path} {headers:?}");
        }
    }
    assert_eq!(browser.get(&path).await.source, before.source);
    // An old browser, and a script of the page.
    for headers in [here, site] {
        assert_eq!(browser.post_with(&path, &[headers], &before.forms[0]).await.status, StatusCode::SEE_OTHER);
    }
}

#[tokio::test]
async fn another_host_cannot_read() {
    let (browser, _sandbox) = with_users(2);
    let to = |host: &str| Request::get("/").header(header::HOST, host).body(Body::empty()).unwrap();
    let page = browser.send(to("evil.example:3000")).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert!(!page.source.contains("user0001") && page.text.contains(ORIGIN));
    // A link from another site works.
    let mut linked = to(HOST);
    linked.headers_mut().insert("sec-fetch-site", header::HeaderValue::from_static("cross-site"));
    assert_eq!(browser.send(linked).await.status, StatusCode::OK);
}

#[tokio::test]
async fn without_the_header_of_the_proxy_nothing_is_shown_or_changed() {
    let (mut browser, sandbox) = with_users(1);
    let path = browser.path_of("user0001@example.com").await;
    let asked = sandbox.requests().len();
    let names = |names: &[&str]| names.iter().map(|name| (USER_HEADER, (*name).to_owned())).collect::<Vec<_>>();
    for sent in [names(&[]), names(&["", ""]), names(&[" "]), names(&["ann", "mallory"]), names(&[&"x".repeat(300)])] {
        browser.always = sent;
        for path in ["/", &path, "/elsewhere"] {
            let page = browser.get(path).await;
            assert_eq!(page.status, StatusCode::FORBIDDEN, "{:?}", browser.always);
            assert!(page.text.contains("reverse proxy"), "{}", page.text);
        }
        assert_eq!(browser.post(&format!("{path}/deactivate"), &form(&[])).await.status, StatusCode::FORBIDDEN);
    }
    assert_eq!(sandbox.requests().len(), asked);
    // There are no pages to sign in or out, as the proxy does that.
    browser.always = names(&["ann"]);
    for path in ["/sign-in", "/sign-out"] {
        let fields = form(&[("name", "ann"), ("password", "x"), ("to", "/")]);
        assert_eq!(browser.post(path, &fields).await.status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn other_machines_than_the_proxy_are_not_answered() {
    let sandbox = Sandbox::builder().users(1).start().unwrap();
    let site = Site::at(HOST.parse().unwrap());
    let (mut browser, _) = browser(config(&sandbox), Guard::new(site, vec!["10.0.0.5".parse().unwrap()]));
    for (peer, status) in [
        ("127.0.0.1", StatusCode::OK),
        ("::1", StatusCode::OK),
        ("10.0.0.5", StatusCode::OK),
        ("::ffff:10.0.0.5", StatusCode::OK),
        ("10.0.0.6", StatusCode::FORBIDDEN),
        ("2001:db8::1", StatusCode::FORBIDDEN),
    ] {
        browser.peer = peer.parse().unwrap();
        assert_eq!(browser.get("/").await.status, status, "{peer}");
    }
}

#[tokio::test]
async fn behind_a_proxy_with_tls_the_public_address_counts() {
    let sandbox = Sandbox::builder().users(1).start().unwrap();
    let site = Site::parse("https://people.example.com").unwrap();
    let (browser, _) = browser(config(&sandbox), Guard::new(site, Vec::new()));
    assert_eq!(browser.get("/").await.status, StatusCode::FORBIDDEN);
    let (host, origin) = (("host", "people.example.com"), ("origin", "https://people.example.com"));
    let search = form(&[("search", "x")]);
    assert_eq!(browser.post_with("/search", &[host, origin], &search).await.status, StatusCode::SEE_OTHER);
    let plain = ("origin", "http://people.example.com");
    assert_eq!(browser.post_with("/search", &[host, plain], &search).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_form_that_does_not_arrive_is_not_waited_for() {
    let sandbox = Sandbox::builder().users(1).start().unwrap();
    let mut guard = guard();
    guard.time_for_body = Duration::from_millis(1);
    let (browser, _) = browser(config(&sandbox), guard);
    let never = Body::from_stream(stream::pending::<Result<Vec<u8>, std::io::Error>>());
    let request = Request::post("/users/1").header(header::HOST, HOST).header(header::ORIGIN, ORIGIN);
    let page = browser.send(request.body(never).unwrap()).await;
    assert_eq!(page.status, StatusCode::REQUEST_TIMEOUT);
    assert!(sandbox.requests().is_empty());
}

#[tokio::test]
async fn a_form_that_is_too_large_is_rejected() {
    let (browser, sandbox) = with_users(1);
    let page = browser.post("/users/1", &form(&[("familyName", &"x".repeat(100_000))])).await;
    assert_eq!(page.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(sandbox.requests().is_empty());
}
