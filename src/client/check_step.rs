//! One step of a plan, compared with the server without a write.

use super::apply_step::{Done, Mode, StepJob};
use super::group_step::found_group;
use super::members::read_group;
use super::settle::look_for;
use super::{ScimRepository, maybe_async};
use crate::error::Result;
use crate::model::{ScimGroup, ScimUser};
use crate::plan::{Action, Fit, Outcome, Reference};

#[maybe_async]
impl StepJob {
    /// What an apply would do now, or what differs from the plan; the user, or the id of the group.
    pub(super) async fn look<R: ScimRepository>(
        &self,
        repository: &R,
    ) -> Result<(Outcome, Option<ScimUser>, Option<String>)> {
        if self.step.action.is_of_group() {
            let (outcome, group) = self.look_at_group(repository).await?;
            return Ok((self.as_verified(outcome), None, group.and_then(|group| group.id)));
        }
        let with_manager;
        let job = match self.step.new_manager() {
            Some(manager) => match self.id_of(repository, &manager).await? {
                Some(id) => {
                    with_manager = self.with_step(self.step.with_manager(&id));
                    &with_manager
                }
                None if self.mode == Mode::Verify => {
                    let reason = format!("its manager {manager} is not on the server");
                    return Ok((Outcome::Differs(reason), None, None));
                }
                // The plan creates it.
                None => return Ok((Outcome::Planned, None, None)),
            },
            None => self,
        };
        let (outcome, user) = job.look_at_user(repository).await?;
        Ok((job.as_verified(outcome), user, None))
    }

    async fn look_at_user<R: ScimRepository>(&self, repository: &R) -> Result<Done> {
        if self.step.action == Action::Create {
            let desired = self.desired()?;
            let found = self.found(look_for(repository, desired).await?, desired)?;
            return Ok(found.unwrap_or((Outcome::Planned, None)));
        }
        let Some(held) = repository.get::<ScimUser>(self.id()?).await? else { return Ok((self.gone(false), None)) };
        let remaining = self.plan.rules.remaining(&held, &self.step)?;
        let outcome = match self.plan.rules.fit(&self.step, &held)? {
            _ if self.mode == Mode::Verify && self.step.action != Action::Delete => match remaining.as_slice() {
                [] => Outcome::Unneeded,
                paths => Outcome::Differs(paths.join(", ")),
            },
            Fit::Change(_) | Fit::Delete => Outcome::Planned,
            Fit::Done => Outcome::Unneeded,
            Fit::Stale(reason) => Outcome::Skipped(reason),
        };
        Ok((outcome, Some(held)))
    }

    async fn look_at_group<R: ScimRepository>(&self, repository: &R) -> Result<Done<ScimGroup>> {
        if self.step.action == Action::CreateGroup {
            let desired = ScimGroup { external_id: self.step.external_id.clone(), ..ScimGroup::new(&self.step.name) };
            return Ok(found_group(look_for(repository, &desired).await?).unwrap_or((Outcome::Planned, None)));
        }
        let Some(id) = self.group_id(repository).await? else { return Ok((Outcome::Planned, None)) };
        let is_of_members = matches!(self.step.action, Action::AddMembers | Action::RemoveMembers);
        let held = if is_of_members { read_group(repository, &id).await? } else { repository.get(&id).await? };
        let Some(held) = held else { return Ok((self.gone(false), None)) };
        let outcome = match self.step.action {
            Action::AddMembers | Action::RemoveMembers => self.look_at_members(repository, &held).await?,
            _ => match self.step.fit_group(&held) {
                Fit::Change(_) | Fit::Delete => Outcome::Planned,
                Fit::Done => Outcome::Unneeded,
                Fit::Stale(reason) => Outcome::Skipped(reason),
            },
        };
        Ok((outcome, Some(held)))
    }

    async fn look_at_members<R: ScimRepository>(&self, repository: &R, held: &ScimGroup) -> Result<Outcome> {
        let profile = repository.profile();
        if !profile.shows_members() {
            return Ok(Outcome::Skipped("the groups of the server do not show their members".to_owned()));
        }
        if let Some(reason) = self.step.why_not_on(held, self.ends.name_before(&self.plan, self.number)) {
            return Ok(Outcome::Skipped(reason));
        }
        let mut known = Vec::with_capacity(self.step.members.len());
        for member in &self.step.members {
            match self.id_of(repository, member).await? {
                Some(id) => known.push(Reference { id: Some(id), ..member.clone() }),
                // The plan creates it.
                None => return Ok(Outcome::Planned),
            }
        }
        let is_done = self.step.left_to_change(held, &known).is_empty();
        if profile.may_hide_members(held.member_ids().count()) && !(is_done && self.step.action == Action::AddMembers) {
            return Ok(Outcome::Skipped("the group may have other members than the server shows".to_owned()));
        }
        Ok(if is_done { Outcome::Unneeded } else { Outcome::Planned })
    }
}

impl StepJob {
    /// After an apply, what would still be done is a difference.
    fn as_verified(&self, outcome: Outcome) -> Outcome {
        match outcome {
            Outcome::Planned if self.mode == Mode::Verify => Outcome::Differs(self.difference()),
            Outcome::Skipped(reason) if self.mode == Mode::Verify => Outcome::Differs(reason),
            outcome => outcome,
        }
    }

    fn difference(&self) -> String {
        let what = match self.step.action {
            Action::Create => "the user does not exist",
            Action::Delete => "the user still exists",
            Action::CreateGroup => "the group does not exist",
            Action::DeleteGroup => "the group still exists",
            Action::AddMembers => "members are missing from the group",
            Action::RemoveMembers => "members are still in the group",
            Action::Adopt
            | Action::FreeName
            | Action::Update
            | Action::Reactivate
            | Action::Deactivate
            | Action::RenameGroup => {
                let paths: Vec<_> = self.step.changes.iter().map(|change| &*change.path).collect();
                return paths.join(", ");
            }
        };
        what.to_owned()
    }
}
