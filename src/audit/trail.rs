//! Passes events to a sink, and keeps outcomes while it fails.

use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::{Event, Sink};
use crate::outside::clock;

pub(super) struct Recorder {
    sink: Box<dyn Sink>,
    /// Distinguishes these writes from those of other programs in the same trail.
    run: u64,
    writes: AtomicU64,
    /// Outcomes for which the sink failed. No write starts before they are recorded, so there are
    /// at most as many as there were writes in flight.
    unrecorded: Mutex<VecDeque<Event>>,
}

impl Recorder {
    pub(super) fn to(sink: impl Sink) -> Self {
        Self { sink: Box::new(sink), run: clock::random(), writes: AtomicU64::new(0), unrecorded: Mutex::default() }
    }

    /// Returns the id of the next write.
    pub(super) fn next_write(&self) -> String {
        let number = self.writes.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        format!("{:016x}-{number}", self.run)
    }

    /// Records the start of a write. [Flush](Self::flush) unrecorded outcomes first.
    pub(super) fn begin(&self, event: &Event) -> io::Result<()> {
        self.record(event)
    }

    /// Passes an event to the sink. A sink that panics has failed: events are also recorded on drop, where
    /// a second panic would abort the process.
    fn record(&self, event: &Event) -> io::Result<()> {
        let recorded = catch_unwind(AssertUnwindSafe(|| self.sink.record(event)));
        recorded.unwrap_or_else(|_| Err(io::Error::other("the sink of the audit trail panicked")))
    }

    /// Records an outcome, now or in the next flush.
    pub(super) fn end(&self, event: Event) {
        if self.record(&event).is_err() {
            self.unrecorded.lock().unwrap_or_else(PoisonError::into_inner).push_back(event);
        }
    }

    /// Records the unrecorded outcomes.
    pub(super) fn flush(&self) -> io::Result<()> {
        let mut unrecorded = self.unrecorded.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(event) = unrecorded.front() {
            self.record(event)?;
            unrecorded.pop_front();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::Arc;
    use std::sync::atomic::AtomicU32;

    use super::*;
    use crate::audit::{Outcome, Record, Subject, Trail};
    use crate::model::ScimUser;
    use crate::model::Target;

    /// A sink that fails for some of its calls.
    struct Flaky {
        fails: fn(u32) -> bool,
        calls: AtomicU32,
        recorded_events: Arc<Mutex<Vec<Event>>>,
    }

    impl Sink for Flaky {
        fn record(&self, event: &Event) -> io::Result<()> {
            if (self.fails)(self.calls.fetch_add(1, Ordering::SeqCst)) {
                return Err(io::Error::other("full"));
            }
            self.recorded_events.lock().unwrap().push(event.clone());
            Ok(())
        }
    }

    fn flaky(fails: fn(u32) -> bool) -> (Trail, Arc<Mutex<Vec<Event>>>) {
        let recorded_events = Arc::default();
        (
            Trail::to(Flaky { fails, calls: AtomicU32::new(0), recorded_events: Arc::clone(&recorded_events) }),
            recorded_events,
        )
    }

    fn begin(audit: &Trail, ids: &[&str]) -> crate::Result<Record> {
        Record::begin(audit, ids.iter().map(|id| Subject::delete::<ScimUser>(Target::id(id))).collect())
    }

    fn end(record: Record) {
        record.end::<ScimUser>([Ok(None)]);
    }

    fn recorded(recorded_events: &Mutex<Vec<Event>>) -> Vec<(String, Outcome)> {
        recorded_events.lock().unwrap().iter().map(|event| (event.id.clone().unwrap(), event.outcome)).collect()
    }

    #[test]
    fn an_unrecorded_outcome_is_recorded_before_the_next_write() {
        use Outcome::{Applied, Begun};

        let (audit, recorded_events) = flaky(|n| n == 1);
        end(begin(&audit, &["1"]).unwrap());
        assert_eq!(recorded(&recorded_events), [("1".to_owned(), Begun)]);
        end(begin(&audit, &["2"]).unwrap());
        let events: Vec<_> =
            recorded(&recorded_events).into_iter().map(|(id, outcome)| format!("{id} {outcome:?}")).collect();
        assert_eq!(events, ["1 Begun", "1 Applied", "2 Begun", "2 Applied"]);
        let events = recorded_events.lock().unwrap();
        assert_eq!((events[0].write == events[1].write, events[1].write == events[2].write), (true, false));
        assert_eq!(events[1].outcome, Applied);
    }

    #[test]
    fn no_write_starts_while_an_outcome_cannot_be_recorded() {
        let (audit, recorded_events) = flaky(|n| (1..4).contains(&n));
        end(begin(&audit, &["1"]).unwrap());
        assert!(begin(&audit, &["2"]).is_err());
        assert!(audit.flush().is_err());
        assert!(audit.flush().is_ok());
        assert_eq!(recorded(&recorded_events), [("1".to_owned(), Outcome::Begun), ("1".to_owned(), Outcome::Applied)]);
    }

    #[test]
    fn writes_of_a_request_whose_start_fails_are_ended() {
        let (audit, recorded_events) = flaky(|n| n == 1);
        assert!(begin(&audit, &["1", "2", "3"]).is_err());
        let events: Vec<_> =
            recorded(&recorded_events).into_iter().map(|(id, outcome)| format!("{id} {outcome:?}")).collect();
        assert_eq!(events, ["1 Begun", "1 Refused", "2 Refused"]);
        assert_eq!(
            recorded_events.lock().unwrap()[1].error.as_deref(),
            Some("could not delete user: it was canceled; nothing was sent")
        );
    }

    #[test]
    fn a_sink_that_panics_has_failed() {
        let panics = Arc::new(AtomicU32::new(0));
        let seen = Arc::clone(&panics);
        let audit = Trail::to(move |_: &Event| assert_eq!(seen.fetch_add(1, Ordering::SeqCst), 0, "broken"));
        let record = begin(&audit, &["1"]).unwrap();
        end(record);
        let error = begin(&audit, &["2"]).err().unwrap();
        assert_eq!(error.kind(), crate::ErrorKind::Trail);
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert_eq!((cause.as_str(), panics.load(Ordering::SeqCst)), ("the sink of the audit trail panicked", 3));
    }

    /// A second panic would abort the process.
    #[test]
    fn a_sink_may_panic_while_a_panic_ends_the_writes() {
        let events = Arc::new(AtomicU32::new(0));
        let seen = Arc::clone(&events);
        let audit = Trail::to(move |_: &Event| assert!(seen.fetch_add(1, Ordering::SeqCst) < 3, "broken"));
        let record = begin(&audit, &["1", "2", "3"]).unwrap();
        let panic = catch_unwind(AssertUnwindSafe(move || {
            let _record = record;
            panic!("the transport is broken");
        }));
        assert!(panic.is_err());
        assert_eq!(events.load(Ordering::SeqCst), 6, "each write has an end");
    }

    #[test]
    fn write_ids_are_unique() {
        let trails: Vec<_> = (0..10).map(|_| Recorder::to(|_: &Event| ())).collect();
        let names: HashSet<_> = trails.iter().flat_map(|trail| (0..10).map(|_| trail.next_write())).collect();
        assert_eq!(names.len(), 100);
    }
}
