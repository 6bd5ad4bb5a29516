//! What a server does, beside what it says of itself: measured by
//! [`ScimService::probe`](crate::blocking::ScimService::probe).

mod judge;
mod judge_groups;
mod report;
mod seen;

pub(crate) use judge::{
    Listed, SPECIAL, SpecialUser, attribute_selection, count, creation, cursors, deletion, errors, filter, kept,
    media_type, page_size, past_the_end, patching, special_names, start_index, totals, versions, versions_in_bulk,
};
pub(crate) use judge_groups::{Looks, Shown, Way, no_group, note_leftovers, removal};
pub use report::{Check, Finding, Report, Verdict};
pub(crate) use seen::{Seen, SeenAnswers};
