//! `wats-scim portal`, started as a person starts it. Its pages are tested beside its source, and in a browser by
//! scripts/check-portal.
#![cfg(feature = "portal")]

mod support;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use support::Home;
use wats_scim_sandbox::Sandbox;

const PASSWORD: &str = "correct horse battery\n";

/// A portal that runs.
struct Running {
    child: Child,
    host: String,
}

impl Running {
    fn start(home: &Home, args: &[&str]) -> Self {
        let args = [&["portal", "--listen", "127.0.0.1:0", "--quiet"], args].concat();
        let mut child = home.command(&args).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let host = line.trim().strip_prefix("http://").unwrap().strip_suffix('/').unwrap().to_owned();
        Self { child, host }
    }

    fn send(&self, request: &str, headers: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(&self.host).unwrap();
        let (host, length) = (&self.host, body.len());
        let head = format!("{request} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n");
        let kind = "Content-Type: application/x-www-form-urlencoded\r\n";
        stream.write_all(format!("{head}{kind}{headers}\r\n{body}").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn origin(&self) -> String {
        format!("Origin: http://{}\r\n", self.host)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[test]
fn without_a_way_to_know_people_there_is_no_portal() {
    let server = Sandbox::start().unwrap();
    let home = Home::of_wats(&server);
    home.run(&["portal"]).failed(64);
    home.run(&["portal", "--user-header", "x-user", "--passwords", "people"]).failed(64);
    home.run(&["portal", "--user-header", "x user"]).failed(64);
    let error = home.run(&["portal", "--passwords"]).failed(1);
    assert!(error.contains("portal password NAME"), "{error}");
}

#[test]
fn other_machines_need_a_proxy_with_tls() {
    let server = Sandbox::start().unwrap();
    let home = Home::of_wats(&server);
    let (url, proxy) = ("--public-url=https://people.example.com", "--proxy=10.0.0.5");
    for more in [&[][..], &[url], &[proxy]] {
        let args = [&["portal", "--user-header", "x-user", "--listen", "0.0.0.0:0"], more].concat();
        let error = home.run(&args).failed(64);
        assert!(error.contains("--proxy and --public-url"), "{error}");
    }
    home.run(&["portal", "--user-header", "x-user", "--public-url", "http://people.example.com"]).failed(64);
}

#[test]
fn a_password_is_kept_as_a_hash_that_only_its_owner_can_read() {
    let home = Home::new();
    let added = home.run_with(&["portal", "password", "ann"], PASSWORD);
    assert!(!added.err.contains("horse"), "{added:?}");
    added.done();
    let first = home.read("portal.passwords");
    assert!(first.starts_with("ann:$argon2id$") && !first.contains("horse"), "{first}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(home.path().join("portal.passwords")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let changed = home.run_with(&["portal", "password", "ann"], PASSWORD);
    assert!(changed.err.contains("changed"), "{changed:?}");
    assert_ne!(home.read("portal.passwords"), first);
    for short in ["", "short\n", "           \n"] {
        home.run_with(&["portal", "password", "bob"], short).failed(64);
    }
    home.run_with(&["portal", "password", "b:ob"], PASSWORD).failed(64);
    home.run_with(&["portal", "password", "bob", "--passwords", "others"], PASSWORD).done();
    assert!(home.read("others").starts_with("bob:") && !home.read("portal.passwords").contains("bob"));
    home.run(&["portal", "password", "ann", "--remove"]).done();
    assert_eq!(home.read("portal.passwords"), "");
    home.run(&["portal", "password", "ann", "--remove"]).failed(1);
}

#[test]
fn behind_a_header_the_person_is_on_the_trail() {
    let server = Sandbox::builder().users(1).start().unwrap();
    let home = Home::of_wats(&server);
    let portal = Running::start(&home, &["--user-header", "X-User"]);
    assert!(portal.send("GET /", "", "").starts_with("HTTP/1.1 403 "));
    let list = portal.send("GET /", "x-user: ann@example.com\r\n", "");
    assert!(list.starts_with("HTTP/1.1 200 ") && list.contains("user0001@example.com"), "{list}");
    let (_, rest) = list.split_once("href=\"/users/").unwrap();
    let (id, _) = rest.split_once('"').unwrap();
    let headers = format!("x-user: ann@example.com\r\n{}", portal.origin());
    let done = portal.send(&format!("POST /users/{id}/deactivate"), &headers, "");
    assert!(done.starts_with("HTTP/1.1 303 "), "{done}");
    let trail = home.read("trail.jsonl");
    assert_eq!(trail.matches(r#""label":"ann@example.com""#).count(), trail.lines().count(), "{trail}");
    assert!(trail.lines().count() >= 2, "{trail}");
}

#[test]
fn a_person_signs_in_with_a_password() {
    let server = Sandbox::builder().users(1).start().unwrap();
    let home = Home::of_wats(&server);
    home.run_with(&["portal", "password", "ann"], PASSWORD).done();
    let portal = Running::start(&home, &["--passwords"]);
    assert!(portal.send("GET /", "", "").starts_with("HTTP/1.1 401 "));
    let wrong = portal.send("POST /sign-in", &portal.origin(), "name=ann&password=wrong&to=/");
    assert!(wrong.starts_with("HTTP/1.1 401 "), "{wrong}");
    let done = portal.send("POST /sign-in", &portal.origin(), "name=ann&password=correct+horse+battery&to=/");
    assert!(done.starts_with("HTTP/1.1 303 "), "{done}");
    let (_, cookie) = done.split_once("set-cookie: ").unwrap();
    let cookie = format!("Cookie: {}\r\n", cookie.split(';').next().unwrap());
    assert!(portal.send("GET /", &cookie, "").contains("user0001@example.com"));
}
