//! What travels: a file a resource or message.

mod attribute;
mod attributes;
mod error_message;
mod extension;
mod group;
mod held;
mod list;
mod meta;
mod object;
mod patch;
mod resource;
#[cfg(test)]
mod survival;
mod token;
mod user;

pub use attributes::Attributes;
pub(crate) use attributes::member;
pub(crate) use error_message::{ErrorMessage, is_web_page, one_line};
pub use extension::{EnterpriseUser, Extension, ScimManager, WatsUser};
pub use group::{ScimGroup, ScimMember};
pub use list::ScimListResponse;
pub use meta::ScimMeta;
pub use patch::{PatchOp, ScimPatchOperation, ScimPatchRequest};
pub use resource::Resource;
pub use token::ScimToken;
pub use user::{ScimUser, ScimUserEmail, ScimUserName};
