//! A WATS server in this process, on a loopback port: for trying things out, and for your tests.
//!
//! [`Sandbox`] has the seven routes of the WATS SCIM endpoint and its rules, or all of SCIM 2.0
//! with [`standard`](SandboxBuilder::standard). It listens on `127.0.0.1` only and forgets
//! everything when it is dropped. [`FaultProxy`] stands before it, or before another server on this
//! machine, and makes requests fail.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod fault;
mod log;
mod quirks;
mod refusal;
mod samples;
mod server;
mod standard;
mod wats;

pub use self::fault::{Fault, FaultProxy, FaultProxyBuilder, FaultRule, InjectedFault};
pub use self::log::RecordedRequest;
pub use self::wats::{Sandbox, SandboxBuilder};
