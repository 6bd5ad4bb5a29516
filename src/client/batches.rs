//! The methods of the service that start a batch.

use std::sync::Arc;

use super::{ScimBatch, ScimRepository, ScimService, Source, example};
use crate::model::ScimWrite;
use crate::model::{ResourceId, ScimPatchRequest, ScimUser};

impl<R: ScimRepository> ScimService<R> {
    /// Sends many writes concurrently: creations, changes and deletions in one batch.
    ///
    /// Lazy: no request is sent until the first result is read. See [`ScimBatch`].
    ///
    #[doc = example!(
        "let jane = ScimUser::new(\"jane@example.com\");\n\
         let items = client.write_users([ScimWrite::create(jane)]).run()" await ";\n\
         assert!(items[0].result.is_ok());"
    )]
    pub fn write_users<W>(&self, writes: W) -> ScimBatch<R, ScimUser>
    where
        W: IntoIterator<Item = ScimWrite>,
        W::IntoIter: Send + 'static,
    {
        ScimBatch::new(Arc::clone(self.shared_repository()), Source::of(writes))
    }

    /// Creates many users concurrently; the batch form of [`create_user`](Self::create_user).
    ///
    #[doc = example!(
        "let users = (1..=50).map(|n| ScimUser::new(format!(\"user{n}@example.com\")));\n\
         let items = client.create_users(users).in_flight(16).run()" await ";\n\
         assert!(items.iter().all(|item| item.result.is_ok()));"
    )]
    pub fn create_users<U>(&self, users: U) -> ScimBatch<R, ScimUser>
    where
        U: IntoIterator<Item = ScimUser>,
        U::IntoIter: Send + 'static,
    {
        self.write_users(users.into_iter().map(ScimWrite::create))
    }

    /// Changes many users concurrently; the batch form of [`update_user`](Self::update_user).
    ///
    #[doc = example!(
        "# let id = a_user(&client)" await "?;\n\
         let patch = ScimPatchRequest::new().replace(\"familyName\", \"Roe\");\n\
         let items = client.update_users([(id, patch)]).run()" await ";\n\
         assert!(items[0].result.is_ok());"
    )]
    pub fn update_users<I, P>(&self, patches: P) -> ScimBatch<R, ScimUser>
    where
        I: Into<ResourceId>,
        P: IntoIterator<Item = (I, ScimPatchRequest)>,
        P::IntoIter: Send + 'static,
    {
        self.write_users(patches.into_iter().map(|(id, patch)| ScimWrite::patch(id, patch)))
    }

    /// Deactivates many users concurrently; the batch form of
    /// [`deactivate_user`](Self::deactivate_user).
    ///
    #[doc = example!(
        "# let id = a_user(&client)" await "?;\n\
         let items = client.deactivate_users([id]).run()" await ";\n\
         assert!(items[0].result.is_ok());"
    )]
    pub fn deactivate_users<I>(&self, ids: I) -> ScimBatch<R, ScimUser>
    where
        I: IntoIterator,
        I::Item: Into<ResourceId> + 'static,
        I::IntoIter: Send + 'static,
    {
        self.write_users(ids.into_iter().map(|id| ScimWrite::set_active(id, false)))
    }

    /// Activates many users concurrently; the batch form of
    /// [`set_user_active`](Self::set_user_active).
    ///
    #[doc = example!(
        "# let id = a_user(&client)" await "?;\n\
         let items = client.activate_users([id]).run()" await ";\n\
         assert!(items[0].result.is_ok());"
    )]
    pub fn activate_users<I>(&self, ids: I) -> ScimBatch<R, ScimUser>
    where
        I: IntoIterator,
        I::Item: Into<ResourceId> + 'static,
        I::IntoIter: Send + 'static,
    {
        self.write_users(ids.into_iter().map(|id| ScimWrite::set_active(id, true)))
    }

    /// Deletes many users concurrently; the batch form of [`delete_user`](Self::delete_user).
    ///
    #[doc = example!(
        "# let id = a_user(&client)" await "?;\n\
         let items = client.delete_users([id]).run()" await ";\n\
         assert!(items[0].result.is_ok());"
    )]
    pub fn delete_users<I>(&self, ids: I) -> ScimBatch<R, ScimUser>
    where
        I: IntoIterator,
        I::Item: Into<ResourceId> + 'static,
        I::IntoIter: Send + 'static,
    {
        self.write_users(ids.into_iter().map(ScimWrite::delete))
    }
}
