//! Filters and attribute paths of SCIM 2.0 (RFC 7644), and how SCIM compares JSON (RFC 7643).
//!
//! ```
//! use serde_json::json;
//! use wats_scim_filter::{Filter, PatchPath, json};
//!
//! // Build a filter from values, which cannot break out of it.
//! let filter = Filter::eq("userName", r#"o"neill"#).or(Filter::present("title"));
//! assert_eq!(filter.to_string(), r#"userName eq "o\"neill" or title pr"#);
//!
//! // Parse a filter, and evaluate it as a server does.
//! let user = json!({ "userName": "jane", "emails": [{ "value": "jane@example.com", "type": "work" }] });
//! let filter: Filter = r#"emails[type eq "work" and value ew "@EXAMPLE.com"]"#.parse()?;
//! assert!(filter.matches(&user));
//!
//! // Parse the path of a PATCH operation.
//! let path: PatchPath = r#"emails[type eq "work"].value"#.parse()?;
//! assert_eq!((path.path().name(), path.sub_attribute()), ("emails", Some("value")));
//!
//! // Find attributes ignoring letter case, as SCIM does.
//! let user = user.as_object().unwrap();
//! assert_eq!(json::member(user, "USERNAME"), Some(&json!("jane")));
//! # Ok::<(), wats_scim_filter::FilterError>(())
//! ```
//!
//! - [`Filter`]: which resources a query returns (RFC 7644 §3.4.2.2).
//! - [`AttributePath`]: the path of an attribute (RFC 7644 §3.10).
//! - [`PatchPath`]: the path of a PATCH operation (RFC 7644 §3.5.2).
//! - [`json`]: attribute names, unassigned values, and equality.
//!
//! Parsing is safe for hostile input: more than 64 KiB of text or more than 64 levels of parentheses
//! are rejected, and no input panics.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod filter;
pub mod json;

pub use filter::{AttributePath, Filter, FilterError, PatchPath};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
