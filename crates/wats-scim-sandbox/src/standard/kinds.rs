//! The resource types of the server; a new one is a line in [`KINDS`].

use wats_scim_filter::json::same_name;

use super::schema::{Attribute, COMMON, ENTERPRISE_USER, GROUP, Schema, USER, WATS_USER, find};

/// Whether two resources of a type can have the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Names {
    /// No; names are unique ignoring letter case.
    Unique,
    /// Yes.
    Shared,
}

/// A resource type (RFC 7643 §6).
#[derive(Debug)]
pub(super) struct Kind {
    /// Its endpoint, such as `Users`.
    pub(super) endpoint: &'static str,
    pub(super) schema: &'static Schema,
    pub(super) extensions: &'static [&'static Schema],
    /// The required attribute that names a resource.
    pub(super) name_attribute: &'static str,
    pub(super) names: Names,
}

/// All types, in the order of `/ResourceTypes`.
pub(super) const KINDS: &[Kind] = &[
    Kind::new("Users", &USER, &[&ENTERPRISE_USER, &WATS_USER], "userName", Names::Unique),
    Kind::new("Groups", &GROUP, &[], "displayName", Names::Shared),
];

/// The type of users.
pub(super) fn users() -> Option<&'static Kind> {
    at("Users")
}

/// The type of an endpoint.
pub(super) fn at(endpoint: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.endpoint == endpoint)
}

/// Whether the URN is that of a core schema, whose attributes are at the top level.
pub(super) fn is_core(urn: &str) -> bool {
    KINDS.iter().any(|kind| same_name(kind.schema.id, urn))
}

impl Kind {
    const fn new(
        endpoint: &'static str,
        schema: &'static Schema,
        extensions: &'static [&'static Schema],
        name_attribute: &'static str,
        names: Names,
    ) -> Self {
        Self { endpoint, schema, extensions, name_attribute, names }
    }

    /// The value of `meta.resourceType`.
    pub(super) fn name(&self) -> &'static str {
        self.schema.name
    }

    /// An attribute at the top level.
    pub(super) fn attribute(&self, name: &str) -> Option<&'static Attribute> {
        find(COMMON, name).or_else(|| self.schema.attribute(name))
    }

    /// An extension by its URN.
    pub(super) fn extension(&self, urn: &str) -> Option<&'static Schema> {
        self.extensions.iter().copied().find(|schema| same_name(schema.id, urn))
    }

    /// All attributes at the top level.
    pub(super) fn attributes(&self) -> impl Iterator<Item = &'static Attribute> {
        COMMON.iter().chain(self.schema.attributes)
    }
}
