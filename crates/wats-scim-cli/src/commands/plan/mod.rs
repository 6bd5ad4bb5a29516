//! `wats-scim plan SOURCE` and `wats-scim plan diff`

mod diff;
mod make;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::{Exit, Failure};

#[derive(clap::Args, Debug)]
#[command(args_conflicts_with_subcommands = true, arg_required_else_help = true, subcommand_negates_reqs = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    make: make::Args,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Compare two plans, such as the approved one and that of today
    Diff(diff::Args),
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    match &args.command {
        Some(Command::Diff(args)) => diff::run(args),
        None => make::run(context, &args.make),
    }
}
