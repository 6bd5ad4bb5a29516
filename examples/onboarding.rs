//! Joiners are created, or updated if they exist; leavers are deactivated.
//! `cargo run --example onboarding`: on a sandbox, or on your server if `WATS_BASE_URL` and `WATS_TOKEN` are set

mod support;

use std::error::Error;

use wats_scim::blocking::ScimClient;
use wats_scim::{ErrorKind, ScimPatchRequest, ScimUser, ScimUserName};

/// Email, given name, family name, personnel number.
const JOINERS: [[&str; 4]; 3] = [
    ["jane@example.com", "Jane", "Doe", "4711"],
    ["john@example.com", "John", "Smith", "4712"],
    ["jane@example.com", "Jane", "Roe", "4711"],
];
const LEAVERS: [&str; 2] = ["john@example.com", "unknown@example.com"];

fn main() -> Result<(), Box<dyn Error>> {
    let (config, _sandbox) = support::server(0)?;
    let client = ScimClient::with_config(&config)?;
    for joiner in JOINERS {
        onboard(&client, joiner)?;
    }
    for user_name in LEAVERS {
        match client.get_user_by_username(user_name)? {
            Some(user) => {
                client.deactivate_user(&user)?;
                println!("{user_name}: deactivated");
            }
            None => println!("{user_name}: not found, nothing to do"),
        }
    }
    Ok(())
}

fn onboard(client: &ScimClient, [email, given, family, number]: [&str; 4]) -> Result<(), Box<dyn Error>> {
    let name = ScimUserName::new(given, family);
    let user = ScimUser::new(email).with_name(name).with_email(email).with_external_id(number);
    let user = match client.create_user(&user) {
        Err(error) if error.kind() == ErrorKind::Conflict => {
            println!("{email}: exists, updated");
            let existing = client.get_user_by_username(email)?.ok_or("the name is taken, but not found")?;
            let patch = ScimPatchRequest::new().replace("givenName", given).replace("familyName", family);
            client.update_user(&existing, &patch.replace("active", true))?;
            existing
        }
        created => created?,
    };
    let id = user.require_id()?;
    client.wats().set_user_role(id, "Operator")?;
    client.wats().add_user_levels(id, &["Level 1"])?;
    client.wats().add_user_product_groups(id, &["Group A"])?;
    println!("{email}: {given} {family} is an Operator on Level 1 with Group A");
    Ok(())
}
