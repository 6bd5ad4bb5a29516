//! The blocking and the async client side by side: the same names and results, and `.await`.
//! `cargo run --features async --example both_apis`

mod support;

use std::error::Error;

use futures_util::TryStreamExt;
use wats_scim::{Filter, ScimConfig, ScimUser, asynchronous, blocking};

fn main() -> Result<(), Box<dyn Error>> {
    let (config, _sandbox) = support::server(3)?;
    with_blocking(&config)?;
    // The async client needs tokio; see the example `smol` for other executors.
    tokio::runtime::Runtime::new()?.block_on(with_async(&config))
}

fn with_blocking(config: &ScimConfig) -> Result<(), Box<dyn Error>> {
    let client = blocking::ScimClient::with_config(config)?;

    let jane = client.create_user(&ScimUser::new("jane.blocking@example.com"))?;
    println!("blocking: created {}", jane.require_id()?);

    // A listing is an iterator.
    let matching = client.iter_users().matching(Filter::sw("userName", "jane"));
    for user in matching {
        println!("blocking: found {}", user?.user_name.unwrap_or_default());
    }

    // Several writes at a time, each on a thread.
    let items = client.delete_users([jane]).in_flight(4).run();
    println!("blocking: deleted {}", items.iter().filter(|item| item.result.is_ok()).count());
    Ok(())
}

async fn with_async(config: &ScimConfig) -> Result<(), Box<dyn Error>> {
    let client = asynchronous::ScimClient::with_config(config)?;

    let jane = client.create_user(&ScimUser::new("jane.async@example.com")).await?;
    println!("async: created {}", jane.require_id()?);

    // A listing becomes a stream.
    let mut matching = client.iter_users().matching(Filter::sw("userName", "jane")).into_stream();
    while let Some(user) = matching.try_next().await? {
        println!("async: found {}", user.user_name.unwrap_or_default());
    }

    // Several writes at a time, all on one task.
    let items = client.delete_users([jane]).in_flight(4).run().await;
    println!("async: deleted {}", items.iter().filter(|item| item.result.is_ok()).count());
    Ok(())
}
