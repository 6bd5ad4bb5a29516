//! `wats-scim audit …`: the trail of writes.

mod show;
mod verify;

use std::collections::HashMap;
use std::path::PathBuf;

use clap::Subcommand;
use serde_json::Value;
use wats_scim::audit::{Attribute, Event, Outcome, Trail};

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::Listing;

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// List the writes of a trail: who changed what, and with which outcome
    Show(show::Args),
    /// Check that a trail is whole, and list the writes whose outcome is not known
    Verify(verify::Args),
}

pub(super) fn run(context: &Context, command: Command) -> Result<Exit, Failure> {
    match command {
        Command::Show(args) => show::run(context, args),
        Command::Verify(args) => verify::run(context, &args),
    }
}

/// The trails that are given, or that of the command.
fn trails(context: &Context, given: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    if !given.is_empty() {
        return Ok(given.to_vec());
    }
    let path = context.trail_file()?;
    if path.exists() {
        return Ok(vec![path]);
    }
    Err(Failure::file(&path, "there is no trail yet; name another file"))
}

/// Reads all trails in their order; returns how many lines are no events.
fn read(paths: &[PathBuf], mut each: impl FnMut(Event) -> Result<(), Failure>) -> Result<u64, Failure> {
    let mut skipped = 0;
    for path in paths {
        let failed = |error| Failure::file(path, error);
        let mut events = Trail::read(path).map_err(failed)?;
        for event in events.by_ref() {
            each(event.map_err(failed)?)?;
        }
        skipped += events.skipped();
    }
    Ok(skipped)
}

/// The writes that have begun and have no outcome yet, in their order.
#[derive(Default)]
struct Pending {
    events: HashMap<String, (u64, Event)>,
    begun: u64,
}

impl Pending {
    fn begin(&mut self, event: Event) {
        self.begun += 1;
        self.events.insert(event.write.clone(), (self.begun, event));
    }

    /// Whether the write had begun.
    fn end(&mut self, write: &str) -> bool {
        self.events.remove(write).is_some()
    }

    fn into_events(self) -> Vec<Event> {
        let mut events: Vec<_> = self.events.into_values().collect();
        events.sort_by_key(|(number, _)| *number);
        events.into_iter().map(|(_, event)| event).collect()
    }
}

/// Prints an event: as it is in the trail, or its parts in columns.
fn print(list: &mut Listing, event: &Event) -> Result<(), Failure> {
    let object = serde_json::to_value(event).unwrap_or_default();
    list.row(&object, |column| match column {
        "at" => event.at.format("%Y-%m-%d %H:%M:%S").to_string(),
        "attributes" => event.attributes.iter().map(attribute).collect::<Vec<_>>().join(", "),
        "outcome" if event.outcome == Outcome::Begun => "may have been applied".to_owned(),
        "user" => event.name.as_ref().or(event.id.as_ref()).or(event.external_id.as_ref()).cloned().unwrap_or_default(),
        member => object.get(member).map(text).unwrap_or_default(),
    })
}

fn attribute(attribute: &Attribute) -> String {
    match &attribute.value {
        Some(value) => format!("{} {}", attribute.path, text(value)),
        None => attribute.path.clone(),
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
