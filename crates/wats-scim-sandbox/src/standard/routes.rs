//! The routes of the server (RFC 7644 §3.2).

use http::header::{CONTENT_LOCATION, ETAG, LOCATION};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::discovery::refuse_filter;
use super::kinds::{self, Kind};
use super::members::{cut, selected_page};
use super::query::{Query, parameters, projection};
use super::{Answer, BASE, ReservedId, Standard, intake, refusals, versions};
use crate::message::{json_body, message, no_content};
use crate::refusal::Refusal;
use crate::server::Service;

impl Service for Standard {
    fn respond(&mut self, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
        // HEAD is GET without the body (RFC 9110 §9.3.2), which the HTTP server leaves out.
        let mut as_get = None;
        if request.method() == Method::HEAD {
            *as_get.insert(request.clone()).method_mut() = Method::GET;
        }
        self.answer(as_get.as_ref().unwrap_or(request)).unwrap_or_else(Refusal::into_response)
    }
}

impl Standard {
    pub(super) fn answer(&mut self, request: &Request<Vec<u8>>) -> Answer {
        let segments = segments(request.uri().path());
        let segments = segments.as_ref().map(|segments| segments.iter().map(String::as_str).collect::<Vec<_>>());
        let route = segments.as_deref().and_then(Route::of);
        if let Some(route @ (Route::Config | Route::ResourceTypes(_) | Route::Schemas(_))) = &route {
            return self.discover(route, request);
        }
        self.let_in(request.headers())?;
        let route = route.ok_or_else(|| Refusal::not_found(format!("there is nothing at {}", request.uri().path())))?;
        let query = request.uri().query().unwrap_or_default();
        match (&route, request.method().as_str()) {
            (Route::Root, "GET") => self.list(None, &Query::of(&parameters(query))?),
            (Route::Search(kind), "POST") => self.list(*kind, &Query::of_message(&message(request)?)?),
            (Route::Bulk, "POST") => self.bulk(request),
            (Route::Kind(kind), "GET") => self.list(Some(kind), &Query::of(&parameters(query))?),
            (Route::Kind(kind), "POST") => self.create(kind, request),
            (Route::Me, _) => self.me(request),
            (Route::One(kind, id), method) => self.one(kind, id, method, request),
            (Route::Members(kind, id), "GET") if self.settings.members_endpoint => {
                self.list_members(self.store.get(kind, id)?, query)
            }
            (Route::Members(..), "GET") => Err(Refusal::not_found("this server has no list of members")),
            _ => Err(Refusal::method_not_allowed(route.allowed())),
        }
    }

    fn discover(&self, route: &Route, request: &Request<Vec<u8>>) -> Answer {
        if request.method() != Method::GET {
            return Err(Refusal::method_not_allowed(route.allowed()));
        }
        refuse_filter(request.uri().query().unwrap_or_default())?;
        match route {
            Route::ResourceTypes(name) => self.resource_types(name.as_deref()),
            Route::Schemas(urn) => self.schemas(urn.as_deref()),
            _ => Ok(self.service_provider_config()),
        }
    }

    fn create(&mut self, kind: &'static Kind, request: &Request<Vec<u8>>) -> Answer {
        let projection = projection(&parameters(request.uri().query().unwrap_or_default()))?;
        let reserved = request.extensions().get::<ReservedId>().map(|ReservedId(id)| id.as_str());
        let resource = self.store.create(kind, intake::resource(kind, request)?, reserved)?;
        if self.quirks.create_answers_empty {
            return Ok(Response::new(Vec::new()));
        }
        let mut response = json_body(&cut(self.settings.member_cap, projection.of(resource)));
        *response.status_mut() = StatusCode::CREATED;
        put(&mut response, LOCATION, resource.pointer("/meta/location"));
        put(&mut response, ETAG, resource.pointer("/meta/version"));
        Ok(response)
    }

    fn one(&mut self, kind: &'static Kind, id: &str, method: &str, request: &Request<Vec<u8>>) -> Answer {
        let held = self.store.get(kind, id)?;
        let cap = self.settings.member_cap;
        let projection = || projection(&parameters(request.uri().query().unwrap_or_default()));
        if matches!(method, "PUT" | "PATCH" | "DELETE") {
            versions::check(request.headers(), held)?;
        }
        match method {
            "GET" if versions::is_known(request.headers(), held) => {
                let mut response = Response::new(Vec::new());
                *response.status_mut() = StatusCode::NOT_MODIFIED;
                put(&mut response, ETAG, held.pointer("/meta/version"));
                Ok(response)
            }
            "GET" => match selected_page(request.uri().query().unwrap_or_default()) {
                Some(page) if self.settings.member_pages => self.with_page(held, &page),
                _ => Ok(shown(held, &cut(cap, projection()?.of(held)))),
            },
            "PUT" => {
                let projection = projection()?;
                let resource = self.store.replace(kind, id, intake::resource(kind, request)?)?;
                Ok(shown(resource, &cut(cap, projection.of(resource))))
            }
            "PATCH" => {
                let projection = projection()?;
                let resource = self.store.patch(kind, id, &message(request)?)?;
                let mut response = shown(resource, &cut(cap, projection.of(resource)));
                if self.quirks.patch_answers_204 {
                    let headers = std::mem::take(response.headers_mut());
                    response = no_content();
                    if let Some(version) = headers.get(ETAG) {
                        response.headers_mut().insert(ETAG, version.clone());
                    }
                }
                Ok(response)
            }
            "DELETE" => self.store.delete(kind, id).map(|()| no_content()),
            _ => Err(Refusal::method_not_allowed(ONE)),
        }
    }

    /// `/Me` (RFC 7644 §3.11): the user that the credentials belong to.
    fn me(&mut self, request: &Request<Vec<u8>>) -> Answer {
        let name = self.settings.me.clone();
        let name = name.ok_or_else(|| refusals::not_implemented("this server has no /Me"))?;
        let not_found = || Refusal::not_found(format!("there is no user with the userName '{name}'"));
        let kind = kinds::users().ok_or_else(not_found)?;
        let id = self.store.named(kind, &name).ok_or_else(not_found)?.to_owned();
        let mut response = self.one(kind, &id, request.method().as_str(), request)?;
        let location = Value::from(self.store.location(kind, &id));
        if response.status().is_success() {
            put(&mut response, CONTENT_LOCATION, Some(&location));
        }
        Ok(response)
    }
}

const ONE: &str = "GET, PUT, PATCH, DELETE";

/// The target of a path.
#[derive(Debug)]
enum Route {
    Root,
    Config,
    ResourceTypes(Option<String>),
    Schemas(Option<String>),
    Bulk,
    Me,
    /// A search of one type, or of all types.
    Search(Option<&'static Kind>),
    Kind(&'static Kind),
    One(&'static Kind, String),
    /// The members of a group.
    Members(&'static Kind, String),
}

impl Route {
    fn of(segments: &[&str]) -> Option<Self> {
        // A trailing slash is ignored.
        let segments = match segments {
            [rest @ .., ""] => rest,
            all => all,
        };
        match segments {
            [] => Some(Self::Root),
            ["ServiceProviderConfig"] => Some(Self::Config),
            ["ResourceTypes"] => Some(Self::ResourceTypes(None)),
            ["ResourceTypes", name] => Some(Self::ResourceTypes(Some((*name).to_owned()))),
            ["Schemas"] => Some(Self::Schemas(None)),
            ["Schemas", urn] => Some(Self::Schemas(Some((*urn).to_owned()))),
            ["Bulk"] => Some(Self::Bulk),
            ["Me"] => Some(Self::Me),
            [".search"] => Some(Self::Search(None)),
            [endpoint] => kinds::at(endpoint).map(Self::Kind),
            [endpoint, ".search"] => kinds::at(endpoint).map(|kind| Self::Search(Some(kind))),
            [endpoint, id] => kinds::at(endpoint).map(|kind| Self::One(kind, (*id).to_owned())),
            [endpoint, id, "members"] => {
                let kind = kinds::at(endpoint).filter(|kind| kind.attribute("members").is_some());
                kind.map(|kind| Self::Members(kind, (*id).to_owned()))
            }
            _ => None,
        }
    }

    /// The supported methods, in the form of the `Allow` header.
    fn allowed(&self) -> &'static str {
        match self {
            Self::Root | Self::Config | Self::ResourceTypes(_) | Self::Schemas(_) | Self::Members(..) => "GET",
            Self::Bulk | Self::Search(_) => "POST",
            Self::Kind(_) => "GET, POST",
            Self::Me | Self::One(..) => ONE,
        }
    }
}

/// The resource type of a path, and the id if it is the path of one resource.
pub(super) fn place(path: &str) -> Option<(&'static Kind, Option<String>)> {
    let segments = segments(path)?;
    match Route::of(&segments.iter().map(String::as_str).collect::<Vec<_>>())? {
        Route::Kind(kind) => Some((kind, None)),
        Route::One(kind, id) => Some((kind, Some(id))),
        _ => None,
    }
}

/// The segments after the base, each decoded once, so that an encoded slash stays in its segment.
fn segments(path: &str) -> Option<Vec<String>> {
    let rest = path.strip_prefix(BASE)?;
    if rest.is_empty() {
        return Some(Vec::new());
    }
    let decode = |segment| percent_decode_str(segment).decode_utf8().ok().map(String::from);
    rest.strip_prefix('/')?.split('/').map(decode).collect()
}

fn shown(resource: &Value, body: &Value) -> Response<Vec<u8>> {
    let mut response = json_body(body);
    put(&mut response, ETAG, resource.pointer("/meta/version"));
    put(&mut response, CONTENT_LOCATION, resource.pointer("/meta/location"));
    response
}

fn put(response: &mut Response<Vec<u8>>, name: HeaderName, value: Option<&Value>) {
    if let Some(Ok(value)) = value.and_then(Value::as_str).map(HeaderValue::from_str) {
        response.headers_mut().insert(name, value);
    }
}

#[cfg(test)]
mod tests;
