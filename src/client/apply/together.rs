//! Steps that are applied one after the other by one job, after their first writes were sent in one bulk request.

use super::super::apply_step::{Ended, Mode, StepJob, operation};
use super::super::step::{ENDS_THE_WORK, Job, weight};
use super::super::{ScimRepository, maybe_async};
use crate::config::Profile;
use crate::error::{Error, ErrorKind, Result, WriteOutcome};
use crate::model::{ScimUser, ScimWrite};
use crate::plan::{Action, Fit};

/// The answer to the write of a step in a bulk request.
pub(in super::super) type Answer = Result<Option<ScimUser>>;

/// Steps that begin together: one, or several with a write each.
#[derive(Default)]
pub(in super::super) struct StepsJob {
    pub(super) steps: Vec<StepJob>,
    /// The first write of each step; only sent if there are several.
    pub(super) writes: Vec<ScimWrite>,
}

#[maybe_async(AFIT)]
impl Job for StepsJob {
    type Output = Vec<Ended>;

    async fn run<R: ScimRepository>(self, repository: &R) -> Self::Output {
        let mut answers = self.send(repository).await.into_iter();
        let mut over = None;
        let mut ended = Vec::with_capacity(self.steps.len());
        for step in self.steps {
            let answer = answers.next().flatten();
            let answer = match &over {
                Some(error) => Some(without_request(&step, answer, error)),
                None => answer,
            };
            let end = step.run(repository, answer).await;
            over = over.or_else(|| end.ends_the_work());
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
    async fn send<R: ScimRepository>(&self, repository: &R) -> Vec<Option<Answer>> {
        if self.writes.len() < 2 {
            return Vec::new();
        }
        let to_each = |error: &Error| {
            let error = |step: &StepJob| error.repeated().in_operation(operation(&step.step));
            self.steps.iter().map(|step| Some(Err(error(step)))).collect()
        };
        if let Err(error) = self.steps.iter().try_for_each(|step| step.keep(None)) {
            return to_each(&error);
        }
        match repository.bulk(&self.writes).await {
            Ok(results) => {
                let mut results = results.into_iter();
                let result = |step: &StepJob| results.next().unwrap_or_else(|| Err(unanswered(step)));
                self.steps.iter().map(result).map(Some).collect()
            }
            Err(error) if weight(&error) == ENDS_THE_WORK || error.outcome() == WriteOutcome::Unknown => {
                to_each(&error)
            }
            // Each is sent by itself.
            Err(_) => Vec::new(),
        }
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

/// What a step is told after a failure that ends the apply, so that it sends nothing.
fn without_request(step: &StepJob, answer: Option<Answer>, over: &Error) -> Answer {
    let rest = over.repeated().in_operation(operation(&step.step));
    match answer {
        Some(Ok(shown)) => Ok(shown),
        Some(Err(error)) => Err(rest.with_outcome(error.outcome())),
        None => Err(rest.with_outcome(WriteOutcome::NotApplied).unsent()),
    }
}

fn unanswered(step: &StepJob) -> Error {
    Error::new(ErrorKind::UnexpectedBody, "the answer to the bulk request has no result for this write")
        .with_outcome(WriteOutcome::Unknown)
        .in_operation(operation(&step.step))
}
