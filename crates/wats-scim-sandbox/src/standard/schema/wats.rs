//! The extension that WATS has for a user. Here it is plain text: any names, set and cleared.

use super::{Attribute, Schema};
use crate::wats::restrictions::EXTENSION;

pub(in crate::standard) const WATS_USER: Schema = Schema {
    id: EXTENSION,
    name: "WatsUser",
    description: "WATS User",
    attributes: &[Attribute::text("levels"), Attribute::text("productGroups")],
};
