//! The processor time of scim2-client (Python) relative to this crate, for the same work against
//! the same server.

mod support;

use std::time::Duration;

use support::by_hand::our_jane;
use support::cost::{cpu, on_one_processor, ratio};
use support::figures::{Goal, show};
use support::peer::{self, Peer};
use support::server::{Server, serve_as_child};
use support::{Result, config, full_or_short, users};
use tokio::runtime::Builder;
use wats_scim::{ListQuery, ScimUser, asynchronous, blocking};

const GOAL: Goal = Goal::AtLeast(20.0);

/// The work, and the number of calls in a round.
const WORK: [(&str, u64); 3] = [("get", 100), ("list", 10), ("create", 100)];

fn main() -> Result<()> {
    serve_as_child()?;
    peer::install()?;
    on_one_processor()?;
    let server = Server::start()?;
    let base = server.base(50_000, Duration::ZERO);
    let (rounds, share) = full_or_short((11, 1), (1, 10));
    let jane = our_jane();

    let ours = blocking::ScimClient::with_config(&config(&base))?;
    for (what, count) in WORK {
        let mut peer = Peer::start("sync", &base)?;
        let count = count / share;
        let ours = || {
            cpu(|| {
                (0..count).try_for_each(|_| match what {
                    "get" => given(ours.get_user(&users::id(7))?.is_some()),
                    "list" => given(ours.get_users(&page())?.resources.len() == 100),
                    _ => given(is_there(&ours.create_user(&jane)?)),
                })
            })
        };
        show(&format!("peers.sync.{what}"), over(rounds, &mut peer, what, count, ours)?, &GOAL);
    }

    let runtime = Builder::new_current_thread().enable_all().build()?;
    let ours = asynchronous::ScimClient::with_config(&config(&base))?;
    for (what, count) in WORK {
        let mut peer = Peer::start("async", &base)?;
        let count = count / share;
        let ours = || {
            cpu(|| {
                runtime.block_on(async {
                    for _ in 0..count {
                        match what {
                            "get" => given(ours.get_user(&users::id(7)).await?.is_some()),
                            "list" => given(ours.get_users(&page()).await?.resources.len() == 100),
                            _ => given(is_there(&ours.create_user(&jane).await?)),
                        }?;
                    }
                    Ok(())
                })
            })
        };
        show(&format!("peers.async.{what}"), over(rounds, &mut peer, what, count, ours)?, &GOAL);
    }
    Ok(())
}

/// The time of the peer relative to this crate, after one warm-up of both.
fn over(
    rounds: u32,
    peer: &mut Peer,
    what: &str,
    count: u64,
    mut ours: impl FnMut() -> Result<Duration>,
) -> Result<f64> {
    peer.work(what, count)?;
    ours()?;
    ratio(rounds, || Ok(peer.work(what, count)?.cpu), ours)
}

fn page() -> ListQuery {
    ListQuery::new().start_index(1).count(100)
}

fn is_there(user: &ScimUser) -> bool {
    user.id.is_some()
}

fn given(is_as_asked: bool) -> Result<()> {
    if is_as_asked { Ok(()) } else { Err("unexpected response from the server".into()) }
}
