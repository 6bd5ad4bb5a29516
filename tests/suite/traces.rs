//! What an operation leaves in the log, and what it does not.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use tracing_subscriber::fmt::format::FmtSpan;
use wats_scim::ScimUser;
use wats_scim::sandbox::{Fault, FaultProxy, FaultRule, Sandbox};

use crate::{ScimClient, maybe_async, test};

/// A log that can be read.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[maybe_async]
#[test]
async fn a_span_tells_the_operation_and_nobodys_secrets() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(FmtSpan::CLOSE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    // Both test runtimes keep a test on its thread.
    let _guard = tracing::subscriber::set_default(subscriber);

    let sandbox = Sandbox::start().unwrap();
    let proxy = FaultProxy::before(sandbox.base_url()).unwrap();
    proxy.rule(FaultRule::new(Fault::ResetBeforeAnswer).times(1));
    let config = wats_scim::ScimConfig::new(proxy.base_url(), wats_scim::Credentials::wats_token(sandbox.token()));
    let client = ScimClient::new(&config.retry(super::quick())).unwrap();
    let token = client.get_token(None).await.unwrap();
    let jane = ScimUser::new("jane@example.com").with_external_id("4711").with_attribute("password", "canary");
    let id = client.create_user(&jane).await.unwrap().id.unwrap();
    client.create_user(&jane).await.unwrap_err();
    client.get_user_by_username("jane@example.com").await.unwrap();

    let text = log.text();
    for part in
        ["operation=get token", "operation=create user", "attempt=2", "status=409", "millis=", "outcome=Conflict"]
    {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    let ours: String = text.lines().filter(|line| line.contains("wats_scim")).collect();
    for secret in [sandbox.token(), sandbox.password(), token.token.expose(), "canary", "jane@example.com", "4711", &id]
    {
        assert!(!ours.contains(secret), "{secret} is in\n{ours}");
    }
    for secret in [sandbox.token(), token.token.expose(), "canary"] {
        assert!(!text.contains(secret), "{secret} is in\n{text}");
    }
}
