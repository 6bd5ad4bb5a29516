//! Schemas and their attributes (RFC 7643 §7).

mod core;
mod enterprise;
mod render;
mod wats;

use wats_scim_filter::json::same_name;

pub(super) use self::core::{COMMON, GROUP, USER};
pub(super) use self::enterprise::ENTERPRISE_USER;
pub(super) use self::render::render;
pub(super) use self::wats::WATS_USER;

/// A schema, core or extension.
#[derive(Debug)]
pub(super) struct Schema {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) description: &'static str,
    pub(super) attributes: &'static [Attribute],
}

impl Schema {
    pub(super) fn attribute(&self, name: &str) -> Option<&'static Attribute> {
        find(self.attributes, name)
    }
}

/// An attribute by its name, ignoring letter case.
pub(super) fn find(attributes: &'static [Attribute], name: &str) -> Option<&'static Attribute> {
    attributes.iter().find(|attribute| same_name(attribute.name, name))
}

/// The data type of one value (RFC 7643 §2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Text,
    Boolean,
    DateTime,
    Reference,
    Binary,
    Complex,
}

/// Who may change an attribute, and when (RFC 7643 §7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mutability {
    ReadWrite,
    ReadOnly,
    Immutable,
    WriteOnly,
}

/// One attribute; by default an optional string that clients can write.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "the columns of a table, as in RFC 7643 §7")]
pub(super) struct Attribute {
    pub(super) name: &'static str,
    pub(super) of: Type,
    pub(super) many: bool,
    pub(super) required: bool,
    pub(super) case_exact: bool,
    pub(super) mutability: Mutability,
    /// Always returned.
    pub(super) always: bool,
    pub(super) unique: bool,
    /// The usual values of a text.
    pub(super) canonical: &'static [&'static str],
    /// What a reference points to: resource types, `external` or `uri`.
    pub(super) targets: &'static [&'static str],
    pub(super) subs: &'static [Attribute],
}

impl Attribute {
    const fn of(name: &'static str, of: Type) -> Self {
        Self {
            name,
            of,
            many: false,
            required: false,
            case_exact: false,
            mutability: Mutability::ReadWrite,
            always: false,
            unique: false,
            canonical: &[],
            targets: &[],
            subs: &[],
        }
    }

    const fn text(name: &'static str) -> Self {
        Self::of(name, Type::Text)
    }

    /// A text with usual values.
    const fn one_of(name: &'static str, canonical: &'static [&'static str]) -> Self {
        let mut attribute = Self::text(name);
        attribute.canonical = canonical;
        attribute
    }

    /// A reference to resources of these types, or to `external` or `uri`.
    const fn reference(name: &'static str, targets: &'static [&'static str]) -> Self {
        let mut attribute = Self::of(name, Type::Reference);
        attribute.targets = targets;
        attribute.exact()
    }

    const fn complex(name: &'static str, subs: &'static [Self]) -> Self {
        let mut attribute = Self::of(name, Type::Complex);
        attribute.subs = subs;
        attribute
    }

    const fn many(mut self) -> Self {
        self.many = true;
        self
    }

    const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    const fn exact(mut self) -> Self {
        self.case_exact = true;
        self
    }

    const fn unique(mut self) -> Self {
        self.unique = true;
        self
    }

    const fn always(mut self) -> Self {
        self.always = true;
        self
    }

    const fn mutable(mut self, mutability: Mutability) -> Self {
        self.mutability = mutability;
        self
    }

    const fn read_only(self) -> Self {
        self.mutable(Mutability::ReadOnly)
    }

    const fn immutable(self) -> Self {
        self.mutable(Mutability::Immutable)
    }

    pub(super) fn sub(&self, name: &str) -> Option<&'static Attribute> {
        find(self.subs, name)
    }

    /// Whether values are identified by `value` alone, so that two with the same `value` are one.
    pub(super) fn is_identified_by_value(&self) -> bool {
        self.sub("value").is_some_and(|value| value.mutability == Mutability::Immutable)
    }
}
