//! Applies a plan of 2,000 steps over an unreliable network, and kills the process 50 times.
//!
//! The apply runs in a process of its own, started from this program. It is killed (SIGKILL on
//! Unix) at random moments throughout the plan, and restarted with the same journal. In the end the
//! server must have the desired users without duplicates, and the journal and the audit trail must
//! agree with the server's log.

#[path = "suite/random.rs"]
mod random;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant, SystemTime};
use std::{env, fs, thread};

use http::{Method, StatusCode};
use random::Random;
use serde_json::Value;
use wats_scim::audit::{Log, Trail};
use wats_scim::plan::{Action, Journal, Plan, Policy};
use wats_scim::{Credentials, RetryPolicy, ScimConfig, ScimUser, asynchronous, blocking};
use wats_scim_sandbox::{Fault, FaultProxy, FaultProxyBuilder, FaultRule, Sandbox};

const KILLS: u32 = 50;
const TIMEOUT: Duration = Duration::from_millis(400);
/// The approximate size of the two lines of a step in the journal.
const STEP_BYTES: u64 = 215;

fn main() {
    let arguments: Vec<String> = env::args().collect();
    if let [_, flag, api, base_url, token, directory] = arguments.as_slice()
        && flag == "--apply"
    {
        return apply(api, base_url, token, Path::new(directory));
    }
    for api in ["blocking", "async"] {
        let seed = u64::from(SystemTime::UNIX_EPOCH.elapsed().unwrap().subsec_nanos());
        println!("killed: {api}, seed {seed}");
        let started = Instant::now();
        let runs = kill_and_resume(api, seed);
        println!("killed: {api}, {KILLS} kills, {runs} runs, {:.1} s", started.elapsed().as_secs_f64());
    }
}

/// The process to kill: resumes from the journal until every step is done.
fn apply(api: &str, base_url: &str, token: &str, directory: &Path) {
    let journal = Journal::at(directory.join("journal"));
    let retry = RetryPolicy::default().attempts(8).delays(TIMEOUT / 80, TIMEOUT / 4);
    let audit = Trail::to(Log::append(directory.join("audit")).unwrap()).label("killed");
    let config = ScimConfig::new(base_url, Credentials::wats_token(token)).no_proxy().timeout(TIMEOUT);
    let config = config.retry(retry).audit(audit);
    let plan = journal.plan().unwrap().unwrap();
    let report = if api == "blocking" {
        let client = blocking::ScimClient::with_config(&config).unwrap();
        client.apply(plan).journal(journal).run().unwrap()
    } else {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let client = asynchronous::ScimClient::with_config(&config).unwrap();
        runtime.block_on(client.apply(plan).journal(journal).run()).unwrap()
    };
    for problem in &report.problems {
        eprintln!("{}: {}", problem.step, problem.outcome);
    }
    std::process::exit(if report.is_complete() { 0 } else { 3 });
}

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Faults in 10 % of the requests.
fn faults() -> FaultRule {
    let mut faults = vec![Fault::ResetBeforeAnswer, Fault::ResetAfterApplied, Fault::Truncate, Fault::CloseIdle];
    faults.push(Fault::StallAfterApplied(TIMEOUT * 3 / 2));
    for code in [502, 503].into_iter().map(|code| StatusCode::from_u16(code).unwrap()) {
        faults.push(Fault::Status { code, retry_after: None });
        faults.push(Fault::StatusAfterApplied { code, retry_after: None });
    }
    FaultRule::one_of(faults).probability(0.1)
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
    let proxy = FaultProxy::builder(sandbox.base_url()).seed(seed);
    let proxy = [faults()].into_iter().fold(proxy, FaultProxyBuilder::with_rule).start().unwrap();
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

    let length = || fs::metadata(&path).unwrap().len();
    let start = || {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--apply", api, proxy.base_url(), sandbox.token()]).arg(directory.path());
        Killed(command.spawn().unwrap())
    };
    let mut runs = 0;
    for kill in 0..KILLS {
        runs += 1;
        let mut child = start();
        let until = length() + random.below(2 * 1800 * STEP_BYTES / u64::from(KILLS));
        while length() < until {
            assert_eq!(child.0.try_wait().unwrap(), None, "the apply ended before kill {kill}");
            thread::sleep(Duration::from_micros(300));
        }
        thread::sleep(Duration::from_micros(random.below(3000)));
    }
    loop {
        runs += 1;
        assert!(runs < KILLS + 20, "the apply does not end");
        match start().0.wait().unwrap().code() {
            Some(0) => break,
            // Steps failed because of the network; the next run retries them.
            Some(3) => {}
            code => panic!("the apply failed with {code:?}"),
        }
    }
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

    let text = fs::read_to_string(path).unwrap();
    let (mut begun, mut done) = (BTreeSet::new(), BTreeSet::new());
    for line in text.lines().skip(1) {
        let line: Value = serde_json::from_str(line).unwrap();
        let step = usize::try_from(line["step"].as_u64().unwrap()).unwrap();
        assert_eq!(line["name"], plan.steps[step].name);
        match line["state"].as_str().unwrap() {
            "begun" => assert!(!done.contains(&step), "step {step} was done and begun again"),
            "applied" | "unneeded" => drop(done.insert(step)),
            _ => continue,
        }
        begun.insert(step);
    }
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
