//! Kills `apply` 50 times (SIGKILL) at random moments, and resumes with the same command until it is done: in the
//! end each change was written exactly once, and the journal and the trail agree with the log of the server.
#![cfg(unix)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;
use support::Home;
use wats_scim::audit::{Event, Outcome, Trail};
use wats_scim::blocking::ScimClient;
use wats_scim::http::Method;
use wats_scim::plan::{Journal, Ours, Plan, Policy, StepState};
use wats_scim::{Credentials, ScimConfig, ScimUser};
use wats_scim_sandbox::Sandbox;

const KILLS: u64 = 50;
/// The number of users that are created, and of those that are deactivated.
const NEW: usize = 600;
const LEAVERS: usize = 100;
const APPLY: [&str; 5] = ["apply", "plan.json", "--yes", "--in-flight", "8"];
/// The approximate size of the lines of a step in the journal.
const STEP_BYTES: u64 = 300;

/// Numbers that look random (`SplitMix64`).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut number = self.0;
        number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (number ^ (number >> 31)) % limit.max(1)
    }
}

#[test]
fn nothing_is_lost_or_doubled_by_50_kills() {
    let seed = u64::from(SystemTime::UNIX_EPOCH.elapsed().unwrap().subsec_nanos());
    println!("seed {seed}");
    let mut random = Random(seed);
    let server = Sandbox::builder().users(500).latency(Duration::from_millis(8)).start().unwrap();
    let home = Home::of_wats(&server);
    let plan = plan(&server);
    assert_eq!(plan.steps.len(), NEW + LEAVERS);
    home.write("plan.json", serde_json::to_string(&plan).unwrap());

    let kills = (0..KILLS).filter(|number| kill(&home, *number, &mut random)).count();
    assert!(kills > 40, "{kills} runs were killed, the others had ended");
    let ended = home.run(&APPLY);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.err.is_empty(), "{ended:?}");

    let written = written(&server);
    assert_directory(&server, &plan);
    assert_written_once(&written, &plan);
    let journal = Journal::at(home.path().join("plan.journal"));
    assert!(
        journal
            .steps()
            .unwrap()
            .iter()
            .all(|step| { matches!(step.state, Some(StepState::Applied | StepState::Unneeded)) })
    );
    assert_audited(&written, &home);

    server.clear_requests();
    assert_eq!(home.run(&APPLY).done(), format!("0 applied, {} done before\n", NEW + LEAVERS));
    assert_eq!(server.requests().len(), 0);
}

fn plan(server: &Sandbox) -> Plan {
    let config = ScimConfig::new(server.base_url(), Credentials::wats_token(server.token())).no_proxy();
    let client = ScimClient::with_config(&config).unwrap();
    let policy = Policy::new(client.profile()).ours(Ours::Everybody).max_creation_percent(100).max_creations(NEW);
    let stay = (1..=500 - LEAVERS).map(|n| ScimUser::new(format!("user{n:04}@example.com")));
    let join = (0..NEW).map(|n| ScimUser::new(format!("new{n:04}@example.com")));
    let desired: Vec<_> = join.chain(stay).collect();
    let policy = policy.max_deactivation_percent(100).allow_truncated_source(LEAVERS);
    policy.plan(&client.current_users().unwrap(), &desired).unwrap()
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // SIGKILL.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs the command, and kills it at a random moment: some time after its start, or in this fiftieth of the first
/// four fifths of the plan. False if it ended before.
fn kill(home: &Home, number: u64, random: &mut Random) -> bool {
    let length = || fs::metadata(home.path().join("plan.journal")).map_or(0, |journal| journal.len());
    let mut command = home.command(&APPLY);
    let mut running = Running(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    let started = Instant::now();
    let share = (NEW + LEAVERS) as u64 * STEP_BYTES * 4 / 5 / KILLS;
    // The journal begins with the plan.
    let until = fs::metadata(home.path().join("plan.json")).unwrap().len() + number * share + random.below(share);
    let after = Duration::from_millis(random.below(60));
    let at_the_start = random.below(4) == 0;
    let is_time = || if at_the_start { started.elapsed() >= after } else { length() > until };
    while !is_time() {
        if running.0.try_wait().unwrap().is_some() {
            return false;
        }
        thread::sleep(Duration::from_micros(300));
    }
    thread::sleep(Duration::from_micros(random.below(5000)));
    running.0.try_wait().unwrap().is_none()
}

/// Checks that the users are those of the model: none is missing, and none exists twice.
fn assert_directory(server: &Sandbox, plan: &Plan) {
    let mut users: BTreeMap<String, bool> = BTreeMap::new();
    for user in server.users() {
        let name = user["userName"].as_str().unwrap().to_owned();
        assert_eq!(users.insert(name.clone(), user["active"] != false), None, "{name} is there twice");
    }
    assert_eq!(users.len(), 500 + NEW);
    let leavers: BTreeSet<_> = plan.steps.iter().filter(|step| step.id.is_some()).map(|step| &step.name).collect();
    assert_eq!(leavers.len(), LEAVERS);
    for (name, is_active) in &users {
        assert_eq!(*is_active, !leavers.contains(name), "{name}");
    }
}

/// How often the server wrote each user: by its name if it was created, else by its id.
fn written(server: &Sandbox) -> BTreeMap<String, usize> {
    let mut written = BTreeMap::new();
    for request in server.requests() {
        if request.method == Method::GET || !request.status.is_some_and(|status| status.is_success()) {
            continue;
        }
        let key = if request.method == Method::POST {
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            body["userName"].as_str().unwrap().to_owned()
        } else {
            request.target.rsplit('/').next().unwrap().to_owned()
        };
        *written.entry(key).or_default() += 1;
    }
    written
}

fn assert_written_once(written: &BTreeMap<String, usize>, plan: &Plan) {
    let expected = plan.steps.iter().map(|step| (step.id.clone().unwrap_or_else(|| step.name.clone()), 1)).collect();
    assert_eq!(*written, expected);
}

/// Checks that each write had begun in the trail before it was sent, and that no outcome is one that the server
/// does not have.
fn assert_audited(written: &BTreeMap<String, usize>, home: &Home) {
    let mut events = Trail::read(home.path().join("trail.jsonl")).unwrap();
    let mut writes: BTreeMap<String, Vec<Event>> = BTreeMap::new();
    for event in events.by_ref() {
        let event = event.unwrap();
        writes.entry(event.write.clone()).or_default().push(event);
    }
    assert_eq!(events.skipped(), 0, "a line is written with one call");
    let (mut open, mut may_be_written) = (0, BTreeSet::new());
    for events in writes.values() {
        let key = if events[0].operation.to_string() == "create user" { &events[0].name } else { &events[0].id };
        let key = key.clone().unwrap();
        match events.iter().map(|event| event.outcome).collect::<Vec<_>>()[..] {
            [Outcome::Begun] => open += 1,
            [Outcome::Begun, Outcome::Applied] => assert!(written.contains_key(&key), "{key} was not written"),
            [Outcome::Begun, Outcome::Refused] => continue,
            ref outcomes => panic!("{key}: {outcomes:?}"),
        }
        may_be_written.insert(key);
    }
    assert!(written.keys().all(|key| may_be_written.contains(key)), "a write is not in the trail");
    assert!(open <= 8 * KILLS, "{open} writes have no end");
    let verified = home.run(&["audit", "verify"]);
    let listed = u64::try_from(verified.out.lines().count()).unwrap();
    assert_eq!((listed, verified.code), (open, Some(i32::from(open > 0))), "{}", verified.err);
}
