//! The members of a group.

use super::{ScimRepository, ScimResources, example, maybe_async};
use crate::error::Result;
use crate::model::ScimGroup;
use crate::model::Target;
use crate::plan::{MEMBERS_IN_A_REQUEST, Reference, additions, removals};

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
            self.update(group, &additions(&members(ids))).await?;
        }
        Ok(())
    }

    /// Removes members from a group, by their ids. All other members stay.
    ///
    /// Each request removes up to 100 members, each by a path, or by a list if
    /// [the profile says so](crate::Profile::allow_removal_by_list). After an error, the earlier requests remain
    /// applied.
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
        let by_list = self.repository.profile().removes_members_by_list;
        for ids in member_ids.chunks(MEMBERS_IN_A_REQUEST) {
            self.update(group, &removals(&members(ids), by_list)).await?;
        }
        Ok(())
    }
}

fn members(ids: &[&str]) -> Vec<Reference> {
    ids.iter().map(|id| Reference::id(*id)).collect()
}
