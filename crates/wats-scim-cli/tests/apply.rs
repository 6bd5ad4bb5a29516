//! `show`, `plan diff`, `apply`, `approve` and `undo`.

mod support;

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use support::Home;
use wats_scim::blocking::ScimClient;
use wats_scim::http::{Method, Response, StatusCode};
use wats_scim::plan::{Journal, Ours, Plan, Policy, StepState};
use wats_scim::{Credentials, Profile, ScimConfig, ScimUser};
use wats_scim_sandbox::{Fault, FaultProxy, FaultRule, StandardSandbox};

fn server(users: usize) -> StandardSandbox {
    StandardSandbox::builder().users(users).start().unwrap()
}

fn client(url: &str, token: &str) -> ScimClient {
    let config = ScimConfig::new(url, Credentials::bearer(token)).profile(Profile::standard()).no_proxy();
    ScimClient::with_config(&config).unwrap().discover().unwrap()
}

fn user(json: Value) -> ScimUser {
    serde_json::from_value(json).unwrap()
}

/// The users with these names.
fn named(names: &[&str]) -> Vec<ScimUser> {
    names.iter().map(|name| ScimUser::new(*name)).collect()
}

/// The names of the first users of a server.
fn sample(numbers: impl IntoIterator<Item = usize>) -> Vec<ScimUser> {
    numbers.into_iter().map(|n| ScimUser::new(format!("user{n:04}@example.com"))).collect()
}

/// A plan for the users that the server should have.
fn plan(url: &str, token: &str, desired: &[ScimUser]) -> Plan {
    let client = client(url, token);
    let policy = Policy::new(client.profile()).ours(Ours::Everybody);
    policy.plan(&client.current_users().unwrap(), desired).unwrap()
}

fn plan_for(server: &StandardSandbox, desired: &[ScimUser]) -> Plan {
    plan(server.scim_url(), server.token(), desired)
}

fn store(home: &Home, name: &str, plan: &Plan) {
    home.write(name, serde_json::to_string_pretty(plan).unwrap());
}

/// The names of the active users.
fn active(server: &StandardSandbox) -> Vec<String> {
    let mut names: Vec<_> = server.users().iter().filter(|user| user["active"] != false).map(name).collect();
    names.sort();
    names
}

fn name(user: &Value) -> String {
    user["userName"].as_str().unwrap().to_owned()
}

fn writes(server: &StandardSandbox) -> usize {
    server.requests().iter().filter(|request| request.method != Method::GET).count()
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;

    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[cfg(not(unix))]
fn mode(_: &Path) -> u32 {
    0o600
}

#[test]
fn a_plan_is_shown_for_review_in_each_format() {
    let (server, home) = (server(3), Home::new());
    let plan = plan_for(&server, &[sample(1..=2), named(&["ann"])].concat());
    store(&home, "plan.json", &plan);
    let text = home.run(&["show", "plan.json"]).done();
    assert!(text.contains("+ ann  create") && text.ends_with(&format!("digest {}\n", plan.digest())), "{text}");
    let markdown = home.run(&["show", "plan.json", "-o", "markdown"]).done();
    assert!(markdown.contains("| create | 1 |") && markdown.contains(&plan.digest()), "{markdown}");
    let json = home.run(&["show", "plan.json", "-o", "json"]).done();
    assert_eq!(serde_json::from_str::<Plan>(&json).unwrap().digest(), plan.digest());
}

#[test]
fn a_plan_is_shown_in_public_without_names() {
    let (server, home) = (server(3), Home::new());
    let plan = plan_for(&server, &[sample(1..=2), named(&["canary"])].concat());
    store(&home, "plan.json", &plan);
    for format in ["text", "markdown", "json"] {
        let shown = home.run(&["show", "plan.json", "--public", "-o", format]).done();
        assert!(!shown.contains("canary") && !shown.contains("user0003"), "{shown}");
        assert!(shown.contains(&plan.digest()), "{format}: {shown}");
    }
}

#[test]
fn a_file_that_is_no_plan_is_an_error_that_names_it() {
    let (server, home) = (server(0), Home::new());
    store(&home, "plan.json", &plan_for(&server, &named(&["ann"])));
    home.write("edited.json", home.read("plan.json").replace("\"ann\"", "\"eve\""));
    home.write("other.json", "{}");
    for (file, expected) in [
        ("missing.json", "missing.json: "),
        ("other.json", "other.json: missing field"),
        ("edited.json", "edited.json: the plan was edited after it was stored"),
    ] {
        let error = home.run(&["show", file]).failed(1);
        assert!(error.contains(expected) && !error.contains("::"), "{error}");
    }
}

#[test]
fn two_plans_are_compared() {
    let (server, home) = (server(2), Home::new());
    store(&home, "a.json", &plan_for(&server, &[sample(1..=2), named(&["ann"])].concat()));
    store(&home, "b.json", &plan_for(&server, &[sample(1..=2), named(&["ann", "bob"])].concat()));
    let diff = home.run(&["plan", "diff", "a.json", "b.json"]).done();
    assert!(diff.starts_with("1 steps added, 0 removed, 0 changed\nadded    + bob"), "{diff}");
    home.run(&["plan", "diff", "a.json", "b.json", "--detailed-exitcode"]).failed(2);
    home.run(&["plan", "diff", "a.json", "a.json", "--detailed-exitcode"]).done();
}

#[test]
fn a_plan_is_applied_once() {
    let server = server(4);
    let home = Home::of_standard(&server);
    store(&home, "plan.json", &plan_for(&server, &[sample(1..=3), named(&["ann"])].concat()));
    let out = home.run(&["apply", "plan.json", "--yes"]).done();
    assert_eq!(out, "2 applied\n");
    assert_eq!(active(&server), ["ann", "user0001@example.com", "user0002@example.com", "user0003@example.com"]);
    assert_eq!(mode(&home.path().join("plan.journal")), 0o600);
    server.clear_requests();
    let again = home.run(&["apply", "plan.json"]);
    assert!(again.err.contains("The plan was applied before; its journal is plan.journal"), "{again:?}");
    assert_eq!(again.done(), "0 applied, 2 done before\n");
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn a_report_is_json_if_asked_for() {
    let server = server(0);
    let home = Home::of_standard(&server);
    let plan = plan_for(&server, &named(&["ann"]));
    store(&home, "plan.json", &plan);
    let report: Value = serde_json::from_str(&home.run(&["apply", "plan.json", "-y", "-o", "json"]).done()).unwrap();
    assert_eq!((&report["applied"], &report["isComplete"]), (&json!(1), &json!(true)));
    assert_eq!((&report["digest"], &report["differs"]), (&json!(plan.digest()), &json!([])));
}

#[test]
fn without_a_terminal_nothing_is_asked_and_nothing_written() {
    let server = server(20);
    let home = Home::of_standard(&server);
    let client = client(server.scim_url(), server.token());
    let policy = Policy::new(client.profile()).ours(Ours::Everybody).max_deactivation_percent(100);
    let plan = policy.plan(&client.current_users().unwrap(), &[sample(1..=8), named(&["ann"])].concat()).unwrap();
    store(&home, "plan.json", &plan);
    let error = home.run(&["apply", "plan.json"]).failed(64);
    assert!(error.contains("1 create") && error.contains("12 deactivate") && error.contains("--yes"), "{error}");
    assert!(error.contains(server.scim_url()), "{error}");
    assert_eq!((writes(&server), home.path().join("plan.journal").exists()), (0, false));
}

#[test]
fn a_plan_without_steps_is_done() {
    let server = server(2);
    let home = Home::of_standard(&server);
    store(&home, "plan.json", &plan_for(&server, &sample(1..=2)));
    let ended = home.run(&["apply", "plan.json"]);
    assert!(ended.err.contains("nothing to do"), "{ended:?}");
    assert_eq!(ended.done(), "0 applied\n");
}

#[test]
fn a_check_says_what_would_be_done_and_writes_nothing() {
    let server = server(0);
    let home = Home::of_standard(&server);
    let desired = [ScimUser::new("ann").with_external_id("1"), ScimUser::new("bob").with_external_id("2")];
    store(&home, "plan.json", &plan_for(&server, &desired));
    assert_eq!(home.run(&["apply", "plan.json", "--check"]).done(), "0 applied, 2 planned\n");
    assert_eq!((writes(&server), home.path().join("plan.journal").exists()), (0, false));
    client(server.scim_url(), server.token()).create_user(&ScimUser::new("ann").with_external_id("other")).unwrap();
    let ended = home.run(&["apply", "plan.json", "--check"]);
    assert!(ended.out.starts_with("0 applied, 1 planned, 1 skipped"), "{ended:?}");
    assert!(ended.failed(4).contains("1 steps would not be done; make a new plan"));
}

#[test]
fn a_part_of_a_plan_has_a_journal_of_its_own() {
    let server = server(4);
    let home = Home::of_standard(&server);
    let plan = plan_for(&server, &[sample(1..=3), named(&["ann", "bob"])].concat());
    store(&home, "plan.json", &plan);
    assert_eq!(home.run(&["apply", "plan.json", "--user", "ANN", "-y"]).done(), "1 applied\n");
    assert_eq!(home.run(&["apply", "plan.json", "--only", "deactivate,delete-group", "-y"]).done(), "1 applied\n");
    assert!(!home.path().join("plan.journal").exists());
    let part = plan.clone().for_user("ann").digest();
    assert!(home.path().join(format!("plan.{}.journal", &part[..12])).exists());
    assert_eq!(home.run(&["apply", "plan.json", "-y"]).done(), "1 applied, 2 not needed any more\n");
    assert!(
        home.run(&["apply", "plan.json", "--user", "eve", "-y"]).failed(1).contains("no step for the user \"eve\"")
    );
    assert!(home.run(&["apply", "plan.json", "--only", "kill"]).failed(64).contains("free-name"));
}

#[test]
fn a_plan_that_is_too_old_or_for_another_server_is_rejected() {
    let (server, other) = (server(0), self::server(0));
    let home = Home::of_standard(&server);
    let mut old = plan_for(&server, &named(&["ann"]));
    old.made_at = old.made_at.map(|at| at - chrono::TimeDelta::hours(3));
    store(&home, "old.json", &old);
    store(&home, "elsewhere.json", &plan_for(&other, &named(&["bob"])));
    let error = home.run(&["apply", "old.json", "-y", "--max-age", "2h"]).failed(3);
    assert!(error.contains("180 minutes ago, and --max-age is 120 minutes"), "{error}");
    let error = home.run(&["apply", "elsewhere.json", "-y"]).failed(3);
    assert!(error.contains(other.scim_url()) && error.contains("--allow-other-server"), "{error}");
    assert_eq!(writes(&server), 0);
    assert!(!home.path().join("old.journal").exists());
    home.run(&["apply", "old.json", "-y", "--max-age", "4h"]).done();
    home.run(&["apply", "elsewhere.json", "-y", "--allow-other-server"]).done();
    assert_eq!(active(&server), ["ann", "bob"]);
}

#[test]
fn an_approval_admits_exactly_one_plan() {
    let server = server(0);
    let home = Home::of_standard(&server).with("WATS_SCIM_REQUIRE_APPROVAL", "1");
    let plan = plan_for(&server, &named(&["ann"]));
    store(&home, "plan.json", &plan);
    let error = home.run(&["apply", "plan.json", "-y"]).failed(3);
    assert!(error.contains(&format!("wats-scim approve {} --out plan.approval.json", plan.digest())), "{error}");

    store(&home, "other.json", &plan_for(&server, &named(&["bob"])));
    home.run(&["approve", "other.json", "--out", "plan.approval.json"]).done();
    home.run(&["apply", "plan.json", "-y"]).failed(3);
    assert!(home.run(&["apply", "plan.json", "-y", "--approved", "0"]).failed(3).contains("have this one reviewed"));
    assert_eq!(writes(&server), 0);

    let approved = home.run(&["approve", "plan.json", "--reason", "ticket 7", "--label", "eve@desk"]).done();
    assert_eq!(approved.trim(), plan.digest());
    let approval: Value = serde_json::from_str(&home.read("plan.approval.json")).unwrap();
    assert_eq!((&approval["approvedBy"], &approval["reason"]), (&json!("eve@desk"), &json!("ticket 7")));
    let ended = home.run(&["apply", "plan.json", "-y"]);
    assert!(ended.err.contains("Approved by eve@desk at ") && ended.err.contains("ticket 7"), "{ended:?}");
    ended.done();
}

#[test]
fn a_digest_is_approved_without_the_plan() {
    let server = server(0);
    let home = Home::of_standard(&server);
    let plan = plan_for(&server, &named(&["ann"]));
    store(&home, "plan.json", &plan);
    assert!(home.run(&["approve", &plan.digest()]).failed(64).contains("--out"));
    home.run(&["approve", &plan.digest(), "--out", "ok.json"]).done();
    home.run(&["apply", "plan.json", "-y", "--require-approval"]).failed(3);
    home.run(&["apply", "plan.json", "-y", "--require-approval", "--approval", "ok.json"]).done();
    assert!(home.run(&["approve", "nothing"]).failed(1).contains("nothing: "));
}

#[test]
fn the_finished_journal_of_the_plan_before_is_kept_under_another_name() {
    let server = server(0);
    let home = Home::of_standard(&server);
    let first = plan_for(&server, &named(&["ann"]));
    store(&home, "plan.json", &first);
    home.run(&["apply", "plan.json", "-y"]).done();
    store(&home, "plan.json", &plan_for(&server, &named(&["ann", "bob"])));
    let kept = format!("plan.{}.journal", &first.digest()[..12]);
    let ended = home.run(&["apply", "plan.json", "-y"]);
    assert!(ended.err.contains(&kept), "{ended:?}");
    assert_eq!(ended.done(), "1 applied\n");
    let undo = home.run(&["undo", &kept, "-o", "undo.json"]).done();
    assert!(undo.contains("- ann  deactivate"), "{undo}");
}

#[test]
fn the_unfinished_journal_of_another_plan_is_resumed_or_set_aside() {
    let server = server(0);
    let home = Home::of_standard(&server);
    let first = plan_for(&server, &named(&["ann", "bob"]));
    store(&home, "plan.json", &first);
    let journal = Journal::at(home.path().join("plan.journal")).keep_before();
    let client = client(server.scim_url(), server.token());
    client.apply(first).journal(journal.clone()).stop_when(|| true).run().unwrap();
    store(&home, "plan.json", &plan_for(&server, &named(&["cy"])));
    let error = home.run(&["apply", "plan.json", "-y"]).failed(1);
    let expected = "plan.journal is the journal of another plan, of which 0 of 2 steps are done; resume that one with \
                    `wats-scim apply plan.journal`, or give --set-aside";
    assert!(error.contains(expected), "{error}");
    assert_eq!(home.run(&["apply", "plan.json", "--check"]).done(), "0 applied, 1 planned\n");
    assert_eq!(writes(&server), 0);

    let copy = home.write("copy.journal", home.read("plan.journal"));
    assert_eq!(home.run(&["apply", "copy.journal", "-y"]).done(), "2 applied\n");
    assert!(Journal::at(copy).steps().unwrap().iter().all(|step| step.state == Some(StepState::Applied)));
    assert_eq!(home.run(&["apply", "plan.json", "-y", "--set-aside"]).done(), "1 applied\n");
    assert_eq!(active(&server), ["ann", "bob", "cy"]);
}

#[test]
fn what_was_not_done_is_a_source_again_and_the_same_command_resumes() {
    let server = server(0);
    let home = Home::of_standard(&server);
    let desired = [ScimUser::new("ann").with_external_id("1"), ScimUser::new("bob").with_external_id("2")];
    store(&home, "plan.json", &plan_for(&server, &desired));
    let client = client(server.scim_url(), server.token());
    let other = client.create_user(&ScimUser::new("ann").with_external_id("3")).unwrap();
    let ended = home.run(&["apply", "plan.json", "-y"]);
    assert!(ended.out.starts_with("1 applied, 1 skipped, blocked or failed\n+ ann (1)  create"), "{ended:?}");
    assert!(ended.err.contains("plan.rejects.json"), "{ended:?}");
    assert!(ended.failed(4).contains("1 of 2 steps are not done or not kept; the same command"));
    let rejects: Vec<ScimUser> = serde_json::from_str(&home.read("plan.rejects.json")).unwrap();
    assert_eq!((rejects.len(), rejects[0].user_name.as_deref()), (1, Some("ann")));
    assert_eq!(mode(&home.path().join("plan.rejects.json")), 0o600);
    client.delete_user(other.id.as_deref().unwrap()).unwrap();
    assert_eq!(home.run(&["apply", "plan.json", "-y"]).done(), "1 applied, 1 done before\n");
}

#[test]
fn expired_credentials_end_an_apply_and_the_same_command_resumes() {
    let server = server(0);
    let expired = Fault::Status { code: StatusCode::UNAUTHORIZED, retry_after: None };
    let rule = FaultRule::new(expired).on_method(Method::POST).after(1).times(1);
    let proxy = FaultProxy::builder(server.scim_url()).with_rule(rule).start().unwrap();
    let home = Home::new().with("SCIM_URL", proxy.base_url()).with("SCIM_TOKEN", server.token());
    store(&home, "plan.json", &plan(proxy.base_url(), server.token(), &named(&["ann", "bob", "cy"])));
    let ended = home.run(&["apply", "plan.json", "-y", "--in-flight", "1", "--no-bulk"]);
    assert!(ended.out.contains("1 not begun"), "{ended:?}");
    assert!(ended.failed(5).contains("The same command resumes."));
    assert!(!home.path().join("plan.rejects.json").exists(), "there is nothing to mend");
    assert_eq!(home.run(&["apply", "plan.json", "-y"]).done(), "2 applied, 1 done before\n");
    let created = server.requests().into_iter().filter(|request| request.method == Method::POST).count();
    assert_eq!(created, 3);
}

#[test]
fn a_server_that_cannot_be_reached_has_its_exit_code() {
    let server = server(0);
    // No server is at this port, which no test is given either.
    let nowhere = "http://127.0.0.1:9";
    let home = Home::new().with("SCIM_URL", nowhere).with("SCIM_TOKEN", server.token());
    let mut plan = plan_for(&server, &named(&["ann"]));
    plan.server = Some(nowhere.to_owned());
    store(&home, "plan.json", &plan);
    home.run(&["apply", "plan.json", "-y", "--timeout", "1"]).failed(6);
    assert!(!home.path().join("plan.journal").exists());
}

#[test]
fn what_differs_after_an_apply_is_reported() {
    let ann = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": "7", "userName": "ann", "title": "Old" });
    let body = ann.to_string();
    // As if another program had changed the user back.
    let server = StandardSandbox::builder().with_users([ann]).respond_with(move |request| {
        let is_read_again = request.method() == Method::GET && request.uri().path().ends_with("/Users/7");
        is_read_again.then(|| Response::new(body.clone().into_bytes()))
    });
    let server = server.start().unwrap();
    let home = Home::of_standard(&server);
    let plan = plan_for(&server, &[user(json!({ "userName": "ann", "title": "Dr" }))]);
    store(&home, "plan.json", &plan);
    let ended = home.run(&["apply", "plan.json", "-y"]);
    assert!(ended.out.starts_with("1 applied\n~ ann  update: title"), "{ended:?}");
    assert!(ended.out.ends_with("    differs: title\n"), "{ended:?}");
    assert!(ended.failed(4).contains("1 steps are not as planned now"));
    store(&home, "again.json", &plan);
    home.run(&["apply", "again.json", "-y", "--no-verify"]).done();
}

#[test]
fn an_apply_is_taken_back() {
    let server = server(4);
    let home = Home::of_standard(&server);
    let before = active(&server);
    let changed = user(json!({ "userName": "user0001@example.com", "title": "Dr" }));
    store(&home, "plan.json", &plan_for(&server, &[vec![changed], sample(2..=3), named(&["ann"])].concat()));
    assert_eq!(home.run(&["apply", "plan.json", "-y"]).done(), "3 applied\n");
    let ended = home.run(&["undo", "plan.json"]);
    assert!(ended.err.contains("wats-scim apply plan.undo.json"), "{ended:?}");
    assert!(ended.done().contains("1 to reactivate, 1 to deactivate"));
    assert_eq!(mode(&home.path().join("plan.undo.json")), 0o600);
    assert_eq!(home.run(&["apply", "plan.undo.json", "-y"]).done(), "3 applied\n");
    assert_eq!(active(&server), before);
    assert!(server.users().iter().all(|user| user["title"] != "Dr"));
    let again = home.run(&["undo", "plan.journal", "-o", "again.json"]);
    assert!(again.err.contains("nothing to take back"), "{again:?}");
    assert!(home.run(&["undo", "plan.undo.approval"]).failed(1).contains("plan.undo.approval"));
}

#[test]
fn an_undo_that_looks_destructive_is_rejected_with_the_arguments_that_allow_it() {
    let server = server(0);
    let home = Home::of_standard(&server);
    let names: Vec<_> = (0..10).map(|n| format!("new{n}")).collect();
    let desired: Vec<_> = names.iter().map(ScimUser::new).collect();
    store(&home, "plan.json", &plan_for(&server, &desired));
    home.run(&["apply", "plan.json", "-y"]).done();
    let error = home.run(&["undo", "plan.journal"]).failed(3);
    let allowed: Vec<_> = error.trim().split_once("add --").unwrap().1.split_whitespace().collect();
    assert!(!home.path().join("plan.undo.json").exists());
    let allowed = [&["undo", "plan.journal", "--allow"], &allowed[1..]].concat();
    home.run(&allowed).done();
    home.run(&["apply", "plan.undo.json", "-y"]).done();
    assert_eq!(active(&server), [""; 0]);
}

#[test]
fn passwords_that_a_plan_does_not_store_are_asked_for_by_the_argument() {
    let server = server(0);
    let home = Home::of_standard(&server);
    let source = r#"[{ "userName": "ann", "password": "canary" }]"#;
    home.write("users.json", source);
    home.run(&["plan", "users.json", "-o", "plan.json"]).done();
    assert!(home.run(&["apply", "plan.json", "-y"]).failed(3).contains("plan --store-passwords"));
    home.run(&["plan", "users.json", "-o", "plan.json", "--store-passwords"]).done();
    home.run(&["apply", "plan.json", "-y", "--set-aside"]).done();
    assert_eq!(active(&server), ["ann"]);
    assert!(
        !home.read("trail.jsonl").contains("canary") && !home.read("plan.journal").contains("\"before\":{\"password")
    );
}

#[test]
fn rejects_are_mended_and_planned_again() {
    let server = server(3);
    let home = Home::of_standard(&server);
    let desired = [sample(1..=3), vec![ScimUser::new("ann").with_external_id("1")]].concat();
    store(&home, "plan.json", &plan_for(&server, &desired));
    client(server.scim_url(), server.token()).create_user(&ScimUser::new("ann").with_external_id("3")).unwrap();
    home.run(&["apply", "plan.json", "-y"]).failed(4);
    home.write("plan.rejects.json", home.read("plan.rejects.json").replace("\"ann\"", "\"ann.doe\""));
    home.run(&["plan", "plan.rejects.json", "--leavers", "keep", "-o", "again.json"]).done();
    assert_eq!(home.run(&["apply", "again.json", "-y"]).done(), "1 applied\n");
    assert_eq!(active(&server).len(), 5);
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_an_apply_between_two_steps() {
    let server = StandardSandbox::builder().latency(Duration::from_millis(20)).start().unwrap();
    let home = Home::of_standard(&server);
    let desired: Vec<_> = (0..300).map(|n| ScimUser::new(format!("new{n}"))).collect();
    store(&home, "plan.json", &plan_for(&server, &desired));
    let mut command = home.command(&["apply", "plan.json", "-y", "--in-flight", "4", "--no-bulk"]);
    let child = command.stderr(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).spawn().unwrap();
    while server.users().len() < 10 {
        std::thread::sleep(Duration::from_millis(2));
    }
    let pid = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{error}");
    assert!(error.contains("the same command resumes"), "{error}");
    let steps = Journal::at(home.path().join("plan.journal")).steps().unwrap();
    assert!(steps.iter().all(|step| step.state != Some(StepState::Begun)), "no step is in flight");
    assert!(!home.path().join("plan.rejects.json").exists());
    let done = steps.iter().filter(|step| step.state == Some(StepState::Applied)).count();
    assert_eq!((server.users().len(), done < 300), (done, true));
    let out = home.run(&["apply", "plan.json", "-y", "--no-verify"]).done();
    assert_eq!(out, format!("{} applied, {done} done before\n", 300 - done));
}
