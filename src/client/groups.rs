//! The members of a group.

use wats_scim_filter::Filter;

use super::{ScimRepository, ScimResources, example, maybe_async};
use crate::error::Result;
use crate::model::Target;
use crate::model::{PatchOp, ScimGroup, ScimMember, ScimPatchOperation, ScimPatchRequest};
use crate::plan::MEMBERS_IN_A_REQUEST;

#[maybe_async]
impl<R: ScimRepository> ScimResources<R, ScimGroup> {
    /// Adds members to a group, by their ids. Existing members stay.
    ///
    /// Each request adds up to 100 members. After an error, the earlier requests remain applied;
    /// adding the same members again is safe.
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update).
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
        for ids in member_ids.chunks(MEMBERS_IN_A_REQUEST) {
            let members = ids.iter().map(|id| ScimMember::new(*id)).map(serde_json::to_value);
            let members = members.collect::<serde_json::Result<Vec<_>>>().map_err(crate::exchange::unwritable)?;
            self.update(group, &ScimPatchRequest::new().add("members", members)).await?;
        }
        Ok(())
    }

    /// Removes members from a group, by their ids. All other members stay.
    ///
    /// Each request removes up to 100 members. After an error, the earlier requests remain applied.
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update). Some servers reject the removal of an id that is not a member.
    ///
    #[doc = example!(
        standard
        "# let id = a_user(&client)" await "?;\n\
         let group = client.groups().create(&ScimGroup::new(\"Testers\").with_member(ScimMember::new(&id)))" await "?;\n\
         client.groups().remove_members(&group, &[&id])" await "?;"
    )]
    pub async fn remove_members<'a>(&self, group: impl Into<Target<'a>> + Send, member_ids: &[&str]) -> Result<()> {
        let group = group.into();
        for ids in member_ids.chunks(MEMBERS_IN_A_REQUEST) {
            let patch = ids.iter().fold(ScimPatchRequest::new(), |patch, id| {
                let member = Filter::any_of("members", Filter::eq("value", *id));
                patch.with(ScimPatchOperation { op: PatchOp::Remove, path: Some(member.to_string()), value: None })
            });
            self.update(group, &patch).await?;
        }
        Ok(())
    }
}
