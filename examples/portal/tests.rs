use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, Response, StatusCode, header};
use futures_util::stream;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tower::ServiceExt;
use wats_scim::Credentials;
use wats_scim::asynchronous::ScimClient;
use wats_scim_sandbox::Sandbox;

use super::guard::Guard;
use super::portal;
use super::serve::serve;

const HOST: &str = "127.0.0.1:3000";
const ORIGIN: &str = "http://127.0.0.1:3000";
const SCRIPT: &str = "\"><script>alert(1)</script>";

type Form = BTreeMap<String, String>;

/// The portal over a sandbox.
struct Portal {
    router: axum::Router,
    sandbox: Sandbox,
}

impl Portal {
    fn over(sandbox: Sandbox, guard: Guard) -> Self {
        let client = ScimClient::new(sandbox.base_url(), Credentials::wats_token(sandbox.token())).unwrap();
        Self { router: portal(client, guard), sandbox }
    }

    fn with_users(users: usize) -> Self {
        Self::over(Sandbox::builder().users(users).start().unwrap(), Guard::new(HOST))
    }

    async fn send(&self, request: Request<Body>) -> Page {
        let what = format!("{} {}", request.method(), request.uri());
        let response = self.router.clone().oneshot(request).await.unwrap();
        Page::read(&what, response).await
    }

    async fn get(&self, path: &str) -> Page {
        self.send(Request::get(path).header(header::HOST, HOST).body(Body::empty()).unwrap()).await
    }

    /// Sends a form with these headers.
    async fn post_with(&self, path: &str, headers: &[(&str, &str)], form: &Form) -> Page {
        let mut request = Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header(header::HOST, HOST);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body: Vec<_> = form.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
        self.send(request.body(Body::from(body.join("&"))).unwrap()).await
    }

    /// Sends a form as a browser does from a page of the portal.
    async fn post(&self, path: &str, form: &Form) -> Page {
        self.post_with(path, &[("origin", ORIGIN), ("sec-fetch-site", "same-origin")], form).await
    }

    /// Sends a form, and follows the redirect.
    async fn submit(&self, path: &str, form: &Form) -> Page {
        let sent = self.post(path, form).await;
        assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.source);
        assert_eq!(sent.headers[header::LOCATION], path);
        self.get(path).await
    }
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// What a browser makes of an answer.
struct Page {
    status: StatusCode,
    headers: HeaderMap,
    source: String,
    text: String,
    links: HashMap<String, String>,
    rows: Vec<String>,
    forms: Vec<Form>,
}

impl Page {
    async fn read(what: &str, response: Response<Body>) -> Self {
        let (head, body) = response.into_parts();
        for (name, value) in [
            (
                "content-security-policy",
                "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
            ),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "same-origin"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(head.headers[name], value, "{what}");
        }
        let source = String::from_utf8(to_bytes(body, usize::MAX).await.unwrap().to_vec()).unwrap();
        let mut page = Self {
            status: head.status,
            headers: head.headers,
            source: String::new(),
            text: String::new(),
            links: HashMap::new(),
            rows: Vec::new(),
            forms: Vec::new(),
        };
        for piece in source.split('<').skip(1) {
            let (tag, text) = piece.split_once('>').unwrap();
            page.take(tag, &unescaped(text));
        }
        page.source = source;
        page
    }

    fn take(&mut self, tag: &str, text: &str) {
        let attribute = |name: &str| {
            let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
            rest.split_once('"').map(|(value, _)| unescaped(value))
        };
        match tag.split(' ').next().unwrap() {
            "tr" => self.rows.push(String::new()),
            "a" => drop(self.links.insert(text.to_owned(), attribute("href").unwrap())),
            "form" => self.forms.push(Form::new()),
            "input" | "button" => {
                if let (Some(name), Some(value)) = (attribute("name"), attribute("value")) {
                    self.forms.last_mut().unwrap().insert(name, value);
                }
            }
            _ => {}
        }
        self.text += text;
        if let Some(row) = self.rows.last_mut() {
            *row += text;
        }
    }

    fn user_names(&self) -> Vec<&str> {
        self.rows.iter().skip(1).map(|row| row.split_whitespace().next().unwrap()).collect()
    }

    fn has(&self, link: &str) -> bool {
        self.links.contains_key(link)
    }
}

fn unescaped(text: &str) -> String {
    [("&#60;", "<"), ("&#62;", ">"), ("&#34;", "\""), ("&#39;", "'"), ("&#38;", "&")]
        .iter()
        .fold(text.to_owned(), |text, (escaped, character)| text.replace(escaped, character))
}

fn form(fields: &[(&str, &str)]) -> Form {
    fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn with(form: &Form, name: &str, value: &str) -> Form {
    let mut form = form.clone();
    form.insert(name.to_owned(), value.to_owned());
    form
}

#[tokio::test]
async fn the_list_has_pages_in_both_directions() {
    let portal = Portal::with_users(60);
    let first = portal.get("/").await;
    assert_eq!(first.user_names().len(), 20);
    assert!(first.text.contains("60 found") && !first.has("Previous"));
    assert_eq!(first.headers[header::CONTENT_TYPE], "text/html; charset=utf-8");
    let second = portal.get(&first.links["Next"]).await;
    assert_eq!(second.user_names()[0], "user0021@example.com");
    assert_eq!(portal.get(&second.links["Previous"]).await.user_names(), first.user_names());
    let last = portal.get(&second.links["Next"]).await;
    assert_eq!(last.user_names()[19], "user0060@example.com");
    assert!(!last.has("Next"));
    assert_eq!(portal.get("/style.css").await.headers[header::CONTENT_TYPE], "text/css");
}

#[tokio::test]
async fn past_the_end_there_is_a_way_back_and_none_onward() {
    let portal = Portal::with_users(60);
    for start in ["61", "1000", "9223372036854775807"] {
        let page = portal.get(&format!("/?start={start}")).await;
        assert!(page.user_names().is_empty() && !page.has("Next"), "{start}");
        assert_eq!(portal.get(&page.links["Previous"]).await.user_names()[0], "user0041@example.com", "{start}");
    }
}

#[tokio::test]
async fn without_a_total_next_leads_to_users() {
    let one_a_page = |request: &Request<Vec<u8>>| {
        let is_within = ["startIndex=1&", "startIndex=2&"]
            .iter()
            .any(|start| request.uri().query().unwrap_or_default().contains(start));
        let users = if is_within { r#"{"Resources":[{"id":"1","userName":"jane"}]}"# } else { r#"{"Resources":[]}"# };
        Some(Response::builder().header("content-type", "application/scim+json").body(users.into()).unwrap())
    };
    let portal = Portal::over(Sandbox::builder().respond_with(one_a_page).start().unwrap(), Guard::new(HOST));
    let first = portal.get("/").await;
    assert!(first.links["Next"].ends_with("start=2"));
    let second = portal.get(&first.links["Next"]).await;
    assert_eq!(second.user_names(), ["jane"]);
    assert!(!second.has("Next"));
}

#[tokio::test]
async fn a_search_finds_what_it_says_and_cannot_break_out() {
    let portal = Portal::with_users(60);
    let search = async |text: &str| portal.get(&format!("/?search={}", encoded(text))).await;
    assert_eq!(search("0007@").await.user_names(), ["user0007@example.com"]);
    let pages = search("@example.com").await;
    assert_eq!(portal.get(&pages.links["Next"]).await.forms[0]["search"], "@example.com");
    for text in [SCRIPT, "\" or userName pr or userName eq \""] {
        let found = search(text).await;
        assert!(found.user_names().is_empty() && found.text.contains("0 found"), "{text}");
        assert_eq!(found.forms[0]["search"], text);
        assert!(!found.source.contains("<script"));
    }
}

#[tokio::test]
async fn an_edit_changes_what_was_edited_and_nothing_else() {
    let portal = Portal::with_users(2);
    let path = portal.get("/").await.links["user0001@example.com"].clone();
    let edit = portal.get(&path).await.forms[0].clone();
    let edited = portal.submit(&path, &with(&edit, "familyName", " Roe ")).await;
    assert_eq!(edited.forms[0]["familyName"], "Roe");
    assert!(portal.get("/").await.text.contains("Sample Roe"));

    // A form from before that edit, of another administrator.
    let both = portal.submit(&path, &with(&edit, "email", "roe@example.com")).await.forms[0].clone();
    assert_eq!((both["familyName"].as_str(), both["email"].as_str()), ("Roe", "roe@example.com"));
    assert_eq!(portal.submit(&path, &edit).await.forms[0], both, "an untouched form changes nothing");

    let odd = portal.submit(&path, &with(&both, "familyName", "<b>x</b>")).await;
    assert_eq!(odd.forms[0]["familyName"], "<b>x</b>");
    let list = portal.get("/").await;
    assert!(!odd.source.contains("<b>") && !list.source.contains("<b>"));
    assert!(list.text.contains("<b>x</b>"));
}

#[tokio::test]
async fn a_user_is_deactivated_and_reactivated() {
    let portal = Portal::with_users(2);
    let path = portal.get("/").await.links["user0001@example.com"].clone();
    let activity = portal.get(&path).await.forms[1].clone();
    assert_eq!(activity, form(&[("active", "false")]));
    let inactive = portal.submit(&path, &activity).await;
    assert!(inactive.text.contains("May not sign in"));
    assert!(portal.get("/").await.rows[1].split_whitespace().any(|word| word == "no"));
    let active = portal.submit(&path, &inactive.forms[1]).await;
    assert!(active.text.contains("May sign in"));
}

#[tokio::test]
async fn a_change_comes_from_a_page_of_the_portal_or_is_rejected() {
    let portal = Portal::with_users(2);
    let path = portal.get("/").await.links["user0002@example.com"].clone();
    let before = portal.get(&path).await;
    let mallory = with(&before.forms[0], "familyName", "Mallory");
    let (here, site) = (("origin", ORIGIN), ("sec-fetch-site", "same-origin"));
    let (evil, null) = (("origin", "http://evil.example"), ("origin", "null"));
    let rejected: [&[(&str, &str)]; 17] = [
        &[],
        &[site],
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
        for sent in [&mallory, &before.forms[1]] {
            let page = portal.post_with(&path, headers, sent).await;
            assert_eq!(page.status, StatusCode::FORBIDDEN, "{headers:?}");
        }
    }
    assert_eq!(portal.get(&path).await.source, before.source);
    // An old browser.
    assert_eq!(portal.post_with(&path, &[here], &before.forms[0]).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn another_host_cannot_read() {
    let portal = Portal::with_users(2);
    let to = |host: &str| Request::get("/").header(header::HOST, host).body(Body::empty()).unwrap();
    let page = portal.send(to("evil.example:3000")).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert!(!page.source.contains("user0001"));
    // A link from another site works.
    let mut linked = to(HOST);
    linked.headers_mut().insert("sec-fetch-site", header::HeaderValue::from_static("cross-site"));
    assert_eq!(portal.send(linked).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_form_that_does_not_arrive_is_not_waited_for() {
    let sandbox = Sandbox::builder().users(1).start().unwrap();
    let mut guard = Guard::new(HOST);
    guard.time_for_body = Duration::from_millis(1);
    let portal = Portal::over(sandbox, guard);
    let never = Body::from_stream(stream::pending::<Result<Vec<u8>, std::io::Error>>());
    let request = Request::post("/users/1").header(header::HOST, HOST).header(header::ORIGIN, ORIGIN);
    let page = portal.send(request.body(never).unwrap()).await;
    assert_eq!(page.status, StatusCode::REQUEST_TIMEOUT);
    assert!(portal.sandbox.requests().is_empty());
}

#[tokio::test]
async fn a_head_that_does_not_arrive_is_not_waited_for() {
    let portal = Portal::with_users(1);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = async { drop(stopped.await) };
    let serving = tokio::spawn(serve(listener, portal.router.clone(), Duration::from_millis(50), stopped));
    for head in ["", "GET / HTTP/1.1\r\nHost: 127", "GET / HTTP/1.1\r\nHost: 127.0.0.1:3000\r\n\r\n"] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = String::new();
        // The connection stays open here, so only the server can end this.
        stream.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer.contains("user0001@example.com"), head.ends_with("\r\n\r\n"), "{head}: {answer}");
    }
    stop.send(()).unwrap();
    serving.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_form_that_is_too_large_is_rejected() {
    let portal = Portal::with_users(1);
    let page = portal.post("/users/1", &form(&[("familyName", &"x".repeat(100_000))])).await;
    assert_eq!(page.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(portal.sandbox.requests().is_empty());
}

#[tokio::test]
async fn mistakes_are_explained() {
    let portal = Portal::with_users(3);
    for path in ["/users/unknown", "/elsewhere"] {
        let page = portal.get(path).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND);
        assert!(page.text.contains("There is no such"), "{}", page.text);
    }
    let page = portal.post("/users/unknown", &form(&[("active", "false")])).await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    assert!(page.text.contains("could not update user"), "{}", page.text);
    let page = portal.get("/?start=0").await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    assert!(page.text.contains("could not"), "{}", page.text);

    let path = portal.get("/").await.links["user0003@example.com"].clone();
    let before = portal.get(&path).await;
    let edit = with(&with(&before.forms[0], "email", "new@example.com"), "familyName", " ");
    assert_eq!(portal.post(&path, &edit).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(portal.get(&path).await.source, before.source);
}

#[tokio::test]
async fn a_page_is_made_for_a_phone_too() {
    let page = Portal::with_users(1).get("/").await;
    assert!(page.source.contains(r#"<meta name="viewport" content="width=device-width, initial-scale=1">"#));
}

/// A server whose user has an odd id and a hostile name, which rejects every change and repeats the
/// credentials.
fn hostile() -> Sandbox {
    let answer = |request: &Request<Vec<u8>>| {
        let user = serde_json::json!({ "id": ODD_ID, "userName": SCRIPT, "active": true });
        let path = request.uri().path().trim_start_matches("/api/SCIM/v2/Users");
        let query = request.uri().query().unwrap_or_default();
        let credentials = request.headers().get(header::AUTHORIZATION).unwrap().to_str().unwrap();
        let (status, body) = if *request.method() == Method::PATCH {
            let is_email = String::from_utf8_lossy(request.body()).contains("\"email\"");
            (if is_email { 409 } else { 401 }, serde_json::json!({ "detail": format!("<u>{credentials}</u>") }))
        } else if path == ODD_PATH {
            (200, user)
        } else if !query.is_empty() && !query.contains("filter=") {
            let users = if query.contains("startIndex=1&") { vec![user] } else { Vec::new() };
            (200, serde_json::json!({ "Resources": users }))
        } else {
            (404, serde_json::json!({ "detail": path }))
        };
        let answer = Response::builder().status(status).header(header::CONTENT_TYPE, "application/scim+json");
        Some(answer.body(body.to_string().into_bytes()).unwrap())
    };
    Sandbox::builder().respond_with(answer).start().unwrap()
}

const ODD_ID: &str = "a/b?c#d&e \"<i>\u{e9}%41";
const ODD_PATH: &str = "/a%2Fb%3Fc%23d%26e%20%22%3Ci%3E%C3%A9%2541";

#[tokio::test]
async fn a_hostile_server_puts_nothing_into_a_page() {
    let portal = Portal::over(hostile(), Guard::new(HOST));
    let list = portal.get("/").await;
    assert!(!list.has("Next"));
    let path = list.links[SCRIPT].clone();
    let user = portal.get(&path).await;
    assert_eq!(user.status, StatusCode::OK, "{}", user.text);
    assert_eq!(user.forms[0]["email"], "");
    let taken = portal.post(&path, &with(&user.forms[0], "email", "taken@example.com")).await;
    assert_eq!(taken.status, StatusCode::CONFLICT);
    let search = portal.get("/?search=x").await;
    assert_eq!(search.status, StatusCode::BAD_GATEWAY);
    assert!(search.text.contains("404 Not Found"), "{}", search.text);
    let refused = portal.post(&path, &user.forms[1]).await;
    assert_eq!(refused.status, StatusCode::BAD_GATEWAY);
    assert!(refused.text.contains("401 Unauthorized"), "{}", refused.text);
    for page in [list, user, taken, search, refused] {
        assert!(!page.source.contains("<script") && !page.source.contains("<u>"), "{}", page.source);
        assert!(!page.source.contains(portal.sandbox.token()), "{}", page.source);
    }
}
