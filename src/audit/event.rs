use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::error::Operation;
use crate::model::PatchOp;

/// What an [`Sink`](super::Sink) is told: a write begins, or has come to its end.
///
/// As JSON it is an object of these fields, named as SCIM names things (`externalId`); what is not
/// known is left out.
///
/// ```text
/// {"at":"2026-11-24T09:15:02.482913Z","write":"9f0c21d06b4e7a15-1","label":"ann, ticket 4711",
///  "operation":"update user","id":"7f3a","name":"jane@example.com",
///  "attributes":[{"op":"replace","path":"active"}],"outcome":"applied","attempts":1}
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// When it happened, by the clock of this machine.
    #[serde(serialize_with = "rfc3339")]
    pub at: DateTime<Utc>,
    /// Names the write: its beginning and its end have the same. It is not given a second time, by
    /// other programs neither.
    pub write: String,
    /// The caller's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// What was asked for. As JSON it is in words: `create user`.
    pub operation: Operation,
    /// The id of the resource. That of a new one is known at its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The name of the resource, such as its `userName`. Of a change it is known at its end, if the
    /// server shows the resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The identifier that your own system gave the resource, known as its name is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// What is written, in the order it is sent. Empty for a deletion.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<Attribute>,
    /// What became of it.
    pub outcome: Outcome,
    /// How many requests were made for it, of which some may not have reached the server; 0 if none
    /// was. Those that only look are not counted.
    pub attempts: u32,
    /// Why it failed: the sentence of the [`Error`](crate::Error), which may repeat a value in the
    /// server's words. Where a password was sent, it is without the server's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// An attribute that a write is about.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Attribute {
    /// What a patch does to it; `None` for a whole resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub op: Option<PatchOp>,
    /// Its path, or its name. A filter in a path has values in it, so it is left out without
    /// [`Trail::with_values`](super::Trail::with_values): `members[value eq "2819"]` is `members`.
    pub path: String,
    /// Its value, with [`Trail::with_values`](super::Trail::with_values) only. Everything whose name
    /// has `password` in it is `[redacted]`, at any depth.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
}

/// What became of a write, as far as its client knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It is about to be sent. Without another event for the same write, the program ended in
    /// between or the sink failed, and nobody knows whether it was applied.
    Begun,
    /// The server did it.
    Applied,
    /// Nothing was changed: the server refused it, or it did not get there, or it was not sent.
    ///
    /// What is refused together with others in a bulk request is sent again alone, as a write of its
    /// own.
    Refused,
    /// It may have been applied: look before trying again.
    ///
    /// Of a bulk request without an answer, a batch looks for the creations, and what it finds has no
    /// further event. It sends again what may be sent again, as writes of their own; so a deletion
    /// that is refused, because there is no such resource, may follow the one that was applied.
    Unknown,
}

fn rfc3339<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&at.to_rfc3339_opts(SecondsFormat::Micros, true))
}
