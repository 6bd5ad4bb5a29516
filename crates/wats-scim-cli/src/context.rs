//! What every command has: the global arguments, messages on standard error, and the connection.

use std::io::Write as _;
use std::path::PathBuf;

use clap::Args;
use wats_scim::ScimConfig;
use wats_scim::audit::{Log, Trail};
use wats_scim::blocking::ScimClient;

use crate::failure::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::output::shown;
use crate::place;
use crate::server::{Server, ServerArgs};

/// The arguments that every command takes.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    /// Print errors as JSON
    #[arg(long, global = true)]
    json: bool,
    /// Print results and errors only
    #[arg(long, short, global = true)]
    quiet: bool,
    /// Print what is sent, without values; twice for more
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    /// Record this author of the changes in the audit trail [default: account@machine]
    #[arg(long, global = true, value_name = "TEXT", env = "WATS_SCIM_LABEL", hide_env_values = true)]
    label: Option<String>,
    /// Record the audit trail in this file [default: trail.jsonl in the data folder of the account]
    #[arg(long, global = true, value_name = "FILE", env = "WATS_SCIM_TRAIL", hide_env_values = true)]
    trail: Option<PathBuf>,
    /// Record nothing in the audit trail
    #[arg(long, global = true, conflicts_with = "trail")]
    no_trail: bool,
}

/// What a command runs with.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) global: Global,
    pub(crate) interrupt: Interrupt,
}

impl Context {
    pub(crate) fn new(global: Global) -> Self {
        let level = match global.verbose {
            0 => None,
            1 => Some(tracing_subscriber::filter::LevelFilter::INFO),
            _ => Some(tracing_subscriber::filter::LevelFilter::DEBUG),
        };
        if let Some(level) = level {
            tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).with_max_level(level).init();
        }
        Self { global, interrupt: Interrupt::default() }
    }

    /// Prints a line on standard error, unless `--quiet` is given.
    pub(crate) fn say(&self, line: impl std::fmt::Display) {
        if !self.global.quiet {
            // A message that cannot be shown does not stop the work.
            line.to_string().lines().for_each(|line| drop(writeln!(std::io::stderr(), "{}", shown(line))));
        }
    }

    /// Prints why a command failed.
    pub(crate) fn report(&self, failure: &Failure) {
        let mut out = std::io::stderr();
        if self.global.json {
            let _ = writeln!(out, "{}", failure.to_json());
            return;
        }
        format!("error: {failure}").lines().for_each(|line| drop(writeln!(out, "{}", shown(line))));
        if matches!(failure.exit(), Exit::Credentials | Exit::Unreachable) {
            self.say("`wats-scim doctor` checks the way to the server, and the credentials.");
        }
    }

    /// Whether errors are printed as JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.global.json
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.global.quiet
    }

    /// The server that the arguments, the environment or the profile name.
    pub(crate) fn server(&self) -> Result<Server, Failure> {
        self.global.server.resolve()
    }

    /// A client that only reads.
    pub(crate) fn connect(&self) -> Result<ScimClient, Failure> {
        let server = self.server()?;
        connect(&server, &server.config()?)
    }

    /// A client that only lists users: it asks the server for less before the first of them.
    pub(crate) fn connect_to_list(&self) -> Result<ScimClient, Failure> {
        let server = self.server()?;
        let client = ScimClient::with_config(&server.config()?)?;
        Ok(if server.measured.is_some() { client } else { client.discover_configuration()? })
    }

    /// A client of the server of another profile, which only reads.
    pub(crate) fn connect_to(&self, profile: &str) -> Result<ScimClient, Failure> {
        // What the arguments say is about the other server, apart from the time.
        let server = Server { timeout: self.global.server.timeout, ..Server::of_profile(profile)? };
        connect(&server, &server.config()?)
    }

    /// A client whose writes are on the trail.
    pub(crate) fn connect_to_write(&self) -> Result<ScimClient, Failure> {
        let server = self.server()?;
        connect(&server, &self.with_trail(server.config()?)?)
    }

    /// The settings, with the trail.
    pub(crate) fn with_trail(&self, config: ScimConfig) -> Result<ScimConfig, Failure> {
        if self.global.no_trail {
            return Ok(config);
        }
        let path = self.trail_file()?;
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| Failure::file(folder, error))?;
        }
        let log = Log::append(&path).map_err(|error| Failure::file(&path, error))?;
        Ok(config.audit(Trail::to(log).label(self.label())))
    }

    /// The file of the trail.
    pub(crate) fn trail_file(&self) -> Result<PathBuf, Failure> {
        match &self.global.trail {
            Some(path) => Ok(path.clone()),
            None => Ok(place::data()?.join("trail.jsonl")),
        }
    }

    /// Who acts.
    pub(crate) fn label(&self) -> String {
        let account = || whoami::username().unwrap_or_else(|_| "unknown".to_owned());
        let machine = || whoami::hostname().unwrap_or_else(|_| "unknown".to_owned());
        self.global.label.clone().unwrap_or_else(|| format!("{}@{}", account(), machine()))
    }
}

/// A client of the server, which knows what the server supports.
fn connect(server: &Server, config: &ScimConfig) -> Result<ScimClient, Failure> {
    let client = ScimClient::with_config(config)?;
    Ok(if server.measured.is_some() { client } else { client.discover()? })
}
