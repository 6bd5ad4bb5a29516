//! Thousands of writes through a proxy that makes 15 % of all requests fail: no write may be lost,
//! doubled or misreported, with either client.
//!
//! `cargo run --release --example soak --all-features -- [--operations N | --short] [--seed N] [--no-recovery]`
//!
//! Sandbox and proxy are in a second process. 64 workers, each with users of its own, note what the
//! client reports of each write; at the end that is compared with the writes that the server
//! carried out, and with the users that it holds. `--no-recovery` turns retries off, and then it
//! has to fail: too few operations succeed.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::env;
use std::error::Error;
use std::io::{BufRead, BufReader, Lines, Write as _, stdin, stdout};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use http::{Method, StatusCode};
use wats_scim::{Credentials, RetryPolicy, ScimConfig, ScimPatchRequest, ScimUser, WriteOutcome};
use wats_scim::{asynchronous, blocking};
use wats_scim_sandbox::{Fault, FaultProxy, FaultProxyBuilder, FaultRule, Sandbox};

const WORKERS: usize = 64;
const USERS_EACH: usize = 6;
const TIMEOUT: Duration = Duration::from_millis(400);

type AnyResult<T> = Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> AnyResult<ExitCode> {
    let mut arguments = env::args().skip(1);
    let (mut operations, mut retry) = (10_000, Some(RetryPolicy::default().attempts(8)));
    let mut seed = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |time| u64::from(time.subsec_nanos()));
    while let Some(argument) = arguments.next() {
        let mut number = || arguments.next().and_then(|n| n.parse().ok()).ok_or(format!("{argument} needs a number"));
        match argument.as_str() {
            "--operations" => operations = usize::try_from(number()?)?,
            "--short" => operations = 500,
            "--seed" => seed = number()?,
            "--no-recovery" => retry = None,
            "--serve" => return serve(number()?).map(|()| ExitCode::SUCCESS),
            _ => return Err(format!("{argument} is no argument of this; see the top of examples/soak.rs").into()),
        }
    }
    println!("soak: seed {seed}, recovery {}", if retry.is_some() { "on" } else { "off" });
    let retry = retry.map_or(RetryPolicy::none(), |on| on.delays(TIMEOUT / 80, TIMEOUT / 4));
    let mut passes = true;
    for api in ["blocking", "async"] {
        passes &= soak(api, operations, seed, &retry)?;
    }
    Ok(if passes { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

// The second process.

/// What goes wrong with 15 % of the requests, those with which a write is settled among them.
fn faults() -> [FaultRule; 2] {
    let slow_down = Fault::Status { code: StatusCode::TOO_MANY_REQUESTS, retry_after: Some(Duration::ZERO) };
    let often = [Fault::ResetBeforeAnswer, Fault::ResetAfterApplied, Fault::Truncate, Fault::CloseIdle];
    let mut faults = [&often[..], &often, &[Fault::CloseOnReuse, slow_down]].concat();
    faults.extend([Fault::Stall(TIMEOUT * 3 / 2), Fault::StallAfterApplied(TIMEOUT * 3 / 2)]);
    faults.push(Fault::Trickle { bytes: 64, every: Duration::from_millis(1) });
    for code in [500, 502, 503, 504].into_iter().filter_map(|code| StatusCode::from_u16(code).ok()) {
        faults.push(Fault::Status { code, retry_after: None });
        faults.push(Fault::StatusAfterApplied { code, retry_after: None });
    }
    // A page in place of the answer cannot be recovered from, only reported: it is rarer.
    [FaultRule::new(Fault::HtmlAfterApplied).probability(0.003), FaultRule::one_of(faults).probability(0.147)]
}

/// Runs the server until stdin ends, and answers each line with what the server has carried out.
fn serve(seed: u64) -> AnyResult<()> {
    let sandbox = Sandbox::start()?;
    let proxy = FaultProxy::builder(sandbox.base_url()).seed(seed);
    let proxy = faults().into_iter().fold(proxy, FaultProxyBuilder::with_rule).start()?;
    println!("{} {} {}", proxy.base_url(), sandbox.base_url(), sandbox.token());
    for line in stdin().lines() {
        line?;
        let mut out = stdout().lock();
        writeln!(out, "{}", proxy.injected_count())?;
        for request in sandbox.requests() {
            if request.method != Method::GET && request.status.is_some_and(|status| status.is_success()) {
                let body = String::from_utf8_lossy(&request.body);
                let mark = body.split("\"op-").nth(1).and_then(|rest| rest.split('"').next());
                let id = request.target.rsplit('/').next().unwrap_or_default();
                writeln!(out, "{}", mark.map_or(id.to_owned(), |mark| format!("op-{mark}")))?;
            }
        }
        writeln!(out)?;
    }
    Ok(())
}

/// The handle of the second process, which ends with this one.
struct Server {
    process: Child,
    asks: Option<ChildStdin>,
    answers: Lines<BufReader<ChildStdout>>,
    urls: [String; 2],
    token: String,
}

impl Server {
    fn start(seed: u64) -> AnyResult<Self> {
        let mut command = Command::new(env::current_exe()?);
        let command = command.args(["--serve", &seed.to_string()]);
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let asks = process.stdin.take();
        let mut answers = BufReader::new(process.stdout.take().ok_or("no stdout")?).lines();
        let ready = answers.next().ok_or("the second process ended at once")??;
        let mut words = ready.split(' ').map(str::to_owned);
        let mut word = || words.next().ok_or("the second process did not start");
        Ok(Self { process, asks, answers, urls: [word()?, word()?], token: word()? })
    }

    /// How many faults there were, and every write that was carried out, in order: as the mark that
    /// it carried, or as the id of a user that was deleted.
    fn audit(&mut self) -> AnyResult<(usize, Vec<String>)> {
        writeln!(self.asks.as_mut().ok_or("no stdin")?, "audit")?;
        let faults = self.answers.next().ok_or("the second process ended")??.parse()?;
        let applied = self.answers.by_ref().take_while(|line| line.as_ref().is_ok_and(|line| !line.is_empty()));
        Ok((faults, applied.collect::<Result<_, _>>()?))
    }

    /// Through the proxy, and past it.
    fn configs(&self, retry: &RetryPolicy) -> [ScimConfig; 2] {
        let config = |url: &String| ScimConfig::new(url, Credentials::wats_token(&*self.token)).no_proxy();
        let [proxy, direct] = &self.urls;
        [config(proxy).timeout(TIMEOUT).retry(retry.clone()), config(direct)]
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.asks.take());
        let _ = self.process.wait();
    }
}

// The writes, and what is reported of them.

enum Write {
    Create(Box<ScimUser>),
    Patch(String, ScimPatchRequest, Option<bool>),
    Delete(String),
}

/// A user as it is known to be on the server.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Known {
    id: String,
    mark: String,
    active: bool,
}

impl Known {
    fn of(user: &ScimUser) -> Self {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        Self { id: text(&user.id), mark: text(&user.display_name), active: user.active == Some(true) }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Reported {
    Done,
    NotApplied,
    Unknown,
}

/// Writes to users of its own, one after the other: so the order of the writes to a user is known.
struct Worker {
    random: u64,
    left: usize,
    names: Vec<String>,
    users: Vec<Option<Known>>,
    /// Each write, by the mark it carries; a deletion carries none, but it is of one id.
    reports: Vec<(String, Reported)>,
    deletions: HashMap<String, String>,
    errors: Vec<String>,
    misreported: Vec<String>,
}

impl Worker {
    fn new(number: usize, operations: usize, seed: u64) -> Self {
        let names = (0..USERS_EACH).map(|user| format!("soak-{number}-{user}@example.com")).collect();
        let left = operations / WORKERS + usize::from(number < operations % WORKERS);
        let random = u64::try_from(number).map_or(seed, |number| seed ^ (number << 32));
        let (users, deletions) = (vec![None; USERS_EACH], HashMap::new());
        let [errors, misreported] = [Vec::new(), Vec::new()];
        Self { random, left, names, users, reports: Vec::with_capacity(left), deletions, errors, misreported }
    }

    /// `SplitMix64`, below `n`.
    fn below(&mut self, n: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.random ^ (self.random >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % n
    }

    /// The next write: to which user, its mark, and what it is.
    fn next(&mut self) -> Option<(usize, String, Write)> {
        self.left = self.left.checked_sub(1)?;
        let user = usize::try_from(self.below(u64::try_from(USERS_EACH).ok()?)).ok()?;
        let name = &self.names[user];
        // The number grows, so that a write which takes effect after a later one is noticed.
        let mark = format!("op-{name}-{:06}", self.reports.len());
        let write = match self.users[user].clone() {
            None => Write::Create(ScimUser::new(name).with_display_name(&mark).with_external_id(&mark).into()),
            Some(known) => match self.below(8) {
                0..2 => {
                    self.deletions.insert(known.id.clone(), mark.clone());
                    Write::Delete(known.id)
                }
                kind => {
                    let patch = ScimPatchRequest::new().replace("displayName", &*mark);
                    let active = (kind > 4).then_some(!known.active);
                    let patch = if let Some(active) = active { patch.replace("active", active) } else { patch };
                    Write::Patch(known.id, patch, active)
                }
            },
        };
        Some((user, mark, write))
    }

    /// Notes what the client reported; `true` if what the server holds has to be looked up.
    fn note(&mut self, user: usize, mark: String, write: &Write, result: wats_scim::Result<Option<ScimUser>>) -> bool {
        let reported = match result {
            Ok(shown) => {
                let shown = shown.as_ref().map(Known::of);
                let expected = match write {
                    Write::Create(_) => shown.clone().map(|shown| Known { mark: mark.clone(), active: true, ..shown }),
                    Write::Patch(id, _, active) => {
                        let active = active.or(self.users[user].as_ref().map(|known| known.active)) == Some(true);
                        Some(Known { id: id.clone(), mark: mark.clone(), active })
                    }
                    Write::Delete(_) => None,
                };
                if shown.is_some() && shown != expected {
                    self.misreported.push(format!("{mark}: the client returned {shown:?}, and not {expected:?}"));
                }
                self.users[user] = expected;
                Reported::Done
            }
            Err(error) => {
                self.errors.push(format!("{:?} at {:?}", error.kind(), error.operation()));
                let was_not = error.write_outcome() == Some(WriteOutcome::NotApplied);
                if was_not { Reported::NotApplied } else { Reported::Unknown }
            }
        };
        self.reports.push((mark, reported));
        reported == Reported::Unknown
    }
}

/// All writes of a worker, with one of the clients.
macro_rules! work {
    ($through:expr, $past:expr, $worker:expr $(, $await:tt)?) => {{
        while let Some((user, mark, write)) = $worker.next() {
            let result = match &write {
                Write::Create(user) => $through.create_user(user)$(.$await)?.map(Some),
                Write::Patch(id, patch, _) => $through.update_user(id, patch)$(.$await)?,
                Write::Delete(id) => $through.delete_user(id)$(.$await)?.map(|()| None),
            };
            if $worker.note(user, mark, &write, result) {
                let held = $past.get_user_by_username(&$worker.names[user])$(.$await)??;
                $worker.users[user] = held.as_ref().map(Known::of);
            }
        }
        AnyResult::Ok($worker)
    }};
}

fn work_blocking(configs: &[ScimConfig; 2], workers: Vec<Worker>) -> AnyResult<Vec<Worker>> {
    let through = &blocking::ScimClient::with_config(&configs[0])?;
    let past = &blocking::ScimClient::with_config(&configs[1])?;
    thread::scope(|scope| {
        let work = |mut worker: Worker| move || work!(through, past, worker);
        let threads: Vec<_> = workers.into_iter().map(|worker| scope.spawn(work(worker))).collect();
        threads.into_iter().map(|thread| thread.join().map_err(|_| "a thread panicked")?).collect()
    })
}

#[tokio::main]
async fn work_async(configs: &[ScimConfig; 2], workers: Vec<Worker>) -> AnyResult<Vec<Worker>> {
    let through = asynchronous::ScimClient::with_config(&configs[0])?;
    let past = asynchronous::ScimClient::with_config(&configs[1])?;
    let work = |mut worker: Worker| {
        let (through, past) = (through.clone(), past.clone());
        tokio::spawn(async move { work!(through, past, worker, await) })
    };
    let tasks: Vec<_> = workers.into_iter().map(work).collect();
    let mut done = Vec::with_capacity(tasks.len());
    for task in tasks {
        done.push(task.await??);
    }
    Ok(done)
}

// The comparison.

/// Runs one client; whether all is well.
fn soak(api: &str, operations: usize, seed: u64, retry: &RetryPolicy) -> AnyResult<bool> {
    let mut server = Server::start(seed)?;
    let configs = server.configs(retry);
    let workers = (0..WORKERS).map(|number| Worker::new(number, operations, seed)).collect();
    let started = Instant::now();
    let workers = if api == "blocking" { work_blocking(&configs, workers) } else { work_async(&configs, workers) }?;
    let seconds = started.elapsed().as_secs_f32();
    // A request that its client has given up on is carried out by now, or never.
    thread::sleep(TIMEOUT);
    let (faults, applied) = server.audit()?;
    let held: Vec<ScimUser> = blocking::ScimClient::with_config(&configs[1])?.iter_users().collect::<Result<_, _>>()?;
    let [lost, duplicated, misreported] = compare(&workers, &applied, &held);

    let reports = || workers.iter().flat_map(|worker| &worker.reports);
    let count = |reported| reports().filter(|report| report.1 == reported).count();
    let [done, failed, unknown] = [Reported::Done, Reported::NotApplied, Reported::Unknown].map(count);
    println!(
        "soak: {operations} operations, {faults} faults, {} lost, {} duplicated, {} misreported \
         ({api}: {done} done, {failed} reported as not applied, {unknown} as unknown, in {seconds:.1} s)",
        lost.len(),
        duplicated.len(),
        misreported.len()
    );
    let mut errors = BTreeMap::<&str, usize>::new();
    for what in workers.iter().flat_map(|worker| &worker.errors) {
        *errors.entry(what).or_default() += 1;
    }
    for (what, count) in errors {
        println!("  {count} x {what}");
    }
    let mut problems = Vec::new();
    for (what, found) in [("lost", lost), ("duplicated", duplicated), ("misreported", misreported)] {
        problems.extend(found.first().map(|first| format!("{} {what}, such as {first}", found.len())));
    }
    // 1 % and 0.5 %, but not so few that chance decides a short run.
    let [may_fail, may_be_unknown] = [operations / 100, operations / 200].map(|few| few.max(5));
    if done + may_fail < operations {
        problems.push(format!("only {done} operations succeeded; no more than {may_fail} may fail"));
    }
    if unknown > may_be_unknown {
        problems
            .push(format!("what became of {unknown} operations is not known; no more than {may_be_unknown} may be"));
    }
    if faults * 10 < operations {
        problems.push(format!("there were only {faults} faults, so this shows nothing"));
    }
    for problem in &problems {
        println!("FAILED ({api}): {problem}");
    }
    Ok(problems.is_empty())
}

/// What is lost, duplicated and misreported.
fn compare(workers: &[Worker], applied: &[String], held: &[ScimUser]) -> [Vec<String>; 3] {
    let [mut lost, mut duplicated] = [Vec::new(), Vec::new()];
    let mut misreported: Vec<_> = workers.iter().flat_map(|worker| &worker.misreported).cloned().collect();

    // Each report against the writes that the server carried out.
    let deletions: HashMap<_, _> = workers.iter().flat_map(|worker| &worker.deletions).collect();
    let applied = applied.iter().map(|one| *deletions.get(one).unwrap_or(&one));
    let (mut marks, mut latest) = (HashSet::new(), HashMap::new());
    for mark in applied {
        marks.insert(mark);
        let (user, number) = mark.rsplit_once('-').unwrap_or_default();
        let latest = latest.entry(user).or_insert(number);
        if number < *latest {
            lost.push(format!("{user} {latest}: the earlier {number} took effect after it"));
        }
        *latest = number.max(latest);
    }
    for (mark, reported) in workers.iter().flat_map(|worker| &worker.reports) {
        match (reported, marks.contains(mark)) {
            (Reported::Done, false) => lost.push(format!("{mark}: reported as done")),
            (Reported::NotApplied, true) => misreported.push(format!("{mark}: reported as not applied, but it was")),
            _ => {}
        }
    }

    // What is known of each user against what the server holds.
    let mut on_server = HashMap::new();
    let mut external_ids = BTreeSet::new();
    for user in held {
        let name = user.user_name.clone().unwrap_or_default();
        if !external_ids.insert(&user.external_id) || on_server.insert(name.to_lowercase(), Known::of(user)).is_some() {
            duplicated.push(name);
        }
    }
    for (name, known) in workers.iter().flat_map(|worker| worker.names.iter().zip(&worker.users)) {
        let on_server = on_server.remove(name);
        if on_server != *known {
            lost.push(format!("{name} is {on_server:?}, and should be {known:?}"));
        }
    }
    lost.extend(on_server.into_keys().map(|name| format!("{name} belongs to no operation")));
    [lost, duplicated, misreported]
}
