//! Reads users and groups from files: an HR list in CSV, or a directory export in JSON.
//!
//! The result often becomes the desired state of a [plan](crate::plan), so reading is all or
//! nothing, and anything ambiguous is an error.
//!
//! | file | users | users, groups and members |
//! |---|---|---|
//! | CSV with a row for each user | [`UserCsv::read`] | [`UserCsv::read_directory`]: the groups are in a column |
//! | CSV with a row for each membership | | [`MembershipCsv`] |
//! | JSON | [`users_from_json`] | [`directory_from_json`] |
//! | another server | | [`directory_of`] |
//!
//! Members and managers can be named by their `userName` or `externalId`. A plan resolves them.

#[cfg(feature = "csv")]
mod csv;
mod directory;
mod error;
mod groups;
mod json;
#[cfg(test)]
mod round_trip;
mod rows;
mod schema;
mod server;

#[cfg(feature = "csv")]
pub use csv::{MembershipCsv, UserCsv, UserCsvWriter, protected_cell};
pub use directory::{directory_from_json, directory_from_json_file};
pub use error::{BadRow, ImportError};
pub use json::{users_from_json, users_from_json_file};
pub use server::directory_of;
