//! Matching of users: those of the source with those of the server, ownership, and names that are passed on.

pub(in crate::plan) mod by_email;
pub(in crate::plan) mod chains;
pub(in crate::plan) mod conflict;
pub(in crate::plan) mod identifiers;
pub(in crate::plan) mod left_out;
pub(in crate::plan) mod matching;
pub(in crate::plan) mod ours;
pub(in crate::plan) mod passed_on;
pub(in crate::plan) mod people;
