use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, IF_MATCH, IF_NONE_MATCH, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request, Response, Uri};
use wats_scim_filter::Filter;

use super::answer::Answer;
use super::attempts::Repeat;
use super::authorization::Authorization;
use super::body::{new_resource, unwritable, whole_resource};
use super::bulk;
use super::call::{Call, Template};
use super::passwords::passwords;
use super::path::{encode, id_segment, name};
use crate::config::Profile;
use crate::config::{BaseUrl, Header, MemberPages, Membership, ScimConfig};
use crate::error::Operation;
use crate::error::{Error, Result};
use crate::exchange::ListQuery;
use crate::model::ScimWrite;
use crate::model::Target;
use crate::model::{PatchOp, Resource, ScimGroup, ScimPatchRequest};

/// A server: its address, its features, and the headers of every request.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    base: BaseUrl,
    user_agent: HeaderValue,
    media_type: HeaderValue,
    /// Those of the configuration.
    headers: HeaderMap,
    /// Whether bodies are sent as `application/json`. Clones share it.
    sends_plain_json: Arc<AtomicBool>,
    /// The user name of the credentials.
    account: Option<Arc<str>>,
}

impl Endpoint {
    /// WATS can also answer in XML and HTML, so the header asks for JSON.
    const ACCEPT: HeaderValue = HeaderValue::from_static("application/scim+json, application/json;q=0.9");
    const SCIM_JSON: HeaderValue = HeaderValue::from_static("application/scim+json");
    const JSON: HeaderValue = HeaderValue::from_static("application/json");

    pub(crate) fn new(config: &ScimConfig) -> Result<Self> {
        let user_agent = HeaderValue::try_from(&config.user_agent).map_err(|error| {
            Error::invalid("the user agent contains a character that is not allowed in a header").with_source(error)
        })?;
        let media_type = match &config.media_type {
            None => Self::SCIM_JSON,
            Some(media_type) => HeaderValue::try_from(media_type).map_err(|error| {
                let message = "the media type contains a character that is not allowed in a header";
                Error::invalid(message).with_source(error)
            })?,
        };
        let mut headers = HeaderMap::new();
        config.headers.iter().try_for_each(|header| header.add_to(&mut headers))?;
        if headers.contains_key(AUTHORIZATION) && !config.credentials.are_none() {
            return Err(Error::invalid("the credentials set the header authorization; use Credentials::none"));
        }
        Ok(Self {
            base: config.base_url()?,
            user_agent,
            media_type,
            headers,
            sends_plain_json: Arc::new(AtomicBool::new(config.plain_json)),
            account: config.credentials.account().map(Arc::from),
        })
    }

    /// The features of the server.
    pub(crate) fn profile(&self) -> &Profile {
        self.base.profile()
    }

    /// The same server with another profile.
    pub(crate) fn with_profile(mut self, profile: Profile) -> Self {
        self.base = self.base.with_profile(profile);
        self
    }

    /// The same server, with another header for its requests.
    pub(crate) fn with_header(mut self, header: &Header) -> Result<Self> {
        header.add_to(&mut self.headers)?;
        Ok(self)
    }

    /// The user name of the credentials, if they have one.
    pub(crate) fn account(&self) -> Option<&str> {
        self.account.as_deref()
    }

    /// The address of the server, below which its endpoints are.
    pub(crate) fn scim_url(&self) -> &str {
        self.base.scim()
    }

    /// Scheme, host and port, for messages.
    pub(crate) fn origin(&self) -> &str {
        self.base.origin()
    }

    /// The host.
    #[cfg(feature = "tracing")]
    pub(crate) fn host(&self) -> &str {
        self.base.host()
    }

    /// The path of a call below the base URL, with placeholders in place of ids and names.
    pub(crate) fn template(&self, call: &Call) -> String {
        match call.template {
            Template::Id(endpoint) => format!("/{endpoint}/{{id}}"),
            Template::Name(endpoint, name) => format!("/{endpoint}/{name}={{{name}}}"),
            Template::Path => {
                let base = self.base.scim().strip_prefix(self.base.origin()).unwrap_or_default();
                call.uri.path().strip_prefix(base).unwrap_or_default().to_owned()
            }
        }
    }

    /// Whether bodies are sent as `application/json`.
    pub(crate) fn sends_plain_json(&self) -> bool {
        self.sends_plain_json.load(Ordering::Relaxed)
    }

    /// Sends bodies as `application/json` from now on.
    pub(crate) fn send_plain_json(&self) {
        self.sends_plain_json.store(true, Ordering::Relaxed);
    }

    /// Reads an answer of this server to a call that was authorized so.
    pub(crate) fn answer(
        &self,
        call: &Call,
        response: Response<Vec<u8>>,
        authorization: &Authorization,
    ) -> Result<Answer> {
        let passwords = passwords(call.body.as_deref().unwrap_or_default());
        let mut secrets = Arc::clone(&authorization.secrets);
        if !passwords.is_empty() {
            secrets = Arc::new(secrets.with(passwords.iter().map(String::as_str)));
        }
        let mut answer = Answer::new(call.operation, response, &secrets)?;
        answer.reads_versions = self.profile().has_versions;
        Ok(answer)
    }

    pub(crate) fn token(&self, duration_days: Option<u32>) -> Result<Call> {
        let operation = Operation::GetToken;
        if !self.base.profile().issues_tokens {
            return Err(self.unsupported("tokens").in_operation(operation));
        }
        let mut path = String::from("/Token");
        if let Some(days) = duration_days {
            // WATS reads an int32.
            if days == 0 || i32::try_from(days).is_err() {
                return Err(Error::invalid("the duration must be from 1 to 2147483647 days").in_operation(operation));
            }
            append(&mut path, format_args!("?duration={days}"));
        }
        self.call(operation, Method::GET, &path, None)
    }

    pub(crate) fn get<T: Resource>(&self, id: &str) -> Result<Call> {
        self.on_id::<T>(Operation::Get(T::NAME), Method::GET, id, None)
    }

    /// Reads a resource again, unless the server still has the known version.
    pub(crate) fn get_if_changed<T: Resource>(&self, known: Target<'_>) -> Result<Call> {
        let call = self.get::<T>(known.as_id())?;
        if !self.profile().has_versions {
            return Err(self
                .unsupported("versions; read the resource without a condition")
                .in_operation(call.operation));
        }
        call.with_version(IF_NONE_MATCH, known.version())
    }

    /// Replaces a resource; if it has a version, only while the server still has that version.
    pub(crate) fn replace<T: Resource>(&self, resource: &T) -> Result<Call> {
        let operation = Operation::Replace(T::NAME);
        let rejected = |error: Error| error.in_operation(operation);
        self.profile().check_replacement().map_err(rejected)?;
        let target = Target::of(resource).map_err(rejected)?;
        // Required attributes are required here as in a create (RFC 7644 §3.5.1).
        check_name(resource).map_err(rejected)?;
        let body = whole_resource(resource).map_err(rejected)?;
        self.if_unchanged(self.on_id::<T>(operation, Method::PUT, target.as_id(), Some(body))?, target)
    }

    /// Reads a resource by name: with the route of WATS, or else with a filter.
    pub(crate) fn get_by_name<T: Resource>(&self, of: &str) -> Result<ByName> {
        let operation = Operation::GetByName(T::NAME);
        let of = name(of, T::NAMED_BY).map_err(|error| error.in_operation(operation))?;
        if self.base.profile().reads_by_name_route {
            let path = format!("/{}/{}={}", T::ENDPOINT, T::NAMED_BY, encode(of));
            let call = self.on::<T>(operation, Method::GET, &path, None)?;
            return Ok(ByName::Route(Call { template: Template::Name(T::ENDPOINT, T::NAMED_BY), ..call }));
        }
        self.get_by_filter::<T>(of).map(ByName::Filter)
    }

    /// Reads a resource by name with a filter.
    pub(crate) fn get_by_filter<T: Resource>(&self, name: &str) -> Result<Call> {
        let query = ListQuery::new().filter(Filter::eq(T::NAMED_BY, name));
        self.list_as::<T>(Operation::GetByName(T::NAME), &query)
    }

    /// Whether two resources cannot have one name: the server finds a name by a route.
    pub(crate) fn keeps_names_unique(&self) -> bool {
        self.profile().reads_by_name_route
    }

    pub(crate) fn list<T: Resource>(&self, query: &ListQuery) -> Result<Call> {
        self.list_as::<T>(Operation::List(T::NAME), query)
    }

    /// One page of the members of a group.
    pub(crate) fn members(&self, group: &str, query: &ListQuery) -> Result<Call> {
        let operation = Operation::List("member");
        let rejected = |error: Error| error.in_operation(operation);
        let Membership::Paged(pages) = self.profile().membership else {
            return Err(rejected(self.unsupported("members in pages; set Membership::Paged")));
        };
        query.check().map_err(rejected)?;
        let query = query.limited_to(self.profile().max_page_size());
        let mut path = format!("/Groups/{}", id_segment(group).map_err(rejected)?);
        if pages == MemberPages::Endpoint {
            path.push_str("/members");
            append_query(&mut path, query.parameters());
        } else {
            let page: Vec<_> = query.parameters().map(|(name, value)| format!("{name}={value}")).collect();
            append_query(&mut path, [("attributes", format!("members[{}]", page.join("&")))]);
        }
        let template = Template::Id("Groups");
        Ok(Call { template, ..self.on::<ScimGroup>(operation, Method::GET, &path, None)? })
    }

    /// Like `list`, with the query in the body: many systems log URLs (RFC 7644 §7.5.2).
    pub(crate) fn search<T: Resource>(&self, query: &ListQuery) -> Result<Call> {
        let operation = Operation::List(T::NAME);
        self.check_query(query).map_err(|error| error.in_operation(operation))?;
        if !self.profile().searches {
            return Err(self.unsupported("searches").in_operation(operation));
        }
        let query = query.limited_to(self.profile().max_page_size());
        let body = serde_json::to_vec(&query.search_request()).map_err(unwritable)?;
        self.on::<T>(operation, Method::POST, &format!("/{}/.search", T::ENDPOINT), Some(body))
    }

    /// Checks a write of a bulk request as if it were sent alone.
    pub(crate) fn check_write<T: Resource>(&self, write: &ScimWrite<T>) -> Result<()> {
        match write {
            ScimWrite::Create { resource, .. } => self.create(resource),
            ScimWrite::Patch { id, patch, version, .. } => {
                self.patch::<T>(Target::only_in_version(id, version.as_deref()), patch)
            }
            ScimWrite::Delete { id, version, .. } => self.delete::<T>(Target::only_in_version(id, version.as_deref())),
        }
        .map(drop)
    }

    /// Several writes in one request.
    pub(crate) fn bulk<T: Resource>(&self, writes: &[&ScimWrite<T>]) -> Result<Call> {
        let body = bulk::request(writes).map_err(unwritable)?;
        let call = self.on::<T>(Operation::Bulk(T::NAME), Method::POST, "/Bulk", Some(body))?;
        Ok(Call { repeat: Repeat::MayApplyTwice, ..call })
    }

    /// The resource that the credentials belong to (RFC 7644 §3.11).
    pub(crate) fn me(&self) -> Result<Call> {
        if !self.profile().knows_me {
            return Err(self.unsupported("/Me").in_operation(Operation::Me));
        }
        self.call(Operation::Me, Method::GET, "/Me", None)
    }

    /// A document about the server itself.
    pub(crate) fn about(&self, what: &str) -> Result<Call> {
        self.call(Operation::Discover, Method::GET, &format!("/{what}"), None)
    }

    fn check_query(&self, query: &ListQuery) -> Result<()> {
        let profile = self.profile();
        if query.filter.is_some() && !profile.filters {
            return Err(self.unsupported("filters"));
        }
        if query.sort_by.is_some() && !profile.sorts {
            return Err(self.unsupported("sorting"));
        }
        let selects = !query.attributes.is_empty() || !query.excluded_attributes.is_empty();
        if selects && !profile.selects_attributes {
            return Err(self.unsupported("attribute selection"));
        }
        query.check()
    }

    fn list_as<T: Resource>(&self, operation: Operation, query: &ListQuery) -> Result<Call> {
        self.check_query(query).map_err(|error| error.in_operation(operation))?;
        let query = query.limited_to(self.profile().max_page_size());
        let mut path = format!("/{}", T::ENDPOINT);
        append_query(&mut path, query.parameters());
        self.on::<T>(operation, Method::GET, &path, None)
    }

    pub(crate) fn create<T: Resource>(&self, resource: &T) -> Result<Call> {
        let operation = Operation::Create(T::NAME);
        let rejected = |error: Error| error.in_operation(operation);
        check_name(resource).map_err(rejected)?;
        let body = new_resource(resource).map_err(rejected)?;
        let call = self.on::<T>(operation, Method::POST, &format!("/{}", T::ENDPOINT), Some(body))?;
        Ok(Call { repeat: Repeat::MayApplyTwice, ..call })
    }

    pub(crate) fn patch<T: Resource>(&self, target: Target<'_>, patch: &ScimPatchRequest) -> Result<Call> {
        let operation = Operation::Patch(T::NAME);
        patch.check().map_err(|why| Error::invalid(why).in_operation(operation))?;
        let body = serde_json::to_vec(patch).map_err(|error| unwritable(error).in_operation(operation))?;
        let call = self.on_id::<T>(operation, Method::PATCH, target.as_id(), Some(body))?;
        self.profile().check_patch(patch).map_err(|error| error.in_operation(operation))?;
        let call = self.if_unchanged(call, target)?;
        Ok(Call { repeat: if gives_the_same_twice(patch) { Repeat::IsSafe } else { Repeat::MayApplyTwice }, ..call })
    }

    pub(crate) fn delete<T: Resource>(&self, target: Target<'_>) -> Result<Call> {
        self.if_unchanged(self.on_id::<T>(Operation::Delete(T::NAME), Method::DELETE, target.as_id(), None)?, target)
    }

    /// A write that applies to one version of the resource only, if the target has one. A server without
    /// versions would ignore the condition or reject every write with it.
    fn if_unchanged(&self, call: Call, target: Target<'_>) -> Result<Call> {
        match (self.profile().has_versions, target.requires_version()) {
            (true, _) => call.with_version(IF_MATCH, target.version()),
            (false, true) => Err(self.unsupported("versions; use the id as target").in_operation(call.operation)),
            (false, false) => Ok(call),
        }
    }

    fn on_id<T: Resource>(
        &self,
        operation: Operation,
        method: Method,
        id: &str,
        body: Option<Vec<u8>>,
    ) -> Result<Call> {
        let segment = id_segment(id).map_err(|error| error.in_operation(operation))?;
        let call = self.on::<T>(operation, method, &format!("/{}/{segment}", T::ENDPOINT), body)?;
        Ok(Call { template: Template::Id(T::ENDPOINT), ..call })
    }

    /// A request to the endpoint of a resource type, which the server must support.
    fn on<T: Resource>(&self, operation: Operation, method: Method, path: &str, body: Option<Vec<u8>>) -> Result<Call> {
        self.profile().check_resource::<T>().map_err(|error| error.in_operation(operation))?;
        self.call(operation, method, path, body)
    }

    fn call(&self, operation: Operation, method: Method, path: &str, body: Option<Vec<u8>>) -> Result<Call> {
        let uri = Uri::try_from([self.base.scim(), path].concat()).map_err(|error| {
            // Everything is encoded, so only the length can be wrong.
            Error::invalid("the URL of the request is too long").with_source(error).in_operation(operation)
        })?;
        Ok(Call {
            operation,
            repeat: Repeat::IsSafe,
            method,
            uri,
            template: Template::Path,
            body,
            condition: None,
            attempts: None,
        })
    }

    /// The request of a call, for one attempt.
    pub(crate) fn request(&self, call: &Call, authorization: &Authorization) -> Request<Vec<u8>> {
        let mut request = Request::new(call.body.clone().unwrap_or_default());
        *request.method_mut() = call.method.clone();
        *request.uri_mut() = call.uri.clone();
        let headers = request.headers_mut();
        headers.reserve(self.headers.len().saturating_add(5));
        headers.insert(ACCEPT, Self::ACCEPT);
        for (name, value) in &self.headers {
            headers.insert(name.clone(), value.clone());
        }
        if let Some(value) = &authorization.header {
            headers.insert(AUTHORIZATION, value.clone());
        }
        headers.insert(USER_AGENT, self.user_agent.clone());
        if call.body.is_some() {
            headers.insert(CONTENT_TYPE, if self.sends_plain_json() { Self::JSON } else { self.media_type.clone() });
        }
        if let Some((name, value)) = &call.condition {
            headers.insert(name.clone(), value.clone());
        }
        request
    }

    fn unsupported(&self, what: &str) -> Error {
        self.profile().unsupported(what)
    }
}

/// Whether a patch is idempotent. An `add` may add a value twice, and a value path may select another
/// value, or none, the second time. Only members are known by their ids (RFC 7643 §4.2): to add one again
/// changes nothing.
pub(crate) fn gives_the_same_twice(patch: &ScimPatchRequest) -> bool {
    patch.operations.iter().all(|operation| {
        let attribute = operation.path.as_deref().unwrap_or_default();
        (operation.op != PatchOp::Add || attribute.eq_ignore_ascii_case("members")) && !attribute.contains('[')
    })
}

/// The request that reads a resource by its name.
pub(crate) enum ByName {
    /// The answer is the resource.
    Route(Call),
    /// The answer is a list.
    Filter(Call),
}

/// Checks that the resource has the attribute that names it.
pub(crate) fn check_name<T: Resource>(resource: &T) -> Result<()> {
    let missing = || Error::invalid(format!("the {} has no {}", T::NAME, T::NAMED_BY));
    resource.name().ok_or_else(missing).and_then(|of| name(of, T::NAMED_BY)).map(drop)
}

fn append_query(path: &mut String, parameters: impl IntoIterator<Item = (&'static str, String)>) {
    let mut separator = '?';
    for (name, value) in parameters {
        append(path, format_args!("{separator}{name}={}", encode(&value)));
        separator = '&';
    }
}

fn append(text: &mut String, more: std::fmt::Arguments<'_>) {
    // Writing to a String does not fail.
    let _ = text.write_fmt(more);
}
