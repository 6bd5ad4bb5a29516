//! Who is who: users of the source and of the server, whom a policy may touch, and names that are passed on.

pub(in crate::plan) mod by_email;
pub(in crate::plan) mod chains;
pub(in crate::plan) mod conflict;
pub(in crate::plan) mod identifiers;
pub(in crate::plan) mod matching;
pub(in crate::plan) mod ours;
pub(in crate::plan) mod passed_on;
pub(in crate::plan) mod people;
