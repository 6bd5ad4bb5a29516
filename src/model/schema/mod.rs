//! The documents with which a server describes its resources (RFC 7643 §6 and §7), and what they say of a
//! resource before it is sent.

mod check;
mod document;
mod problem;
mod words;

pub(crate) use document::Listed;
pub use document::{ResourceType, Schema, SchemaAttribute, SchemaExtension, Schemas};
pub use problem::{SchemaProblem, SchemaProblemKind};
pub use words::{AttributeType, Mutability, Returned, Uniqueness};
