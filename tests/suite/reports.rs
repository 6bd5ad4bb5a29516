//! Errors, reports, trails and journals as data.

use serde_json::{Value, json, to_value};
use wats_scim::audit::{Event, Log, Outcome, Trail};
use wats_scim::plan::{Action, Current, Journal, Leavers, Policy, StepState};
use wats_scim::{Credentials, ErrorKind, Profile, ScimConfig, ScimUser, ScimWrite};
use wats_scim_sandbox::{Sandbox, StandardSandbox};

use crate::api::ScimService;
use crate::{ScimClient, answering, maybe_async, test};

#[maybe_async]
#[test]
async fn an_error_is_json_without_secrets() {
    let sandbox = Sandbox::start().unwrap();
    let client = super::client(&sandbox);
    let jane = ScimUser::new("jane").with_attribute("password", "canary");
    client.create_user(&jane).await.unwrap();
    let error = client.create_user(&jane).await.unwrap_err();
    let shown = to_value(error.clone()).unwrap();
    assert_eq!(shown["message"], error.to_string());
    let expected = json!({
        "kind": "conflict", "operation": "create user", "status": 409, "scimType": "uniqueness",
        "outcome": "notApplied", "attempts": 1,
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&shown[name], value, "{name}");
    }
    assert!(shown["detail"].is_string() && shown.get("retryAfter").is_none());
    for secret in ["canary", sandbox.token(), sandbox.password()] {
        assert!(!shown.to_string().contains(secret), "{shown}");
    }
}

#[maybe_async]
#[test]
async fn an_error_passes_through_a_scim_service_in_front() {
    let sandbox = Sandbox::start().unwrap();
    let client = super::client(&sandbox);
    client.create_user(&ScimUser::new("jane")).await.unwrap();
    let taken = client.create_user(&ScimUser::new("jane")).await.unwrap_err();
    let absent = client.delete_user("missing").await.unwrap_err();
    let unusable = client.get_user("..").await.unwrap_err();
    for (error, kind) in
        [(taken, ErrorKind::Conflict), (absent, ErrorKind::NotFound), (unusable, ErrorKind::BadRequest)]
    {
        let (status, body) = (error.kind().http_status(), error.to_scim().to_string());
        let front = answering(move |_| super::answer(status.as_u16(), "application/scim+json", body.clone()));
        let config = ScimConfig::new("https://acme.wats.com", Credentials::wats_token("dTpw"));
        let front = ScimService::with_http_client(&config, front).unwrap();
        let seen = front.delete_user("1").await.unwrap_err();
        assert_eq!((seen.kind(), seen.scim_type()), (kind, error.scim_type()));
        assert!(seen.detail().is_some(), "{error}");
    }
}

#[maybe_async]
#[test]
async fn the_results_of_a_batch_are_lines_of_a_report() {
    let sandbox = Sandbox::start().unwrap();
    let jane = ScimUser::new("jane").with_external_id("7").with_attribute("password", "canary");
    let writes = [
        ScimWrite::create_as("j", jane.clone()),
        ScimWrite::set_active("bulkId:j", false),
        ScimWrite::create(jane),
        ScimWrite::delete("missing"),
    ];
    let items = super::client(&sandbox).write_users(writes).in_flight(1).run().await;
    let lines: Vec<Value> = items.iter().map(|item| to_value(item).unwrap()).collect();
    let outcomes: Vec<_> = lines.iter().map(|line| line["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["applied", "applied", "notApplied", "notApplied"]);
    assert_eq!(lines[0]["id"], sandbox.users()[0]["id"]);
    assert_eq!(
        (&lines[0]["bulkId"], &lines[0]["name"], &lines[0]["externalId"]),
        (&json!("j"), &json!("jane"), &json!("7"))
    );
    assert_eq!((&lines[2]["error"]["kind"], &lines[3]["id"]), (&json!("conflict"), &json!("missing")));
    assert!(!json!(lines).to_string().contains("canary"));
}

#[maybe_async]
#[test]
async fn progress_and_profiles_are_json() {
    let sandbox = Sandbox::builder().users(3).start().unwrap();
    let (sender, pages) = std::sync::mpsc::channel();
    let mut users = super::client(&sandbox).iter_users().on_page(move |page| sender.send(page).unwrap());
    let first = users.try_next().await;
    first.unwrap();
    let page = to_value(pages.recv().unwrap()).unwrap();
    assert_eq!(page, json!({ "done": 3, "failed": 0, "total": 3, "pages": 1 }));
    let profile = to_value(Profile::wats()).unwrap();
    assert_eq!((&profile["name"], &profile["endpoints"]), (&json!("WATS"), &json!(["Users"])));
    assert_eq!((&profile["pagesByCursor"], &profile["bulk"]), (&json!(false), &json!(null)));
}

#[maybe_async]
#[test]
async fn a_trail_is_read_as_it_was_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trail");
    let (sender, recorded) = std::sync::mpsc::channel();
    let servers = [Sandbox::start().unwrap(), Sandbox::start().unwrap()];
    for sandbox in &servers {
        let (log, sender) = (Log::append(&path).unwrap(), sender.clone());
        let trail = Trail::to(move |event: &Event| {
            wats_scim::audit::Sink::record(&log, event).unwrap();
            sender.send(event.clone()).unwrap();
        });
        let config = super::config(sandbox).audit(trail.allow_values().label("ann"));
        let client = ScimClient::with_config(&config).unwrap();
        let jane = client.create_user(&ScimUser::new("jane")).await.unwrap();
        client.deactivate_user(&jane).await.unwrap();
        client.delete_user("missing").await.unwrap_err();
    }
    let mut events = Trail::read(&path).unwrap();
    let read: Vec<Event> = events.by_ref().map(Result::unwrap).collect();
    assert_eq!((events.skipped(), read.len()), (0, 12));
    for (read, recorded) in read.iter().zip(recorded.try_iter()) {
        // A file has microseconds.
        assert_eq!(read.at.timestamp_micros(), recorded.at.timestamp_micros());
        assert_eq!(to_value(read).unwrap(), to_value(&recorded).unwrap());
    }
    let origins: Vec<_> = read.iter().map(|event| event.server.as_str()).collect();
    assert!(origins[..6].iter().all(|origin| *origin == servers[0].base_url()), "{origins:?}");
    assert!(origins[6..].iter().all(|origin| *origin == servers[1].base_url()), "{origins:?}");
    assert_eq!(read[5].outcome, Outcome::Refused);
}

#[maybe_async]
#[test]
async fn a_journal_tells_the_last_state_of_each_step() {
    let sandbox = StandardSandbox::start().unwrap();
    let config = ScimConfig::new(sandbox.scim_url(), Credentials::bearer(sandbox.token()));
    let client = ScimClient::with_config(&config).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::at(folder.path().join("journal"));
    assert_eq!(journal.steps().unwrap(), []);

    let empty = Current::complete(Vec::new());
    let desired = ["ann", "bob", "eve"].map(|name| ScimUser::new(name).with_display_name(name));
    let plan = Policy::new(client.profile()).leavers(Leavers::Keep).plan(&empty, &desired).unwrap();
    // Another person has the name meanwhile.
    client.create_user(&ScimUser::new("bob").with_display_name("Another")).await.unwrap();
    let report = client.apply(plan).journal(journal.clone()).in_flight(1).stop_after(1).run().await.unwrap();
    let steps = journal.steps().unwrap();
    let states: Vec<_> = steps.iter().map(|step| step.state).collect();
    assert_eq!(states, [Some(StepState::Applied), Some(StepState::Skipped), None]);
    assert!(steps[0].id.is_some() && steps[0].at.is_some() && steps[0].step.action == Action::Create);
    let shown = to_value(&steps).unwrap();
    assert_eq!((&shown[0]["state"], &shown[0]["name"]), (&json!("applied"), &json!("ann")));
    let report = to_value(&report).unwrap();
    for problem in report["problems"].as_array().unwrap() {
        let number = usize::try_from(problem["number"].as_u64().unwrap()).unwrap();
        assert_eq!(problem["reason"].as_str(), steps[number].reason.as_deref());
    }
    assert_eq!((&report["applied"], &report["notBegun"]), (&json!(1), &json!(1)));
}
