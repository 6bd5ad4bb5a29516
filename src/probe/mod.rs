//! What a server does, beside what it says of itself: measured by
//! [`ScimService::probe`](crate::blocking::ScimService::probe).

mod judge;
mod report;

pub use report::{Check, Finding, Report, Verdict};

pub(crate) use judge::{
    SPECIAL, attribute_selection, count, creation, cursors, deletion, errors, filter, kept, media_type, page_size,
    patching, special_names, start_index, totals, versions,
};
