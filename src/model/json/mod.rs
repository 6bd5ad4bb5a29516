//! Serde support for the models: lenient when reading, lossless when writing back.

pub(crate) mod attribute;
mod attributes;
pub(crate) mod object;
#[cfg(test)]
mod round_trip;
mod text;
pub(crate) mod unparsed;

pub use attributes::Attributes;
pub(crate) use attributes::{Shown, member, names_password};
pub(crate) use object::json_object;
pub(crate) use text::read as read_json;
