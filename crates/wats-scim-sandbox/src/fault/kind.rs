//! The faults.

use std::time::Duration;

use http::StatusCode;

use crate::example::example;

/// A way in which a [`FaultProxy`](super::FaultProxy) makes a request fail.
///
/// The faults with `AfterApplied` in their name, [`Truncate`](Self::Truncate),
/// [`Trickle`](Self::Trickle), [`CloseIdle`](Self::CloseIdle) and
/// [`CloseOnReuse`](Self::CloseOnReuse) forward the request and read the whole answer first, so the
/// server has applied a write. All other faults do not forward the request.
///
#[doc = example!("{Fault, FaultProxy, FaultRule, Sandbox}":
    "use http::StatusCode;\n\n",
    "let sandbox = Sandbox::start()?;\n",
    "let busy = Fault::Status { code: StatusCode::TOO_MANY_REQUESTS, retry_after: None };\n",
    "let proxy = FaultProxy::builder(sandbox.base_url()).with_rule(FaultRule::new(busy)).start()?;\n",
    "assert!(send(\"GET\", proxy.base_url(), sandbox.token(), \"\")?.starts_with(\"HTTP/1.1 429\"));",
)]
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Resets the connection (TCP RST) without forwarding the request.
    ResetBeforeAnswer,
    /// Resets the connection (TCP RST) after the server has answered.
    ResetAfterApplied,
    /// Sends nothing for this long, then closes the connection.
    Stall(Duration),
    /// Sends nothing for this long after the server has answered, then closes the connection.
    StallAfterApplied(Duration),
    /// Sends the answer of the server with half of its body, then closes the connection.
    ///
    /// `Content-Length` is still the full length. Of an answer without a body, half of the head is
    /// sent.
    Truncate,
    /// Sends the complete answer of the server, with its body in slow pieces.
    Trickle {
        /// The size of a piece, in bytes.
        bytes: usize,
        /// The time to wait before each piece.
        every: Duration,
    },
    /// Answers with this status and no body.
    Status {
        /// The status, which must be a final one: 200 or above.
        code: StatusCode,
        /// The header `Retry-After`, in whole seconds; `None` leaves it out.
        retry_after: Option<Duration>,
    },
    /// Replaces the answer of the server with this status and no body, like a gateway that times out
    /// too early.
    StatusAfterApplied {
        /// The status, which must be a final one: 200 or above.
        code: StatusCode,
        /// The header `Retry-After`, in whole seconds; `None` leaves it out.
        retry_after: Option<Duration>,
    },
    /// Redirects.
    Redirect {
        /// The status, such as 302 or 307.
        code: StatusCode,
        /// The header `Location`.
        location: String,
    },
    /// Answers 200 with a web page, like a login form or a captive portal.
    Html,
    /// Replaces the answer of the server with 200 and a web page.
    HtmlAfterApplied,
    /// Answers 200 with no body.
    Empty,
    /// Answers 200 with plain text that is not JSON.
    WrongMediaType,
    /// Answers 200 with a JSON body of this many bytes.
    Oversized(u64),
    /// Answers 200 with a gzip body of this many bytes when decompressed, and about a thousandth of that
    /// before.
    GzipBomb(u64),
    /// Sends the answer of the server, then closes the connection without announcing it.
    CloseIdle,
    /// Sends the answer of the server, and resets the connection when the next request arrives on it.
    /// That request is not forwarded.
    ///
    /// This is the race between a connection pool and a server that closes idle connections.
    CloseOnReuse,
}

impl Fault {
    /// Whether the request is forwarded and its answer read before the fault.
    pub(super) fn forwards(&self) -> bool {
        match self {
            Self::ResetAfterApplied
            | Self::StallAfterApplied(_)
            | Self::Truncate
            | Self::Trickle { .. }
            | Self::StatusAfterApplied { .. }
            | Self::HtmlAfterApplied
            | Self::CloseIdle
            | Self::CloseOnReuse => true,
            Self::ResetBeforeAnswer
            | Self::Stall(_)
            | Self::Status { .. }
            | Self::Redirect { .. }
            | Self::Html
            | Self::Empty
            | Self::WrongMediaType
            | Self::Oversized(_)
            | Self::GzipBomb(_) => false,
        }
    }
}
