//! The commands, one file each.

mod apply;
mod approve;
mod audit;
mod completion;
mod doctor;
mod explain;
mod export;
mod groups;
mod login;
mod logout;
mod man;
mod plan;
#[cfg(feature = "portal")]
mod portal;
mod profile;
mod sandbox;
mod show;
mod token;
mod undo;
mod users;

use clap::{Parser, Subcommand};

use crate::context::{Context, Global};
use crate::failure::{Exit, Failure};

/// Provision the users and groups of a WATS server, or of any SCIM 2.0 server
#[derive(Parser, Debug)]
#[command(name = "wats-scim", version, propagate_version = true, max_term_width = 100, after_help = AFTER)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) global: Global,
}

const AFTER: &str = "\
Exit codes: 0 done, 1 error, 2 `plan --detailed-exitcode` found changes, 3 rejected or waits for approval, 4 done in part, 5 credentials rejected, 6 server not reachable, 64 usage, 130 interrupted.";

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Run a server to try it on
    Sandbox(sandbox::Args),
    /// Keep the URL and the credentials of a server, as a profile
    Login(login::Args),
    /// Forget a profile and its credentials
    Logout(logout::Args),
    /// List the profiles and choose one
    #[command(subcommand)]
    Profile(profile::Command),
    /// Check the connection to a server, and find out what the server does
    Doctor(doctor::Args),
    /// Fetch the secret token for Microsoft Entra ID or Okta
    Token(token::Args),
    /// List and change users
    #[command(subcommand)]
    Users(users::Command),
    /// List and change groups
    #[command(subcommand)]
    Groups(groups::Command),
    /// Write the users of the server to a file that `plan` reads
    Export(export::Args),
    /// Make the plan that makes the server match a source, or compare two plans
    Plan(plan::Args),
    /// Explain what a plan does with one user, and why
    Explain(explain::Args),
    /// Print a plan for review
    Show(show::Args),
    /// Apply a plan; the same command resumes it
    Apply(apply::Args),
    /// Approve exactly one plan
    Approve(approve::Args),
    /// Make the plan that takes back what an apply wrote
    Undo(undo::Args),
    /// Read and check the audit trail
    #[command(subcommand)]
    Audit(audit::Command),
    /// Serve web pages on which people find, edit and deactivate users
    #[cfg(feature = "portal")]
    Portal(portal::Args),
    /// Print the completion script of a shell
    Completion(completion::Args),
    /// Print the manual page
    Man(man::Args),
}

pub(crate) fn run(context: &Context, command: Command) -> Result<Exit, Failure> {
    match command {
        Command::Sandbox(args) => sandbox::run(context, &args),
        Command::Login(args) => login::run(context, &args),
        Command::Logout(args) => logout::run(context, &args),
        Command::Profile(command) => profile::run(context, command),
        Command::Doctor(args) => doctor::run(context, &args),
        Command::Token(args) => token::run(context, &args),
        Command::Users(command) => users::run(context, command),
        Command::Groups(command) => groups::run(context, command),
        Command::Export(args) => export::run(context, &args),
        Command::Plan(args) => plan::run(context, &args),
        Command::Explain(args) => explain::run(context, &args),
        Command::Show(args) => show::run(&args),
        Command::Apply(args) => apply::run(context, &args),
        Command::Approve(args) => approve::run(context, &args),
        Command::Undo(args) => undo::run(context, &args),
        Command::Audit(command) => audit::run(context, command),
        #[cfg(feature = "portal")]
        Command::Portal(args) => portal::run(context, &args),
        Command::Completion(args) => completion::run(&args),
        Command::Man(args) => man::run(&args),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Cli;

    #[test]
    fn the_arguments_of_all_commands_fit_each_other() {
        Cli::command().debug_assert();
    }
}
