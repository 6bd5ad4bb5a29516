//! The user extension of WATS. Here its attributes are plain strings: any value can be set or removed.

use super::{Attribute, Schema};
use crate::wats::restrictions::EXTENSION;

pub(in crate::standard) const WATS_USER: Schema = Schema {
    id: EXTENSION,
    name: "WatsUser",
    description: "WATS User",
    attributes: &[Attribute::text("levels"), Attribute::text("productGroups")],
};
