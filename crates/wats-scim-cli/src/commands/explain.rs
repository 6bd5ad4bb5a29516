//! `wats-scim explain WHO --from SOURCE`: why a user is or is not in a plan.

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::print;
use crate::policy::{PolicyArgs, rejected};
use crate::source::SourceArgs;
use crate::who::Who;

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// A userName, an id, or externalId:ID
    #[arg(value_name = "WHO")]
    who: String,
    /// The source of the plan, as for `plan`
    #[arg(long, value_name = "SOURCE")]
    from: String,
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    policy: PolicyArgs,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let who = Who::in_text(&args.who)?;
    let desired = args.source.read(context, &args.from)?;
    let client = context.connect()?;
    let policy = args.policy.policy(client.profile())?;
    let current = if desired.groups().is_some() { client.current_directory()? } else { client.current_users()? };
    let mut explanation = policy.explain(&current, &desired, &who);
    // Its text names the settings of the library.
    let is_rejected = explanation.guard.take().is_some();
    print(&explanation)?;
    if is_rejected && let Err(refusal) = policy.plan(&current, &desired) {
        print(format!("  {}", rejected(&refusal)))?;
    }
    Ok(Exit::Done)
}
