//! `wats-scim users …`

mod list;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::{Exit, Failure};

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// List users
    List(list::Args),
}

pub(super) fn run(context: &Context, command: Command) -> Result<Exit, Failure> {
    match command {
        Command::List(args) => list::run(context, &args),
    }
}
