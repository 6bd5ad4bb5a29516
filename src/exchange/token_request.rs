//! The request for an access token with client credentials (RFC 6749 §4.4), and its answer.

use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::answer::no_answer;
#[cfg(feature = "tls")]
use super::assertion::Signer;
use super::path::encode;
use super::retry_after::retry_after;
use crate::config::{AccessToken, ClientCredentials, Proof, ScimConfig, sensitive};
use crate::error::{Error, ErrorKind, Result, Secret, Secrets, TransportError};
use crate::error::{ErrorMessage, is_web_page, one_line, without_mark};

/// A token endpoint, and the client that it knows.
#[derive(Debug)]
pub(crate) struct TokenEndpoint {
    uri: Uri,
    origin: String,
    user_agent: HeaderValue,
    client: ClientCredentials,
    secrets: Secrets,
    #[cfg(feature = "tls")]
    signer: Option<Signer>,
}

impl TokenEndpoint {
    /// Parameters that have a meaning of their own here.
    const OWN: [&str; 5] = ["grant_type", "client_id", "client_secret", "client_assertion", "client_assertion_type"];

    pub(crate) fn new(client: ClientCredentials, config: &ScimConfig) -> Result<Self> {
        let uri = client.uri(config.allow_plain_http)?;
        if client.client_id.is_empty() {
            return Err(Error::invalid("the id of the client credentials is empty"));
        }
        if let Some((own, _)) = client.parameters.iter().find(|(name, _)| Self::OWN.contains(&name.as_str())) {
            return Err(Error::invalid(format!("the parameter {own} of the token request cannot be set")));
        }
        let user_agent = HeaderValue::try_from(&config.user_agent).map_err(|error| {
            Error::invalid("the user agent contains a character that is not allowed in a header").with_source(error)
        })?;
        let secrets = match &client.proof {
            Proof::SecretInHeader(secret) | Proof::SecretInBody(secret) => {
                if secret.expose().is_empty() {
                    return Err(Error::invalid("the secret of the client credentials is empty"));
                }
                let pair = Zeroizing::new(pair(&client.client_id, secret));
                Secrets::new([secret.expose(), pair.as_str(), &STANDARD.encode(pair.as_bytes())])
            }
            #[cfg(feature = "tls")]
            Proof::PrivateKey(_) => Secrets::default(),
        };
        let origin = format!(
            "{}://{}",
            uri.scheme_str().unwrap_or_default(),
            uri.authority().map_or("", |authority| authority.as_str())
        );
        Ok(Self {
            #[cfg(feature = "tls")]
            signer: match &client.proof {
                Proof::PrivateKey(key) => Some(Signer::new(key)?),
                _ => None,
            },
            uri,
            origin,
            user_agent,
            client,
            secrets,
        })
    }

    /// The secrets to redact in every answer.
    pub(crate) fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// A request for a token, and what to redact in its answer. `random` makes an assertion unique.
    #[cfg_attr(not(feature = "tls"), allow(unused_mut, unused_variables, clippy::unnecessary_wraps))]
    pub(crate) fn request(&self, now: SystemTime, random: [u64; 2]) -> Result<(Request<Vec<u8>>, Secrets)> {
        let client = &self.client;
        let mut body = Zeroizing::new(String::from("grant_type=client_credentials"));
        let mut add = |name: &str, value: &str| {
            body.extend(["&", &encode(name).to_string(), "=", &Zeroizing::new(encode(value).to_string())]);
        };
        let mut authorization = None;
        let mut secrets = self.secrets.clone();
        match &client.proof {
            Proof::SecretInHeader(secret) => {
                authorization = Some(sensitive(format!("Basic {}", STANDARD.encode(pair(&client.client_id, secret))))?);
            }
            Proof::SecretInBody(secret) => {
                add("client_id", &client.client_id);
                add("client_secret", secret.expose());
            }
            #[cfg(feature = "tls")]
            Proof::PrivateKey(key) => {
                if let Some(signer) = &self.signer {
                    let audience = key.audience.clone().unwrap_or_else(|| self.uri.to_string());
                    let assertion = signer.assertion(&client.client_id, &audience, now, random)?;
                    add("client_id", &client.client_id);
                    add("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
                    add("client_assertion", assertion.expose());
                    secrets = secrets.with([assertion.expose()]);
                }
            }
        }
        for (name, value) in &client.parameters {
            add(name, value.expose());
        }
        let mut request = Request::new(body.as_bytes().to_vec());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        headers.insert(USER_AGENT, self.user_agent.clone());
        if let Some(value) = authorization {
            headers.insert(AUTHORIZATION, value);
        }
        Ok((request, secrets))
    }

    /// The error for a token request without an answer.
    pub(crate) fn no_answer(&self, error: TransportError) -> Error {
        no_answer(&self.origin, error)
    }
}

/// The id and the secret, encoded as RFC 6749 §2.3.1 has it.
fn pair(id: &str, secret: &Secret) -> String {
    format!("{}:{}", encode(id), encode(secret.expose()))
}

/// Reads the answer to a token request (RFC 6749 §5).
pub(crate) fn read_token(response: &Response<Vec<u8>>, secrets: &Secrets, now: SystemTime) -> Result<AccessToken> {
    let (status, body) = (response.status(), without_mark(response.body()));
    let reply = if body.len() > ErrorMessage::LARGEST_BODY { None } else { serde_json::from_slice(body).ok() };
    let reply: Map<String, Value> = reply.unwrap_or_default();
    // Some servers answer with an error and the status 200.
    if !status.is_success() || reply.get("error").is_some_and(Value::is_string) {
        return Err(refusal(response, &reply, secrets, now));
    }
    let unexpected =
        |why: &str| Error::new(ErrorKind::UnexpectedBody, format!("the token endpoint answered {status}, but {why}"));
    let Some(token) = reply.get("access_token").and_then(Value::as_str).filter(|token| !token.is_empty()) else {
        return Err(unexpected(if is_web_page(body) {
            "the answer is a web page; check the token URL"
        } else {
            "the answer has no access_token; check the token URL"
        }));
    };
    if let Some(kind) = reply.get("token_type").and_then(Value::as_str)
        && !kind.eq_ignore_ascii_case("bearer")
    {
        let kind = one_line(&secrets.hide(kind)).unwrap_or_default();
        return Err(unexpected(&format!("its tokens are of the type {kind:?}; only bearer tokens are supported")));
    }
    let token = AccessToken::new(token);
    Ok(match reply.get("expires_in").and_then(seconds) {
        Some(lifetime) => token.with_lifetime(lifetime),
        None => token,
    })
}

/// A lifetime in seconds, as a number or, from some servers, as text.
fn seconds(value: &Value) -> Option<Duration> {
    let seconds = match value {
        Value::String(text) => text.trim().parse().ok()?,
        number => number.as_f64()?,
    };
    Duration::try_from_secs_f64(seconds.max(0.0)).ok()
}

/// The error for an answer that is not a success (RFC 6749 §5.2).
fn refusal(response: &Response<Vec<u8>>, reply: &Map<String, Value>, secrets: &Secrets, now: SystemTime) -> Error {
    let status = response.status();
    let line = |name: &str| one_line(&secrets.hide(reply.get(name)?.as_str()?));
    let code = line("error");
    let detail = line("error_description")
        .or_else(|| if code.is_some() { None } else { ErrorMessage::read(response.body(), secrets).detail });
    let mut text = format!("the token endpoint answered {status}");
    if let Some(code) = &code {
        text.extend([" (", code, ")"]);
    }
    if let Some(detail) = detail {
        text.extend([": ", detail.trim_end_matches('.')]);
    }
    text.push_str(match (code.as_deref(), status.as_u16()) {
        (_, 300..=399) => "; redirects are not followed; check the token URL",
        (Some("invalid_client"), _) => "; check the id and the secret or the key of the client credentials",
        (Some("invalid_scope"), _) => "; check the scope of the client credentials",
        (Some("unauthorized_client" | "unsupported_grant_type"), _) => {
            "; allow the grant client_credentials for this client at the token server"
        }
        (None, 404 | 405) => "; check the token URL",
        _ => "",
    });
    let kind = match status.as_u16() {
        429 => ErrorKind::TooManyRequests,
        500..=599 => ErrorKind::Server,
        408 => ErrorKind::UnexpectedStatus,
        _ => ErrorKind::Unauthorized,
    };
    // Another request may succeed, whatever the status is.
    let kind = if code.as_deref() == Some("temporarily_unavailable") { ErrorKind::TooManyRequests } else { kind };
    Error::new(kind, text).with_status(status_of(kind, status)).asking_to_wait(retry_after(response.headers(), now))
}

/// The status by which an error is retryable.
fn status_of(kind: ErrorKind, status: StatusCode) -> StatusCode {
    if kind == ErrorKind::TooManyRequests { StatusCode::TOO_MANY_REQUESTS } else { status }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Credentials;

    fn endpoint(client: ClientCredentials) -> Result<TokenEndpoint> {
        TokenEndpoint::new(client, &ScimConfig::new("https://scim.example.com/v2", Credentials::none()))
    }

    fn client() -> ClientCredentials {
        ClientCredentials::new("https://login.example.com/token", "id:1", "s3cret canary/+")
    }

    fn sent(client: ClientCredentials) -> Request<Vec<u8>> {
        endpoint(client).unwrap().request(SystemTime::UNIX_EPOCH, [1, 2]).unwrap().0
    }

    fn body(request: &Request<Vec<u8>>) -> &str {
        std::str::from_utf8(request.body()).unwrap()
    }

    fn answer(status: u16, body: &str) -> Response<Vec<u8>> {
        Response::builder().status(status).body(body.as_bytes().to_vec()).unwrap()
    }

    fn read(status: u16, body: &str) -> Result<AccessToken> {
        let (_, secrets) = endpoint(client()).unwrap().request(SystemTime::UNIX_EPOCH, [1, 2]).unwrap();
        read_token(&answer(status, body), &secrets, SystemTime::UNIX_EPOCH)
    }

    #[test]
    fn a_secret_is_sent_in_the_header_or_in_the_body() {
        let request = sent(client().with_scope("scim read").with_audience("https://x"));
        assert_eq!(
            (request.method(), request.uri().to_string().as_str()),
            (&Method::POST, "https://login.example.com/token")
        );
        assert_eq!(body(&request), "grant_type=client_credentials&scope=scim%20read&audience=https%3A%2F%2Fx");
        let value = &request.headers()[AUTHORIZATION];
        let pair = STANDARD.decode(value.to_str().unwrap().strip_prefix("Basic ").unwrap()).unwrap();
        assert_eq!(String::from_utf8(pair).unwrap(), "id%3A1:s3cret%20canary%2F%2B");
        assert!(value.is_sensitive());
        assert_eq!(request.headers()[CONTENT_TYPE], "application/x-www-form-urlencoded");

        let request = sent(client().secret_in_body());
        assert!(!request.headers().contains_key(AUTHORIZATION));
        assert_eq!(
            body(&request),
            "grant_type=client_credentials&client_id=id%3A1&client_secret=s3cret%20canary%2F%2B"
        );
    }

    #[test]
    fn credentials_that_cannot_work_are_rejected() {
        for client in [
            ClientCredentials::new("https://x", "", "s"),
            ClientCredentials::new("https://x", "id", ""),
            ClientCredentials::new("http://x", "id", "canary"),
            client().with_parameter("client_secret", "canary"),
        ] {
            let error = endpoint(client).unwrap_err();
            assert!(error.kind() == ErrorKind::InvalidInput && !error.to_string().contains("canary"), "{error}");
        }
    }

    #[test]
    fn a_token_and_its_lifetime_are_read() {
        for (reply, seconds) in [
            (r#"{"access_token":"a","token_type":"bearer","expires_in":2}"#, Some(2.0)),
            (r#"{"access_token":"a","token_type":"Bearer","expires_in":"3600"}"#, Some(3600.0)),
            ("\u{feff}{\"access_token\":\"a\",\"expires_in\":1.5}", Some(1.5)),
            (r#"{"access_token":"a","expires_in":-5}"#, Some(0.0)),
            (r#"{"access_token":"a","expires_in":null}"#, None),
            (r#"{"access_token":"a","expires_in":1e300}"#, None),
        ] {
            let token = read(200, reply).unwrap();
            assert_eq!(token.token.expose(), "a");
            assert_eq!(token.lifetime.map(|lifetime| lifetime.as_secs_f64()), seconds, "{reply}");
        }
    }

    #[test]
    fn a_refusal_has_its_code_its_reason_and_the_next_step() {
        let error = read(401, r#"{"error":"invalid_client","error_description":"no such client."}"#).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the token endpoint answered 401 Unauthorized (invalid_client): no such client; \
             check the id and the secret or the key of the client credentials"
        );
        for (status, body, kind, has) in [
            (400, r#"{"error":"invalid_scope"}"#, ErrorKind::Unauthorized, "check the scope"),
            (400, r#"{"error":"unauthorized_client"}"#, ErrorKind::Unauthorized, "allow the grant"),
            (200, r#"{"error":"invalid_client"}"#, ErrorKind::Unauthorized, "200 OK (invalid_client)"),
            (404, "<html>", ErrorKind::Unauthorized, "check the token URL"),
            (302, "", ErrorKind::Unauthorized, "redirects are not followed"),
            (429, "", ErrorKind::TooManyRequests, "429"),
            (503, r#"{"message":"down"}"#, ErrorKind::Server, "503 Service Unavailable"),
            (400, r#"{"error":"temporarily_unavailable"}"#, ErrorKind::TooManyRequests, "temporarily"),
            (200, "<html>", ErrorKind::UnexpectedBody, "web page"),
            (200, "{}", ErrorKind::UnexpectedBody, "no access_token"),
            (200, r#"{"access_token":"a","token_type":"DPoP"}"#, ErrorKind::UnexpectedBody, "DPoP"),
        ] {
            let error = read(status, body).unwrap_err();
            assert_eq!(error.kind(), kind, "{error}");
            assert!(error.to_string().contains(has), "{error}");
            let is_retryable = matches!(kind, ErrorKind::TooManyRequests | ErrorKind::Server);
            assert_eq!(error.is_retryable(), is_retryable, "{error}");
            // What the token endpoint says about itself is not said of a resource.
            let error = error.without_token();
            assert!(is_retryable || (error.kind() == ErrorKind::Unauthorized && error.status().is_none()), "{error}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_answer_is_a_token_or_an_error_of_one_line(status in 200..600_u16, body in ".{0,80}|\\{\"(error|access_token|expires_in|token_type)\":\"?[^\"]{0,20}\"?\\}") {
            if let Err(error) = read(status, &body) {
                proptest::prop_assert!(!error.to_string().contains(['\n', '\u{1b}']), "{error}");
            }
        }
    }

    #[test]
    fn no_secret_is_quoted_from_an_answer() {
        let basic = STANDARD.encode("id%3A1:s3cret%20canary%2F%2B");
        for body in [
            r#"{"error":"s3cret canary/+"}"#.to_owned(),
            r#"{"error":"x","error_description":"bad s3cret%20canary%2F%2B"}"#.to_owned(),
            format!(r#"{{"error":"x","error_description":"bad header Basic {basic}"}}"#),
            r#"{"access_token":"a","token_type":"s3cret canary/+"}"#.to_owned(),
            "bad s3cret canary/+".to_owned(),
        ] {
            for status in [200, 400] {
                if let Err(error) = read(status, &body) {
                    let text = format!("{error} {error:?}");
                    assert!(!text.contains("canary") && !text.contains(&basic), "{text}");
                }
            }
        }
        assert!(!format!("{:?}", endpoint(client()).unwrap()).contains("canary"));
    }
}
