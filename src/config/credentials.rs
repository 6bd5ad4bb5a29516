use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::error::{Secret, Secrets};

/// The credentials of a client, sent in the `Authorization` header. `Debug` redacts secrets.
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
}

impl Credentials {
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

    /// Returns the value of the `Authorization` header, marked as sensitive.
    pub(crate) fn header(&self) -> Result<HeaderValue> {
        let text = match &self.0 {
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
        let mut value = HeaderValue::try_from(text)
            .map_err(|_| Error::invalid("the credentials contain a character that is not valid in a header"))?;
        value.set_sensitive(true);
        Ok(value)
    }
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
            let value = credentials.header().unwrap();
            assert_eq!(value.to_str().unwrap(), header);
            assert!(value.is_sensitive());
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
            let error = credentials.header().unwrap_err();
            assert!(!format!("{error} {error:?} {credentials:?}").contains("canary:x\r"), "{error}");
            assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
        }
    }
}
