//! An error as JSON: for a log or a report, and as the answer of a service.

use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::{Error, ErrorKind, Operation, WriteOutcome};

/// What is shown of an error.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    kind: ErrorKind,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<Operation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scim_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<WriteOutcome>,
    attempts: u32,
    /// In seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
}

impl Serialize for Error {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let shown = Shown {
            kind: self.kind(),
            message: self.to_string(),
            operation: self.operation(),
            status: self.status().map(|status| status.as_u16()),
            scim_type: self.scim_type(),
            detail: self.detail(),
            outcome: self.write_outcome(),
            attempts: self.attempts(),
            retry_after: self
                .retry_after()
                .map(|wait| wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0))),
        };
        shown.serialize(serializer)
    }
}

impl Error {
    /// Returns the error message of RFC 7644 §3.12, for a SCIM service or a proxy that passes the error on
    /// to its own caller, with the status [`ErrorKind::http_status`].
    ///
    /// Its `detail` is that of the server, or else the text of this error. Neither contains a secret.
    ///
    /// ```
    /// use wats_scim::{Error, ErrorKind};
    ///
    /// let error = Error::new(ErrorKind::Conflict, "the userName is taken");
    /// assert_eq!(
    ///     error.to_scim(),
    ///     serde_json::json!({
    ///         "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
    ///         "status": "409",
    ///         "scimType": "uniqueness",
    ///         "detail": "the userName is taken",
    ///     })
    /// );
    /// ```
    #[must_use]
    pub fn to_scim(&self) -> Value {
        let status = self.kind().http_status();
        let detail = self.detail().map_or_else(|| self.to_string(), str::to_owned);
        let mut message = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
            "status": status.as_str(),
        });
        // Table 9 has keywords for 4xx only.
        let scim_type = match self.kind() {
            ErrorKind::Conflict => self.scim_type().or(Some("uniqueness")),
            _ => self.scim_type().filter(|_| status.is_client_error()),
        };
        if let Some(members) = message.as_object_mut() {
            members.extend(scim_type.map(|scim_type| ("scimType".to_owned(), scim_type.into())));
            members.insert("detail".to_owned(), detail.into());
        }
        message
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::StatusCode;

    use super::*;
    use crate::error::{ErrorMessage, Secrets};

    fn refused(status: u16, body: &str) -> Error {
        let message = ErrorMessage::read(body.as_bytes(), &Secrets::new(["s3cret-token"]));
        Error::of_status(StatusCode::from_u16(status).unwrap(), message, "")
    }

    #[test]
    fn the_json_of_an_error_is_stable_and_has_no_secret() {
        let error = refused(429, r#"{"detail": "slow down, s3cret-token", "scimType": "tooMany"}"#)
            .asking_to_wait(Some(Duration::from_millis(1_500)))
            .in_operation(Operation::Patch("user"))
            .after_attempts(3);
        let expected = json!({
            "kind": "tooManyRequests",
            "message": "could not update user: the server answered 429 Too Many Requests (tooMany): \
                        slow down, [redacted]; nothing was changed",
            "operation": "update user", "status": 429, "scimType": "tooMany", "detail": "slow down, [redacted]",
            "outcome": "notApplied", "attempts": 3, "retryAfter": 2,
        });
        assert_eq!(serde_json::to_value(&error).unwrap(), expected);
        let plain = json!({ "kind": "timeout", "message": "late", "attempts": 0 });
        assert_eq!(serde_json::to_value(Error::new(ErrorKind::Timeout, "late")).unwrap(), plain);
    }

    #[test]
    fn a_service_answers_with_the_words_of_its_server() {
        let scim = refused(404, r#"{"detail": "no such user", "schemas": ["x"]}"#).to_scim();
        assert_eq!((&scim["status"], &scim["detail"]), (&json!("404"), &json!("no such user")));
        assert_eq!(scim.get("scimType"), None);
        let scim = refused(400, r#"{"detail": "bad", "scimType": "invalidPath"}"#).to_scim();
        assert_eq!((&scim["status"], &scim["scimType"]), (&json!("400"), &json!("invalidPath")));
        let scim = refused(403, r#"{"detail": "no", "scimType": "sensitive"}"#).to_scim();
        assert_eq!((&scim["status"], scim.get("scimType")), (&json!("502"), None));
    }

    #[test]
    fn a_clone_has_the_same_source() {
        use std::error::Error as _;

        let error = Error::new(ErrorKind::Connection, "gone").with_source(std::io::Error::other("cut"));
        let clone = error.clone();
        drop(error);
        assert!(clone.source().is_some_and(<dyn std::error::Error>::is::<std::io::Error>));
        assert!(format!("{clone:?}").ends_with("because: cut"));
    }
}
