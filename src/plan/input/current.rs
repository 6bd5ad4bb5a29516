use serde::ser::{Error as _, SerializeStruct as _};
use serde::{Serialize, Serializer};

use crate::model::{ScimGroup, ScimListResponse, ScimUser};

/// The current users of a server and whether the list is complete, and its groups if they were read.
///
/// `ScimService::current_users` reads the users, `current_directory` the groups too. A plan over an incomplete list would create users that
/// exist already, so an incomplete list is rejected.
///
/// ```
/// use wats_scim::ScimListResponse;
/// use wats_scim::plan::Current;
///
/// let page: ScimListResponse = serde_json::from_str(
///     r#"{"totalResults": 250, "Resources": [{"id": "1", "userName": "ann"}]}"#,
/// )?;
/// assert!(!Current::page(page).is_complete());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Current {
    users: Vec<ScimUser>,
    missing: Option<String>,
    server: Option<String>,
    account: Option<String>,
    groups: Option<Vec<CurrentGroup>>,
}

/// A group of a server, and whether its members are known.
#[derive(Clone, Debug, PartialEq)]
pub struct CurrentGroup {
    group: ScimGroup,
    unread: Option<String>,
    unread_groups: Option<String>,
}

impl CurrentGroup {
    /// A group with all of its members.
    #[must_use]
    pub fn complete(group: ScimGroup) -> Self {
        Self { group, unread: None, unread_groups: None }
    }

    /// A group whose members could not be read, with the reason. A plan leaves its members unchanged.
    #[must_use]
    pub fn unread(group: ScimGroup, reason: impl Into<String>) -> Self {
        Self { group, unread: Some(reason.into()), unread_groups: None }
    }

    /// A group with all users that are its members, whose nested groups could not be read, with the reason. A
    /// plan leaves its nested groups unchanged.
    #[must_use]
    pub fn of_users(group: ScimGroup, reason: impl Into<String>) -> Self {
        Self { group, unread: None, unread_groups: Some(reason.into()) }
    }

    /// The group.
    #[must_use]
    pub fn group(&self) -> &ScimGroup {
        &self.group
    }

    /// The reason why its members are not known; `None` if they are.
    #[must_use]
    pub fn why_unread(&self) -> Option<&str> {
        self.unread.as_deref()
    }

    /// The reason why its nested groups are not known, although its other members are; `None` if they are.
    #[must_use]
    pub fn why_groups_unread(&self) -> Option<&str> {
        self.unread_groups.as_deref()
    }
}

/// As JSON (serde) it is the export of a server that [`directory_from_json`](crate::import::directory_from_json)
/// reads: an object with `users` and, if they were read, `groups`. A group whose members are not known has no
/// `members`. An incomplete list is an error.
///
/// ```
/// use wats_scim::ScimUser;
/// use wats_scim::import::directory_from_json;
/// use wats_scim::plan::{Current, Policy};
///
/// let current = Current::complete(vec![ScimUser::new("ann").with_external_id("1")]);
/// let export = serde_json::to_string(&current)?;
/// let plan = Policy::default().plan(&current, &directory_from_json(export)?)?;
/// assert!(plan.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl Serialize for Current {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Some(why) = &self.missing {
            return Err(S::Error::custom(format!("the list of the server's users is incomplete ({why})")));
        }
        let mut object = serializer.serialize_struct("Current", 2)?;
        object.serialize_field("users", &self.users)?;
        match &self.groups {
            Some(groups) => object.serialize_field("groups", groups)?,
            None => object.skip_field("groups")?,
        }
        object.end()
    }
}

impl Serialize for CurrentGroup {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.unread {
            None => self.group.serialize(serializer),
            Some(_) => ScimGroup { members: None, ..self.group.clone() }.serialize(serializer),
        }
    }
}

impl Current {
    /// All users of the server, from a listing that was read to its end. If the listing had a filter,
    /// the plan covers the users that match it.
    #[must_use]
    pub fn complete(users: Vec<ScimUser>) -> Self {
        Self { users, missing: None, server: None, account: None, groups: None }
    }

    /// An incomplete list, with the reason.
    #[must_use]
    pub fn partial(users: Vec<ScimUser>, reason: impl Into<String>) -> Self {
        Self { users, missing: Some(reason.into()), server: None, account: None, groups: None }
    }

    /// The users of one page; complete if its total says so.
    #[must_use]
    pub fn page(page: ScimListResponse) -> Self {
        let missing = match page.total_results {
            Some(total) if u64::try_from(page.resources.len()) == Ok(total) => None,
            Some(total) => Some(format!("it is a page of {} out of {total} users", page.resources.len())),
            None => Some("it is a page, and the server does not say how many users there are".to_owned()),
        };
        Self { users: page.resources, missing, server: None, account: None, groups: None }
    }

    /// Which server the users are from, as [`ScimConfig::scim_url`](crate::ScimConfig::scim_url) writes its
    /// address. A plan for them is applied to no other server. `ScimService::current_users` sets it.
    #[must_use]
    pub fn of_server(self, scim_url: impl Into<String>) -> Self {
        Self { server: Some(scim_url.into()), ..self }
    }

    /// The `userName` of the account with which the server is accessed. A plan leaves it unchanged.
    /// `ScimService::current_users` sets it if the credentials have a user name.
    #[must_use]
    pub fn of_account(self, user_name: impl Into<String>) -> Self {
        Self { account: Some(user_name.into()), ..self }
    }

    /// With the groups of the server: all of them.
    #[must_use]
    pub fn with_groups(self, groups: Vec<CurrentGroup>) -> Self {
        Self { groups: Some(groups), ..self }
    }

    /// Whether the list is complete.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.missing.is_none()
    }

    /// The users.
    #[must_use]
    pub fn users(&self) -> &[ScimUser] {
        &self.users
    }

    /// The groups; `None` if they were not read.
    #[must_use]
    pub fn groups(&self) -> Option<&[CurrentGroup]> {
        self.groups.as_deref()
    }

    /// The same, of a server and of an account where they are known.
    pub(crate) fn seen_at(self, server: Option<&str>, account: Option<&str>) -> Self {
        let known = |name: Option<&str>, before| name.map(ToOwned::to_owned).or(before);
        Self { server: known(server, self.server), account: known(account, self.account), ..self }
    }

    pub(crate) fn account(&self) -> Option<&str> {
        self.account.as_deref()
    }

    pub(crate) fn server(&self) -> Option<&str> {
        self.server.as_deref()
    }

    /// The reason for an incomplete list.
    pub(crate) fn missing(&self) -> Option<&str> {
        self.missing.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_page_is_complete_if_the_total_says_so() {
        for (page, is_complete) in [
            (json!({ "totalResults": 1, "Resources": [{ "id": "1" }] }), true),
            (json!({ "totalResults": 0, "Resources": [] }), true),
            (json!({ "totalResults": 2, "Resources": [{ "id": "1" }] }), false),
            (json!({ "Resources": [{ "id": "1" }] }), false),
        ] {
            let page = serde_json::from_value(page).unwrap();
            assert_eq!(Current::page(page).is_complete(), is_complete);
        }
    }
}
