//! Building requests and reading answers, without waiting for anything.

mod answer;
mod attempts;
mod body;
mod bulk;
mod endpoint;
mod path;
mod retry_after;
mod same;
mod time_left;

pub(crate) use answer::{Answer, Created, absent_as_none, id_in, unanswered};
pub(crate) use attempts::{Attempts, Verdict};
pub(crate) use body::unwritable;
pub use bulk::BulkLimits;
pub(crate) use bulk::results as bulk_results;
pub(crate) use endpoint::{ByName, Call, Endpoint, check_name, gives_the_same_twice};
#[cfg(fuzzing)]
pub(crate) use retry_after::retry_after;
pub(crate) use same::is_the_one_sent;
pub use time_left::TimeLeft;
