//! `wats-scim groups members …`

use std::collections::HashSet;

use clap::Subcommand;
use wats_scim::blocking::ScimClient;
use wats_scim::plan::CurrentGroup;
use wats_scim::{Membership, ScimGroup, ScimUser};

use super::{end, named, with_groups};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::lookup::resolve;
use crate::many::{AGAIN, Counts, Words, name_of};
use crate::output::{Listing, OutputArgs, shown};
use crate::who::{self, Who};

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// List the members of a group
    List(ListArgs),
    /// Add members; all others are kept
    Add(Args),
    /// Remove members; all others are kept
    Remove(Args),
}

#[derive(clap::Args, Debug)]
pub(crate) struct ListArgs {
    /// A displayName, an id, or externalId:ID
    #[arg(value_name = "GROUP")]
    group: String,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// A displayName, an id, or externalId:ID
    #[arg(value_name = "GROUP")]
    group: String,
    /// A userName, an id, externalId:ID, or group:NAME; - for a list on standard input, one per line
    #[arg(required = true, value_name = "WHO")]
    who: Vec<String>,
    /// Leave out members that are not on the server, instead of changing nothing
    #[arg(long)]
    skip_unknown: bool,
}

/// What is done with members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Add,
    Remove,
}

/// Between two of so many members, Ctrl-C ends a run.
const AT_ONCE: usize = 100;

pub(super) fn run(context: &Context, command: Command) -> Result<Exit, Failure> {
    match command {
        Command::List(args) => list(context, &args),
        Command::Add(args) => add_or_remove(context, &args, Verb::Add),
        Command::Remove(args) => add_or_remove(context, &args, Verb::Remove),
    }
}

fn list(context: &Context, args: &ListArgs) -> Result<Exit, Failure> {
    let client = with_groups(context.connect()?)?;
    let group = named(context, &client, &args.group)?;
    let gone = || Failure::Other(format!("the group {} is gone", shown(&args.group)));
    let current = client.current_groups(vec![group])?.pop().ok_or_else(gone)?;
    let mut list = Listing::new(args.output.format(), &["display", "type", "id"].map(str::to_owned));
    for member in current.group().members.iter().flatten() {
        let cell = |text: &Option<String>| text.clone().unwrap_or_default();
        list.row(member, |column| match column {
            "display" => cell(&member.display),
            "type" => cell(&member.r#type),
            _ => cell(&member.value),
        })?;
    }
    list.finish()?;
    end(context, &[current])
}

fn add_or_remove(context: &Context, args: &Args, verb: Verb) -> Result<Exit, Failure> {
    let members = Members::read(context, &args.who)?;
    let client = with_groups(context.connect_to_write()?)?;
    let group = named(context, &client, &args.group)?;
    let members = members.resolve(context, &client, args.skip_unknown)?;
    let current = match client.profile().membership() {
        Membership::OfGroups | Membership::Paged(_) => client.current_groups(vec![group.clone()])?.pop(),
        // They would take a request for each user, or cannot be read.
        _ => None,
    };
    change(context, &client, &group, current.as_ref(), &members, verb)
}

/// Adds or removes members, whose names are for messages. Those that the group has by `current` are not added again, and
/// only they are removed if it has all.
pub(super) fn change(
    context: &Context,
    client: &ScimClient,
    group: &ScimGroup,
    current: Option<&CurrentGroup>,
    members: &[(String, String)],
    verb: Verb,
) -> Result<Exit, Failure> {
    let held: HashSet<&str> = current.into_iter().flat_map(|current| current.group().member_ids()).collect();
    // A server may have members although it shows none.
    let has_all = !held.is_empty() && current.is_some_and(|current| current.why_unread().is_none());
    let is_needed = |id: &str| match verb {
        Verb::Add => !held.contains(id),
        Verb::Remove => held.contains(id) || !has_all,
    };
    let needed: Vec<&str> = members.iter().map(|(_, id)| id.as_str()).filter(|id| is_needed(id)).collect();
    let (done, state) = if verb == Verb::Add { ("added", "already members") } else { ("removed", "no members") };
    if needed.len() < members.len() {
        context.say(format!("{state}: {} of {}", members.len() - needed.len(), members.len()));
    }
    let words = Words { units: "members", done, again: AGAIN };
    let mut counts = Counts::of(needed.len());
    context.interrupt.listen();
    let bar = context.progress_of(words.units, needed.len());
    for ids in needed.chunks(AT_ONCE) {
        if context.interrupt.is_pressed() {
            break;
        }
        let sent = match verb {
            Verb::Add => client.groups().add_members(group, ids),
            Verb::Remove => client.groups().remove_members(group, ids),
        };
        match sent {
            Ok(()) => counts.done(ids.len()),
            Err(error) => {
                counts.failed(ids.len(), &error);
                let first = members.iter().find(|(_, id)| ids.first() == Some(&id.as_str()));
                let first = first.map(|(name, _)| name.as_str()).unwrap_or_default();
                let name = format!("group {}, {} members from {first}", name_of(group), ids.len());
                bar.suspend(|| context.report_of(&name, &error));
                if error.kind() == wats_scim::ErrorKind::Unauthorized {
                    break;
                }
            }
        }
        bar.inc(u64::try_from(ids.len()).unwrap_or(u64::MAX));
    }
    bar.finish_and_clear();
    counts.end(context, words)
}

/// Members as they are named: users, and groups as `group:NAME`.
#[derive(Debug)]
pub(super) struct Members {
    users: Vec<Who>,
    groups: Vec<Who>,
}

impl Members {
    pub(super) fn read(context: &Context, words: &[String]) -> Result<Self, Failure> {
        let (mut users, mut groups) = (Vec::new(), Vec::new());
        for who in who::read(context, words)? {
            match who {
                Who::Text(text) if text.starts_with("group:") => {
                    groups.extend(who::read(context, &[text.trim_start_matches("group:").to_owned()])?);
                }
                user => users.push(user),
            }
        }
        Ok(Self { users, groups })
    }

    /// Their names and ids.
    pub(super) fn resolve(
        self,
        context: &Context,
        client: &ScimClient,
        skip_unknown: bool,
    ) -> Result<Vec<(String, String)>, Failure> {
        let users = resolve::<ScimUser>(context, client, &self.users)?.for_write(context, skip_unknown)?;
        let groups = resolve::<ScimGroup>(context, client, &self.groups)?.for_write(context, skip_unknown)?;
        let users = users.iter().map(|user| (name_of(user), user.id.clone().unwrap_or_default()));
        let groups = groups.iter().map(|group| (name_of(group), group.id.clone().unwrap_or_default()));
        Ok(users.chain(groups).collect())
    }
}
