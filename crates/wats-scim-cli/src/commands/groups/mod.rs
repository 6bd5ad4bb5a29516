//! `wats-scim groups …`

mod create;
mod delete;
mod get;
mod list;
mod members;

use clap::Subcommand;
use wats_scim::blocking::ScimClient;
use wats_scim::plan::CurrentGroup;
use wats_scim::{Resource, ScimGroup};

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::lookup::resolve;
use crate::output::shown;
use crate::who;

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

/// The group that is named.
fn named(context: &Context, client: &ScimClient, text: &str) -> Result<ScimGroup, Failure> {
    let groups = resolve::<ScimGroup>(context, client, &who::read(context, &[text.to_owned()])?)?;
    let missing = groups.missing();
    groups.found.into_iter().next().ok_or(Failure::Other(missing))
}

/// Ends a list of members, with an error if some are missing.
fn end(context: &Context, groups: &[CurrentGroup]) -> Result<Exit, Failure> {
    let name = |group: &CurrentGroup| shown(group.group().display_name.as_deref().unwrap_or_default());
    for group in groups {
        if let Some(why) = group.why_groups_unread() {
            context.say(format_args!("groups in {} are not listed: {why}", name(group)));
        }
    }
    let mut unread = groups.iter().filter_map(|group| Some((group, group.why_unread()?)));
    let Some((group, why)) = unread.next() else { return Ok(Exit::Done) };
    let more = match unread.count() {
        0 => String::new(),
        more => format!("and {more} more groups "),
    };
    Err(Failure::Other(format!(
        "members of {} {more}may be missing in the list: {why}; `wats-scim doctor --write --keep` probes the server",
        name(group)
    )))
}
