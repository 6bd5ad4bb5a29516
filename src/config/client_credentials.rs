use std::fmt;

use http::Uri;

use super::base_url::is_loopback;
use crate::error::{Error, Result, Secret};

/// The credentials of a program at an OAuth 2.0 token endpoint, which issues short-lived access
/// tokens for them (RFC 6749 §4.4).
///
/// Pass them to [`Credentials::oauth2`](crate::Credentials::oauth2). `Debug` redacts secrets.
///
/// ```
/// use wats_scim::{ClientCredentials, Credentials, ScimConfig};
///
/// let client = ClientCredentials::new("https://login.example.com/oauth2/token", "provisioning", "s3cret")
///     .with_scope("scim");
/// let config = ScimConfig::new("https://scim.example.com/v2", Credentials::oauth2(client));
/// assert!(!format!("{config:?}").contains("s3cret"));
/// ```
#[derive(Clone)]
pub struct ClientCredentials {
    token_url: String,
    pub(crate) client_id: String,
    pub(crate) proof: Proof,
    /// Values are secrets here because they are not known to be none.
    pub(crate) parameters: Vec<(String, Secret)>,
}

/// How the client proves that it is the client.
#[derive(Clone, Debug)]
pub(crate) enum Proof {
    /// The secret in the `Authorization` header (RFC 6749 §2.3.1).
    SecretInHeader(Secret),
    /// The secret as a parameter of the body.
    SecretInBody(Secret),
    /// A signed assertion (RFC 7523).
    #[cfg(feature = "tls")]
    PrivateKey(PrivateKey),
}

/// The key that signs assertions.
#[cfg(feature = "tls")]
#[derive(Clone, Debug)]
pub(crate) struct PrivateKey {
    pub(crate) pem: Secret,
    pub(crate) key_id: Option<String>,
    pub(crate) audience: Option<String>,
}

impl ClientCredentials {
    /// Creates credentials from the URL of the token endpoint, the client's id and its secret, which
    /// are sent in the `Authorization` header of the token request (HTTP Basic).
    ///
    /// The URL is validated when a client is created. Plain `http://` is allowed as for the base URL.
    #[must_use]
    pub fn new(token_url: impl Into<String>, client_id: impl Into<String>, secret: impl Into<Secret>) -> Self {
        Self {
            token_url: token_url.into(),
            client_id: client_id.into(),
            proof: Proof::SecretInHeader(secret.into()),
            parameters: Vec::new(),
        }
    }

    /// Creates credentials that prove themselves with a private key instead of a secret
    /// (`private_key_jwt`, RFC 7523): each token request has an assertion that the key has signed, and
    /// that is valid for a minute.
    ///
    /// `pem` is a PKCS#8, PKCS#1 or SEC1 key in PEM format. The algorithm follows from the key: RS256,
    /// ES256, ES384 or `EdDSA`.
    ///
    /// ```
    /// use wats_scim::{ClientCredentials, Credentials};
    ///
    /// # let pem = "";
    /// let client = ClientCredentials::private_key("https://login.example.com/token", "provisioning", pem)
    ///     .key_id("2026-1")
    ///     .with_scope("scim");
    /// let credentials = Credentials::oauth2(client);
    /// ```
    #[cfg(feature = "tls")]
    #[cfg_attr(docsrs, doc(cfg(any(feature = "blocking", feature = "async"))))]
    #[must_use]
    pub fn private_key(token_url: impl Into<String>, client_id: impl Into<String>, pem: impl Into<Secret>) -> Self {
        let key = PrivateKey { pem: pem.into(), key_id: None, audience: None };
        Self { proof: Proof::PrivateKey(key), ..Self::new(token_url, client_id, "") }
    }

    /// Sends the secret in the body of the token request instead of a header, for servers that require
    /// it. No effect on a private key.
    #[must_use]
    pub fn secret_in_body(mut self) -> Self {
        if let Proof::SecretInHeader(secret) = self.proof {
            self.proof = Proof::SecretInBody(secret);
        }
        self
    }

    /// Sets the `kid` of assertions: which of its keys the server is to verify them with.
    #[cfg(feature = "tls")]
    #[cfg_attr(docsrs, doc(cfg(any(feature = "blocking", feature = "async"))))]
    #[must_use]
    pub fn key_id(mut self, key_id: impl Into<String>) -> Self {
        if let Proof::PrivateKey(key) = &mut self.proof {
            key.key_id = Some(key_id.into());
        }
        self
    }

    /// Sets the `aud` of assertions; the token URL by default. Some servers require their issuer.
    #[cfg(feature = "tls")]
    #[cfg_attr(docsrs, doc(cfg(any(feature = "blocking", feature = "async"))))]
    #[must_use]
    pub fn assertion_audience(mut self, audience: impl Into<String>) -> Self {
        if let Proof::PrivateKey(key) = &mut self.proof {
            key.audience = Some(audience.into());
        }
        self
    }

    /// Sets the scope to ask for: one, or several separated by spaces.
    #[must_use]
    pub fn with_scope(self, scope: impl Into<String>) -> Self {
        self.with_only("scope", scope.into())
    }

    /// Sets the parameter `audience`, which Auth0 and others require.
    #[must_use]
    pub fn with_audience(self, audience: impl Into<String>) -> Self {
        self.with_only("audience", audience.into())
    }

    /// Adds a parameter to the token request, such as `resource` (RFC 8707).
    #[must_use]
    pub fn with_parameter(mut self, name: impl Into<String>, value: impl Into<Secret>) -> Self {
        self.parameters.push((name.into(), value.into()));
        self
    }

    fn with_only(mut self, name: &str, value: String) -> Self {
        self.parameters.retain(|(known, _)| known != name);
        self.with_parameter(name, value)
    }

    /// The validated URL of the token endpoint.
    pub(crate) fn uri(&self, allow_plain_http: bool) -> Result<Uri> {
        // The URL can contain a secret by mistake, so no message repeats it.
        let reject = |why: &str| Err(Error::invalid(format!("the token URL {why}")));
        let Ok(uri) = self.token_url.trim().parse::<Uri>() else {
            return reject("is not a URL; expected a URL such as https://login.example.com/oauth2/token");
        };
        let Some(authority) = uri.authority() else { return reject("has no scheme or host") };
        if authority.as_str().contains('@') || self.token_url.contains('#') {
            return reject("contains a user name, a password or a fragment; pass the id and the secret as such");
        }
        match uri.scheme_str() {
            Some("https") => Ok(uri),
            Some("http") if allow_plain_http || is_loopback(authority.host()) => Ok(uri),
            Some("http") => reject(
                "is plain http, which sends the secret unencrypted; \
                 use https, or allow it with ScimConfig::allow_plain_http",
            ),
            _ => reject("is neither https nor http"),
        }
    }
}

/// Shows no secret, and of the URL only its server.
impl fmt::Debug for ClientCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let uri = self.token_url.parse::<Uri>().ok();
        f.debug_struct("ClientCredentials")
            .field("token_host", &uri.as_ref().and_then(Uri::host))
            .field("client_id", &self.client_id)
            .field("proof", &self.proof)
            .field("parameters", &self.parameters)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(url: &str) -> ClientCredentials {
        ClientCredentials::new(url, "id", "canary")
    }

    #[test]
    fn the_token_url_must_be_safe_to_send_a_secret_to() {
        for url in ["https://login.example.com/t?x=1", "http://127.0.0.1:1/token", " https://x/token "] {
            assert!(at(url).uri(false).is_ok(), "{url}");
        }
        for url in
            ["", "login", "http://login.example.com/t", "https://canary:canary@x", "ftp://x/canary", "https://x#c"]
        {
            let error = at(url).uri(false).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
        }
        assert!(at("http://login.example.com/t").uri(true).is_ok());
    }

    #[test]
    fn debug_shows_no_secret() {
        let shown = format!("{:?}", at("https://x/canary?canary").secret_in_body().with_parameter("a", "canary"));
        assert!(!shown.contains("canary") && shown.contains("\"id\""), "{shown}");
    }
}
