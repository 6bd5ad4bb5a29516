//! The speed-up of a listing by pages in flight, its time compared with the ideal time given by the
//! server's latency, with constant and varying latencies, and the memory of a long listing. Also
//! draws `listing.svg`.

mod support;

use std::env;
use std::fs;
use std::process::Command;
use std::time::Duration;

use support::chart::{Curve, svg};
use support::cost::wall;
use support::figures::{Goal, median, show};
use support::latency::{Latency, ideal};
use support::peer::{self, Peer};
use support::server::{Server, serve_as_child};
use support::{Result, config, full_or_short, is_short, memory, users};
use tokio::runtime::Runtime;
use wats_scim::{asynchronous, blocking};

const PAGE: u32 = 100;
const IN_FLIGHT: u32 = 16;
const APIS: [&str; 2] = ["blocking", "async"];
const SPEEDUP: Goal = Goal::AtLeast(15.0);
const SHARE: Goal = Goal::AtLeast(0.95);
const VARYING: Goal = Goal::AtLeast(0.8);
const MEMORY: [Goal; 2] = [Goal::AtMost(14.0), Goal::AtMost(10.0)];
const MEASURE_MEMORY: &str = "measure-memory";
const CHART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/listing.svg");

fn main() -> Result<()> {
    serve_as_child()?;
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let [what, api, base, users] = &arguments[..]
        && what == MEASURE_MEMORY
    {
        return measure_memory(&Client::new(api, base)?, users.parse()?);
    }

    let server = Server::start()?;
    let (users, latency) = full_or_short((50_000, 20), (2_000, 5));
    let latency = Duration::from_millis(latency);
    let base = server.base(u64::from(users), latency);
    let mut curves = vec![Curve {
        name: "latency alone",
        color: "#888",
        is_dashed: true,
        points: [1, 2, 4, 8, 16].map(|in_flight| (in_flight, limit(users, latency.into(), in_flight))).to_vec(),
    }];
    for (api, color) in APIS.into_iter().zip(["#c2410c", "#1d4ed8"]) {
        let points = times(&Client::new(api, &base)?, users)?;
        if let [(_, alone), .., (_, many)] = points[..] {
            show(&format!("listing.{api}.speedup"), alone / many, &SPEEDUP);
            show(&format!("listing.{api}.share_of_limit"), limit(users, latency.into(), IN_FLIGHT) / many, &SHARE);
        }
        curves.push(Curve { name: api, color, is_dashed: false, points });
    }
    for api in APIS {
        varying(&server, api, users)?;
    }
    memory_of_each(&server)?;
    if !is_short() {
        curves.extend(peer(&base, users)?);
        fs::write(CHART, svg("Listing 50,000 users from a server that takes 20 ms a page", &curves))?;
    }
    Ok(())
}

/// The ideal time in seconds: the latency of the first page, and then those of the others with
/// `in_flight` at a time.
fn limit(users: u32, latency: Latency, in_flight: u32) -> f64 {
    let rest = (1..users.div_ceil(PAGE)).map(|page| latency.of(page.into()));
    (latency.of(0) + ideal(rest, in_flight)).as_secs_f64()
}

/// Shows the ratio of the ideal to the measured time, with varying latencies. Each round has
/// different latencies.
fn varying(server: &Server, api: &str, users: u32) -> Result<()> {
    let (rounds, mean) = full_or_short((5, 100), (1, 10));
    let (mut shares, mut times) = (Vec::new(), Vec::new());
    for seed in 0..rounds {
        let latency = Latency::Exponential { mean: Duration::from_millis(mean), seed };
        let client = Client::new(api, &server.base(u64::from(users), latency))?;
        let seconds = wall(|| client.list_all(IN_FLIGHT, users))?.as_secs_f64();
        let limit = limit(users, latency, IN_FLIGHT);
        shares.push(limit / seconds);
        times.push((seconds, limit));
    }
    show(&format!("listing.{api}.varying"), median(shares), &VARYING);
    let (seconds, limits) = times.into_iter().unzip();
    println!("  {:.2} s; ideal: {:.2} s", median(seconds), median(limits));
    Ok(())
}

/// The time of the whole listing in seconds by the number of pages in flight; a median of five for
/// the largest number.
fn times(client: &Client, users: u32) -> Result<Vec<(u32, f64)>> {
    let time = |in_flight| Ok(wall(|| client.list_all(in_flight, users))?.as_secs_f64());
    let mut points = Vec::new();
    for in_flight in [1, 2, 4, 8] {
        points.push((in_flight, time(in_flight)?));
    }
    let most = (0..full_or_short(5, 1)).map(|_| time(IN_FLIGHT)).collect::<Result<_>>()?;
    points.push((IN_FLIGHT, median(most)));
    Ok(points)
}

/// The time of scim2-client, one page after the other, if it is installed.
fn peer(base: &str, users: u32) -> Result<Option<Curve>> {
    if !peer::is_installed() {
        println!("scim2-client is not in the chart: the bench `peers` installs it");
        return Ok(None);
    }
    let seconds = Peer::start("sync", base)?.work("walk", u64::from(users))?.wall.as_secs_f64();
    Ok(Some(Curve { name: "scim2-client", color: "#15803d", is_dashed: false, points: vec![(1, seconds)] }))
}

/// Measures each API in its own process, so that one peak does not hide the other.
fn memory_of_each(server: &Server) -> Result<()> {
    let users: u32 = full_or_short(1_000_000, 10_000);
    let base = server.base(u64::from(users), Duration::ZERO);
    for (api, goal) in APIS.into_iter().zip(MEMORY) {
        let name = format!("listing.{api}.memory_mib");
        let child =
            Command::new(env::current_exe()?).args([MEASURE_MEMORY, api, &base, &users.to_string()]).output()?;
        if !child.status.success() {
            return Err(format!("{name}: {}", String::from_utf8_lossy(&child.stderr)).into());
        }
        match String::from_utf8(child.stdout)?.trim().parse::<f64>() {
            Ok(kib) => show(&name, kib / 1024.0, &goal),
            Err(_) => println!("{name}: not measured on this system\n  goal: {goal}"),
        }
    }
    Ok(())
}

/// Prints the memory of a listing in KiB, without that of the idle process.
fn measure_memory(client: &Client, users: u32) -> Result<()> {
    client.get_one()?;
    let at_rest = memory::now_kib();
    client.list_all(8, users)?;
    if let (Some(at_rest), Some(peak)) = (at_rest, memory::peak_kib()) {
        println!("{}", peak.saturating_sub(at_rest));
    }
    Ok(())
}

enum Client {
    Blocking(blocking::ScimClient),
    Async(asynchronous::ScimClient, Runtime),
}

impl Client {
    fn new(api: &str, base: &str) -> Result<Self> {
        Ok(match api {
            "blocking" => Self::Blocking(blocking::ScimClient::with_config(&config(base))?),
            _ => Self::Async(asynchronous::ScimClient::with_config(&config(base))?, Runtime::new()?),
        })
    }

    fn get_one(&self) -> Result<()> {
        let id = users::id(1);
        match self {
            Self::Blocking(client) => client.get_user(&id)?,
            Self::Async(client, runtime) => runtime.block_on(client.get_user(&id))?,
        };
        Ok(())
    }

    /// Lists all users, and checks their number.
    fn list_all(&self, in_flight: u32, users: u32) -> Result<()> {
        let in_flight = usize::try_from(in_flight)?;
        let mut count = 0_u32;
        match self {
            Self::Blocking(client) => {
                let mut listing = client.iter_users().in_flight(in_flight);
                while listing.try_next()?.is_some() {
                    count += 1;
                }
            }
            Self::Async(client, runtime) => runtime.block_on(async {
                let mut listing = client.iter_users().in_flight(in_flight);
                while listing.try_next().await?.is_some() {
                    count += 1;
                }
                Ok::<_, wats_scim::Error>(())
            })?,
        }
        if count == users { Ok(()) } else { Err(format!("{count} of {users} users were listed").into()) }
    }
}
