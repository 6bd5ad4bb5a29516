//! Which server, with which credentials: an argument comes before the environment, the environment before the
//! profile.

use std::env;
use std::fmt;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};
use wats_scim::{Credentials, Profile, ScimConfig, Secret};

use crate::failure::Failure;

/// Arguments that name the server.
#[derive(Args, Clone, Debug)]
pub(crate) struct ServerArgs {
    /// The profile of the server, as `profile list` shows it
    #[arg(long, short, global = true, value_name = "NAME", env = "WATS_SCIM_PROFILE", hide_env_values = true)]
    pub(crate) profile: Option<String>,
    /// The URL of the server, such as https://acme.wats.com
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// The kind of server [default: by its URL]
    #[arg(long, global = true, value_enum, value_name = "KIND")]
    pub(crate) kind: Option<Kind>,
    /// A file with the token
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// Read the token from standard input
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
    ca: Option<PathBuf>,
    timeout: Option<u64>,
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
        let found = match (&self.url, &self.profile) {
            (Some(url), None) => self.by_argument(url)?,
            (None, Some(name)) => self.by_profile(name)?,
            (Some(_), Some(_)) => {
                return Err(Failure::Usage("--url and --profile name two servers; give one of them".to_owned()));
            }
            (None, None) => match self.by_environment()? {
                Some(server) => server,
                None => return Err(self.missing()),
            },
        };
        Ok(found)
    }

    fn missing(&self) -> Failure {
        Failure::Usage(
            "no server is named; run `wats-scim login`, set WATS_BASE_URL and WATS_TOKEN, or try it on a server of \
             its own: `wats-scim sandbox`"
                .to_owned(),
        )
    }

    fn by_argument(&self, url: &str) -> Result<Server, Failure> {
        let login = match self.given_token()? {
            Some(token) => Login::Token(token),
            None => environment_login()?.ok_or_else(|| {
                Failure::Usage("--url needs a token: give --token-file or --token-stdin, or set SCIM_TOKEN".to_owned())
            })?,
        };
        Ok(self.server(url.to_owned(), self.kind, login, "--url".to_owned()))
    }

    fn by_profile(&self, name: &str) -> Result<Server, Failure> {
        Err(Failure::Usage(format!("there is no profile {name:?}")))
    }

    fn by_environment(&self) -> Result<Option<Server>, Failure> {
        let server = match (variable("WATS_BASE_URL"), variable("SCIM_URL")) {
            (Some(_), Some(_)) => {
                return Err(Failure::Usage(
                    "WATS_BASE_URL and SCIM_URL name two servers; unset one of them, or give --profile".to_owned(),
                ));
            }
            (Some(url), None) => (url, Kind::Wats, "WATS_BASE_URL", "WATS_TOKEN"),
            (None, Some(url)) => (url, Kind::Standard, "SCIM_URL", "SCIM_TOKEN, or SCIM_USER and SCIM_PASSWORD"),
            (None, None) => return Ok(None),
        };
        let (url, kind, from, variables) = server;
        let login = match self.given_token()? {
            Some(token) => Login::Token(token),
            None => environment_login()?
                .ok_or_else(|| Failure::Usage(format!("{from} is set, but no credentials: set {variables}")))?,
        };
        Ok(Some(self.server(url, Some(self.kind.unwrap_or(kind)), login, from.to_owned())))
    }

    fn server(&self, url: String, kind: Option<Kind>, login: Login, from: String) -> Server {
        Server { url, kind, login, from, ca: self.ca.clone(), timeout: self.timeout }
    }

    /// The token of `--token-file` or `--token-stdin`.
    pub(crate) fn given_token(&self) -> Result<Option<Secret>, Failure> {
        if self.token_stdin {
            let mut text = String::new();
            let read = std::io::stdin().lock().take(1 << 16).read_to_string(&mut text);
            read.map_err(|error| Failure::Other(format!("the token cannot be read from standard input: {error}")))?;
            return token_in(&text, "standard input").map(Some);
        }
        self.token_file.as_deref().map(token_file).transpose()
    }
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

/// A variable that is set and not empty.
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.trim().is_empty())
}

fn environment_login() -> Result<Option<Login>, Failure> {
    if let Some(token) = variable("WATS_TOKEN").or_else(|| variable("SCIM_TOKEN")) {
        return Ok(Some(Login::Token(Secret::new(token))));
    }
    match (variable("SCIM_USER"), variable("SCIM_PASSWORD")) {
        (Some(user), Some(password)) => Ok(Some(Login::Password { user, password: Secret::new(password) })),
        (None, None) => Ok(None),
        _ => Err(Failure::Usage("SCIM_USER and SCIM_PASSWORD belong together: set both".to_owned())),
    }
}

impl Server {
    /// The settings of a client.
    pub(crate) fn config(&self) -> Result<ScimConfig, Failure> {
        let profile = match self.kind {
            Some(Kind::Wats) => Profile::wats(),
            Some(Kind::Standard) => Profile::standard(),
            None => Profile::of_url(&self.url)?,
        };
        let credentials = match &self.login {
            Login::Password { user, password } => Credentials::basic(user, password.clone()),
            Login::Token(token) if profile.is_wats() => Credentials::wats_token(token.clone()),
            Login::Token(token) => Credentials::bearer(token.clone()),
        };
        let mut config = ScimConfig::new(&self.url, credentials).profile(profile);
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
