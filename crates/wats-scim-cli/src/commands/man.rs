//! `wats-scim man`

use std::io::{self, Write as _};
use std::path::PathBuf;

use clap::CommandFactory as _;

use super::Cli;
use crate::failure::{Exit, Failure};

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Write a page for each command into this folder
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let command = Cli::command();
    if let Some(folder) = &args.out {
        clap_mangen::generate_to(command, folder).map_err(|error| Failure::file(folder, error))?;
    } else {
        let mut page = Vec::new();
        clap_mangen::Man::new(command).render(&mut page)?;
        io::stdout().write_all(&page)?;
    }
    Ok(Exit::Done)
}
