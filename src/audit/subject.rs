use super::attributes::Attributes;
use crate::error::Operation;
use crate::model::ScimWrite;
use crate::model::Target;
use crate::model::{Resource, ScimPatchRequest};

/// The operation, the resource and the attributes of a write.
pub(crate) struct Subject {
    pub(super) operation: Operation,
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) external_id: Option<String>,
    pub(super) attributes: Attributes,
    /// The row of the source, where a write has one of its own.
    pub(super) origin: Option<String>,
}

impl Subject {
    pub(crate) fn create<T: Resource>(resource: &T, with_values: bool) -> Self {
        // The id of a new resource is not sent.
        Self { id: None, ..Self::whole(Operation::Create(T::NAME), resource, with_values) }
    }

    pub(crate) fn replace<T: Resource>(resource: &T, with_values: bool) -> Self {
        Self::whole(Operation::Replace(T::NAME), resource, with_values)
    }

    pub(crate) fn patch<T: Resource>(target: Target<'_>, patch: &ScimPatchRequest, with_values: bool) -> Self {
        let attributes = Attributes::new(with_values).of_patch(patch);
        Self::with_id(Operation::Patch(T::NAME), target, attributes)
    }

    pub(crate) fn delete<T: Resource>(target: Target<'_>) -> Self {
        Self::with_id(Operation::Delete(T::NAME), target, Attributes::default())
    }

    /// A token of the server, with which every user can be changed.
    pub(crate) fn token() -> Self {
        Self {
            operation: Operation::GetToken,
            id: None,
            name: None,
            external_id: None,
            attributes: Attributes::default(),
            origin: None,
        }
    }

    /// A write of a bulk request.
    pub(crate) fn write<T: Resource>(write: &ScimWrite<T>, with_values: bool) -> Self {
        let subject = match write {
            ScimWrite::Create { resource, .. } => Self::create(resource, with_values),
            ScimWrite::Patch { id, patch, .. } => Self::patch::<T>(Target::id(id), patch, with_values),
            ScimWrite::Delete { id, .. } => Self::delete::<T>(Target::id(id)),
        };
        Self { origin: write.origin().map(ToOwned::to_owned), ..subject }
    }

    fn whole<T: Resource>(operation: Operation, resource: &T, with_values: bool) -> Self {
        // A resource that cannot be serialized is rejected, and has no attributes to record.
        let json = serde_json::to_value(resource).unwrap_or_default();
        Self {
            operation,
            id: resource.id().map(str::to_owned),
            name: resource.name().map(str::to_owned),
            external_id: resource.external_id().map(str::to_owned),
            attributes: Attributes::new(with_values).of_resource(&json),
            origin: None,
        }
    }

    fn with_id(operation: Operation, target: Target<'_>, attributes: Attributes) -> Self {
        Self { operation, id: Some(target.as_id().to_owned()), name: None, external_id: None, attributes, origin: None }
    }
}
