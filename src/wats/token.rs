use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use wats_scim_filter::json;

use crate::error::Secret;
use crate::model;

/// A token for the SCIM API of WATS, to be used as the secret token of an identity provider such as
/// Microsoft Entra ID or Okta.
///
/// `Debug` redacts the token; read it with [`Secret::expose`].
///
/// ```
/// # let sandbox = wats_scim_sandbox::Sandbox::start()?;
/// # let credentials = wats_scim::Credentials::wats_token(sandbox.token());
/// # let client = wats_scim::blocking::ScimClient::new(sandbox.base_url(), credentials)?;
/// let token = client.get_token(Some(90))?;
/// assert!(token.expires.is_some());
/// println!("secret token: {}", token.token.expose());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ScimToken {
    /// The token, a JWT.
    pub token: Secret,
    /// The time of expiry, from the server's response or else from the token's `exp` claim (RFC
    /// 7519 §4.1.4). It is for display only: the token's signature is not verified.
    pub expires: Option<DateTime<Utc>>,
    /// The requested lifetime in days, if the server returns it.
    pub duration_days: Option<u32>,
}

impl ScimToken {
    /// Reads the response of the WATS token endpoint, whose format is not documented: an object
    /// with one of several spellings of each name in any letter case, or a bare JWT.
    pub(crate) fn read(reply: &Value) -> Result<Self, &'static str> {
        let (token, object) = match reply {
            Value::String(text) if is_jwt(text.trim()) => (text.as_str(), None),
            Value::String(_) => return Err("it is a string, but not a token"),
            Value::Object(object) => {
                let token = member(object, &["token"]).and_then(Value::as_str);
                (token.ok_or("there is no token in it")?, Some(object))
            }
            _ => return Err("there is no token in it"),
        };
        let token = token.trim();
        if token.is_empty() {
            return Err("the token in it is empty");
        }
        let stated = |names: &[&str]| object.and_then(|object| member(object, names));
        Ok(Self {
            expires: stated(&["expiresUtc", "expires_utc", "expires"]).and_then(time).or_else(|| expiry_of(token)),
            duration_days: stated(&["durationDays", "duration_days", "duration"]).and_then(days),
            token: Secret::new(token),
        })
    }
}

fn member<'a>(object: &'a Map<String, Value>, names: &[&str]) -> Option<&'a Value> {
    names.iter().find_map(|name| json::assigned(object, name))
}

/// A time with or without an offset (then in UTC), or in seconds since 1970.
fn time(value: &Value) -> Option<DateTime<Utc>> {
    match value {
        Value::Number(number) => DateTime::from_timestamp(number.as_i64()?, 0),
        Value::String(text) => model::time(text),
        _ => None,
    }
}

fn days(value: &Value) -> Option<u32> {
    match value {
        Value::Number(number) => number.as_u64()?.try_into().ok(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn is_jwt(text: &str) -> bool {
    text.split('.').count() == 3
        && text.split('.').all(|part| {
            !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_=".contains(&byte))
        })
}

/// The `exp` claim of a JWT (RFC 7519 §4.1.4).
fn expiry_of(token: &str) -> Option<DateTime<Utc>> {
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &URL_SAFE,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    let claims = LENIENT.decode(token.split('.').nth(1)?).ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    let expiry = claims.get("exp")?;
    // A NumericDate can have a fraction, which is ignored.
    let whole = expiry.to_string();
    DateTime::from_timestamp(whole.split('.').next()?.parse().ok()?, 0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// `{"alg":"none"}` . `{"exp":1790000000}` . `s`
    const JWT: &str = "eyJhbGciOiJub25lIn0.eyJleHAiOjE3OTAwMDAwMDB9.cw";

    fn read(reply: &Value) -> ScimToken {
        ScimToken::read(reply).unwrap()
    }

    #[test]
    fn names_are_read_in_every_spelling() {
        for reply in [
            json!({ "token": "t", "expiresUtc": "2026-09-21T14:13:20Z", "durationDays": 90 }),
            json!({ "Token": "t", "expires_utc": "2026-09-21T14:13:20", "duration_days": "90" }),
            json!({ "TOKEN": " t\n", "Expires": "2026-09-21T16:13:20.000+02:00", "DURATION": 90 }),
            json!({ "token": "t", "expires": 1_790_000_000, "duration": 90 }),
        ] {
            let token = read(&reply);
            assert_eq!(token.token.expose(), "t", "{reply}");
            assert_eq!(token.expires.unwrap().timestamp(), 1_790_000_000, "{reply}");
            assert_eq!(token.duration_days, Some(90), "{reply}");
        }
    }

    #[test]
    fn the_expiry_of_a_bare_jwt_is_its_exp_claim() {
        let token = read(&json!(JWT));
        assert_eq!((token.token.expose(), token.expires.unwrap().timestamp()), (JWT, 1_790_000_000));
        assert_eq!(read(&json!({ "token": JWT })).expires.unwrap().timestamp(), 1_790_000_000);
    }

    #[test]
    fn a_response_without_a_token_is_an_error() {
        for reply in
            [json!({}), json!({ "token": null }), json!({ "token": "" }), json!("Unauthorized"), json!(""), json!(7)]
        {
            assert!(ScimToken::read(&reply).is_err(), "{reply}");
        }
    }

    #[test]
    fn debug_redacts_the_token() {
        assert!(!format!("{:?}", read(&json!(JWT))).contains("eyJ"));
    }
}
