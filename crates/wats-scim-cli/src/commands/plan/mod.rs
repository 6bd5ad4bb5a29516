//! `wats-scim plan …`

mod diff;

use clap::Subcommand;

use crate::failure::{Exit, Failure};

#[derive(clap::Args, Debug)]
#[command(args_conflicts_with_subcommands = true, subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Compare two plans, such as the approved one and that of today
    Diff(diff::Args),
}

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    match &args.command {
        Some(Command::Diff(args)) => diff::run(args),
        None => Ok(Exit::Usage),
    }
}
