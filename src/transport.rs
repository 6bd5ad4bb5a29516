//! Types for an HTTP client of your own: its error, and the remaining time of an operation.

pub use crate::error::TransportError;
pub use crate::exchange::TimeLeft;
