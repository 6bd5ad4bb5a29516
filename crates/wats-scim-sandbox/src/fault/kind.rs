//! What can go wrong with a request.

use std::time::Duration;

use http::StatusCode;

/// What a [`FaultProxy`](super::FaultProxy) does to a request.
///
/// Those with `AfterApplied` in their name, [`Truncate`](Self::Truncate),
/// [`Trickle`](Self::Trickle), [`CloseIdle`](Self::CloseIdle) and
/// [`CloseOnReuse`](Self::CloseOnReuse) forward the request and read the whole answer first, so a
/// write has been applied by then. All others never forward it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Resets the connection (TCP RST) without forwarding the request.
    ResetBeforeAnswer,
    /// Resets the connection (TCP RST) once the server has answered.
    ResetAfterApplied,
    /// Says nothing for this long, then closes the connection.
    Stall(Duration),
    /// Says nothing for this long once the server has answered, then closes the connection.
    StallAfterApplied(Duration),
    /// Gives the server's answer, but only half of its body, and closes the connection.
    ///
    /// `Content-Length` still says all. Of an answer without a body it gives half the head.
    Truncate,
    /// Gives the server's answer with its body in slow pieces; all of it arrives.
    Trickle {
        /// How large a piece is.
        bytes: usize,
        /// How long to wait before each piece.
        every: Duration,
    },
    /// Answers with this status and no body.
    Status {
        /// The status, which must be a final one: 200 or above.
        code: StatusCode,
        /// What `Retry-After` says, in whole seconds; `None` leaves it out.
        retry_after: Option<Duration>,
    },
    /// Puts this status with no body in the place of the server's answer, as a gateway does that
    /// gave up on the server too early.
    StatusAfterApplied {
        /// The status, which must be a final one: 200 or above.
        code: StatusCode,
        /// What `Retry-After` says, in whole seconds; `None` leaves it out.
        retry_after: Option<Duration>,
    },
    /// Points somewhere else.
    Redirect {
        /// The status, such as 302 or 307.
        code: StatusCode,
        /// Where to.
        location: String,
    },
    /// Answers 200 with a web page, as a login form or a captive portal does.
    Html,
    /// Puts a web page under 200 in the place of the server's answer.
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
    /// Gives the server's answer, and then closes the connection, though it had not said so.
    CloseIdle,
    /// Gives the server's answer, and resets the connection as soon as the next request comes in on
    /// it, which is not forwarded.
    ///
    /// It is the race that a client with a pool of connections cannot avoid, made certain.
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
