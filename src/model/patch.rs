use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use wats_scim_filter::PatchPath;

use super::json::{Shown, names_password};

/// Changes to a resource; the server applies all or none of them (RFC 7644 §3.5.2).
///
/// WATS accepts only `replace`, on the paths `fullName`, `familyName`, `givenName`, `email`,
/// `roles`, `active`, `levels`, `productGroups` and `displayName`. The client rejects anything else
/// before it sends a request; see [`Profile::allow_any_patch`](crate::Profile::allow_any_patch).
///
/// ```
/// use wats_scim::ScimPatchRequest;
///
/// let patch = ScimPatchRequest::new().replace("givenName", "Jane").replace("active", true);
/// assert_eq!(patch.operations.len(), 2);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScimPatchRequest {
    /// The URN of the message. Filled in by [`new`](Self::new).
    #[serde(default = "ScimPatchRequest::schemas")]
    pub schemas: Vec<String>,
    /// The operations, in the order in which the server applies them. At least one is required.
    #[serde(rename = "Operations", alias = "operations")]
    pub operations: Vec<ScimPatchOperation>,
}

impl Default for ScimPatchRequest {
    fn default() -> Self {
        Self::new()
    }
}

impl ScimPatchRequest {
    /// Creates a request without operations.
    #[must_use]
    pub fn new() -> Self {
        Self { schemas: Self::schemas(), operations: Vec::new() }
    }

    fn schemas() -> Vec<String> {
        vec!["urn:ietf:params:scim:api:messages:2.0:PatchOp".into()]
    }

    /// Appends a `replace` operation. `null` is sent, and clears the attribute.
    #[must_use]
    pub fn replace(self, path: impl Into<String>, value: impl Into<Value>) -> Self {
        self.with(ScimPatchOperation { op: PatchOp::Replace, path: Some(path.into()), value: Some(value.into()) })
    }

    /// Appends an `add` operation, which keeps existing values of a multi-valued attribute.
    #[must_use]
    pub fn add(self, path: impl Into<String>, value: impl Into<Value>) -> Self {
        self.with(ScimPatchOperation { op: PatchOp::Add, path: Some(path.into()), value: Some(value.into()) })
    }

    /// Appends a `remove` operation.
    #[must_use]
    pub fn remove(self, path: impl Into<String>) -> Self {
        self.with(ScimPatchOperation { op: PatchOp::Remove, path: Some(path.into()), value: None })
    }

    /// Checks the rules of RFC 7644 §3.5.2: paths are valid, `remove` has a path, `add` and
    /// `replace` have a value.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.operations.is_empty() {
            return Err("the patch has no operations".to_owned());
        }
        for operation in &self.operations {
            let path = operation.path.as_deref();
            if let Some(Err(error)) = path.map(str::parse::<PatchPath>) {
                return Err(format!("a path of the patch is not valid: {error}"));
            }
            match (operation.op, path, &operation.value) {
                (PatchOp::Remove, None, _) => return Err("a `remove` of the patch has no path".to_owned()),
                (PatchOp::Add | PatchOp::Replace, _, None) => {
                    return Err("an `add` or `replace` of the patch has no value".to_owned());
                }
                (PatchOp::Add | PatchOp::Replace, None, Some(value)) if !value.is_object() => {
                    return Err("an operation of the patch without a path has a value that is not an object".to_owned());
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Appends an operation.
    #[must_use]
    pub fn with(mut self, operation: ScimPatchOperation) -> Self {
        self.operations.push(operation);
        self
    }
}

/// One operation of a [`ScimPatchRequest`] (RFC 7644 §3.5.2). `Debug` redacts passwords.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct ScimPatchOperation {
    /// The kind of change.
    pub op: PatchOp,
    /// The attribute to change. If `None`, `value` is an object of attributes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The value. `Some(Value::Null)` is sent as `null`; `None` is not sent.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
}

/// Reads `null` as `Some(Value::Null)`, so that it differs from a missing value.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl fmt::Debug for ScimPatchOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.path.as_deref().unwrap_or_default();
        // A filter in the path contains a value.
        let has_secret = names_password(name) && name.contains('[');
        let path = if has_secret { Some("[redacted]") } else { self.path.as_deref() };
        f.debug_struct("ScimPatchOperation")
            .field("op", &self.op)
            .field("path", &path)
            .field("value", &self.value.as_ref().map(|value| Shown::of(name, value)))
            .finish()
    }
}

/// The kind of change of a [`ScimPatchOperation`]. Written in lower case, read in any letter case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PatchOp {
    /// Adds a value, and keeps existing values of a multi-valued attribute.
    Add,
    /// Removes a value.
    Remove,
    /// Replaces the attribute's value.
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
    fn debug_redacts_a_new_password() {
        let new = ScimPatchRequest::new;
        for patch in [
            new().replace("urn:x:User:password", "canary"),
            new().replace("password.value", "canary"),
            new().replace("newPassword", "canary"),
            new().replace("accounts[password eq \"canary\"].id", 1),
            new().add("accounts", json!([{ "oldPassword": { "value": "canary" } }])),
        ] {
            let text = format!("{patch:?}");
            assert!(!text.contains("canary"), "{text}");
        }
    }
}
