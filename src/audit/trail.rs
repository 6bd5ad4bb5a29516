//! What comes to a sink, in which order, and what happens when it fails.

use std::collections::VecDeque;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::{Event, Sink};

pub(super) struct Recorder {
    sink: Box<dyn Sink>,
    /// Sets these writes apart from those of other programs in the same trail.
    run: u64,
    writes: AtomicU64,
    /// Outcomes that the sink failed to take. As no write begins before they are taken, there are
    /// no more of them than there were writes on their way at once.
    late: Mutex<VecDeque<Event>>,
}

impl Recorder {
    pub(super) fn to(sink: impl Sink) -> Self {
        // Its keys come from the operating system's source of randomness.
        let run = RandomState::new().build_hasher().finish();
        Self { sink: Box::new(sink), run, writes: AtomicU64::new(0), late: Mutex::default() }
    }

    /// What the next write is called.
    pub(super) fn next_write(&self) -> String {
        let number = self.writes.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        format!("{:016x}-{number}", self.run)
    }

    /// Reports that a write begins. What is late is to be [flushed](Self::flush) before.
    pub(super) fn begin(&self, event: &Event) -> io::Result<()> {
        self.sink.record(event)
    }

    /// Reports an outcome, now or later.
    pub(super) fn end(&self, event: Event) {
        if self.sink.record(&event).is_err() {
            self.late.lock().unwrap_or_else(PoisonError::into_inner).push_back(event);
        }
    }

    /// Reports what is late.
    pub(super) fn flush(&self) -> io::Result<()> {
        let mut late = self.late.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(event) = late.front() {
            self.sink.record(event)?;
            late.pop_front();
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

    /// Takes events but for those whose number it is told.
    struct Flaky {
        fails: fn(u32) -> bool,
        asked: AtomicU32,
        taken: Arc<Mutex<Vec<Event>>>,
    }

    impl Sink for Flaky {
        fn record(&self, event: &Event) -> io::Result<()> {
            if (self.fails)(self.asked.fetch_add(1, Ordering::SeqCst)) {
                return Err(io::Error::other("full"));
            }
            self.taken.lock().unwrap().push(event.clone());
            Ok(())
        }
    }

    fn flaky(fails: fn(u32) -> bool) -> (Trail, Arc<Mutex<Vec<Event>>>) {
        let taken = Arc::default();
        (Trail::to(Flaky { fails, asked: AtomicU32::new(0), taken: Arc::clone(&taken) }), taken)
    }

    fn begin(audit: &Trail, ids: &[&str]) -> crate::Result<Record> {
        Record::begin(audit, ids.iter().map(|id| Subject::delete::<ScimUser>(Target::id(id))).collect())
    }

    fn end(record: Record) {
        record.end::<ScimUser>([Ok(None)]);
    }

    fn told(taken: &Mutex<Vec<Event>>) -> Vec<(String, Outcome)> {
        taken.lock().unwrap().iter().map(|event| (event.id.clone().unwrap(), event.outcome)).collect()
    }

    #[test]
    fn an_outcome_that_was_not_taken_comes_before_the_next_write() {
        use Outcome::{Applied, Begun};

        let (audit, taken) = flaky(|n| n == 1);
        end(begin(&audit, &["1"]).unwrap());
        assert_eq!(told(&taken), [("1".to_owned(), Begun)]);
        end(begin(&audit, &["2"]).unwrap());
        let told: Vec<_> = told(&taken).into_iter().map(|(id, outcome)| format!("{id} {outcome:?}")).collect();
        assert_eq!(told, ["1 Begun", "1 Applied", "2 Begun", "2 Applied"]);
        let events = taken.lock().unwrap();
        assert_eq!((events[0].write == events[1].write, events[1].write == events[2].write), (true, false));
        assert_eq!(events[1].outcome, Applied);
    }

    #[test]
    fn no_write_begins_while_an_outcome_cannot_be_recorded() {
        let (audit, taken) = flaky(|n| (1..4).contains(&n));
        end(begin(&audit, &["1"]).unwrap());
        assert!(begin(&audit, &["2"]).is_err());
        assert!(audit.flush().is_err());
        assert!(audit.flush().is_ok());
        assert_eq!(told(&taken), [("1".to_owned(), Outcome::Begun), ("1".to_owned(), Outcome::Applied)]);
    }

    #[test]
    fn writes_that_began_beside_one_that_could_not_are_not_left_open() {
        let (audit, taken) = flaky(|n| n == 1);
        assert!(begin(&audit, &["1", "2", "3"]).is_err());
        let told: Vec<_> = told(&taken).into_iter().map(|(id, outcome)| format!("{id} {outcome:?}")).collect();
        assert_eq!(told, ["1 Begun", "1 Refused", "2 Refused"]);
        assert_eq!(
            taken.lock().unwrap()[1].error.as_deref(),
            Some("could not delete user: it was given up; nothing was sent")
        );
    }

    #[test]
    fn no_two_writes_have_the_same_name() {
        let trails: Vec<_> = (0..10).map(|_| Recorder::to(|_: &Event| ())).collect();
        let names: HashSet<_> = trails.iter().flat_map(|trail| (0..10).map(|_| trail.next_write())).collect();
        assert_eq!(names.len(), 100);
    }
}
