//! The async client over HTTP/2, compared with HTTP/1.1: both over TLS, with few and with many
//! requests in flight.

mod support;
#[path = "support/tls_server.rs"]
mod tls_server;

use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use support::by_hand::our_jane;
use support::cost::Cost;
use support::figures::{Goal, median, show};
use support::{Result, config, full_or_short, is_wanted, users};
use tls_server::{Protocol, TlsServer, serve_as_child};
use tokio::runtime::Runtime;
use wats_scim::ScimUser;
use wats_scim::asynchronous::ScimClient;

/// Enough streams for all requests, and the default limit of some servers.
const PROTOCOLS: [Protocol; 3] =
    [Protocol::Http1, Protocol::Http2 { streams: 1_000 }, Protocol::Http2 { streams: 100 }];
const HTTP1: usize = 0;
const HTTP2: usize = 1;
const HTTP2_100_STREAMS: usize = 2;

const OPERATIONS: [&str; 2] = ["get_user", "create_user"];

fn main() -> Result<()> {
    serve_as_child(&PROTOCOLS)?;
    let bench = Bench { server: TlsServer::start()?, runtime: Runtime::new()?, jane: our_jane() };
    if is_wanted("no_latency") {
        for in_flight in [1, 16, 256] {
            bench.compare(&format!("http2.{in_flight}"), HTTP2, Duration::ZERO, in_flight)?;
        }
    }
    if is_wanted("latency") {
        let latency = Duration::from_millis(full_or_short(20, 2));
        for in_flight in [1, 16, 256] {
            bench.compare(&format!("http2.20ms.{in_flight}"), HTTP2, latency, in_flight)?;
        }
        bench.compare("http2.20ms.256.100_streams", HTTP2_100_STREAMS, latency, 256)?;
    }
    Ok(())
}

struct Bench {
    server: TlsServer,
    runtime: Runtime,
    jane: ScimUser,
}

impl Bench {
    /// Shows the cost of the operations over HTTP/2, relative to HTTP/1.1.
    fn compare(&self, name: &str, protocol: usize, latency: Duration, in_flight: usize) -> Result<()> {
        let clients = [self.client(HTTP1, latency, in_flight)?, self.client(protocol, latency, in_flight)?];
        let calls = if latency.is_zero() { full_or_short(2_000, 100) } else { in_flight * full_or_short(20, 1) };
        // For each operation, the costs of the calls of each round with either protocol.
        let mut costs = OPERATIONS.map(|_| [Vec::new(), Vec::new()]);
        for round in 0..full_or_short(11, 1) {
            for (operation, costs) in OPERATIONS.into_iter().zip(&mut costs) {
                for at in if round % 2 == 0 { [0, 1] } else { [1, 0] } {
                    costs[at].push(Cost::of(|| self.call(&clients[at], operation, calls, in_flight))?);
                }
            }
        }
        for (measure, of) in [("cpu", seconds_of(|cost| cost.cpu)), ("wall", seconds_of(|cost| cost.wall))] {
            let sums = [0, 1].map(|at| {
                let [get, create] = &costs;
                get[at].iter().zip(&create[at]).map(|(get, create)| of(get) + of(create)).collect::<Vec<_>>()
            });
            let ratios = sums[0].iter().zip(&sums[1]).map(|(http1, http2)| http2 / http1).collect();
            show(&format!("{name}.{measure}_ratio"), median(ratios), &Goal::None);
        }
        for (operation, costs) in OPERATIONS.into_iter().zip(&costs) {
            let [http1, http2] = costs.each_ref().map(|costs| a_call(costs, calls));
            println!("  {operation}: HTTP/1.1 {http1}; HTTP/2 {http2}");
        }
        Ok(())
    }

    /// A client with open connections.
    fn client(&self, protocol: usize, latency: Duration, in_flight: usize) -> Result<ScimClient> {
        let config = config(&self.server.base(protocol, 50_000, latency)).allow_http2(true);
        let client = ScimClient::with_config(&config.root_certificates(self.server.certificate()))?;
        self.call(&client, OPERATIONS[0], in_flight, in_flight)?;
        Ok(client)
    }

    fn call(&self, client: &ScimClient, operation: &str, calls: usize, in_flight: usize) -> Result<()> {
        let id = users::id(7);
        let call = async || {
            let user = match operation {
                "get_user" => client.get_user(&id).await?,
                _ => Some(client.create_user(&self.jane).await?),
            };
            let is_there = user.is_some_and(|user| user.id.is_some());
            if is_there { Ok(()) } else { Err("unexpected response from the server".into()) }
        };
        let calls = stream::iter(0..calls).map(|_| call()).buffer_unordered(in_flight);
        self.runtime.block_on(calls.try_for_each(async |()| Ok(())))
    }
}

/// The processor time of a call and the calls per second; medians of the rounds.
fn a_call(costs: &[Cost], calls: usize) -> String {
    let calls = f64::from(u32::try_from(calls).unwrap_or(u32::MAX));
    let median_of = |of: fn(&Cost) -> Duration| median(costs.iter().map(|cost| of(cost).as_secs_f64()).collect());
    let (cpu, wall) = (median_of(|cost| cost.cpu), median_of(|cost| cost.wall));
    format!("{:.0} µs, {:.0}/s", cpu / calls * 1e6, calls / wall)
}

fn seconds_of(duration: fn(&Cost) -> Duration) -> impl Fn(&Cost) -> f64 {
    move |cost| duration(cost).as_secs_f64()
}
