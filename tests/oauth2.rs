//! Writes with access tokens of an OAuth 2.0 server by others, which live for 2 s. No write is lost or
//! doubled, a token is renewed once per lifetime, and no text shows one.
//!
//! `scripts/oidc cargo test --all-features --test oauth2`; the variable `OAUTH2_SOAK` sets the number of
//! writes of each run.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};
use std::{env, fs};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{Method, Request, Response};
use serde_json::{Value, json};
use wats_scim::{ClientCredentials, Credentials, ErrorKind, Profile, ScimConfig, ScimUser, asynchronous, blocking};
use wats_scim_sandbox::Sandbox;

const IN_FLIGHT: usize = 64;

fn token_url() -> String {
    env::var("SCIM_SERVER").expect("run this with scripts/oidc")
}

fn number_of_writes() -> usize {
    env::var("OAUTH2_SOAK").map_or(10_000, |number| number.parse().unwrap())
}

fn by_header() -> ClientCredentials {
    ClientCredentials::new(token_url(), "by-header", "canary-header").with_scope("scim")
}

fn by_body() -> ClientCredentials {
    ClientCredentials::new(token_url(), "by-body", "canary-body").secret_in_body()
}

fn by_key() -> ClientCredentials {
    let pem = fs::read_to_string(env::var("OIDC_KEY").expect("run this with scripts/oidc")).unwrap();
    ClientCredentials::private_key(token_url(), "by-key", pem).key_id("k1")
}

/// When tokens were issued, in milliseconds.
fn issued() -> Vec<u64> {
    let url = token_url().replace("/token", "/issued");
    serde_json::from_str(&ureq::get(url).call().unwrap().body_mut().read_to_string().unwrap()).unwrap()
}

/// A SCIM server that accepts the tokens that the token server confirms, until they expire. It counts what
/// it has created.
#[derive(Clone, Default)]
struct Server(Arc<Mutex<Seen>>);

#[derive(Default)]
struct Seen {
    /// When each token expires, in seconds.
    expiry: HashMap<String, u64>,
    created: HashMap<String, usize>,
    rejected: usize,
}

impl Server {
    fn start(&self) -> Sandbox {
        let server = self.clone();
        let sandbox =
            Sandbox::builder().record_requests(false).respond_with(move |request| Some(server.answer(request)));
        sandbox.start().unwrap()
    }

    fn answer(&self, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
        let authorization = request.headers().get("authorization").map_or("", |value| value.to_str().unwrap());
        let token = authorization.strip_prefix("Bearer ").unwrap_or_default();
        let mut seen = self.0.lock().unwrap();
        let expiry = *seen.expiry.entry(token.to_owned()).or_insert_with(|| introspected(token));
        if SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() >= expiry {
            seen.rejected += 1;
            return answer(401, &json!({ "detail": format!("{token} has expired") }));
        }
        if request.method() != Method::POST {
            return answer(400, &json!({ "detail": format!("not with the token {token}") }));
        }
        let user: Value = serde_json::from_slice(request.body()).unwrap();
        let name = user["userName"].as_str().unwrap().to_owned();
        *seen.created.entry(name.clone()).or_default() += 1;
        answer(201, &json!({ "id": name, "userName": name }))
    }

    /// No text may contain a token that was in use.
    fn check(&self, text: &str) {
        assert!(!text.contains("canary"), "{text}");
        for token in self.0.lock().unwrap().expiry.keys().filter(|token| !token.is_empty()) {
            assert!(!text.contains(token), "{text}");
        }
    }
}

fn answer(status: u16, body: &Value) -> Response<Vec<u8>> {
    Response::builder()
        .status(status)
        .header("content-type", "application/scim+json")
        .body(body.to_string().into_bytes())
        .unwrap()
}

/// When a token expires, as the token server says (RFC 7662).
fn introspected(token: &str) -> u64 {
    let basic = STANDARD.encode("by-header:canary-header");
    let mut answer = ureq::post(format!("{}/introspection", token_url()))
        .header("authorization", format!("Basic {basic}"))
        .send_form([("token", token)])
        .unwrap();
    let answer: Value = serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap();
    if answer["active"] == true { answer["exp"].as_u64().unwrap() } else { 0 }
}

fn config(sandbox: &Sandbox, client: ClientCredentials) -> ScimConfig {
    ScimConfig::new(sandbox.base_url(), Credentials::oauth2(client)).profile(Profile::standard())
}

fn users(number: usize) -> Vec<ScimUser> {
    (0..number).map(|number| ScimUser::new(format!("user{number}"))).collect()
}

/// Checks a run, in which `failures` are the errors of writes.
fn check(api: &str, server: &Server, before: usize, begun: Instant, failures: &[String]) {
    let elapsed = begun.elapsed();
    let (seen, issued) = (server.0.lock().unwrap(), issued());
    let times = &issued[before..];
    let lost = number_of_writes() - seen.created.len();
    let doubled = seen.created.values().filter(|times| **times > 1).count();
    let closest = times.windows(2).map(|pair| pair[1] - pair[0]).min();
    println!(
        "{api}: {} writes in {:.1} s, {lost} lost, {doubled} doubled, {} failed; {} tokens of 2 s, the closest two \
         {} ms apart; {} requests were rejected with 401 and sent again",
        number_of_writes(),
        elapsed.as_secs_f64(),
        failures.len(),
        times.len(),
        closest.unwrap_or_default(),
        seen.rejected,
    );
    assert!(lost == 0 && doubled == 0 && failures.is_empty(), "{:#?}", &failures[..failures.len().min(5)]);
    assert_eq!(times.len(), seen.expiry.len(), "every token is used");
    // The server counts in whole seconds, so a token lives for 1 to 2 s.
    assert!(closest.is_none_or(|closest| closest >= 900), "{times:?}");
    let lifetimes = usize::try_from(elapsed.as_secs()).unwrap() + 2;
    assert!(times.len() <= lifetimes, "{} tokens in {elapsed:?}", times.len());
}

#[test]
fn no_write_with_short_lived_tokens_is_lost_or_doubled() {
    let server = Server::default();
    let sandbox = server.start();
    let config_of = config(&sandbox, by_header());
    let client = blocking::ScimClient::with_config(&config_of).unwrap();
    let (before, begun) = (issued().len(), Instant::now());
    let items = client.create_users(users(number_of_writes())).in_flight(IN_FLIGHT).run();
    let failures: Vec<_> =
        items.iter().filter_map(|item| item.result.as_ref().err()).map(|e| format!("{e:?}")).collect();
    check("blocking", &server, before, begun, &failures);
    server.check(&format!("{failures:?} {client:?} {:?} {config_of:?}", client.repository()));

    let server = Server::default();
    let sandbox = server.start();
    let config_of = config(&sandbox, by_key());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let client = asynchronous::ScimClient::with_config(&config_of).unwrap();
        let (before, begun) = (issued().len(), Instant::now());
        let items = client.create_users(users(number_of_writes())).in_flight(IN_FLIGHT).run().await;
        let failures: Vec<_> =
            items.iter().filter_map(|item| item.result.as_ref().err()).map(|e| format!("{e:?}")).collect();
        check("async", &server, before, begun, &failures);
        server.check(&format!("{failures:?} {client:?} {:?} {config_of:?}", client.repository()));
    });
    every_proof_is_accepted();
    a_wrong_client_is_reported_as_such();
}

/// Not a test of its own: it would request tokens while the other one counts them.
fn every_proof_is_accepted() {
    for client in [by_header(), by_body(), by_key(), by_key().assertion_audience(token_url().replace("/token", ""))] {
        let server = Server::default();
        let sandbox = server.start();
        let client = blocking::ScimClient::with_config(&config(&sandbox, client)).unwrap();
        client.create_user(&ScimUser::new("ann")).unwrap();
        std::thread::sleep(Duration::from_millis(2100));
        client.create_user(&ScimUser::new("bob")).unwrap();
        let error = client.get_user("1").unwrap_err();
        assert!(error.to_string().contains("not with the token [redacted]"), "{error}");
        server.check(&format!("{error} {error:?}"));
        assert_eq!(server.0.lock().unwrap().rejected, 0, "the token was renewed before it was used");
    }
}

fn a_wrong_client_is_reported_as_such() {
    for (client, reported) in [
        (ClientCredentials::new(token_url(), "by-header", "canary-wrong"), "401 Unauthorized (invalid_client)"),
        (by_header().with_parameter("resource", "no URI"), "400 Bad Request (invalid_target)"),
        (by_key().assertion_audience("urn:canary"), "401 Unauthorized (invalid_client)"),
    ] {
        let server = Server::default();
        let sandbox = server.start();
        let client = blocking::ScimClient::with_config(&config(&sandbox, client)).unwrap();
        let items = client.create_users(users(1_000)).run();
        assert!(items.len() <= 8, "the batch stops: {}", items.len());
        let error = items[0].result.as_ref().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthorized);
        println!("{error}");
        let text = format!("{error} {error:?}");
        assert!(text.contains(reported) && text.contains("nothing was sent"), "{text}");
        server.check(&text);
        assert!(server.0.lock().unwrap().created.is_empty());
    }
}
