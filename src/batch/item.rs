use serde::{Serialize, Serializer};

use crate::error::{Error, Operation, Result};
use crate::model::{Resource, ScimUser, ScimWrite};

/// One write of a batch and its result.
///
/// ```
/// # let sandbox = wats_scim_sandbox::Sandbox::start()?;
/// # let credentials = wats_scim::Credentials::wats_token(sandbox.token());
/// # let client = wats_scim::blocking::ScimClient::new(sandbox.base_url(), credentials)?;
/// for item in client.delete_users(["7f3a".to_owned()]).run() {
///     if let Err(error) = item.result {
///         println!("{:?}: {error}", item.write);
///     }
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
/// As JSON (serde) it is a line of a report: the operation, the resource by its id and names, and the
/// [`Error`] if there is one. The attributes are left out, because they can be secret.
///
/// ```text
/// {"operation":"create user","name":"jane@example.com","outcome":"notApplied","error":{"kind":"conflict", …}}
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct BatchItem<T = ScimUser> {
    /// The write, as passed to the batch.
    pub write: ScimWrite<T>,
    /// The current resource, or `None` if the server returned no body; or the error of the write.
    pub result: Result<Option<T>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    operation: Operation,
    #[serde(skip_serializing_if = "Option::is_none")]
    bulk_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<&'a str>,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a Error>,
}

impl<T: Resource> Serialize for BatchItem<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (bulk_id, sent) = match &self.write {
            ScimWrite::Create { bulk_id, resource, .. } => (bulk_id.as_deref(), Some(resource)),
            ScimWrite::Patch { .. } | ScimWrite::Delete { .. } => (None, None),
        };
        let kept = self.result.as_ref().ok().and_then(Option::as_ref);
        let known = |of: fn(&T) -> Option<&str>| kept.and_then(of).or(sent.and_then(of));
        let shown = Shown {
            operation: self.write.operation(),
            bulk_id,
            id: self.write.id().or(kept.and_then(T::id)),
            name: known(T::name),
            external_id: known(T::external_id),
            outcome: self.result.as_ref().map_or_else(|error| error.outcome().as_str(), |_| "applied"),
            error: self.result.as_ref().err(),
        };
        shown.serialize(serializer)
    }
}
