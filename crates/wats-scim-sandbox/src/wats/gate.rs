//! Who may use the server: the API token, and the provisioning tokens it has issued.

use std::collections::HashMap;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use serde_json::json;
use uuid::Uuid;

use crate::refusal::Refusal;

/// The one account of the server, with a password of its own for each server.
#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) user_name: String,
    pub(crate) password: String,
    /// A WATS API token is the base64 of `user:password`.
    pub(crate) token: String,
}

impl Account {
    /// The account `sandbox`, with a random password.
    pub(crate) fn random() -> Self {
        let user_name = "sandbox".to_owned();
        let password = Uuid::new_v4().simple().to_string();
        let token = STANDARD.encode(format!("{user_name}:{password}"));
        Self { user_name, password, token }
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("user_name", &self.user_name).finish_non_exhaustive()
    }
}

/// A provisioning token, as the Token route answers it.
pub(crate) struct ProvisioningToken {
    pub(crate) jwt: String,
    pub(crate) expires: DateTime<Utc>,
}

/// Decides whether a request may pass.
pub(crate) struct Gate {
    account: Account,
    issuer: String,
    issued: HashMap<String, DateTime<Utc>>,
}

impl Gate {
    pub(crate) fn new(account: Account, issuer: impl Into<String>) -> Self {
        Self { account, issuer: issuer.into(), issued: HashMap::new() }
    }

    /// Lets a request through: Basic with the API token, or Bearer with a token from here.
    pub(crate) fn check(&self, headers: &HeaderMap) -> Result<(), Refusal> {
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

    /// Issues a token that passes as Bearer for `days` days.
    pub(crate) fn issue(&mut self, days: i32) -> Result<ProvisioningToken, Refusal> {
        let now = Utc::now();
        let expires = TimeDelta::try_days(i64::from(days))
            .filter(|_| days >= 1)
            .and_then(|lifetime| now.checked_add_signed(lifetime))
            .ok_or_else(|| Refusal::invalid_value("duration must be a number of days, 1 or more"))?;
        let payload = json!({
            "iss": self.issuer,
            "sub": self.account.user_name,
            "iat": now.timestamp(),
            "exp": expires.timestamp(),
            "jti": Uuid::new_v4().to_string(),
        });
        // Nobody checks the signature: the server remembers what it issued. Random bytes of a
        // SHA-256's length keep the token well formed and impossible to guess.
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

    /// Makes every token issued so far expire now.
    #[cfg(test)]
    pub(crate) fn expire_all(&mut self) {
        let now = Utc::now();
        self.issued.values_mut().for_each(|expires| *expires = now);
    }
}
