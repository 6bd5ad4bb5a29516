//! What only WATS has: its paths, its dialect of PATCH, its extension and its token.

mod dialect;
mod token;
mod user;

#[cfg(any(feature = "blocking-api", feature = "async-api"))]
pub(crate) use dialect::joined;
pub(crate) use dialect::{PATCH_PATHS, rejection};
pub use token::ScimToken;
pub use user::WatsUser;

/// The path of SCIM on a WATS server.
pub(crate) const BASE_PATH: &str = "/api/SCIM/v2";
