//! The short names of columns. Those of users are the names of `UserCsv`, and those of what CSV cannot have.

/// Names of columns with their paths, of which the first with a value counts.
pub(crate) type Names = &'static [(&'static str, &'static [&'static str])];

/// A path, as an example.
pub(crate) const DIVISION: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:division";

/// The columns of users.
pub(crate) const OF_USERS: Names = &[
    ("id", &["id"]),
    ("userName", &["userName"]),
    ("externalId", &["externalId"]),
    ("displayName", &["displayName"]),
    ("givenName", &["name.givenName"]),
    ("familyName", &["name.familyName"]),
    ("middleName", &["name.middleName"]),
    ("honorificPrefix", &["name.honorificPrefix"]),
    ("honorificSuffix", &["name.honorificSuffix"]),
    ("fullName", &["name.formatted"]),
    ("email", &["emails[primary eq true].value", "emails.value"]),
    ("active", &["active"]),
    ("nickName", &["nickName"]),
    ("title", &["title"]),
    ("userType", &["userType"]),
    ("preferredLanguage", &["preferredLanguage"]),
    ("locale", &["locale"]),
    ("timezone", &["timezone"]),
    ("profileUrl", &["profileUrl"]),
    ("roles", &["roles"]),
    ("groups", &["groups"]),
    ("employeeNumber", &["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber"]),
    ("costCenter", &["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:costCenter"]),
    ("organization", &["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:organization"]),
    ("division", &[DIVISION]),
    ("department", &["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department"]),
    ("manager.value", &["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value"]),
    ("levels", &["urn:ietf:params:scim:schemas:extension:custom:2.0:user:levels"]),
    ("productGroups", &["urn:ietf:params:scim:schemas:extension:custom:2.0:user:productGroups"]),
    ("created", &["meta.created"]),
    ("lastModified", &["meta.lastModified"]),
];

/// The columns of groups.
pub(crate) const OF_GROUPS: Names = &[
    ("id", &["id"]),
    ("displayName", &["displayName"]),
    ("externalId", &["externalId"]),
    ("members", &["members"]),
    ("created", &["meta.created"]),
    ("lastModified", &["meta.lastModified"]),
];
