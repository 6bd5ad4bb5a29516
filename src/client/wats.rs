//! The attributes that WATS lets a PATCH set, each by a name of its own.

use super::{ScimRepository, ScimService, example, maybe_async};
use crate::error::Operation;
use crate::error::{Error, Result};
use crate::model::{Resource, ScimPatchRequest, ScimUser};

#[maybe_async]
impl<R: ScimRepository> ScimService<R> {
    /// Sets the name to show (`displayName`).
    ///
    /// WATS documents `fullName`, and not this path; see
    /// [`update_full_name`](Self::update_full_name).
    ///
    /// # Errors
    ///
    /// As [`update_user`](Self::update_user).
    ///
    #[doc = example!(
        "# let id = a_user(&client)" await "?;\n\
         client.update_display_name(&id, \"Jane Roe\")" await "?;"
    )]
    pub async fn update_display_name(&self, id: &str, display_name: &str) -> Result<Option<ScimUser>> {
        self.replace(id, "displayName", display_name).await
    }

    /// Sets the full name (WATS's path `fullName`).
    ///
    /// # Errors
    ///
    /// As [`update_user`](Self::update_user).
    ///
    #[doc = example!(
        "# let id = a_user(&client)" await "?;\n\
         client.update_full_name(&id, \"Jane Roe\")" await "?;"
    )]
    pub async fn update_full_name(&self, id: &str, full_name: &str) -> Result<Option<ScimUser>> {
        self.replace(id, "fullName", full_name).await
    }

    /// Sets the given name (WATS's path `givenName`).
    ///
    /// # Errors
    ///
    /// As [`update_user`](Self::update_user).
    ///
    #[doc = example!(
        "# let id = a_user(&client)" await "?;\n\
         client.update_given_name(&id, \"Jane\")" await "?;"
    )]
    pub async fn update_given_name(&self, id: &str, given_name: &str) -> Result<Option<ScimUser>> {
        self.replace(id, "givenName", given_name).await
    }

    /// Sets the family name (WATS's path `familyName`).
    ///
    /// # Errors
    ///
    /// As [`update_user`](Self::update_user).
    ///
    #[doc = example!(
        "# let id = a_user(&client)" await "?;\n\
         client.update_family_name(&id, \"Roe\")" await "?;"
    )]
    pub async fn update_family_name(&self, id: &str, family_name: &str) -> Result<Option<ScimUser>> {
        self.replace(id, "familyName", family_name).await
    }

    /// Sets the address (WATS's path `email`).
    ///
    /// # Errors
    ///
    /// As [`update_user`](Self::update_user).
    ///
    #[doc = example!(
        "# let id = a_user(&client)" await "?;\n\
         client.update_email(&id, \"jane.roe@example.com\")" await "?;"
    )]
    pub async fn update_email(&self, id: &str, email: &str) -> Result<Option<ScimUser>> {
        self.replace(id, "email", email).await
    }

    /// Gives the user this role in place of the one it has (WATS's path `roles`, which takes one).
    ///
    /// # Errors
    ///
    /// [`BadRequest`](crate::ErrorKind::BadRequest) if the server knows no such role, or as
    /// [`update_user`](Self::update_user).
    ///
    #[doc = example!(
        "# let id = a_user(&client)" await "?;\n\
         client.set_user_role(&id, \"Operator\")" await "?;"
    )]
    pub async fn set_user_role(&self, id: &str, role: &str) -> Result<Option<ScimUser>> {
        self.replace(id, "roles", role).await
    }

    /// Adds levels to those that the user is restricted to (WATS's path `levels`).
    ///
    /// WATS only ever adds here, although the operation it takes is called `replace`; levels are
    /// taken away in the WATS Control Panel. Each level must exist.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if none is given, or one is empty or has a
    /// `;` in it, which WATS would read as two; or as [`update_user`](Self::update_user).
    ///
    #[doc = example!(
        "# let id = a_user(&client)" await "?;\n\
         client.add_user_levels(&id, &[\"Level 1\", \"Level 2\"])" await "?;"
    )]
    pub async fn add_user_levels(&self, id: &str, levels: &[&str]) -> Result<Option<ScimUser>> {
        let levels = joined(levels, "level")?;
        self.replace(id, "levels", &levels).await
    }

    /// Adds product groups to those that the user is restricted to (WATS's path `productGroups`).
    ///
    /// WATS only ever adds here; see [`add_user_levels`](Self::add_user_levels).
    ///
    /// # Errors
    ///
    /// As [`add_user_levels`](Self::add_user_levels).
    ///
    #[doc = example!(
        "# let id = a_user(&client)" await "?;\n\
         client.add_user_product_groups(&id, &[\"Group A\"])" await "?;"
    )]
    pub async fn add_user_product_groups(&self, id: &str, groups: &[&str]) -> Result<Option<ScimUser>> {
        let groups = joined(groups, "product group")?;
        self.replace(id, "productGroups", &groups).await
    }

    async fn replace(&self, id: &str, path: &str, value: &str) -> Result<Option<ScimUser>> {
        self.update_user(id, &ScimPatchRequest::new().replace(path, value)).await
    }
}

/// Several values as WATS reads them: joined by `;`.
fn joined(values: &[&str], what: &str) -> Result<String> {
    let refuse = |why: String| Err(Error::invalid(why).in_operation(Operation::Patch(ScimUser::NAME)));
    if values.is_empty() {
        return refuse(format!("no {what} is given"));
    }
    match values.iter().find(|value| value.trim().is_empty() || value.contains(';')) {
        Some(value) => refuse(format!("the {what} {value:?} is empty or has a ; in it, which WATS reads as two")),
        None => Ok(values.join(";")),
    }
}
