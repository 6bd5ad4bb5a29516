//! `wats-scim undo JOURNAL`: the plan that takes back what an apply wrote.

use std::path::PathBuf;

use wats_scim::plan::Journal;

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::print;
use crate::plan_file;
use crate::policy::{PolicyArgs, rejected};

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The journal of the apply, or its plan with the journal beside it
    #[arg(value_name = "JOURNAL")]
    journal: PathBuf,
    /// Store the plan in this file [default: beside the journal, as plan.undo.json]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    policy: PolicyArgs,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let path = if plan_file::is_journal(&args.journal)? {
        args.journal.clone()
    } else {
        plan_file::read(&args.journal)?;
        plan_file::beside(&args.journal, "journal")
    };
    if !path.exists() {
        return Err(Failure::file(&path, "there is no journal; the plan was not applied from here"));
    }
    let written = Journal::at(&path).written()?;
    let client = context.connect()?;
    let policy = args.policy.policy(client.profile())?;
    let undo = policy
        .undo(&plan_file::current(&client)?, &written)
        .map_err(|refusal| rejected(&refusal))?
        .with_made_by(context.label());
    let out = args.output.clone().unwrap_or_else(|| plan_file::beside(&path, "undo.json"));
    plan_file::store(&out, &undo)?;
    print(&undo)?;
    let cannot = undo.conflicts.len() + undo.inexpressible.len();
    if cannot > 0 {
        context.say(format_args!("{cannot} cannot be taken back: the lines with ! and ? say why."));
    }
    if undo.is_empty() {
        context.say("There is nothing to take back.");
    } else {
        context.say(format_args!("Review it, then: wats-scim apply {}", out.display()));
    }
    Ok(Exit::Done)
}
