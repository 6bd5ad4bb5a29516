//! Builds requests and reads answers, without any I/O.

mod answer;
#[cfg(feature = "tls")]
mod assertion;
mod attempts;
mod authorization;
mod body;
#[cfg(feature = "tls")]
mod body_limit;
mod budget;
mod bulk;
mod call;
mod endpoint;
mod passwords;
mod path;
mod query;
#[cfg(feature = "rate-limit")]
mod rate_limit;
mod renewal;
mod retry_after;
mod same;
mod seen;
mod throttle;
mod time_left;
mod token_request;
mod trace;
mod version;

pub(crate) use answer::{Answer, Created, absent_as_none, check_shown, id_in, unanswered};
pub(crate) use attempts::{Attempts, Change, Retry, Sent, Verdict};
pub(crate) use authorization::Authorization;
#[cfg(feature = "tls")]
pub(crate) use body_limit::BodyLimit;
pub(crate) use budget::Budget;
pub(crate) use bulk::{Room, fitting, results as bulk_results};
pub(crate) use call::Call;
pub(crate) use endpoint::{ByName, Endpoint, check_name, gives_the_same_twice};
pub use query::ListQuery;
pub(crate) use renewal::{Renewal, Turn, Waited};
#[cfg(fuzzing)]
pub(crate) use retry_after::retry_after;
pub(crate) use same::is_the_one_sent;
pub(crate) use seen::Seen;
pub(crate) use throttle::{Throttle, Wait};
pub use time_left::TimeLeft;
pub(crate) use token_request::{TokenEndpoint, read_token};
#[cfg(all(feature = "blocking-api", feature = "async-api"))]
pub(crate) use trace::in_span_of_caller;
pub(crate) use trace::{RequestSpan, Trace, Work, WorkSpan};
