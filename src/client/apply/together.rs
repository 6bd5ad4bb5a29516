//! Steps that are applied one after the other by one job, after their first writes were sent in one bulk request.

use super::super::apply_step::{Ended, Mode, StepJob, operation};
use super::super::bulk::{Answer, send_together, untried};
use super::super::step::{Job, Over};
use super::super::{ScimRepository, maybe_async};
use crate::config::Profile;
use crate::model::{ScimUser, ScimWrite};
use crate::plan::{Action, Fit};

/// Steps that begin together: one, or several with a write each.
#[derive(Default)]
pub(in super::super) struct StepsJob {
    pub(super) steps: Vec<StepJob>,
    /// The first write of each step; only sent if there are several.
    pub(super) writes: Vec<ScimWrite>,
    pub(super) over: Over,
}

#[maybe_async(AFIT)]
impl Job for StepsJob {
    type Output = Vec<Ended>;

    async fn run<R: ScimRepository>(self, repository: &R) -> Self::Output {
        let mut answers = self.send(repository).await.into_iter();
        // A step by itself is in flight already.
        let are_several = self.writes.len() > 1;
        let mut ended = Vec::with_capacity(self.steps.len());
        for step in self.steps {
            let answer = answers.next().flatten();
            let answer = match self.over.error() {
                Some(error) if are_several => Some(untried(answer, error, operation(&step.step))),
                _ => answer,
            };
            let end = step.run(repository, answer).await;
            if let Some(error) = end.ends_the_work() {
                self.over.record(error);
            }
            ended.push(end);
        }
        ended
    }

    fn failures(ended: &Self::Output) -> u64 {
        ended.iter().map(Ended::failures).fold(0, u64::saturating_add)
    }
}

#[maybe_async]
impl StepsJob {
    /// Sends the first writes of several steps; `None` for a step whose write was not sent.
    async fn send<R: ScimRepository>(&self, repository: &R) -> Vec<Option<Answer<ScimUser>>> {
        if self.writes.len() > 1
            && let Err(error) = self.steps.iter().try_for_each(|step| step.keep(None))
        {
            return self.steps.iter().map(|_| Some(Err(error.clone()))).collect();
        }
        send_together(repository, &self.writes).await
    }
}

impl StepJob {
    /// The write with which the step can begin, without a request before it.
    pub(super) fn first_write(&self, profile: &Profile) -> Option<ScimWrite> {
        let with_manager;
        let job = match self.step.new_manager() {
            Some(manager) => {
                with_manager = self.with_step(self.step.with_manager(&self.known_id(&manager)?));
                &with_manager
            }
            None => self,
        };
        let write = match job.step.action {
            action if self.mode != Mode::Apply || action.is_of_group() => return None,
            Action::Create if job.was_begun() => return None,
            Action::Create => ScimWrite::create(job.step.desired.clone()?),
            _ if !profile.checks_versions_in_bulk => return None,
            _ => match (job.unread(profile)?, job.step.id.as_deref()?, job.step.version.as_deref()?) {
                (Fit::Change(patch), id, version) => ScimWrite::patch(id, patch).in_version(version),
                (Fit::Delete, id, version) => ScimWrite::delete(id).in_version(version),
                _ => return None,
            },
        };
        Some(match self.origin() {
            Some(origin) => write.with_origin(origin),
            None => write,
        })
    }
}
