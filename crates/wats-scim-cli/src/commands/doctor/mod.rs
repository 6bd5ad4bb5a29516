//! `wats-scim doctor`: the way to a server, step by step, and what the server does.

mod checks;
mod connection;
mod report;

use std::io::Write as _;
use std::path::PathBuf;

use wats_scim::Profile;

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output;
use crate::private::NewFile;
use crate::profiles::{Measured, Profiles};
use crate::server::{NamedBy, Server, is_same_url};
use crate::standard_output::StandardOutput;

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Also create up to two users and a group, change them and remove them again
    #[arg(long)]
    write: bool,
    /// Keep what is found with the profile, for other commands to go by
    #[arg(long)]
    keep: bool,
    /// Do not ask before --write; needed without a terminal
    #[arg(long, short)]
    yes: bool,
    /// Write the report (Markdown, without secrets and personal data) to this file
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    // Everything is measured anew.
    let server = Server { measured: None, ..context.server()? };
    let profile = args.keep.then(|| profile(&server)).transpose()?;
    let config = server.config()?;
    let file = args.output.as_deref().map(NewFile::create).transpose()?;
    if args.write {
        let what = format!("this creates up to two users and a group on {} and removes them again", server.url);
        context.confirm(args.yes, 1, &what)?;
    }
    context.say(format!("Checking {}, which {} names …", output::shown(&server.url), server.named_by));
    let report = checks::run(context, &server, config, args.write)?;
    let text = report.to_string();
    match file {
        Some(file) => {
            file.keep(text.as_bytes())?;
            report.problems().for_each(|problem| context.say(problem));
        }
        None => StandardOutput::new().write_all(text.as_bytes())?,
    }
    if let Some(name) = profile {
        match &report.probe {
            Some(probe) => keep(context, name, &server, &probe.profile())?,
            None => context.say("Nothing is kept, since the server could not be measured."),
        }
    }
    Ok(report.exit())
}

/// The profile that names the server.
fn profile(server: &Server) -> Result<&str, Failure> {
    match &server.named_by {
        NamedBy::Profile(name) => Ok(name),
        other => Err(Failure::Usage(format!(
            "--keep needs a profile, and the server is named by {other}; run `wats-scim login` and give --profile"
        ))),
    }
}

fn keep(context: &Context, name: &str, server: &Server, features: &Profile) -> Result<(), Failure> {
    let measured = Measured::now(features)?;
    Profiles::change(|profiles| match profiles.saved.get_mut(name) {
        Some(saved) if is_same_url(&saved.url, &server.url) => {
            (saved.kind, saved.measured) = (server.kind, Some(measured));
            Ok(())
        }
        _ => Err(Failure::Other(format!("nothing is kept: the profile {name} was changed in the meantime"))),
    })?;
    context.say(format!(
        "It is kept with the profile {name}. Run this again when the server was updated or configured otherwise."
    ));
    Ok(())
}
