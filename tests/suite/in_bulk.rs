//! Steps of an apply in bulk requests, and writes of a batch for one version.

use std::sync::atomic::{AtomicBool, Ordering};

use http::{Method, StatusCode};
use serde_json::{Value, json};
use wats_scim::audit::Outcome;
use wats_scim::plan::{Journal, Leavers, Origin, Plan, Report, StepState};
use wats_scim::probe::{Check, Verdict};
use wats_scim::{Credentials, ErrorKind, Profile, ScimConfig, ScimPatchRequest, ScimUser, ScimWrite};
use wats_scim_sandbox::{Fault, FaultProxy, FaultRule, StandardSandbox};

use super::audit::Events;
use super::without_guards;
use super::{quick, received};
use crate::{ScimClient, maybe_async, test};

fn users(names: &[&str]) -> Vec<Value> {
    names.iter().map(|name| json!({ "id": name, "userName": name, "title": "T", "active": true })).collect()
}

fn titled(name: &str, title: &str) -> ScimUser {
    ScimUser::new(name).with_attribute("title", title)
}

fn config(url: &str, sandbox: &StandardSandbox) -> ScimConfig {
    let profile = Profile::standard().allow_versions_in_bulk();
    ScimConfig::new(url, Credentials::wats_token(sandbox.token())).retry(quick()).profile(profile)
}

/// A client of a server that checks versions in bulk requests.
#[maybe_async]
pub(super) async fn client(url: &str, sandbox: &StandardSandbox) -> ScimClient {
    ScimClient::with_config(&config(url, sandbox)).unwrap().discover().await.unwrap()
}

/// A plan of the users; who is not among them is deleted.
#[maybe_async]
async fn planned(client: &ScimClient, desired: &[ScimUser]) -> Plan {
    let current = client.current_users().await.unwrap();
    without_guards(client.profile()).leavers(Leavers::Delete).plan(&current, desired).unwrap()
}

/// Three joiners, two changes and a leaver of ann, bob and cy.
fn three_and_three() -> Vec<ScimUser> {
    vec![titled("ann", "Dr"), titled("bob", "Dr"), titled("dee", "T"), titled("eve", "T"), titled("flo", "T")]
}

/// The methods of the requests, with those of the operations of a bulk request.
fn sent(sandbox: &StandardSandbox) -> Vec<Vec<String>> {
    let requests = sandbox.requests();
    let methods = requests.iter().map(|request| {
        if !request.target.ends_with("/Bulk") {
            return vec![request.method.to_string()];
        }
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let operations = body["Operations"].as_array().unwrap().iter();
        operations.map(|operation| operation["method"].as_str().unwrap().to_owned()).collect()
    });
    methods.collect()
}

fn names(sandbox: &StandardSandbox) -> Vec<String> {
    let mut names: Vec<_> = sandbox.users().iter().map(|user| user["userName"].as_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

fn titles(sandbox: &StandardSandbox) -> Vec<String> {
    sandbox.users().iter().map(|user| user["title"].as_str().unwrap_or_default().to_owned()).collect()
}

fn problems(report: &Report) -> Vec<String> {
    report.problems.iter().map(|problem| format!("{}: {}", problem.step.name, problem.outcome)).collect()
}

#[maybe_async]
#[test]
async fn creations_changes_and_deletions_are_one_request() {
    let sandbox = StandardSandbox::builder().with_users(users(&["ann", "bob", "cy"])).start().unwrap();
    let client = client(sandbox.scim_url(), &sandbox).await;
    let plan = planned(&client, &three_and_three()).await;
    sandbox.clear_requests();
    let report = client.apply(plan.clone()).run().await.unwrap();
    assert_eq!((report.applied, report.is_complete()), (6, true), "{report}");
    let methods = sent(&sandbox);
    assert_eq!(methods.len(), 1, "{methods:?}");
    let with_method = |method: &str| methods[0].iter().filter(|sent| *sent == method).count();
    assert_eq!((with_method("POST"), with_method("PATCH"), with_method("DELETE")), (3, 2, 1));
    let body: Value = serde_json::from_slice(&sandbox.requests()[0].body).unwrap();
    assert_eq!(body.get("failOnErrors"), None);
    for operation in body["Operations"].as_array().unwrap() {
        assert_eq!(operation["version"].is_string(), operation["method"] != "POST", "{operation}");
    }
    assert_eq!(names(&sandbox), ["ann", "bob", "dee", "eve", "flo"]);
    let verified = client.apply(plan).verify().run().await.unwrap();
    assert!(verified.is_complete(), "{verified}");
}

#[maybe_async]
#[test]
async fn only_a_server_that_is_known_to_check_versions_in_bulk_gets_changes_there() {
    let sandbox = StandardSandbox::builder().with_users(users(&["ann", "bob", "cy"])).start().unwrap();
    let config = ScimConfig::new(sandbox.scim_url(), Credentials::wats_token(sandbox.token())).retry(quick());
    let client = ScimClient::with_config(&config).unwrap().discover().await.unwrap();
    let plan = planned(&client, &three_and_three()).await;
    sandbox.clear_requests();
    let report = client.apply(plan).in_flight(1).run().await.unwrap();
    assert_eq!((report.applied, report.is_complete()), (6, true), "{report}");
    let mut methods = sent(&sandbox);
    methods.sort();
    assert_eq!(methods, [vec!["DELETE"], vec!["PATCH"], vec!["PATCH"], vec!["POST", "POST", "POST"]]);
    let conditions = sandbox.requests().iter().filter(|request| request.headers.contains_key("if-match")).count();
    assert_eq!(conditions, 3);
}

#[maybe_async]
#[test]
async fn a_request_has_as_many_steps_as_the_server_takes_and_never_more_than_100() {
    let joiners = |count: usize| (0..count).map(|n| titled(&format!("user{n}"), "T")).collect::<Vec<_>>();
    for (limits, count, expected) in [
        ((2, 100_000), 5, vec![2, 2, 1]),
        ((1, 100_000), 2, vec![1, 1]),
        ((1000, 500), 5, vec![2, 2, 1]),
        ((1000, 1_000_000), 230, vec![100, 100, 30]),
    ] {
        let sandbox = StandardSandbox::builder().bulk_limits(limits.0, limits.1).start().unwrap();
        let client = client(sandbox.scim_url(), &sandbox).await;
        let plan = planned(&client, &joiners(count)).await;
        sandbox.clear_requests();
        let report = client.apply(plan).in_flight(1).run().await.unwrap();
        assert_eq!((report.applied, sandbox.users().len()), (count, count), "{report}");
        let sizes: Vec<_> = sent(&sandbox).iter().map(Vec::len).collect();
        assert_eq!(sizes, expected, "{limits:?}");
    }
}

#[maybe_async]
#[test]
async fn steps_are_sent_by_themselves_if_that_is_asked_for_or_a_failure_is_to_stop_them() {
    for way in 0..2 {
        let sandbox = StandardSandbox::builder().with_users(users(&["ann", "bob", "cy"])).start().unwrap();
        let client = client(sandbox.scim_url(), &sandbox).await;
        let plan = planned(&client, &three_and_three()).await;
        sandbox.clear_requests();
        let apply = client.apply(plan).in_flight(1);
        let apply = if way == 0 { apply.without_bulk() } else { apply.stop_after(1) };
        let report = apply.run().await.unwrap();
        assert_eq!(report.applied, 6, "{report}");
        assert!(sent(&sandbox).iter().all(|methods| methods.len() == 1));
        assert_eq!(sandbox.requests().len(), 6);
    }
}

#[maybe_async]
#[test]
async fn a_step_that_needs_another_one_is_in_a_later_request() {
    const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let sandbox = StandardSandbox::start().unwrap();
    let client = client(sandbox.scim_url(), &sandbox).await;
    let user = |name: &str, manager: Option<&str>| -> ScimUser {
        let manager = manager.map(|manager| json!({ "userName": manager }));
        serde_json::from_value(json!({ "userName": name, ENTERPRISE: { "manager": manager } })).unwrap()
    };
    let desired = [
        user("boss", None),
        user("cat", None),
        user("ann", Some("boss")),
        user("bob", Some("boss")),
        user("cy", Some("ann")),
    ];
    let plan = planned(&client, &desired).await;
    sandbox.clear_requests();
    let report = client.apply(plan).run().await.unwrap();
    assert_eq!((report.applied, report.is_complete()), (5, true), "{report}");
    let users = sandbox.users();
    let id = |name: &str| users.iter().find(|user| user["userName"] == name).unwrap()["id"].clone();
    for (name, manager) in [("ann", "boss"), ("bob", "boss"), ("cy", "ann")] {
        let user = users.iter().find(|user| user["userName"] == name).unwrap();
        assert_eq!(user[ENTERPRISE]["manager"]["value"], id(manager), "{name}");
    }
    let sizes: Vec<_> = sent(&sandbox).iter().map(Vec::len).collect();
    assert_eq!(sizes, [2, 2, 1]);
}

#[maybe_async]
#[test]
async fn what_another_writer_changed_is_read_and_the_other_steps_go_on() {
    let all = ["ann", "bob", "cy", "dee", "eve"];
    let sandbox = StandardSandbox::builder().with_users(users(&all)).start().unwrap();
    let client = client(sandbox.scim_url(), &sandbox).await;
    let desired: Vec<_> = all[..4].iter().chain(&["new", "taken"]).map(|name| titled(name, "Dr")).collect();
    let plan = planned(&client, &desired).await;
    let replace = |path: &str, value: &str| ScimPatchRequest::new().replace(path, value);
    client.update_user("ann", &replace("nickName", "A")).await.unwrap();
    client.update_user("bob", &replace("title", "Prof")).await.unwrap();
    client.delete_user("dee").await.unwrap();
    client.deactivate_user("eve").await.unwrap();
    client.create_user(&titled("taken", "Dr")).await.unwrap();
    sandbox.clear_requests();
    let report = client.apply(plan).run().await.unwrap();
    assert_eq!((report.applied, report.unneeded), (3, 1), "ann, cy and new; taken: {report}");
    let mut problems = problems(&report);
    problems.sort();
    assert_eq!(
        problems,
        [
            "bob: skipped: the user has changed since the plan was made; the step would now make another change: title \"Prof\" → \"Dr\"",
            "dee: skipped: the user no longer exists",
            "eve: skipped: the user was activated or deactivated since the plan was made",
        ]
    );
    assert_eq!(names(&sandbox), ["ann", "bob", "cy", "eve", "new", "taken"]);
}

#[maybe_async]
#[test]
async fn a_lost_answer_is_looked_at_and_nothing_is_done_twice() {
    for fault in [Fault::ResetAfterApplied, Fault::ResetBeforeAnswer] {
        let sandbox = StandardSandbox::builder().with_users(users(&["ann", "bob", "cy"])).start().unwrap();
        let proxy = FaultProxy::before(sandbox.scim_url()).unwrap();
        let client = client(proxy.base_url(), &sandbox).await;
        let plan = planned(&client, &three_and_three()).await;
        proxy.add_rule(FaultRule::new(fault.clone()).on_path("/Bulk").times(1));
        let report = client.apply(plan.clone()).run().await.unwrap();
        assert_eq!((report.applied, report.is_complete()), (6, true), "{fault:?}: {report}");
        assert_eq!(proxy.injected_count(), 1);
        assert_eq!(names(&sandbox), ["ann", "bob", "dee", "eve", "flo"]);
        let verified = client.apply(plan).verify().run().await.unwrap();
        assert!(verified.is_complete(), "{verified}");
    }
}

#[maybe_async]
#[test]
async fn steps_are_sent_one_by_one_if_the_request_for_all_is_rejected() {
    for code in [StatusCode::PAYLOAD_TOO_LARGE, StatusCode::FORBIDDEN, StatusCode::NOT_IMPLEMENTED] {
        let sandbox = StandardSandbox::builder().with_users(users(&["ann", "bob", "cy"])).start().unwrap();
        let proxy = FaultProxy::before(sandbox.scim_url()).unwrap();
        let client = client(proxy.base_url(), &sandbox).await;
        let plan = planned(&client, &three_and_three()).await;
        proxy.add_rule(FaultRule::new(Fault::Status { code, retry_after: None }).on_path("/Bulk"));
        sandbox.clear_requests();
        let report = client.apply(plan).run().await.unwrap();
        assert_eq!((report.applied, report.is_complete()), (6, true), "{code}: {report}");
        // What a 501 means is looked at first.
        let looks = if code.is_server_error() { 9 } else { 0 };
        assert_eq!(sandbox.requests().len(), 6 + looks, "{:?}", received(&sandbox));
    }
}

/// A server that carries out nothing of a bulk request: of each four writes, it is too busy for the first, fails at the
/// second, does not tell of the third, and rejects the fourth.
fn busy() -> StandardSandbox {
    let builder = StandardSandbox::builder().with_users(users(&["ann", "bob", "cy", "dee"]));
    let answer = |request: &http::Request<Vec<u8>>| {
        let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
        let operations = body["Operations"].as_array().filter(|_| request.uri().path().ends_with("/Bulk"))?;
        let statuses = operations.iter().zip(["429", "500", "", "400"].into_iter().cycle());
        let results = statuses.filter(|(_, status)| !status.is_empty());
        let results = results.map(|(operation, status)| json!({ "bulkId": operation["bulkId"], "status": status }));
        let body = json!({ "Operations": results.collect::<Vec<_>>() }).to_string();
        Some(super::answer(200, "application/scim+json", body))
    };
    builder.respond_with(answer).start().unwrap()
}

#[maybe_async]
#[test]
async fn each_write_of_a_request_is_retried_and_settled_as_if_it_were_sent_alone() {
    // Steps: four creations, four changes and four deletions.
    let sandbox = busy();
    let client = client(sandbox.scim_url(), &sandbox).await;
    let joiners: Vec<_> = ["eve", "flo", "gus", "hal"].iter().map(|name| titled(name, "T")).collect();
    let plan = planned(&client, &joiners).await;
    let report = client.apply(plan).run().await.unwrap();
    assert_eq!((report.applied, names(&sandbox)), (6, ["dee", "eve", "flo", "gus"].map(str::to_owned).to_vec()));
    let failed = problems(&report);
    assert!(failed.len() == 2 && failed.iter().all(|why| why.contains("400 Bad Request")), "{failed:?}");

    // Writes of a batch.
    let sandbox = busy();
    let client = self::client(sandbox.scim_url(), &sandbox).await;
    let items = client.create_users(joiners).run().await;
    let kinds: Vec<_> = items.iter().map(|item| item.result.as_ref().err().map(wats_scim::Error::kind)).collect();
    assert_eq!(kinds, [None, None, None, Some(ErrorKind::BadRequest)]);
    let patch = || ScimPatchRequest::new().replace("title", "Dr");
    let items = client.update_users(["ann", "bob", "cy", "dee"].map(|id| (id, patch()))).run().await;
    let kinds: Vec<_> = items.iter().map(|item| item.result.as_ref().err().map(wats_scim::Error::kind)).collect();
    assert_eq!(kinds, [None, None, None, Some(ErrorKind::BadRequest)]);
    assert_eq!(titles(&sandbox), ["Dr", "Dr", "Dr", "T", "T", "T", "T"]);
    assert_eq!(names(&sandbox), ["ann", "bob", "cy", "dee", "eve", "flo", "gus"]);
}

#[maybe_async]
#[test]
async fn rejected_credentials_end_the_apply_and_the_journal_has_all_steps_of_the_request() {
    let names: Vec<String> = (0..250).map(|n| format!("user{n}")).collect();
    let desired: Vec<_> = names.iter().map(|name| titled(name, "T")).collect();
    let sandbox = StandardSandbox::start().unwrap();
    let proxy = FaultProxy::before(sandbox.scim_url()).unwrap();
    let client = client(proxy.base_url(), &sandbox).await;
    let plan = planned(&client, &desired).await;
    let rejected = Fault::Status { code: StatusCode::UNAUTHORIZED, retry_after: None };
    proxy.add_rule(FaultRule::new(rejected).on_path("/Bulk").after(1).times(1));
    sandbox.clear_requests();
    let folder = tempfile::tempdir().unwrap();
    let journal = || Journal::at(folder.path().join("journal"));
    let report = client.apply(plan.clone()).journal(journal()).in_flight(1).run().await.unwrap();
    assert_eq!((report.applied, report.problems.len(), report.not_begun), (100, 100, 50), "{report}");
    assert_eq!(sent(&sandbox).len(), 1, "nothing is sent after the rejected request");
    for problem in &report.problems {
        let wats_scim::plan::Outcome::Failed(error) = &problem.outcome else { panic!("{}", problem.outcome) };
        assert_eq!(error.kind(), ErrorKind::Unauthorized);
    }
    let steps = journal().steps().unwrap();
    let with = |state: Option<StepState>| steps.iter().filter(|step| step.state == state).count();
    assert_eq!((with(Some(StepState::Applied)), with(Some(StepState::Failed)), with(None)), (100, 100, 50));
    let resumed = client.apply(plan).journal(journal()).run().await.unwrap();
    assert_eq!((resumed.applied, resumed.is_complete(), sandbox.users().len()), (150, true, 250), "{resumed}");
}

/// A server that carries bulk requests out so late that no look finds the users, and a creation fails.
fn late() -> StandardSandbox {
    let is_done = AtomicBool::new(false);
    let respond = move |request: &http::Request<Vec<u8>>| {
        let media_type = "application/scim+json";
        let path_and_query = request.uri().to_string();
        if path_and_query.ends_with("/Bulk") {
            return Some(super::answer(504, "text/plain", "the server takes long"));
        }
        if request.method() == Method::POST {
            is_done.store(true, Ordering::Relaxed);
            let taken = json!({ "status": "409", "scimType": "uniqueness", "detail": "the name is taken" });
            return Some(super::answer(409, media_type, taken.to_string()));
        }
        let (_, filter) = path_and_query.split_once("filter=")?;
        let name = if filter.contains("eve") { "eve" } else { "flo" };
        let user = json!({ "id": name, "userName": name, "title": "T", "active": true });
        // The next user is looked for by a request of its own.
        let users = if is_done.swap(false, Ordering::Relaxed) { vec![user] } else { Vec::new() };
        Some(super::answer(200, media_type, json!({ "totalResults": users.len(), "Resources": users }).to_string()))
    };
    StandardSandbox::builder().respond_with(respond).start().unwrap()
}

#[maybe_async]
#[test]
async fn what_a_lost_request_created_after_the_look_is_applied() {
    let sandbox = late();
    let client = client(sandbox.scim_url(), &sandbox).await;
    let joiners = [titled("eve", "T"), titled("flo", "T")];
    let plan = planned(&client, &joiners).await;
    let report = client.apply(plan).in_flight(1).run().await.unwrap();
    assert_eq!((report.applied, report.unneeded, report.is_complete()), (2, 0, true), "{report}");

    let items = client.create_users(joiners).in_flight(1).run().await;
    let ids: Vec<_> = items.iter().map(|item| item.result.as_ref().unwrap().as_ref().unwrap().id.clone()).collect();
    assert_eq!(ids, [Some("eve".to_owned()), Some("flo".to_owned())]);
}

/// Two bulk requests are lost, and the credentials are rejected when the first user of the first one is looked at.
#[maybe_async]
#[test]
async fn rejected_credentials_end_all_requests_in_flight() {
    const STEPS: usize = 100;
    let names: Vec<_> = (0..STEPS).map(|n| format!("user{n}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let first = std::sync::OnceLock::new();
    let respond = move |request: &http::Request<Vec<u8>>| {
        let path = request.uri().path();
        if path.ends_with("/Bulk") {
            let body: Value = serde_json::from_slice(request.body()).unwrap();
            first.get_or_init(|| body["Operations"][0]["path"].as_str().unwrap().to_owned());
            return Some(super::answer(502, "text/plain", "no answer"));
        }
        let is_rejected = first.get().is_some_and(|first| path.ends_with(first.as_str()));
        is_rejected.then(|| super::answer(401, "text/plain", "the token has expired"))
    };
    let builder = StandardSandbox::builder().with_users(users(&names)).bulk_limits(STEPS / 2, 1_000_000);
    let sandbox = builder.respond_with(respond).start().unwrap();
    let client = client(sandbox.scim_url(), &sandbox).await;
    let desired: Vec<_> = names.iter().map(|name| titled(name, "Dr")).collect();
    let plan = planned(&client, &desired).await;
    let report = client.apply(plan).in_flight(2).run().await.unwrap();
    assert!(report.applied < STEPS / 4, "{report}");
    for problem in &report.problems {
        let wats_scim::plan::Outcome::Failed(error) = &problem.outcome else { panic!("{}", problem.outcome) };
        assert_eq!(error.kind(), ErrorKind::Unauthorized);
    }
}

#[maybe_async]
#[test]
async fn each_write_has_its_row_in_the_trail() {
    let sandbox = StandardSandbox::builder().with_users(users(&["ann", "bob", "cy"])).start().unwrap();
    let events = Events::default();
    let config = config(sandbox.scim_url(), &sandbox).audit(events.audit());
    let client = ScimClient::with_config(&config).unwrap().discover().await.unwrap();
    let mut plan = planned(&client, &three_and_three()).await;
    for (line, step) in (2..).zip(&mut plan.steps) {
        step.origin = Some(Origin::row(Some("staff.csv"), line));
    }
    let expected: Vec<_> = plan.steps.iter().map(|step| step.origin.as_ref().map(ToString::to_string)).collect();
    sandbox.clear_requests();
    let report = client.apply(plan).run().await.unwrap();
    assert!(report.is_complete(), "{report}");
    assert_eq!(sent(&sandbox).len(), 1);
    let events = events.take();
    for outcome in [Outcome::Begun, Outcome::Applied] {
        let origins = events.iter().filter(|event| event.outcome == outcome).map(|event| event.origin.clone());
        assert_eq!(origins.collect::<Vec<_>>(), expected);
    }
}

#[maybe_async]
#[test]
async fn a_write_of_a_batch_is_for_its_version_only_and_has_its_row_in_the_trail() {
    for is_checked in [true, false] {
        let sandbox = StandardSandbox::builder().with_users(users(&["ann", "bob", "cy"])).start().unwrap();
        let events = Events::default();
        let config = config(sandbox.scim_url(), &sandbox).audit(events.audit());
        let config = if is_checked { config } else { config.profile(Profile::standard()) };
        let client = ScimClient::with_config(&config).unwrap().discover().await.unwrap();
        let ann = client.get_user("ann").await.unwrap().unwrap();
        let version = ann.meta.unwrap().version.unwrap();
        let change = |id: &str| ScimWrite::patch(id, ScimPatchRequest::new().replace("title", "Dr"));
        let writes = [
            change("ann").in_version(version).with_origin("line 2"),
            change("bob").in_version("W/\"old\"").with_origin("line 3"),
            ScimWrite::delete("cy").in_version("W/\"old\"").with_origin("line 4"),
            ScimWrite::create(ScimUser::new("dee")).with_origin("line 5"),
        ];
        sandbox.clear_requests();
        let items = client.write_users(writes).in_flight(1).run().await;
        let kinds: Vec<_> = items.iter().map(|item| item.result.as_ref().err().map(wats_scim::Error::kind)).collect();
        let changed = Some(ErrorKind::PreconditionFailed);
        assert_eq!(kinds, [None, changed, changed, None]);
        assert_eq!(titles(&sandbox), ["Dr", "T", "T", ""]);
        assert_eq!(sent(&sandbox).len(), if is_checked { 1 } else { 4 }, "unchecked versions are not sent in bulk");
        let events = events.take();
        let ended = events.iter().filter(|event| event.outcome != Outcome::Begun);
        let ended: Vec<_> = ended.map(|event| (event.origin.as_deref().unwrap(), event.outcome)).collect();
        let (applied, refused) = (Outcome::Applied, Outcome::Refused);
        assert_eq!(ended, [("line 2", applied), ("line 3", refused), ("line 4", refused), ("line 5", applied)]);
    }
}

#[maybe_async]
#[test]
async fn a_write_for_a_version_is_not_sent_to_a_server_without_versions() {
    let sandbox = super::always(200, "application/scim+json", r#"{"etag":{"supported":false}}"#);
    let config = super::config(&sandbox).profile(Profile::standard());
    let client = ScimClient::with_config(&config).unwrap().discover().await.unwrap();
    sandbox.clear_requests();
    let items = client.write_users([ScimWrite::set_active("ann", false).in_version("W/\"1\"")]).run().await;
    assert_eq!(items[0].result.as_ref().unwrap_err().kind(), ErrorKind::Unsupported);
    assert_eq!(sandbox.requests().len(), 0);
}

#[maybe_async]
#[test]
async fn a_probe_finds_out_whether_versions_are_checked_in_bulk() {
    let servers = [
        (StandardSandbox::builder(), Some(Verdict::Yes)),
        (StandardSandbox::builder().ignore_versions_in_bulk(), Some(Verdict::No)),
        (StandardSandbox::builder().without_bulk(), None),
    ];
    for (server, expected) in servers {
        let sandbox = server.with_users(users(&["ann", "bob"])).start().unwrap();
        // What it measures replaces what the profile says.
        let client = client(sandbox.scim_url(), &sandbox).await;
        let report = client.probe().allow_writes().run().await.unwrap();
        let finding = report.finding(Check::VersionsInBulk).map(|finding| finding.verdict);
        assert_eq!(finding, expected, "{report}");
        assert_eq!(sandbox.users().len(), 2);

        let config = config(sandbox.scim_url(), &sandbox).profile(report.profile());
        let client = ScimClient::with_config(&config).unwrap();
        let plan = planned(&client, &[titled("ann", "Dr"), titled("bob", "Dr")]).await;
        sandbox.clear_requests();
        let report = client.apply(plan).in_flight(1).run().await.unwrap();
        assert_eq!(report.applied, 2, "{report}");
        assert_eq!(sent(&sandbox).len(), if expected == Some(Verdict::Yes) { 1 } else { 2 });
        assert!(sandbox.requests().iter().all(|request| request.method != Method::GET));
    }
}
