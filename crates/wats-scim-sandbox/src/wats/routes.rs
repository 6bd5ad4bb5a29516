//! The routes of the server.

use http::header::LOCATION;
use http::{HeaderValue, Request, Response, StatusCode};
use percent_encoding::percent_decode_str;
use serde::Serialize;
use serde_json::{Value, json};
use wats_scim_filter::Filter;
use wats_scim_filter::json::same_name;

use super::directory::Directory;
use super::gate::Gate;
use crate::message::{json_body, message, no_content};
use crate::quirks::{Quirks, Total};
use crate::refusal::Refusal;
use crate::server::Service;

/// The default lifetime of a provisioning token: 90 days.
const DEFAULT_DURATION: i32 = 90;

/// The default page size.
const DEFAULT_COUNT: i64 = 100;

type Answer = Result<Response<Vec<u8>>, Refusal>;

/// The state of the server.
pub(super) struct Wats {
    pub(super) directory: Directory,
    pub(super) gate: Gate,
    pub(super) base: Base,
    pub(super) quirks: Quirks,
}

/// The base path, and the routes below it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Base {
    /// The base of WATS, with the token and by-name routes.
    #[default]
    Wats,
    /// The base of another server, with the routes of RFC 7644 only.
    Standard,
}

impl Base {
    /// The base path, without a trailing slash.
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Wats => "/api/SCIM/v2",
            Self::Standard => "/scim/v2",
        }
    }
}

impl Wats {
    /// The current users, in the order of their creation.
    pub(super) fn users(&self) -> Vec<Value> {
        self.directory.iter().cloned().collect()
    }
}

impl Service for Wats {
    fn respond(&mut self, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
        answer(self, request).unwrap_or_else(Refusal::into_response)
    }
}

fn answer(state: &mut Wats, request: &Request<Vec<u8>>) -> Answer {
    state.gate.check(request.headers())?;
    let route = Route::of(request.uri().path(), state.base)?;
    let query = request.uri().query().unwrap_or_default();
    match (&route, request.method().as_str()) {
        (Route::Token, "GET") => token(state, query),
        (Route::Users, "GET") => list(state, query),
        (Route::Users, "POST") => create(state, request),
        (Route::User(id), "GET") => state.directory.get(id).map(json_body),
        (Route::User(id), "PATCH") => patch(state, id, request),
        (Route::User(id), "DELETE") => state.directory.delete(id).map(|()| no_content()),
        (Route::UserNamed(name), "GET") => state.directory.get_by_name(name).map(json_body),
        _ => Err(Refusal::method_not_allowed(route.allowed())),
    }
}

/// The target of a path.
#[derive(Debug, PartialEq, Eq)]
enum Route {
    Token,
    Users,
    User(String),
    UserNamed(String),
}

impl Route {
    /// Reads the encoded path of a request: splits it first, then decodes each segment once. So an
    /// encoded slash stays in its segment, and a plus stays a plus.
    fn of(path: &str, base: Base) -> Result<Self, Refusal> {
        let nothing_here = || Refusal::not_found(format!("there is nothing at {path}"));
        let decode = |segment| percent_decode_str(segment).decode_utf8();
        let mut segments = path.trim_start_matches('/').split('/');
        for expected in base.path().trim_start_matches('/').split('/') {
            let is_expected = segments.next().is_some_and(|segment| match base {
                // Routes in ASP.NET ignore letter case; pyWATS and the WATS documentation differ in it.
                Base::Wats => segment.eq_ignore_ascii_case(expected),
                Base::Standard => segment == expected,
            });
            if !is_expected {
                return Err(nothing_here());
            }
        }
        let rest: Result<Vec<_>, _> = segments.map(decode).collect();
        let rest = rest.map_err(|_| nothing_here())?;
        let rest: Vec<&str> = rest.iter().map(AsRef::as_ref).collect();
        match (base, rest.as_slice()) {
            (Base::Wats, ["Token"]) => Ok(Self::Token),
            // As in ASP.NET, a trailing slash is ignored: an empty id means the list.
            (_, ["Users"] | ["Users", ""]) => Ok(Self::Users),
            (Base::Wats, ["Users", segment]) => Ok(segment
                .strip_prefix("userName=")
                .map_or_else(|| Self::User((*segment).to_owned()), |name| Self::UserNamed(name.to_owned()))),
            (Base::Standard, ["Users", id]) => Ok(Self::User((*id).to_owned())),
            _ => Err(nothing_here()),
        }
    }

    /// The supported methods, in the form of the `Allow` header.
    fn allowed(&self) -> &'static str {
        match self {
            Self::Token | Self::UserNamed(_) => "GET",
            Self::Users => "GET, POST",
            Self::User(_) => "GET, PATCH, DELETE",
        }
    }
}

fn token(state: &mut Wats, query: &str) -> Answer {
    let days = integer(query, "duration")?.unwrap_or(DEFAULT_DURATION);
    let token = state.gate.issue(days)?;
    Ok(json_body(&json!({
        "token": token.jwt,
        "expiresUtc": token.expires.to_rfc3339(),
        "durationDays": days,
    })))
}

/// RFC 7644 §3.4.2.4: a `startIndex` below 1 is 1, a `count` below 0 is 0.
fn list(state: &Wats, query: &str) -> Answer {
    let start_index: i64 = integer(query, "startIndex")?.unwrap_or(1);
    let count: i64 = integer(query, "count")?.unwrap_or(DEFAULT_COUNT);
    let filter = parameter(query, "filter")
        .map(|text| text.parse::<Filter>())
        .transpose()
        .map_err(|error| Refusal::invalid_filter(format!("cannot read the filter: {error}")))?;
    let page = state.directory.page(
        filter.as_ref(),
        &state.quirks,
        usize::try_from(start_index.max(1)).unwrap_or(usize::MAX),
        usize::try_from(count.max(0)).unwrap_or(usize::MAX),
    );
    Ok(json_body(&ListResponse {
        schemas: ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        total_results: match state.quirks.total {
            Total::Matches => Some(page.total),
            Total::PageSize => Some(page.users.len()),
            Total::Omitted => None,
        },
        start_index: page.start_index,
        items_per_page: page.users.len(),
        resources: page.users,
    }))
}

/// A list in its JSON form (RFC 7644 §3.4.2). It borrows the users, so that a large page is cheap.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ListResponse<'a> {
    schemas: [&'static str; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    total_results: Option<usize>,
    start_index: usize,
    items_per_page: usize,
    #[serde(rename = "Resources")]
    resources: Vec<&'a Value>,
}

fn create(state: &mut Wats, request: &Request<Vec<u8>>) -> Answer {
    let user = state.directory.create(message(request)?)?;
    if state.quirks.create_answers_empty {
        return Ok(Response::new(Vec::new()));
    }
    let mut response = json_body(user);
    *response.status_mut() = StatusCode::CREATED;
    let location = user.pointer("/meta/location").and_then(Value::as_str);
    if let Some(Ok(location)) = location.map(HeaderValue::from_str) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

fn patch(state: &mut Wats, id: &str, request: &Request<Vec<u8>>) -> Answer {
    let user = state.directory.patch(id, &message(request)?)?;
    if state.quirks.patch_answers_204 {
        return Ok(no_content());
    }
    Ok(json_body(user))
}

/// A query parameter by its name, ignoring letter case. A blank one is absent, as in ASP.NET.
fn parameter(query: &str, name: &str) -> Option<String> {
    form_urlencoded::parse(query.as_bytes())
        .find(|(key, _)| same_name(key, name))
        .map(|(_, value)| value.into_owned())
        .filter(|value| !value.trim().is_empty())
}

fn integer<T: std::str::FromStr>(query: &str, name: &str) -> Result<Option<T>, Refusal> {
    parameter(query, name)
        .map(|value| {
            let number = value.trim().parse();
            number.map_err(|_| Refusal::invalid_value(format!("{name} must be a whole number")))
        })
        .transpose()
}

#[cfg(test)]
mod tests;
