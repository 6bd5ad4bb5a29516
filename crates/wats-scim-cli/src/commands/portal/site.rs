//! Where browsers find the portal.

use std::net::SocketAddr;

use axum::http::Uri;

/// The origin of the portal (RFC 6454), as browsers write it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Site {
    scheme: &'static str,
    host: String,
}

impl Site {
    /// The address that the portal listens on.
    pub(super) fn at(address: SocketAddr) -> Self {
        Self::new("http", &address.to_string())
    }

    /// # Errors
    ///
    /// A message if it is not the URL of a whole host, with TLS unless it is this machine.
    pub(super) fn parse(url: &str) -> Result<Self, String> {
        let expected = || "expected https:// and a host, such as https://people.example.com".to_owned();
        let uri: Uri = url.parse().map_err(|_| expected())?;
        let (Some(scheme), Some(host)) = (uri.scheme_str(), uri.host()) else { return Err(expected()) };
        let authority = uri.authority().map(ToString::to_string).unwrap_or_default();
        if uri.path() != "/" || uri.query().is_some() || authority.contains('@') {
            return Err(expected());
        }
        match scheme {
            "https" => Ok(Self::new("https", &authority)),
            "http" if ["localhost", "127.0.0.1", "[::1]"].contains(&host) => Ok(Self::new("http", &authority)),
            _ => Err(expected()),
        }
    }

    fn new(scheme: &'static str, authority: &str) -> Self {
        let port = if scheme == "https" { ":443" } else { ":80" };
        let host = authority.strip_suffix(port).unwrap_or(authority).to_ascii_lowercase();
        Self { scheme, host }
    }

    /// The value of `Host`.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// The value of `Origin`.
    pub(super) fn origin(&self) -> String {
        format!("{}://{}", self.scheme, self.host)
    }

    pub(super) fn has_tls(&self) -> bool {
        self.scheme == "https"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_as_browsers_write_it() {
        for (url, origin) in [
            ("https://People.Example.com", "https://people.example.com"),
            ("https://people.example.com:443/", "https://people.example.com"),
            ("https://people.example.com:8443", "https://people.example.com:8443"),
            ("http://localhost:80", "http://localhost"),
            ("http://[::1]:8080", "http://[::1]:8080"),
        ] {
            assert_eq!(Site::parse(url).unwrap().origin(), origin);
        }
        assert_eq!(Site::at("127.0.0.1:80".parse().unwrap()).origin(), "http://127.0.0.1");
    }

    #[test]
    fn without_tls_or_below_a_path_there_is_no_portal() {
        for url in ["http://people.example.com", "https://a/people", "https://a?b", "https://me@a", "a", "ftp://a", ""]
        {
            assert!(Site::parse(url).is_err(), "{url}");
        }
    }
}
