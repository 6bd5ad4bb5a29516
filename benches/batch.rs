//! How near a batch comes to the time that the server's latency alone takes.

mod support;

use std::time::Duration;

use support::cost::wall;
use support::figures::{Goal, median, show};
use support::server::{Server, serve_if_told};
use support::{Result, config, full_or_short};
use wats_scim::{ScimUser, asynchronous, blocking};

const IN_FLIGHT: u32 = 64;
const GOAL: Goal = Goal::AtLeast(0.85);

fn main() -> Result<()> {
    serve_if_told()?;
    let server = Server::start()?;
    let (rounds, writes, latency) = full_or_short((5, 2_000_u32, 20), (1, 200, 5));
    let latency = Duration::from_millis(latency);
    let limit = latency * writes.div_ceil(IN_FLIGHT);
    let base = server.base(u64::from(writes), latency);

    let in_blocking = blocking::ScimClient::with_config(&config(&base))?;
    let in_async = asynchronous::ScimClient::with_config(&config(&base))?;
    let runtime = tokio::runtime::Runtime::new()?;
    let mut shares = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let took = wall(|| {
            let batch = in_blocking.create_users(users(writes)).in_flight(IN_FLIGHT as usize);
            counted(writes, batch.filter(|item| item.result.is_ok()).count())
        })?;
        shares.0.push(limit.as_secs_f64() / took.as_secs_f64());
        let took = wall(|| {
            runtime.block_on(async {
                let mut batch = in_async.create_users(users(writes)).in_flight(IN_FLIGHT as usize);
                let mut created = 0;
                while let Some(item) = batch.next().await {
                    created += usize::from(item.result.is_ok());
                }
                counted(writes, created)
            })
        })?;
        shares.1.push(limit.as_secs_f64() / took.as_secs_f64());
    }
    show("batch.blocking.share_of_limit", median(shares.0), &GOAL);
    show("batch.async.share_of_limit", median(shares.1), &GOAL);
    Ok(())
}

fn users(count: u32) -> impl Iterator<Item = ScimUser> + Send + 'static {
    (1..=count).map(|n| ScimUser::new(format!("user{n:07}@example.com")).with_display_name("Jane Doe"))
}

fn counted(expected: u32, created: usize) -> Result<()> {
    if u32::try_from(created) == Ok(expected) {
        Ok(())
    } else {
        Err(format!("{created} of {expected} users were created").into())
    }
}
