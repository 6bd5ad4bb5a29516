//! `wats-scim audit verify [TRAIL…]`

use std::path::PathBuf;

use wats_scim::audit::Outcome;

use super::{Pending, print, read, trails};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::{Listing, OutputArgs};

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The files of the trail, the oldest first [default: that of --trail]
    #[arg(value_name = "TRAIL")]
    trails: Vec<PathBuf>,
    #[command(flatten)]
    output: OutputArgs,
}

const COLUMNS: [&str; 6] = ["at", "label", "operation", "user", "write", "outcome"];

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let trails = trails(context, &args.trails)?;
    let mut list = Listing::new(args.output.format(), &COLUMNS.map(str::to_owned));
    let mut pending = Pending::default();
    let (mut applied, mut refused, mut unknown, mut without_start) = (0_u64, 0_u64, 0_u64, 0_u64);
    let torn = read(&trails, |event| {
        let had_begun = match event.outcome {
            Outcome::Begun => {
                pending.begin(event);
                return Ok(());
            }
            _ => pending.end(&event.write),
        };
        // What is rejected before it is sent does not begin.
        if !had_begun && (event.outcome != Outcome::Refused || event.attempts > 0) {
            without_start += 1;
        }
        match event.outcome {
            Outcome::Applied => applied += 1,
            Outcome::Refused => refused += 1,
            _ => {
                unknown += 1;
                return print(&mut list, &event);
            }
        }
        Ok(())
    })?;
    let open = pending.into_events();
    open.iter().try_for_each(|event| print(&mut list, event))?;
    list.finish()?;
    context.say(format_args!("{applied} writes were applied, {refused} refused, {unknown} have an unknown outcome."));
    let findings = [
        (
            u64::try_from(open.len()).unwrap_or(u64::MAX),
            "writes have begun and have no outcome: they may have been applied",
        ),
        (unknown, "writes have an unknown outcome: they may have been applied"),
        (without_start, "outcomes have no beginning, or are there twice"),
        (torn, "lines are no events: they were cut off, or edited"),
    ];
    let found: Vec<_> = findings.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    if found.is_empty() {
        return Ok(Exit::Done);
    }
    Err(Failure::Other(format!("the trail is not complete: {}", found.join("; "))))
}
