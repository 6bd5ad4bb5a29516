//! The time of a batch, compared with the ideal time given by the server's latency, with constant
//! and varying latencies.

mod support;

use std::time::Duration;

use support::cost::wall;
use support::figures::{Goal, median, show};
use support::latency::{Latency, ideal};
use support::server::{Server, serve_as_child};
use support::{Result, config, full_or_short, is_wanted, users};
use tokio::runtime::Runtime;
use wats_scim::{asynchronous, blocking};

const IN_FLIGHT: u32 = 64;

fn main() -> Result<()> {
    serve_as_child()?;
    let server = Server::start()?;
    let runtime = Runtime::new()?;
    let (usual, mean) = full_or_short((20, 100), (5, 10));
    let (usual, mean) = (Duration::from_millis(usual), Duration::from_millis(mean));

    let constant = |_| Latency::Constant(usual);
    measure(&server, &runtime, "share_of_limit", &Goal::AtLeast(0.95), constant)?;
    let exponential = |seed| Latency::Exponential { mean, seed };
    measure(&server, &runtime, "varying", &Goal::AtLeast(0.85), exponential)?;
    let stragglers = |seed| Latency::Stragglers { usual, seed };
    measure(&server, &runtime, "stragglers", &Goal::AtLeast(0.5), stragglers)
}

/// Shows the ratio of the ideal to the measured time. Each round has different latencies.
fn measure(
    server: &Server,
    runtime: &Runtime,
    what: &str,
    goal: &Goal,
    latency: impl Fn(u64) -> Latency,
) -> Result<()> {
    if !is_wanted(what) {
        return Ok(());
    }
    let (rounds, writes) = full_or_short((5, 2_000), (1, 200));
    let (mut blocking, mut asynchronous) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        let latency = latency(round);
        let base = server.base(u64::from(writes), latency);
        let ideal = ideal((1..=writes).map(|number| latency.of(number.into())), IN_FLIGHT);

        let client = blocking::ScimClient::with_config(&config(&base))?;
        create(&client, IN_FLIGHT)?;
        blocking.push((ideal, wall(|| create(&client, writes))?));
        let client = asynchronous::ScimClient::with_config(&config(&base))?;
        runtime.block_on(create_async(&client, IN_FLIGHT))?;
        asynchronous.push((ideal, wall(|| runtime.block_on(create_async(&client, writes)))?));
    }
    for (api, times) in [("blocking", blocking), ("async", asynchronous)] {
        let median_of = |value: fn(&(Duration, Duration)) -> f64| median(times.iter().map(value).collect());
        let share = median_of(|(ideal, measured)| ideal.as_secs_f64() / measured.as_secs_f64());
        show(&format!("batch.{api}.{what}"), share, goal);
        let (ideal, measured) =
            (median_of(|(ideal, _)| ideal.as_secs_f64()), median_of(|(_, measured)| measured.as_secs_f64()));
        println!("  {measured:.2} s; ideal: {ideal:.2} s");
    }
    Ok(())
}

fn create(client: &blocking::ScimClient, count: u32) -> Result<()> {
    let batch = client.create_users(users::new(count)).in_flight(IN_FLIGHT as usize);
    counted(count, batch.filter(|item| item.result.is_ok()).count())
}

async fn create_async(client: &asynchronous::ScimClient, count: u32) -> Result<()> {
    let mut batch = client.create_users(users::new(count)).in_flight(IN_FLIGHT as usize);
    let mut created = 0;
    while let Some(item) = batch.next().await {
        created += usize::from(item.result.is_ok());
    }
    counted(count, created)
}

fn counted(expected: u32, created: usize) -> Result<()> {
    if u32::try_from(created) == Ok(expected) {
        Ok(())
    } else {
        Err(format!("{created} of {expected} users were created").into())
    }
}
