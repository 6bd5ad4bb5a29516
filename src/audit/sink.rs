use std::io;

use super::AuditEvent;

/// Where the events of an [`Audit`](super::Audit) go: an [`AuditLog`](super::AuditLog), a closure,
/// or a type of your own.
///
/// ```
/// use std::io::{Error, Result};
/// use std::sync::mpsc::SyncSender;
///
/// use wats_scim::{AuditEvent, AuditSink};
///
/// struct Channel(SyncSender<AuditEvent>);
///
/// impl AuditSink for Channel {
///     fn record(&self, event: &AuditEvent) -> Result<()> {
///         self.0.try_send(event.clone()).map_err(Error::other)
///     }
/// }
/// ```
pub trait AuditSink: Send + Sync + 'static {
    /// Takes one event. When this returns, the event should be where it cannot get lost.
    ///
    /// It is called where the write is, and the write goes on when it returns: it should be quick,
    /// above all in the async face, where it holds up the executor's thread. Writes at the same
    /// time call it at the same time.
    ///
    /// # Errors
    ///
    /// Whatever kept the event from being taken. [`Audit`](super::Audit) says what follows.
    fn record(&self, event: &AuditEvent) -> io::Result<()>;
}

/// A closure takes every event.
impl<F: Fn(&AuditEvent) + Send + Sync + 'static> AuditSink for F {
    fn record(&self, event: &AuditEvent) -> io::Result<()> {
        self(event);
        Ok(())
    }
}
