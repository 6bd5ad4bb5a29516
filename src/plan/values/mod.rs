//! What is compared and changed of a user: attributes, mappings, managers.

pub(in crate::plan) mod attributes;
pub(in crate::plan) mod change;
pub(in crate::plan) mod manager;
pub(in crate::plan) mod mapping;
pub(in crate::plan) mod merge;
pub(in crate::plan) mod unchanged;
