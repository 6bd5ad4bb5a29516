//! A method for each attribute that WATS accepts in a PATCH.

use std::fmt;

use super::{ScimRepository, ScimService, example, maybe_async};
use crate::error::Result;
use crate::model::{ScimPatchRequest, ScimUser, Target};
use crate::wats::joined;

/// The methods that only a WATS server supports, from [`ScimService::wats`].
///
#[doc = example!(
    "# let id = a_user(&client)" await "?;\n\
     client.wats().set_user_role(&id, \"Operator\")" await "?;\n\
     client.wats().add_user_levels(&id, &[\"Level 1\"])" await "?;"
)]
pub struct WatsService<R> {
    service: ScimService<R>,
}

impl<R: ScimRepository> ScimService<R> {
    /// The methods that only a WATS server supports: full name, email, role, levels, product groups.
    ///
    #[doc = example!(
        "# let id = a_user(&client)" await "?;\n\
         client.wats().update_full_name(&id, \"Jane Roe\")" await "?;"
    )]
    #[must_use]
    pub fn wats(&self) -> WatsService<R> {
        WatsService { service: self.clone() }
    }
}

#[maybe_async]
impl<R: ScimRepository> WatsService<R> {
    /// Sets the full name (the WATS path `fullName`).
    ///
    /// # Errors
    ///
    /// As [`update_user`](ScimService::update_user).
    ///
    #[doc = example!(
        "# let id = a_user(&client)" await "?;\n\
         client.wats().update_full_name(&id, \"Jane Roe\")" await "?;"
    )]
    pub async fn update_full_name<'a>(
        &self,
        user: impl Into<Target<'a>> + Send,
        full_name: &str,
    ) -> Result<Option<ScimUser>> {
        self.replace(user.into(), "fullName", full_name).await
    }

    /// Sets the given name (the WATS path `givenName`).
    ///
    /// # Errors
    ///
    /// As [`update_user`](ScimService::update_user).
    ///
    #[doc = example!(
        "# let id = a_user(&client)" await "?;\n\
         client.wats().update_given_name(&id, \"Jane\")" await "?;"
    )]
    pub async fn update_given_name<'a>(
        &self,
        user: impl Into<Target<'a>> + Send,
        given_name: &str,
    ) -> Result<Option<ScimUser>> {
        self.replace(user.into(), "givenName", given_name).await
    }

    /// Sets the family name (the WATS path `familyName`).
    ///
    /// # Errors
    ///
    /// As [`update_user`](ScimService::update_user).
    ///
    #[doc = example!(
        "# let id = a_user(&client)" await "?;\n\
         client.wats().update_family_name(&id, \"Roe\")" await "?;"
    )]
    pub async fn update_family_name<'a>(
        &self,
        user: impl Into<Target<'a>> + Send,
        family_name: &str,
    ) -> Result<Option<ScimUser>> {
        self.replace(user.into(), "familyName", family_name).await
    }

    /// Sets the email address (the WATS path `email`).
    ///
    /// # Errors
    ///
    /// As [`update_user`](ScimService::update_user).
    ///
    #[doc = example!(
        "# let id = a_user(&client)" await "?;\n\
         client.wats().update_email(&id, \"jane.roe@example.com\")" await "?;"
    )]
    pub async fn update_email<'a>(&self, user: impl Into<Target<'a>> + Send, email: &str) -> Result<Option<ScimUser>> {
        self.replace(user.into(), "email", email).await
    }

    /// Sets the role of a user; a user has one role (the WATS path `roles`).
    ///
    /// # Errors
    ///
    /// [`BadRequest`](crate::ErrorKind::BadRequest) if the role does not exist on the server, or as
    /// [`update_user`](ScimService::update_user).
    ///
    #[doc = example!(
        "# let id = a_user(&client)" await "?;\n\
         client.wats().set_user_role(&id, \"Operator\")" await "?;"
    )]
    pub async fn set_user_role<'a>(&self, user: impl Into<Target<'a>> + Send, role: &str) -> Result<Option<ScimUser>> {
        self.replace(user.into(), "roles", role).await
    }

    /// Adds levels to the levels that a user is restricted to (the WATS path `levels`).
    ///
    /// WATS adds the levels although its operation is called `replace`. To remove levels, use the WATS
    /// Control Panel. Each level must exist on the server.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if `levels` is empty, or if a level is empty
    /// or contains `;`, which WATS uses as the separator; or as
    /// [`update_user`](ScimService::update_user).
    ///
    #[doc = example!(
        "# let id = a_user(&client)" await "?;\n\
         client.wats().add_user_levels(&id, &[\"Level 1\", \"Level 2\"])" await "?;"
    )]
    pub async fn add_user_levels<'a>(
        &self,
        user: impl Into<Target<'a>> + Send,
        levels: &[&str],
    ) -> Result<Option<ScimUser>> {
        let levels = joined(levels, "level")?;
        self.replace(user.into(), "levels", &levels).await
    }

    /// Adds product groups to the product groups that a user is restricted to (the WATS path
    /// `productGroups`).
    ///
    /// WATS cannot remove them here; see [`add_user_levels`](Self::add_user_levels).
    ///
    /// # Errors
    ///
    /// As [`add_user_levels`](Self::add_user_levels).
    ///
    #[doc = example!(
        "# let id = a_user(&client)" await "?;\n\
         client.wats().add_user_product_groups(&id, &[\"Group A\"])" await "?;"
    )]
    pub async fn add_user_product_groups<'a>(
        &self,
        user: impl Into<Target<'a>> + Send,
        groups: &[&str],
    ) -> Result<Option<ScimUser>> {
        let groups = joined(groups, "product group")?;
        self.replace(user.into(), "productGroups", &groups).await
    }

    async fn replace(&self, user: Target<'_>, path: &str, value: &str) -> Result<Option<ScimUser>> {
        self.service.update_user(user, &ScimPatchRequest::new().replace(path, value)).await
    }
}

impl<R> Clone for WatsService<R> {
    fn clone(&self) -> Self {
        Self { service: self.service.clone() }
    }
}

impl<R> fmt::Debug for WatsService<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatsService").finish_non_exhaustive()
    }
}
