//! Deliberate mistakes in the client. Each must be found, or the judge does not judge.

/// The names, as in the macro `mistake!` of the client.
pub const MISTAKES: [&str; 14] = [
    "a creation is sent again without a look",
    "a step is not recorded before it is sent",
    "the journal is not synced",
    "a gateway's 404 confirms a deletion",
    "the deadline is for each attempt",
    "retries are not counted",
    "Retry-After is ignored",
    "a 502 means not applied",
    "a torn line is continued",
    "an apply goes on after a 401",
    "a second creation is not looked at",
    "a changed user is changed all the same",
    "an apply goes on after its journal failed",
    "a creation of a lost bulk request is sent again without a look",
];
