//! Credentials: the API token, and the provisioning tokens that the server has issued.

use std::collections::HashMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use serde_json::json;
use uuid::Uuid;

use crate::account::Account;
use crate::refusal::Refusal;

/// A provisioning token, in the form of the token route.
pub(super) struct ProvisioningToken {
    pub(super) jwt: String,
    pub(super) expires: DateTime<Utc>,
}

/// Checks the credentials of requests.
pub(super) struct Gate {
    account: Account,
    issuer: String,
    issued: HashMap<String, DateTime<Utc>>,
    /// The lifetime of all tokens, overriding the duration in the request.
    lifetime: Option<Duration>,
}

impl Gate {
    pub(super) fn new(account: Account, issuer: impl Into<String>, lifetime: Option<Duration>) -> Self {
        Self { account, issuer: issuer.into(), issued: HashMap::new(), lifetime }
    }

    /// Accepts a request with the API token as Basic, or with an issued token as Bearer.
    pub(super) fn check(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let passes = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .is_some_and(|(scheme, credentials)| self.admits(scheme, credentials.trim()));
        if passes { Ok(()) } else { Err(Refusal::unauthorized()) }
    }

    fn admits(&self, scheme: &str, credentials: &str) -> bool {
        // RFC 7235 §2.1: the scheme is case-insensitive.
        if scheme.eq_ignore_ascii_case("basic") {
            credentials == self.account.token
        } else if scheme.eq_ignore_ascii_case("bearer") {
            let expires = self.issued.get(credentials);
            expires.is_some_and(|expires| *expires > Utc::now())
        } else {
            false
        }
    }

    /// Issues a token that is valid as Bearer for `days` days.
    pub(super) fn issue(&mut self, days: i32) -> Result<ProvisioningToken, Refusal> {
        let now = Utc::now();
        let asked = TimeDelta::try_days(i64::from(days)).filter(|_| days >= 1);
        let given = |lifetime| TimeDelta::from_std(lifetime).unwrap_or(TimeDelta::MAX);
        let expires = asked
            .and_then(|asked| now.checked_add_signed(self.lifetime.map_or(asked, given)))
            .ok_or_else(|| Refusal::invalid_value("duration must be a number of days, 1 or more"))?;
        let payload = json!({
            "iss": self.issuer,
            "sub": self.account.user_name,
            "iat": now.timestamp(),
            "exp": expires.timestamp(),
            "jti": Uuid::new_v4().to_string(),
        });
        // The signature is not checked, because the server remembers the tokens that it issued. Random
        // bytes in the length of SHA-256 make the token well formed and impossible to guess.
        let signature = [Uuid::new_v4().into_bytes(), Uuid::new_v4().into_bytes()].concat();
        let jwt = [
            URL_SAFE_NO_PAD.encode(json!({"alg": "HS256", "typ": "JWT"}).to_string()),
            URL_SAFE_NO_PAD.encode(payload.to_string()),
            URL_SAFE_NO_PAD.encode(signature),
        ]
        .join(".");
        self.issued.insert(jwt.clone(), expires);
        Ok(ProvisioningToken { jwt, expires })
    }
}
