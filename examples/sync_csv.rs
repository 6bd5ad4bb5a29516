//! Synchronizes the users of a server with a CSV file: prints the plan, and applies it with `--apply`.
//! `cargo run --features csv --example sync_csv -- [--apply] [FILE]`
//!
//! It uses a sandbox and `examples/users.csv`, or your server if `WATS_BASE_URL` and `WATS_TOKEN` are
//! set. If it is interrupted, run it again: it resumes from its journal, beside the file.

mod support;

use std::env;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use indicatif::{ProgressBar, ProgressStyle};
use wats_scim::blocking::ScimClient;
use wats_scim::import::UserCsv;
use wats_scim::plan::{Journal, Plan, Policy};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let file = arguments.iter().find(|argument| !argument.starts_with("--"));
    let file = file.map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/users.csv"), PathBuf::from);
    let (config, _sandbox) = support::server(5)?;
    let client = ScimClient::with_config(&config)?;

    let journal = Journal::at(file.with_extension("journal"));
    if let Some(plan) = journal.plan()? {
        println!("Resuming from {}", journal.path().display());
        return apply(&client, plan, &journal);
    }

    // The header of each column, and the attribute it stands for.
    let columns = UserCsv::new()
        .delimiter(b';')
        .column("Personnel number", "externalId")
        .column("User", "userName")
        .column("Given name", "givenName")
        .column("Family name", "familyName")
        .column("Mail", "email")
        .column("Role", "roles")
        .column("Lines", "levels")
        .allow_other_columns();
    let desired = columns.read_file(&file)?;
    println!("{} users in {}", desired.len(), file.display());

    let policy = Policy::new(client.profile()).protect(["admin@example.com"]);
    let plan = policy.plan(&client.current_users()?, &desired)?;
    println!("\n{plan}\n");
    if plan.is_empty() {
        println!("There is nothing to do.");
    } else if arguments.iter().any(|argument| argument == "--apply") {
        return apply(&client, plan, &journal);
    } else {
        println!("Nothing was sent. Add --apply to apply the plan.");
    }
    Ok(ExitCode::SUCCESS)
}

fn apply(client: &ScimClient, plan: Plan, journal: &Journal) -> Result<ExitCode, Box<dyn Error>> {
    let bar = ProgressBar::new(0).with_style(ProgressStyle::with_template("{pos} of {len}, {eta} left")?);
    let shown = bar.clone();
    let apply = client.apply(plan).journal(journal.clone()).on_progress(move |progress| {
        shown.set_length(progress.total.unwrap_or_default());
        shown.set_position(progress.done);
    });
    let report = apply.run()?;
    bar.finish_and_clear();
    println!("{report}");
    // Users that were skipped have changed meanwhile, so the next run makes a new plan.
    fs::remove_file(journal.path())?;
    if report.is_complete() {
        return Ok(ExitCode::SUCCESS);
    }
    println!("Run it again to plan for the users that are left.");
    Ok(ExitCode::FAILURE)
}
