//! The account of a server.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use uuid::Uuid;

/// The account of a server, with a random password for each server.
#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) user_name: String,
    pub(crate) password: String,
    /// A WATS API token is the base64 of `user:password`.
    pub(crate) token: String,
}

impl Account {
    /// The account `sandbox`, with a random password.
    pub(crate) fn random() -> Self {
        let user_name = "sandbox".to_owned();
        let password = Uuid::new_v4().simple().to_string();
        let token = STANDARD.encode(format!("{user_name}:{password}"));
        Self { user_name, password, token }
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("user_name", &self.user_name).finish_non_exhaustive()
    }
}
