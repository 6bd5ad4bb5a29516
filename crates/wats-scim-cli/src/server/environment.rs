//! The server that variables name. A secret in the environment belongs to the URL beside it, and is sent to no other.

use std::env;

use wats_scim::Secret;

use super::{Kind, Login, is_same_url, is_wats};
use crate::failure::Failure;

/// The profile that the environment names.
const PROFILE: &str = "WATS_SCIM_PROFILE";

/// The variables of one kind of server.
#[derive(Debug)]
pub(crate) struct Variables {
    pub(crate) kind: Kind,
    pub(crate) url: &'static str,
    token: &'static str,
    /// The user name and the password, in place of a token.
    password: Option<(&'static str, &'static str)>,
}

const WATS: Variables = Variables { kind: Kind::Wats, url: "WATS_BASE_URL", token: "WATS_TOKEN", password: None };
const STANDARD: Variables = Variables {
    kind: Kind::Standard,
    url: "SCIM_URL",
    token: "SCIM_TOKEN",
    password: Some(("SCIM_USER", "SCIM_PASSWORD")),
};

/// What the environment names.
#[derive(Debug)]
pub(crate) enum Named {
    Server(String, &'static Variables),
    Profile(String),
}

/// What the environment names, if anything.
///
/// # Errors
///
/// [`Failure::Usage`] if it names two servers.
pub(crate) fn named() -> Result<Option<Named>, Failure> {
    match (variable(WATS.url), variable(STANDARD.url), variable(PROFILE)) {
        (None, None, None) => Ok(None),
        (Some(url), None, None) => Ok(Some(Named::Server(url, &WATS))),
        (None, Some(url), None) => Ok(Some(Named::Server(url, &STANDARD))),
        (None, None, Some(name)) => Ok(Some(Named::Profile(name))),
        _ => Err(Failure::Usage(format!(
            "of {}, {} and {PROFILE}, more than one is set, and each names a server; unset all but one, or give --profile",
            WATS.url, STANDARD.url
        ))),
    }
}

impl Variables {
    /// The credentials beside the URL.
    pub(crate) fn login(&self) -> Result<Option<Login>, Failure> {
        if let Some(token) = variable(self.token) {
            return Ok(Some(Login::Token(Secret::new(token.trim()))));
        }
        let Some((user_name, password_name)) = self.password else { return Ok(None) };
        match (variable(user_name), variable(password_name)) {
            (Some(user), Some(password)) => Ok(Some(Login::Password { user, password: Secret::new(password) })),
            (None, None) => Ok(None),
            _ => Err(Failure::Usage(format!("{user_name} and {password_name} belong together: set both"))),
        }
    }

    /// The variables of the credentials, for messages.
    pub(crate) fn names(&self) -> String {
        match self.password {
            Some((user, password)) => format!("{}, or {user} and {password}", self.token),
            None => self.token.to_owned(),
        }
    }
}

/// The credentials for a URL that is not from the environment: those of its kind of server, unless they belong to
/// another URL.
pub(crate) fn login_for(url: &str, kind: Option<Kind>) -> Result<Option<Login>, Failure> {
    let variables = if is_wats(url, kind)? { [&WATS, &STANDARD] } else { [&STANDARD, &WATS] };
    for variables in variables {
        if variable(variables.url).is_none_or(|other| is_same_url(&other, url))
            && let Some(login) = variables.login()?
        {
            return Ok(Some(login));
        }
    }
    Ok(None)
}

/// A variable that is set and not empty.
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.trim().is_empty())
}
