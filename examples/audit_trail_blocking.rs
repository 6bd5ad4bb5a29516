//! Who wrote what, on whose behalf, and what became of it: writes under labels, and the trail they leave in a file.
//! `cargo run --example audit_trail_blocking -- trail.jsonl`, or with `--features "async"` `audit_trail_async`

mod support;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs, process};

use serde_json::Value;
use wats_scim::ScimUser;
use wats_scim::audit::{Log, Trail};
use wats_scim::blocking::ScimClient;

fn main() -> Result<(), Box<dyn Error>> {
    let given = env::args_os().nth(1).map(PathBuf::from);
    let temporary = env::temp_dir().join(format!("audit-trail-{}.jsonl", process::id()));
    let path = given.as_ref().unwrap_or(&temporary);

    // Each write is in the file before it is sent, and its outcome follows.
    let audit = Trail::to(Log::append(path)?).allow_values();
    let (config, _sandbox) = support::server(0)?;
    let client = ScimClient::with_config(&config.audit(audit.clone()))?;
    administer(&client)?;
    // Nothing is kept back, as it would be if the disk were full.
    audit.flush()?;

    print_trail(path)?;
    if given.is_none() {
        fs::remove_file(path)?;
    }
    Ok(())
}

fn administer(client: &ScimClient) -> Result<(), Box<dyn Error>> {
    let user_name = format!("audited-{}@example.com", process::id());
    let jane = ScimUser::new(&user_name).with_display_name("Jane Doe").with_attribute("password", "s3cret");

    let ann = client.labelled("ann, ticket 4711");
    let id = ann.create_user(&jane)?.id.ok_or("no id")?;
    ann.wats().set_user_role(&id, "Operator")?;

    let bob = client.labelled("bob, ticket 4712");
    if let Err(error) = bob.create_user(&jane) {
        println!("bob was told: {error}");
    }
    bob.deactivate_user(&id)?;
    bob.delete_user(&id)?;
    Ok(())
}

/// A line for each write: with its outcome, or as begun if it has none.
fn print_trail(path: &Path) -> Result<(), Box<dyn Error>> {
    let mut writes: Vec<Value> = Vec::new();
    for line in fs::read_to_string(path)?.lines() {
        // A line that a power failure has cut short is no JSON.
        let Ok(event) = serde_json::from_str::<Value>(line) else { continue };
        match writes.iter_mut().find(|known| known["write"] == event["write"]) {
            Some(known) => *known = event,
            None => writes.push(event),
        }
    }

    println!("{:<24}{:<18}{:<13}{:<40}outcome", "when", "label", "what", "whom");
    for write in &writes {
        let text = |name: &str| write[name].as_str().unwrap_or_default();
        let when = text("at").get(..19).unwrap_or_default();
        let whom = write["name"].as_str().unwrap_or(text("id"));
        println!("{when:<24}{:<18}{:<13}{whom:<40}{}", text("label"), text("operation"), text("outcome"));
        for attribute in write["attributes"].as_array().into_iter().flatten() {
            println!("{:24}{} = {}", "", attribute["path"].as_str().unwrap_or_default(), attribute["value"]);
        }
    }
    Ok(())
}
