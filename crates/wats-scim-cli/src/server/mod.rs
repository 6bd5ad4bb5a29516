//! A server, with its credentials.

mod arguments;
pub(crate) mod environment;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use wats_scim::{Credentials, Profile, RetryPolicy, ScimConfig, Secret};

pub(crate) use self::arguments::ServerArgs;
use crate::failure::Failure;
use crate::profiles::{Measured, Profiles, Saved};
use crate::secrets::{self, Key};

/// The kind of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// WATS
    Wats,
    /// Any server that follows RFC 7643 and 7644
    Standard,
}

/// A server with its credentials.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) kind: Option<Kind>,
    pub(crate) login: Login,
    pub(crate) named_by: NamedBy,
    pub(crate) ca: Option<PathBuf>,
    /// What it was seen to do, if that was kept.
    pub(crate) measured: Option<Measured>,
    /// Seconds for one operation.
    pub(crate) timeout: Option<u64>,
}

/// What a server was named by.
#[derive(Clone, Debug)]
pub(crate) enum NamedBy {
    Argument,
    Variable(&'static str),
    Profile(String),
}

/// The credentials of a server.
#[derive(Clone)]
pub(crate) enum Login {
    Token(Secret),
    Password { user: String, password: Secret },
}

fn saved_secret(name: &str, saved: &Saved) -> Result<Secret, Failure> {
    secrets::read(saved.secret, Key { profile: name, url: &saved.url })?.ok_or_else(|| {
        Failure::Other(format!("the profile {name} has no credentials for {}; run `wats-scim login {name}`", saved.url))
    })
}

/// Whether a server is one of WATS, of which the URL says it if nothing else does.
///
/// # Errors
///
/// [`Failure::Usage`] if it is not the URL of a server. It may contain a password, so it is not repeated.
pub(crate) fn is_wats(url: &str, kind: Option<Kind>) -> Result<bool, Failure> {
    let profile = Profile::of_url(url).map_err(|error| invalid_url(&error))?;
    Ok(kind.map_or_else(|| profile.is_wats(), |kind| kind == Kind::Wats))
}

/// What the library advises is for a program; the first part says what is wrong.
fn invalid_url(error: &wats_scim::Error) -> Failure {
    let message = error.to_string();
    let wrong = message.split(';').next().unwrap_or_default();
    Failure::Usage(format!("{wrong}; give one such as https://acme.wats.com, and the credentials apart from it"))
}

/// Whether two URLs are written alike, but for a slash at the end.
pub(crate) fn is_same_url(one: &str, other: &str) -> bool {
    let bare = |url: &str| url.trim().trim_end_matches('/').to_owned();
    bare(one) == bare(other)
}

impl Login {
    /// A token, or the password of a user.
    pub(crate) fn new(user: Option<&str>, secret: Secret) -> Self {
        match user {
            Some(user) => Self::Password { user: user.to_owned(), password: secret },
            None => Self::Token(secret),
        }
    }

    pub(crate) fn user(&self) -> Option<&str> {
        match self {
            Self::Token(_) => None,
            Self::Password { user, .. } => Some(user),
        }
    }

    pub(crate) fn secret(&self) -> &Secret {
        match self {
            Self::Token(secret) | Self::Password { password: secret, .. } => secret,
        }
    }
}

impl Server {
    /// The server of a profile, whatever the arguments and the environment name.
    pub(crate) fn of_profile(name: &str) -> Result<Self, Failure> {
        let profiles = Profiles::read()?;
        let saved = profiles.named(name)?;
        Ok(Self::of_saved(name, saved, saved_secret(name, saved)?))
    }

    fn of_saved(name: &str, saved: &Saved, secret: Secret) -> Self {
        Self {
            url: saved.url.clone(),
            kind: saved.kind,
            login: Login::new(saved.user.as_deref(), secret),
            named_by: NamedBy::Profile(name.to_owned()),
            ca: saved.ca.clone(),
            measured: saved.measured.clone(),
            timeout: None,
        }
    }

    /// The settings of a client.
    pub(crate) fn config(&self) -> Result<ScimConfig, Failure> {
        let profile = match &self.measured {
            Some(measured) => measured.features()?,
            None if is_wats(&self.url, self.kind)? => Profile::wats(),
            None => Profile::standard(),
        };
        let credentials = match &self.login {
            Login::Password { user, password } => Credentials::basic(user, password.clone()),
            Login::Token(token) if profile.is_wats() => Credentials::wats_token(token.clone()),
            Login::Token(token) => Credentials::bearer(token.clone()),
        };
        let mut config = ScimConfig::new(&self.url, credentials).profile(profile);
        config.scim_url().map_err(|error| invalid_url(&error))?;
        if let Some(ca) = &self.ca {
            let pem = std::fs::read(ca).map_err(|error| Failure::file(ca, error))?;
            config = config.root_certificates(pem);
        }
        if let Some(seconds) = self.timeout {
            let time = Duration::from_secs(seconds);
            config = config.timeout(time).retry(RetryPolicy::default().deadline(time));
        }
        Ok(config)
    }
}

impl fmt::Display for NamedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Argument => f.write_str("--url"),
            Self::Variable(name) => f.write_str(name),
            Self::Profile(name) => write!(f, "the profile {name}"),
        }
    }
}

/// The URL may contain a password by mistake.
impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("named_by", &self.named_by).field("kind", &self.kind).finish_non_exhaustive()
    }
}
