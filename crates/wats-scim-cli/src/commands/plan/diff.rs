//! `wats-scim plan diff A B`

use std::path::PathBuf;

use crate::failure::{Exit, Failure};
use crate::output::print;
use crate::plan_file;

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The first plan
    #[arg(value_name = "A")]
    first: PathBuf,
    /// The second plan
    #[arg(value_name = "B")]
    second: PathBuf,
    /// End with exit code 2 if they differ
    #[arg(long)]
    detailed_exitcode: bool,
}

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let (first, second) = (plan_file::read(&args.first)?, plan_file::read(&args.second)?);
    let diff = first.diff(&second);
    print(&diff)?;
    let differs = args.detailed_exitcode && !diff.is_empty();
    Ok(if differs { Exit::Changes } else { Exit::Done })
}
