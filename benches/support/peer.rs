//! scim2-client, a third-party SCIM client for Python, in its own process.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use super::Result;
use super::cost::Cost;

const REQUIREMENT: &str = "scim2-client[httpx2]==0.13.2";
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/support/peer.py");

/// A running scim2-client.
pub(crate) struct Peer {
    process: Child,
    answers: BufReader<ChildStdout>,
}

impl Peer {
    /// Starts it with one of its APIs, `sync` or `async`.
    pub(crate) fn start(api: &str, base: &str) -> Result<Self> {
        let mut process =
            Command::new(python()).args([SCRIPT, api, base]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let answers = BufReader::new(process.stdout.take().ok_or("the peer has no output")?);
        Ok(Self { process, answers })
    }

    /// Runs a piece of work a number of times.
    pub(crate) fn work(&mut self, what: &str, count: u64) -> Result<Cost> {
        self.work_at_once(what, count, 1)
    }

    /// Runs a piece of work with requests in flight, which only its async API supports.
    pub(crate) fn work_at_once(&mut self, what: &str, count: u64, in_flight: usize) -> Result<Cost> {
        let input = self.process.stdin.as_mut().ok_or("the peer has no input")?;
        writeln!(input, "{what} {count} {in_flight}")?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        let (cpu, wall) = line.trim().split_once(' ').ok_or("the peer ended before its work was done")?;
        Ok(Cost { cpu: Duration::try_from_secs_f64(cpu.parse()?)?, wall: Duration::try_from_secs_f64(wall.parse()?)? })
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have exited already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The directory of the installation, below the target directory.
fn venv() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("scim2-client")
}

fn python() -> PathBuf {
    venv().join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" })
}

/// The marker of an installation, with its requirement and path.
fn stamp() -> String {
    format!("{REQUIREMENT}, {}\n", venv().display())
}

/// Whether it is installed.
pub(crate) fn is_installed() -> bool {
    fs::read_to_string(venv().join("installed")).is_ok_and(|found| found == stamp())
}

/// Installs it, unless it is installed.
pub(crate) fn install() -> Result<()> {
    if is_installed() {
        return Ok(());
    }
    eprintln!("installing {REQUIREMENT}");
    let own = if cfg!(windows) { "python" } else { "python3" };
    let venv = venv();
    run(own, &["-m".as_ref(), "venv".as_ref(), "--clear".as_ref(), venv.as_ref()])?;
    run(python(), &["-m", "pip", "install", "--quiet", "--disable-pip-version-check", REQUIREMENT].map(OsStr::new))?;
    Ok(fs::write(venv.join("installed"), stamp())?)
}

fn run(program: impl AsRef<OsStr>, arguments: &[&OsStr]) -> Result<()> {
    let mut command = Command::new(program);
    let status = command.args(arguments).env_remove("PYTHONPATH").stdout(Stdio::null()).status()?;
    if status.success() { Ok(()) } else { Err(format!("{command:?} ended with {status}").into()) }
}
