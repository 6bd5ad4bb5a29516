//! The command: all levels, or one world.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use wats_scim_sim::marks::{MARKS, Marks};
use wats_scim_sim::mistakes::MISTAKES;
use wats_scim_sim::{Api, levels, run, run_with, shrink};

const USAGE: &str =
    "usage: simulate [SECONDS [FIRST]]   all levels, with random worlds for so long (30), from this number on (0)
       simulate seed NUMBER     prints the history of a random world
       simulate replay STRING [blocking]   prints the history of the world of a string, in hexadecimal";

/// Strings that have found something.
const FOUND: &str = include_str!("../found.txt");

pub(crate) fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => all(Duration::from_secs(30), 0),
        ["seed", seed] => seed.parse().map_or_else(|_| usage(), |seed| tell(&levels::random(seed), Api::Asynchronous)),
        ["replay", text] => from_hex(text).map_or_else(usage, |string| tell(&string, Api::Asynchronous)),
        ["replay", text, "blocking"] => from_hex(text).map_or_else(usage, |string| tell(&string, Api::Blocking)),
        [seconds, first @ ..] if first.len() < 2 => match (seconds.parse(), first.first().unwrap_or(&"0").parse()) {
            (Ok(seconds), Ok(first)) => all(Duration::from_secs(seconds), first),
            _ => usage(),
        },
        _ => usage(),
    }
}

fn usage() -> ExitCode {
    eprintln!("{USAGE}");
    ExitCode::from(2)
}

/// What many worlds have come to.
#[derive(Default)]
struct Total {
    operations: AtomicU64,
    worlds: AtomicU64,
    marks: Mutex<Marks>,
    /// For each kind of violation, the first string that shows it.
    violations: Mutex<BTreeMap<String, Vec<u8>>>,
}

impl Total {
    fn take(&self, string: &[u8]) {
        let verdict = run(string);
        self.operations.fetch_add(verdict.operations, Ordering::Relaxed);
        self.worlds.fetch_add(1, Ordering::Relaxed);
        lock(&self.marks).union(verdict.marks);
        for violation in verdict.violations {
            lock(&self.violations).entry(kind(&violation).to_owned()).or_insert_with(|| string.to_vec());
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// What is the same in two violations of a kind.
fn kind(violation: &str) -> &str {
    let end = violation.find([':', '\n']).unwrap_or(violation.len());
    // Without the id, the number or the name that it is about.
    violation[..end].split(|c: char| c.is_ascii_digit()).next().unwrap_or_default()
}

/// The random worlds that run however long they take: they meet every mark, on a slow machine too.
const RANDOM_WORLDS: u64 = 20_000;

/// Runs the worlds of an iterator on all cores, to its end or until the time is over.
fn sweep(total: &Total, strings: impl Iterator<Item = Vec<u8>> + Send, time: Option<Duration>) {
    let (strings, began) = (Mutex::new(strings), Instant::now());
    let least = total.worlds.load(Ordering::Relaxed) + RANDOM_WORLDS;
    let is_over = |time| began.elapsed() > time && total.worlds.load(Ordering::Relaxed) >= least;
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let some: Vec<_> = lock(&strings).by_ref().take(64).collect();
                    if some.is_empty() || time.is_some_and(is_over) {
                        return;
                    }
                    for string in some {
                        total.take(&string);
                    }
                }
            });
        }
    });
}

/// All levels. Other random worlds follow from another first number.
fn all(time: Duration, first: u64) -> ExitCode {
    let total = Total::default();
    let began = Instant::now();
    sweep(&total, FOUND.lines().filter_map(|line| from_hex(line.split(' ').next()?)), None);
    sweep(&total, levels::exhaustive(), None);
    let (worlds, took) = (total.worlds.load(Ordering::Relaxed), began.elapsed());
    println!("sim: every fault at every event: {worlds} worlds in {:.1} s", took.as_secs_f64());
    sweep(&total, (first..).map(levels::random), Some(time));

    let mistakes = MISTAKES.iter().filter(|mistake| is_caught(mistake)).count();
    let marks = *lock(&total.marks);
    for (mark, text) in MARKS.iter().filter(|(mark, _)| !marks.has(*mark)) {
        println!("sim: never met: {mark:?}:{text}");
    }
    let violations = lock(&total.violations);
    let of = |letters: &[&str]| {
        violations.keys().filter(|kind| letters.iter().any(|letter| kind.starts_with(letter))).count()
    };
    let operations = total.operations.load(Ordering::Relaxed);
    println!(
        "sim: {operations} operations in {} worlds, {} lost, {} doubled, {} misreported, {} other violations, {}/{} marks, {mistakes}/{} mutants",
        total.worlds.load(Ordering::Relaxed),
        of(&["(e)", "(d)"]),
        of(&["(b)"]),
        of(&["(a)", "(c)"]),
        of(&["(f)", "(g)", "(h)", "(i)"]),
        marks.count(),
        MARKS.len(),
        MISTAKES.len(),
    );
    println!("sim: {} operations a minute", operations * 60 / began.elapsed().as_secs().max(1));
    for (kind, string) in violations.iter() {
        let smaller =
            shrink::shrink(string, |string| run(string).violations.iter().any(|found| self::kind(found) == kind));
        println!("\nVIOLATION {kind}\nreplay with: scripts/simulate replay {}\n", to_hex(&smaller));
        tell(&smaller, Api::Asynchronous);
    }
    if violations.is_empty() && mistakes == MISTAKES.len() && marks.count() as usize == MARKS.len() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Whether a deliberate mistake is found within 10,000 worlds.
fn is_caught(mistake: &'static str) -> bool {
    let (is_found, next) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while !is_found.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= 10_000 {
                        return;
                    }
                    if !run_with(&levels::random(seed), Api::Asynchronous, Some(mistake), false).violations.is_empty() {
                        is_found.store(true, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let is_found = is_found.load(Ordering::Relaxed);
    let worlds = next.load(Ordering::Relaxed);
    println!(
        "sim: mutant {mistake:?}: {}",
        if is_found { format!("caught within {worlds} worlds") } else { "NOT caught".to_owned() }
    );
    is_found
}

/// Prints the history of a world.
fn tell(string: &[u8], api: Api) -> ExitCode {
    let verdict = run_with(string, api, None, true);
    println!("{}", verdict.history);
    let mut violations = verdict.violations;
    if violations.is_empty() {
        violations = run(string).violations;
    }
    for violation in &violations {
        println!("VIOLATION {violation}");
    }
    println!("{} operations, {} of {} bytes read", verdict.operations, verdict.read.min(string.len()), string.len());
    if violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn to_hex(bytes: &[u8]) -> String {
    let digit = |byte: u8| char::from_digit(byte.into(), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}
