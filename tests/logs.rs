//! What the HTTP libraries write to the crate `log`, as SECURITY.md states it. A program of its own,
//! because there is one logger per process.

#[allow(dead_code, reason = "the suite needs more of it")]
#[path = "suite/tls.rs"]
mod tls;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Mutex;
use std::thread;

use log::{Level, LevelFilter, Metadata, Record};
use wats_scim::{Credentials, RetryPolicy, ScimConfig, ScimPatchRequest, ScimUser, asynchronous, blocking};
use wats_scim_sandbox::{Sandbox, StandardSandbox};

struct Logger(Mutex<Vec<(Level, String, String)>>);

static LOGGER: Logger = Logger(Mutex::new(Vec::new()));

impl log::Log for Logger {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let line = (record.level(), record.target().to_owned(), record.args().to_string());
        self.0.lock().unwrap().push(line);
    }

    fn flush(&self) {}
}

/// A proxy that wants another password.
fn proxy() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n");
        }
    });
    format!("http://proxy:canary-of-the-proxy@{address}")
}

/// Everything that has a secret in its request or in its answer, with each client.
macro_rules! use_secrets {
    ($api:ident, $configs:expr, $wats:expr $(, $wait:tt)?) => {{
        let mut secrets = Vec::new();
        for config in $configs {
            let client = $api::ScimClient::with_config(config).unwrap();
            let jane = ScimUser::new(concat!("jane-", stringify!($api))).with_attribute("password", "canary-of-the-user");
            let created = client.create_user(&jane)$(.$wait)?;
            let id = created.ok().and_then(|user| user.id).unwrap_or_else(|| "1".to_owned());
            let patch = ScimPatchRequest::new().replace("password", "canary-of-the-patch");
            let _ = client.update_user(&id, &patch)$(.$wait)?;
            let _ = client.get_user(&id)$(.$wait)?;
        }
        let client = $api::ScimClient::with_config($wats).unwrap();
        secrets.push(client.get_token(None)$(.$wait)?.unwrap().token.expose().to_owned());
        secrets
    }};
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_in_no_log_at_debug_or_above_and_at_trace_in_one_only() {
    log::set_logger(&LOGGER).unwrap();
    log::set_max_level(LevelFilter::Trace);

    let (wats, standard, tls) = (Sandbox::start().unwrap(), StandardSandbox::start().unwrap(), tls::TlsServer::start());
    let token = Credentials::wats_token(wats.token());
    let of_wats = ScimConfig::new(wats.base_url(), token.clone());
    let basic = Credentials::basic("service", "canary-of-the-credentials");
    let configs = [
        of_wats.clone(),
        ScimConfig::new(standard.base_url(), Credentials::wats_token(standard.token())),
        // Rejected, over TLS, and through a proxy.
        ScimConfig::new(standard.base_url(), Credentials::bearer("canary-of-a-wrong-token")),
        ScimConfig::new(tls.base_url(), basic.clone()).root_certificates(tls.certificate()),
        ScimConfig::new("https://scim.invalid", basic).proxy(proxy()),
    ]
    .map(|config| config.retry(RetryPolicy::none()));

    let mut secrets: Vec<String> =
        ["canary-of", wats.token(), standard.token(), "c2VydmljZTpjYW5hcnk", "cHJveHk6Y2FuYXJ5"]
            .map(str::to_owned)
            .into();
    let (of_blocking, wats_config) = (configs.clone(), of_wats.clone());
    let blocking = tokio::task::spawn_blocking(move || use_secrets!(blocking, &of_blocking, &wats_config));
    secrets.extend(blocking.await.unwrap());
    secrets.extend(use_secrets!(asynchronous, &configs, &of_wats, await));

    let lines = LOGGER.0.lock().unwrap();
    let of_level = |level| lines.iter().any(|(at, ..)| *at == level);
    assert!(of_level(Level::Debug) && of_level(Level::Trace), "the logger works");
    let mut written = BTreeMap::<(Level, &str), String>::new();
    for (level, target, text) in &*lines {
        let of_target = written.entry((*level, target)).or_default();
        // The characters of a dump are in columns of 16.
        let columns: Vec<char> = text.chars().rev().take(16).collect();
        of_target.extend(columns.iter().rev());
    }
    for (level, target, text) in &*lines {
        written.entry((*level, target)).or_default().extend(["\n", text]);
    }
    let has_secret = |text: &str| secrets.iter().any(|secret| text.contains(secret));
    let leaks: Vec<_> = written.iter().filter(|(_, text)| has_secret(text)).map(|(place, _)| *place).collect();
    assert_eq!(leaks, [(Level::Trace, "ureq_proto::util")], "SECURITY.md names what logs secrets");
}
