//! Copies the users of one server to another, and resumes from its journal if it was interrupted.
//! `cargo run --example migrate -- [JOURNAL]`
//!
//! The servers are two sandboxes, or those of `SOURCE_BASE_URL` and `SOURCE_TOKEN`, and of
//! `TARGET_BASE_URL` and `TARGET_TOKEN`. The exit status is 0 only if every user is on the target.

use std::error::Error;
use std::path::PathBuf;
use std::process::{self, ExitCode};
use std::{env, fs};

use wats_scim::blocking::ScimClient;
use wats_scim::plan::{Journal, Leavers, Plan, Policy};
use wats_scim::{Credentials, ScimUser};
use wats_scim_sandbox::Sandbox;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let (source, _sandbox) = server("SOURCE", 250)?;
    let (target, _other_sandbox) = server("TARGET", 10)?;
    let default = env::temp_dir().join(format!("migrate-{}.journal", process::id()));
    let journal = Journal::at(env::args_os().nth(1).map_or(default, PathBuf::from));

    let plan = match journal.plan()? {
        Some(plan) => plan,
        None => planned(&source, &target)?,
    };
    // The first lines: the counts, and some of the steps.
    plan.to_string().lines().take(6).for_each(|line| println!("{line}"));

    let report = target.apply(plan).journal(journal.clone()).in_flight(16).run()?;
    println!("{report}");
    if !report.is_complete() {
        println!("Some users were not copied. {} shows which.", journal.path().display());
        return Ok(ExitCode::FAILURE);
    }

    let left = planned(&source, &target)?;
    println!("\nWhat is left:\n{left}");
    if !left.is_empty() || !left.conflicts.is_empty() {
        return Ok(ExitCode::FAILURE);
    }
    fs::remove_file(journal.path())?;
    Ok(ExitCode::SUCCESS)
}

/// What the target needs to have the users of the source. Users that only the target has are kept.
fn planned(source: &ScimClient, target: &ScimClient) -> Result<Plan, Box<dyn Error>> {
    let users = source.current_users()?;
    let desired: Vec<ScimUser> = users.users().iter().cloned().map(prepared).collect();
    let policy = Policy::new(target.profile()).leavers(Leavers::Keep).expecting(users.users().len());
    Ok(policy.plan(&target.current_users()?, &desired)?)
}

/// Removes what belongs to the source server. Map your own attributes here.
fn prepared(mut user: ScimUser) -> ScimUser {
    user.id = None;
    user.meta = None;
    user.attributes.remove("groups");
    user
}

/// The server that the environment names, or a sandbox, which runs until it is dropped.
fn server(name: &str, users: usize) -> Result<(ScimClient, Option<Sandbox>), Box<dyn Error>> {
    if let Ok(base_url) = env::var(format!("{name}_BASE_URL")) {
        let credentials = Credentials::wats_token(env::var(format!("{name}_TOKEN"))?);
        return Ok((ScimClient::new(base_url, credentials)?, None));
    }
    let sandbox = Sandbox::builder().users(users).start()?;
    Ok((ScimClient::new(sandbox.base_url(), Credentials::wats_token(sandbox.token()))?, Some(sandbox)))
}
