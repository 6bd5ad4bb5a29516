//! Chooses the proxy. This is done here and not by the HTTP clients, so that the blocking and the
//! async client choose the same one.

use std::net::IpAddr;

use ipnet::IpNet;

use super::base_url::is_loopback;
use crate::error::Secret;
use crate::error::{Error, Result};

#[derive(Clone, Debug)]
pub(super) enum Proxy {
    Environment,
    Direct,
    Given(Secret),
}

/// A server that requests are sent to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Server<'a> {
    pub(super) host: &'a str,
    pub(super) is_https: bool,
}

impl<'a> Server<'a> {
    pub(super) fn of(uri: &'a http::Uri) -> Option<Self> {
        Some(Self { host: uri.host()?, is_https: uri.scheme_str() == Some("https") })
    }
}

/// The proxy, and the servers that are reached without it.
#[derive(Debug)]
pub(crate) struct ProxyChoice {
    pub(crate) url: Secret,
    pub(crate) without: Vec<String>,
}

#[cfg(any(feature = "blocking", feature = "async"))]
impl ProxyChoice {
    /// The URL without user name and password.
    pub(super) fn shown(&self) -> String {
        let uri: http::Uri = self.url.expose().parse().unwrap_or_default();
        let (scheme, host) = (uri.scheme_str().unwrap_or("http"), uri.host().unwrap_or_default());
        let port = uri.port().map(|port| format!(":{port}")).unwrap_or_default();
        format!("{scheme}://{host}{port}")
    }
}

impl Proxy {
    /// The proxy for these servers: the SCIM server, and perhaps a token endpoint.
    pub(super) fn choice(
        &self,
        servers: &[Server<'_>],
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<ProxyChoice>> {
        let mut choice = None;
        let mut without = Vec::new();
        for server in servers {
            match self.chosen(*server, &environment)? {
                // reqwest would send the request itself to the proxy, and ureq a request for a tunnel.
                Some(_) if !server.is_https => {
                    return Err(Error::invalid(
                        "the base URL or the token URL is plain http, so the proxy would receive the credentials; \
                         use https, or reach the server without a proxy (ScimConfig::no_proxy, or the variable \
                         no_proxy)",
                    ));
                }
                Some(url) => choice = Some(url),
                None => without.push(server.host.to_owned()),
            }
        }
        Ok(choice.map(|url| ProxyChoice { url, without }))
    }

    fn chosen(&self, server: Server<'_>, environment: impl Fn(&str) -> Option<String>) -> Result<Option<Secret>> {
        match self {
            Self::Direct => Ok(None),
            Self::Given(url) => check(url.expose(), "the proxy").map(Some),
            Self::Environment => {
                let set = |names: &[&'static str]| {
                    names.iter().find_map(|name| Some((*name, environment(name).filter(|value| !value.is_empty())?)))
                };
                // A request to a CGI program can set HTTP_PROXY in capitals, so it is ignored.
                let proxy = if server.is_https {
                    set(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])
                } else {
                    set(&["http_proxy", "all_proxy", "ALL_PROXY"])
                };
                let Some((name, url)) = proxy else { return Ok(None) };
                let excepted = set(&["no_proxy", "NO_PROXY"]).is_some_and(|(_, list)| is_excepted(server.host, &list));
                if excepted || is_loopback(server.host) {
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
    let is_supported = |scheme| matches!(scheme, "http" | "https" | "socks5" | "socks5h");
    match url.parse::<http::Uri>() {
        Ok(uri) if uri.scheme_str().is_some_and(is_supported) && uri.host().is_some_and(|host| !host.is_empty()) => {
            Ok(Secret::new(url))
        }
        _ => Err(Error::invalid(format!(
            "{what} is not of the form http://host:port; supported are http, https, socks5 and socks5h"
        ))),
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
        Ok(choice(&[base], variables)?.map(|choice| choice.url.expose().to_owned()))
    }

    fn choice(urls: &[&str], variables: &[(&str, &str)]) -> Result<Option<ProxyChoice>> {
        let urls: Vec<http::Uri> = urls.iter().map(|url| url.parse().unwrap()).collect();
        let servers: Vec<_> = urls.iter().filter_map(Server::of).collect();
        let lookup = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        Proxy::Environment.choice(&servers, lookup)
    }

    #[test]
    fn a_token_endpoint_can_be_behind_a_proxy_that_the_server_is_not_behind() {
        let variables = [("https_proxy", "http://p"), ("no_proxy", "scim.corp")];
        let choice = choice(&["https://scim.corp/v2", "https://login.example.com/token"], &variables).unwrap().unwrap();
        assert_eq!((choice.url.expose(), choice.without), ("http://p", vec!["scim.corp".to_owned()]));
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
        let server = Server { host: "x", is_https: false };
        assert!(Proxy::Given("http://p".into()).choice(&[server], |_| None).is_err());
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
        for proxy in ["https://p:1", "socks5://u:canary@p", "socks5h://p"] {
            assert_eq!(from_environment("https://x", &[("all_proxy", proxy)]).unwrap().as_deref(), Some(proxy));
        }
        let error = from_environment("https://x", &[("all_proxy", "socks4://u:canary@p")]).unwrap_err();
        assert!(error.to_string().contains("all_proxy") && !format!("{error} {error:?}").contains("canary"), "{error}");
    }
}
