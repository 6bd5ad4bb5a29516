//! The suite with the async API, and tests of tasks and `Stream`.

use std::future::{Future, ready};
use std::io;
use std::panic::AssertUnwindSafe;
use std::task::{Context, Poll, Waker};

use futures_util::stream::pending;
use futures_util::{FutureExt, StreamExt, TryStreamExt};
use http::{Request, Response};
use maybe_async::must_be_async as maybe_async;
use tokio::test;
use wats_scim::asynchronous as api;
use wats_scim::plan::{Journal, Policy};
use wats_scim::transport::TransportError;
use wats_scim::{ScimUser, ScimWrite};

mod interop;
mod suite;

use api::{HttpClient, Reqwest as Transport, ScimClient, ScimRepository};
use suite::client;
use wats_scim_sandbox::Sandbox;

/// The server of the interop suite: here, the sandbox.
fn server() -> interop::Server {
    interop::Server::sandbox()
}

/// An `HttpClient` that answers from a closure.
fn answering(
    answer: impl Fn(Request<Vec<u8>>) -> Response<Vec<u8>> + Send + Sync + Clone + 'static,
) -> impl HttpClient + Clone {
    move |request| ready(Ok(answer(request)))
}

/// A `TokenProvider` that is a closure.
fn providing(
    token: impl Fn() -> wats_scim::Result<wats_scim::AccessToken> + Send + Sync + 'static,
) -> impl api::TokenProvider {
    move || ready(token())
}

/// An `HttpClient` that never connects.
fn unreachable_host() -> impl HttpClient {
    |_| ready(Err(TransportError::from(io::Error::from(io::ErrorKind::ConnectionRefused))))
}

/// An `HttpClient` whose connection breaks while `breaks` returns `true`.
fn breaking(breaks: impl Fn() -> bool + Send + Sync + 'static) -> impl HttpClient {
    move |_| {
        ready(if breaks() {
            Err(TransportError::from(io::Error::from(io::ErrorKind::ConnectionReset)))
        } else {
            Ok(suite::answer(200, "application/json", r#"{"id":"1"}"#))
        })
    }
}

#[test]
async fn a_listing_continues_after_its_future_was_dropped() {
    let sandbox = Sandbox::builder().users(50).start().unwrap();
    for in_flight in [1, 4] {
        let mut users = client(&sandbox).iter_users().page_size(10).in_flight(in_flight);
        let mut ids = Vec::new();
        let mut dropped = 0;
        loop {
            let is_pending = {
                let mut next = std::pin::pin!(users.try_next());
                match next.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                    Poll::Ready(Ok(Some(user))) => {
                        ids.push(user.id);
                        false
                    }
                    Poll::Ready(end) => break assert!(end.unwrap().is_none()),
                    Poll::Pending => true,
                }
            };
            if is_pending {
                dropped += 1;
                let Some(user) = users.try_next().await.unwrap() else { break };
                ids.push(user.id);
            }
        }
        assert!(dropped > 0);
        assert_eq!(ids.len(), 50, "{in_flight} in flight");
        assert_eq!(ids.iter().collect::<std::collections::HashSet<_>>().len(), 50);
    }
}

#[test]
async fn a_listing_continues_after_a_panic_in_its_callback() {
    let sandbox = Sandbox::builder().users(30).start().unwrap();
    let mut is_first = true;
    let mut users = client(&sandbox).iter_users().page_size(10).on_page(move |_| {
        assert!(!std::mem::take(&mut is_first), "the callback panics once");
    });
    assert!(AssertUnwindSafe(users.try_next()).catch_unwind().await.is_err());
    let users: Vec<_> = users.into_stream().try_collect().await.unwrap();
    assert_eq!(users.len(), 30);
    assert_eq!(users.iter().map(|user| &user.id).collect::<std::collections::HashSet<_>>().len(), 30);
}

#[test]
async fn a_slow_source_does_not_delay_writes_in_flight() {
    let sandbox = Sandbox::start().unwrap();
    // A source with one write that then stays pending.
    let source = futures_util::stream::iter([ScimWrite::create(ScimUser::new("jane"))]).chain(pending());
    let mut batch = client(&sandbox).write_users_from(source);
    assert!(batch.next().await.unwrap().result.is_ok());
}

/// The journal of a killed program can stay locked for a moment by a child that it was starting.
/// Only a future that is polled by hand can stop within that moment.
#[test]
async fn an_apply_waits_for_a_briefly_locked_journal() {
    let sandbox = Sandbox::start().unwrap();
    let client = client(&sandbox);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let policy = Policy::new(client.profile()).allow_truncated_source(0);
    let plan = policy.plan(&client.current_users().await.unwrap(), &[ScimUser::new("jane")]).unwrap();
    let child = std::fs::File::create(&path).unwrap();
    child.lock().unwrap();
    let mut apply = std::pin::pin!(client.apply(plan).journal(Journal::at(&path)).run());
    assert!(apply.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    child.unlock().unwrap();
    assert_eq!(apply.await.unwrap().applied, 1);
}

#[test]
async fn a_stream_of_users_ends_after_an_error() {
    let sandbox = Sandbox::builder().users(7).start().unwrap();
    let users: Vec<_> = client(&sandbox).iter_users().page_size(3).into_stream().try_collect().await.unwrap();
    assert_eq!(users.len(), 7);

    let sandbox = Sandbox::builder().users(7).ignore_start_index().start().unwrap();
    let results: Vec<_> = client(&sandbox).iter_users().page_size(3).into_stream().collect().await;
    assert!(results.last().unwrap().is_err());
    assert_eq!(results.iter().filter(|user| user.is_err()).count(), 1);
}

#[test]
async fn a_batch_takes_a_stream_and_returns_one() {
    let sandbox = Sandbox::start().unwrap();
    let names = futures_util::stream::iter(["ann", "bob"]);
    let writes = names.map(|name| wats_scim::ScimWrite::create(ScimUser::new(name)));
    let items: Vec<_> = client(&sandbox).write_users_from(writes).into_stream().collect().await;
    assert!(items.len() == 2 && items.iter().all(|item| item.result.is_ok()));
}

#[test]
async fn a_client_of_ones_own_must_not_follow_redirects() {
    let sandbox = suite::redirecting();
    let config = suite::config(&sandbox).retry(wats_scim::RetryPolicy::none());
    for (policy, kind, requests) in [
        (reqwest::redirect::Policy::none(), wats_scim::ErrorKind::Redirect, 1),
        (reqwest::redirect::Policy::default(), wats_scim::ErrorKind::Connection, 3),
    ] {
        let own =
            reqwest::Client::builder().tls_backend_preconfigured(no_tls()).no_proxy().redirect(policy).build().unwrap();
        let transport = Transport::over(own, &config).unwrap();
        let client = api::ScimService::with_http_client(&config, transport).unwrap();
        let error = client.delete_user("1").await.unwrap_err();
        assert_eq!((error.kind(), sandbox.requests().len()), (kind, requests), "{error:?}");
    }

    let slow = Sandbox::builder().latency(std::time::Duration::from_secs(5)).start().unwrap();
    let config = suite::config(&slow).timeout(100 * suite::MS).retry(wats_scim::RetryPolicy::none());
    let own = reqwest::Client::builder().tls_backend_preconfigured(no_tls()).no_proxy().build().unwrap();
    let transport = Transport::over(own, &config).unwrap();
    let client = api::ScimService::with_http_client(&config, transport).unwrap();
    assert_eq!(client.get_user("1").await.unwrap_err().kind(), wats_scim::ErrorKind::Timeout);
}

/// reqwest is built without a provider of its own.
fn no_tls() -> rustls::ClientConfig {
    rustls::ClientConfig::builder_with_provider(std::sync::Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth()
}

#[test]
async fn a_request_waits_for_a_renewal_until_its_deadline() {
    let scim = suite::tokens::Servers::default();
    let retry = suite::quick().deadline(100 * suite::MS);
    let config = suite::tokens::config(wats_scim::Credentials::none()).retry(retry);
    let client = api::ScimService::with_http_client(&config, answering(move |request| scim.answer(request))).unwrap();
    let client = client.with_token_provider(std::future::pending);
    let mut renewing = Box::pin(client.get_user("1"));
    assert!(renewing.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    let error = client.delete_user("1").await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (wats_scim::ErrorKind::Timeout, 0));
    assert_eq!(error.write_outcome(), Some(wats_scim::WriteOutcome::NotApplied));
    assert!(error.to_string().contains("RetryPolicy::deadline"), "{error}");
}

#[test]
async fn tasks_share_a_renewal_and_a_cancelled_one_is_taken_over() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    let servers = suite::tokens::Servers::default();
    let (is_open, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let (source, gate, count) = (servers.clone(), Arc::clone(&is_open), Arc::clone(&asked));
    let provider = move || {
        count.fetch_add(1, Ordering::Relaxed);
        let (source, gate) = (source.clone(), Arc::clone(&gate));
        std::future::poll_fn(move |cx| {
            if gate.load(Ordering::Relaxed) {
                return Poll::Ready(Ok(source.token()));
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
    };
    let scim = servers.clone();
    let config = suite::tokens::config(wats_scim::Credentials::none());
    let transport = answering(move |request| scim.answer(request));
    let client = api::ScimService::with_http_client(&config, transport).unwrap().with_token_provider(provider);
    let mut renewing = Box::pin(client.get_user("1"));
    assert!(renewing.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    let get = |_| {
        let client = client.clone();
        tokio::spawn(async move { client.get_user("1").await })
    };
    let tasks: Vec<_> = (0..8).map(get).collect();
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    assert_eq!(asked.load(Ordering::Relaxed), 1, "the others wait");
    drop(renewing);
    is_open.store(true, Ordering::Relaxed);
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!((asked.load(Ordering::Relaxed), servers.state().issued), (2, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_client_serves_two_hundred_tasks() {
    let sandbox = Sandbox::builder().users(10).record_requests(false).start().unwrap();
    let client: ScimClient = client(&sandbox);
    let tasks = (0..200).map(|_| {
        let client = client.clone();
        tokio::spawn(async move {
            for _ in 0..10 {
                assert!(client.get_user_by_username("user0001@example.com").await.unwrap().is_some());
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
}

#[test]
async fn a_canceled_write_is_unknown_once_sent() {
    let throttled = |_| {
        let mut answer = suite::answer(429, "text/plain", "later");
        answer.headers_mut().insert("retry-after", http::HeaderValue::from_static("30"));
        ready(Ok(answer))
    };
    let (sandbox, events) = (Sandbox::start().unwrap(), suite::audit::Events::default());
    let config = suite::config(&sandbox).audit(events.audit());
    let service = api::ScimService::with_http_client(&config, throttled).unwrap();
    // The first one was sent and waits for a retry; the second one waits for the throttle.
    assert!(service.delete_user("1").now_or_never().is_none());
    assert!(service.delete_user("2").now_or_never().is_none());
    assert_eq!(
        events.recorded(),
        ["delete user Begun 0", "delete user Unknown 1", "delete user Begun 0", "delete user Refused 0"]
    );
    drop(service.delete_user("3"));
    assert_eq!(events.recorded(), Vec::<String>::new(), "a future that was never polled begins no write");
}

#[test]
async fn a_dropped_batch_ends_its_writes() {
    let sandbox = Sandbox::builder().latency(std::time::Duration::from_secs(60)).start().unwrap();
    let events = suite::audit::Events::default();
    let client = ScimClient::with_config(&suite::config(&sandbox).audit(events.audit())).unwrap();
    let mut batch = client.delete_users((0..9).map(|n| n.to_string())).in_flight(3);
    assert!(batch.next().now_or_never().is_none());
    drop(batch);
    let (begun, unknown) = ("delete user Begun 0", "delete user Unknown 1");
    assert_eq!(events.recorded(), [begun, begun, begun, unknown, unknown, unknown]);
}

/// Spawns a generic function over a repository.
fn spawned<R: ScimRepository + 'static>(repository: R) -> tokio::task::JoinHandle<wats_scim::Result<Option<ScimUser>>> {
    tokio::spawn(async move { repository.get_by_name::<ScimUser>("user0001@example.com").await })
}

#[test]
async fn a_generic_function_over_a_repository_can_be_spawned() {
    let sandbox = Sandbox::builder().users(1).start().unwrap();
    let repository = client(&sandbox).repository().clone();
    assert!(spawned(repository).await.unwrap().unwrap().is_some());
}

const fn is_sent<T: Send>(_: &T) {}

/// Every future and stream is `Send`.
#[allow(dead_code, reason = "checked by the compiler")]
fn futures_are_send(client: &ScimClient, user: &ScimUser) {
    fn sent<T: Future + Send>(_: T) {}
    sent(client.get_token(None));
    sent(client.create_user(user));
    sent(client.get_user("1"));
    sent(client.get_user_by_username("1"));
    sent(client.deactivate_user("1"));
    sent(client.wats().add_user_levels("1", &["a"]));
    sent(client.delete_user("1"));
    let mut pages = client.iter_users();
    sent(pages.try_next());
    is_sent(&client.iter_users().into_stream());
    sent(client.current_users());
    let nothing = || {
        let policy = wats_scim::plan::Policy::new(client.profile()).allow_empty_source(0);
        policy.plan(&wats_scim::plan::Current::complete(Vec::new()), &[]).unwrap()
    };
    sent(client.apply(nothing()).try_next());
    sent(client.apply(nothing()).run());
    sent(client.delete_users(Vec::<String>::new()).next());
}

const _: () = {
    const fn is_shared<T: Send + Sync + Clone + std::fmt::Debug + 'static>() {}
    is_shared::<ScimClient>();
    is_shared::<Transport>();
};

#[cfg(feature = "tracing")]
#[test]
async fn the_span_of_a_cancelled_call_says_so() {
    suite::traces::listen();
    let sandbox = Sandbox::builder().latency(std::time::Duration::from_secs(60)).start().unwrap();
    let client = client(&sandbox);
    let cancelled = tokio::time::timeout(50 * suite::MS, client.get_user("1")).await;
    assert!(cancelled.is_err());
    let log = suite::traces::logged();
    assert!(log.contains("outcome=\"cancelled\""), "{log}");
}

/// A blocking transport that counts its calls, and waits until the gate opens.
#[cfg(feature = "blocking-api")]
mod on_threads {
    use std::panic::AssertUnwindSafe;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, Condvar, Mutex};

    use futures_util::FutureExt;
    use futures_util::future::join_all;
    use http::{Request, Response};
    use tokio::test;
    use wats_scim::transport::TransportError;
    use wats_scim::{Credentials, ErrorKind, RetryPolicy, ScimConfig, blocking};

    use super::api::{HttpClient, OnThreads, ScimService};
    use super::suite;

    #[derive(Default)]
    struct Gate {
        is_open: Mutex<bool>,
        opened: Condvar,
        running: AtomicUsize,
        most: AtomicUsize,
        calls: AtomicUsize,
    }

    impl Gate {
        fn pass(&self) {
            self.calls.fetch_add(1, Ordering::SeqCst);
            let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(running, Ordering::SeqCst);
            let mut is_open = self.is_open.lock().unwrap();
            while !*is_open {
                is_open = self.opened.wait(is_open).unwrap();
            }
            self.running.fetch_sub(1, Ordering::SeqCst);
        }

        fn open(&self) {
            *self.is_open.lock().unwrap() = true;
            self.opened.notify_all();
        }
    }

    fn gated(gate: &Arc<Gate>) -> OnThreads<impl blocking::HttpClient> {
        let gate = Arc::clone(gate);
        OnThreads::new(move |_: Request<Vec<u8>>| -> Result<Response<Vec<u8>>, TransportError> {
            gate.pass();
            Ok(suite::answer(200, "application/json", r#"{"id":"1"}"#))
        })
    }

    fn config() -> ScimConfig {
        ScimConfig::new("https://acme.wats.com", Credentials::wats_token("dTpw")).retry(RetryPolicy::none())
    }

    #[cfg(feature = "blocking")]
    #[::core::prelude::v1::test]
    fn a_blocking_transport_serves_an_executor_without_tokio() {
        let sandbox = wats_scim_sandbox::Sandbox::start().unwrap();
        let config = suite::config(&sandbox);
        let transport = OnThreads::new(blocking::Ureq::new(&config).unwrap());
        let client = ScimService::with_http_client(&config, transport).unwrap();
        smol::block_on(suite::in_memory::life_cycle(&client));
    }

    #[test]
    async fn no_more_threads_than_allowed_run_and_no_request_is_lost() {
        let gate = Arc::new(Gate::default());
        let client = ScimService::with_http_client(&config(), gated(&gate).threads(3)).unwrap();
        let opening = {
            let gate = Arc::clone(&gate);
            std::thread::spawn(move || {
                while gate.calls.load(Ordering::SeqCst) < 3 {
                    std::thread::yield_now();
                }
                gate.open();
            })
        };
        let found = join_all((0..50).map(|_| client.get_user("1"))).await;
        opening.join().unwrap();
        assert!(found.into_iter().all(|user| user.unwrap().is_some()));
        assert_eq!((gate.most.load(Ordering::SeqCst), gate.calls.load(Ordering::SeqCst)), (3, 50));
    }

    #[test]
    async fn a_request_that_is_dropped_before_a_thread_was_free_is_not_sent() {
        let gate = Arc::new(Gate::default());
        let transport = gated(&gate).threads(1);
        let mut first = Box::pin(transport.send(Request::new(Vec::new())));
        assert!(first.as_mut().now_or_never().is_none());
        let second = Box::pin(transport.send(Request::new(Vec::new())));
        assert!(second.now_or_never().is_none(), "it waits for the thread, and is dropped");
        let third = transport.send(Request::new(Vec::new()));
        gate.open();
        assert!(first.await.is_ok() && third.await.is_ok());
        assert_eq!(gate.calls.load(Ordering::SeqCst), 2);
    }

    #[test]
    async fn a_panic_of_a_transport_reaches_the_task_and_leaves_the_thread_to_others() {
        let calls = AtomicUsize::new(0);
        let transport = OnThreads::new(move |_: Request<Vec<u8>>| {
            assert!(calls.fetch_add(1, Ordering::SeqCst) > 0, "on purpose");
            Ok(suite::answer(200, "application/json", r#"{"id":"1"}"#))
        });
        let client = ScimService::with_http_client(&config(), transport.threads(1)).unwrap();
        assert!(AssertUnwindSafe(client.get_user("1")).catch_unwind().await.is_err());
        assert!(client.get_user("1").await.is_ok());
    }

    #[test]
    async fn a_request_for_which_no_thread_is_free_in_time_was_not_sent() {
        let gate = Arc::new(Gate::default());
        let transport = gated(&gate).threads(1);
        let client = ScimService::with_http_client(&config(), transport.clone()).unwrap();
        let mut first = Box::pin(transport.send(Request::new(Vec::new())));
        assert!(first.as_mut().now_or_never().is_none());
        let quick = client.with_timeout(suite::MS);
        let mut late = Box::pin(quick.delete_user("1"));
        assert!(late.as_mut().now_or_never().is_none());
        std::thread::sleep(2 * suite::MS);
        gate.open();
        let error = late.await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connection);
        assert_eq!(error.write_outcome(), Some(wats_scim::WriteOutcome::NotApplied));
        first.await.unwrap();
    }
}

#[test]
async fn a_cancelled_request_is_reported_as_such() {
    let (sender, events) = std::sync::mpsc::channel();
    let config = wats_scim::ScimConfig::new("https://acme.wats.com", wats_scim::Credentials::wats_token("dTpw"))
        .on_request(move |event| sender.send(event.clone()).unwrap());
    let never = |_: Request<Vec<u8>>| std::future::pending::<Result<Response<Vec<u8>>, TransportError>>();
    let client = api::ScimService::with_http_client(&config, never).unwrap();
    assert!(client.get_user("1").now_or_never().is_none());
    let event = events.try_recv().unwrap();
    assert!(event.is_cancelled && event.status.is_none() && event.error.is_none());
    assert!(events.try_recv().is_err(), "once");
}
