//! A plan and its outcomes for people: printed, as JSON and Markdown, explained, compared.

pub(in crate::plan) mod diff;
pub(in crate::plan) mod explain;
pub(in crate::plan) mod json;
pub(in crate::plan) mod markdown;
pub(in crate::plan) mod print;
pub(in crate::plan) mod rejections;
pub(in crate::plan) mod requests;
pub(in crate::plan) mod select;
pub(in crate::plan) mod without_values;
