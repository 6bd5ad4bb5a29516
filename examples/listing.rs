//! Lists all users with progress, then the users that match a filter.
//! `cargo run --example listing`

mod support;

use std::error::Error;

use wats_scim::Filter;
use wats_scim::blocking::ScimClient;

fn main() -> Result<(), Box<dyn Error>> {
    let (config, _sandbox) = support::server(250)?;
    let client = ScimClient::with_config(&config)?;

    // Pages are fetched as they are needed. The list is complete, or it ends in an error.
    let users = client.iter_users().page_size(50).on_page(|progress| match progress.total {
        Some(total) => println!("page {}: {} of {total} users", progress.pages, progress.done),
        None => println!("page {}: {} users", progress.pages, progress.done),
    });
    let mut active = 0;
    for user in users {
        active += u32::from(user?.active == Some(true));
    }
    println!("{active} active users");

    // The server evaluates the filter. Values are escaped.
    let filter = Filter::eq("active", true).and(Filter::sw("userName", "user001"));
    println!("matching {filter}:");
    for user in client.iter_users().matching(filter) {
        let user = user?;
        println!("  {} <{}>", user.display_name.as_deref().unwrap_or("(no name)"), user.email().unwrap_or_default());
    }
    Ok(())
}
