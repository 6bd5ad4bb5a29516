use std::io;

use super::Event;

/// The destination of the events of a [`Trail`](super::Trail): a [`Log`](super::Log), a closure, or
/// your own type.
///
/// ```
/// use std::io::{Error, Result};
/// use std::sync::mpsc::SyncSender;
///
/// use wats_scim::audit::{Event, Sink};
///
/// struct Channel(SyncSender<Event>);
///
/// impl Sink for Channel {
///     fn record(&self, event: &Event) -> Result<()> {
///         self.0.try_send(event.clone()).map_err(Error::other)
///     }
/// }
/// ```
pub trait Sink: Send + Sync + 'static {
    /// Records one event. It should be stored safely when this returns.
    ///
    /// The write waits for this call, and in the async API it blocks the executor's thread, so it
    /// should be fast. It is called concurrently by concurrent writes.
    ///
    /// # Errors
    ///
    /// The reason why the event could not be recorded. See [`Trail`](super::Trail) for the
    /// consequences.
    fn record(&self, event: &Event) -> io::Result<()>;
}

/// Calls the closure with every event; it cannot fail.
impl<F: Fn(&Event) + Send + Sync + 'static> Sink for F {
    fn record(&self, event: &Event) -> io::Result<()> {
        self(event);
        Ok(())
    }
}
