//! The settings that both servers have.

use std::fmt;
use std::io;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Map, Value};

use crate::account::Account;
use crate::log::Log;
use crate::quirks::Quirks;
use crate::refusal::Refusal;
use crate::running::Running;
use crate::samples;
use crate::server::{self, Hook, Server, Service, Shared};

/// The settings of both builders.
#[derive(Clone)]
pub(crate) struct Setup {
    pub(crate) port: u16,
    pub(crate) sample_users: usize,
    pub(crate) users: Vec<Value>,
    pub(crate) latency: Duration,
    pub(crate) records_requests: bool,
    pub(crate) quirks: Quirks,
    pub(crate) hook: Option<Arc<Hook>>,
}

/// The address and the account of a server that is about to start.
pub(crate) struct Place<'a> {
    /// `http://127.0.0.1:PORT`.
    pub(crate) origin: &'a str,
    pub(crate) scim_url: &'a str,
    pub(crate) account: &'a Account,
}

impl Setup {
    /// The initial users, in the form of a create: sample users first, then the given ones.
    pub(crate) fn all_users(&self) -> impl Iterator<Item = io::Result<Map<String, Value>>> {
        let samples = (1..).take(self.sample_users).map(|number| Ok(samples::user(number)));
        samples.chain(self.users.iter().map(object))
    }

    /// Starts a server with its SCIM base at `path`. It accepts requests when this returns.
    pub(crate) fn start<S: Service>(
        self,
        path: &str,
        service: impl FnOnce(&Place<'_>, &Self) -> io::Result<S>,
    ) -> io::Result<Running<S>> {
        let (listener, address) = server::bind(self.port)?;
        let base_url = format!("http://{address}");
        let scim_url = format!("{base_url}{path}");
        let account = Account::random();
        let place = Place { origin: &base_url, scim_url: &scim_url, account: &account };
        let service = service(&place, &self)?;
        let shared = Arc::new(Shared {
            service: Mutex::new(service),
            log: Mutex::new(Log::default()),
            connections: AtomicUsize::new(0),
            records_requests: self.records_requests,
            latency: self.latency,
            hook: self.hook,
        });
        let server = Server::spawn(listener, Arc::clone(&shared))?;
        Ok(Running { base_url, scim_url, account, shared, server })
    }
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            port: 0,
            sample_users: 0,
            users: Vec::new(),
            latency: Duration::ZERO,
            records_requests: true,
            quirks: Quirks::default(),
            hook: None,
        }
    }
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setup")
            .field("port", &self.port)
            .field("sample_users", &self.sample_users)
            .field("users", &self.users.len())
            .field("latency", &self.latency)
            .field("records_requests", &self.records_requests)
            .field("quirks", &self.quirks)
            .field("has_hook", &self.hook.is_some())
            .finish()
    }
}

/// Checks that a resource given to a builder is an object.
pub(crate) fn object(given: &Value) -> io::Result<Map<String, Value>> {
    given.as_object().cloned().ok_or_else(|| invalid(given, "it is not a JSON object"))
}

/// The error for a resource that the server rejects.
pub(crate) fn rejected(given: &Map<String, Value>, refusal: &Refusal) -> io::Error {
    invalid(&Value::Object(given.clone()), &refusal.detail)
}

fn invalid(given: &Value, why: &str) -> io::Error {
    let name =
        ["userName", "displayName"].iter().find_map(|name| given.get(name)?.as_str()).unwrap_or("without a name");
    io::Error::new(io::ErrorKind::InvalidInput, format!("the sandbox cannot start with the resource `{name}`: {why}"))
}

/// The settings that both builders have, based on their field `setup`. Their examples use `$server`.
macro_rules! shared_settings {
    ($server:literal) => {
        /// Adds `n` sample users; the default is none.
        ///
        /// They are active, with the user names `user0001@example.com`, `user0002@example.com` and so
        /// on, a `name`, a `displayName`, an email and an `externalId` (`ext-0001` …). Their ids are
        /// random.
        ///
        #[doc = $crate::example::example!($server:
            "let server = ", $server, "::builder().users(2).start()?;\n",
            "assert_eq!(server.users()[1][\"userName\"], \"user0002@example.com\");",
        )]
        pub fn users(mut self, n: usize) -> Self {
            self.setup.sample_users = n;
            self
        }

        /// Adds these users, after the sample [`users`](Self::users).
        ///
        /// They follow the rules of a create, except that an `id` is kept, so that a test can use fixed
        /// ids. [`start`](Self::start) fails if the server rejects one of them.
        ///
        #[doc = $crate::example::example!($server:
            "use serde_json::json;\n\n",
            "let jane = json!({ \"id\": \"7f3a\", \"userName\": \"jane@example.com\", \"active\": false });\n",
            "let server = ", $server, "::builder().with_users([jane]).start()?;\n",
            "assert_eq!(server.users()[0][\"id\"], \"7f3a\");\n\n",
            "let nameless = ", $server, "::builder().with_users([json!({ \"title\": \"Dr\" })]);\n",
            "assert!(nameless.start().is_err());",
        )]
        pub fn with_users(mut self, users: impl IntoIterator<Item = serde_json::Value>) -> Self {
            self.setup.users.extend(users);
            self
        }

        /// Listens on this port of the loopback interface; the default, 0, is a free one.
        ///
        /// [`start`](Self::start) fails if the port is taken. A test leaves it at 0, so that tests can run at
        /// the same time.
        ///
        #[doc = $crate::example::example!($server:
            "use std::io::ErrorKind;\n",
            "use std::net::TcpListener;\n\n",
            "let other = TcpListener::bind(\"127.0.0.1:0\")?;\n",
            "let taken = ", $server, "::builder().port(other.local_addr()?.port()).start();\n",
            "assert_eq!(taken.unwrap_err().kind(), ErrorKind::AddrInUse);",
        )]
        pub fn port(mut self, port: u16) -> Self {
            self.setup.port = port;
            self
        }

        /// The time to wait before each answer; the default is none.
        ///
        /// The server applies a request before the delay, so a request whose client times out is
        /// applied nevertheless.
        ///
        #[doc = $crate::example::example!($server:
            "use std::time::{Duration, Instant};\n\n",
            "let latency = Duration::from_millis(5);\n",
            "let server = ", $server, "::builder().latency(latency).start()?;\n",
            "let sent = Instant::now();\n",
            "send(\"GET\", server.scim_url(), server.token(), \"\")?;\n",
            "assert!(sent.elapsed() >= latency);",
        )]
        pub fn latency(mut self, latency: std::time::Duration) -> Self {
            self.setup.latency = latency;
            self
        }

        /// Whether the server records the requests that it receives; the default is `true`.
        ///
        /// The list grows without limit: turn it off for a benchmark.
        ///
        #[doc = $crate::example::example!($server:
            "let server = ", $server, "::builder().record_requests(false).start()?;\n",
            "send(\"GET\", server.scim_url(), server.token(), \"\")?;\n",
            "assert!(server.requests().is_empty());",
        )]
        pub fn record_requests(mut self, record: bool) -> Self {
            self.setup.records_requests = record;
            self
        }

        /// Sets a hook that can answer instead of the server, by returning `Some`.
        ///
        /// The hook is called for every request, after the request is recorded and before credentials
        /// are checked. It can return any answer: an HTML page, a redirect, a 503 with `Retry-After`.
        /// It runs on the only thread of the server, so the server answers no other request until it
        /// returns. If it panics, the connection is closed without an answer. A second hook replaces
        /// the first.
        ///
        #[doc = $crate::example::example!($server:
            "use http::{Method, Response, StatusCode};\n\n",
            "let server = ", $server, "::builder()\n",
            "    .respond_with(|request| {\n",
            "        (request.method() == Method::DELETE).then(|| {\n",
            "            let mut response = Response::new(b\"<h1>Maintenance</h1>\".to_vec());\n",
            "            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;\n",
            "            response\n",
            "        })\n",
            "    })\n",
            "    .start()?;\n",
            "let answer = send(\"DELETE\", server.scim_url(), server.token(), \"\")?;\n",
            "assert!(answer.starts_with(\"HTTP/1.1 503\") && answer.ends_with(\"<h1>Maintenance</h1>\"));",
        )]
        pub fn respond_with<F>(mut self, respond: F) -> Self
        where
            F: Fn(&http::Request<Vec<u8>>) -> Option<http::Response<Vec<u8>>> + Send + Sync + 'static,
        {
            self.setup.hook = Some(std::sync::Arc::new(respond));
            self
        }

        /// The maximum number of resources on a page, even if `count` is larger (RFC 7644 §3.4.2.4).
        ///
        #[doc = $crate::example::example!($server:
            "let server = ", $server, "::builder().users(5).page_cap(2).start()?;\n",
            "let page = send(\"GET\", &format!(\"{}/Users?count=4\", server.scim_url()), server.token(), \"\")?;\n",
            "assert!(page.contains(\"\\\"totalResults\\\":5\") && page.contains(\"\\\"itemsPerPage\\\":2\"));",
        )]
        pub fn page_cap(mut self, n: usize) -> Self {
            self.setup.quirks.page_cap = Some(n);
            self
        }

        /// Leaves `totalResults` out of lists.
        ///
        #[doc = $crate::example::example!($server:
            "let server = ", $server, "::builder().users(5).omit_total().start()?;\n",
            "let page = send(\"GET\", &format!(\"{}/Users\", server.scim_url()), server.token(), \"\")?;\n",
            "assert!(!page.contains(\"totalResults\"));",
        )]
        pub fn omit_total(mut self) -> Self {
            self.setup.quirks.total = $crate::quirks::Total::Omitted;
            self
        }

        /// Sets `totalResults` to the number of users on the page instead of all matching users.
        ///
        #[doc = $crate::example::example!($server:
            "let server = ", $server, "::builder().users(5).total_is_page_size().start()?;\n",
            "let page = send(\"GET\", &format!(\"{}/Users?count=2\", server.scim_url()), server.token(), \"\")?;\n",
            "assert!(page.contains(\"\\\"totalResults\\\":2\"));",
        )]
        pub fn total_is_page_size(mut self) -> Self {
            self.setup.quirks.total = $crate::quirks::Total::PageSize;
            self
        }

        /// Answers every list with its first page and `startIndex` 1.
        ///
        #[doc = $crate::example::example!($server:
            "let server = ", $server, "::builder().users(5).ignore_start_index().start()?;\n",
            "let page = send(\"GET\", &format!(\"{}/Users?startIndex=4\", server.scim_url()), server.token(), \"\")?;\n",
            "assert!(page.contains(\"user0001@example.com\"));",
        )]
        pub fn ignore_start_index(mut self) -> Self {
            self.setup.quirks.ignore_start_index = true;
            self
        }

        /// Answers a `startIndex` past the end with the last page, and with the requested
        /// `startIndex`.
        ///
        #[doc = $crate::example::example!($server:
            "let server = ", $server, "::builder().users(5).repeat_last_page().start()?;\n",
            "let url = format!(\"{}/Users?startIndex=7&count=3\", server.scim_url());\n",
            "let page = send(\"GET\", &url, server.token(), \"\")?;\n",
            "assert!(page.contains(\"user0005@example.com\") && !page.contains(\"user0003@example.com\"));",
        )]
        pub fn repeat_last_page(mut self) -> Self {
            self.setup.quirks.past_end = $crate::quirks::PastEnd::LastPage;
            self
        }

        /// Answers a `startIndex` past the end with all users, ignoring `count`, and with the requested
        /// `startIndex`. A [`page_cap`](Self::page_cap) still applies.
        ///
        #[doc = $crate::example::example!($server:
            "let server = ", $server, "::builder().users(5).everything_past_end().start()?;\n",
            "let url = format!(\"{}/Users?startIndex=7&count=3\", server.scim_url());\n",
            "assert!(send(\"GET\", &url, server.token(), \"\")?.contains(\"\\\"itemsPerPage\\\":5\"));",
        )]
        pub fn everything_past_end(mut self) -> Self {
            self.setup.quirks.past_end = $crate::quirks::PastEnd::Everything;
            self
        }

        /// Answers exactly this `startIndex` with an empty page, although `totalResults` is larger.
        ///
        #[doc = $crate::example::example!($server:
            "let server = ", $server, "::builder().users(5).empty_page_at(3).start()?;\n",
            "let url = format!(\"{}/Users?startIndex=3\", server.scim_url());\n",
            "assert!(send(\"GET\", &url, server.token(), \"\")?.contains(\"\\\"Resources\\\":[]\"));",
        )]
        pub fn empty_page_at(mut self, start_index: usize) -> Self {
            self.setup.quirks.empty_page_at = Some(start_index);
            self
        }

        /// Answers a PATCH with 204 and no body instead of the resource, as RFC 7644 §3.5.2 allows.
        ///
        #[doc = $crate::example::example!($server:
            "let server = ", $server, "::builder().users(1).patch_answers_204().start()?;\n",
            "let url = format!(\"{}/Users/{}\", server.scim_url(), server.users()[0][\"id\"].as_str().unwrap_or_default());\n",
            "let patch = r#\"{\"schemas\": [\"urn:ietf:params:scim:api:messages:2.0:PatchOp\"],\n",
            "    \"Operations\": [{\"op\": \"replace\", \"path\": \"active\", \"value\": false}]}\"#;\n",
            "assert!(send(\"PATCH\", &url, server.token(), patch)?.starts_with(\"HTTP/1.1 204\"));\n",
            "assert_eq!(server.users()[0][\"active\"], false);",
        )]
        pub fn patch_answers_204(mut self) -> Self {
            self.setup.quirks.patch_answers_204 = true;
            self
        }

        /// Answers a create with 200, no body and no `Location`.
        ///
        /// The user is created nevertheless. WATS documents status 200 with an untyped body for a create.
        ///
        #[doc = $crate::example::example!($server:
            "let server = ", $server, "::builder().create_answers_empty().start()?;\n",
            "let users = format!(\"{}/Users\", server.scim_url());\n",
            "let jane = r#\"{\"schemas\": [\"urn:ietf:params:scim:schemas:core:2.0:User\"], \"userName\": \"jane\"}\"#;\n",
            "let answer = send(\"POST\", &users, server.token(), jane)?;\n",
            "assert!(answer.starts_with(\"HTTP/1.1 200\") && !answer.contains(\"jane\"));\n",
            "assert_eq!(server.users().len(), 1);",
        )]
        pub fn create_answers_empty(mut self) -> Self {
            self.setup.quirks.create_answers_empty = true;
            self
        }
    };
}

pub(crate) use shared_settings;

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};

    use crate::{Sandbox, StandardSandbox};

    #[test]
    fn a_server_listens_on_the_port_that_is_given() {
        // Another program can take the port meanwhile.
        let is_there = (0..10).any(|_| {
            let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            let port = free.local_addr().unwrap().port();
            drop(free);
            let is_at = |url: &str| url.contains(&format!("127.0.0.1:{port}"));
            let wats = Sandbox::builder().port(port).start().is_ok_and(|server| is_at(server.base_url()));
            wats && StandardSandbox::builder().port(port).start().is_ok_and(|server| is_at(server.base_url()))
        });
        assert!(is_there);
    }
}
