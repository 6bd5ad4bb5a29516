//! `wats-scim show PLAN`: a plan for review.

use std::path::PathBuf;

use clap::ValueEnum;
use serde::Serialize;

use crate::failure::{Exit, Failure};
use crate::output::print;
use crate::plan_file;

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The plan, or the journal of its apply
    #[arg(value_name = "PLAN")]
    plan: PathBuf,
    /// Print in this format
    #[arg(long, short, value_enum, value_name = "FORMAT", default_value_t = Format::Text)]
    output: Format,
    /// Leave out names and values, for review in public
    #[arg(long)]
    public: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A line for each step
    Text,
    /// For a merge request
    Markdown,
    /// One object; passwords that the plan stores are redacted
    Json,
}

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let plan = plan_file::read(&args.plan)?;
    let public = args.public.then(|| plan.without_values());
    match (args.output, &public) {
        (Format::Text, None) => print(format!("{plan}\n\ndigest {}", plan.digest()))?,
        (Format::Text, Some(public)) => print(format!("{public}\n\ndigest {}", public.digest()))?,
        (Format::Markdown, None) => print(plan.markdown())?,
        (Format::Markdown, Some(public)) => print(public.markdown())?,
        (Format::Json, None) => print(json(&plan.to_json_for_review().map_err(unwritable)?)?)?,
        (Format::Json, Some(public)) => print(json(public)?)?,
    }
    Ok(Exit::Done)
}

fn json(plan: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string_pretty(plan).map_err(unwritable)
}

#[allow(clippy::needless_pass_by_value, reason = "as map_err calls it")]
fn unwritable(error: serde_json::Error) -> Failure {
    Failure::Other(error.to_string())
}
