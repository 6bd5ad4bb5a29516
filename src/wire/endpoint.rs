use std::fmt::Write;

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderValue, Method, Request};
use serde_json::{Map, Value};

use super::attempts::Repeat;
use super::path::{encode, id_segment, name};
use crate::config::{BaseUrl, ScimConfig};
use crate::error::{Error, ErrorKind, Result};
use crate::filter::Filter;
use crate::model::{PatchOp, Resource, ScimPatchRequest};
use crate::operation::Operation;
use crate::query::ListQuery;
use crate::secret::Secret;

/// A server, and everything that each request to it has in common.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    base: BaseUrl,
    authorization: HeaderValue,
    user_agent: HeaderValue,
    secrets: Vec<Secret>,
}

/// A request, and what it is for.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) operation: Operation,
    pub(crate) repeat: Repeat,
    pub(crate) request: Request<Vec<u8>>,
}

impl Endpoint {
    /// WATS can also answer in XML and HTML, so JSON is asked for by name.
    const ACCEPT: HeaderValue = HeaderValue::from_static("application/scim+json, application/json;q=0.9");
    const SCIM_JSON: HeaderValue = HeaderValue::from_static("application/scim+json");

    pub(crate) fn new(config: &ScimConfig) -> Result<Self> {
        let user_agent = HeaderValue::try_from(&config.user_agent).map_err(|error| {
            Error::invalid("the user agent has a character in it that a header cannot carry").with_source(error)
        })?;
        Ok(Self {
            base: config.base_url()?,
            authorization: config.credentials.header()?,
            user_agent,
            secrets: config.credentials.secrets(),
        })
    }

    /// Scheme, host and port, for messages.
    pub(crate) fn origin(&self) -> &str {
        self.base.origin()
    }

    /// An error without the credentials, which a server may have repeated in its words.
    pub(crate) fn without_secrets(&self, error: Error) -> Error {
        self.secrets.iter().fold(error, Error::without)
    }

    pub(crate) fn token(&self, duration_days: Option<u32>) -> Result<Call> {
        let operation = Operation::GetToken;
        if !self.base.profile().issues_tokens {
            return Err(self.lacks("tokens", operation));
        }
        let mut path = String::from("/Token");
        if let Some(days) = duration_days {
            // The server reads an int32.
            if days == 0 || i32::try_from(days).is_err() {
                return Err(Error::invalid("the duration must be at least 1 day").in_operation(operation));
            }
            append(&mut path, format_args!("?duration={days}"));
        }
        self.call(operation, Method::GET, &path, None)
    }

    pub(crate) fn get<T: Resource>(&self, id: &str) -> Result<Call> {
        self.on_id::<T>(Operation::Get(T::NAME), Method::GET, id, None)
    }

    /// How one is read by name: by WATS's route, or else by a filter.
    pub(crate) fn get_by_name<T: Resource>(&self, of: &str) -> Result<ByName> {
        let operation = Operation::GetByName(T::NAME);
        let of = name(of, T::NAMED_BY).map_err(|error| error.in_operation(operation))?;
        if self.base.profile().reads_by_name_route {
            let path = format!("/{}/{}={}", T::ENDPOINT, T::NAMED_BY, encode(of));
            return self.call(operation, Method::GET, &path, None).map(ByName::Route);
        }
        let query = ListQuery::new().filter(Filter::eq(T::NAMED_BY, of));
        self.list_as::<T>(operation, &query).map(ByName::Filter)
    }

    pub(crate) fn list<T: Resource>(&self, query: &ListQuery) -> Result<Call> {
        self.list_as::<T>(Operation::List(T::NAME), query)
    }

    fn list_as<T: Resource>(&self, operation: Operation, query: &ListQuery) -> Result<Call> {
        query.check().map_err(|error| error.in_operation(operation))?;
        let mut path = format!("/{}", T::ENDPOINT);
        let mut separator = '?';
        let mut put = |name: &str, value: &dyn std::fmt::Display| {
            append(&mut path, format_args!("{separator}{name}={value}"));
            separator = '&';
        };
        if let Some(filter) = &query.filter {
            put("filter", &encode(&filter.to_string()));
        }
        if let Some(start_index) = query.start_index {
            put("startIndex", &start_index);
        }
        if let Some(count) = query.count {
            put("count", &count);
        }
        self.call(operation, Method::GET, &path, None)
    }

    pub(crate) fn create<T: Resource>(&self, resource: &T) -> Result<Call> {
        let operation = Operation::Create(T::NAME);
        let refused = |error: Error| error.in_operation(operation);
        let of = resource.name().ok_or_else(|| Error::invalid(format!("the {} has no {}", T::NAME, T::NAMED_BY)));
        of.and_then(|of| name(of, T::NAMED_BY)).map_err(refused)?;
        let body = new_resource(resource).map_err(refused)?;
        let call = self.call(operation, Method::POST, &format!("/{}", T::ENDPOINT), Some(body))?;
        Ok(Call { repeat: Repeat::MayApplyTwice, ..call })
    }

    pub(crate) fn patch<T: Resource>(&self, id: &str, patch: &ScimPatchRequest) -> Result<Call> {
        let operation = Operation::Patch(T::NAME);
        if patch.operations.is_empty() {
            // RFC 7644 §3.5.2
            return Err(Error::invalid("the patch has no operation in it").in_operation(operation));
        }
        let body = serde_json::to_vec(patch).map_err(|error| unwritable(error).in_operation(operation))?;
        let call = self.on_id::<T>(operation, Method::PATCH, id, Some(body))?;
        Ok(Call { repeat: if gives_the_same_twice(patch) { Repeat::IsSafe } else { Repeat::MayApplyTwice }, ..call })
    }

    pub(crate) fn delete<T: Resource>(&self, id: &str) -> Result<Call> {
        self.on_id::<T>(Operation::Delete(T::NAME), Method::DELETE, id, None)
    }

    fn on_id<T: Resource>(
        &self,
        operation: Operation,
        method: Method,
        id: &str,
        body: Option<Vec<u8>>,
    ) -> Result<Call> {
        let segment = id_segment(id).map_err(|error| error.in_operation(operation))?;
        self.call(operation, method, &format!("/{}/{segment}", T::ENDPOINT), body)
    }

    fn call(&self, operation: Operation, method: Method, path: &str, body: Option<Vec<u8>>) -> Result<Call> {
        let mut request = Request::builder()
            .method(method)
            .uri([self.base.scim(), path].concat())
            .header(ACCEPT, Self::ACCEPT)
            .header(AUTHORIZATION, self.authorization.clone())
            .header(USER_AGENT, self.user_agent.clone());
        if body.is_some() {
            request = request.header(CONTENT_TYPE, Self::SCIM_JSON);
        }
        let request = request.body(body.unwrap_or_default()).map_err(|error| {
            // Only length is left to go wrong: everything else was encoded.
            Error::invalid("the request does not fit in a URL").with_source(error).in_operation(operation)
        })?;
        Ok(Call { operation, repeat: Repeat::IsSafe, request })
    }

    fn lacks(&self, what: &str, operation: Operation) -> Error {
        let server = self.base.profile().name;
        Error::new(ErrorKind::Unsupported, format!("a {server} server offers no {what}")).in_operation(operation)
    }
}

/// Whether a patch that is applied twice leaves the same as once. An `add` may add a value twice,
/// and a value path may select another value, or none, the second time.
fn gives_the_same_twice(patch: &ScimPatchRequest) -> bool {
    patch.operations.iter().all(|operation| {
        operation.op != PatchOp::Add && operation.path.as_deref().is_none_or(|path| !path.contains('['))
    })
}

/// How one resource is read by its name.
pub(crate) enum ByName {
    /// The answer is the resource.
    Route(Call),
    /// The answer is a list.
    Filter(Call),
}

/// The body that creates a resource: without what only the server gives (RFC 7643 §3.1), and with
/// the schemas it uses.
fn new_resource<T: Resource>(resource: &T) -> Result<Vec<u8>> {
    let Value::Object(mut object) = serde_json::to_value(resource).map_err(unwritable)? else {
        return Err(Error::invalid(format!("the {} is not written as a JSON object", T::NAME)));
    };
    object.retain(|name, _| !name.eq_ignore_ascii_case("id") && !name.eq_ignore_ascii_case("meta"));
    if !object.keys().any(|name| name.eq_ignore_ascii_case("schemas")) {
        let extensions = object.keys().filter(|name| name.to_ascii_lowercase().starts_with("urn:")).cloned();
        let schemas: Vec<String> = std::iter::once(T::SCHEMA.to_owned()).chain(extensions).collect();
        let rest = std::mem::take(&mut object);
        object = Map::from_iter([("schemas".to_owned(), schemas.into())]);
        object.extend(rest);
    }
    serde_json::to_vec(&object).map_err(unwritable)
}

fn unwritable(error: serde_json::Error) -> Error {
    Error::invalid("it cannot be written as JSON").with_source(error)
}

fn append(text: &mut String, more: std::fmt::Arguments<'_>) {
    // Writing to a String does not fail.
    let _ = text.write_fmt(more);
}
