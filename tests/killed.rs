//! Applies a plan of 2,000 steps over an unreliable network, and kills the process 50 times. In the end the
//! server must have the desired users without duplicates, and the journal and the audit trail must agree
//! with the server's log.

mod kill;
#[path = "suite/random.rs"]
mod random;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::Duration;

use http::Method;
use random::Random;
use serde_json::Value;
use wats_scim::plan::{Action, Journal, Plan, Policy};
use wats_scim::{Credentials, Profile, RetryPolicy, ScimConfig, ScimUser, blocking};
use wats_scim_sandbox::{FaultProxy, Sandbox};

use kill::KILLS;

/// The approximate size of the two lines of a step in the journal.
const STEP_BYTES: u64 = 215;

fn main() {
    kill::main("killed", &Profile::wats(), kill_and_resume);
}

/// The server has 1,000 users: 700 are renamed, 300 are missing, and 1,000 are new.
fn desired() -> Vec<ScimUser> {
    let stay = (1..=1000).filter(|n| n % 10 < 7).map(|n| {
        let user: ScimUser = serde_json::from_value(serde_json::json!({
            "userName": format!("user{n:04}@example.com"), "name": { "familyName": format!("Roe{n}") },
        }))
        .unwrap();
        user
    });
    let join = (0..1000).map(|n| ScimUser::new(format!("new{n:04}@example.com")).with_external_id(n.to_string()));
    join.chain(stay).collect()
}

/// Kills and restarts the apply until it is complete; returns how many times it was started.
fn kill_and_resume(api: &str, seed: u64) -> u32 {
    let mut random = Random(seed);
    let sandbox = Sandbox::builder().users(1000).start().unwrap();
    let proxy = FaultProxy::builder(sandbox.base_url()).seed(seed).with_rule(kill::faults()).start().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal");

    let direct = ScimConfig::new(sandbox.base_url(), Credentials::wats_token(sandbox.token())).no_proxy();
    let direct = blocking::ScimClient::with_config(&direct).unwrap();
    let policy = || {
        let policy = Policy::new(direct.profile()).max_deactivations(300).max_deactivation_percent(30);
        policy.max_creation_percent(100).max_change_percent(100)
    };
    let mut plan = policy().plan(&direct.current_users().unwrap(), &desired()).unwrap();
    // It is applied through the proxy, which has another address.
    plan.server = None;
    assert_eq!(plan.steps.len(), 2000, "{} in conflict", plan.conflicts.len());
    // Store the plan in the journal, without applying a step.
    let unreachable = ScimConfig::new("http://127.0.0.1:9", Credentials::wats_token(sandbox.token())).no_proxy();
    let unreachable = blocking::ScimClient::with_config(&unreachable.retry(RetryPolicy::none())).unwrap();
    unreachable.apply(plan.clone()).journal(Journal::at(&path)).in_flight(1).stop_after(1).run().unwrap();

    let apply = kill::Apply {
        api,
        base_url: proxy.base_url(),
        token: sandbox.token(),
        directory: directory.path(),
        bytes: 1800 * STEP_BYTES,
        in_flight: Duration::ZERO,
    };
    let runs = kill::until_done(&apply, &mut random);
    let left = policy().plan(&direct.current_users().unwrap(), &desired()).unwrap();
    assert_eq!(left.steps, [], "{left}");
    assert_desired(&sandbox);
    let written = written(&sandbox);
    assert_logged(&written, &plan, &path);
    assert_audited(&written, &directory.path().join("audit"));
    runs
}

/// Checks that the server has the desired users, without duplicates.
fn assert_desired(sandbox: &Sandbox) {
    let mut current: BTreeMap<String, Value> = BTreeMap::new();
    for user in sandbox.users() {
        let name = user["userName"].as_str().unwrap().to_owned();
        assert_eq!(current.insert(name.clone(), user), None, "{name} is duplicated");
    }
    assert_eq!(current.len(), 2000);
    for expected in desired() {
        let user = &current[expected.user_name.as_deref().unwrap()];
        assert_ne!(user["active"], false);
        let family = expected.name.and_then(|name| name.family_name).map(Value::from);
        assert!(family.is_none_or(|family| user["name"]["familyName"] == family), "{user}");
        assert!(expected.external_id.is_none_or(|id| user["externalId"] == id), "{user}");
    }
    assert_eq!(current.values().filter(|user| user["active"] == false).count(), 300);
}

/// The key of a user in the server's log: the name for a creation, else the id.
fn key(plan: &Plan, step: usize) -> String {
    let step = &plan.steps[step];
    if step.action == Action::Create { step.name.clone() } else { step.id.clone().unwrap() }
}

/// The users that the server wrote, with the method and the number of writes.
type Written = BTreeMap<String, (Method, usize)>;

fn written(sandbox: &Sandbox) -> Written {
    let mut written = Written::new();
    for request in sandbox.requests() {
        if request.method == Method::GET || !request.status.is_some_and(|status| status.is_success()) {
            continue;
        }
        let key = if request.method == Method::POST {
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            body["userName"].as_str().unwrap().to_owned()
        } else {
            request.target.rsplit('/').next().unwrap().to_owned()
        };
        written.entry(key).or_insert((request.method, 0)).1 += 1;
    }
    written
}

/// Checks that the journal agrees with the server's log.
fn assert_logged(written: &Written, plan: &Plan, path: &Path) {
    let twice: Vec<_> = written.iter().filter(|(_, (method, times))| *method == Method::POST && *times > 1).collect();
    assert!(twice.is_empty(), "created twice: {twice:?}");

    let done = kill::done_steps(plan, path);
    assert_eq!(done.len(), 2000);
    let done: BTreeSet<String> = done.into_iter().map(|step| key(plan, step)).collect();
    assert!(done.iter().eq(written.keys()), "the journal and the server's log have different users");
}

/// Checks that the audit trail agrees with the server's log: every write has begun in the trail,
/// and writes are in the log if the trail has them as applied, and not if it has them as refused.
fn assert_audited(written: &Written, path: &Path) {
    let text = fs::read_to_string(path).unwrap();
    let mut incomplete = 0;
    let mut writes: BTreeMap<String, (String, Vec<String>)> = BTreeMap::new();
    for line in text.lines() {
        let Ok(event) = serde_json::from_str::<Value>(line) else {
            incomplete += 1;
            continue;
        };
        assert_eq!(event["label"], "killed");
        let text = |name: &str| event[name].as_str().unwrap().to_owned();
        let key = if event["operation"] == "create user" { text("name") } else { text("id") };
        let (known, outcomes) = writes.entry(text("write")).or_insert_with(|| (key.clone(), Vec::new()));
        assert_eq!(*known, key);
        outcomes.push(text("outcome"));
    }
    assert!(incomplete <= KILLS, "{incomplete} incomplete lines");
    let mut may_be_written = BTreeSet::new();
    let mut without_end = 0;
    for (write, (key, outcomes)) in &writes {
        let outcomes: Vec<&str> = outcomes.iter().map(String::as_str).collect();
        match outcomes[..] {
            ["begun"] => without_end += 1,
            ["begun", "applied"] => assert!(written.contains_key(key), "{write}: {key} was not written"),
            ["begun", "unknown"] => {}
            ["begun", "refused"] => continue,
            _ => panic!("{write}: {outcomes:?}"),
        }
        may_be_written.insert(key);
    }
    assert!(without_end <= 8 * KILLS, "{without_end} writes have no end");
    let unknown: Vec<_> = written.keys().filter(|key| !may_be_written.contains(key)).collect();
    assert!(unknown.is_empty(), "written but not in the trail: {unknown:?}");
}
