//! The server that the arguments name. An argument comes before the environment, the environment before the current
//! profile.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::Args;
use wats_scim::Secret;

use super::environment::{self, Named, Variables};
use super::{Kind, Login, NamedBy, Server, saved_secret};
use crate::failure::Failure;
use crate::profiles::Profiles;

/// The variable is not read by clap: unlike an argument, it can be set beside `--url`.
const PROFILE_HELP: &str = "Use the server of this profile, as `profile list` shows it [env: WATS_SCIM_PROFILE]";

/// Arguments that name the server.
#[derive(Args, Clone, Debug)]
pub(crate) struct ServerArgs {
    #[arg(long, short, global = true, value_name = "NAME", help = PROFILE_HELP)]
    pub(crate) profile: Option<String>,
    #[arg(long, global = true, value_name = "URL", help = "Use the server at this URL, such as https://acme.wats.com")]
    pub(crate) url: Option<String>,
    /// Take the server for one of this kind [default: by its URL]
    #[arg(long, global = true, value_enum, value_name = "KIND")]
    pub(crate) kind: Option<Kind>,
    /// Read the token, or the password, from this file
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// Read the token, or the password, from standard input
    #[arg(long, global = true, conflicts_with = "token_file")]
    pub(crate) token_stdin: bool,
    /// Trust the certificates in this file (PEM) beside those of the system
    #[arg(long, global = true, value_name = "FILE", env = "WATS_SCIM_CA", hide_env_values = true)]
    pub(crate) ca: Option<PathBuf>,
    /// Give one operation, with its retries, so many seconds
    #[arg(long, global = true, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) timeout: Option<u64>,
}

impl ServerArgs {
    /// The server that is named.
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
        Ok(self.server(url.to_owned(), self.kind, login, NamedBy::Argument))
    }

    fn by_environment(&self, url: String, variables: &Variables) -> Result<Server, Failure> {
        let login = match self.given_secret()? {
            Some(token) => Login::Token(token),
            None => variables.login()?.ok_or_else(|| {
                Failure::Usage(format!("{} is set, but no credentials: set {}", variables.url, variables.names()))
            })?,
        };
        Ok(self.server(url, Some(self.kind.unwrap_or(variables.kind)), login, NamedBy::Variable(variables.url)))
    }

    fn by_profile(&self, name: &str) -> Result<Server, Failure> {
        let profiles = Profiles::read()?;
        let saved = profiles.named(name)?;
        let secret = match self.given_secret()? {
            Some(secret) => secret,
            None => saved_secret(name, saved)?,
        };
        let server = Server::of_saved(name, saved, secret);
        // A server of another kind does other things than were measured.
        let measured = server.measured.filter(|_| self.kind.is_none() || self.kind == server.kind);
        let (kind, ca) = (self.kind.or(server.kind), self.ca.clone().or(server.ca));
        Ok(Server { kind, ca, measured, timeout: self.timeout, ..server })
    }

    fn server(&self, url: String, kind: Option<Kind>, login: Login, named_by: NamedBy) -> Server {
        Server { url, kind, login, named_by, ca: self.ca.clone(), measured: None, timeout: self.timeout }
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
