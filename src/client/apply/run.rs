//! How an apply goes on: which step begins when, and what ends it.

use std::sync::Arc;
use std::time::Duration;

use super::super::apply_step::{Mode, StepJob, operation, unusable};
use super::super::step::{Arrival, ENDS_THE_WORK};
use super::super::{ScimRepository, maybe_async, sleep};
use super::ScimApply;
use crate::error::{Error, Result};
use crate::outside::mistake;
use crate::plan::{AppliedStep, OpenJournal, Outcome, Readiness, Report, Step};

/// The lock of a killed program may survive for a moment in a child process that it was starting, so
/// the lock is tried several times before the journal is reported as in use.
const LOCK_ATTEMPTS: u32 = 20;
const LOCK_PAUSE: Duration = Duration::from_millis(50);

impl<R: ScimRepository> ScimApply<R> {
    fn is_stopped(&mut self) -> bool {
        if self.stop_when.as_mut().is_some_and(|stop| stop()) {
            self.stop_after = Some(0);
        }
        let problems = self.running.failures().saturating_add(self.unsent);
        problems >= self.stop_after.unwrap_or(ENDS_THE_WORK)
    }

    /// The reason why steps that are not done cannot be applied.
    fn objection(&self) -> Option<String> {
        let is_done = |step| self.open_journal.as_ref().is_some_and(|journal| journal.is_done(step));
        let mut rejected = self.rejections.iter().filter(|rejection| !is_done(rejection.number));
        let rejected = rejected.next().map(|first| (first, rejected.count()));
        let rejected = rejected.map(|(first, more)| match more {
            0 => first.to_string(),
            more => format!("{first}; and {more} more steps, see Plan::would_be_rejected"),
        });
        rejected.or_else(|| self.plan.lacks_secrets(is_done))
    }

    /// Starts the next step; false if there is none, or if it has to wait for one in flight.
    fn begin_next(&mut self) -> Result<bool> {
        let number = self.next;
        let Some(step) = self.plan.steps.get(number) else { return Ok(false) };
        let journal = self.open_journal.as_ref();
        let known = if self.mode != Mode::Verify && journal.is_some_and(|journal| journal.is_done(number)) {
            Some(Outcome::DoneBefore)
        } else if let Err(why) = step.check() {
            Some(Outcome::Failed(unusable(step, &why)))
        } else if self.mode != Mode::Verify
            && let Err(error) = self.plan.rules.check_support(step, self.repository.profile())
        {
            Some(Outcome::Failed(error.in_operation(operation(step))))
        } else if matches!(self.mode, Mode::Check | Mode::Verify) {
            None
        } else {
            match self.ends.readiness(number) {
                Readiness::Waits => return Ok(false),
                Readiness::BlockedBy(other) => {
                    let other = self.plan.steps.get(other).map(Step::title).unwrap_or_default();
                    Some(Outcome::Blocked(other))
                }
                Readiness::Ready => (self.mode == Mode::DryRun).then_some(Outcome::Planned),
            }
        };
        self.next += 1;
        if let Some(outcome) = known {
            self.ends.record(number, &outcome, journal.and_then(|journal| journal.id(number)));
            self.unsent += u64::from(outcome.is_problem());
            self.running.put((AppliedStep { number, step: step.clone(), outcome, user: None }, Ok(())));
        } else {
            if let Some(journal) = &self.open_journal
                && self.mode == Mode::Apply
                && !mistake!("a step is not recorded before it is sent")
            {
                journal.begin(number, step)?;
            }
            let job = StepJob {
                number,
                step: step.clone(),
                mode: self.mode,
                plan: Arc::clone(&self.plan),
                ends: self.ends.clone(),
                journal: self.open_journal.clone(),
            };
            self.running.start(Arc::clone(&self.repository), job);
        }
        Ok(true)
    }
}

#[maybe_async]
impl<R: ScimRepository> ScimApply<R> {
    /// Returns the next step with its outcome; `None` at the end. A step that fails is not an error
    /// here: the failure is its outcome.
    ///
    /// # Errors
    ///
    /// [`Journal`](crate::ErrorKind::Journal) if the file is not a journal, belongs to another plan, is in
    /// use, or cannot be written. Then no more steps start; the steps in flight are checked when
    /// the apply resumes from its journal.
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if the plan was made for another server, is older than
    /// [`max_age`](Self::max_age), is not the [approved](Self::approved) one, would be rejected by the
    /// [schemas](Self::schemas), or lacks a [password](Plan::with_passwords); nothing is sent.
    pub async fn try_next(&mut self) -> Result<Option<AppliedStep>> {
        if self.next == 0
            && let Some(why) = self.inapplicable()
        {
            return self.give_up(Error::invalid(why.to_string()));
        }
        if let Err(error) = self.open_journal().await {
            return self.give_up(error);
        }
        if self.next == 0
            && let Some(why) = self.objection()
        {
            return self.give_up(Error::invalid(why));
        }
        let (step, written) = loop {
            while self.running.has_room(self.in_flight.max(1), self.buffer) && !self.is_stopped() {
                match self.begin_next() {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(error) => return self.give_up(error),
                }
            }
            match self.running.arrival().await {
                Some(Arrival::First(first)) => break first,
                Some(Arrival::Later) => {}
                None => return Ok(None),
            }
        };
        if let Err(error) = written {
            return self.give_up(error);
        }
        self.progress.count(step.outcome.is_problem());
        if let Some(on_progress) = &mut self.on_progress {
            on_progress(self.progress);
        }
        Ok(Some(step))
    }

    async fn open_journal(&mut self) -> Result<()> {
        let Some(journal) = self.journal.clone() else { return Ok(()) };
        let mut attempts = 0;
        while self.open_journal.is_none() {
            attempts += 1;
            self.open_journal = match self.mode {
                Mode::Apply => OpenJournal::open(&journal, &self.plan)?,
                Mode::DryRun | Mode::Check | Mode::Verify => Some(OpenJournal::look(&journal, &self.plan)?),
            };
            if self.open_journal.is_none() {
                if attempts == LOCK_ATTEMPTS {
                    return Err(journal.in_use());
                }
                sleep(LOCK_PAUSE).await;
            }
        }
        self.journal = None;
        Ok(())
    }

    /// Applies all steps and returns a summary.
    ///
    /// # Errors
    ///
    /// As [`try_next`](Self::try_next).
    pub async fn run(mut self) -> Result<Report> {
        let mut report = Report::default();
        while let Some(step) = self.try_next().await? {
            report.count(step);
        }
        report.end(self.plan.steps.get(self.next..).unwrap_or_default());
        Ok(report)
    }
}

impl<R: ScimRepository> ScimApply<R> {
    fn give_up(&mut self, error: Error) -> Result<Option<AppliedStep>> {
        self.running.clear();
        self.next = self.plan.steps.len();
        Err(error)
    }
}
