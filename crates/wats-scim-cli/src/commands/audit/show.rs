//! `wats-scim audit show [TRAIL…]`

use std::collections::HashSet;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use wats_scim::audit::{Event, EventQuery, Outcome};

use super::{Pending, print, read, trails};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::{Listing, OutputArgs};
use crate::when::time;
use crate::who::Who;

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The files of the trail, the oldest first [default: that of --trail]
    #[arg(value_name = "TRAIL")]
    trails: Vec<PathBuf>,
    /// List only writes of this author, the label of the write
    #[arg(long, value_name = "LABEL")]
    who: Option<String>,
    /// List only writes of one user or group: a userName, an id, or externalId:ID
    #[arg(long, value_name = "WHO")]
    user: Option<String>,
    /// List only writes since then: 2026-11-24, 2026-11-24T09:15:00Z, or 7d for the last seven days
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: Option<DateTime<Utc>>,
    /// List only writes before then
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<DateTime<Utc>>,
    /// List only writes with this outcome: applied, refused, unknown, or begun if it was not recorded
    #[arg(long, value_name = "OUTCOME", value_parser = outcome)]
    outcome: Option<Outcome>,
    /// List only writes to this server: scheme, host and port of its URL
    #[arg(long, value_name = "ORIGIN")]
    server: Option<String>,
    /// Print these columns, in a table or in CSV
    #[arg(
        long,
        value_name = "COLUMNS",
        value_delimiter = ',',
        default_value = "at,label,operation,user,attributes,outcome"
    )]
    columns: Vec<String>,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn run(context: &Context, args: Args) -> Result<Exit, Failure> {
    let trails = trails(context, &args.trails)?;
    let query = query(&args);
    let user = args.user.map(|user| Who::in_text(&user).and_then(|user| User::find(&trails, user))).transpose()?;
    let matches = |event: &Event| query.matches(event) && user.as_ref().is_none_or(|user| user.is_of(event));
    let mut list = Listing::new(args.output.format(), &args.columns);
    let mut pending = Pending::default();
    let skipped = read(&trails, |event| {
        if event.outcome == Outcome::Begun {
            pending.begin(event);
            return Ok(());
        }
        pending.end(&event.write);
        if matches(&event) { print(&mut list, &event) } else { Ok(()) }
    })?;
    pending.into_events().iter().filter(|event| matches(event)).try_for_each(|event| print(&mut list, event))?;
    list.finish()?;
    if skipped > 0 {
        context.say(format_args!("{skipped} lines are no events; `wats-scim audit verify` checks the trail."));
    }
    Ok(Exit::Done)
}

fn query(args: &Args) -> EventQuery {
    let mut query = EventQuery::new();
    if let Some(label) = &args.who {
        query = query.label(label);
    }
    if let Some(since) = args.since {
        query = query.since(since);
    }
    if let Some(until) = args.until {
        query = query.until(until);
    }
    if let Some(outcome) = args.outcome {
        query = query.outcome(outcome);
    }
    if let Some(server) = &args.server {
        query = query.server(server.trim_end_matches('/'));
    }
    query
}

/// A user or group with the ids that the trail knows it by: many events have the id alone.
struct User {
    query: EventQuery,
    /// With the server of each.
    ids: HashSet<(String, String)>,
}

impl User {
    fn find(trails: &[PathBuf], who: String) -> Result<Self, Failure> {
        let query = EventQuery::new().resource(who);
        let mut ids = HashSet::new();
        read(trails, |event| {
            if query.matches(&event)
                && let Some(id) = event.id
            {
                ids.insert((event.server, id));
            }
            Ok(())
        })?;
        Ok(Self { query, ids })
    }

    fn is_of(&self, event: &Event) -> bool {
        let id = event.id.as_ref().map(|id| (event.server.clone(), id.clone()));
        self.query.matches(event) || id.is_some_and(|id| self.ids.contains(&id))
    }
}

fn outcome(text: &str) -> Result<Outcome, String> {
    serde_json::from_value(text.to_ascii_lowercase().into())
        .map_err(|_| "write applied, refused, unknown or begun".to_owned())
}
