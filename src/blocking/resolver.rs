//! Addresses of the server, without a thread and a look-up for each request.
//!
//! ureq looks a name up before it takes a connection from its pool, and, because a look-up cannot
//! be given up, on a thread of its own. A client talks to one server, so its addresses are kept for
//! a moment.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::Uri;
use ureq::Error;
use ureq::config::Config;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// How long addresses are kept: short enough to follow a server that moves.
const KEPT: Duration = Duration::from_secs(5);

#[derive(Debug, Default)]
pub(super) struct BriefResolver {
    system: DefaultResolver,
    last: Mutex<Option<Resolved>>,
}

#[derive(Debug)]
struct Resolved {
    authority: String,
    addresses: Vec<SocketAddr>,
    at: Instant,
}

impl Resolver for BriefResolver {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        if let Some(address) = literal(uri) {
            return Ok(self.list(&[address]));
        }
        let authority = uri.authority().map(http::uri::Authority::as_str).unwrap_or_default();
        {
            let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(last) = last.as_ref().filter(|last| last.authority == authority && last.at.elapsed() < KEPT) {
                return Ok(self.list(&last.addresses));
            }
        }
        let addresses = self.system.resolve(uri, config, timeout)?;
        let resolved = Resolved { authority: authority.to_owned(), addresses: addresses.to_vec(), at: Instant::now() };
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(resolved);
        Ok(addresses)
    }
}

impl BriefResolver {
    fn list(&self, addresses: &[SocketAddr]) -> ResolvedSocketAddrs {
        let mut list = self.empty();
        // There are no more than there were room for when they were looked up.
        for address in addresses {
            list.push(*address);
        }
        list
    }
}

/// A host that is an address already.
fn literal(uri: &Uri) -> Option<SocketAddr> {
    let host = uri.host()?;
    let address: IpAddr = host.trim_start_matches('[').trim_end_matches(']').parse().ok()?;
    let port = uri.port_u16().or(match uri.scheme_str() {
        Some("https") => Some(443),
        Some("http") => Some(80),
        _ => None,
    })?;
    Some(SocketAddr::new(address, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_needs_no_looking_up() {
        for (uri, address) in [
            ("http://127.0.0.1:8080/x", "127.0.0.1:8080"),
            ("https://[::1]/x", "[::1]:443"),
            ("http://10.0.0.1", "10.0.0.1:80"),
        ] {
            assert_eq!(literal(&uri.parse().unwrap()), Some(address.parse().unwrap()), "{uri}");
        }
        assert_eq!(literal(&"http://localhost:1".parse().unwrap()), None);
    }

    #[test]
    fn a_name_is_looked_up_once_in_a_moment() {
        let resolver = BriefResolver::default();
        let config = ureq::Agent::config_builder().build();
        let timeout = || NextTimeout { after: Duration::from_secs(9).into(), ..NextTimeout::default() };
        let uri: Uri = "http://localhost:81/".parse().unwrap();
        let first = resolver.resolve(&uri, &config, timeout()).unwrap().to_vec();
        assert!(first.iter().all(|address| address.port() == 81));
        if let Some(last) = resolver.last.lock().unwrap().as_mut() {
            last.addresses = vec!["127.0.0.9:9".parse().unwrap()];
        }
        assert_eq!(resolver.resolve(&uri, &config, timeout()).unwrap()[0], "127.0.0.9:9".parse().unwrap());
        let other: Uri = "http://localhost:82/".parse().unwrap();
        assert_eq!(resolver.resolve(&other, &config, timeout()).unwrap()[0].port(), 82);
    }
}
