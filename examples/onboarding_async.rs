//! People join, one of them twice, and people leave: on a sandbox, or for real if `WATS_TOKEN` is set.
//! `cargo run --example onboarding_blocking`, or `cargo run --features "async" --example onboarding_async`

mod support;

use std::error::Error;

use wats_scim::asynchronous::ScimClient;
use wats_scim::{ErrorKind, ScimPatchRequest, ScimUser, ScimUserName};

/// Address, given name, family name, and the number in the personnel system.
const JOINERS: [[&str; 4]; 3] = [
    ["jane@example.com", "Jane", "Doe", "4711"],
    ["john@example.com", "John", "Smith", "4712"],
    ["jane@example.com", "Jane", "Roe", "4711"],
];
const LEAVERS: [&str; 2] = ["john@example.com", "nobody@example.com"];

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (config, _sandbox) = support::server(0)?;
    let client = ScimClient::with_config(&config)?;
    for joiner in JOINERS {
        onboard(&client, joiner).await?;
    }
    for user_name in LEAVERS {
        match client.get_user_by_username(user_name).await? {
            Some(user) => {
                client.deactivate_user(&user.id.ok_or("no id")?).await?;
                println!("{user_name}: deactivated");
            }
            None => println!("{user_name}: not there, nothing to do"),
        }
    }
    Ok(())
}

async fn onboard(client: &ScimClient, [email, given, family, number]: [&str; 4]) -> Result<(), Box<dyn Error>> {
    let name = ScimUserName::new(given, family);
    let user = ScimUser::new(email).with_name(name).with_email(email).with_external_id(number);
    let id = match client.create_user(&user).await {
        Ok(created) => created.id.ok_or("no id")?,
        Err(error) if error.kind() == ErrorKind::Conflict => {
            println!("{email}: already there, so updated");
            let known = client.get_user_by_username(email).await?.ok_or("taken, but not found")?;
            let id = known.id.ok_or("no id")?;
            let patch = ScimPatchRequest::new().replace("givenName", given).replace("familyName", family);
            client.update_user(&id, &patch.replace("active", true)).await?;
            id
        }
        Err(error) => return Err(error.into()),
    };
    client.wats().set_user_role(&id, "Operator").await?;
    client.wats().add_user_levels(&id, &["Level 1"]).await?;
    client.wats().add_user_product_groups(&id, &["Group A"]).await?;
    println!("{email}: {given} {family} may work on Level 1 with Group A, as Operator");
    Ok(())
}
