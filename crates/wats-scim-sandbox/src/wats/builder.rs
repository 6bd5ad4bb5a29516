//! What a sandbox is like before it starts.

use std::fmt;
use std::io;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Request, Response};

use super::Sandbox;
use super::directory::Directory;
use super::gate::{Account, Gate};
use super::routes::State;
use crate::log::Log;
use crate::quirks::{Base, PastEnd, Quirks, Total};
use crate::server::{self, Hook, Server, Shared};
use crate::standard::{Settings, Standard};

/// Sets up a [`Sandbox`]: what it holds, how fast it answers, and how it misbehaves.
///
/// Without any setting it holds no users, answers at once, records every request and keeps to
/// the rules. Each quirk is one that a real server was seen to have.
///
/// ```
/// use std::time::Duration;
/// use wats_scim_sandbox::Sandbox;
///
/// let sandbox = Sandbox::builder()
///     .users(250)
///     .page_cap(50)
///     .latency(Duration::from_millis(5))
///     .start()?;
/// assert_eq!(sandbox.users().len(), 250);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
#[must_use = "a builder does nothing until `start` is called"]
pub struct SandboxBuilder {
    users: usize,
    latency: Duration,
    records_requests: bool,
    pub(crate) quirks: Quirks,
    pub(crate) standard: Settings,
    hook: Option<Arc<Hook>>,
}

impl Default for SandboxBuilder {
    fn default() -> Self {
        Self {
            users: 0,
            latency: Duration::ZERO,
            records_requests: true,
            quirks: Quirks::default(),
            standard: Settings::default(),
            hook: None,
        }
    }
}

impl SandboxBuilder {
    /// Starts with `n` users; the default is none.
    ///
    /// They are active, in order, and named `user0001@example.com`, `user0002@example.com` and
    /// so on, with a `name`, a `displayName`, an email and an `externalId` (`ext-0001` …). Their
    /// ids are random.
    pub fn users(mut self, n: usize) -> Self {
        self.users = n;
        self
    }

    /// Waits this long before each answer; the default is not at all.
    ///
    /// The request is carried out before the wait, so one that a client gives up on was still
    /// applied.
    pub fn latency(mut self, latency: Duration) -> Self {
        self.latency = latency;
        self
    }

    /// Whether [`Sandbox::requests`] has what was received; the default is `true`.
    ///
    /// The record grows without bound: turn it off for a benchmark.
    pub fn record_requests(mut self, record: bool) -> Self {
        self.records_requests = record;
        self
    }

    /// Answers in the server's place where `respond` returns `Some`.
    ///
    /// It sees every request first, after it is recorded and before credentials are looked at,
    /// and may answer with anything: an HTML page, a redirect, a 503 with `Retry-After`. It runs
    /// on the server's only thread, so nothing else is answered until it returns. If it panics,
    /// the connection is dropped without an answer. A second hook replaces the first.
    ///
    /// ```
    /// use wats_scim_sandbox::Sandbox;
    ///
    /// let sandbox = Sandbox::builder()
    ///     .respond_with(|request| {
    ///         let is_delete = request.method() == http::Method::DELETE;
    ///         is_delete.then(|| {
    ///             let mut response = http::Response::new(b"<h1>Maintenance</h1>".to_vec());
    ///             *response.status_mut() = http::StatusCode::SERVICE_UNAVAILABLE;
    ///             response
    ///         })
    ///     })
    ///     .start()?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn respond_with<F>(mut self, respond: F) -> Self
    where
        F: Fn(&Request<Vec<u8>>) -> Option<Response<Vec<u8>>> + Send + Sync + 'static,
    {
        self.hook = Some(Arc::new(respond));
        self
    }

    /// Serves a bare RFC 7644 base, `/scim/v2`, in place of `/api/SCIM/v2`.
    ///
    /// It has neither the Token route nor the by-name route of WATS, so a user is found by name
    /// only through a filter. The rules of PATCH stay those of WATS.
    pub fn standard_path(mut self) -> Self {
        self.quirks.base = Base::Standard;
        self
    }

    /// Never puts more than `n` users on a page, whatever `count` asks for.
    ///
    /// RFC 7644 §3.4.2.4 allows it. The default is no cap.
    pub fn page_cap(mut self, n: usize) -> Self {
        self.quirks.page_cap = Some(n);
        self
    }

    /// Leaves `totalResults` out of lists.
    pub fn omit_total(mut self) -> Self {
        self.quirks.total = Total::Omitted;
        self
    }

    /// Says in `totalResults` how many users the page has, not how many match.
    pub fn total_is_page_size(mut self) -> Self {
        self.quirks.total = Total::PageSize;
        self
    }

    /// Answers every list with its first page, and with `startIndex` 1.
    pub fn ignore_start_index(mut self) -> Self {
        self.quirks.ignore_start_index = true;
        self
    }

    /// Answers a `startIndex` past the end with the last page again.
    ///
    /// The answer repeats the `startIndex` that was asked for.
    pub fn repeat_last_page(mut self) -> Self {
        self.quirks.past_end = PastEnd::LastPage;
        self
    }

    /// Answers a `startIndex` past the end with every user, whatever `count` asks for.
    ///
    /// The answer repeats the `startIndex` that was asked for; a [`page_cap`](Self::page_cap)
    /// still holds.
    pub fn everything_past_end(mut self) -> Self {
        self.quirks.past_end = PastEnd::Everything;
        self
    }

    /// Answers exactly this `startIndex` with an empty page, though `totalResults` promises more.
    pub fn empty_page_at(mut self, start_index: usize) -> Self {
        self.quirks.empty_page_at = Some(start_index);
        self
    }

    /// Answers a PATCH with 204 and no body (RFC 7644 §3.5.2 allows it), not with the user.
    pub fn patch_answers_204(mut self) -> Self {
        self.quirks.patch_answers_204 = true;
        self
    }

    /// Answers a create with 200, no body and no `Location`.
    ///
    /// The user is created. WATS documents status 200 with an untyped body for a create.
    pub fn create_answers_empty(mut self) -> Self {
        self.quirks.create_answers_empty = true;
        self
    }

    /// Starts the server; it answers by the time this returns.
    ///
    /// # Errors
    ///
    /// If no loopback port can be bound, or no thread or runtime started.
    pub fn start(self) -> io::Result<Sandbox> {
        let (listener, address) = server::bind()?;
        let base_url = format!("http://{address}");
        let scim_url = format!("{base_url}{}", self.quirks.base.path());
        let mut directory = Directory::new(format!("{scim_url}/Users"));
        let account = Account::random();
        let mut standard = None;
        if self.standard.is_on {
            let quirks = self.quirks.clone();
            standard = Some(Mutex::new(Standard::new(&scim_url, account.clone(), quirks, self.standard, self.users)));
        } else {
            directory.seed(self.users);
        }
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                directory,
                gate: Gate::new(account.clone(), base_url.as_str()),
                quirks: self.quirks,
            }),
            standard,
            log: Mutex::new(Log::default()),
            connections: AtomicUsize::new(0),
            records_requests: self.records_requests,
            latency: self.latency,
            hook: self.hook,
        });
        let server = Server::spawn(listener, Arc::clone(&shared))?;
        Ok(Sandbox { base_url, scim_url, account, shared, _server: server })
    }
}

impl fmt::Debug for SandboxBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SandboxBuilder")
            .field("users", &self.users)
            .field("latency", &self.latency)
            .field("records_requests", &self.records_requests)
            .field("quirks", &self.quirks)
            .field("standard", &self.standard)
            .field("has_hook", &self.hook.is_some())
            .finish()
    }
}
