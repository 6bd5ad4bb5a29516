use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use zeroize::Zeroizing;

use super::{AccessToken, ClientCredentials, TokenFile};
use crate::error::{Error, Result};
use crate::error::{Secret, Secrets};

/// The credentials of a client, sent in the `Authorization` header. `Debug` redacts secrets.
///
/// Those of [`oauth2`](Self::oauth2), [`file`](Self::file) and a
/// [`TokenProvider`](crate::blocking::TokenProvider) are renewed while the client runs. All clones of
/// a client share the token, and one of their requests renews it for all of them. A request that the
/// server rejects with 401 is sent once more with a new token, also without retries: it was not
/// applied.
///
/// ```
/// use wats_scim::Credentials;
///
/// let credentials = Credentials::wats_token("d2F0czpzM2NyZXQ=");
/// assert!(!format!("{credentials:?}").contains("d2F0"));
/// ```
#[derive(Clone, Debug)]
pub struct Credentials(Scheme);

#[derive(Clone, Debug)]
enum Scheme {
    WatsToken(Secret),
    Basic { user: String, password: Secret },
    Bearer(Secret),
    File(PathBuf),
    OAuth2(ClientCredentials),
    None,
}

/// Where the header of a request comes from.
pub(crate) enum Origin {
    /// It is always the same.
    Fixed(Option<HeaderValue>),
    File(TokenFile),
    OAuth2(ClientCredentials),
}

impl Credentials {
    /// Short-lived access tokens of an OAuth 2.0 token endpoint (RFC 6749 §4.4).
    ///
    /// The token is requested over the client's own transport before the first request, and renewed
    /// before it expires: by a tenth of its lifetime, and by 60 s at most. Redirects of the token
    /// endpoint are not followed.
    ///
    /// ```
    /// use wats_scim::{ClientCredentials, Credentials};
    ///
    /// let client = ClientCredentials::new("https://login.example.com/token", "provisioning", "s3cret");
    /// let credentials = Credentials::oauth2(client.with_scope("scim").with_audience("https://scim.example.com"));
    /// ```
    #[must_use]
    pub fn oauth2(client: ClientCredentials) -> Self {
        Self(Scheme::OAuth2(client))
    }

    /// A bearer token in a file that another process writes, such as the projected token of a Kubernetes
    /// pod. White space around the token is ignored.
    ///
    /// Each request looks whether the file has changed (its time or its length), and reads it again
    /// then, or after a 401. While a changed file is empty or cannot be read, the previous token stays
    /// in use. The async client reads the file in place, so it should be on a local disk.
    ///
    /// Without a token nothing is sent, and the error is
    /// [`Unauthorized`](crate::ErrorKind::Unauthorized).
    ///
    /// ```
    /// use wats_scim::{Credentials, ScimConfig};
    ///
    /// let credentials = Credentials::file("/var/run/secrets/scim/token");
    /// let config = ScimConfig::new("https://scim.example.com/v2", credentials);
    /// ```
    #[must_use]
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self(Scheme::File(path.into()))
    }

    /// No `Authorization` header: for a server that knows the client by its certificate, and for a
    /// client whose tokens come
    /// [from a provider](crate::blocking::ScimService::with_token_provider).
    #[must_use]
    pub fn none() -> Self {
        Self(Scheme::None)
    }

    /// A WATS API token, created in the WATS Control Panel. The token already is the base64 of
    /// `user:password`, and is sent as `Authorization: Basic <token>`.
    #[must_use]
    pub fn wats_token(token: impl Into<Secret>) -> Self {
        Self(Scheme::WatsToken(token.into()))
    }

    /// A user name and a password (RFC 7617).
    #[must_use]
    pub fn basic(user: impl Into<String>, password: impl Into<Secret>) -> Self {
        Self(Scheme::Basic { user: user.into(), password: password.into() })
    }

    /// A bearer token (RFC 6750), such as the JWT of [`ScimToken`](crate::ScimToken).
    #[must_use]
    pub fn bearer(token: impl Into<Secret>) -> Self {
        Self(Scheme::Bearer(token.into()))
    }

    /// The secrets to redact in errors: what is sent, and the password in it.
    pub(crate) fn secrets(&self) -> Secrets {
        match &self.0 {
            Scheme::None | Scheme::File(_) | Scheme::OAuth2(_) => Secrets::default(),
            Scheme::Bearer(token) => Secrets::new([token.expose().trim()]),
            Scheme::WatsToken(token) => {
                let token = token.expose().trim();
                let pair = Zeroizing::new(STANDARD.decode(token).unwrap_or_default());
                let pair = std::str::from_utf8(&pair).unwrap_or_default();
                let password = pair.split_once(':').map_or("", |(_, password)| password);
                Secrets::new([token, pair, password])
            }
            Scheme::Basic { user, password } => {
                let pair = Zeroizing::new(format!("{user}:{}", password.expose()));
                Secrets::new([&*STANDARD.encode(&*pair), &pair, password.expose()])
            }
        }
    }

    /// The user name of the account that they belong to, if they have one.
    pub(crate) fn account(&self) -> Option<String> {
        match &self.0 {
            Scheme::Basic { user, .. } => Some(user.clone()),
            Scheme::WatsToken(token) => {
                let pair = Zeroizing::new(STANDARD.decode(token.expose().trim()).ok()?);
                let (user, _) = std::str::from_utf8(&pair).ok()?.split_once(':')?;
                Some(user.to_owned())
            }
            Scheme::Bearer(_) | Scheme::File(_) | Scheme::OAuth2(_) | Scheme::None => None,
        }
    }

    pub(crate) fn are_none(&self) -> bool {
        matches!(self.0, Scheme::None)
    }

    /// The token endpoint, if there is one.
    #[cfg(feature = "tls")]
    pub(crate) fn token_url(&self, allow_plain_http: bool) -> Result<Option<http::Uri>> {
        match &self.0 {
            Scheme::OAuth2(client) => client.uri(allow_plain_http).map(Some),
            _ => Ok(None),
        }
    }

    /// Where the `Authorization` header comes from.
    pub(crate) fn origin(&self) -> Result<Origin> {
        let text = match &self.0 {
            Scheme::None => return Ok(Origin::Fixed(None)),
            Scheme::File(path) => return Ok(Origin::File(TokenFile::at(path))),
            Scheme::OAuth2(client) => return Ok(Origin::OAuth2(client.clone())),
            Scheme::WatsToken(token) => format!("Basic {}", checked(token, "the WATS token")?),
            Scheme::Bearer(token) => format!("Bearer {}", checked(token, "the bearer token")?),
            Scheme::Basic { user, password } => {
                if user.contains(':') || user.chars().any(char::is_control) {
                    return Err(Error::invalid(
                        "the user name of the credentials contains a colon or a control character",
                    ));
                }
                format!("Basic {}", STANDARD.encode(format!("{user}:{}", password.expose())))
            }
        };
        sensitive(text).map(|header| Origin::Fixed(Some(header)))
    }
}

impl AccessToken {
    /// Returns the value of the `Authorization` header, marked as sensitive.
    pub(crate) fn header(&self) -> Result<HeaderValue> {
        sensitive(format!("Bearer {}", checked(&self.token, "the access token")?))
    }
}

/// A header value that is a secret.
pub(crate) fn sensitive(text: String) -> Result<HeaderValue> {
    let text = Zeroizing::new(text);
    let mut value = HeaderValue::try_from(text.as_str())
        .map_err(|_| Error::invalid("the credentials contain a character that is not valid in a header"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Returns the token without surrounding white space, which files and forms add.
fn checked<'a>(token: &'a Secret, what: &str) -> Result<&'a str> {
    match token.expose().trim() {
        "" => Err(Error::invalid(format!("{what} is empty"))),
        token if token.contains(|c: char| c.is_whitespace() || !c.is_ascii_graphic()) => Err(Error::invalid(format!(
            "{what} contains white space or another character that is not valid in a token"
        ))),
        token => Ok(token),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_scheme_has_its_own_header() {
        for (credentials, header) in [
            (Credentials::wats_token("dTpw\n"), "Basic dTpw"),
            (Credentials::basic("u", "p"), "Basic dTpw"),
            (Credentials::bearer(" a.b.c "), "Bearer a.b.c"),
        ] {
            let Ok(Origin::Fixed(Some(value))) = credentials.origin() else { panic!("{credentials:?}") };
            assert_eq!(value.to_str().unwrap(), header);
            assert!(value.is_sensitive());
        }
    }

    #[test]
    fn a_user_name_and_a_wats_token_name_their_account() {
        assert_eq!(Credentials::basic("u", "p").account().as_deref(), Some("u"));
        assert_eq!(Credentials::wats_token(" dTpw\n").account().as_deref(), Some("u"));
        for credentials in [Credentials::wats_token("dTpw:"), Credentials::bearer("dTpw"), Credentials::none()] {
            assert_eq!(credentials.account(), None);
        }
    }

    #[test]
    fn invalid_header_characters_are_rejected_and_not_repeated() {
        for credentials in [
            Credentials::wats_token(" "),
            Credentials::bearer("canary\r\nX-Evil: 1"),
            Credentials::bearer("canary canary"),
            Credentials::basic("canary:x", "p"),
        ] {
            let Err(error) = credentials.origin() else { panic!("{credentials:?}") };
            assert!(!format!("{error} {error:?} {credentials:?}").contains("canary:x\r"), "{error}");
            assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
        }
    }
}
