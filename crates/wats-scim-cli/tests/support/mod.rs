//! Runs the built command, in a folder and with an environment of its own.
#![allow(dead_code, reason = "each test file uses some of it")]

#[cfg(unix)]
pub(crate) mod terminal;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use wats_scim_sandbox::{Sandbox, StandardSandbox};

/// A folder for the files of the command, and the variables that it is run with. The variables of the machine are
/// not among them.
pub(crate) struct Home {
    folder: TempDir,
    variables: Vec<(String, String)>,
}

/// What a run has left.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) err: String,
}

impl Home {
    /// No server is named.
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), variables: Vec::new() }
    }

    /// The environment names this server.
    pub(crate) fn of_wats(server: &Sandbox) -> Self {
        Self::new().with("WATS_BASE_URL", server.base_url()).with("WATS_TOKEN", server.token())
    }

    /// The environment names this server.
    pub(crate) fn of_standard(server: &StandardSandbox) -> Self {
        Self::new().with("SCIM_URL", server.scim_url()).with("SCIM_TOKEN", server.token())
    }

    /// Sets a variable.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The folder of the profiles, the secrets and the trail, in which the command also runs.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file into the folder, and returns its path.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        fs::write(&path, content).unwrap();
        path
    }

    /// The text of a file in the folder.
    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).unwrap()
    }

    /// The command, to be started.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = self.program(env!("CARGO_BIN_EXE_wats-scim"));
        command.args(args);
        command
    }

    /// A shell that finds the command.
    pub(crate) fn shell(&self) -> Command {
        let folder = Path::new(env!("CARGO_BIN_EXE_wats-scim")).parent().unwrap().to_owned();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders: Vec<PathBuf> = std::iter::once(folder).chain(std::env::split_paths(&path)).collect();
        let mut shell = self.program("sh");
        shell.env("PATH", std::env::join_paths(folders).unwrap());
        shell
    }

    /// A program with the environment of the command.
    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(name);
        command.current_dir(self.path()).env_clear();
        for name in ["PATH", "SystemRoot", "TEMP", "TMP"] {
            command.envs(std::env::var_os(name).map(|value| (name, value)));
        }
        command.env("WATS_SCIM_HOME", self.path()).env("HOME", self.path());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs the command without a terminal and with empty standard input.
    pub(crate) fn run(&self, args: &[&str]) -> Ended {
        self.run_with(args, "")
    }

    /// Runs the command with this text on standard input.
    pub(crate) fn run_with(&self, args: &[&str], input: &str) -> Ended {
        run(self.command(args), input)
    }
}

/// Runs a command with this text on standard input.
pub(crate) fn run(mut command: Command, input: &str) -> Ended {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    // A command that does not read its input has closed it: that is no error.
    let writer = std::thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ended { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

impl Ended {
    /// Standard output of a run that is done.
    #[track_caller]
    pub(crate) fn done(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.out
    }

    /// Standard error of a run that ended with this code.
    #[track_caller]
    pub(crate) fn failed(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{self:?}");
        self.err
    }

    /// The JSON Lines on the standard output of a run that is done.
    #[track_caller]
    pub(crate) fn lines(self) -> Vec<Value> {
        self.done().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// All files below a folder.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut open = vec![folder.to_owned()];
    let mut files = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { open.push(path) } else { files.push(path) }
        }
    }
    files
}

/// A command of the tree.
#[derive(Debug)]
pub(crate) struct Known {
    /// Its words, such as `groups members add`.
    pub(crate) name: String,
    pub(crate) help: String,
    /// Whether it does something itself, and is no name for others alone.
    pub(crate) runs: bool,
}

/// All commands, as their help shows them.
pub(crate) fn commands() -> Vec<Known> {
    let home = Home::new();
    let mut found = Vec::new();
    let mut open = vec![Vec::new()];
    while let Some(words) = open.pop() {
        let args: Vec<&str> = words.iter().map(String::as_str).chain(["-h"]).collect();
        let help = home.run(&args).done();
        let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
        // The other lines go on with a description.
        let names = listed.filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' ')));
        for name in names.filter_map(|line| line.split(' ').next()).filter(|name| *name != "help") {
            open.push(words.iter().cloned().chain([name.to_owned()]).collect());
        }
        let usage = help.lines().skip_while(|line| !line.starts_with("Usage:")).take_while(|line| !line.is_empty());
        let runs = usage.into_iter().any(|line| !line.ends_with("<COMMAND>"));
        found.push(Known { name: words.join(" "), runs, help });
    }
    assert!(found.len() > 30, "the help is not read: {found:?}");
    found
}

impl Known {
    /// Its arguments, each with its description on one line.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let mut all: Vec<String> = Vec::new();
        let sections = ["Commands:", "Usage:"];
        let mut is_wanted = false;
        for line in self.help.lines() {
            if line.ends_with(':') && !line.starts_with(' ') {
                is_wanted = !sections.contains(&line);
            }
            let indent = line.len() - line.trim_start().len();
            let begins = (2..=6).contains(&indent) && line.trim_start().starts_with(['-', '<', '[']);
            match all.last_mut() {
                _ if !is_wanted || indent == 0 => {}
                _ if begins => all.push(line.trim().to_owned()),
                Some(last) => *last = format!("{last} {}", line.trim()),
                None => {}
            }
        }
        all
    }
}
