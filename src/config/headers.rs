//! Headers that are added to every request.

use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, IF_MATCH,
    IF_NONE_MATCH, TRANSFER_ENCODING, USER_AGENT,
};

use crate::error::{Error, Result, Secret};

/// A header as given. It is validated when a client is created.
#[derive(Clone, Debug)]
pub(crate) enum Header {
    Plain(String, String),
    Secret(String, Secret),
}

impl Header {
    /// Adds the header to those of every request, in place of one with its name.
    pub(crate) fn add_to(&self, headers: &mut HeaderMap) -> Result<()> {
        let (name, value) = match self {
            Self::Plain(name, value) => (name, value.as_str()),
            Self::Secret(name, value) => (name, value.expose()),
        };
        let Ok(name) = HeaderName::try_from(name) else {
            return Err(Error::invalid(format!("{name:?} is not the name of a header")));
        };
        let set_by = match name {
            CONTENT_TYPE => "ScimConfig::media_type sets it",
            USER_AGENT => "ScimConfig::user_agent sets it",
            AUTHORIZATION if matches!(self, Self::Plain(..)) => "Credentials or ScimConfig::secret_header set it",
            HOST | CONNECTION | CONTENT_LENGTH | TRANSFER_ENCODING | IF_MATCH | IF_NONE_MATCH => "the client sets it",
            _ => "",
        };
        if !set_by.is_empty() {
            return Err(Error::invalid(format!("the header {name} cannot be added: {set_by}")));
        }
        let Ok(mut value) = HeaderValue::try_from(value) else {
            return Err(Error::invalid(format!(
                "the value of the header {name} contains a character that is not allowed in a header"
            )));
        };
        value.set_sensitive(matches!(self, Self::Secret(..)));
        headers.insert(name, value);
        Ok(())
    }

    /// The value, if it is to be redacted.
    pub(crate) fn secret(&self) -> Option<&str> {
        match self {
            Self::Plain(..) => None,
            Self::Secret(_, value) => Some(value.expose()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_client_sets_itself_cannot_be_added() {
        let mut headers = HeaderMap::new();
        for name in ["Authorization", "content-type", "Host", "If-Match", "user-agent", "content-length", "a b", ""] {
            assert!(Header::Plain(name.into(), "x".into()).add_to(&mut headers).is_err(), "{name}");
        }
        for header in [
            Header::Plain("X-Tenant".into(), "a".into()),
            Header::Plain("x-tenant".into(), "b".into()),
            Header::Secret("authorization".into(), "Token x".into()),
        ] {
            header.add_to(&mut headers).unwrap();
        }
        assert_eq!((headers.len(), &headers["x-tenant"]), (2, &HeaderValue::from_static("b")));
        assert!(headers["authorization"].is_sensitive());
    }

    #[test]
    fn a_secret_value_is_not_repeated() {
        let header = Header::Secret("x-key".into(), "canary\n".into());
        let error = header.add_to(&mut HeaderMap::new()).unwrap_err();
        assert!(!format!("{error} {error:?} {header:?}").contains("canary"), "{error}");
    }
}
