use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::error::Operation;
use crate::model::PatchOp;

/// An event of the audit trail: the start or the end of a write.
///
/// It serializes to a JSON object of its fields, with SCIM-style names (`externalId`); unknown and
/// empty fields are omitted. [`Trail::read`](super::Trail::read) reads the events of a file.
///
/// ```text
/// {"at":"2026-11-24T09:15:02.482913Z","write":"9f0c21d06b4e7a15-1","server":"https://acme.wats.com",
///  "label":"ann, ticket 4711","operation":"update user","id":"7f3a","name":"jane@example.com",
///  "attributes":[{"op":"replace","path":"active","value":false}],"outcome":"applied","attempts":1}
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// The time of the event, by the clock of the local machine. Serialized in RFC 3339 with
    /// microseconds.
    #[serde(serialize_with = "rfc3339", deserialize_with = "from_rfc3339")]
    pub at: DateTime<Utc>,
    /// The unique id of the write. The events of its start and its end have the same id; ids are
    /// not repeated, also not by other programs.
    pub write: String,
    /// The origin of the server: scheme, host and port, such as `https://acme.wats.com`. One trail can have
    /// the writes of several servers.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub server: String,
    /// The [label](super::Trail::label) of the trail or the client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The row of the source for which a step of a plan was applied, such as `people.csv:12`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// The operation. Serialized as text: `create user`.
    pub operation: Operation,
    /// The id of the resource. For a creation, known only at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The name of the resource, such as its `userName`. For a patch, known only at the end, if the
    /// server returns the resource. Unknown for a deletion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The id assigned by your own system, known when the name is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// The written attributes, in the order in which they are sent. Empty for a deletion.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<Attribute>,
    /// The outcome of the write.
    pub outcome: Outcome,
    /// The number of requests made to write it, including those that did not reach the server.
    /// Requests that only read are not counted.
    pub attempts: u32,
    /// The text of the [`Error`](crate::Error), if the write failed. It can contain values in the
    /// server's message; if the request contained a password, the server's message is omitted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// An attribute of a write.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Attribute {
    /// The operation of the patch; `None` for a whole resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub op: Option<PatchOp>,
    /// The path or name of the attribute. Without
    /// [`Trail::allow_values`](super::Trail::allow_values), filters are removed from the path,
    /// because they contain values: `members[value eq "2819"]` becomes `members`.
    pub path: String,
    /// The value, only with [`Trail::allow_values`](super::Trail::allow_values), but always that of
    /// `active`, so that a deactivation does not read like an activation. The value of any
    /// name that contains `password` is `[redacted]`, at any depth.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
}

/// The outcome of a write, as far as the client knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The write is about to be sent. If no other event has the same write id, the program ended
    /// before the outcome was recorded or the sink failed: the write may have been applied.
    Begun,
    /// The server applied the write.
    Applied,
    /// Nothing changed: the server rejected the write, it did not reach the server, or it was not
    /// sent.
    ///
    /// Writes of a bulk request that was rejected as a whole are retried one by one, each as a new
    /// write.
    Refused,
    /// The write may have been applied. Read the resource before you try again.
    ///
    /// After a bulk request without a response, a batch looks for the created resources; those it
    /// finds have no further event. Writes that are safe to repeat are retried as new writes, so an
    /// applied deletion can be followed by a rejected one of the same resource.
    Unknown,
}

/// The name of the outcome, as in JSON.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Begun => "begun",
            Self::Applied => "applied",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
        })
    }
}

fn rfc3339<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&at.to_rfc3339_opts(SecondsFormat::Micros, true))
}

fn from_rfc3339<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
    let at = String::deserialize(deserializer)?;
    DateTime::parse_from_rfc3339(&at).map(Into::into).map_err(serde::de::Error::custom)
}
