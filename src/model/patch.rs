use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use wats_scim_filter::PatchPath;

use super::json::Shown;

/// Changes to a resource, applied all or none (RFC 7644 §3.5.2).
///
/// WATS accepts `replace` only, on the paths `fullName`, `familyName`, `givenName`, `email`,
/// `roles`, `active`, `levels` and `productGroups`.
///
/// ```
/// use wats_scim::ScimPatchRequest;
///
/// let patch = ScimPatchRequest::new().replace("givenName", "Jane").replace("active", true);
/// assert_eq!(patch.operations.len(), 2);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ScimPatchRequest {
    /// The URN of the message.
    #[serde(default = "ScimPatchRequest::schemas")]
    pub schemas: Vec<String>,
    /// The changes, in the order they are applied. There must be at least one.
    #[serde(rename = "Operations", alias = "operations")]
    pub operations: Vec<ScimPatchOperation>,
}

impl Default for ScimPatchRequest {
    fn default() -> Self {
        Self::new()
    }
}

impl ScimPatchRequest {
    /// A request with no change in it yet.
    #[must_use]
    pub fn new() -> Self {
        Self { schemas: Self::schemas(), operations: Vec::new() }
    }

    fn schemas() -> Vec<String> {
        vec!["urn:ietf:params:scim:api:messages:2.0:PatchOp".into()]
    }

    /// Adds a `replace`. A value of `null` clears the attribute, and is sent.
    #[must_use]
    pub fn replace(self, path: impl Into<String>, value: impl Into<Value>) -> Self {
        self.with(ScimPatchOperation { op: PatchOp::Replace, path: Some(path.into()), value: Some(value.into()) })
    }

    /// Adds an `add`.
    #[must_use]
    pub fn add(self, path: impl Into<String>, value: impl Into<Value>) -> Self {
        self.with(ScimPatchOperation { op: PatchOp::Add, path: Some(path.into()), value: Some(value.into()) })
    }

    /// Adds a `remove`, which must name what it removes.
    #[must_use]
    pub fn remove(self, path: impl Into<String>) -> Self {
        self.with(ScimPatchOperation { op: PatchOp::Remove, path: Some(path.into()), value: None })
    }

    /// Whether a server can understand it: every path is one (RFC 7644 §3.5.2), a removal names what
    /// it removes, and what is added or put in place is there.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.operations.is_empty() {
            return Err("the patch has no operation in it".to_owned());
        }
        for operation in &self.operations {
            let path = operation.path.as_deref();
            if let Some(Err(error)) = path.map(str::parse::<PatchPath>) {
                return Err(format!("a path of the patch is not valid: {error}"));
            }
            match (operation.op, path, &operation.value) {
                (PatchOp::Remove, None, _) => return Err("the patch removes something without naming it".to_owned()),
                (PatchOp::Add | PatchOp::Replace, _, None) => {
                    return Err("the patch adds or replaces something without a value".to_owned());
                }
                (PatchOp::Add | PatchOp::Replace, None, Some(value)) if !value.is_object() => {
                    return Err("the patch has a value that is neither named by a path nor an object".to_owned());
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Adds any operation.
    #[must_use]
    pub fn with(mut self, operation: ScimPatchOperation) -> Self {
        self.operations.push(operation);
        self
    }
}

/// One change of a [`ScimPatchRequest`]. `Debug` hides the value of `password`.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct ScimPatchOperation {
    /// What is done.
    pub op: PatchOp,
    /// To which attribute; without one, `value` is an object of attributes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The value. `Some(Value::Null)` is sent as `null`, `None` is not sent.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
}

/// Keeps a `null` that was written apart from a value that was not.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl fmt::Debug for ScimPatchOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.path.as_deref().unwrap_or_default();
        f.debug_struct("ScimPatchOperation")
            .field("op", &self.op)
            .field("path", &self.path)
            .field("value", &self.value.as_ref().map(|value| Shown::of(name, value)))
            .finish()
    }
}

/// The kinds of change. They are written in lower case and read in any.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PatchOp {
    /// Adds a value, beside those that are there.
    Add,
    /// Removes a value.
    Remove,
    /// Puts a value in the place of what is there.
    Replace,
}

impl<'de> Deserialize<'de> for PatchOp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let op = String::deserialize(deserializer)?;
        match op.to_ascii_lowercase().as_str() {
            "add" => Ok(Self::Add),
            "remove" => Ok(Self::Remove),
            "replace" => Ok(Self::Replace),
            _ => Err(serde::de::Error::unknown_variant(&op, &["add", "remove", "replace"])),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_null_is_sent_and_an_absent_value_is_not() {
        let patch = ScimPatchRequest::new().replace("displayName", Value::Null).remove("title");
        assert_eq!(
            serde_json::to_value(&patch).unwrap()["Operations"],
            json!([{ "op": "replace", "path": "displayName", "value": null }, { "op": "remove", "path": "title" }])
        );
        let back: ScimPatchRequest = serde_json::from_value(serde_json::to_value(&patch).unwrap()).unwrap();
        assert_eq!(back, patch);
    }

    #[test]
    fn operations_are_read_in_any_letter_case() {
        let patch: ScimPatchRequest =
            serde_json::from_value(json!({ "Operations": [{ "op": "Replace", "path": "active", "value": "True" }] }))
                .unwrap();
        assert_eq!(patch.operations[0].op, PatchOp::Replace);
    }

    #[test]
    fn debug_hides_a_new_password() {
        let text = format!("{:?}", ScimPatchRequest::new().replace("urn:x:User:password", "canary"));
        assert!(!text.contains("canary"), "{text}");
    }
}
