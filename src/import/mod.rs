//! Users from elsewhere: a file of the personnel department, the export of a directory.
//!
//! What is read here says how the users of a server are to be. So it is read whole or not at all,
//! and what is doubtful is an error.

#[cfg(feature = "csv")]
mod csv;
mod error;
mod json;
#[cfg(test)]
mod round_trip;
mod rows;
mod schema;

#[cfg(feature = "csv")]
pub use csv::UserCsv;
pub use error::{BadRow, ImportError};
pub use json::{users_from_json, users_from_json_file};
