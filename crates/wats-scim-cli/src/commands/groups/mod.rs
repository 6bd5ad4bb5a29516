//! `wats-scim groups …`

mod create;
mod delete;
mod get;
mod list;
mod members;

use clap::Subcommand;
use wats_scim::blocking::ScimClient;
use wats_scim::{Resource, ScimGroup};

use crate::context::Context;
use crate::failure::{Exit, Failure};

/// The columns of a table of groups.
const COLUMNS: &str = "displayName,externalId,id";

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// List groups
    List(list::Args),
    /// Show groups with all their attributes
    Get(get::Args),
    /// Create a group
    Create(create::Args),
    /// Delete groups; their members are kept
    Delete(delete::Args),
    /// List and change the members of a group
    #[command(subcommand)]
    Members(members::Command),
}

pub(super) fn run(context: &Context, command: Command) -> Result<Exit, Failure> {
    match command {
        Command::List(args) => list::run(context, &args),
        Command::Get(args) => get::run(context, &args),
        Command::Create(args) => create::run(context, &args),
        Command::Delete(args) => delete::run(context, &args),
        Command::Members(command) => members::run(context, command),
    }
}

/// The client of a server that has groups.
fn with_groups(client: ScimClient) -> Result<ScimClient, Failure> {
    if client.profile().offers(ScimGroup::ENDPOINT) {
        return Ok(client);
    }
    let server = if client.profile().is_wats() { "WATS" } else { "the server" };
    Err(Failure::Other(format!("{server} has no groups; nothing was sent to it for them")))
}
