//! How SCIM reads and compares JSON.
//!
//! JSON alone does not say when two resources are the same: SCIM matches attribute names in any
//! letter case (RFC 7643 §2.1), treats `null` and empty values as absent (§2.5), and gives the
//! values of a multi-valued attribute no order (§2.4). Every part of a client or server that
//! compares resources needs the same answers, so they are here.
//!
//! | question | function |
//! |---|---|
//! | what is the value of this attribute? | [`member`], or [`assigned`] to skip unassigned ones |
//! | how does the object spell this name? | [`spelling`] |
//! | set or remove an attribute | [`set`], [`take`] |
//! | is this the same as no value? | [`is_unassigned`], [`holds_nothing`] |
//! | are these two values the same? | [`equal`] |
//! | does the server already have what is wanted? | [`covers`] |
//! | could this be the resource that was sent? | [`agree`] |
//! | do these two texts name the same person? | [`same_text`], [`text_key`] |
//! | does a client have a say in this attribute? | [`is_server_attribute`], [`is_write_only`] |
//!
//! ```
//! use serde_json::json;
//! use wats_scim_filter::json;
//!
//! let before = json!([{ "value": "a", "type": "work" }, { "value": "b" }]);
//! let after = json!([{ "VALUE": "b", "type": null }, { "value": "a", "type": "work" }]);
//! assert!(json::equal(&before, &after));
//!
//! let held = json!({ "value": "Jane@example.com", "type": "work", "primary": true });
//! let wanted = json!({ "value": "jane@example.com" });
//! assert!(json::covers("emails", &held, &wanted));
//! ```

mod members;
mod relations;
mod text;

pub use self::members::{
    assigned, holds_nothing, is_server_attribute, is_unassigned, is_write_only, member, member_mut, same_name, set,
    spelling, take,
};
pub use self::relations::{agree, covers, equal};
pub use self::text::{is_invisible, is_joiner, same_text, text_key};
