//! In-process SCIM 2.0 servers for tests, and a proxy that injects faults.
//!
//! - [`Sandbox`]: a server that behaves like the SCIM endpoint of WATS.
//! - [`StandardSandbox`]: a server that follows RFC 7643, RFC 7644 and RFC 9865.
//! - [`FaultProxy`]: a proxy in front of one of them, or of another server on this machine, that
//!   resets, stalls, truncates, redirects or falsifies answers.
//!
//! Each starts in about a millisecond on a free port of `127.0.0.1`, gives access to its resources and
//! to the requests that it received, and stops when it is dropped. They work with any HTTP client; this
//! example writes the request itself:
//!
//! ```
//! use std::io::{Read, Write};
//! use std::net::TcpStream;
//!
//! use wats_scim_sandbox::Sandbox;
//!
//! fn send(method: &str, url: &str, token: &str, body: &str) -> std::io::Result<String> {
//!     let url = url.trim_start_matches("http://");
//!     let (address, path) = url.split_once('/').unwrap_or((url, ""));
//!     let mut stream = TcpStream::connect(address)?;
//!     let length = body.len();
//!     let request = format!(
//!         "{method} /{path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Basic {token}\r\n\
//!          Connection: close\r\nContent-Length: {length}\r\n\r\n{body}"
//!     );
//!     stream.write_all(request.as_bytes())?;
//!     let mut answer = String::new();
//!     stream.read_to_string(&mut answer)?;
//!     Ok(answer)
//! }
//!
//! let sandbox = Sandbox::builder().users(2).start()?;
//! let users = format!("{}/Users", sandbox.scim_url());
//! let answer = send("POST", &users, sandbox.token(), r#"{"userName": "jane@example.com"}"#)?;
//! assert!(answer.starts_with("HTTP/1.1 201 Created"));
//!
//! // The resources on the server, and the requests that it received.
//! assert_eq!(sandbox.users()[2]["userName"], "jane@example.com");
//! assert_eq!(sandbox.requests()[0].method, "POST");
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! The examples of the methods use the same function `send`.
//!
//! The servers are for tests only: they listen on the loopback interface, and their tokens are not
//! signed.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod account;
mod example;
mod fault;
mod log;
mod message;
mod quirks;
mod refusal;
mod running;
mod samples;
mod server;
mod setup;
mod standard;
mod wats;

pub use self::fault::{Fault, FaultProxy, FaultProxyBuilder, FaultRule, InjectedFault};
pub use self::log::RecordedRequest;
pub use self::standard::{StandardSandbox, StandardSandboxBuilder};
pub use self::wats::{Sandbox, SandboxBuilder};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
