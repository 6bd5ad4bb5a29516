//! Makes a directory from an HR export in one run: users, managers, departments and teams as groups.
//! `cargo run --features csv --example hr_export -- [FILE]`
//!
//! It uses `examples/hr.csv` and a sandbox that has two of the users and an old group, or your server if
//! `SCIM_SERVER` and `SCIM_TOKEN` are set.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

use serde_json::json;
use wats_scim::blocking::ScimClient;
use wats_scim::import::UserCsv;
use wats_scim::plan::{Journal, Policy};
use wats_scim::{Credentials, Profile, ScimConfig};
use wats_scim_sandbox::StandardSandbox;

fn main() -> Result<(), Box<dyn Error>> {
    let sandbox = StandardSandbox::builder()
        .with_users([
            json!({ "id": "1", "userName": "ann@example.com", "externalId": "1001", "title": "CEO" }),
            json!({ "id": "2", "userName": "flo@example.com", "externalId": "1006", "active": true }),
        ])
        .with_groups([json!({ "displayName": "Production", "members": [{ "value": "2" }] })])
        .start()?;
    let url = env::var("SCIM_SERVER").unwrap_or_else(|_| sandbox.base_url().to_owned());
    let token = env::var("SCIM_TOKEN").unwrap_or_else(|_| sandbox.token().to_owned());
    let config = ScimConfig::new(url, Credentials::bearer(token)).profile(Profile::standard());
    let client = ScimClient::with_config(&config)?;
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/hr.csv");
    let file = env::args_os().nth(1).map_or(file, PathBuf::from);

    let export = UserCsv::new()
        .delimiter(b';')
        .column("Number", "externalId")
        .column("Login", "userName")
        .column("Given name", "givenName")
        .column("Family name", "familyName")
        .column("Department", "department")
        .column("Department", "groups")
        .column("Teams", "groups")
        .column("Manager", "manager.externalId")
        .column("Employed", "active");
    let directory = export.read_directory_file(&file)?;

    let policy = Policy::new(client.profile());
    let plan = policy.plan(&client.current_directory()?, &directory)?;
    println!("{plan}\n");
    let journal = Journal::at(env::temp_dir().join(format!("hr_export-{}.journal", std::process::id())));
    println!("{}\n", client.apply(plan).journal(journal.clone()).run()?);
    fs::remove_file(journal.path())?;

    let left = policy.plan(&client.current_directory()?, &directory)?;
    println!("What is left:\n{left}");
    if left.is_empty() { Ok(()) } else { Err("the next run has more to do".into()) }
}
