//! `wats-scim doctor`: the way to a server, step by step, and what the server does.

mod checks;
mod connection;
mod report;

use std::io::Write as _;
use std::path::PathBuf;

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output;
use crate::private::NewFile;
use crate::standard_output::StandardOutput;

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Also create up to two users and a group, change them and remove them again
    #[arg(long)]
    write: bool,
    /// Do not ask before --write; needed without a terminal
    #[arg(long, short)]
    yes: bool,
    /// Write the report (Markdown, without secrets and personal data) to this file
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let server = context.server()?;
    let config = server.config()?;
    let file = args.output.as_deref().map(NewFile::create).transpose()?;
    if args.write {
        let what = format!("this creates up to two users and a group on {} and removes them again", server.url);
        context.confirm(args.yes, 1, &what)?;
    }
    context.say(format!("Checking {}, which {} names …", output::shown(&server.url), server.from));
    let report = checks::run(context, &server, config, args.write)?;
    let text = report.to_string();
    match file {
        Some(file) => {
            file.keep(text.as_bytes())?;
            report.problems().for_each(|problem| context.say(problem));
        }
        None => StandardOutput::new().write_all(text.as_bytes())?,
    }
    Ok(report.exit())
}
