//! Records the start and the end of the writes of one request.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::{Event, Outcome, Subject, Trail};
use crate::error::{Error, ErrorKind, Result, WriteOutcome};
use crate::model::Resource;
use crate::outside::clock;

/// The writes of one request whose start is recorded; none without a trail.
///
/// Writes without an end get one on drop: when their future is dropped, or by a panic.
#[derive(Default)]
pub(crate) struct Record(Option<Box<Open>>);

struct Open {
    audit: Trail,
    writes: VecDeque<Write>,
    attempts: Arc<AtomicU32>,
    /// Whether the request contains a password: the error of one write can repeat values of
    /// another.
    has_password: bool,
}

struct Write {
    event: Event,
    has_password: bool,
}

impl Record {
    /// Records the start of writes, before they are sent.
    pub(crate) fn begin(audit: &Trail, subjects: Vec<Subject>) -> Result<Self> {
        let (writes, attempts) = (VecDeque::with_capacity(subjects.len()), Arc::default());
        let mut open = Box::new(Open { audit: audit.clone(), writes, attempts, has_password: false });
        let begun = audit.flush().and_then(|()| subjects.into_iter().try_for_each(|subject| open.begin(subject)));
        // On drop, the writes that have begun are ended.
        let record = Self(Some(open));
        begun.map(|()| record).map_err(|error| {
            let message = "the audit trail could not be written, and no write is sent without it";
            Error::new(ErrorKind::Trail, message).with_source(error)
        })
    }

    /// Records a write that is rejected before it is sent.
    pub(crate) fn reject(audit: &Trail, subject: Subject, error: &Error) {
        Write::of(audit, subject).end(audit, 0, Err(error));
    }

    /// Returns the counter of the requests made.
    pub(crate) fn attempts(&self) -> Option<Arc<AtomicU32>> {
        self.0.as_ref().map(|open| Arc::clone(&open.attempts))
    }

    /// Records the outcomes of the writes, in order. A result has the resource as the server
    /// returned it.
    pub(crate) fn end<'a, T: Resource>(mut self, results: impl IntoIterator<Item = Result<Option<&'a T>, &'a Error>>) {
        let Some(open) = &mut self.0 else { return };
        let attempts = open.attempts.load(Ordering::Relaxed);
        for result in results {
            let Some(mut write) = open.writes.pop_front() else { return };
            if let Ok(Some(shown)) = result {
                write.complete(shown);
            }
            write.has_password = open.has_password;
            write.end(&open.audit, attempts, result.map(drop));
        }
    }
}

impl Open {
    fn begin(&mut self, subject: Subject) -> std::io::Result<()> {
        let write = Write::of(&self.audit, subject);
        let begun = self.audit.recorder.begin(&write.event);
        self.has_password |= write.has_password;
        // A sink can fail after it has recorded the event, so this write gets an end, too.
        self.writes.push_back(write);
        begun
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let Some(open) = &mut self.0 else { return };
        let attempts = open.attempts.load(Ordering::Relaxed);
        for mut write in open.writes.drain(..) {
            let (outcome, effect) = match attempts {
                0 => (Outcome::Refused, "nothing was sent"),
                _ => (Outcome::Unknown, "it may have been applied"),
            };
            write.event.error = Some(format!("could not {}: it was canceled; {effect}", write.event.operation));
            write.finish(&open.audit, attempts, outcome);
        }
    }
}

impl Write {
    fn of(audit: &Trail, subject: Subject) -> Self {
        let event = Event {
            at: clock::date().into(),
            write: audit.recorder.next_write(),
            server: audit.server.as_deref().unwrap_or_default().to_owned(),
            label: audit.label.clone(),
            origin: subject.origin.or_else(|| audit.origin.clone()),
            operation: subject.operation,
            id: subject.id,
            name: subject.name,
            external_id: subject.external_id,
            attributes: subject.attributes.list,
            outcome: Outcome::Begun,
            attempts: 0,
            error: None,
        };
        Self { event, has_password: subject.attributes.have_password }
    }

    fn complete<T: Resource>(&mut self, shown: &T) {
        let known = |known: &mut Option<String>, shown: Option<&str>| {
            if known.is_none() {
                *known = shown.map(str::to_owned);
            }
        };
        known(&mut self.event.id, shown.id());
        known(&mut self.event.name, shown.name());
        known(&mut self.event.external_id, shown.external_id());
    }

    fn end(mut self, audit: &Trail, attempts: u32, result: Result<(), &Error>) {
        let outcome = match result {
            Ok(()) => Outcome::Applied,
            Err(error) => {
                self.event.error = Some(if self.has_password { error.without_details() } else { error.to_string() });
                match error.outcome() {
                    WriteOutcome::NotApplied => Outcome::Refused,
                    WriteOutcome::Unknown => Outcome::Unknown,
                }
            }
        };
        self.finish(audit, attempts, outcome);
    }

    fn finish(mut self, audit: &Trail, attempts: u32, outcome: Outcome) {
        self.event.at = clock::date().into();
        self.event.attempts = attempts;
        self.event.outcome = outcome;
        audit.recorder.end(self.event);
    }
}
