//! WATS specifics: its paths, its PATCH dialect, its user extension and its token.

mod dialect;
mod token;
mod user;

#[cfg(any(feature = "blocking-api", feature = "async-api"))]
pub(crate) use dialect::joined;
pub(crate) use dialect::{PATCH_PATHS, rejection};
pub use token::ScimToken;
pub use user::WatsUser;

/// The path of the SCIM API on a WATS server.
pub(crate) const BASE_PATH: &str = "/api/SCIM/v2";
