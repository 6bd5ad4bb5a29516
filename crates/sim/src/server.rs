//! A model of a SCIM server, written apart from the sandbox. Its ledger is the truth.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use http::{Method, Request, Response};
use serde_json::{Map, Value, json};
use wats_scim::plan::{Action, Step};

/// What kind of server it is.
#[derive(Clone, Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of the server")]
pub struct Kind {
    /// The routes and the PATCH of WATS.
    pub wats: bool,
    /// Two resources may have one name.
    pub allows_twins: bool,
    pub has_no_versions: bool,
    /// A PATCH is answered 204.
    pub shows_no_patch: bool,
    /// User names are stored in lower case, with a suffix.
    pub renames: bool,
    pub has_bulk: bool,
    pub has_cursors: bool,
    /// How much older reads may be than the server; zero if they are not.
    pub lag: Duration,
    /// The most resources in a page.
    pub cap: usize,
    /// When the credentials expire.
    pub expires: Option<Duration>,
}

pub type Object = Map<String, Value>;

/// What happened to a resource.
#[derive(Clone, Debug)]
pub struct Entry {
    pub at: Duration,
    /// The request; `None` for another writer.
    pub ticket: Option<usize>,
    pub endpoint: &'static str,
    pub id: String,
    pub before: Option<Rc<Object>>,
    pub after: Option<Rc<Object>>,
}

impl Entry {
    pub fn is_creation(&self) -> bool {
        self.before.is_none()
    }

    pub fn is_deletion(&self) -> bool {
        self.after.is_none()
    }

    /// Whether it is about the user of a step.
    pub fn is_of(&self, step: &Step) -> bool {
        let object = self.after.as_ref().or(self.before.as_ref());
        let external_id = object.and_then(|object| object.get("externalId")?.as_str());
        let is_of_it = match &step.id {
            Some(id) => *id == self.id,
            None => step.external_id.is_some() && step.external_id.as_deref() == external_id,
        };
        // Several steps are about one group.
        is_of_it && (self.endpoint == "Users" || self.is_done_by(step.action))
    }

    /// Whether a step of a group of this kind can do it.
    fn is_done_by(&self, action: Action) -> bool {
        let name = |object: &Option<Rc<Object>>| object.as_ref().and_then(|object| object.get("displayName").cloned());
        let [before, after] = [members(self.before.as_deref()), members(self.after.as_deref())];
        match action {
            Action::CreateGroup => self.is_creation(),
            Action::DeleteGroup => self.is_deletion(),
            _ if self.is_creation() || self.is_deletion() => false,
            Action::AddMembers => before.is_subset(&after) && name(&self.before) == name(&self.after),
            Action::RemoveMembers => after.is_subset(&before) && name(&self.before) == name(&self.after),
            _ => before == after,
        }
    }

    /// Whether it makes an active user inactive.
    pub fn deactivates(&self) -> bool {
        let is_active = |object: &Option<Rc<Object>>, is: bool| {
            object.as_ref().is_some_and(|object| (object.get("active") != Some(&Value::Bool(false))) == is)
        };
        is_active(&self.before, true) && is_active(&self.after, false)
    }
}

/// The ids of the members of a group.
pub fn members(group: Option<&Object>) -> BTreeSet<String> {
    let members = group.and_then(|group| group.get("members")?.as_array()).into_iter().flatten();
    members.filter_map(|member| member["value"].as_str().map(ToOwned::to_owned)).collect()
}

type Store = BTreeMap<(&'static str, String), Rc<Object>>;

pub const TOKEN: &str = "Y2FuYXJ5OnMzY3IzdC1jYW5hcnktNzc=";
pub const SECRETS: [&str; 2] = [TOKEN, "s3cr3t-canary-77"];

#[derive(Debug, Default)]
pub struct Server {
    pub kind: Kind,
    pub store: Store,
    /// Earlier states, for reads that lag.
    earlier: Vec<(Duration, Store)>,
    next: u64,
    pub ledger: Vec<Entry>,
    /// Whether a read has shown an old state.
    pub has_lagged: std::cell::Cell<bool>,
}

type Reply = (u16, Option<Value>);

fn refused(status: u16, scim_type: &str, detail: &str) -> Reply {
    let mut error = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "status": status.to_string(), "detail": detail,
    });
    if !scim_type.is_empty() {
        error["scimType"] = scim_type.into();
    }
    (status, Some(error))
}

fn missing() -> Reply {
    refused(404, "", "there is no such resource")
}

impl Server {
    pub fn new(kind: Kind) -> Self {
        Self { kind, ..Self::default() }
    }

    /// Carries a request out.
    pub fn answer(&mut self, at: Duration, ticket: usize, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
        let given = request.headers().get("authorization").and_then(|value| value.to_str().ok());
        let (status, body) =
            if given != Some(&format!("Basic {TOKEN}")) || self.kind.expires.is_some_and(|end| at >= end) {
                refused(401, "", &format!("the token {} is not valid", given.unwrap_or_default()))
            } else {
                self.route(at, ticket, request)
            };
        let mut response = Response::new(body.map_or_else(Vec::new, |body| body.to_string().into_bytes()));
        *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
        if !response.body().is_empty() {
            response.headers_mut().insert("content-type", http::HeaderValue::from_static("application/scim+json"));
        }
        response
    }

    fn route(&mut self, at: Duration, ticket: usize, request: &Request<Vec<u8>>) -> Reply {
        let root = if self.kind.wats { "/api/SCIM/v2/" } else { "/scim/" };
        let Some(path) = request.uri().path().strip_prefix(root) else { return (404, None) };
        let (endpoint, rest) =
            path.split_once('/').map_or((path, None), |(endpoint, rest)| (endpoint, Some(unescaped(rest))));
        let body = serde_json::from_slice::<Value>(request.body()).unwrap_or(Value::Null);
        let condition = request.headers().get("if-match").and_then(|value| value.to_str().ok());
        let endpoint = match endpoint {
            "Users" => "Users",
            "Groups" if !self.kind.wats => "Groups",
            "ServiceProviderConfig" if !self.kind.wats => return (200, Some(self.description())),
            "ResourceTypes" if !self.kind.wats => {
                return (200, Some(json!({ "Resources": [{ "endpoint": "/Users" }, { "endpoint": "/Groups" }] })));
            }
            "Bulk" if self.kind.has_bulk => return self.bulk(at, ticket, &body),
            _ => return (404, None),
        };
        match (request.method(), rest) {
            (&Method::GET, None) => self.list(at, endpoint, request.uri().query().unwrap_or_default()),
            (&Method::GET, Some(id)) => {
                let name = id.strip_prefix("userName=").filter(|_| self.kind.wats);
                let is_meant = |held: &Object| match name {
                    Some(name) => same(held.get("userName"), name),
                    None => held["id"] == id.as_str(),
                };
                let mut seen = self.seen(at).iter().filter(|((held_at, _), _)| *held_at == endpoint);
                let found = seen.find(|(_, held)| is_meant(held));
                found.map_or_else(missing, |(_, held)| (200, Some(Value::Object((**held).clone()))))
            }
            (&Method::POST, None) => self.create(at, ticket, endpoint, body),
            (&Method::PATCH, Some(id)) => self.patch(at, ticket, endpoint, id, &body, condition),
            (&Method::DELETE, Some(id)) => self.delete(at, ticket, endpoint, &id, condition),
            _ => (405, None),
        }
    }

    fn description(&self) -> Value {
        json!({
            "patch": { "supported": true }, "filter": { "supported": true, "maxResults": self.kind.cap },
            "bulk": { "supported": self.kind.has_bulk, "maxOperations": 4, "maxPayloadSize": 100_000 },
            "etag": { "supported": !self.kind.has_no_versions },
            "pagination": { "cursor": self.kind.has_cursors },
        })
    }

    /// What a read sees.
    fn seen(&self, at: Duration) -> &Store {
        let limit = at.saturating_sub(self.kind.lag);
        if self.kind.lag.is_zero() || self.earlier.last().is_none_or(|(since, _)| *since <= limit) {
            return &self.store;
        }
        self.has_lagged.set(true);
        let place = self.earlier.iter().rposition(|(since, _)| *since <= limit);
        self.earlier.get(place.unwrap_or(0)).map_or(&self.store, |(_, store)| store)
    }

    pub fn create(
        &mut self,
        at: Duration,
        ticket: impl Into<Option<usize>>,
        endpoint: &'static str,
        body: Value,
    ) -> Reply {
        let name = named_by(endpoint);
        let Value::Object(mut object) = body else { return refused(400, "invalidSyntax", "no object") };
        let Some(given) = object.get(name).and_then(Value::as_str).map(ToOwned::to_owned) else {
            return refused(400, "invalidValue", "no name");
        };
        let stored =
            if self.kind.renames && endpoint == "Users" { format!("{}@t", given.to_lowercase()) } else { given };
        if self.is_taken(endpoint, &stored, "") {
            return refused(409, "uniqueness", "the name is taken");
        }
        self.next += 1;
        let id = format!("id{}", self.next);
        object.insert(name.to_owned(), stored.into());
        object.insert("id".to_owned(), id.clone().into());
        if endpoint == "Users" {
            object.entry("active").or_insert(true.into());
        }
        self.put(at, ticket.into(), endpoint, &id, Some(object));
        let shown = self.store.get(&(endpoint, id)).map(|held| Value::Object((**held).clone()));
        (if self.kind.wats { 200 } else { 201 }, shown)
    }

    fn is_taken(&self, endpoint: &str, name: &str, by_other_than: &str) -> bool {
        !self.kind.allows_twins
            && self.store.iter().any(|((held_at, id), held)| {
                *held_at == endpoint && id != by_other_than && same(held.get(named_by(endpoint)), name)
            })
    }

    fn patch(
        &mut self,
        at: Duration,
        ticket: usize,
        endpoint: &'static str,
        id: String,
        body: &Value,
        condition: Option<&str>,
    ) -> Reply {
        let Some(held) = self.store.get(&(endpoint, id.clone())).cloned() else { return missing() };
        if is_other_version(&held, condition) {
            return refused(412, "", "another version");
        }
        let mut object = (*held).clone();
        for operation in body["Operations"].as_array().into_iter().flatten() {
            let op = operation["op"].as_str().unwrap_or_default();
            let path = operation["path"].as_str().unwrap_or_default();
            if self.kind.wats
                && (op != "replace" || !["displayName", "fullName", "active", "familyName"].contains(&path))
            {
                return refused(400, "invalidPath", "only replace, on few paths");
            }
            if !change(&mut object, op, path, &operation["value"]) {
                return refused(400, "invalidPath", "the path is not known");
            }
        }
        let name = object.get(named_by(endpoint)).and_then(Value::as_str).unwrap_or_default();
        if self.is_taken(endpoint, name, &id) {
            return refused(409, "uniqueness", "the name is taken");
        }
        self.put(at, Some(ticket), endpoint, &id, Some(object));
        let shown = self.store.get(&(endpoint, id)).map(|held| Value::Object((**held).clone()));
        if self.kind.shows_no_patch { (204, None) } else { (200, shown) }
    }

    pub fn delete(
        &mut self,
        at: Duration,
        ticket: impl Into<Option<usize>>,
        endpoint: &'static str,
        id: &str,
        condition: Option<&str>,
    ) -> Reply {
        match self.store.get(&(endpoint, id.to_owned())) {
            None => missing(),
            Some(held) if is_other_version(held, condition) => refused(412, "", "another version"),
            Some(_) => {
                self.put(at, ticket.into(), endpoint, id, None);
                (204, None)
            }
        }
    }

    fn bulk(&mut self, at: Duration, ticket: usize, body: &Value) -> Reply {
        let mut results = Vec::new();
        for operation in body["Operations"].as_array().into_iter().flatten() {
            let path = operation["path"].as_str().unwrap_or_default().trim_start_matches('/');
            let (endpoint, id) =
                path.split_once('/').map_or((path, None), |(endpoint, id)| (endpoint, Some(unescaped(id))));
            let endpoint = if endpoint == "Groups" { "Groups" } else { "Users" };
            let (data, version) = (&operation["data"], operation["version"].as_str());
            let (status, body) = match (operation["method"].as_str(), id) {
                (Some("POST"), None) => self.create(at, ticket, endpoint, data.clone()),
                (Some("PATCH"), Some(id)) => self.patch(at, ticket, endpoint, id, data, version),
                (Some("DELETE"), Some(id)) => self.delete(at, ticket, endpoint, &id, version),
                _ => refused(400, "invalidSyntax", "no such operation"),
            };
            let mut result = json!({
                "method": operation["method"], "bulkId": operation["bulkId"], "status": status.to_string(),
            });
            let id = body.as_ref().and_then(|body| body["id"].as_str());
            if let Some(id) = id.or(path.split_once('/').map(|(_, id)| id)) {
                result["location"] = format!("https://sim.example/scim/{endpoint}/{id}").into();
            }
            if let Some(body) = body {
                result["response"] = body;
            }
            results.push(result);
        }
        let schemas = ["urn:ietf:params:scim:api:messages:2.0:BulkResponse"];
        (200, Some(json!({ "schemas": schemas, "Operations": results })))
    }

    fn list(&self, at: Duration, endpoint: &str, query: &str) -> Reply {
        let parameter = |name: &str| {
            query
                .split('&')
                .find_map(|pair| pair.split_once('=').filter(|(key, _)| *key == name))
                .map(|(_, value)| unescaped(value))
        };
        let wanted = match parameter("filter").map(|filter| equality(&filter)) {
            None => None,
            Some(Some(wanted)) => Some(wanted),
            Some(None) => return refused(400, "invalidFilter", "only `eq` is known"),
        };
        let mut found: Vec<&Rc<Object>> = Vec::new();
        for ((held_at, _), held) in self.seen(at) {
            let fits = wanted.as_ref().is_none_or(|(name, value)| same(held.get(name), value));
            if *held_at == endpoint && fits {
                found.push(held);
            }
        }
        let number = |name: &str| parameter(name).and_then(|value| value.parse::<usize>().ok());
        let count = number("count").unwrap_or(usize::MAX).min(self.kind.cap);
        let cursor = parameter("cursor").filter(|_| self.kind.has_cursors);
        let from = match cursor.as_ref().map(|cursor| cursor.strip_prefix("after-")) {
            // A cursor stays where it is, whatever happens to the resources before it.
            Some(Some(last)) => found.partition_point(|held| held["id"].as_str().is_some_and(|id| id <= last)),
            Some(None) => 0,
            None => number("startIndex").unwrap_or(1).max(1) - 1,
        };
        let page: Vec<Value> =
            found.iter().skip(from).take(count).map(|held| Value::Object((***held).clone())).collect();
        let mut list = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
            "totalResults": found.len(), "startIndex": from + 1, "itemsPerPage": page.len(), "Resources": page,
        });
        if let (Some(_), Some(last)) =
            (cursor, found.get(from..from + count).and_then(|page| page.last()?.get("id")?.as_str()))
        {
            list["nextCursor"] = format!("after-{last}").into();
        }
        (200, Some(list))
    }

    /// Changes the store, and says so in the ledger.
    pub fn put(
        &mut self,
        at: Duration,
        ticket: Option<usize>,
        endpoint: &'static str,
        id: &str,
        object: Option<Object>,
    ) {
        if !self.kind.lag.is_zero() && self.earlier.is_empty() {
            self.earlier.push((Duration::ZERO, self.store.clone()));
        }
        let key = (endpoint, id.to_owned());
        let before = self.store.get(&key).cloned();
        let after = object.map(|mut object| {
            object.remove("meta");
            let is_same = before
                .as_ref()
                .is_some_and(|before| before.iter().filter(|(name, _)| *name != "meta").eq(object.iter()));
            let old = before.as_ref().and_then(|before| {
                before.get("meta")?["version"].as_str()?.get(3..)?.trim_end_matches('"').parse().ok()
            });
            let version: u64 = old.unwrap_or(0) + u64::from(!is_same);
            if !self.kind.has_no_versions && !self.kind.wats {
                object.insert("meta".to_owned(), json!({ "version": format!("W/\"{version}\"") }));
            }
            Rc::new(object)
        });
        match &after {
            Some(object) => self.store.insert(key, Rc::clone(object)),
            None => self.store.remove(&key),
        };
        if !self.kind.lag.is_zero() {
            self.earlier.push((at, self.store.clone()));
        }
        self.ledger.push(Entry { at, ticket, endpoint, id: id.to_owned(), before, after });
    }
}

fn named_by(endpoint: &str) -> &'static str {
    if endpoint == "Groups" { "displayName" } else { "userName" }
}

fn same(held: Option<&Value>, value: &str) -> bool {
    held.and_then(Value::as_str).is_some_and(|held| held.to_lowercase() == value.to_lowercase())
}

fn is_other_version(held: &Object, condition: Option<&str>) -> bool {
    let version = held.get("meta").and_then(|meta| meta["version"].as_str());
    condition.is_some_and(|condition| version.is_some_and(|version| condition != version))
}

/// One operation of a PATCH; false if it is not known here.
fn change(object: &mut Object, op: &str, path: &str, value: &Value) -> bool {
    let (op, path) = (op.to_ascii_lowercase(), if path == "fullName" { "name.formatted" } else { path });
    if path.is_empty() {
        let Value::Object(members) = value else { return false };
        object.extend(members.clone());
        return true;
    }
    if path == "members" && op != "remove" {
        let members = object.entry("members").or_insert_with(|| json!([]));
        if op == "replace" {
            *members = json!([]);
        }
        let Value::Array(members) = members else { return false };
        for member in value.as_array().into_iter().flatten() {
            if !members.iter().any(|held| held["value"] == member["value"]) {
                members.push(member.clone());
            }
        }
        return true;
    }
    if let Some(filter) = path.strip_prefix("members[").and_then(|rest| rest.strip_suffix(']')) {
        let (Some((_, wanted)), Some(Value::Array(members))) = (equality(filter), object.get_mut("members")) else {
            return op == "remove";
        };
        members.retain(|member| member["value"] != wanted.as_str());
        return op == "remove";
    }
    let (outer, inner) = path.split_once('.').map_or((path, None), |(outer, inner)| (outer, Some(inner)));
    if outer.contains('[') {
        return false;
    }
    let target = match inner {
        None => object,
        Some(_) => match object.entry(outer.to_owned()).or_insert_with(|| json!({})) {
            Value::Object(target) => target,
            _ => return false,
        },
    };
    let name = inner.unwrap_or(outer);
    if op == "remove" || value.is_null() {
        target.remove(name);
    } else {
        target.insert(name.to_owned(), value.clone());
    }
    true
}

/// The attribute and the value of a filter with `eq`.
fn equality(filter: &str) -> Option<(String, String)> {
    let (name, value) = filter.trim().split_once(" eq ")?;
    Some((name.to_owned(), serde_json::from_str::<String>(value.trim()).ok()?))
}

fn unescaped(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let escaped = if byte == b'%' { rest.next().zip(rest.next()) } else { None };
        let digit = |digit: u8| char::from(digit).to_digit(16).unwrap_or(0);
        bytes.push(match escaped {
            Some((high, low)) => u8::try_from(digit(high) * 16 + digit(low)).unwrap_or(b'?'),
            None => byte,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
