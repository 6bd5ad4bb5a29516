//! What an apply decides: the order of the steps, whether each still fits, and what became of it.

pub(in crate::plan) mod ends;
pub(in crate::plan) mod order;
pub(in crate::plan) mod recheck;
pub(in crate::plan) mod report;
pub(in crate::plan) mod support;
pub(in crate::plan) mod unmet;
