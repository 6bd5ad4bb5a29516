//! What groups have that other resources have not: members.

use wats_scim_filter::Filter;

use super::{ScimRepository, ScimResources, ScimService, example, maybe_async};
use crate::error::Result;
use crate::model::Target;
use crate::model::{PatchOp, ScimGroup, ScimMember, ScimPatchOperation, ScimPatchRequest};

impl<R: ScimRepository> ScimService<R> {
    /// The groups. WATS has none.
    #[must_use]
    pub fn groups(&self) -> ScimResources<R, ScimGroup> {
        self.resources()
    }
}

/// The most members that one request adds or removes; servers cap them.
const MEMBERS: usize = 100;

#[maybe_async]
impl<R: ScimRepository> ScimResources<R, ScimGroup> {
    /// Adds members by their ids. Those who belong to it already stay; nobody else is touched.
    ///
    /// Up to 100 go in one request. An error leaves the requests before it applied, and adding the
    /// same members again is safe.
    ///
    /// # Errors
    ///
    /// [`Error`](crate::Error), as for [`update`](Self::update).
    ///
    #[doc = example!(
        standard
        "# let id = a_user(&client)" await "?;\n\
         let groups = client.groups();\n\
         let group = groups.create(&ScimGroup::new(\"Testers\"))" await "?;\n\
         groups.add_members(&group, &[&id])" await "?;\n\
         groups.remove_members(&group, &[&id])" await "?;"
    )]
    pub async fn add_members<'a>(&self, group: impl Into<Target<'a>> + Send, member_ids: &[&str]) -> Result<()> {
        let group = group.into();
        for ids in member_ids.chunks(MEMBERS) {
            let members = ids.iter().map(|id| ScimMember::new(*id)).map(serde_json::to_value);
            let members = members.collect::<serde_json::Result<Vec<_>>>().map_err(crate::exchange::unwritable)?;
            self.update(group, &ScimPatchRequest::new().add("members", members)).await?;
        }
        Ok(())
    }

    /// Removes members by their ids. Nobody else is touched.
    ///
    /// Up to 100 go in one request. An error leaves the requests before it applied.
    ///
    /// # Errors
    ///
    /// [`Error`](crate::Error), as for [`update`](Self::update). Some servers refuse to remove
    /// somebody who does not belong to the group.
    pub async fn remove_members<'a>(&self, group: impl Into<Target<'a>> + Send, member_ids: &[&str]) -> Result<()> {
        let group = group.into();
        for ids in member_ids.chunks(MEMBERS) {
            let patch = ids.iter().fold(ScimPatchRequest::new(), |patch, id| {
                let member = Filter::any_of("members", Filter::eq("value", *id));
                patch.with(ScimPatchOperation { op: PatchOp::Remove, path: Some(member.to_string()), value: None })
            });
            self.update(group, &patch).await?;
        }
        Ok(())
    }
}
