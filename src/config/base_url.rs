use std::fmt;
use std::net::IpAddr;

use http::Uri;

use crate::config::Profile;
use crate::error::{Error, Result};
use crate::wats::BASE_PATH;

/// A base URL as given. It is not validated yet, so `Debug` shows nothing of one that may contain a
/// password or a token.
#[derive(Clone)]
pub(crate) struct GivenUrl(pub(crate) String);

impl fmt::Debug for GivenUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let may_have_secrets = self.0.contains(['@', '?', '#']) || self.0.contains("%40");
        if may_have_secrets { f.write_str("[redacted]") } else { self.0.fmt(f) }
    }
}

/// A validated base URL, and the kind of its server.
#[derive(Clone, Debug)]
pub(crate) struct BaseUrl {
    scim: String,
    origin: String,
    host: String,
    profile: Profile,
}

impl BaseUrl {
    pub(crate) fn read(text: &str, profile: Option<&Profile>, allow_plain_http: bool) -> Result<Self> {
        // The URL can contain a password by mistake, so no message repeats it.
        let reject = |why: &str| Err(Error::invalid(format!("the base URL {why}")));
        let text = text.trim();
        let Ok(uri) = text.parse::<Uri>() else {
            return reject("is not a URL; expected a URL such as https://acme.wats.com");
        };
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return reject("has no scheme or host; expected a URL such as https://acme.wats.com");
        };
        if authority.as_str().contains('@') {
            return reject("contains a user name or password; pass them as Credentials");
        }
        if uri.query().is_some() || text.contains('#') {
            return reject("has a query or a fragment; remove ? or # and the text after it");
        }
        let host = uri.host().unwrap_or_default();
        match scheme {
            "https" => {}
            "http" if allow_plain_http || is_loopback(host) => {}
            "http" => {
                return reject(
                    "is plain http, which sends the credentials unencrypted; \
                     use https, or allow it with ScimConfig::allow_plain_http",
                );
            }
            _ => return reject("is neither https nor http"),
        }
        if uri.path().split('/').any(|segment| segment == "." || segment == "..") {
            return reject("contains . or .. in its path");
        }

        let origin = format!("{scheme}://{authority}");
        let path = uri.path().trim_end_matches('/');
        let wats = wats_root(path);
        let profile = profile.cloned().unwrap_or_else(|| wats.map_or_else(Profile::standard, |_| Profile::wats()));
        let path = match wats {
            Some(root) if profile.is_wats() => format!("{root}{BASE_PATH}"),
            None if profile.is_wats() => format!("{path}{BASE_PATH}"),
            _ => path.to_owned(),
        };
        Ok(Self { scim: format!("{origin}{path}"), origin, host: host.to_owned(), profile })
    }

    /// The SCIM base URL, without a trailing slash.
    pub(crate) fn scim(&self) -> &str {
        &self.scim
    }

    /// The SCIM base URL, parsed.
    #[cfg(feature = "tls")]
    pub(crate) fn uri(&self) -> Uri {
        // It is a part of a parsed one.
        self.scim.parse().unwrap_or_default()
    }

    /// The scheme, host and port, for messages.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    pub(crate) fn with_profile(mut self, profile: Profile) -> Self {
        self.profile = profile;
        self
    }

    pub(crate) fn profile(&self) -> &Profile {
        &self.profile
    }

    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    pub(crate) fn is_https(&self) -> bool {
        self.origin.starts_with("https:")
    }
}

/// The path before the SCIM path of WATS or its `/api`, if this is the path of a WATS server.
fn wats_root(path: &str) -> Option<&str> {
    let without = |suffix: &str| {
        let at = path.len().checked_sub(suffix.len())?;
        let (root, end) = path.split_at_checked(at)?;
        end.eq_ignore_ascii_case(suffix).then_some(root)
    };
    if path.is_empty() { Some("") } else { without(BASE_PATH).or_else(|| without("/api")) }
}

/// Whether a host is the local machine.
pub(crate) fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let local = bare.rsplit('.').next().is_some_and(|last| last.eq_ignore_ascii_case("localhost"));
    local || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<BaseUrl> {
        BaseUrl::read(text, None, false)
    }

    #[test]
    fn every_form_of_a_wats_url_is_equivalent() {
        for end in ["", "/", "/api", "/api/", "/api/SCIM/v2", "/api/scim/V2/", "/API"] {
            let base = read(&format!("https://acme.wats.com{end}")).unwrap();
            assert_eq!(base.scim(), "https://acme.wats.com/api/SCIM/v2", "{end}");
            assert_eq!(base.profile(), &Profile::wats());
        }
        assert_eq!(read("https://x/wats/api").unwrap().scim(), "https://x/wats/api/SCIM/v2");
    }

    #[test]
    fn any_other_path_is_the_base_of_a_standard_server() {
        let base = read("http://127.0.0.1:8080/scim/v2/").unwrap();
        assert_eq!((base.scim(), base.profile()), ("http://127.0.0.1:8080/scim/v2", &Profile::standard()));
        let root = BaseUrl::read("https://scim.example.com/", Some(&Profile::standard()), false).unwrap();
        assert_eq!(root.scim(), "https://scim.example.com");
        let wats = BaseUrl::read("https://x/y", Some(&Profile::wats()), false).unwrap();
        assert_eq!(wats.scim(), "https://x/y/api/SCIM/v2");
    }

    #[test]
    fn plain_http_to_other_machines_must_be_allowed() {
        for local in ["http://localhost:1", "http://127.0.0.2", "http://[::1]:1", "http://a.localhost"] {
            assert!(read(local).is_ok(), "{local}");
        }
        for remote in ["http://acme.wats.com", "http://localhost.example.com", "http://10.0.0.1", "http://128.0.0.1"] {
            assert!(read(remote).unwrap_err().to_string().contains("allow_plain_http"), "{remote}");
            assert!(BaseUrl::read(remote, None, true).is_ok(), "{remote}");
        }
    }

    #[test]
    fn an_invalid_base_url_is_rejected_and_not_repeated() {
        for text in [
            "",
            "acme.wats.com",
            "ftp://x",
            "https://u:canary@x",
            "https://x?canary",
            "https://x#canary",
            "https://x/../y",
        ] {
            let error = read(text).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
        }
    }
}
