//! Which step of an apply begins when, and in which request.

use std::sync::Arc;

use super::super::ScimRepository;
use super::super::apply_step::{Ended, Mode, StepJob, operation, unusable};
use super::super::step::ENDS_THE_WORK;
use super::ScimApply;
use super::together::StepsJob;
use crate::config::BulkLimits;
use crate::error::Result;
use crate::exchange::Room;
use crate::model::ScimWrite;
use crate::outside::mistake;
use crate::plan::{AppliedStep, Outcome, Readiness, Step};

/// The most steps in one bulk request, however many the server takes: its answer comes when all are done.
const STEPS_IN_A_REQUEST: usize = 100;

/// How a step begins.
enum Beginning {
    /// With nothing to do: its outcome is known.
    Known(Outcome),
    /// Not yet: a step that it needs is in flight.
    Waits,
    Work,
}

impl<R: ScimRepository> ScimApply<R> {
    pub(super) fn is_stopped(&mut self) -> bool {
        self.was_stopped = self.was_stopped || self.stop_when.as_mut().is_some_and(|stop| stop());
        let problems = self.running.failures().saturating_add(self.unsent);
        self.was_stopped || problems >= self.stop_after.unwrap_or(ENDS_THE_WORK)
    }

    /// Begins the next step; false if there is none, or if it has to wait for one in flight.
    pub(super) fn begin_next(&mut self) -> Result<bool> {
        let (number, plan) = (self.next, Arc::clone(&self.plan));
        let Some(step) = plan.steps.get(number) else { return Ok(false) };
        match self.beginning(number, step) {
            Beginning::Waits => return Ok(false),
            Beginning::Known(outcome) => {
                let id = self.open_journal.as_ref().and_then(|journal| journal.id(number));
                self.ends.record(number, &outcome, id);
                self.unsent += u64::from(outcome.is_problem());
                let step = AppliedStep { number, step: step.clone(), outcome, user: None };
                self.start_together();
                self.running.put(vec![Ended { step, written: Ok(()) }]);
                self.next += 1;
                return Ok(true);
            }
            Beginning::Work => {}
        }
        let job = StepJob {
            number,
            step: step.clone(),
            mode: self.mode,
            plan: Arc::clone(&self.plan),
            ends: self.ends.clone(),
            journal: self.open_journal.clone(),
        };
        let write = self.bulk_limits().and_then(|limits| Some((limits, job.first_write(self.repository.profile())?)));
        if !self.has_place_for(write.as_ref()) {
            // The step begins once there is room for another request.
            self.start_together();
            return Ok(true);
        }
        if let Some(journal) = &self.open_journal
            && self.mode == Mode::Apply
            && !mistake!("a step is not recorded before it is sent")
        {
            journal.begin(number, &job.step)?;
        }
        self.next += 1;
        self.together.steps.push(job);
        match write {
            Some((_, write)) => self.together.writes.push(write),
            None => self.start_together(),
        }
        Ok(true)
    }

    fn beginning(&self, number: usize, step: &Step) -> Beginning {
        let is_done = || self.open_journal.as_ref().is_some_and(|journal| journal.is_done(number));
        if self.mode != Mode::Verify && is_done() {
            return Beginning::Known(Outcome::DoneBefore);
        }
        if let Err(why) = step.check() {
            return Beginning::Known(Outcome::Failed(unusable(step, &why)));
        }
        if self.mode != Mode::Verify
            && let Err(error) = self.plan.rules.check_support(step, self.repository.profile())
        {
            return Beginning::Known(Outcome::Failed(error.in_operation(operation(step))));
        }
        if matches!(self.mode, Mode::Check | Mode::Verify) {
            return Beginning::Work;
        }
        match self.ends.readiness(number) {
            Readiness::Waits => Beginning::Waits,
            Readiness::BlockedBy(other) => {
                let other = self.plan.steps.get(other).map(Step::title).unwrap_or_default();
                Beginning::Known(Outcome::Blocked(other))
            }
            Readiness::Ready if self.mode == Mode::DryRun => Beginning::Known(Outcome::Planned),
            Readiness::Ready => Beginning::Work,
        }
    }

    /// The limits of bulk requests with steps; `None` if each step is sent by itself.
    fn bulk_limits(&self) -> Option<BulkLimits> {
        // A step that is to end the apply by its failure shares its request with no other.
        let may_go_in_bulk = self.goes_in_bulk && self.stop_after.is_none();
        self.repository.bulk_limits().filter(|_| may_go_in_bulk)
    }

    /// Takes a place in the next request for a step with this first write, or for one that goes by itself.
    fn has_place_for(&mut self, write: Option<&(BulkLimits, ScimWrite)>) -> bool {
        match write {
            None => self.together.steps.is_empty(),
            Some((limits, write)) => {
                let room = self.room.get_or_insert_with(|| Room::within(*limits).at_most(STEPS_IN_A_REQUEST));
                room.take(write)
            }
        }
    }

    /// Starts the steps that wait for others.
    pub(super) fn start_together(&mut self) {
        self.room = None;
        if !self.together.steps.is_empty() {
            let job = StepsJob { over: self.over.clone(), ..std::mem::take(&mut self.together) };
            self.running.start(Arc::clone(&self.repository), job);
        }
    }
}
