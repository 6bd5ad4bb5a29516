//! One step of a plan, compared with the server without a write.

use super::apply_step::{Done, StepJob};
use super::settle::look_for;
use super::{ScimRepository, maybe_async};
use crate::error::Result;
use crate::model::ScimUser;
use crate::plan::{Action, Fit, Outcome};

#[maybe_async]
impl StepJob {
    /// What an apply would do now.
    pub(super) async fn check<R: ScimRepository>(&self, repository: &R) -> Result<Done> {
        if self.step.action == Action::Create {
            return Ok(self.created(repository).await?.unwrap_or((Outcome::Planned, None)));
        }
        let Some(held) = repository.get::<ScimUser>(self.id()?).await? else { return Ok(self.gone(false)) };
        let outcome = match self.plan.rules.fit(&self.step, &held)? {
            Fit::Send(_) => Outcome::Planned,
            Fit::Done => Outcome::Unneeded,
            Fit::Stale(reason) => Outcome::Skipped(reason),
        };
        Ok((outcome, Some(held)))
    }

    /// Whether the server has what the step was to make.
    pub(super) async fn verify<R: ScimRepository>(&self, repository: &R) -> Result<Done> {
        let differs = |reason: &str| Outcome::Differs(reason.to_owned());
        if self.step.action == Action::Create {
            return Ok(match self.created(repository).await? {
                Some((Outcome::Skipped(reason), held)) => (Outcome::Differs(reason), held),
                Some(done) => done,
                None => (differs("the user does not exist"), None),
            });
        }
        let held = repository.get::<ScimUser>(self.id()?).await?;
        let outcome = match (&held, self.step.action) {
            (None, Action::Delete) => Outcome::Unneeded,
            (Some(_), Action::Delete) => differs("the user still exists"),
            (None, _) => differs("the user no longer exists"),
            (Some(held), _) => match self.plan.rules.remaining(held, &self.step)? {
                paths if paths.is_empty() => Outcome::Unneeded,
                paths => Outcome::Differs(paths.join(", ")),
            },
        };
        Ok((outcome, held))
    }

    /// The outcome of a creation if there is a user of its name or its externalId.
    async fn created<R: ScimRepository>(&self, repository: &R) -> Result<Option<Done>> {
        let desired = self.desired()?;
        self.found(look_for(repository, desired).await?, desired)
    }
}
