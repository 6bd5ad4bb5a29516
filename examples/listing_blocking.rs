//! Everybody on the server with progress, then only some: with `try_next`, and as an iterator or a stream.
//! `cargo run --example listing_blocking`, or `cargo run --features "async" --example listing_async`

mod support;

use std::error::Error;

use wats_scim::Filter;
use wats_scim::blocking::ScimClient;

fn main() -> Result<(), Box<dyn Error>> {
    let (config, _sandbox) = support::server(250)?;
    let client = ScimClient::with_config(&config)?;

    // Page after page is fetched as it is needed. The list is complete, or it ends in an error.
    let mut users = client.iter_users().page_size(50).on_page(|progress| match progress.total {
        Some(total) => println!("page {}: {} of {total} users", progress.pages, progress.done),
        None => println!("page {}: {} users", progress.pages, progress.done),
    });
    let mut active = 0;
    while let Some(user) = users.try_next()? {
        active += u32::from(user.active == Some(true));
    }
    println!("{active} of them are active");

    // The server does the searching; a value cannot break out of the filter.
    let filter = Filter::eq("active", true).and(Filter::sw("userName", "user001"));
    println!("matching {filter}:");
    for user in client.iter_users().matching(filter) {
        let user = user?;
        println!("  {} <{}>", user.display_name.as_deref().unwrap_or("(no name)"), user.email().unwrap_or_default());
    }
    Ok(())
}
