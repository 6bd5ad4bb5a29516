//! The way to the server: its name, its port, its certificate, its clock.

use std::error::Error as StdError;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use wats_scim::ScimConfig;
use wats_scim::blocking::{HttpClient as _, Ureq};
use wats_scim::http::header::DATE;
use wats_scim::http::{Request, Response, Uri};

use super::report::Problem;
use crate::failure::Exit;

const CONNECT: Duration = Duration::from_secs(10);

/// Clocks may differ by so much.
const TOLERANCE: TimeDelta = TimeDelta::seconds(60);

pub(super) fn look_up(uri: &Uri) -> Result<Vec<SocketAddr>, Problem> {
    let problem = |why: &str| {
        let next = "check the URL, and the name server of this machine; a name of a company network may need its VPN";
        Problem::new(format!("the name of the server has no address ({why})"), next, Exit::Unreachable)
    };
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("http") { 80 } else { 443 });
    let found = (host, port).to_socket_addrs().map_err(|error| problem(&error.to_string()))?;
    let addresses: Vec<_> = found.collect();
    if addresses.is_empty() { Err(problem("none is known")) } else { Ok(addresses) }
}

/// Connects to one of the addresses.
pub(super) fn connect(addresses: &[SocketAddr]) -> Result<String, Problem> {
    let mut why = String::new();
    for address in addresses {
        match TcpStream::connect_timeout(address, CONNECT) {
            Ok(_) => return Ok(format!("port {} accepts connections", address.port())),
            Err(error) => why = format!("port {}: {error}", address.port()),
        }
    }
    let next = "check the port in the URL and the firewall; if this network has a proxy, set https_proxy";
    Err(Problem::new(why, next, Exit::Unreachable))
}

/// Sends a request without credentials, whatever it is answered with.
pub(super) fn answer(config: &ScimConfig, scim_url: &str) -> Result<Response<Vec<u8>>, Problem> {
    let setting = |why: &dyn std::fmt::Display| Problem::new(why.to_string(), "correct this setting", Exit::Error);
    let request = Request::get(format!("{scim_url}/ServiceProviderConfig"));
    let request = request.body(Vec::new()).map_err(|error| setting(&error))?;
    let transport = Ureq::new(config).map_err(|error| setting(&error))?;
    transport.send(request).map_err(|error| {
        let mut why = vec![error.to_string()];
        let mut cause = error.source();
        while let Some(next) = cause {
            why.push(next.to_string());
            cause = next.source();
        }
        why.dedup();
        let why = why.join(": ");
        let (found, next) = certificate(&why)
            .unwrap_or_else(|| (why.clone(), "check the URL, the firewall and the proxy; `-vv` shows more"));
        Problem::new(found, next, Exit::Unreachable)
    })
}

/// A problem with the certificate, in the words of rustls and of the verifiers of Windows and macOS. The text itself
/// can name servers of a company.
fn certificate(why: &str) -> Option<(String, &'static str)> {
    let lower = why.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if !has(&["certificate", "unknownissuer", "notvalidforname"]) {
        return None;
    }
    let found = |what: &str| format!("the certificate of the server {what}");
    Some(if has(&["unknownissuer", "unknown issuer", "not trusted", "untrusted", "caused by: selfsigned"]) {
        let next = "give the root certificate of its authority with --ca FILE; if a proxy of the company inspects \
                    connections, give that of the proxy";
        (found("is of an authority that is not trusted here"), next)
    } else if has(&["not valid for name", "notvalidforname", "name mismatch"]) {
        (
            found("is for another name"),
            "use the name in the certificate in the URL, or have the server send the right one",
        )
    } else if has(&["not valid yet", "notvalidyet"]) {
        (found("is not valid yet"), "check the clock of this machine")
    } else if has(&["expired"]) {
        (found("has expired"), "have it renewed, or check the clock of this machine")
    } else if has(&["revoked"]) {
        (found("was revoked"), "have it replaced")
    } else {
        (found("is rejected"), "have its chain checked: the server must send the intermediate certificates, too")
    })
}

/// Compares the clocks.
pub(super) fn clock(answer: &Response<Vec<u8>>, now: DateTime<Utc>) -> Result<String, Problem> {
    let date = answer.headers().get(DATE).and_then(|date| date.to_str().ok());
    let Some(date) = date.and_then(|date| DateTime::parse_from_rfc2822(date).ok()) else {
        return Ok("the server does not tell the time".to_owned());
    };
    let ahead = now - date.to_utc();
    let found = match ahead.num_seconds() {
        -1..=1 => return Ok("both clocks agree".to_owned()),
        seconds if seconds > 0 => format!("this machine is {seconds} s ahead of the server"),
        seconds => format!("this machine is {} s behind the server", -seconds),
    };
    if ahead.abs() <= TOLERANCE {
        return Ok(found);
    }
    Err(Problem::new(
        found,
        "set the clock of this machine by NTP: tokens are valid at certain times only",
        Exit::Error,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_that_differ_by_minutes_are_a_problem() {
        let now = DateTime::parse_from_rfc3339("2026-11-26T12:00:00Z").unwrap().to_utc();
        let clock = |date: &str| clock(&Response::builder().header(DATE, date).body(Vec::new()).unwrap(), now);
        assert_eq!(clock("Thu, 26 Nov 2026 12:00:00 GMT").unwrap(), "both clocks agree");
        assert_eq!(clock("Thu, 26 Nov 2026 12:00:30 GMT").unwrap(), "this machine is 30 s behind the server");
        assert!(clock("Thu, 26 Nov 2026 11:50:00 GMT").unwrap_err().found.contains("600 s ahead"));
        assert!(clock("soon").is_ok());
    }

    #[test]
    fn a_problem_of_the_certificate_is_named_without_the_names_in_it() {
        for (why, word) in [
            ("io: invalid peer certificate: UnknownIssuer", "--ca"),
            ("invalid peer certificate: certificate not valid for name \"a.corp\"; only for b.corp", "the name"),
            ("invalid peer certificate: certificate expired: verification time 1 (UNIX)", "renewed"),
            ("invalid peer certificate: certificate not valid yet", "clock"),
            ("invalid peer certificate: BadSignature", "intermediate"),
        ] {
            let (found, next) = certificate(why).unwrap();
            assert!(next.contains(word) && !found.contains("corp"), "{why}: {found}: {next}");
        }
        assert!(certificate("connection refused").is_none());
    }
}
