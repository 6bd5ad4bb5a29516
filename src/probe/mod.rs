//! What a server does, beside what it says of itself: measured by
//! [`ScimService::probe`](crate::blocking::ScimService::probe).

mod judge;
mod report;
mod seen;

pub(crate) use judge::{
    Listed, SPECIAL, SpecialUser, attribute_selection, count, creation, cursors, deletion, errors, filter, kept,
    media_type, page_size, past_the_end, patching, special_names, start_index, totals, versions,
};
pub use report::{Check, Finding, Report, Verdict};
pub(crate) use seen::{Seen, SeenAnswers};
