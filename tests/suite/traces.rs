//! The `tracing` spans of operations, and redaction in them.

use std::cell::RefCell;
use std::io::{self, Write};
use std::sync::Once;

use wats_scim::ScimUser;
use wats_scim_sandbox::{Fault, FaultProxy, FaultRule, Sandbox};

use crate::{ScimClient, maybe_async, test};

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
