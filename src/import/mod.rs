//! Reads users from files: an HR list in CSV, or a directory export in JSON.
//!
//! The result often becomes the desired state of a [plan](crate::plan), so reading is all or
//! nothing, and anything ambiguous is an error.

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
pub use json::{
    users_from_json, users_from_json_file, users_from_json_file_with_origins, users_from_json_with_origins,
};

pub use crate::model::{Origin, Origins};
