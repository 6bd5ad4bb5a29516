//! Chooses the proxy. This is done here and not by the HTTP clients, so that the blocking and the
//! async client choose the same one.

use std::net::IpAddr;

use ipnet::IpNet;

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
        let proxy = self.chosen(base, environment)?;
        if proxy.is_some() && !base.is_https() {
            // reqwest would send the request itself to the proxy, and ureq a request for a tunnel.
            return Err(Error::invalid(
                "the base URL is plain http, so the proxy would receive the credentials; \
                 use https, or reach the server without a proxy (ScimConfig::no_proxy, or the variable no_proxy)",
            ));
        }
        Ok(proxy)
    }

    fn chosen(&self, base: &BaseUrl, environment: impl Fn(&str) -> Option<String>) -> Result<Option<Secret>> {
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

/// Whether a host is in a `no_proxy` list: names with their subdomains, addresses, networks such as
/// `10.0.0.0/8`, or `*`.
fn is_excepted(host: &str, list: &str) -> bool {
    let host = host.trim_matches(['[', ']']).to_ascii_lowercase();
    let address = host.parse::<IpAddr>().ok();
    list.split(',').map(|entry| entry.trim().trim_start_matches("*.").trim_start_matches('.').to_ascii_lowercase()).any(
        |entry| {
            let is_below = || host.strip_suffix(&entry).is_some_and(|rest| rest.ends_with('.'));
            let is_within =
                || address.zip(entry.parse::<IpNet>().ok()).is_some_and(|(address, net)| net.contains(&address));
            !entry.is_empty() && (entry == "*" || host == entry || is_below() || is_within())
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
        assert_eq!(from_environment("https://x", &[("ALL_PROXY", "http://a")]).unwrap().as_deref(), Some("http://a"));
        assert_eq!(from_environment("http://x", &[("HTTP_PROXY", "http://evil")]).unwrap(), None);
    }

    #[test]
    fn a_proxy_never_receives_the_credentials() {
        let variables = [("http_proxy", "p:2"), ("no_proxy", "y")];
        let error = from_environment("http://x", &variables).unwrap_err();
        assert!(error.to_string().contains("no_proxy"), "{error}");
        assert_eq!(from_environment("http://y", &variables).unwrap(), None);
        let base = BaseUrl::read("http://x", None, true).unwrap();
        assert!(Proxy::Given("http://p".into()).url_for(&base, |_| None).is_err());
    }

    #[test]
    fn no_proxy_can_contain_networks() {
        let proxy = |host: &str| {
            let variables = [("https_proxy", "http://p"), ("no_proxy", "10.0.0.0/8, fd00::/8,192.168.1.7/32")];
            from_environment(&format!("https://{host}"), &variables).unwrap()
        };
        for excepted in ["10.1.2.3", "[fd12::1]", "192.168.1.7"] {
            assert_eq!(proxy(excepted), None, "{excepted}");
        }
        for other in ["11.1.2.3", "[fe80::1]", "192.168.1.8", "x10.1.2.3"] {
            assert!(proxy(other).is_some(), "{other}");
        }
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
