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
            Attribute::reference("location", &["uri"]).read_only(),
            Attribute::text("version").exact().read_only(),
        ],
    )
    .read_only(),
];

/// The sub-attributes of most multi-valued attributes (RFC 7643 §2.4), with the usual values of `type`.
macro_rules! plural {
    ($($type:literal),*) => {
        &[
            Attribute::text("value"),
            Attribute::text("display"),
            Attribute::one_of("type", &[$($type),*]),
            Attribute::of("primary", Type::Boolean),
        ]
    };
}

const EMAIL: &[Attribute] = plural!("work", "home", "other");
const PHONE_NUMBER: &[Attribute] = plural!("work", "home", "mobile", "fax", "pager", "other");
const IM: &[Attribute] = plural!("aim", "gtalk", "icq", "xmpp", "msn", "skype", "qq", "yahoo");
const PLURAL: &[Attribute] = plural!();

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
    Attribute::one_of("type", &["work", "home", "other"]),
    Attribute::of("primary", Type::Boolean),
];

const PHOTO: &[Attribute] = &[
    Attribute::reference("value", &["external"]),
    Attribute::text("display"),
    Attribute::one_of("type", &["photo", "thumbnail"]),
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
    Attribute::reference("$ref", &["User", "Group"]).read_only(),
    Attribute::text("display").read_only(),
    Attribute::one_of("type", &["direct", "indirect"]).read_only(),
];

const MEMBER: &[Attribute] = &[
    Attribute::text("value").exact().required().immutable(),
    Attribute::reference("$ref", &["User", "Group"]).immutable(),
    Attribute::one_of("type", &["User", "Group"]).immutable(),
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
        Attribute::reference("profileUrl", &["external"]),
        Attribute::text("title"),
        Attribute::text("userType"),
        Attribute::text("preferredLanguage"),
        Attribute::text("locale"),
        Attribute::text("timezone"),
        Attribute::of("active", Type::Boolean),
        Attribute::text("password").mutable(Mutability::WriteOnly),
        Attribute::complex("emails", EMAIL).many(),
        Attribute::complex("phoneNumbers", PHONE_NUMBER).many(),
        Attribute::complex("ims", IM).many(),
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
