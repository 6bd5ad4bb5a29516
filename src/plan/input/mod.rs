//! What a plan is made from: the server and the source.

pub(in crate::plan) mod current;
pub(in crate::plan) mod desired;
pub(in crate::plan) mod reference;
