//! `wats-scim plan SOURCE`: what would make the server match a source.

use std::io::Write as _;
use std::path::PathBuf;

use wats_scim::blocking::ScimClient;
use wats_scim::plan::Plan;
use wats_scim::{ErrorKind, Schemas};

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::many::counted;
use crate::output::print;
use crate::plan_file;
use crate::policy::{PolicyArgs, rejected};
use crate::source::SourceArgs;
use crate::standard_output::StandardOutput;

#[derive(clap::Args, Debug)]
#[group(skip)]
pub(crate) struct Args {
    /// CSV, JSON or JSON Lines; `-` for standard input, or `scim:PROFILE` for another server
    #[arg(value_name = "SOURCE", required = true)]
    source: Option<String>,
    /// Store the plan in this file, for `apply`; `-` for standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// End with exit code 2 if the plan has steps
    #[arg(long)]
    detailed_exitcode: bool,
    /// Store the passwords of new users in the plan
    #[arg(long)]
    store_passwords: bool,
    #[command(flatten)]
    from: SourceArgs,
    #[command(flatten)]
    policy: PolicyArgs,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let missing = || Failure::Usage("name a source: `wats-scim plan people.csv`".to_owned());
    let source = args.source.as_deref().ok_or_else(missing)?;
    let desired = args.from.read(context, source)?;
    let client = context.connect()?;
    let policy = args.policy.policy(client.profile())?;
    context.say(format_args!("{} in {source}; reading the server …", counted(desired.users().len(), "users")));
    let current = if desired.groups().is_some() { client.current_directory()? } else { client.current_users()? };
    let plan = policy.plan(&current, &desired).map_err(|refusal| rejected(&refusal))?;
    let mut plan = plan.with_made_by(context.label());
    if args.store_passwords {
        plan = plan.allow_passwords();
    }
    warn(context, &client, &plan)?;
    match &args.output {
        Some(path) if path.as_os_str() == "-" => writeln!(StandardOutput::new(), "{}", plan_file::text(&plan)?)?,
        Some(path) => {
            plan_file::store(path, &plan)?;
            print(&plan)?;
            if !plan.is_empty() {
                context.say(format_args!("Review it, then: wats-scim apply {}", path.display()));
            }
        }
        None => {
            print(&plan)?;
            if !plan.is_empty() {
                context.say("Nothing was sent. Store the plan with `-o plan.json`, then apply it.");
            }
        }
    }
    Ok(if args.detailed_exitcode && !plan.is_empty() { Exit::Changes } else { Exit::Done })
}

/// Says which steps the server would reject, if it describes what it accepts.
fn warn(context: &Context, client: &ScimClient, plan: &Plan) -> Result<(), Failure> {
    if plan.is_empty() {
        return Ok(());
    }
    let schemas = match client.schemas() {
        Ok(schemas) => schemas,
        // WATS has none, and many servers forget them.
        Err(error) if matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::NotFound) => Schemas::default(),
        Err(error) => return Err(error.into()),
    };
    for rejection in plan.would_be_rejected(client.profile(), &schemas) {
        context.say(format_args!("warning: {rejection}"));
    }
    Ok(())
}
