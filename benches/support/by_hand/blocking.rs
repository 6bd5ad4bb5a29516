//! The version by hand with ureq.

use std::io::Read;
use std::panic::resume_unwind;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{Response, StatusCode};
use ureq::{Agent, Body, RequestBuilder};

use super::sync::{Change, changes};
use super::{ACCEPT_SCIM, AGENT, MOST_BYTES, PAGE, PlainPage, PlainPatch, PlainUser, SCIM_JSON, Target, decoded, rest};
use crate::support::Result;

pub(crate) struct ByHand {
    agent: Agent,
    target: Target,
}

impl ByHand {
    pub(crate) fn new(base: &str) -> Result<Self> {
        let timeout = Some(Duration::from_secs(30));
        // A timeout for each phase of a call: with a global one, ureq starts a thread for each
        // request to look up the server's name.
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .timeout_connect(Some(Duration::from_secs(10)))
            .timeout_send_request(timeout)
            .timeout_send_body(timeout)
            .timeout_recv_response(timeout)
            .timeout_recv_body(timeout)
            .max_idle_connections(256)
            .max_idle_connections_per_host(256)
            .build()
            .new_agent();
        Ok(Self { agent, target: Target::new(base)? })
    }

    pub(crate) fn get_user(&self, id: &str) -> Result<Option<PlainUser>> {
        let (status, body) = read(self.get(&self.target.user(id))?)?;
        if status == StatusCode::NOT_FOUND { Ok(None) } else { decoded(status, &body).map(Some) }
    }

    pub(crate) fn get_users(&self, start: u64, count: u64) -> Result<PlainPage> {
        let (status, body) = read(self.get(&self.target.page(start, count))?)?;
        decoded(status, &body)
    }

    pub(crate) fn create_user(&self, user: &PlainUser) -> Result<PlainUser> {
        let request = self.agent.post(self.target.users()).header(CONTENT_TYPE, SCIM_JSON);
        let (status, body) = read(self.with_headers(request).send(serde_json::to_vec(user)?)?)?;
        decoded(status, &body)
    }

    pub(crate) fn patch_user(&self, id: &str, patch: &PlainPatch) -> Result<PlainUser> {
        let request = self.agent.patch(self.target.user(id)).header(CONTENT_TYPE, SCIM_JSON);
        let (status, body) = read(self.with_headers(request).send(serde_json::to_vec(patch)?)?)?;
        decoded(status, &body)
    }

    /// Reads all users with `in_flight` pages in flight, and passes on each page as it arrives.
    pub(crate) fn list_all(&self, in_flight: usize, mut each: impl FnMut(Vec<PlainUser>) + Send) -> Result<()> {
        let first = self.get_users(1, PAGE)?;
        let rest = rest(&first);
        each(first.resources);
        let each = Mutex::new(each);
        at_once(in_flight, rest, |start| {
            let page = self.get_users(start, PAGE)?;
            locked(&each)(page.resources);
            Ok(())
        })
    }

    /// Creates the users with `in_flight` requests in flight; returns how many were created.
    pub(crate) fn create_all(&self, in_flight: usize, users: impl Iterator<Item = PlainUser> + Send) -> Result<usize> {
        let created = AtomicUsize::new(0);
        at_once(in_flight, users, |user| {
            self.create_user(&user)?;
            created.fetch_add(1, Relaxed);
            Ok(())
        })?;
        Ok(created.into_inner())
    }

    /// Changes the users of the server into the desired ones; returns how many were changed.
    pub(crate) fn sync(&self, in_flight: usize, desired: &[PlainUser]) -> Result<usize> {
        let mut current = Vec::new();
        self.list_all(in_flight, |page| current.extend(page))?;
        let written = AtomicUsize::new(0);
        at_once(in_flight, changes(&current, desired).into_iter(), |change| {
            match change {
                Change::Create(user) => self.create_user(user)?,
                Change::Patch { id, patch } => self.patch_user(id, &patch)?,
            };
            written.fetch_add(1, Relaxed);
            Ok(())
        })?;
        Ok(written.into_inner())
    }

    fn get(&self, url: &str) -> Result<Response<Body>> {
        Ok(self.with_headers(self.agent.get(url)).call()?)
    }

    fn with_headers<B>(&self, request: RequestBuilder<B>) -> RequestBuilder<B> {
        request
            .header(ACCEPT, ACCEPT_SCIM)
            .header(AUTHORIZATION, self.target.authorization.clone())
            .header(USER_AGENT, AGENT)
    }
}

/// Runs the work for each item on several threads, in no order. After a failure, no more items are
/// started.
fn at_once<I: Send>(
    in_flight: usize,
    items: impl Iterator<Item = I> + Send,
    work: impl Fn(I) -> Result<()> + Sync,
) -> Result<()> {
    let items = Mutex::new(items.fuse());
    let has_failed = AtomicBool::new(false);
    let next = || if has_failed.load(Relaxed) { None } else { locked(&items).next() };
    let run = || {
        while let Some(item) = next() {
            work(item).inspect_err(|_| has_failed.store(true, Relaxed))?;
        }
        Ok(())
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..in_flight).map(|_| scope.spawn(run)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)))
    })
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn read(response: Response<Body>) -> Result<(StatusCode, Vec<u8>)> {
    let status = response.status();
    let body = response.into_body();
    let length = body.content_length().unwrap_or(0).min(MOST_BYTES);
    let mut bytes = Vec::with_capacity(usize::try_from(length)?);
    body.into_reader().take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len())? > MOST_BYTES {
        return Err("the answer is too large".into());
    }
    Ok((status, bytes))
}
