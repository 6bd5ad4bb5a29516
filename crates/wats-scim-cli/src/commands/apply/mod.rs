//! `wats-scim apply PLAN`: applies a plan, and resumes from the journal beside it.

mod ending;
mod order;
mod resume;

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::FalseyValueParser;
use wats_scim::ErrorKind;
use wats_scim::blocking::{ScimApply, ScimRepository};
use wats_scim::plan::{Action, Report};

use self::ending::Ending;
use self::order::{Order, action};
use self::resume::Resume;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::when::span;

#[derive(clap::Args, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is an argument")]
pub(crate) struct Args {
    /// The plan, or the journal of an interrupted apply
    #[arg(value_name = "PLAN")]
    plan: PathBuf,
    /// Do not ask; needed without a terminal
    #[arg(long, short)]
    yes: bool,
    /// Print what would be done now, and write nothing
    #[arg(long)]
    check: bool,
    /// Apply only steps of these actions, such as create,deactivate
    #[arg(long, value_name = "ACTIONS", value_delimiter = ',', value_parser = action)]
    only: Vec<Action>,
    /// Apply only the steps of one user: a userName, an id, or externalId:ID
    #[arg(long, value_name = "WHO")]
    user: Option<String>,
    /// Reject a plan that is older, such as 24h
    #[arg(long, value_name = "SPAN", value_parser = span)]
    max_age: Option<Duration>,
    /// Start no more steps after N problems
    #[arg(long, value_name = "N")]
    stop_after: Option<u64>,
    /// Keep N steps in flight
    #[arg(long, value_name = "N", default_value_t = 8)]
    in_flight: usize,
    /// Send each step by itself, and none in bulk requests
    #[arg(long)]
    no_bulk: bool,
    /// Apply only the plan with this digest
    #[arg(long, value_name = "DIGEST")]
    approved: Option<String>,
    /// Read the approval from this file [default: beside the plan, as plan.approval.json]
    #[arg(long, value_name = "FILE", conflicts_with = "approved")]
    approval: Option<PathBuf>,
    /// Apply only an approved plan
    #[arg(long, env = "WATS_SCIM_REQUIRE_APPROVAL", hide_env_values = true, value_parser = FalseyValueParser::new())]
    require_approval: bool,
    /// Apply a plan that was made for another address of the server
    #[arg(long)]
    allow_other_server: bool,
    /// Rename the unfinished journal of another plan, and begin this plan
    #[arg(long)]
    set_aside: bool,
    /// Do not read the users again afterwards
    #[arg(long)]
    no_verify: bool,
    /// Print the report in this format
    #[arg(long, short, value_enum, value_name = "FORMAT", default_value_t = ending::Format::Text)]
    output: ending::Format,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let order = Order::of(args)?;
    let resume = Resume::of(args, &order)?;
    let mut ending = Ending::of(args, &order);
    if order.plan.is_empty() {
        context.say("The plan has no steps: there is nothing to do.");
        return ending.done_before(0);
    }
    if resume.left() == 0 && !args.check {
        context.say(format_args!("The plan was applied before; its journal is {}.", order.journal.path().display()));
        return ending.done_before(order.plan.steps.len());
    }
    let approved = order.approved(context, args)?;
    let client = if args.check { context.connect()? } else { context.connect_to_write()? };
    let begin = || {
        let apply = client.apply(order.plan.clone()).in_flight(args.in_flight);
        let apply = if args.allow_other_server { apply.allow_other_server() } else { apply };
        let apply = if args.no_bulk { apply.without_bulk() } else { apply };
        let interrupt = context.interrupt.clone();
        let apply = apply.stop_when(move || interrupt.is_pressed());
        if args.check && !resume.resumes() { apply } else { apply.journal(order.journal.clone()) }
    };
    let mut apply = begin();
    if let Some(digest) = approved {
        apply = apply.approved(digest);
    }
    if let Some(age) = args.max_age {
        apply = apply.max_age(age);
    }
    if let Some(problems) = args.stop_after {
        apply = apply.stop_after(problems);
    }
    if let Some(why) = apply.inapplicable() {
        return Err(order.rejected(&why));
    }
    if args.check {
        context.interrupt.listen();
        return ending.checked(&run_with_progress(context, &order, apply.check())?);
    }
    context.confirm(args.yes, resume.number(), &resume.question(&order))?;
    resume.begin(context, &order)?;
    context.interrupt.listen();
    let report = run_with_progress(context, &order, apply)?;
    if !args.no_verify && !context.interrupt.is_pressed() && ending::is_worth_verifying(&report) {
        ending.verified(&report, run_with_progress(context, &order, begin().verify())?);
    }
    ending.applied(context, report)
}

fn run_with_progress<R: ScimRepository>(
    context: &Context,
    order: &Order,
    apply: ScimApply<R>,
) -> Result<Report, Failure> {
    let bar = context.progress("steps");
    bar.set_length(u64::try_from(order.plan.steps.len()).unwrap_or_default());
    let shown = bar.clone();
    let report = apply.on_progress(move |progress| shown.set_position(progress.done)).run();
    bar.finish_and_clear();
    report.map_err(|error| match error.kind() {
        ErrorKind::InvalidInput => order.invalid(&error),
        _ => Failure::Scim(error),
    })
}
