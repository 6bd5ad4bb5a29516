//! How an apply goes on, and what ends it.

use std::time::Duration;

use super::super::apply_step::{Ended, Mode};
use super::super::step::Arrival;
use super::super::{ScimRepository, maybe_async, sleep};
use super::ScimApply;
use super::together::StepsJob;
use crate::error::{Error, Result};
use crate::plan::{AppliedStep, OpenJournal, Report};

/// The lock of a killed program may survive for a moment in a child process that it was starting, so
/// the lock is tried several times before the journal is reported as in use.
const LOCK_ATTEMPTS: u32 = 20;
const LOCK_PAUSE: Duration = Duration::from_millis(50);

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
    /// [schemas](Self::schemas), or has no [password](crate::plan::Plan::with_passwords) for a step; nothing is sent.
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
        let Ended { step, written } = loop {
            if let Some(ended) = self.ended.pop_front() {
                break ended;
            }
            while self.running.has_room(self.in_flight.max(1), self.buffer) && !self.is_stopped() {
                match self.begin_next() {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(error) => return self.give_up(error),
                }
            }
            self.start_together();
            match self.running.arrival().await {
                Some(Arrival::First(first)) => self.ended.extend(first),
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
    /// The reason why steps that are not done cannot be applied.
    fn objection(&self) -> Option<String> {
        let is_done = |step| self.open_journal.as_ref().is_some_and(|journal| journal.is_done(step));
        let mut rejected = self.rejections.iter().filter(|rejection| !is_done(rejection.number));
        let rejected = rejected.next().map(|first| (first, rejected.count()));
        let rejected = rejected.map(|(first, more)| match more {
            0 => first.to_string(),
            more => format!("{first}; and {more} more steps, see Plan::would_be_rejected"),
        });
        rejected.or_else(|| self.plan.missing_secrets(is_done))
    }

    fn give_up(&mut self, error: Error) -> Result<Option<AppliedStep>> {
        self.running.clear();
        self.together = StepsJob::default();
        self.ended.clear();
        self.next = self.plan.steps.len();
        Err(error)
    }
}
