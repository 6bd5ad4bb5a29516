//! The trail of what was written: who asked for it, what it was about, and what became of it.

mod attributes;
mod event;
pub(crate) mod lines;
mod log;
mod record;
mod sink;
mod subject;
mod trail;

use std::fmt;
use std::sync::Arc;

pub use event::{Attribute, Event, Outcome};
pub use log::Log;
pub(crate) use record::Record;
pub use sink::Sink;
pub(crate) use subject::Subject;
use trail::Recorder;

/// Reports every write of a client to an [`Sink`]: creations, changes, replacements and
/// deletions, alone, in batches and in bulk requests.
///
/// A write that is going to be sent is reported twice: as [`Begun`](Outcome::Begun) before its
/// first request, and with its outcome after the last. So the trail of a program that was killed
/// shows which writes were on their way. One that is refused before it is sent is reported once.
/// Reading is not reported, and neither is fetching a token, which changes no resource, or a call
/// that is no write yet, such as [`add_user_levels`](crate::blocking::ScimService::add_user_levels)
/// without a level.
///
/// **Nothing is sent that is not in the trail.** If the sink fails at the beginning of a write, the
/// write fails with [`ErrorKind::Trail`](crate::ErrorKind::Trail). If it fails at the end, the
/// result of the write stands. The event is kept, and reported before the next write begins; while
/// that fails, no write begins. [`flush`](Self::flush) tells whether anything is still kept.
///
/// A clone reports to the same sink. Give one to [`ScimConfig::audit`](crate::ScimConfig::audit).
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
    pub(crate) with_values: bool,
}

impl Trail {
    /// Reports to this sink, which may be a closure: without a label, and names of attributes
    /// without their values.
    pub fn to(sink: impl Sink) -> Self {
        Self { recorder: Arc::new(Recorder::to(sink)), label: None, with_values: false }
    }

    /// Reports the values of attributes too. They are personal data; that of a `password` is never
    /// reported.
    #[must_use]
    pub fn with_values(mut self) -> Self {
        self.with_values = true;
        self
    }

    /// Puts words of your own on every event, such as who is acting, or a ticket. None by default.
    ///
    /// `labelled` gives a client another label than that of its configuration.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Reports the outcomes that the sink failed to take, in their order. Nothing is to be done if
    /// there are none, as is usual.
    ///
    /// They are reported by themselves before the next write begins. At the end of a program there
    /// is no next write, so this is how it learns whether the trail is complete.
    ///
    /// # Errors
    ///
    /// The error of the sink, if it still fails. What it did not take is kept.
    ///
    /// ```
    /// use wats_scim::audit::{Event, Trail};
    ///
    /// let audit = Trail::to(|event: &Event| println!("{event:?}"));
    /// // A client writes, and then:
    /// audit.flush()?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn flush(&self) -> std::io::Result<()> {
        self.recorder.flush()
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
