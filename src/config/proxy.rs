//! Chooses the proxy. This is done here and not by the HTTP clients, so that the blocking and the
//! async client choose the same one.

use super::base_url::{BaseUrl, is_loopback};
use crate::error::Secret;
use crate::error::{Error, Result};

#[derive(Clone, Debug)]
pub(super) enum Proxy {
    Environment,
    Direct,
    Given(Secret),
}

impl Proxy {
    pub(super) fn url_for(
        &self,
        base: &BaseUrl,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Secret>> {
        match self {
            Self::Direct => Ok(None),
            Self::Given(url) => check(url.expose(), "the proxy").map(Some),
            Self::Environment => {
                let set = |names: &[&'static str]| {
                    names.iter().find_map(|name| Some((*name, environment(name).filter(|value| !value.is_empty())?)))
                };
                // A request to a CGI program can set HTTP_PROXY in capitals, so it is ignored.
                let proxy = if base.is_https() {
                    set(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])
                } else {
                    set(&["http_proxy", "all_proxy", "ALL_PROXY"])
                };
                let Some((name, url)) = proxy else { return Ok(None) };
                let excepted = set(&["no_proxy", "NO_PROXY"]).is_some_and(|(_, list)| is_excepted(base.host(), &list));
                if excepted || is_loopback(base.host()) {
                    return Ok(None);
                }
                check(&url, &format!("the proxy in {name}")).map(Some)
            }
        }
    }
}

/// Validates a proxy URL in the form that both HTTP clients support.
fn check(url: &str, what: &str) -> Result<Secret> {
    let url = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
    match url.parse::<http::Uri>() {
        Ok(uri) if uri.scheme_str() == Some("http") && uri.host().is_some_and(|host| !host.is_empty()) => {
            Ok(Secret::new(url))
        }
        _ => {
            Err(Error::invalid(format!("{what} is not of the form http://host:port; only HTTP proxies are supported")))
        }
    }
}

/// Whether a host is in a `no_proxy` list: names with their subdomains, addresses, or `*`.
fn is_excepted(host: &str, list: &str) -> bool {
    let host = host.trim_matches(['[', ']']).to_ascii_lowercase();
    list.split(',').map(|entry| entry.trim().trim_start_matches("*.").trim_start_matches('.').to_ascii_lowercase()).any(
        |entry| {
            let is_below = || host.strip_suffix(&entry).is_some_and(|rest| rest.ends_with('.'));
            !entry.is_empty() && (entry == "*" || host == entry || is_below())
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_environment(base: &str, variables: &[(&str, &str)]) -> Result<Option<String>> {
        let base = BaseUrl::read(base, None, true)?;
        let lookup = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        Ok(Proxy::Environment.url_for(&base, lookup)?.map(|url| url.expose().to_owned()))
    }

    #[test]
    fn the_environment_sets_the_proxy_by_scheme() {
        let variables = [("https_proxy", "http://s:1"), ("http_proxy", "p:2"), ("HTTP_PROXY", "http://evil")];
        assert_eq!(from_environment("https://x", &variables).unwrap().as_deref(), Some("http://s:1"));
        assert_eq!(from_environment("http://x", &variables).unwrap().as_deref(), Some("http://p:2"));
        assert_eq!(from_environment("https://x", &[("ALL_PROXY", "http://a")]).unwrap().as_deref(), Some("http://a"));
        assert_eq!(from_environment("http://x", &[("HTTP_PROXY", "http://evil")]).unwrap(), None);
    }

    #[test]
    fn hosts_in_no_proxy_and_the_local_machine_have_no_proxy() {
        for no_proxy in ["*", "acme.wats.com", "x, wats.com", ".wats.com", "*.wats.com", "WATS.COM"] {
            let variables = [("https_proxy", "http://p"), ("no_proxy", no_proxy)];
            assert_eq!(from_environment("https://acme.wats.com", &variables).unwrap(), None, "{no_proxy}");
        }
        let variables = [("https_proxy", "http://p"), ("http_proxy", "http://p"), ("NO_PROXY", "ats.com,,other")];
        assert!(from_environment("https://acme.wats.com", &variables).unwrap().is_some());
        assert_eq!(from_environment("http://127.0.0.1:1", &variables).unwrap(), None);
    }

    #[test]
    fn an_unsupported_proxy_is_rejected_without_its_password() {
        let error = from_environment("https://x", &[("all_proxy", "socks5://u:canary@p")]).unwrap_err();
        assert!(error.to_string().contains("all_proxy") && !format!("{error} {error:?}").contains("canary"), "{error}");
    }
}
