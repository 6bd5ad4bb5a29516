//! The whole life of a user: `cargo run --example quickstart`. It happens on a sandbox in this
//! process, or on your own server if `WATS_BASE_URL` and `WATS_TOKEN` are set.

mod support;

use std::error::Error;
use std::process;
use std::time::{SystemTime, UNIX_EPOCH};

use wats_scim::blocking::ScimClient;
use wats_scim::{ScimPatchRequest, ScimUser, ScimUserName};

fn main() {
    if let Err(error) = run() {
        eprintln!("error: {error}");
        let mut cause = error.source();
        while let Some(error) = cause {
            eprintln!("  because: {error}");
            cause = error.source();
        }
        process::exit(1);
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let (config, sandbox) = support::server(3)?;
    println!("Server: {}", if sandbox.is_some() { "a sandbox in this process" } else { "the one of WATS_BASE_URL" });
    let client = ScimClient::with_config(&config)?;

    // A new name, so that no existing user is changed.
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    let user_name = format!("quickstart-{now}-{}@example.com", process::id());

    let life = life_of_a_user(&client, &user_name);
    let clean_up = remove(&client, &user_name);
    if let Err(error) = &clean_up {
        eprintln!("Clean-up failed, so {user_name} may still be there: {error}");
    }
    life.and(clean_up)
}

fn life_of_a_user(client: &ScimClient, user_name: &str) -> Result<(), Box<dyn Error>> {
    let token = client.get_token(None)?;
    let expiry = token.expires.map_or("at a time unknown".into(), |time| time.format("on %Y-%m-%d").to_string());
    println!("token for Entra ID or Okta: fetched, expires {expiry} (`token.token.expose()` would show it)");

    let jane = ScimUser::new(user_name)
        .with_name(ScimUserName::new("Jane", "Doe"))
        .with_display_name("Jane Doe")
        .with_email(user_name);
    let id = client.create_user(&jane)?.id.ok_or("the server gave the user no id")?;
    println!("created {user_name} with the id {id}");

    // Absence is not an error: the result is `Some` or `None`.
    let by_id = client.get_user(&id)?.ok_or("the user is not found by id")?;
    println!("read by id: {}", by_id.display_name.unwrap_or_default());
    let by_name = client.get_user_by_username(user_name)?.ok_or("the user is not found by name")?;
    println!("read by name: {}", by_name.display_name.unwrap_or_default());

    let mut count = 0;
    let mut users = client.iter_users();
    while let Some(user) = users.try_next()? {
        count += 1;
        if user.id.as_deref() == Some(&id) {
            println!("found in the list, at place {count}");
        }
    }
    println!("listed all {count} users");

    client.update_user(&id, &ScimPatchRequest::new().replace("givenName", "Janet").replace("familyName", "Roe"))?;
    let name = client.get_user(&id)?.and_then(|user| user.name).unwrap_or_default();
    println!("patched: {} {}", name.given_name.unwrap_or_default(), name.family_name.unwrap_or_default());

    client.deactivate_user(&id)?;
    println!("deactivated: may not sign in, and is kept");
    client.set_user_active(&id, true)?;
    println!("reactivated: may sign in again");

    match client.create_user(&jane) {
        Err(error) => println!("a second user of that name is rejected:\n  {error}"),
        Ok(_) => println!("the server took a second user of that name"),
    }

    client.delete_user(&id)?;
    println!("deleted");
    Ok(())
}

/// Makes sure that the user is gone, also when something failed on the way.
fn remove(client: &ScimClient, user_name: &str) -> Result<(), Box<dyn Error>> {
    match client.get_user_by_username(user_name)? {
        None => println!("clean-up: nothing is left of {user_name}"),
        Some(user) => {
            client.delete_user(&user.id.ok_or("the user has no id")?)?;
            println!("clean-up: {user_name} was still there, and is removed");
        }
    }
    Ok(())
}
