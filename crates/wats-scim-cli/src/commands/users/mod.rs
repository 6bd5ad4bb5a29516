//! `wats-scim users …`

mod active;
mod create;
mod delete;
mod get;
mod list;
mod print;
mod set;

use clap::{Args, Subcommand};

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::many::counted;

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// List users
    List(list::Args),
    /// Show users with all their attributes
    Get(get::Args),
    /// Create a user, or the users of a file
    Create(create::Args),
    /// Change attributes of users
    Set(set::Args),
    /// Let users sign in again
    Activate(WhoArgs),
    /// Keep users from signing in; their data is kept
    Deactivate(ConfirmedArgs),
    /// Delete users with their data
    Delete(ConfirmedArgs),
}

/// The users that a command changes.
#[derive(Args, Debug)]
pub(crate) struct WhoArgs {
    /// A userName, an id, or externalId:ID; - for a list on standard input, one per line
    #[arg(required = true, value_name = "WHO")]
    who: Vec<String>,
    /// Leave out users that are not on the server, instead of changing nothing
    #[arg(long)]
    skip_unknown: bool,
}

/// The users of a change that is confirmed.
#[derive(Args, Debug)]
pub(crate) struct ConfirmedArgs {
    #[command(flatten)]
    who: WhoArgs,
    /// Do not ask; needed without a terminal
    #[arg(long, short)]
    yes: bool,
}

pub(super) fn run(context: &Context, command: Command) -> Result<Exit, Failure> {
    match command {
        Command::List(args) => list::run(context, &args),
        Command::Get(args) => get::run(context, &args),
        Command::Create(args) => create::run(context, &args),
        Command::Set(args) => set::run(context, &args),
        Command::Activate(args) => active::activate(context, &args),
        Command::Deactivate(args) => active::deactivate(context, &args),
        Command::Delete(args) => delete::run(context, &args),
    }
}

/// Says how many users were so before, so that nothing is sent for them.
fn say_unneeded(context: &Context, all: usize, needed: usize, state: &str) {
    let number = all.saturating_sub(needed);
    if number > 0 {
        context.say(format!("already {state}: {number} of {}", counted(all, "users")));
    }
}
