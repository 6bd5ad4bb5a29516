//! The enterprise extension of a user (RFC 7643 §4.3).

use super::{Attribute, Schema};

const MANAGER: &[Attribute] = &[
    Attribute::text("value").exact(),
    Attribute::reference("$ref", &["User"]),
    Attribute::text("displayName").read_only(),
];

pub(in crate::standard) const ENTERPRISE_USER: Schema = Schema {
    id: "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
    name: "EnterpriseUser",
    description: "Enterprise User",
    attributes: &[
        Attribute::text("employeeNumber"),
        Attribute::text("costCenter"),
        Attribute::text("organization"),
        Attribute::text("division"),
        Attribute::text("department"),
        Attribute::complex("manager", MANAGER),
    ],
};
