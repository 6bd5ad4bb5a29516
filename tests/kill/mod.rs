//! The harness of the kill tests: the apply runs in a process of its own, started from the same program. It is
//! killed (SIGKILL on Unix) at random moments throughout the plan, and restarted with the same journal.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant, SystemTime};
use std::{env, fs, thread};

use http::StatusCode;
use serde_json::Value;
use wats_scim::audit::{Log, Trail};
use wats_scim::plan::{Journal, Plan};
use wats_scim::{Credentials, Profile, RetryPolicy, ScimConfig, asynchronous, blocking};
use wats_scim_sandbox::{Fault, FaultRule};

use crate::random::Random;

pub(crate) const KILLS: u32 = 50;
const TIMEOUT: Duration = Duration::from_millis(400);

/// Runs the test with both APIs, or is the process to kill.
pub(crate) fn main(name: &str, profile: &Profile, test: fn(&str, u64) -> u32) {
    let arguments: Vec<String> = env::args().collect();
    if let [_, flag, api, base_url, token, directory, limit] = arguments.as_slice()
        && flag == "--apply"
    {
        return apply(api, profile, base_url, token, Path::new(directory), limit.parse().unwrap());
    }
    for api in ["blocking", "async"] {
        let seed = u64::from(SystemTime::UNIX_EPOCH.elapsed().unwrap().subsec_nanos());
        println!("{name}: {api}, seed {seed}");
        let started = Instant::now();
        let runs = test(api, seed);
        println!("{name}: {api}, {KILLS} kills, {runs} runs, {:.1} s", started.elapsed().as_secs_f64());
    }
}

/// The process to kill: resumes from the journal until every step is done. It begins no step once the journal has
/// `limit` bytes, and waits for its end, so that it is killed in time on a busy machine, too.
fn apply(api: &str, profile: &Profile, base_url: &str, token: &str, directory: &Path, limit: u64) {
    let journal = Journal::at(directory.join("journal"));
    let retry = RetryPolicy::default().attempts(8).delays(TIMEOUT / 80, TIMEOUT / 4);
    let audit = Trail::to(Log::append(directory.join("audit")).unwrap()).label("killed");
    let config = ScimConfig::new(base_url, Credentials::wats_token(token)).no_proxy().timeout(TIMEOUT);
    let config = config.profile(profile.clone()).retry(retry).audit(audit);
    let plan = journal.plan().unwrap().unwrap();
    let path = journal.path().to_owned();
    let wait_at_the_limit = move || {
        while length(&path) >= limit {
            thread::park();
        }
        false
    };
    let report = if api == "blocking" {
        let client = blocking::ScimClient::with_config(&config).unwrap().discover().unwrap();
        client.apply(plan).journal(journal).stop_when(wait_at_the_limit).run().unwrap()
    } else {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let client = asynchronous::ScimClient::with_config(&config).unwrap();
        let client = runtime.block_on(client.discover()).unwrap();
        runtime.block_on(client.apply(plan).journal(journal).stop_when(wait_at_the_limit).run()).unwrap()
    };
    for problem in &report.problems {
        eprintln!("{}: {}", problem.step, problem.outcome);
    }
    std::process::exit(if report.is_complete() { 0 } else { 3 });
}

fn length(journal: &Path) -> u64 {
    fs::metadata(journal).unwrap().len()
}

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Faults in 10 % of the requests.
pub(crate) fn faults() -> FaultRule {
    let mut faults = vec![Fault::ResetBeforeAnswer, Fault::ResetAfterApplied, Fault::Truncate, Fault::CloseIdle];
    faults.push(Fault::StallAfterApplied(TIMEOUT * 3 / 2));
    for code in [502, 503].into_iter().map(|code| StatusCode::from_u16(code).unwrap()) {
        faults.push(Fault::Status { code, retry_after: None });
        faults.push(Fault::StatusAfterApplied { code, retry_after: None });
    }
    FaultRule::one_of(faults).probability(0.1)
}

/// An apply that is killed.
pub(crate) struct Apply<'a> {
    pub(crate) api: &'a str,
    pub(crate) base_url: &'a str,
    pub(crate) token: &'a str,
    /// Where its journal and its trail are.
    pub(crate) directory: &'a Path,
    /// The kills are spread over this many bytes of the journal.
    pub(crate) bytes: u64,
    /// How long a request of a killed process may still be in flight.
    pub(crate) in_flight: Duration,
}

/// Kills and restarts the apply until it is complete; returns how many times it was started.
pub(crate) fn until_done(apply: &Apply<'_>, random: &mut Random) -> u32 {
    let journal = apply.directory.join("journal");
    let start = |limit: u64| {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--apply", apply.api, apply.base_url, apply.token]).arg(apply.directory);
        Killed(command.arg(limit.to_string()).spawn().unwrap())
    };
    let (begin, share) = (length(&journal), apply.bytes / u64::from(KILLS));
    let mut runs = 0;
    for kill in 0..KILLS {
        runs += 1;
        let until = begin + u64::from(kill) * share + random.below(share);
        let mut child = start(until + 2 * share);
        while length(&journal) < until {
            assert_eq!(child.0.try_wait().unwrap(), None, "the apply ended before kill {kill}");
            thread::sleep(Duration::from_micros(300));
        }
        thread::sleep(Duration::from_micros(random.below(3000)));
        drop(child);
        thread::sleep(apply.in_flight);
    }
    loop {
        runs += 1;
        assert!(runs < KILLS + 20, "the apply does not end");
        match start(u64::MAX).0.wait().unwrap().code() {
            Some(0) => break,
            // Steps failed because of the network; the next run retries them.
            Some(3) => {}
            code => panic!("the apply failed with {code:?}"),
        }
    }
    runs
}

/// The steps that the journal has as done. None of them is begun again.
pub(crate) fn done_steps(plan: &Plan, journal: &Path) -> BTreeSet<usize> {
    let mut done = BTreeSet::new();
    for line in fs::read_to_string(journal).unwrap().lines().skip(1) {
        let line: Value = serde_json::from_str(line).unwrap();
        let step = usize::try_from(line["step"].as_u64().unwrap()).unwrap();
        assert_eq!(line["name"], plan.steps[step].name);
        match line["state"].as_str().unwrap() {
            "begun" => assert!(!done.contains(&step), "step {step} was done and begun again"),
            "applied" | "unneeded" => drop(done.insert(step)),
            _ => {}
        }
    }
    done
}
