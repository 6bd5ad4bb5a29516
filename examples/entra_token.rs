//! Fetches a token with which Microsoft Entra ID provisions the users of a WATS server.
//! `cargo run --example entra_token`, and `-- --show` to print the secret

mod support;

use std::env;
use std::error::Error;

use wats_scim::blocking::ScimClient;

fn main() -> Result<(), Box<dyn Error>> {
    let (config, _sandbox) = support::server(0)?;
    let client = ScimClient::with_config(&config)?;

    // Without a number of days, the server chooses the lifetime: 90 days by default.
    let token = client.get_token(None)?;

    let tenant_url = format!("{}/", config.scim_url()?);
    let secret = if env::args().any(|argument| argument == "--show") {
        token.token.expose()
    } else {
        "(hidden; run with `-- --show` to print it)"
    };
    let expires = token.expires.map_or("unknown".into(), |time| time.format("%Y-%m-%d %H:%M UTC").to_string());

    println!("In the Entra admin center, open Enterprise applications > your WATS application > Provisioning,");
    println!("set the provisioning mode to Automatic, and paste under Admin Credentials:\n");
    println!("  Tenant URL    {tenant_url}");
    println!("  Secret Token  {secret}\n");
    println!("Then choose Test Connection, and Save.");
    println!("The token expires: {expires}. Fetch and paste a new one before that.");
    Ok(())
}
