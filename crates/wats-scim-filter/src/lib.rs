//! Filters and attribute paths of SCIM 2.0 (RFC 7644 §3.4.2.2 and §3.5.2): built, parsed, printed
//! and evaluated.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod filter;

pub use filter::{AttributePath, Filter, FilterError, PatchPath};
