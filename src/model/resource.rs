use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};

/// A kind of resource that a SCIM server keeps: users, groups, or a type of your own.
///
/// Everything that reads, lists and writes is generic over this trait (RFC 7643 §6).
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
    /// What one is called in a message: `user`.
    const NAME: &'static str;
    /// The endpoint below the SCIM base, without slashes: `Users`.
    const ENDPOINT: &'static str;
    /// The URN of the schema, added to a new resource that names no schema.
    const SCHEMA: &'static str;
    /// The attribute by which a person names one: `userName`.
    const NAMED_BY: &'static str;

    /// The identifier that the server gave it.
    fn id(&self) -> Option<&str>;

    /// The identifier, which a resource that the server returned has.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if it has none, as before it is created.
    fn require_id(&self) -> Result<&str> {
        let id = self.id().filter(|id| !id.is_empty());
        id.ok_or_else(|| {
            Error::invalid(format!("the {} has no id; create it, or read it from the server, first", Self::NAME))
        })
    }

    /// The value of [`NAMED_BY`](Self::NAMED_BY).
    fn name(&self) -> Option<&str>;

    /// The version of this state of the resource (RFC 7644 §3.14), if it carries one.
    fn version(&self) -> Option<&str> {
        None
    }

    /// The identifier that your own system gave it, if the resource has one. A creation whose
    /// outcome is not known looks for it.
    fn external_id(&self) -> Option<&str> {
        None
    }
}
