//! The handle of a running server, with the methods that both servers have.

use std::fmt;
use std::sync::Arc;

use crate::account::Account;
use crate::server::{Server, Service, Shared};

/// The handle of a running server; dropping it stops the server.
pub(crate) struct Running<S> {
    pub(crate) base_url: String,
    pub(crate) scim_url: String,
    pub(crate) account: Account,
    pub(crate) shared: Arc<Shared<S>>,
    pub(crate) server: Server,
}

/// Redacts the token and the password.
impl<S: Service> fmt::Debug for Running<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running")
            .field("scim_url", &self.scim_url)
            .field("user_name", &self.account.user_name)
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

/// The methods that both servers have, based on their field `running`. Their examples use `$server`,
/// whose addresses end with `$base` and `$scim`.
macro_rules! shared_methods {
    ($server:literal, $base:literal, $scim:literal) => {
        /// The base URL for a client.
        ///
        #[doc = $crate::example::example!($server:
                            "let server = ", $server, "::start()?;\n",
                            "assert!(server.base_url().starts_with(\"http://127.0.0.1:\"));\n",
                            "assert!(server.base_url().ends_with(", $base, "));",
                        )]
        #[must_use]
        pub fn base_url(&self) -> &str {
            &self.running.base_url
        }

        /// The URL of the SCIM base, to which the path of a request is appended, such as `/Users`.
        ///
        #[doc = $crate::example::example!($server:
                            "let server = ", $server, "::start()?;\n",
                            "assert!(server.scim_url().ends_with(", $scim, "));",
                        )]
        #[must_use]
        pub fn scim_url(&self) -> &str {
            &self.running.scim_url
        }

        /// The API token, for the header `Authorization: Basic <token>`.
        ///
        /// As in WATS, it is the base64 form of `user:password`.
        ///
        #[doc = $crate::example::example!($server:
                            "let server = ", $server, "::start()?;\n",
                            "let users = format!(\"{}/Users\", server.scim_url());\n",
                            "assert!(send(\"GET\", &users, server.token(), \"\")?.starts_with(\"HTTP/1.1 200\"));\n",
                            "assert!(send(\"GET\", &users, \"guessed\", \"\")?.starts_with(\"HTTP/1.1 401\"));",
                        )]
        #[must_use]
        pub fn token(&self) -> &str {
            &self.running.account.token
        }

        /// The user name of the account that the API token belongs to: `sandbox`.
        ///
        #[doc = $crate::example::example!($server:
                            "assert_eq!(", $server, "::start()?.user_name(), \"sandbox\");",
                        )]
        #[must_use]
        pub fn user_name(&self) -> &str {
            &self.running.account.user_name
        }

        /// The password of that account, random for each server.
        ///
        #[doc = $crate::example::example!($server:
                            "assert_ne!(", $server, "::start()?.password(), ", $server, "::start()?.password());",
                        )]
        #[must_use]
        pub fn password(&self) -> &str {
            &self.running.account.password
        }

        /// The current users, in the order of their creation.
        ///
        #[doc = $crate::example::example!($server:
                            "let server = ", $server, "::builder().users(1).start()?;\n",
                            "let users = format!(\"{}/Users\", server.scim_url());\n",
                            "let jane = r#\"{\"schemas\": [\"urn:ietf:params:scim:schemas:core:2.0:User\"], \"userName\": \"jane\"}\"#;\n",
                            "send(\"POST\", &users, server.token(), jane)?;\n",
                            "assert_eq!(server.users()[1][\"userName\"], \"jane\");",
                        )]
        #[must_use]
        pub fn users(&self) -> Vec<serde_json::Value> {
            $crate::server::lock(&self.running.shared.service).users()
        }

        /// Every request received since the start, or since the last
        /// [`clear_requests`](Self::clear_requests), in the order of arrival.
        ///
        /// Requests that are not HTTP, or whose body is incomplete, are left out. The list is
        /// always empty after `record_requests(false)` on the builder.
        ///
        #[doc = $crate::example::example!($server:
                            "let server = ", $server, "::start()?;\n",
                            "let url = format!(\"{}/Users/a%2Fb\", server.scim_url());\n",
                            "send(\"DELETE\", &url, server.token(), \"\")?;\n",
                            "let requests = server.requests();\n",
                            "assert_eq!(requests[0].method, \"DELETE\");\n",
                            "assert!(requests[0].target.ends_with(\"/Users/a%2Fb\"));\n",
                            "assert_eq!(requests[0].status.map(|status| status.as_u16()), Some(404));",
                        )]
        #[must_use]
        pub fn requests(&self) -> Vec<$crate::RecordedRequest> {
            $crate::server::lock(&self.running.shared.log).requests().to_vec()
        }

        /// Clears the list of [`requests`](Self::requests).
        ///
        #[doc = $crate::example::example!($server:
                            "let server = ", $server, "::start()?;\n",
                            "send(\"GET\", server.scim_url(), server.token(), \"\")?;\n",
                            "server.clear_requests();\n",
                            "assert!(server.requests().is_empty());",
                        )]
        pub fn clear_requests(&self) {
            $crate::server::lock(&self.running.shared.log).clear();
        }

        /// The number of TCP connections that the server has accepted since the start.
        ///
        /// A client that reuses its connection opens one for many requests.
        ///
        #[doc = $crate::example::example!($server:
                            "let server = ", $server, "::start()?;\n",
                            "send(\"GET\", server.scim_url(), server.token(), \"\")?;\n",
                            "send(\"GET\", server.scim_url(), server.token(), \"\")?;\n",
                            "assert_eq!(server.connections(), 2);",
                        )]
        #[must_use]
        pub fn connections(&self) -> usize {
            self.running.shared.connections.load(std::sync::atomic::Ordering::Relaxed)
        }
    };
}

pub(crate) use shared_methods;
