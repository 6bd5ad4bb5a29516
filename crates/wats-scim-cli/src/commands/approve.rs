//! `wats-scim approve PLAN`: a file that admits exactly that plan.

use std::path::{Path, PathBuf};

use crate::approval::{Approval, is_digest};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::print;
use crate::plan_file;

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The plan, or its digest as `show` prints it
    #[arg(value_name = "PLAN|DIGEST")]
    plan: String,
    /// Record a reason
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Write the approval to this file [default: beside the plan, as plan.approval.json]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let path = Path::new(&args.plan);
    let (digest, out) = if is_digest(&args.plan) && !path.exists() {
        let out = args.out.clone().ok_or_else(|| {
            Failure::Usage("an approval by the digest needs --out, with a file beside the plan".to_owned())
        })?;
        (args.plan.to_ascii_lowercase(), out)
    } else {
        let out = args.out.clone().unwrap_or_else(|| plan_file::beside(path, "approval.json"));
        (plan_file::read(path)?.digest(), out)
    };
    let approval = Approval::new(digest, context.label(), args.reason.clone());
    approval.write(&out)?;
    context.say(format_args!("{} admits the plan with this digest, and no other one:", out.display()));
    print(&approval.digest)?;
    Ok(Exit::Done)
}
