//! `wats-scim`: users and groups of a WATS server, or of any SCIM 2.0 server, from a terminal or a nightly job.
#![forbid(unsafe_code)]
#![allow(rustdoc::broken_intra_doc_links, reason = "comments of arguments are help texts: [default: …] is no link")]

mod approval;
mod column_names;
mod columns;
mod commands;
mod context;
mod failure;
mod interrupt;
mod listed;
mod lookup;
mod many;
mod output;
mod place;
mod plan_file;
mod policy;
mod private;
mod profiles;
mod secrets;
mod server;
mod source;
mod standard_input;
mod standard_output;
mod terminal;
mod when;
mod who;

use std::process::ExitCode;

use clap::Parser;

use crate::commands::Cli;
use crate::context::Context;
use crate::failure::{Exit, Failure};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // The text of `--help` is no error.
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::Done };
            return if error.print().is_ok() { exit.into() } else { Exit::Error.into() };
        }
    };
    let context = Context::new(cli.global);
    match commands::run(&context, cli.command) {
        Ok(exit) => exit.into(),
        // The reader of the output has closed it, as `| head` does.
        Err(Failure::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => Exit::Done.into(),
        Err(failure) => {
            context.report(&failure);
            failure.exit().into()
        }
    }
}
