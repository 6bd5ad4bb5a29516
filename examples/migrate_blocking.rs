//! Moves the users of one server to another, and goes on where it was if it is interrupted.
//! `cargo run --example migrate_blocking`, or `cargo run --features "async" --example migrate_async`,
//! each with `-- [JOURNAL]`
//!
//! The servers are two sandboxes, or those of `SOURCE_BASE_URL` and `SOURCE_TOKEN`, and of
//! `TARGET_BASE_URL` and `TARGET_TOKEN`. After an interruption, run it again with the same journal.

use std::env;
use std::error::Error;
use std::fs;
use std::path::PathBuf;

use wats_scim::blocking::ScimClient;
use wats_scim::plan::{Journal, Leavers, Plan, Policy};
use wats_scim::{Credentials, ScimConfig, ScimUser, ScimUserName};
use wats_scim_sandbox::Sandbox;

fn main() -> Result<(), Box<dyn Error>> {
    let (source, _sandbox) = server("SOURCE", 250)?;
    let (target, sandbox) = server("TARGET", 0)?;
    let (source, target) = (ScimClient::with_config(&source)?, ScimClient::with_config(&target)?);
    if sandbox.is_some() {
        // Somebody is there already, under another family name.
        let name = ScimUserName::new("Sample", "Other");
        target.create_user(&ScimUser::new("User0007@example.com").with_name(name))?;
        target.create_user(&ScimUser::new("admin@example.com"))?;
    }

    let default = env::temp_dir().join(format!("migrate-{}.journal", std::process::id()));
    let journal = Journal::at(env::args().nth(1).map_or(default, PathBuf::from));
    let plan = match journal.plan()? {
        Some(plan) => plan,
        None => planned(&source, &target)?,
    };
    // Hundreds of lines are for a file; the first show whether it is the right plan.
    plan.to_string().lines().take(6).for_each(|line| println!("{line}"));

    let apply = target.apply(plan).journal(journal.clone()).in_flight(16);
    let apply = apply.on_progress(|progress| {
        if progress.done % 50 == 0 {
            println!("{} of {} users", progress.done, progress.total.unwrap_or_default());
        }
    });
    let report = apply.run()?;
    println!("{report}");
    fs::remove_file(journal.path())?;

    let left = planned(&source, &target)?;
    println!("\nWhat is left:\n{left}");
    Ok(())
}

/// What the target needs to have the users of the source, beside its own.
fn planned(source: &ScimClient, target: &ScimClient) -> Result<Plan, Box<dyn Error>> {
    let users = source.current_users()?;
    let desired: Vec<ScimUser> = users.users().iter().cloned().map(prepared).collect();
    let policy = Policy::new(target.profile()).leavers(Leavers::Keep).expecting(users.users().len());
    Ok(policy.plan(&target.current_users()?, &desired)?)
}

/// A user without what belongs to the old server. This is the place to map attributes.
fn prepared(mut user: ScimUser) -> ScimUser {
    user.id = None;
    user.meta = None;
    user.attributes.remove("groups");
    user
}

/// A real server if it is named, or else a sandbox that is there until it is dropped.
fn server(name: &str, users: usize) -> Result<(ScimConfig, Option<Sandbox>), Box<dyn Error>> {
    if let Ok(base_url) = env::var(format!("{name}_BASE_URL")) {
        let token = env::var(format!("{name}_TOKEN"))?;
        return Ok((ScimConfig::new(base_url, Credentials::wats_token(token)), None));
    }
    let sandbox = Sandbox::builder().users(users).start()?;
    let config = ScimConfig::new(sandbox.base_url(), Credentials::wats_token(sandbox.token()));
    Ok((config, Some(sandbox)))
}
