//! `users list -o jsonl` of 100,000 users: the round trips before its first line, its processor time over that of the
//! library alone, and its memory over that for a tenth of the users.

#[allow(dead_code, reason = "the benches of the library use the rest")]
#[path = "../../../benches/support/figures.rs"]
mod figures;

use std::env;
use std::error::Error;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write as _};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use figures::{Goal, median, show};
use wats_scim::blocking::ScimClient;
use wats_scim::{Credentials, ListQuery, Profile, ScimConfig};
use wats_scim_sandbox::StandardSandbox;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const SERVE: &str = "serve";
const LIST: &str = "list";
/// As the command lists.
const PAGE: u64 = 200;
const IN_FLIGHT: usize = 4;

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match &arguments[..] {
        [what, users, latency] if what == SERVE => return serve(users.parse()?, latency.parse()?),
        [what, url, token] if what == LIST => return list(url, token),
        _ => {}
    }
    let home = tempfile::tempdir()?;
    let (users, latency) = full_or_short((100_000, 200), (2_000, 20));
    first_line(&Server::start(users, latency)?, home.path(), full_or_short(5, 1))?;
    let server = Server::start(users, 0)?;
    let few = Server::start(users / 10, 0)?;
    processor_time(&server, home.path(), users, full_or_short(5, 1))?;
    memory(&server, &few, home.path())
}

/// Whether to use small numbers, only to check that the bench runs; `cargo bench` passes `--bench`.
fn full_or_short<N>(full: N, short: N) -> N {
    let is_short = env::var_os("BENCH_SHORT").is_some() || !env::args().any(|argument| argument == "--bench");
    if is_short { short } else { full }
}

/// Shows the time until the first line, without that of a command that sends nothing, over that of one request.
fn first_line(server: &Server, home: &std::path::Path, rounds: u32) -> Result<()> {
    let (mut ratios, mut starts, mut requests) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let client = client(&server.url, &server.token)?;
        let request = time(|| Ok(client.get_users(&ListQuery::new().count(u32::try_from(PAGE)?.into())).map(drop)?))?;
        let start = time(|| {
            server.command(home, &["profile", "list"]).stderr(Stdio::null()).status()?;
            Ok(())
        })?;
        let line = time(|| {
            let mut child = server.command(home, &["users", "list", "-o", "jsonl"]).stdout(Stdio::piped()).spawn()?;
            let mut line = String::new();
            BufReader::new(child.stdout.take().ok_or("no output")?).read_line(&mut line)?;
            end(&mut child);
            if line.ends_with('\n') { Ok(()) } else { Err("there was no first line".into()) }
        })?;
        ratios.push(line.saturating_sub(start).as_secs_f64() / request.as_secs_f64());
        starts.push(start.as_secs_f64());
        requests.push(request.as_secs_f64());
    }
    show("command.first_line_round_trips", median(ratios), &Goal::AtMost(2.0));
    println!("  start: {:.3} s; one request: {:.3} s", median(starts), median(requests));
    Ok(())
}

/// Shows the processor time of the command over that of the library alone, each in a process of its own.
fn processor_time(server: &Server, home: &std::path::Path, users: usize, rounds: u32) -> Result<()> {
    let (mut ratios, mut times) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        let command = || {
            let run = Run::of(&mut server.command(home, &["users", "list", "-o", "jsonl"]))?;
            if run.lines == users { Ok(run.cpu) } else { Err(format!("{} of {users} lines", run.lines)) }
        };
        let library = || -> Result<_> {
            Ok(Run::of(Command::new(env::current_exe()?).args([LIST, &server.url, &server.token]))?.cpu)
        };
        let (command, library) = if round % 2 == 0 {
            let command = command()?;
            (command, library()?)
        } else {
            let library = library()?;
            (command()?, library)
        };
        ratios.push(command.as_secs_f64() / library.as_secs_f64());
        times.push(library.as_secs_f64());
    }
    show("command.cpu", median(ratios), &Goal::AtMost(2.0));
    println!("  the library alone: {:.2} s", median(times));
    Ok(())
}

/// Shows the peak memory of the command over that for a tenth of the users.
fn memory(server: &Server, few: &Server, home: &std::path::Path) -> Result<()> {
    let peak = |server: &Server| -> Result<_> {
        Ok(Run::of(&mut server.command(home, &["users", "list", "-o", "jsonl"]))?.peak_kib.map(f64::from))
    };
    let goal = Goal::AtMost(1.1);
    if let (Some(many), Some(few)) = (peak(server)?, peak(few)?) {
        show("command.memory", many / few, &goal);
        println!("  {:.1} MiB", many / 1024.0);
    } else {
        println!("command.memory: not measured on this system\n  goal: {goal}");
    }
    Ok(())
}

fn time(work: impl FnOnce() -> Result<()>) -> Result<Duration> {
    let started = Instant::now();
    work()?;
    Ok(started.elapsed())
}

/// A run of a program to its end.
struct Run {
    lines: usize,
    cpu: Duration,
    peak_kib: Option<u32>,
}

impl Run {
    fn of(command: &mut Command) -> std::result::Result<Self, String> {
        Self::measured(command).map_err(|error| format!("{command:?}: {error}"))
    }

    fn measured(command: &mut Command) -> Result<Self> {
        let started = Instant::now();
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let mut out = BufReader::with_capacity(1 << 16, child.stdout.take().ok_or("no output")?);
        let (mut lines, mut peak_kib, mut line) = (0, None, Vec::new());
        while out.read_until(b'\n', &mut line)? > 0 {
            line.clear();
            lines += 1;
            // It has no memory when it has ended, and only a pipe full of lines is behind this one.
            if lines % 100 == 0 {
                peak_kib = peak_of(&child).or(peak_kib);
            }
        }
        let cpu = cpu_of(&child).unwrap_or_else(|| started.elapsed());
        if child.wait()?.success() { Ok(Self { lines, cpu, peak_kib }) } else { Err("it failed".into()) }
    }
}

/// The peak memory of a process so far, on Linux.
fn peak_of(child: &Child) -> Option<u32> {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.split_whitespace().next()?.parse().ok()
}

/// The processor time of a process that ends and is not waited for, on Linux: in ticks of 10 ms.
fn cpu_of(child: &Child) -> Option<Duration> {
    loop {
        let stat = fs::read_to_string(format!("/proc/{}/stat", child.id())).ok()?;
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        if fields.first() == Some(&"Z") {
            let ticks: u64 = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
            return Some(Duration::from_millis(10 * ticks));
        }
        thread::sleep(Duration::from_millis(1));
    }
}

fn client(url: &str, token: &str) -> Result<ScimClient> {
    let config = ScimConfig::new(url, Credentials::bearer(token)).profile(Profile::standard());
    Ok(ScimClient::with_config(&config)?)
}

/// Lists all users with the library alone.
fn list(url: &str, token: &str) -> Result<()> {
    let client = client(url, token)?.discover_configuration()?;
    for user in client.iter_users().page_size(PAGE).in_flight(IN_FLIGHT) {
        user?;
    }
    Ok(())
}

/// A sandbox in a process of its own. It ends with this one.
struct Server {
    process: Child,
    url: String,
    token: String,
}

impl Server {
    fn start(users: usize, latency: u64) -> Result<Self> {
        let mut command = Command::new(env::current_exe()?);
        command.args([SERVE, &users.to_string(), &latency.to_string()]);
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(process.stdout.take().ok_or("no output")?).read_line(&mut line)?;
        let (url, token) = line.trim().split_once(' ').ok_or("the server did not start")?;
        Ok(Self { process, url: url.to_owned(), token: token.to_owned() })
    }

    /// The command, for this server.
    fn command(&self, home: &std::path::Path, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wats-scim"));
        command.args(args).env_clear().env("WATS_SCIM_HOME", home).stdin(Stdio::null());
        command.env("SCIM_URL", &self.url).env("SCIM_TOKEN", &self.token);
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        end(&mut self.process);
    }
}

/// Ends a process, which may have ended already.
fn end(process: &mut Child) {
    let _ = process.kill();
    let _ = process.wait();
}

fn serve(users: usize, latency: u64) -> Result<()> {
    let server = StandardSandbox::builder().users(users).latency(Duration::from_millis(latency)).record_requests(false);
    let server = server.start()?;
    println!("{} {}", server.scim_url(), server.token());
    io::stdout().flush()?;
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
