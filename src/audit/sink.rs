use std::io;

use super::Event;

/// Where the events of an [`Trail`](super::Trail) go: an [`Log`](super::Log), a closure,
/// or a type of your own.
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
    /// Takes one event. When this returns, the event should be where it cannot get lost.
    ///
    /// It is called where the write is, and the write goes on when it returns: it should be quick,
    /// above all in the async face, where it holds up the executor's thread. Writes at the same
    /// time call it at the same time.
    ///
    /// # Errors
    ///
    /// Whatever kept the event from being taken. [`Trail`](super::Trail) says what follows.
    fn record(&self, event: &Event) -> io::Result<()>;
}

/// A closure takes every event.
impl<F: Fn(&Event) + Send + Sync + 'static> Sink for F {
    fn record(&self, event: &Event) -> io::Result<()> {
        self(event);
        Ok(())
    }
}
