//! How SCIM reads and compares JSON.
//!
//! Comparing JSON is not enough to tell whether two resources are the same: SCIM ignores the letter
//! case of attribute names (RFC 7643 §2.1), treats `null` and empty values as absent (§2.5), and
//! defines no order for the values of a multi-valued attribute (§2.4). Every part of a client or server
//! that compares resources needs the same rules, so this module has them.
//!
//! | question | function |
//! |---|---|
//! | what is the value of this attribute? | [`member`], or [`assigned`] to skip unassigned ones |
//! | which spelling of this name does the object have? | [`spelling`] |
//! | set or remove an attribute | [`set`], [`take`] |
//! | is this value unassigned? | [`is_unassigned`], [`holds_nothing`] |
//! | are these two values equal? | [`equal`] |
//! | does the server already have the desired value? | [`covers`] |
//! | can this be the resource that was sent? | [`agree`] |
//! | do these two texts identify the same person? | [`same_text`], [`text_key`] |
//! | do these two texts have the same characters? | [`same_characters`] |
//! | is this value true or false? | [`truth`] |
//! | can a client set or read this attribute? | [`is_server_attribute`], [`is_write_only`] |
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

mod covers;
mod equal;
mod members;
mod place;
mod text;

pub use self::covers::{agree, covers};
pub use self::equal::equal;
pub use self::members::{
    assigned, holds_nothing, is_server_attribute, is_unassigned, is_write_only, member, member_mut, same_name, set,
    spelling, take,
};
pub use self::place::truth;
pub use self::text::{is_invisible, is_joiner, same_characters, same_text, text_key};
