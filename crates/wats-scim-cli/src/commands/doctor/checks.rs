//! The checks, in their order. A check that others need ends them.

use chrono::Utc;
use serde_json::Value;
use wats_scim::blocking::ScimClient;
use wats_scim::http::Uri;
use wats_scim::{Error, ErrorKind, ListQuery, Profile, RetryPolicy, ScimConfig, ScimGroup};

use super::connection;
use super::report::{Problem, Report};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::server::Server;

pub(super) fn run(context: &Context, server: &Server, config: ScimConfig, writes: bool) -> Result<Report, Failure> {
    let config = config.retry(RetryPolicy::none());
    let scim_url = config.scim_url()?;
    let uri: Uri = scim_url.parse().unwrap_or_default();
    let mut report = Report::default();
    report.hidden.extend(uri.host().map(str::to_owned));
    report.hidden.extend(server.login.user().map(str::to_owned));
    if is_reached(&mut report, &config, &uri, &scim_url) {
        let config = if writes { context.with_trail(config)? } else { config };
        ask(&mut report, &ScimClient::with_config(&config)?, writes);
    }
    Ok(report)
}

/// The way to the server.
fn is_reached(report: &mut Report, config: &ScimConfig, uri: &Uri, scim_url: &str) -> bool {
    let proxy = config.proxy_in_use();
    let is_direct = matches!(proxy, Ok(None));
    let found = proxy.map(|proxy| proxy.map_or_else(|| "none".to_owned(), |url| format!("{url}, by the environment")));
    let next = "correct the variable https_proxy, or except the server with no_proxy";
    if !report.add("proxy", found.map_err(|error| Problem::new(error.to_string(), next, Exit::Error))) {
        return false;
    }
    if is_direct {
        let addresses = connection::look_up(uri);
        let found = addresses.as_ref().map(|addresses| match addresses.len() {
            1 => "one address".to_owned(),
            number => format!("{number} addresses"),
        });
        let found = found.map_err(|problem| Problem::new(&*problem.found, &*problem.next, problem.exit));
        if !report.add("name look-up", found) {
            return false;
        }
        if !report.add("connection", connection::connect(&addresses.unwrap_or_default())) {
            return false;
        }
    } else {
        report.add("name look-up", Ok("left to the proxy".to_owned()));
    }
    let answer = connection::answer(config, scim_url);
    let now = Utc::now();
    let check = if uri.scheme_str() == Some("https") { "TLS and HTTP" } else { "HTTP, without TLS" };
    match answer {
        Ok(answer) => {
            report.add(
                check,
                Ok(format!("the server answers (status {} without credentials)", answer.status().as_u16())),
            );
            report.add("clock", connection::clock(&answer, now));
            true
        }
        Err(problem) => report.add(check, Err(problem)),
    }
}

/// What the server does.
fn ask(report: &mut Report, client: &ScimClient, writes: bool) {
    let users = client.get_users(&ListQuery::new().count(1));
    let total = users.as_ref().ok().and_then(|page| page.total_results);
    let found = total.map_or("a page of users was read".to_owned(), |total| format!("{total} users can be read"));
    if !report.add("credentials", users.map(|_| found).map_err(|error| problem(&error, "read users"))) {
        return;
    }
    let discovered = client.discover();
    let found = discovered.as_ref().map(|client| described(client.profile()));
    if !report.add("discovery", found.map_err(|error| problem(error, "read /ServiceProviderConfig and /ResourceTypes")))
    {
        return;
    }
    let client = discovered.as_ref().unwrap_or(client);
    if client.profile().offers("Groups") {
        let groups = client.resources::<ScimGroup>().list(&ListQuery::new().count(1));
        let found = match groups {
            Ok(page) => {
                Ok(page.total_results.map_or("they can be read".to_owned(), |total| format!("{total} can be read")))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok("the server has none".to_owned()),
            Err(error) => Err(problem(&error, "read groups")),
        };
        report.add("groups", found);
    }
    let probe = client.probe();
    let result = if writes { probe.allow_writes() } else { probe }.run();
    match result {
        Ok(found) => {
            report.add("probe", Ok(format!("{} questions, answered below", found.findings.len())));
            report.probe = Some(found);
        }
        Err(error) => {
            report.add("probe", Err(problem(&error, "list users")));
        }
    }
}

/// An error without the text of the server, which can name people.
fn problem(error: &Error, what: &str) -> Problem {
    let status = error.status().map(|status| format!(" (status {})", status.as_u16())).unwrap_or_default();
    let (found, next) = match error.kind() {
        ErrorKind::Unauthorized => (
            format!("the server rejects the credentials{status}"),
            "run `wats-scim login` with a new token, and check that it belongs to this server",
        ),
        ErrorKind::Forbidden => (
            format!("the account of the credentials may not {what}{status}"),
            "have the right given to it on the server",
        ),
        ErrorKind::NotFound | ErrorKind::UnexpectedBody | ErrorKind::Redirect | ErrorKind::EmptyBody => (
            format!("the answer is not one of a SCIM server{status}"),
            "check the path in the URL and --kind; a login page of a proxy also answers so",
        ),
        ErrorKind::TooManyRequests => (format!("the server limits the rate of requests{status}"), "try again later"),
        ErrorKind::Server => (format!("the server or a gateway fails{status}"), "try again later, or ask its operator"),
        kind => (format!("the server could not {what}: {kind}{status}"), "run `wats-scim users list -vv` to see more"),
    };
    Problem::new(found, next, Failure::Scim(error.clone()).exit())
}

/// The features of a server: all of them are in its serialized form.
fn described(profile: &Profile) -> String {
    let features = serde_json::to_value(profile).unwrap_or_default();
    let having = |has: bool| {
        let of = features.as_object().into_iter().flatten();
        let names: Vec<_> =
            of.filter(|(_, value)| **value == Value::Bool(has)).map(|(name, _)| name.as_str()).collect();
        names.join(", ")
    };
    let kind = if profile.is_wats() { "WATS, which describes itself nowhere" } else { "standard SCIM" };
    format!("{kind}; yes: {}; no: {}", having(true), having(false))
}
