//! The processor time of a call, relative to the same call written by hand with the same HTTP
//! client.

mod support;

use std::hint::black_box;
use std::time::Duration;

use support::by_hand::{jane, our_jane};
use support::cost::{cpu, on_one_processor, ratio};
use support::figures::{Goal, show};
use support::server::{Server, serve_as_child};
use support::{Result, by_hand, config, full_or_short, users};
use tokio::runtime::{Builder, Runtime};
use wats_scim::{ListQuery, asynchronous, blocking};

const GOAL: Goal = Goal::AtMost(1.05);
const CREATE_ASYNC: Goal = Goal::AtMost(1.08);

fn main() -> Result<()> {
    serve_as_child()?;
    on_one_processor()?;
    let server = Server::start()?;
    let base = server.base(50_000, Duration::ZERO);
    let (rounds, calls) = full_or_short((201, 100), (3, 5));
    blocking_api(&base, rounds, calls)?;
    async_api(&base, rounds, calls)
}

fn blocking_api(base: &str, rounds: u32, calls: u32) -> Result<()> {
    let ours = blocking::ScimClient::with_config(&config(base))?;
    let hand = by_hand::blocking::ByHand::new(base)?;
    let (id, query) = (users::id(7), ListQuery::new().start_index(1).count(100));
    let (our_jane, jane) = (our_jane(), jane());

    let get_user = ratio(
        rounds,
        || times(calls, || Ok(black_box(ours.get_user(&id)?).is_some())),
        || times(calls, || Ok(black_box(hand.get_user(&id)?).is_some())),
    )?;
    show("overhead.blocking.get_user", get_user, &GOAL);
    let get_users = ratio(
        rounds,
        || times(pages(calls), || Ok(black_box(ours.get_users(&query)?).resources.len() == 100)),
        || times(pages(calls), || Ok(black_box(hand.get_users(1, 100)?).resources.len() == 100)),
    )?;
    show("overhead.blocking.get_users", get_users, &GOAL);
    let create_user = ratio(
        rounds,
        || times(calls, || Ok(black_box(ours.create_user(&our_jane)?).id.is_some())),
        || times(calls, || Ok(black_box(hand.create_user(&jane)?).id.is_some())),
    )?;
    show("overhead.blocking.create_user", create_user, &GOAL);
    Ok(())
}

fn async_api(base: &str, rounds: u32, calls: u32) -> Result<()> {
    // On one thread, to measure the call and not the scheduler.
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let ours = asynchronous::ScimClient::with_config(&config(base))?;
    let hand = by_hand::asynchronous::ByHand::new(base)?;
    let (id, query) = (users::id(7), ListQuery::new().start_index(1).count(100));
    let (our_jane, jane) = (our_jane(), jane());

    let get_user = ratio(
        rounds,
        || times_async(&runtime, calls, async || Ok(black_box(ours.get_user(&id).await?).is_some())),
        || times_async(&runtime, calls, async || Ok(black_box(hand.get_user(&id).await?).is_some())),
    )?;
    show("overhead.async.get_user", get_user, &GOAL);
    let get_users = ratio(
        rounds,
        || times_async(&runtime, pages(calls), async || Ok(ours.get_users(&query).await?.resources.len() == 100)),
        || times_async(&runtime, pages(calls), async || Ok(hand.get_users(1, 100).await?.resources.len() == 100)),
    )?;
    show("overhead.async.get_users", get_users, &GOAL);
    let create_user = ratio(
        rounds,
        || times_async(&runtime, calls, async || Ok(black_box(ours.create_user(&our_jane).await?).id.is_some())),
        || times_async(&runtime, calls, async || Ok(black_box(hand.create_user(&jane).await?).id.is_some())),
    )?;
    show("overhead.async.create_user", create_user, &CREATE_ASYNC);
    Ok(())
}

/// The number of calls for pages, which take longer than users.
fn pages(calls: u32) -> u32 {
    calls.div_ceil(5)
}

/// The processor time of a number of calls. A call returns whether it succeeded.
fn times(calls: u32, call: impl Fn() -> Result<bool>) -> Result<Duration> {
    cpu(|| {
        for _ in 0..calls {
            expect(call()?)?;
        }
        Ok(())
    })
}

fn times_async(runtime: &Runtime, calls: u32, call: impl AsyncFn() -> Result<bool>) -> Result<Duration> {
    cpu(|| {
        runtime.block_on(async {
            for _ in 0..calls {
                expect(call().await?)?;
            }
            Ok(())
        })
    })
}

fn expect(is_as_asked: bool) -> Result<()> {
    if is_as_asked { Ok(()) } else { Err("unexpected response from the server".into()) }
}
