//! An audit trail in a file: each write, the label of the caller, and the outcome.
//! `cargo run --example audit_trail -- trail.jsonl`; without a path, a temporary file is used

mod support;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, process};

use wats_scim::ScimUser;
use wats_scim::audit::{Attribute, Event, Log, Outcome, Trail};
use wats_scim::blocking::ScimClient;

fn main() -> Result<(), Box<dyn Error>> {
    let path = env::args_os().nth(1).map(PathBuf::from);
    let path = path.unwrap_or_else(|| env::temp_dir().join(format!("audit-trail-{}.jsonl", process::id())));

    // Each write is recorded before its request is sent, and again with its outcome.
    let trail = Trail::to(Log::append(&path)?).allow_values();
    let (config, _sandbox) = support::server(0)?;
    let client = ScimClient::with_config(&config.audit(trail.clone()))?;

    let user_name = format!("audited-{}@example.com", process::id());
    let jane = ScimUser::new(&user_name).with_display_name("Jane Doe").with_attribute("password", "s3cret");
    let ann = client.labelled("ann, ticket 4711");
    let created = ann.create_user(&jane)?;
    let id = created.require_id()?;
    ann.wats().set_user_role(id, "Operator")?;

    let bob = client.labelled("bob, ticket 4712");
    if let Err(error) = bob.create_user(&jane) {
        println!("bob: {error}");
    }
    bob.delete_user(id)?;

    // Fails if an outcome could not be written, for example because the disk is full.
    trail.flush()?;
    println!("{}:", path.display());
    print(&path)
}

/// Prints the outcomes. A write that has only begun, as in a program that was killed, has none.
fn print(path: &Path) -> Result<(), Box<dyn Error>> {
    let mut events = Trail::read(path)?;
    for event in events.by_ref() {
        let Event { at, server, label, operation, outcome, attributes, .. } = event?;
        if outcome == Outcome::Begun {
            continue;
        }
        println!("{at}  {server}  {}  {operation}  {outcome}", label.unwrap_or_default());
        for Attribute { path, value, .. } in attributes {
            println!("    {path} = {}", value.unwrap_or_default());
        }
    }
    // A power failure can leave an incomplete line.
    println!("{} lines are not events", events.skipped());
    Ok(())
}
