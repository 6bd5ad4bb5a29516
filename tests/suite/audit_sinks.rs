//! Sinks of the audit trail: the log file, failures, and redaction.

use std::error::Error as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::{env, fs, io, process};

use http::Method;
use serde_json::{Value, json};
use tempfile::NamedTempFile;
use wats_scim::audit::{Event, Log, Sink, Trail};
use wats_scim::{Credentials, ErrorKind, ScimConfig, ScimPatchRequest, ScimUser, ScimWrite, WriteOutcome};
use wats_scim_sandbox::{Sandbox, StandardSandbox};

use super::audit::{Events, first_id, jane, replace};
use super::{answer, config, quick, received};
use crate::{ScimClient, maybe_async, test};

/// The events in the file of a trail.
fn lines(file: &NamedTempFile) -> Vec<Value> {
    let text = fs::read_to_string(file.path()).unwrap();
    assert!(text.ends_with('\n'), "{text}");
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[maybe_async]
#[test]
async fn no_password_and_no_credentials_are_in_the_trail() {
    // This server repeats everything it receives in its errors.
    let sandbox = StandardSandbox::builder()
        .respond_with(|request| {
            let credentials = request.headers().get("authorization")?.to_str().unwrap();
            let body = String::from_utf8_lossy(request.body()).into_owned();
            let path = request.uri().path().to_owned();
            if path.ends_with("/Bulk") {
                let sent: Value = serde_json::from_str(&body).unwrap();
                let refuse = |operation: &Value| {
                    let detail = format!("{credentials} {body}");
                    json!({ "bulkId": operation["bulkId"], "status": "400", "response": { "detail": detail } })
                };
                let refusals: Vec<Value> = sent["Operations"].as_array().unwrap().iter().map(refuse).collect();
                return Some(answer(200, "application/json", json!({ "Operations": refusals }).to_string()));
            }
            if request.method() == Method::GET {
                return None;
            }
            let (status, body) = match request.method().as_str() {
                "PUT" => (200, json!(format!("{credentials} {body}"))),
                _ => (
                    400,
                    json!({ "detail": format!("{credentials} {body}"), "scimType": format!("{credentials} {body}") }),
                ),
            };
            Some(answer(status, "application/json", body.to_string()))
        })
        .start()
        .unwrap();
    let file = NamedTempFile::new().unwrap();
    let audit = Trail::to(Log::append(file.path()).unwrap()).allow_values();
    let config = ScimConfig::new(sandbox.scim_url(), Credentials::wats_token(sandbox.token())).retry(quick());
    let client = ScimClient::with_config(&config.audit(audit)).unwrap().discover().await.unwrap();

    let user = jane().with_attribute("PassWord", "canary").with_attribute("id", "1");
    client.create_user(&user).await.unwrap_err();
    let user: ScimUser = serde_json::from_value(json!({ "id": "1", "userName": "j", "password": "canary" })).unwrap();
    client.resources::<ScimUser>().replace(&user).await.unwrap_err();
    let patches = [
        replace("password", "canary"),
        replace("urn:ietf:params:scim:schemas:core:2.0:User:Password", "canary"),
        replace("accounts[password eq \"canary\"].id", 1),
        replace("accounts[password eq \"canary", 1),
        ScimPatchRequest::new().replace("accounts", json!([{ "password": "canary" }])),
    ];
    for patch in &patches {
        client.update_user("1", patch).await.unwrap_err();
    }
    // Without a password in the request, the server's message is recorded, except the credentials.
    let engineer = replace("title", "Engineer");
    client.update_user("1", &engineer).await.unwrap_err();
    let mut user_without = user.clone();
    user_without.attributes.remove("password");
    client.resources::<ScimUser>().replace(&user_without).await.unwrap_err();
    client.update_users([("1", engineer.clone()), ("2", engineer.clone())]).run().await;
    // The error of one write of a bulk request can repeat values of the others.
    client.write_users([ScimWrite::create(user), ScimWrite::patch("1", engineer)]).run().await;

    let lines = lines(&file);
    let text = serde_json::to_string(&lines).unwrap();
    assert_eq!(lines.len(), 2 * 13 - 1, "one of the patches is not sent");
    assert!(!text.contains("canary"), "{text}");
    assert!(!text.contains(sandbox.token()) && !text.contains(sandbox.password()), "{text}");
    let operations = lines.iter().filter(|line| line.to_string().contains("Basic [redacted]"));
    let operations: Vec<_> = operations.map(|line| line["operation"].as_str().unwrap()).collect();
    assert_eq!(operations, ["update user", "update user", "update user"]);
    assert!(
        text.contains(r#""error":"could not create user: the server answered 400 Bad Request; nothing was changed""#)
    );
}

/// A sink that fails while its flag is set.
struct Failing(Arc<AtomicBool>, Events);

impl Sink for Failing {
    fn record(&self, event: &Event) -> io::Result<()> {
        if self.0.load(Ordering::SeqCst) {
            return Err(io::Error::other("the disk is full"));
        }
        self.1.0.lock().unwrap().push(event.clone());
        Ok(())
    }
}

#[maybe_async]
#[test]
async fn no_write_is_sent_without_a_record() {
    let sandbox = StandardSandbox::builder().users(2).start().unwrap();
    let (fails, events) = (Arc::new(AtomicBool::new(true)), Events::default());
    let audit = Trail::to(Failing(Arc::clone(&fails), events.clone()));
    let config = ScimConfig::new(sandbox.scim_url(), Credentials::wats_token(sandbox.token())).audit(audit.clone());
    let client = ScimClient::with_config(&config).unwrap().discover().await.unwrap();
    let id = first_id(&sandbox);
    let user = client.get_user(&id).await.unwrap().unwrap();
    sandbox.clear_requests();

    let created = client.create_user(&jane()).await.unwrap_err();
    let patched = client.deactivate_user(&id).await.unwrap_err();
    let replaced = client.resources::<ScimUser>().replace(&user).await.unwrap_err();
    let deleted = client.delete_user(&id).await.unwrap_err();
    let mut errors = vec![created, patched, replaced, deleted];
    let batch = client.delete_users([id.clone(), "missing".to_owned()]).run().await;
    errors.extend(batch.into_iter().map(|item| item.result.unwrap_err()));
    for error in &errors {
        assert_eq!((error.kind(), error.attempts(), error.is_retryable()), (ErrorKind::Trail, 0, false));
        assert_eq!(error.write_outcome(), Some(WriteOutcome::NotApplied));
        assert_eq!(error.source().unwrap().to_string(), "the disk is full");
    }
    assert_eq!(
        errors[0].to_string(),
        "could not create user: the audit trail could not be written, and no write is sent without it; \
         nothing was sent"
    );
    assert_eq!(received(&sandbox), Vec::<String>::new());
    client.get_user(&id).await.unwrap().unwrap();
    assert!(audit.flush().is_err());

    fails.store(false, Ordering::SeqCst);
    client.delete_user(&id).await.unwrap();
    assert_eq!(
        events.recorded(),
        ["create user Refused 0", "delete user Begun 0", "delete user Applied 1"],
        "the sink may have recorded the start of the first write, so its end is recorded"
    );
}

#[maybe_async]
#[test]
async fn a_write_succeeds_although_its_outcome_could_not_be_recorded() {
    let (fails, events) = (Arc::new(AtomicBool::new(false)), Events::default());
    let fail = Arc::clone(&fails);
    let sandbox = Sandbox::builder()
        .users(1)
        .respond_with(move |_| {
            fail.store(true, Ordering::SeqCst);
            None
        })
        .start()
        .unwrap();
    let audit = Trail::to(Failing(Arc::clone(&fails), events.clone()));
    let client = ScimClient::with_config(&config(&sandbox).audit(audit.clone())).unwrap();
    let id = first_id(&sandbox);
    client.deactivate_user(&id).await.unwrap();
    let error = client.delete_user(&id).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Trail);
    assert_eq!((events.recorded(), sandbox.users().len()), (vec!["update user Begun 0".to_owned()], 1));
    fails.store(false, Ordering::SeqCst);
    audit.flush().unwrap();
    assert_eq!(events.recorded(), ["update user Applied 1"]);
    client.delete_user(&id).await.unwrap();
}

#[maybe_async]
#[test]
async fn a_sink_that_panics_at_the_end_of_a_bulk_request_fails_no_write() {
    let sandbox = StandardSandbox::start().unwrap();
    let (is_broken, events) = (Arc::new(AtomicBool::new(true)), Events::default());
    let (breaks, recorded) = (Arc::clone(&is_broken), events.clone());
    let audit = Trail::to(move |event: &Event| {
        let is_end = event.outcome != wats_scim::audit::Outcome::Begun;
        assert!(!is_end || !breaks.load(Ordering::SeqCst), "the sink is broken");
        recorded.0.lock().unwrap().push(event.clone());
    });
    let config = ScimConfig::new(sandbox.scim_url(), Credentials::wats_token(sandbox.token())).audit(audit.clone());
    let client = ScimClient::with_config(&config).unwrap().discover().await.unwrap();
    let items = client.create_users(["ann", "bob", "cy"].map(ScimUser::new)).run().await;
    assert!(items.iter().all(|item| item.result.is_ok()));
    assert_eq!((sandbox.users().len(), events.recorded().len()), (3, 3));
    let error = client.create_user(&jane()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Trail);
    assert!(error.source().unwrap().to_string().contains("panicked"));
    is_broken.store(false, Ordering::SeqCst);
    audit.flush().unwrap();
    // The write that was not sent has an end, too.
    assert_eq!(events.recorded()[..3], ["create user Applied 1"; 3]);
}

#[maybe_async]
#[test]
async fn concurrent_writes_leave_complete_lines() {
    let sandbox = Sandbox::start().unwrap();
    let file = NamedTempFile::new().unwrap();
    let audit = Trail::to(Log::append(file.path()).unwrap()).allow_values();
    let client = ScimClient::with_config(&config(&sandbox).audit(audit)).unwrap();
    let users = (0..200).map(|n| ScimUser::new(format!("new{n}@example.com")).with_attribute("note", "x".repeat(3000)));
    let items = client.create_users(users).in_flight(16).run().await;
    assert!(items.iter().all(|item| item.result.is_ok()));

    let mut lines = lines(&file);
    assert_eq!(lines.len(), 400);
    lines.retain(|line| line["outcome"] == "applied");
    let mut recorded: Vec<_> = lines.iter().map(|line| (line["name"].clone(), line["id"].clone())).collect();
    let mut current: Vec<_> =
        sandbox.users().iter().map(|user| (user["userName"].clone(), user["id"].clone())).collect();
    for list in [&mut recorded, &mut current] {
        list.sort_by_key(|(name, _)| name.as_str().unwrap().to_owned());
    }
    assert_eq!(recorded, current);
}

const CHILD: &str = "WATS_SCIM_TEST_TRAIL";

/// Starts this program again and kills it when its second write reaches the server.
#[maybe_async]
#[test]
async fn the_trail_of_a_killed_program_has_the_writes_in_flight() {
    if let Some(path) = env::var_os(CHILD) {
        let sandbox = Sandbox::builder()
            .users(2)
            .respond_with(|request| if request.method() == Method::DELETE { process::abort() } else { None })
            .start()
            .unwrap();
        let audit = Trail::to(Log::append(path).unwrap());
        let client = ScimClient::with_config(&config(&sandbox).audit(audit)).unwrap();
        let id = first_id(&sandbox);
        client.deactivate_user(&id).await.unwrap();
        client.delete_user(&id).await.unwrap();
        unreachable!("the server ended the program");
    }
    let file = NamedTempFile::new().unwrap();
    for times in 1..=2 {
        let mut child = process::Command::new(env::current_exe().unwrap());
        child.args(["--exact", "suite::audit_sinks::the_trail_of_a_killed_program_has_the_writes_in_flight"]);
        let output = child.env(CHILD, file.path()).output().unwrap();
        assert!(!output.status.success(), "{output:?}");
        let lines = lines(&file);
        let recorded: Vec<_> = lines.iter().map(|line| format!("{} {}", line["operation"], line["outcome"])).collect();
        let run = [r#""update user" "begun""#, r#""update user" "applied""#, r#""delete user" "begun""#];
        assert_eq!(recorded, run.repeat(times), "{output:?}");
    }
    let lines = lines(&file);
    assert_eq!(lines[0]["write"], lines[1]["write"]);
    assert_ne!(lines[0]["write"], lines[3]["write"], "the second program is another");
}
