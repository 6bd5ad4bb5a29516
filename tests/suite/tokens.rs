//! Credentials that are renewed.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use http::{Method, Request, Response};
use wats_scim::{
    AccessToken, ClientCredentials, Credentials, Error, ErrorKind, RetryPolicy, ScimConfig, ScimUser, WriteOutcome,
};

use super::{answer, quick};
use crate::api::ScimService;
use crate::{ScimClient, answering, maybe_async, providing, test};

const TOKEN_URL: &str = "https://login.example.com/oauth2/token";
const SECRET: &str = "canary-secret/+";

/// A SCIM server and its token endpoint, at which the tokens are `canary-token-1`, `canary-token-2` and so
/// on. It accepts the last one only.
#[derive(Clone, Default)]
pub(crate) struct Servers(Arc<Mutex<State>>);

#[derive(Default)]
pub(crate) struct State {
    /// The number of the last token.
    pub(crate) issued: usize,
    /// How long a token is said to live, in seconds.
    pub(crate) lifetime: Option<u64>,
    /// The answers of the token endpoint before it issues tokens.
    pub(crate) refusals: Vec<Response<Vec<u8>>>,
    /// Whether every token is rejected.
    pub(crate) rejects_all: bool,
    /// How many users are created before a token is revoked.
    pub(crate) revoked_after: Option<usize>,
    created_with_token: usize,
    pub(crate) created: Vec<String>,
    pub(crate) token_requests: Vec<Request<Vec<u8>>>,
    pub(crate) scim_requests: usize,
    /// The state of a random number generator that decides about failures.
    pub(crate) random: Option<u64>,
    is_revoked: bool,
}

impl Servers {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// A number of the state.
    pub(crate) fn count(&self, count: impl FnOnce(&State) -> usize) -> usize {
        count(&self.state())
    }

    pub(crate) fn with(change: impl FnOnce(&mut State)) -> Self {
        let servers = Self::default();
        change(&mut servers.state());
        servers
    }

    pub(crate) fn answer(&self, request: Request<Vec<u8>>) -> Response<Vec<u8>> {
        let mut state = self.state();
        if request.uri().host() == Some("login.example.com") {
            state.token_requests.push(request);
            if state.happens(20) {
                return answer(503, "text/plain", "down");
            }
            if !state.refusals.is_empty() {
                return state.refusals.remove(0);
            }
            return state.issue();
        }
        state.scim_requests += 1;
        if state.happens(5) {
            state.is_revoked = true;
        }
        let given = request.headers().get("authorization").map_or("none", |value| value.to_str().unwrap());
        if state.rejects_all || state.is_revoked || given != format!("Bearer canary-token-{}", state.issued) {
            return answer(401, "application/json", format!(r#"{{"detail":"the token {given} has expired"}}"#));
        }
        if request.method() == Method::POST {
            let user: ScimUser = serde_json::from_slice(request.body()).unwrap();
            let name = user.user_name.unwrap();
            state.created.push(name.clone());
            state.created_with_token += 1;
            state.is_revoked |= state.revoked_after == Some(state.created_with_token);
            return answer(201, "application/json", format!(r#"{{"id":"{name}","userName":"{name}"}}"#));
        }
        answer(200, "application/json", r#"{"id":"1","userName":"jane"}"#)
    }

    /// A new token, as a provider returns it.
    pub(crate) fn token(&self) -> AccessToken {
        let mut state = self.state();
        drop(state.issue());
        AccessToken::new(format!("canary-token-{}", state.issued))
    }
}

impl State {
    /// Whether a failure happens that has this chance, in percent.
    fn happens(&mut self, percent: u64) -> bool {
        let Some(random) = &mut self.random else { return false };
        *random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*random >> 33) % 100 < percent
    }

    fn issue(&mut self) -> Response<Vec<u8>> {
        self.issued += 1;
        self.is_revoked = false;
        self.created_with_token = 0;
        let lifetime = self.lifetime.map(|seconds| format!(r#","expires_in":{seconds}"#)).unwrap_or_default();
        let body = format!(r#"{{"access_token":"canary-token-{}","token_type":"bearer"{lifetime}}}"#, self.issued);
        answer(200, "application/json", body)
    }
}

pub(crate) fn credentials() -> Credentials {
    Credentials::oauth2(ClientCredentials::new(TOKEN_URL, "provisioning", SECRET).with_scope("scim"))
}

pub(crate) fn config(credentials: Credentials) -> ScimConfig {
    ScimConfig::new("https://scim.example.com/v2", credentials).retry(quick())
}

macro_rules! service {
    ($servers:expr, $config:expr) => {{
        let servers = $servers.clone();
        ScimService::with_http_client(&$config, answering(move |request| servers.answer(request))).unwrap()
    }};
}

/// Checks that a text quotes no token and no secret.
fn check(text: &str) {
    assert!(!text.contains("canary"), "{text}");
}

#[maybe_async]
#[test]
async fn a_token_is_requested_once_and_is_all_that_the_server_gets() {
    let servers = Servers::with(|state| state.lifetime = Some(3600));
    let client = service!(servers, config(credentials()));
    for _ in 0..3 {
        client.clone().get_user("1").await.unwrap();
    }
    let state = servers.state();
    let [request] = &state.token_requests[..] else { panic!("{}", state.token_requests.len()) };
    assert_eq!((request.method(), request.uri().to_string().as_str()), (&Method::POST, TOKEN_URL));
    assert_eq!(request.body(), b"grant_type=client_credentials&scope=scim");
    // base64 of provisioning:canary-secret%2F%2B
    assert_eq!(request.headers()["authorization"], "Basic cHJvdmlzaW9uaW5nOmNhbmFyeS1zZWNyZXQlMkYlMkI=");
    assert_eq!(state.scim_requests, 3);
}

#[maybe_async]
#[test]
async fn a_token_is_renewed_when_its_lifetime_is_over() {
    let servers = Servers::with(|state| state.lifetime = Some(0));
    let client = service!(servers, config(credentials()));
    for number in 1..4 {
        client.get_user("1").await.unwrap();
        assert_eq!(servers.state().issued, number);
    }
    assert_eq!(servers.state().scim_requests, 3, "none is rejected");
}

#[maybe_async]
#[test]
async fn after_a_401_a_creation_is_sent_again_with_a_new_token() {
    // Without retries too: the server has not processed it.
    for retry in [quick(), RetryPolicy::none()] {
        let servers = Servers::with(|state| state.revoked_after = Some(1));
        let client = service!(servers, config(credentials()).retry(retry));
        client.create_user(&ScimUser::new("ann")).await.unwrap();
        client.create_user(&ScimUser::new("bob")).await.unwrap();
        let state = servers.state();
        assert_eq!((state.created.as_slice(), state.issued), (&["ann".to_owned(), "bob".to_owned()][..], 2));
    }
}

#[maybe_async]
#[test]
async fn a_second_401_is_the_error() {
    let servers = Servers::with(|state| state.rejects_all = true);
    let client = service!(servers, config(credentials()));
    for operation in 1..3 {
        let error = client.create_user(&ScimUser::new("ann")).await.unwrap_err();
        assert_eq!((error.kind(), error.write_outcome()), (ErrorKind::Unauthorized, Some(WriteOutcome::NotApplied)));
        assert_eq!((error.status().map(|status| status.as_u16()), error.attempts()), (Some(401), 2));
        assert!(error.to_string().ends_with("; nothing was changed"), "{error}");
        check(&format!("{error} {error:?}"));
        assert_eq!(
            (servers.count(|state| state.issued), servers.count(|state| state.scim_requests)),
            (2 * operation, 2 * operation)
        );
    }
}

#[maybe_async]
#[test]
async fn a_rejected_token_request_is_reported_as_such_and_nothing_is_sent() {
    let refused = format!(r#"{{"error":"invalid_client","error_description":"wrong secret {SECRET}"}}"#);
    let servers = Servers::with(|state| state.refusals = vec![answer(401, "application/json", refused)]);
    let client = service!(servers, config(credentials()));
    let error = client.create_user(&ScimUser::new("ann")).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "could not create user: no access token: the token endpoint answered 401 Unauthorized (invalid_client): wrong \
         secret [redacted]; check the id and the secret or the key of the client credentials; nothing was sent"
    );
    assert_eq!((error.kind(), error.status(), error.attempts()), (ErrorKind::Unauthorized, None, 0));
    assert_eq!((servers.count(|state| state.scim_requests), servers.count(|state| state.token_requests.len())), (0, 1));
    client.create_user(&ScimUser::new("ann")).await.unwrap();
}

#[maybe_async]
#[test]
async fn a_token_endpoint_is_not_taken_for_the_server() {
    // A 404 is no absence, and no document that the server does not have.
    for status in [404, 405, 501, 302, 304] {
        let refusals = vec![answer(status, "application/json", "{}"), answer(status, "application/json", "{}")];
        let servers = Servers::with(|state| state.refusals = refusals);
        let client = service!(servers, config(credentials()));
        let error = client.get_user("1").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthorized, "{error}");
        let error = client.discover().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthorized, "{error}");
        assert_eq!(
            (servers.count(|state| state.scim_requests), servers.count(|state| state.token_requests.len())),
            (0, 2),
            "nothing is followed"
        );
    }
}

#[maybe_async]
#[test]
async fn a_token_endpoint_that_is_down_is_asked_again_within_the_policy() {
    let down = || answer(503, "text/plain", "down");
    let servers = Servers::with(|state| state.refusals = vec![down(), down()]);
    service!(servers, config(credentials())).create_user(&ScimUser::new("ann")).await.unwrap();
    assert_eq!((servers.count(|state| state.token_requests.len()), servers.count(|state| state.scim_requests)), (3, 1));

    let servers = Servers::with(|state| state.refusals = vec![down(), down(), down(), down()]);
    let error = service!(servers, config(credentials())).create_user(&ScimUser::new("ann")).await.unwrap_err();
    assert_eq!((error.kind(), error.write_outcome()), (ErrorKind::Server, Some(WriteOutcome::NotApplied)));
    assert!(error.is_retryable() && error.to_string().ends_with("; nothing was sent"), "{error}");
    assert_eq!((servers.count(|state| state.token_requests.len()), servers.count(|state| state.scim_requests)), (3, 0));
}

#[maybe_async]
#[test]
async fn many_writes_in_flight_renew_a_revoked_token_once() {
    let servers = Servers::with(|state| state.revoked_after = Some(50));
    let client = service!(servers, config(credentials()));
    let users: Vec<_> = (0..400).map(|number| ScimUser::new(format!("user{number}"))).collect();
    let items = client.create_users(users).in_flight(32).run().await;
    assert!(items.len() == 400 && items.iter().all(|item| item.result.is_ok()));
    let mut state = servers.state();
    assert!((8..=9).contains(&state.issued), "{} tokens", state.issued);
    state.created.sort();
    state.created.dedup();
    assert_eq!(state.created.len(), 400);
}

#[maybe_async]
#[test]
async fn whatever_the_token_server_does_a_write_is_done_once_or_not_at_all() {
    for seed in 0..20 {
        let servers = Servers::with(|state| (state.random, state.lifetime) = (Some(seed), Some(seed % 2)));
        let client = service!(servers, config(credentials()).retry(quick().delays(Duration::ZERO, Duration::ZERO)));
        let users: Vec<_> = (0..100).map(|number| ScimUser::new(format!("user{number}"))).collect();
        let items = client.create_users(users).in_flight(8).run().await;
        let (state, mut done) = (servers.state(), 0);
        for (number, item) in items.iter().enumerate() {
            let times = state.created.iter().filter(|name| **name == format!("user{number}")).count();
            match &item.result {
                Ok(_) => assert_eq!(times, 1, "seed {seed}, user{number}"),
                Err(error) => {
                    assert_eq!(
                        (times, error.write_outcome()),
                        (0, Some(WriteOutcome::NotApplied)),
                        "seed {seed}: {error}"
                    );
                    check(&format!("{error:?}"));
                }
            }
            done += times;
        }
        assert_eq!(state.created.len(), done, "seed {seed}");
    }
}

#[maybe_async]
#[test]
async fn a_bulk_request_without_valid_credentials_is_not_split() {
    let servers = Servers::with(|state| state.rejects_all = true);
    let described = servers.clone();
    let transport = answering(move |request| match request.uri().path() {
        "/v2/ServiceProviderConfig" => answer(
            200,
            "application/json",
            r#"{"bulk":{"supported":true,"maxOperations":10,"maxPayloadSize":100000},"patch":{"supported":true}}"#,
        ),
        "/v2/ResourceTypes" => answer(404, "application/json", r#"{"detail":"no"}"#),
        _ => described.answer(request),
    });
    let client = ScimService::with_http_client(&config(Credentials::bearer("expired")), transport).unwrap();
    let client = client.discover().await.unwrap();
    let users: Vec<_> = (0..100).map(|number| ScimUser::new(format!("user{number}"))).collect();
    let items = client.create_users(users).in_flight(1).run().await;
    assert_eq!((items.len(), servers.state().scim_requests), (10, 1));
    for item in items {
        let text = item.result.unwrap_err().to_string();
        assert!(
            text.starts_with("could not create user: the server answered 401")
                && text.ends_with("; nothing was changed"),
            "{text}"
        );
    }
}

#[maybe_async]
#[test]
async fn a_401_ends_a_batch_and_the_rest_can_be_resumed() {
    let servers = Servers::with(|state| state.rejects_all = true);
    let client = service!(servers, config(credentials()));
    let users: Vec<_> = (0..100).map(|number| ScimUser::new(format!("user{number}"))).collect();
    let mut batch = client.create_users(users).in_flight(4);
    let mut failed = 0;
    while let Some(item) = batch.next().await {
        assert_eq!(item.result.unwrap_err().kind(), ErrorKind::Unauthorized);
        failed += 1;
    }
    assert!(batch.is_stopped() && (1..=4).contains(&failed), "{failed}");
    servers.state().rejects_all = false;
    let rest = batch.resume(&client).run().await;
    assert!(rest.len() == 100 - failed && rest.iter().all(|item| item.result.is_ok()));
    assert_eq!(servers.state().created.len(), 100 - failed);
}

#[maybe_async]
#[test]
async fn the_token_of_a_file_is_read_again_when_the_file_has_changed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    let servers = Servers::default();
    let client = service!(servers, config(Credentials::file(&path)));
    for content in [None, Some(""), Some(" \n")] {
        if let Some(content) = content {
            std::fs::write(&path, content).unwrap();
        }
        let error = client.create_user(&ScimUser::new("ann")).await.unwrap_err();
        assert_eq!((error.kind(), error.write_outcome()), (ErrorKind::Unauthorized, Some(WriteOutcome::NotApplied)));
        let text = error.to_string();
        assert!(text.contains("no access token: the token file ") && text.ends_with("; nothing was sent"), "{text}");
    }
    assert_eq!(servers.state().scim_requests, 0);

    for number in [1, 10] {
        servers.state().issued = number;
        std::fs::write(&path, format!("canary-token-{number}\n")).unwrap();
        client.create_user(&ScimUser::new(format!("user{number}"))).await.unwrap();
    }
    assert_eq!(servers.state().scim_requests, 2, "no token is sent that is not in the file any more");

    // A writer that empties the file first.
    std::fs::write(&path, "").unwrap();
    client.create_user(&ScimUser::new("bob")).await.unwrap();
    servers.state().rejects_all = true;
    let error = client.create_user(&ScimUser::new("cy")).await.unwrap_err();
    assert!(error.to_string().contains("is empty; nothing was changed"), "{error}");
    check(&format!("{error:?} {client:?}"));
}

#[maybe_async]
#[test]
async fn the_token_of_a_file_is_read_again_after_a_401() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    let servers = Servers::with(|state| state.issued = 1);
    std::fs::write(&path, "canary-token-1").unwrap();
    let client = service!(servers, config(Credentials::file(&path)));
    client.create_user(&ScimUser::new("ann")).await.unwrap();
    // The same length and the same time.
    let modified = std::fs::metadata(&path).unwrap().modified().unwrap();
    std::fs::write(&path, "canary-token-2").unwrap();
    std::fs::File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
    servers.state().issued = 2;
    client.create_user(&ScimUser::new("bob")).await.unwrap();
    assert_eq!((servers.count(|state| state.scim_requests), servers.count(|state| state.created.len())), (3, 2));
}

#[maybe_async]
#[test]
async fn a_provider_is_asked_once_per_token() {
    let servers = Servers::with(|state| state.revoked_after = Some(50));
    let source = servers.clone();
    let client =
        service!(servers, config(Credentials::none())).with_token_provider(providing(move || Ok(source.token())));
    let users: Vec<_> = (0..120).map(|number| ScimUser::new(format!("user{number}"))).collect();
    let items = client.create_users(users).run().await;
    assert!(items.iter().all(|item| item.result.is_ok()));
    assert_eq!((servers.count(|state| state.issued), servers.count(|state| state.token_requests.len())), (3, 0));

    let source = servers.clone();
    let short = move || Ok(source.token().with_lifetime(Duration::ZERO));
    let client = client.with_token_provider(providing(short));
    client.get_user("1").await.unwrap();
    client.get_user("1").await.unwrap();
    assert_eq!(servers.state().issued, 5);
}

#[maybe_async]
#[test]
async fn the_failure_of_a_provider_is_the_error_and_nothing_is_sent() {
    for (kind, shown, times) in [
        (ErrorKind::Connection, ErrorKind::Connection, 3),
        (ErrorKind::NotFound, ErrorKind::Unauthorized, 1),
        (ErrorKind::Forbidden, ErrorKind::Unauthorized, 1),
    ] {
        let servers = Servers::default();
        let asked = Arc::new(Mutex::new(0));
        let count = Arc::clone(&asked);
        let fails = move || {
            *count.lock().unwrap() += 1;
            let source = std::io::Error::other("the vault is sealed");
            Err(Error::new(kind, "the vault has no token").with_source(source))
        };
        let client = service!(servers, config(Credentials::none())).with_token_provider(providing(fails));
        let error = client.get_user("1").await.unwrap_err();
        assert_eq!((error.kind(), *asked.lock().unwrap()), (shown, times));
        assert_eq!(error.to_string(), "could not get user: no access token: the vault has no token");
        assert!(format!("{error:?}").ends_with("because: the vault is sealed"), "{error:?}");
        assert_eq!(servers.state().scim_requests, 0);
    }
}

#[maybe_async]
#[test]
async fn no_credentials_send_no_header() {
    let servers = Servers::default();
    let error = service!(servers, config(Credentials::none())).get_user("1").await.unwrap_err();
    assert!(error.to_string().contains("the token none has expired"), "{error}");
    assert_eq!(servers.state().scim_requests, 1);
}

#[maybe_async]
#[test]
async fn no_token_and_no_secret_is_shown() {
    let servers = Servers::with(|state| state.lifetime = Some(0));
    let config = config(credentials());
    let client = service!(servers, config);
    client.get_user("1").await.unwrap();
    // A server that quotes the tokens that it gets, the last one and an earlier one.
    let quoting = servers.clone();
    let transport = answering(move |request| {
        if request.uri().host() == Some("login.example.com") {
            return quoting.answer(request);
        }
        let body = format!(
            r#"{{"detail":"bad canary-token-1, {SECRET}, {:?}"}}"#,
            request.headers()["authorization"].to_str()
        );
        answer(400, "application/json", body)
    });
    let other = ScimService::with_http_client(&config, transport).unwrap();
    servers.state().issued = 0;
    for _ in 0..3 {
        let error = other.create_user(&ScimUser::new("ann")).await.unwrap_err();
        assert!(error.detail().unwrap().contains("[redacted]"), "{error}");
        check(&format!("{error} {error:?}"));
    }
    let whole = ScimClient::with_config(&config).unwrap();
    check(&format!("{config:?} {client:?} {:?} {:?}", whole.repository(), servers.token()));
}
