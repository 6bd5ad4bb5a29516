use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::select;
use crate::error::{Error, Result};

/// A type of resource on a SCIM server: users, groups, or your own type.
///
/// All methods that read, list and write resources are generic over this trait. The constants are
/// those of the server's resource type (RFC 7643 §6).
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use wats_scim::Resource;
///
/// #[derive(Clone, Deserialize, Serialize)]
/// struct Device {
///     id: Option<String>,
///     serial: String,
/// }
///
/// impl Resource for Device {
///     const NAME: &'static str = "device";
///     const ENDPOINT: &'static str = "Devices";
///     const SCHEMA: &'static str = "urn:example:2.0:Device";
///     const NAMED_BY: &'static str = "serial";
///
///     fn id(&self) -> Option<&str> {
///         self.id.as_deref()
///     }
///
///     fn name(&self) -> Option<&str> {
///         Some(&self.serial)
///     }
/// }
/// ```
pub trait Resource: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {
    /// The resource's name in messages: `user`.
    const NAME: &'static str;
    /// The endpoint relative to the SCIM base URL, without slashes: `Users`.
    const ENDPOINT: &'static str;
    /// The URN of the schema. Sent with a new resource that has no `schemas`.
    const SCHEMA: &'static str;
    /// The attribute with the unique name of the resource: `userName`.
    const NAMED_BY: &'static str;

    /// Returns the id assigned by the server.
    fn id(&self) -> Option<&str>;

    /// Returns the id. Resources returned by the server have one.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if the resource has no id, as before its
    /// creation.
    fn require_id(&self) -> Result<&str> {
        let id = self.id().filter(|id| !id.is_empty());
        id.ok_or_else(|| {
            Error::invalid(format!("the {} has no id; create it or read it from the server first", Self::NAME))
        })
    }

    /// Returns the value of the attribute [`NAMED_BY`](Self::NAMED_BY).
    fn name(&self) -> Option<&str>;

    /// Returns the version of the resource, `meta.version` (RFC 7644 §3.14). `None` by default.
    fn version(&self) -> Option<&str> {
        None
    }

    /// Sets the version of the resource. Called if the server returns it only in the header `ETag`. Does
    /// nothing by default.
    fn set_version(&mut self, version: &str) {
        let _ = version;
    }

    /// Returns the id assigned by your own system, `externalId`. `None` by default.
    ///
    /// If the outcome of a creation is unknown, the client looks for a resource with this id before
    /// it creates the resource again.
    fn external_id(&self) -> Option<&str> {
        None
    }

    /// Returns the value at a path (RFC 7644 §3.5.2), or `None` if there is none.
    ///
    /// | path | value |
    /// |---|---|
    /// | `userName`, `name.familyName` | a text |
    /// | `emails` | the list of all values |
    /// | `emails.value` | the address of the first value that has one |
    /// | `emails[type eq "work"]` | the first value of this type |
    /// | `emails[type eq "work"].value` | its address |
    /// | `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department` | an attribute of an extension |
    /// | `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User` | all attributes of an extension |
    ///
    /// Names match in any letter case; `null`, `[]` and `{}` are the same as a missing attribute (RFC 7643
    /// §2.5). [`get_all`](Self::get_all) returns all values, not only the first. The resource is written as
    /// JSON at each call, so read many attributes from its fields, or from its JSON with
    /// [`PatchPath::select`](wats_scim_filter::PatchPath::select).
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if the path is not valid, or if the resource cannot
    /// be written as JSON.
    fn get(&self, path: &str) -> Result<Option<Value>> {
        select::first(self, path)
    }

    /// Returns all values at a path, in order; each value of a list counts on its own. See
    /// [`get`](Self::get).
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    fn get_all(&self, path: &str) -> Result<Vec<Value>> {
        select::all(self, path)
    }
}
