//! The audit trail: a record of every write, its author and its outcome.

mod attributes;
mod event;
mod events;
pub(crate) mod format;
pub(crate) mod lines;
mod log;
mod numbered;
mod query;
mod record;
mod sink;
mod subject;
mod trail;

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

pub(crate) use attributes::without_filter;
pub use event::{Attribute, Event, Outcome};
pub use events::Events;
pub use log::Log;
pub use query::EventQuery;
pub(crate) use record::Record;
pub use sink::Sink;
pub(crate) use subject::Subject;
use trail::Recorder;

/// Records every write of a client in a [`Sink`]: creations, patches, replacements and deletions,
/// single, in batches and in bulk requests. A fetched token counts as one, since every user can be
/// changed with it.
///
/// A write has two events: [`Begun`](Outcome::Begun) before its first request, and its outcome
/// after the last one. So the trail of a killed program shows which writes were in flight. A write
/// that is rejected before it is sent has one event. Reads are not recorded, nor are calls with invalid
/// arguments that name no write, such as
/// [`add_user_levels`](crate::blocking::WatsService::add_user_levels) without a level.
///
/// **No write is sent without a record.** If the sink fails at the start of a write, the write is
/// not sent and fails with [`ErrorKind::Trail`](crate::ErrorKind::Trail). If it fails at the end,
/// the write's result does not change; the event is kept and recorded before the next write. Until
/// that succeeds, no other write starts. [`flush`](Self::flush) records kept events. A sink that panics
/// has failed.
///
/// Clones share the sink. Pass one to [`ScimConfig::audit`](crate::ScimConfig::audit).
///
/// ```
/// use wats_scim::blocking::ScimClient;
/// use wats_scim_sandbox::Sandbox;
/// use wats_scim::{Credentials, ScimConfig, ScimUser};
/// use wats_scim::audit::{Event, Trail};
///
/// let sandbox = Sandbox::start()?;
/// let audit = Trail::to(|event: &Event| {
///     println!("{}: {} {:?}", event.operation, event.name.as_deref().unwrap_or_default(), event.outcome);
/// });
/// let config = ScimConfig::new(sandbox.base_url(), Credentials::wats_token(sandbox.token()));
/// let client = ScimClient::with_config(&config.audit(audit.label("ann")))?;
/// client.create_user(&ScimUser::new("jane@example.com"))?;
/// // create user: jane@example.com Begun
/// // create user: jane@example.com Applied
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Trail {
    recorder: Arc<Recorder>,
    label: Option<String>,
    /// The row of the source for which writes are made.
    origin: Option<String>,
    /// The origin of the server.
    server: Option<Arc<str>>,
    pub(crate) with_values: bool,
}

impl Trail {
    /// Creates a trail that records in this sink, which can be a closure.
    ///
    /// By default it has no label, and records attribute names without values.
    pub fn to(sink: impl Sink) -> Self {
        Self { recorder: Arc::new(Recorder::to(sink)), label: None, origin: None, server: None, with_values: false }
    }

    /// Allows the values of attributes in the trail. They are personal data. The value of a
    /// `password` is never recorded.
    #[must_use]
    pub fn allow_values(mut self) -> Self {
        self.with_values = true;
        self
    }

    /// Sets the label of every event, such as the acting administrator or a ticket. None by
    /// default.
    ///
    /// [`labelled`](crate::blocking::ScimService::labelled) sets another label for one client.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Records the outcomes for which the sink failed, in order.
    ///
    /// They are also recorded before the next write. Call this at the end of a program to make sure
    /// that the trail is complete. Usually no outcome is left, and it does nothing.
    ///
    /// # Errors
    ///
    /// The sink's error, if it still fails. The remaining outcomes are kept.
    ///
    /// ```
    /// use wats_scim::audit::{Event, Trail};
    ///
    /// let audit = Trail::to(|event: &Event| println!("{event:?}"));
    /// // after the last write of the client:
    /// audit.flush()?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn flush(&self) -> io::Result<()> {
        self.recorder.flush()
    }

    /// Reads the events of a trail file, one at a time, however large the file is, and then those of the files
    /// with the next numbers, if the trail is [rotated by size](Log::rotate_at).
    ///
    /// Lines that are not an event, such as one that a power failure cut off, are skipped and
    /// [counted](Events::skipped). [`Events::matching`] selects events.
    ///
    /// # Errors
    ///
    /// The I/O error if the file cannot be opened. The first event is an error if the file is no trail, but a
    /// plan or a journal.
    ///
    /// ```
    /// use wats_scim::audit::{Outcome, Trail};
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("trail.jsonl");
    /// # std::fs::write(&path, "")?;
    ///
    /// let mut events = Trail::read(&path)?;
    /// for event in events.by_ref() {
    ///     let event = event?;
    ///     if event.outcome == Outcome::Unknown {
    ///         println!("{} on {}: {:?}", event.operation, event.server, event.id);
    ///     }
    /// }
    /// println!("{} lines were skipped", events.skipped());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn read(path: impl AsRef<Path>) -> io::Result<Events> {
        Events::open(path.as_ref())
    }

    /// The trail of the writes for a row of a source.
    pub(crate) fn of_origin(mut self, origin: &str) -> Self {
        self.origin = Some(origin.to_owned());
        self
    }

    /// The trail of the writes to this server.
    pub(crate) fn of_server(mut self, origin: &str) -> Self {
        self.server = Some(origin.into());
        self
    }
}

impl fmt::Debug for Trail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trail")
            .field("label", &self.label)
            .field("with_values", &self.with_values)
            .finish_non_exhaustive()
    }
}
