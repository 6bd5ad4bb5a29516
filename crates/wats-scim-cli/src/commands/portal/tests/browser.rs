//! A browser without a window.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr};

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, Response, StatusCode, header};
use axum::{Extension, Router};
use tower::ServiceExt as _;

use super::super::guard::{POLICY, Peer};
use super::{HOST, ORIGIN};

pub(super) type Form = BTreeMap<String, String>;

pub(super) struct Browser {
    router: Router,
    /// Headers of each request.
    pub(super) always: Vec<(&'static str, String)>,
    pub(super) peer: IpAddr,
}

impl Browser {
    pub(super) fn of(router: Router) -> Self {
        Self { router, always: Vec::new(), peer: Ipv4Addr::LOCALHOST.into() }
    }

    pub(super) fn router(&self) -> Router {
        self.router.clone()
    }

    pub(super) async fn send(&self, mut request: Request<Body>) -> Page {
        for (name, value) in &self.always {
            request.headers_mut().append(*name, value.parse().unwrap());
        }
        let what = format!("{} {}", request.method(), request.uri());
        let router = self.router.clone().layer(Extension(Peer(self.peer)));
        Page::read(&what, router.oneshot(request).await.unwrap()).await
    }

    pub(super) async fn get(&self, path: &str) -> Page {
        self.send(Request::get(path).header(header::HOST, HOST).body(Body::empty()).unwrap()).await
    }

    /// Sends a form with these headers.
    pub(super) async fn post_with(&self, path: &str, headers: &[(&str, &str)], form: &Form) -> Page {
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
    pub(super) async fn post(&self, path: &str, form: &Form) -> Page {
        self.post_with(path, &[("origin", ORIGIN), ("sec-fetch-site", "same-origin")], form).await
    }

    /// Sends a form, and follows the redirect.
    pub(super) async fn submit(&self, path: &str, form: &Form) -> Page {
        let sent = self.post(path, form).await;
        assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.source);
        self.get(sent.headers[header::LOCATION].to_str().unwrap()).await
    }

    /// The page of the only user that a search finds.
    pub(super) async fn path_of(&self, user_name: &str) -> String {
        let found = self.submit("/search", &form(&[("search", user_name)])).await;
        assert_eq!(found.user_names, [user_name]);
        found.links.values().find(|link| link.starts_with("/users/")).unwrap().clone()
    }
}

fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |text, byte| format!("{text}%{byte:02X}"))
}

/// What a browser makes of an answer.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) source: String,
    pub(super) text: String,
    pub(super) links: HashMap<String, String>,
    pub(super) rows: Vec<String>,
    pub(super) user_names: Vec<String>,
    pub(super) forms: Vec<Form>,
}

impl Page {
    async fn read(what: &str, response: Response<Body>) -> Self {
        let (head, body) = response.into_parts();
        for (name, value) in [
            ("content-security-policy", POLICY),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
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
            user_names: Vec::new(),
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
            "input" => {
                if let Some(name) = attribute("name") {
                    self.forms.last_mut().unwrap().insert(name, attribute("value").unwrap_or_default());
                }
            }
            "span" if attribute("class").as_deref() == Some("login") => self.user_names.push(text.to_owned()),
            _ => {}
        }
        self.text += text;
        if let Some(row) = self.rows.last_mut() {
            *row += text;
        }
    }

    pub(super) fn has(&self, link: &str) -> bool {
        self.links.contains_key(link)
    }
}

fn unescaped(text: &str) -> String {
    [("&#60;", "<"), ("&#62;", ">"), ("&#34;", "\""), ("&#39;", "'"), ("&#38;", "&")]
        .iter()
        .fold(text.to_owned(), |text, (escaped, character)| text.replace(escaped, character))
}

pub(super) fn form(fields: &[(&str, &str)]) -> Form {
    fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

pub(super) fn with(form: &Form, name: &str, value: &str) -> Form {
    let mut form = form.clone();
    form.insert(name.to_owned(), value.to_owned());
    form
}
