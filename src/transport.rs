//! For an HTTP client of your own: how it fails, and how long a request may take.

pub use crate::error::TransportError;
pub use crate::exchange::TimeLeft;
