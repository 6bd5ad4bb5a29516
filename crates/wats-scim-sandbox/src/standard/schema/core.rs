//! The core schemas User and Group (RFC 7643 §4), and the common attributes (§3.1).

use super::{Attribute, Mutability, Schema, Type};

/// The attributes of every resource.
pub(in crate::standard) const COMMON: &[Attribute] = &[
    Attribute::text("schemas").many().exact().always(),
    Attribute::text("id").exact().read_only().always().unique(),
    Attribute::text("externalId").exact(),
    Attribute::complex(
        "meta",
        &[
            Attribute::text("resourceType").exact().read_only(),
            Attribute::of("created", Type::DateTime).read_only(),
            Attribute::of("lastModified", Type::DateTime).read_only(),
            Attribute::of("location", Type::Reference).exact().read_only(),
            Attribute::text("version").exact().read_only(),
        ],
    )
    .read_only(),
];

/// The sub-attributes of most multi-valued attributes (RFC 7643 §2.4).
const PLURAL: &[Attribute] = &[
    Attribute::text("value"),
    Attribute::text("display"),
    Attribute::text("type"),
    Attribute::of("primary", Type::Boolean),
];

const NAME: &[Attribute] = &[
    Attribute::text("formatted"),
    Attribute::text("familyName"),
    Attribute::text("givenName"),
    Attribute::text("middleName"),
    Attribute::text("honorificPrefix"),
    Attribute::text("honorificSuffix"),
];

const ADDRESS: &[Attribute] = &[
    Attribute::text("formatted"),
    Attribute::text("streetAddress"),
    Attribute::text("locality"),
    Attribute::text("region"),
    Attribute::text("postalCode"),
    Attribute::text("country"),
    Attribute::text("type"),
    Attribute::of("primary", Type::Boolean),
];

const PHOTO: &[Attribute] = &[
    Attribute::of("value", Type::Reference).exact(),
    Attribute::text("display"),
    Attribute::text("type"),
    Attribute::of("primary", Type::Boolean),
];

const CERTIFICATE: &[Attribute] = &[
    Attribute::of("value", Type::Binary).exact(),
    Attribute::text("display"),
    Attribute::text("type"),
    Attribute::of("primary", Type::Boolean),
];

const GROUP_OF_USER: &[Attribute] = &[
    Attribute::text("value").exact().read_only(),
    Attribute::of("$ref", Type::Reference).exact().read_only(),
    Attribute::text("display").read_only(),
    Attribute::text("type").read_only(),
];

const MEMBER: &[Attribute] = &[
    Attribute::text("value").exact().required().immutable(),
    Attribute::of("$ref", Type::Reference).exact().immutable(),
    Attribute::text("type").immutable(),
    Attribute::text("display").read_only(),
];

/// RFC 7643 §4.1.
pub(in crate::standard) const USER: Schema = Schema {
    id: "urn:ietf:params:scim:schemas:core:2.0:User",
    name: "User",
    description: "User Account",
    attributes: &[
        Attribute::text("userName").required().unique(),
        Attribute::complex("name", NAME),
        Attribute::text("displayName"),
        Attribute::text("nickName"),
        Attribute::of("profileUrl", Type::Reference).exact(),
        Attribute::text("title"),
        Attribute::text("userType"),
        Attribute::text("preferredLanguage"),
        Attribute::text("locale"),
        Attribute::text("timezone"),
        Attribute::of("active", Type::Boolean),
        Attribute::text("password").mutable(Mutability::WriteOnly),
        Attribute::complex("emails", PLURAL).many(),
        Attribute::complex("phoneNumbers", PLURAL).many(),
        Attribute::complex("ims", PLURAL).many(),
        Attribute::complex("photos", PHOTO).many(),
        Attribute::complex("addresses", ADDRESS).many(),
        Attribute::complex("groups", GROUP_OF_USER).many().read_only(),
        Attribute::complex("entitlements", PLURAL).many(),
        Attribute::complex("roles", PLURAL).many(),
        Attribute::complex("x509Certificates", CERTIFICATE).many(),
    ],
};

/// RFC 7643 §4.2.
pub(in crate::standard) const GROUP: Schema = Schema {
    id: "urn:ietf:params:scim:schemas:core:2.0:Group",
    name: "Group",
    description: "Group",
    attributes: &[Attribute::text("displayName").required(), Attribute::complex("members", MEMBER).many()],
};
