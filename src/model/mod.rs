//! What travels: a file for each resource or message.

mod between;
mod extension;
mod group;
mod json;
mod list;
mod meta;
mod patch;
mod resource;
mod target;
mod token;
mod user;

pub(crate) use between::{differences, object};
pub use extension::{EnterpriseUser, Extension, ScimManager, WatsUser};
pub use group::{ScimGroup, ScimMember};
pub use json::Attributes;
pub(crate) use json::member;
pub use list::ScimListResponse;
pub use meta::ScimMeta;
pub use patch::{PatchOp, ScimPatchOperation, ScimPatchRequest};
pub use resource::Resource;
pub use target::Target;
pub use token::ScimToken;
pub use user::{ScimUser, ScimUserEmail, ScimUserName};
