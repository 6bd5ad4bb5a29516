//! SCIM resources and messages, one file each.
//!
//! Structs that callers build, with literal syntax or `Default`, are exhaustive; structs that
//! callers only read, and enums that may grow, are `#[non_exhaustive]`.

mod between;
mod extension;
mod group;
pub(crate) mod json;
mod list;
mod member_page;
mod meta;
mod origin;
mod patch;
mod resource;
mod schema;
mod select;
mod target;
mod typed;
mod user;
mod value;
mod write;

pub(crate) use between::{differences, object};
pub use extension::{EnterpriseUser, Extension, ScimManager};
pub use group::{ScimGroup, ScimMember};
pub use json::Attributes;
pub(crate) use json::{json_object, member, read_json};
pub use list::ScimListResponse;
pub(crate) use member_page::MemberPage;
pub use meta::ScimMeta;
pub(crate) use meta::time;
pub use origin::Origin;
pub(crate) use origin::Origins;
pub use patch::{PatchOp, ScimPatchOperation, ScimPatchRequest};
pub use resource::Resource;
pub(crate) use schema::Listed;
pub use schema::{
    AttributeType, Mutability, ResourceType, Returned, Schema, SchemaAttribute, SchemaExtension, SchemaProblem,
    SchemaProblemKind, Schemas, Uniqueness,
};
pub use target::{IfChanged, ResourceId, Target};
pub use user::{ScimUser, ScimUserEmail, ScimUserName};
pub use value::{ScimAddress, ScimValue};
pub use write::ScimWrite;
