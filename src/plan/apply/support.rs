//! Whether a server supports the request of a step, by its profile: decided before anything is sent.

use crate::config::Profile;
use crate::error::Result;
use crate::model::{ScimGroup, ScimPatchRequest, ScimUser};
use crate::plan::{Action, Rules, Step};

impl Rules {
    /// Checks that a server with this profile supports what the step sends.
    ///
    /// # Errors
    ///
    /// [`Unsupported`](crate::ErrorKind::Unsupported), with the reason.
    pub(crate) fn check_support(&self, step: &Step, profile: &Profile) -> Result<()> {
        match step.action {
            Action::Create | Action::Delete => profile.check_resource::<ScimUser>(),
            Action::Update | Action::Adopt | Action::FreeName | Action::Reactivate | Action::Deactivate => {
                profile.check_resource::<ScimUser>()?;
                profile.check_patch(&self.patch_of(step))
            }
            Action::CreateGroup | Action::DeleteGroup => profile.check_resource::<ScimGroup>(),
            Action::RenameGroup | Action::AddMembers | Action::RemoveMembers => {
                profile.check_resource::<ScimGroup>()?;
                if profile.patches {
                    return profile.check_patch(&step.group_patch(profile));
                }
                profile.check_replacement()?;
                if profile.shows_members() {
                    return Ok(());
                }
                Err(profile.unsupported(
                    "PATCH, and its groups do not show their members: a replacement would remove members that cannot be \
                     read; change the group on the server",
                ))
            }
        }
    }

    /// The patch of a user as it was planned. WATS has its own, which depends on the user that is read, and
    /// has only what WATS supports.
    fn patch_of(&self, step: &Step) -> ScimPatchRequest {
        if self.is_wats { ScimPatchRequest::new() } else { step.patch() }
    }
}

impl Step {
    fn group_patch(&self, profile: &Profile) -> ScimPatchRequest {
        match self.action {
            Action::AddMembers | Action::RemoveMembers => {
                self.members_patch(&self.members, profile.removes_members_by_list)
            }
            _ => self.patch(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::config::{MemberPages, Membership};
    use crate::plan::{Change, Reference};

    const GROUPS: [Action; 5] =
        [Action::CreateGroup, Action::RenameGroup, Action::AddMembers, Action::RemoveMembers, Action::DeleteGroup];

    fn step(action: Action) -> Step {
        let members = [json!({ "id": "1" })];
        let step = json!({ "action": action, "name": "a", "id": "7", "members": members });
        serde_json::from_value(step).unwrap()
    }

    fn changing(path: &str) -> Step {
        Step {
            changes: vec![Change { path: path.to_owned(), from: None, to: Some("b".into()) }],
            ..step(Action::Update)
        }
    }

    fn why(step: &Step, profile: &Profile) -> Option<String> {
        Rules::default().check_support(step, profile).err().map(|error| error.to_string())
    }

    #[test]
    fn wats_has_no_groups_and_renames_no_user() {
        let wats = Profile::wats();
        for action in GROUPS {
            assert_eq!(why(&step(action), &wats).unwrap(), "a WATS server does not support groups");
            assert_eq!(why(&step(action), &Profile::standard()), None);
        }
        for (path, is_supported) in [("userName", false), ("externalId", false), ("active", true), ("title", false)] {
            assert_eq!(why(&changing(path), &wats).is_none(), is_supported, "{path}");
            assert_eq!(why(&changing(path), &Profile::standard()), None);
        }
        assert_eq!((why(&step(Action::Create), &wats), why(&step(Action::Delete), &wats)), (None, None));
        let own = Rules { is_wats: true, ..Rules::default() };
        assert_eq!(
            own.check_support(&changing("name.familyName"), &wats).ok(),
            Some(()),
            "it is sent in the dialect of WATS"
        );
    }

    #[test]
    fn without_patch_a_group_is_replaced_only_if_its_members_can_be_read() {
        let without_patch = json!({ "patch": { "supported": false } });
        let profile = Profile::standard().described(Some(&without_patch), None);
        for action in GROUPS {
            let paged = profile.clone().with_membership(Membership::Paged(MemberPages::Endpoint));
            assert_eq!((why(&step(action), &profile), why(&step(action), &paged)), (None, None), "{action:?}");
            for membership in [Membership::OfUsers, Membership::ByFilter, Membership::Hidden] {
                let is_whole = matches!(action, Action::CreateGroup | Action::DeleteGroup);
                let why = why(&step(action), &profile.clone().with_membership(membership));
                assert_eq!(why.is_none(), is_whole, "{action:?} {membership:?}: {why:?}");
            }
        }
        assert!(why(&changing("title"), &profile).unwrap().contains("does not support PATCH"));
    }

    #[test]
    fn a_patch_that_is_checked_is_the_one_that_is_sent() {
        let member = Reference::id("1");
        let step = Step { members: vec![member.clone()], ..step(Action::RemoveMembers) };
        let by_list = Profile::standard().allow_removal_by_list();
        assert_eq!(step.group_patch(&by_list), step.members_patch(&[member], true));
        let cleared = Change { path: "title".to_owned(), from: Some(Value::from("T")), to: None };
        let step = Step { changes: vec![cleared], ..changing("title") };
        assert_eq!(step.patch(), ScimPatchRequest::new().remove("title"));
    }
}
