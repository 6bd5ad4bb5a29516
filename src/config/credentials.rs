use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;

use crate::error::Secret;
use crate::error::{Error, Result};

/// How the client shows who it is. `Debug` shows no secret.
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
    /// A WATS API token, made in the WATS Control Panel. It is the base64 of `user:password`
    /// already, and is sent as `Authorization: Basic <token>`.
    #[must_use]
    pub fn wats_token(token: impl Into<Secret>) -> Self {
        Self(Scheme::WatsToken(token.into()))
    }

    /// A user and a password (RFC 7617).
    #[must_use]
    pub fn basic(user: impl Into<String>, password: impl Into<Secret>) -> Self {
        Self(Scheme::Basic { user: user.into(), password: password.into() })
    }

    /// A bearer token (RFC 6750), such as the JWT of [`ScimToken`](crate::ScimToken).
    #[must_use]
    pub fn bearer(token: impl Into<Secret>) -> Self {
        Self(Scheme::Bearer(token.into()))
    }

    /// What a server must not be able to make an error show by repeating it.
    pub(crate) fn secrets(&self) -> Vec<Secret> {
        match &self.0 {
            Scheme::WatsToken(token) | Scheme::Bearer(token) => vec![Secret::new(token.expose().trim())],
            Scheme::Basic { user, password } => {
                vec![password.clone(), Secret::new(STANDARD.encode(format!("{user}:{}", password.expose())))]
            }
        }
    }

    /// The value of the `Authorization` header, marked as sensitive.
    pub(crate) fn header(&self) -> Result<HeaderValue> {
        let text = match &self.0 {
            Scheme::WatsToken(token) => format!("Basic {}", given(token, "the WATS token")?),
            Scheme::Bearer(token) => format!("Bearer {}", given(token, "the bearer token")?),
            Scheme::Basic { user, password } => {
                if user.contains(':') || user.chars().any(char::is_control) {
                    return Err(Error::invalid(
                        "the user name of the credentials has a colon or a control character in it",
                    ));
                }
                format!("Basic {}", STANDARD.encode(format!("{user}:{}", password.expose())))
            }
        };
        let mut value = HeaderValue::try_from(text)
            .map_err(|_| Error::invalid("the credentials have a character in them that a header cannot carry"))?;
        value.set_sensitive(true);
        Ok(value)
    }
}

/// A token without the white space that comes with it from a file or a form.
fn given<'a>(token: &'a Secret, what: &str) -> Result<&'a str> {
    match token.expose().trim() {
        "" => Err(Error::invalid(format!("{what} is empty"))),
        token if token.contains(|c: char| c.is_whitespace() || !c.is_ascii_graphic()) => {
            Err(Error::invalid(format!("{what} has white space or other characters in it that a token cannot have")))
        }
        token => Ok(token),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_scheme_has_its_header() {
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
    fn what_a_header_cannot_carry_is_refused_without_being_shown() {
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
