//! Which server, with which credentials: an argument comes before the environment, the environment before the
//! profile.

use std::fmt;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};
use wats_scim::{Credentials, Profile, ScimConfig, Secret};

use crate::environment::{self, Named};
use crate::failure::Failure;
use crate::profiles::{Profiles, Saved};
use crate::secrets::{self, Key};

/// The variable is not read by clap: unlike an argument, it can be set beside `--url`.
const PROFILE_HELP: &str = "The profile of the server, as `profile list` shows it [env: WATS_SCIM_PROFILE]";

/// Arguments that name the server.
#[derive(Args, Clone, Debug)]
pub(crate) struct ServerArgs {
    #[arg(long, short, global = true, value_name = "NAME", help = PROFILE_HELP)]
    pub(crate) profile: Option<String>,
    #[arg(long, global = true, value_name = "URL", help = "The URL of the server, such as https://acme.wats.com")]
    pub(crate) url: Option<String>,
    /// The kind of server [default: by its URL]
    #[arg(long, global = true, value_enum, value_name = "KIND")]
    pub(crate) kind: Option<Kind>,
    /// A file with the token, or with the password of a profile that has a user name
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// Read the token, or the password, from standard input
    #[arg(long, global = true, conflicts_with = "token_file")]
    pub(crate) token_stdin: bool,
    /// A file with certificates (PEM) to trust beside those of the system
    #[arg(long, global = true, value_name = "FILE", env = "WATS_SCIM_CA", hide_env_values = true)]
    pub(crate) ca: Option<PathBuf>,
    /// Seconds for one operation, with its retries
    #[arg(long, global = true, value_name = "SECONDS")]
    pub(crate) timeout: Option<u64>,
}

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
    /// What the URL and the credentials were taken from, for messages.
    pub(crate) from: String,
    pub(crate) ca: Option<PathBuf>,
    pub(crate) timeout: Option<u64>,
}

/// The credentials of a server.
#[derive(Clone)]
pub(crate) enum Login {
    Token(Secret),
    Password { user: String, password: Secret },
}

impl ServerArgs {
    /// The server that is named; see the order above.
    pub(crate) fn resolve(&self) -> Result<Server, Failure> {
        match (&self.url, &self.profile) {
            (Some(url), None) => self.by_argument(url),
            (None, Some(name)) => self.by_profile(name),
            (Some(_), Some(_)) => {
                Err(Failure::Usage("--url and --profile name two servers; give one of them".to_owned()))
            }
            (None, None) => match environment::named()? {
                Some(Named::Server(url, variables)) => self.by_environment(url, variables),
                Some(Named::Profile(name)) => self.by_profile(&name),
                None => self.by_profile(&Profiles::read()?.current.ok_or_else(missing)?),
            },
        }
    }

    fn by_argument(&self, url: &str) -> Result<Server, Failure> {
        let login = match self.given_secret()? {
            Some(token) => Login::Token(token),
            None => environment::login_for(url, self.kind)?.ok_or_else(|| {
                Failure::Usage(
                    "--url needs credentials: give --token-file or --token-stdin, or set WATS_TOKEN or SCIM_TOKEN (a \
                     token of the environment is only sent to the URL beside it)"
                        .to_owned(),
                )
            })?,
        };
        Ok(self.server(url.to_owned(), self.kind, login, "--url".to_owned()))
    }

    fn by_environment(&self, url: String, variables: &environment::Variables) -> Result<Server, Failure> {
        let login = match self.given_secret()? {
            Some(token) => Login::Token(token),
            None => variables.login()?.ok_or_else(|| {
                Failure::Usage(format!("{} is set, but no credentials: set {}", variables.url, variables.names()))
            })?,
        };
        Ok(self.server(url, Some(self.kind.unwrap_or(variables.kind)), login, variables.url.to_owned()))
    }

    fn by_profile(&self, name: &str) -> Result<Server, Failure> {
        let profiles = Profiles::read()?;
        let saved = profiles.named(name)?;
        let secret = match self.given_secret()? {
            Some(secret) => secret,
            None => saved_secret(name, saved)?,
        };
        let server = Server::of_saved(name, saved, secret);
        let (kind, ca) = (self.kind.or(server.kind), self.ca.clone().or(server.ca));
        Ok(Server { kind, ca, timeout: self.timeout, ..server })
    }

    fn server(&self, url: String, kind: Option<Kind>, login: Login, from: String) -> Server {
        Server { url, kind, login, from, ca: self.ca.clone(), timeout: self.timeout }
    }

    /// The secret of `--token-file` or `--token-stdin`.
    pub(crate) fn given_secret(&self) -> Result<Option<Secret>, Failure> {
        if self.token_stdin {
            let mut text = String::new();
            let read = std::io::stdin().lock().take(1 << 16).read_to_string(&mut text);
            read.map_err(|error| Failure::Other(format!("the token cannot be read from standard input: {error}")))?;
            return token_in(&text, "standard input").map(Some);
        }
        self.token_file.as_deref().map(token_file).transpose()
    }
}

fn missing() -> Failure {
    Failure::Usage(
        "no server is named; run `wats-scim login`, set WATS_BASE_URL and WATS_TOKEN, or try it on a server of its \
         own: `wats-scim sandbox`"
            .to_owned(),
    )
}

fn saved_secret(name: &str, saved: &Saved) -> Result<Secret, Failure> {
    secrets::read(saved.secret, Key { profile: name, url: &saved.url })?.ok_or_else(|| {
        Failure::Other(format!("the profile {name} has no credentials for {}; run `wats-scim login {name}`", saved.url))
    })
}

fn token_file(path: &Path) -> Result<Secret, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::file(path, error))?;
    token_in(&text, &path.display().to_string())
}

fn token_in(text: &str, place: &str) -> Result<Secret, Failure> {
    match text.trim() {
        "" => Err(Failure::Other(format!("there is no token in {place}"))),
        token => Ok(Secret::new(token)),
    }
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
    #[allow(dead_code, reason = "sources of the form scim:PROFILE")]
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
            from: format!("the profile {name}"),
            ca: saved.ca.clone(),
            timeout: None,
        }
    }

    /// The settings of a client.
    pub(crate) fn config(&self) -> Result<ScimConfig, Failure> {
        let profile = if is_wats(&self.url, self.kind)? { Profile::wats() } else { Profile::standard() };
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
            config = config.timeout(std::time::Duration::from_secs(seconds));
        }
        Ok(config)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("url", &self.url).field("kind", &self.kind).finish_non_exhaustive()
    }
}
