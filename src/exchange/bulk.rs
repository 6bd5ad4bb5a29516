//! Bulk requests: many writes in one request (RFC 7644 §3.7).

use std::borrow::Cow;
use std::collections::HashMap;

use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::config::BulkLimits;
use crate::error::{Error, ErrorKind, ErrorMessage, Result, Secrets, Sender, WriteOutcome};
use crate::model::{Resource, ScimWrite, member};

/// The size of a bulk request without its operations, in bytes.
const ENVELOPE: usize = 120;

/// The room in one request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    limits: BulkLimits,
    taken: usize,
    /// The bytes of the body.
    size: usize,
}

impl Room {
    pub(crate) fn within(limits: BulkLimits) -> Self {
        Self { limits, taken: 0, size: ENVELOPE }
    }

    /// Room for at most so many writes.
    pub(crate) fn at_most(self, writes: usize) -> Self {
        let max_operations = self.limits.max_operations.min(writes);
        Self { limits: BulkLimits { max_operations, ..self.limits }, ..self }
    }

    /// Takes another write if it fits. The first one is sent at any size.
    pub(crate) fn take<T: Resource>(&mut self, write: &ScimWrite<T>) -> bool {
        // One more byte for the comma.
        let length = serde_json::to_string(&operation_of(self.taken, write)).map_or(usize::MAX, |text| text.len());
        let size = self.size.saturating_add(length).saturating_add(1);
        let fits = self.taken < self.limits.max_operations && size <= self.limits.max_payload_size;
        if fits || self.taken == 0 {
            (self.taken, self.size) = (self.taken + 1, size);
            return true;
        }
        false
    }
}

/// The number of writes, from the first one on, that fit into one request; at least 1.
pub(crate) fn fitting<'a, T: Resource>(
    limits: BulkLimits,
    writes: impl IntoIterator<Item = &'a ScimWrite<T>>,
) -> usize {
    let mut room = Room::within(limits);
    writes.into_iter().take_while(|write| room.take(write)).count().max(1)
}

/// The body of a bulk request.
pub(crate) fn request<T: Resource>(writes: &[&ScimWrite<T>]) -> serde_json::Result<Vec<u8>> {
    let operations: Vec<Value> = writes.iter().enumerate().map(|(at, write)| operation_of(at, write)).collect();
    serde_json::to_vec(&json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": operations,
    }))
}

fn operation_of<T: Resource>(at: usize, write: &ScimWrite<T>) -> Value {
    let path_of = |id: &str| format!("/{}/{}", T::ENDPOINT, super::path::encode(id));
    let mut operation = match write {
        ScimWrite::Create { resource, .. } => json!({
            "method": "POST", "bulkId": bulk_id(at, write), "path": format!("/{}", T::ENDPOINT),
            "data": super::body::new_object(resource).map_or(Value::Null, Value::Object),
        }),
        ScimWrite::Patch { id, patch, .. } => json!({
            "method": "PATCH", "bulkId": bulk_id(at, write), "path": path_of(id),
            "data": serde_json::to_value(patch).unwrap_or(Value::Null),
        }),
        ScimWrite::Delete { id, .. } => {
            json!({ "method": "DELETE", "bulkId": bulk_id(at, write), "path": path_of(id) })
        }
    };
    if let (Some(version), Some(operation)) = (write.version(), operation.as_object_mut()) {
        operation.insert("version".to_owned(), version.into());
    }
    operation
}

/// The `bulkId` of a write, unique in the request. Each write has one, because a server may return the
/// results in another order (RFC 7644 §3.7 requires it of creations only).
fn bulk_id<T>(at: usize, write: &ScimWrite<T>) -> Cow<'_, str> {
    match write {
        ScimWrite::Create { bulk_id: Some(bulk_id), .. } => bulk_id.into(),
        _ => format!("write-{at}").into(),
    }
}

/// The result of each write, in the order of the writes. Without a result, the outcome of a write is
/// unknown.
pub(crate) fn results<T: Resource>(
    writes: &[&ScimWrite<T>],
    answer: &Value,
    secrets: &Secrets,
) -> Vec<Result<Option<T>>> {
    let empty = Vec::new();
    let operations = member(answer, "Operations").and_then(Value::as_array).unwrap_or(&empty);
    let assigned = assign(writes, operations);
    let results = writes.iter().zip(assigned);
    results
        .map(|(write, operation)| {
            operation.map_or_else(|| Err(unanswered(write)), |operation| result(write, operation, secrets))
        })
        .collect()
}

/// Assigns the results to the writes.
///
/// A result belongs to the write with its `bulkId`, or else to the only write with its method and
/// location. A result with neither belongs to the write in its place, if there are as many results as
/// writes and all others are in their places. A write that two results claim has none.
fn assign<'a, T: Resource>(writes: &[&ScimWrite<T>], operations: &'a [Value]) -> Vec<Option<&'a Value>> {
    let mut names = HashMap::new();
    let mut targets = HashMap::new();
    for (at, write) in writes.iter().enumerate() {
        names.insert(bulk_id(at, write), at);
        if let Some(target) = target(write) {
            // Two writes with the same target cannot be distinguished by it.
            targets.entry(target).and_modify(|at| *at = None).or_insert(Some(at));
        }
    }
    let owner = |operation: &Value| match member(operation, "bulkId").and_then(Value::as_str) {
        Some(name) => Owner::of(names.get(name).copied()),
        None => located(operation).map_or(Owner::Unnamed, |target| Owner::of(targets.get(&target).copied().flatten())),
    };

    let mut claims: Vec<Vec<&Value>> = vec![Vec::new(); writes.len()];
    let mut unnamed = Vec::new();
    let mut is_in_order = operations.len() == writes.len();
    for (place, operation) in operations.iter().enumerate() {
        match owner(operation) {
            Owner::Write(at) => {
                is_in_order &= at == place;
                if let Some(claims) = claims.get_mut(at) {
                    claims.push(operation);
                }
            }
            Owner::Stranger => is_in_order = false,
            Owner::Unnamed => unnamed.push((place, operation)),
        }
    }
    is_in_order &= unnamed.len() < operations.len() || operations.len() == 1;
    for (place, operation) in unnamed {
        if let Some(claims) = claims.get_mut(place).filter(|_| is_in_order) {
            claims.push(operation);
        }
    }
    claims.into_iter().map(|claims| if let [only] = *claims { Some(only) } else { None }).collect()
}

/// The write that a result belongs to.
enum Owner {
    Write(usize),
    /// Not one of these writes, or an ambiguous one.
    Stranger,
    /// The result does not say.
    Unnamed,
}

impl Owner {
    fn of(write: Option<usize>) -> Self {
        write.map_or(Self::Stranger, Self::Write)
    }
}

/// The method of a write and the id of its resource, if the resource exists already.
fn target<T>(write: &ScimWrite<T>) -> Option<(&'static str, Cow<'_, str>)> {
    match write {
        ScimWrite::Create { .. } => None,
        ScimWrite::Patch { id, .. } => Some(("PATCH", id.into())),
        ScimWrite::Delete { id, .. } => Some(("DELETE", id.into())),
    }
}

/// The [`target`] of a result.
fn located(operation: &Value) -> Option<(&'static str, Cow<'_, str>)> {
    let method = member(operation, "method")?.as_str()?;
    let method = ["PATCH", "DELETE"].into_iter().find(|known| known.eq_ignore_ascii_case(method))?;
    Some((method, id_at(member(operation, "location")?.as_str()?)?))
}

/// The id at the end of a location.
fn id_at(location: &str) -> Option<Cow<'_, str>> {
    let id = location.trim_end_matches('/').rsplit('/').next().filter(|id| !id.is_empty())?;
    percent_encoding::percent_decode_str(id).decode_utf8().ok()
}

fn unanswered<T: Resource>(write: &ScimWrite<T>) -> Error {
    Error::new(ErrorKind::UnexpectedBody, "the server's answer to the bulk request has no result for this write")
        .with_outcome(WriteOutcome::Unknown)
        .in_operation(write.operation())
}

fn result<T: Resource>(write: &ScimWrite<T>, answered: &Value, secrets: &Secrets) -> Result<Option<T>> {
    let Some(status) = member(answered, "status").and_then(status_of) else { return Err(unanswered(write)) };
    let response = member(answered, "response");
    if !status.is_success() {
        let body = response.map(Value::to_string).unwrap_or_default();
        let outcome = if status.is_server_error() { WriteOutcome::Unknown } else { WriteOutcome::NotApplied };
        // The server itself answers for each write.
        let message = ErrorMessage { sender: Sender::Server, ..ErrorMessage::read(body.as_bytes(), secrets) };
        let error = Error::of_status(status, message, "");
        return Err(error.with_outcome(outcome).in_operation(write.operation()));
    }
    // A server can leave out the resource, but returns its location (RFC 7644 §3.7).
    let shown = response.filter(|shown| member(shown, "id").is_some()).cloned();
    let shown = shown.or_else(|| created(write.created()?, answered));
    match (shown.and_then(|shown| serde_json::from_value(shown).ok()), write) {
        (_, ScimWrite::Delete { .. }) => Ok(None),
        (None, write) if write.created().is_some() => Err(unanswered(write)),
        (shown, _) => Ok(shown),
    }
}

/// The resource as it was sent, with the id, location and version that the server returned.
fn created<T: Resource>(sent: &T, answered: &Value) -> Option<Value> {
    let location = member(answered, "location")?.as_str()?;
    let id = id_at(location)?;
    let mut object = super::body::new_object(sent).ok()?;
    let mut meta = Map::from_iter([("location".to_owned(), Value::from(location))]);
    if let Some(version) = member(answered, "version") {
        meta.insert("version".to_owned(), version.clone());
    }
    object.insert("id".to_owned(), id.into());
    object.insert("meta".to_owned(), meta.into());
    Some(object.into())
}

/// Servers write a status as a string, as a number, or as `{"code": …}`.
fn status_of(value: &Value) -> Option<StatusCode> {
    let code = match value {
        Value::String(text) => text.trim().parse().ok()?,
        Value::Number(number) => number.as_u64()?.try_into().ok()?,
        Value::Object(_) => return member(value, "code").and_then(status_of),
        _ => return None,
    };
    StatusCode::from_u16(code).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ScimPatchRequest, ScimUser};

    fn writes() -> [ScimWrite; 3] {
        [
            ScimWrite::create(ScimUser::new("jane")),
            ScimWrite::patch("a/b", ScimPatchRequest::new().replace("active", true)),
            ScimWrite::delete("c"),
        ]
    }

    fn read(writes: &[ScimWrite], answer: &Value) -> Vec<Result<Option<ScimUser>>> {
        results(&writes.iter().collect::<Vec<_>>(), answer, &Secrets::default())
    }

    #[test]
    fn ids_are_segments_and_creations_have_a_bulk_id() {
        let body: Value = serde_json::from_slice(&request(&writes().each_ref()).unwrap()).unwrap();
        let operations = body["Operations"].as_array().unwrap();
        let paths: Vec<_> = operations.iter().map(|operation| operation["path"].as_str().unwrap()).collect();
        assert_eq!(paths, ["/Users", "/Users/a%2Fb", "/Users/c"]);
        assert_eq!((&operations[0]["bulkId"], &operations[0]["data"]["userName"]), (&json!("write-0"), &json!("jane")));
    }

    #[test]
    fn a_request_stays_within_both_limits() {
        let limits = |max_operations, max_payload_size| BulkLimits { max_operations, max_payload_size };
        assert_eq!(fitting(limits(2, 100_000), &writes()), 2);
        assert_eq!(fitting(limits(10, 100_000), &writes()), 3);
        assert_eq!(fitting(limits(10, 1), &writes()), 1, "a single write is sent at any size");
        for size in 150..700 {
            let fitting = fitting(limits(10, size), &writes());
            let length = request(&writes().each_ref()[..fitting]).unwrap().len();
            assert!(length <= size || fitting == 1, "{length} in {size}");
        }
    }

    #[test]
    fn every_form_of_a_status_is_read() {
        let answer = json!({ "Operations": [
            { "bulkId": "write-0", "status": { "code": "201" }, "location": "https://x/Users/7%2F8", "version": "W/\"1\"" },
            { "status": 200 },
            { "status": "404", "response": { "detail": "no such user", "scimType": "x" } },
        ] });
        let results = read(&writes(), &answer);
        let created = results[0].as_ref().unwrap().as_ref().unwrap();
        assert_eq!((created.id.as_deref(), created.user_name.as_deref()), (Some("7/8"), Some("jane")));
        assert!(results[1].as_ref().unwrap().is_none());
        let error = results[2].as_ref().unwrap_err();
        assert_eq!(
            (error.kind(), error.detail(), error.write_outcome()),
            (ErrorKind::NotFound, Some("no such user"), Some(WriteOutcome::NotApplied))
        );
    }

    #[test]
    fn a_missing_result_is_an_unknown_outcome() {
        let answer = json!({ "Operations": [{ "bulkId": "write-0", "status": "201", "location": "/Users/7" }] });
        let results = read(&writes(), &answer);
        assert!(results[0].is_ok());
        for result in &results[1..] {
            assert_eq!(result.as_ref().unwrap_err().write_outcome(), Some(WriteOutcome::Unknown));
        }
    }

    #[test]
    fn results_in_another_order_belong_to_their_writes() {
        let patch = || ScimPatchRequest::new().replace("active", true);
        let writes = [
            ScimWrite::create_as("boss", ScimUser::new("boss")),
            ScimWrite::patch("x", patch()),
            ScimWrite::delete("leaver"),
            ScimWrite::patch("other", patch()),
        ];
        let statuses = |answer: Value| -> Vec<Option<u16>> {
            let status = |result: Result<Option<ScimUser>>| match result {
                Ok(_) => Some(200),
                Err(error) => error.status().map(|status| status.as_u16()),
            };
            read(&writes, &answer).into_iter().map(status).collect()
        };
        let operation = |method: &str, id: &str, status: &str| {
            let location = format!("https://x/v2/Users/{id}");
            json!({ "method": method, "location": location, "status": status })
        };
        let (x, other, leaver) =
            (operation("PATCH", "x", "409"), operation("patch", "other", "200"), operation("DELETE", "leaver", "204"));
        let named = json!({ "method": "POST", "bulkId": "boss", "status": "409" });
        let right = [Some(409), Some(409), Some(200), Some(200)];
        assert_eq!(statuses(json!({ "Operations": [named, leaver, other, x] })), right);
        let by_id = |id: &str, status: u16| json!({ "bulkId": id, "status": status });
        let shuffled = [by_id("write-3", 200), by_id("write-2", 204), by_id("boss", 409), by_id("write-1", 409)];
        assert_eq!(statuses(json!({ "Operations": shuffled })), right);

        // What cannot be assigned is unknown.
        let unnamed = |status: u16| json!({ "status": status });
        let lost = [None; 4];
        assert_eq!(statuses(json!({ "Operations": [unnamed(409), unnamed(204), unnamed(200), unnamed(409)] })), lost);
        assert_eq!(
            statuses(json!({ "Operations": [named, leaver, unnamed(200), unnamed(409)] })),
            [Some(409), None, Some(200), None]
        );
        assert_eq!(
            statuses(json!({ "Operations": [named, x, leaver, other, by_id("write-3", 500)] })),
            [Some(409), Some(409), Some(200), None],
            "two results for one write"
        );
    }

    #[test]
    fn writes_to_the_same_resource_are_distinguished_by_name_only() {
        let writes = [ScimWrite::delete("1"), ScimWrite::delete("1"), ScimWrite::delete("2")];
        let operation = |id: &str| json!({ "method": "DELETE", "location": format!("/Users/{id}"), "status": "204" });
        let answer = json!({ "Operations": [operation("1"), operation("2"), operation("1")] });
        let done: Vec<_> = read(&writes, &answer).iter().map(Result::is_ok).collect();
        assert_eq!(done, [false, false, true]);
    }

    /// The answers of RFC 7644 §3.7.3, with the commas that are missing there.
    #[test]
    fn the_answers_of_the_rfc_are_read() {
        let (put, patched) = ("b7c14771-226c-4d05-8860-134711653041", "5d8d29d3-342c-4b5f-8683-a3cb6763ffcc");
        let writes = [
            ScimWrite::create_as("qwerty", ScimUser::new("Alice")),
            ScimWrite::patch(put, ScimPatchRequest::new().replace("userName", "Bob")),
            ScimWrite::patch(patched, ScimPatchRequest::new().remove("nickName").add("userName", "Dave")),
            ScimWrite::delete("e9025315-6bea-44e1-899c-1e07454e468b"),
        ];
        let location = |id: &str| format!("https://example.com/v2/Users/{id}");
        let alice = "92b725cd-9465-4e7d-8c16-01f8e146b87a";
        let done = json!({ "Operations": [
            { "location": location(alice), "method": "POST", "bulkId": "qwerty",
              "version": "W/\"oY4m4wn58tkVjJxK\"", "status": "201" },
            { "location": location(put), "method": "PUT", "version": "W/\"huJj29dMNgu3WXPD\"", "status": "200" },
            { "location": location(patched), "method": "PATCH", "version": "W/\"huJj29dMNgu3WXPD\"", "status": "200" },
            { "location": location("e9025315-6bea-44e1-899c-1e07454e468b"), "method": "DELETE", "status": "204" },
        ] });
        let done: Vec<_> = read(&writes, &done).into_iter().map(Result::unwrap).collect();
        let created = done[0].as_ref().unwrap();
        assert_eq!((created.id(), created.version()), (Some(alice), Some("W/\"oY4m4wn58tkVjJxK\"")));
        assert_eq!(done[1..], [None, None, None]);

        let error =
            |status: &str, detail: &str| json!({ "scimType": "invalidSyntax", "detail": detail, "status": status });
        let unparsable = "Request is unparsable, syntactically incorrect, or violates schema.";
        let failed = json!({ "Operations": [
            { "method": "POST", "bulkId": "qwerty", "status": "400", "response": error("400", unparsable) },
            { "location": location(put), "method": "PUT", "status": "412", "response": error("412", "Failed to update.") },
            { "location": location(patched), "method": "PATCH", "status": "412", "response": error("412", "x") },
            { "method": "DELETE", "status": "404", "response": error("404", "Resource does not exist.") },
        ] });
        let kinds: Vec<_> = read(&writes, &failed).into_iter().map(|result| result.unwrap_err().kind()).collect();
        let changed = ErrorKind::PreconditionFailed;
        assert_eq!(kinds, [ErrorKind::BadRequest, changed, changed, ErrorKind::NotFound]);

        let stopped = json!({ "Operations": [
            { "method": "POST", "bulkId": "qwerty", "status": "400", "response": error("400", unparsable) },
        ] });
        let outcomes: Vec<_> =
            read(&writes, &stopped).into_iter().map(|result| result.unwrap_err().write_outcome().unwrap()).collect();
        assert_eq!(outcomes[0], WriteOutcome::NotApplied);
        assert_eq!(outcomes[1..], [WriteOutcome::Unknown; 3], "the answer has no results for them");
    }
}
