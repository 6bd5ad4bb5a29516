//! `wats-scim groups delete`

use wats_scim::{ScimGroup, ScimWrite};

use super::with_groups;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::lookup::resolve;
use crate::many::{Words, name_of, question, write_all};
use crate::who;

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// A displayName, an id, or externalId:ID; - for a list on standard input, one per line
    #[arg(required = true, value_name = "GROUP")]
    groups: Vec<String>,
    /// Leave out groups that are not on the server, instead of changing nothing
    #[arg(long)]
    skip_unknown: bool,
    /// Do not ask; needed without a terminal
    #[arg(long, short)]
    yes: bool,
}

const WORDS: Words =
    Words { units: "groups", done: "deleted", again: "run the same command again with --skip-unknown for the rest" };

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let who = who::read(context, &args.groups)?;
    let client = with_groups(context.connect_to_write()?)?;
    let groups: Vec<ScimGroup> = resolve(context, &client, &who)?.for_write(context, args.skip_unknown)?;
    context.confirm(args.yes, groups.len(), &question("deletes", &groups))?;
    let writes = groups.iter().map(|group| (name_of(group), ScimWrite::<ScimGroup>::delete(group))).collect();
    write_all(context, &client, writes, WORDS, |_| Ok(()))
}
