//! Complete jobs, relative to the same jobs written by hand with as many requests in flight, and
//! relative to scim2-client: listing a directory, creating users, and synchronising the users of
//! another system.

mod support;

use std::time::Duration;

use support::cost::Cost;
use support::figures::{Goal, median, show};
use support::peer::{self, Peer};
use support::server::{Server, serve_as_child};
use support::{Result, by_hand, config, full_or_short, is_wanted, users};
use tokio::runtime::Runtime;
use wats_scim::plan::{Current, Policy};
use wats_scim::{ScimUser, asynchronous, blocking};

/// The reduction of the number of users for scim2-client, which is slow; its time grows linearly.
const SHARE: u32 = 10;

fn main() -> Result<()> {
    serve_as_child()?;
    peer::install()?;
    let server = Server::start()?;
    let runtime = Runtime::new()?;
    for job in [
        Job { what: "list", users: full_or_short(100_000, 1_000), in_flight: 16 },
        Job { what: "create", users: full_or_short(10_000, 200), in_flight: 64 },
        Job { what: "sync", users: full_or_short(50_000, 1_000), in_flight: 16 },
    ] {
        if !is_wanted(job.what) {
            continue;
        }
        let base = server.base(job.users.into(), Duration::from_millis(full_or_short(20, 2)));
        let (wanted, plain) = if job.what == "sync" { wanted(job.users) } else { (Vec::new(), Vec::new()) };

        let ours = blocking::ScimClient::with_config(&config(&base))?;
        let hand = by_hand::blocking::ByHand::new(&base)?;
        let (ours, hand) =
            in_turn(|| job.expect(job.ours(&ours, &wanted)?), || job.expect(job.by_hand(&hand, &plain)?))?;
        job.show("blocking", &ours, &hand, job.peer("sync", &base)?);

        let ours = asynchronous::ScimClient::with_config(&config(&base))?;
        let hand = by_hand::asynchronous::ByHand::new(&base)?;
        let (ours, hand) = in_turn(
            || job.expect(runtime.block_on(job.ours_async(&ours, &wanted))?),
            || job.expect(runtime.block_on(job.by_hand_async(&hand, &plain))?),
        )?;
        job.show("async", &ours, &hand, job.peer("async", &base)?);
    }
    Ok(())
}

/// The users of the other system in both models, one in a hundred with a different name.
fn wanted(count: u32) -> (Vec<ScimUser>, Vec<by_hand::PlainUser>) {
    let family_name = |number| if number % 100 == 3 { "Roe" } else { "Doe" };
    let wanted = (1..=count).map(|number| users::wanted(number, family_name(number))).collect();
    (wanted, (1..=count).map(|number| by_hand::wanted(number, family_name(number))).collect())
}

/// The costs of both by round; they take turns at being first.
fn in_turn(
    mut one: impl FnMut() -> Result<()>,
    mut other: impl FnMut() -> Result<()>,
) -> Result<(Vec<Cost>, Vec<Cost>)> {
    let (mut ones, mut others) = (Vec::new(), Vec::new());
    for round in 0..full_or_short(5, 1) {
        if round % 2 == 0 {
            ones.push(Cost::of(&mut one)?);
            others.push(Cost::of(&mut other)?);
        } else {
            others.push(Cost::of(&mut other)?);
            ones.push(Cost::of(&mut one)?);
        }
    }
    Ok((ones, others))
}

struct Job {
    what: &'static str,
    users: u32,
    in_flight: usize,
}

impl Job {
    /// Runs the job; returns the number of users listed, created or changed.
    fn ours(&self, client: &blocking::ScimClient, wanted: &[ScimUser]) -> Result<usize> {
        if self.what == "create" {
            let batch = client.create_users(users::new(self.users)).in_flight(self.in_flight);
            return Ok(batch.filter(|item| item.result.is_ok()).count());
        }
        let mut listing = client.iter_users().in_flight(self.in_flight);
        if self.what == "list" {
            let mut count = 0;
            while listing.try_next()?.is_some() {
                count += 1;
            }
            return Ok(count);
        }
        let mut current = Vec::new();
        while let Some(user) = listing.try_next()? {
            current.push(user);
        }
        let plan = Policy::new(client.profile()).plan(&Current::complete(current), wanted)?;
        Ok(client.apply(plan).in_flight(self.in_flight).run()?.applied)
    }

    async fn ours_async(&self, client: &asynchronous::ScimClient, wanted: &[ScimUser]) -> Result<usize> {
        if self.what == "create" {
            let mut batch = client.create_users(users::new(self.users)).in_flight(self.in_flight);
            let mut created = 0;
            while let Some(item) = batch.next().await {
                created += usize::from(item.result.is_ok());
            }
            return Ok(created);
        }
        let mut listing = client.iter_users().in_flight(self.in_flight);
        if self.what == "list" {
            let mut count = 0;
            while listing.try_next().await?.is_some() {
                count += 1;
            }
            return Ok(count);
        }
        let mut current = Vec::new();
        while let Some(user) = listing.try_next().await? {
            current.push(user);
        }
        let plan = Policy::new(client.profile()).plan(&Current::complete(current), wanted)?;
        Ok(client.apply(plan).in_flight(self.in_flight).run().await?.applied)
    }

    fn by_hand(&self, hand: &by_hand::blocking::ByHand, wanted: &[by_hand::PlainUser]) -> Result<usize> {
        match self.what {
            "list" => {
                let mut count = 0;
                hand.list_all(self.in_flight, |page| count += page.len())?;
                Ok(count)
            }
            "create" => hand.create_all(self.in_flight, (1..=self.users).map(by_hand::new)),
            _ => hand.sync(self.in_flight, wanted),
        }
    }

    async fn by_hand_async(
        &self,
        hand: &by_hand::asynchronous::ByHand,
        wanted: &[by_hand::PlainUser],
    ) -> Result<usize> {
        match self.what {
            "list" => {
                let mut count = 0;
                hand.list_all(self.in_flight, |page| count += page.len()).await?;
                Ok(count)
            }
            "create" => hand.create_all(self.in_flight, (1..=self.users).map(by_hand::new)).await,
            _ => hand.sync(self.in_flight, wanted).await,
        }
    }

    /// The cost of scim2-client, for its share of the users.
    fn peer(&self, api: &str, base: &str) -> Result<Cost> {
        let what = if self.what == "list" { "walk" } else { self.what };
        let mut peer = Peer::start(api, base)?;
        // The first run takes longer.
        peer.work("walk", 100)?;
        peer.work_at_once(what, (self.users / SHARE).into(), self.in_flight)
    }

    fn expect(&self, count: usize) -> Result<()> {
        let expected = if self.what == "sync" { self.users / 100 } else { self.users };
        if u32::try_from(count) == Ok(expected) {
            Ok(())
        } else {
            Err(format!("{}: {count} users instead of {expected}", self.what).into())
        }
    }

    /// Shows the cost relative to the version by hand, and the cost of scim2-client relative to it.
    fn show(&self, api: &str, ours: &[Cost], hand: &[Cost], peer: Cost) {
        let Self { what, users, in_flight } = self;
        for (measure, of) in [("wall", seconds_of(|cost| cost.wall)), ("cpu", seconds_of(|cost| cost.cpu))] {
            let ratios = ours.iter().zip(hand).map(|(ours, hand)| of(ours) / of(hand)).collect();
            let (ours, hand) = (median(ours.iter().map(&of).collect()), median(hand.iter().map(&of).collect()));
            let peer = of(&peer) * f64::from(SHARE);
            show(&format!("end_to_end.{api}.{what}.{measure}"), median(ratios), &Goal::None);
            show(&format!("end_to_end.{api}.{what}.peer_{measure}"), peer / ours, &Goal::None);
            println!(
                "  {users} users, {in_flight} in flight: {ours:.2} s; by hand: {hand:.2} s; scim2-client: {peer:.0} s"
            );
        }
    }
}

fn seconds_of(duration: fn(&Cost) -> Duration) -> impl Fn(&Cost) -> f64 {
    move |cost| duration(cost).as_secs_f64()
}
