//! The `tracing` spans of operations, and redaction in them.

use std::cell::RefCell;
use std::io::{self, Write};
use std::sync::Once;

use wats_scim::ScimUser;
use wats_scim::{Credentials, RetryPolicy, ScimConfig};
use wats_scim_sandbox::{Fault, FaultProxy, FaultRule, Sandbox};

use crate::api::ScimService;
use crate::{ScimClient, answering, maybe_async, test};

thread_local! {
    /// The log of this thread. Both test runtimes keep a test on its thread.
    static LOG: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

/// Writes to the log of the thread, if it has one.
struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.with_borrow_mut(|log| log.iter_mut().for_each(|log| log.extend(bytes)));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Logs everything from here on. The subscriber is global, because other threads can disable call
/// sites that a thread's own subscriber needs.
pub(crate) fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_ansi(false);
        let with_ends = subscriber.with_span_events(tracing_subscriber::fmt::format::FmtSpan::CLOSE);
        with_ends.with_writer(|| Log).init();
    });
    LOG.set(Some(Vec::new()));
}

/// What was logged on this thread since [`listen`].
#[allow(dead_code, reason = "one of the APIs has no test that needs it")]
pub(crate) fn logged() -> String {
    String::from_utf8(LOG.take().unwrap()).unwrap()
}

#[maybe_async]
#[test]
async fn a_span_has_the_operation_and_no_secrets() {
    listen();
    let sandbox = Sandbox::start().unwrap();
    let proxy = FaultProxy::before(sandbox.base_url()).unwrap();
    proxy.add_rule(FaultRule::new(Fault::ResetBeforeAnswer).times(1));
    let config = wats_scim::ScimConfig::new(proxy.base_url(), wats_scim::Credentials::wats_token(sandbox.token()));
    let client = ScimClient::with_config(&config.retry(super::quick())).unwrap();
    let token = client.get_token(None).await.unwrap();
    let jane = ScimUser::new("jane@example.com").with_external_id("E-4711").with_attribute("password", "canary");
    let id = client.create_user(&jane).await.unwrap().id.unwrap();
    client.create_user(&jane).await.unwrap_err();
    client.get_user_by_username("jane@example.com").await.unwrap();

    let text = String::from_utf8(LOG.take().unwrap()).unwrap();
    for part in
        ["operation=get token", "operation=create user", "attempt=2", "status=409", "millis=", "outcome=Conflict"]
    {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    let ours: String = text.lines().filter(|line| line.contains("wats_scim")).collect();
    for secret in
        [sandbox.token(), sandbox.password(), token.token.expose(), "canary", "jane@example.com", "E-4711", &id]
    {
        assert!(!ours.contains(secret), "{secret} is in\n{ours}");
    }
    for secret in [sandbox.token(), token.token.expose(), "canary"] {
        assert!(!text.contains(secret), "{secret} is in\n{text}");
    }
}

#[maybe_async]
#[test]
async fn a_request_has_a_span_with_the_names_of_opentelemetry() {
    listen();
    let transport = answering(|request| {
        tracing::info!("in the transport");
        let status = if request.method() == "GET" { 503 } else { 201 };
        super::answer(status, "application/scim+json", r#"{"id":"E-4711","userName":"jane"}"#)
    });
    let config = ScimConfig::new("https://acme.wats.com", Credentials::wats_token("dTpw"));
    let config = config.retry(RetryPolicy::default().attempts(2).delays(super::MS, super::MS));
    let client = ScimService::with_http_client(&config, transport).unwrap();
    client.get_user("E-4711").await.unwrap_err();
    let log = logged();
    let sent: Vec<_> = log.lines().filter(|line| line.contains("in the transport")).collect();
    assert_eq!(sent.len(), 2, "{log}");
    for part in [
        "scim{operation=get user",
        ":request{",
        "http.request.method=GET",
        "url.template=\"/Users/{id}\"",
        "server.address=\"acme.wats.com\"",
    ] {
        assert!(sent.iter().all(|line| line.contains(part)), "{part} is not in\n{log}");
    }
    assert!(!sent[0].contains("resend_count") && sent[1].contains("http.request.resend_count=1"), "{log}");
    for part in ["http.response.status_code=503", "error.type=\"503\""] {
        assert!(log.contains(part), "{part} is not in\n{log}");
    }
    assert!(!log.contains("E-4711"), "{log}");
}

#[maybe_async]
#[test]
async fn a_listing_a_batch_and_an_apply_have_one_span_each() {
    let sandbox = Sandbox::builder().users(5).start().unwrap();
    let client = super::client(&sandbox);
    listen();
    let mut users = client.iter_users().page_size(2);
    while users.try_next().await.unwrap().is_some() {}
    drop(users);
    client.create_users(["ann", "bob"].map(ScimUser::new)).in_flight(1).run().await;
    let current = wats_scim::plan::Current::complete(Vec::new());
    let plan = wats_scim::plan::Policy::new(client.profile()).plan(&current, &[ScimUser::new("eve")]).unwrap();
    client.apply(plan).in_flight(1).run().await.unwrap();
    let log = logged();
    for (work, operation) in
        [("scim listing", "list users"), ("scim batch", "create user"), ("scim apply", "create user")]
    {
        let ended = log.lines().filter(|line| line.contains(&format!(" {work}: wats_scim")) && line.contains("close"));
        assert_eq!(ended.count(), 1, "{work} in\n{log}");
        assert!(log.contains(&format!("{work}:scim{{operation={operation}")), "{work} in\n{log}");
    }
}
