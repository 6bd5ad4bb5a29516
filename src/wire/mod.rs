//! Building requests and reading answers, without waiting for anything.

mod answer;
mod endpoint;
mod path;

pub(crate) use answer::{Answer, Created, absent_as_none, unanswered};
pub(crate) use endpoint::{ByName, Call, Endpoint};
