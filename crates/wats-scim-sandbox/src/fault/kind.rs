//! The faults.

use std::time::Duration;

use http::StatusCode;

use crate::example::example;

/// A way in which a [`FaultProxy`](super::FaultProxy) makes a request fail.
///
/// Those with `AfterApplied` in their name, [`Truncate`](Self::Truncate),
/// [`Trickle`](Self::Trickle), [`CloseIdle`](Self::CloseIdle) and
/// [`CloseOnReuse`](Self::CloseOnReuse) forward the request and read the whole answer first, so a
/// write has been applied by then. All others never forward it.
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
    /// Resets the connection (TCP RST) once the server has answered.
    ResetAfterApplied,
    /// Sends nothing for this long, then closes the connection.
    Stall(Duration),
    /// Sends nothing for this long once the server has answered, then closes the connection.
    StallAfterApplied(Duration),
    /// Sends the server's answer with half of its body, and closes the connection.
    ///
    /// `Content-Length` still names the whole length. Of an answer without a body, half of the head
    /// is sent.
    Truncate,
    /// Sends the server's answer completely, but its body in slow pieces.
    Trickle {
        /// The size of a piece.
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
    /// Replaces the server's answer by this status and no body, as a gateway does that has given up
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
    /// Answers 200 with a web page, as a login form or a captive portal does.
    Html,
    /// Replaces the server's answer by 200 with a web page.
    HtmlAfterApplied,
    /// Answers 200 with no body.
    Empty,
    /// Answers 200 with plain text that is not JSON.
    WrongMediaType,
    /// Answers 200 with a JSON body of this many bytes.
    Oversized(u64),
    /// Answers 200 with a gzip body that is this many bytes long once it is decompressed, and about
    /// a thousandth of that before.
    GzipBomb(u64),
    /// Sends the server's answer, and then closes the connection without having announced it.
    CloseIdle,
    /// Sends the server's answer, and resets the connection when the next request arrives on it, which
    /// is not forwarded.
    ///
    /// A client with a connection pool cannot avoid this race; here it always happens.
    CloseOnReuse,
}

impl Fault {
    /// Whether the request is forwarded, and the answer read, before anything goes wrong.
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
