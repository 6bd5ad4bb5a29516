//! The suite with the blocking API, and tests of threads and `Iterator`.

use core::prelude::v1::test;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use http::{Request, Response};
use maybe_async::must_be_sync as maybe_async;
use wats_scim::blocking as api;
use wats_scim::transport::TransportError;

mod interop;
mod suite;

use api::{HttpClient, ScimClient, Ureq as Transport};
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
    move |request| Ok(answer(request))
}

/// A `TokenProvider` that is a closure.
fn providing(
    token: impl Fn() -> wats_scim::Result<wats_scim::AccessToken> + Send + Sync + 'static,
) -> impl api::TokenProvider {
    token
}

/// An `HttpClient` that never connects.
fn unreachable_host() -> impl HttpClient {
    |_| Err(TransportError::from(io::Error::from(io::ErrorKind::ConnectionRefused)))
}

/// An `HttpClient` whose connection breaks while `breaks` returns `true`.
fn breaking(breaks: impl Fn() -> bool + Send + Sync + 'static) -> impl HttpClient {
    move |_| {
        if breaks() {
            return Err(TransportError::from(io::Error::from(io::ErrorKind::ConnectionReset)));
        }
        Ok(suite::answer(200, "application/json", r#"{"id":"1"}"#))
    }
}

#[test]
fn an_iterator_of_users_ends_after_an_error() {
    let sandbox = Sandbox::builder().users(7).start().unwrap();
    let names: Vec<_> = client(&sandbox).iter_users().page_size(3).map(|user| user.unwrap().user_name).collect();
    assert_eq!(names.len(), 7);

    let sandbox = Sandbox::builder().users(7).ignore_start_index().start().unwrap();
    let results: Vec<_> = client(&sandbox).iter_users().page_size(3).collect();
    assert!(results.last().unwrap().is_err());
    assert_eq!(results.iter().filter(|user| user.is_err()).count(), 1);
}

#[test]
fn one_client_serves_eight_threads() {
    let sandbox = Sandbox::builder().users(10).record_requests(false).start().unwrap();
    let client: ScimClient = client(&sandbox);
    let served: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                let client = client.clone();
                scope.spawn(move || {
                    (0..250).filter(|_| client.get_user_by_username("user0001@example.com").unwrap().is_some()).count()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(served, 2_000);
    assert!(sandbox.connections() <= 8, "{} connections", sandbox.connections());
}

#[test]
fn a_request_waits_for_a_renewal_until_its_deadline() {
    let scim = suite::tokens::Servers::default();
    let retry = suite::quick().deadline(100 * suite::MS);
    let config = suite::tokens::config(wats_scim::Credentials::none()).retry(retry);
    let client = api::ScimService::with_http_client(&config, answering(move |request| scim.answer(request))).unwrap();
    let (begun, is_begun) = std::sync::mpsc::channel();
    let (end, is_ended) = std::sync::mpsc::channel::<()>();
    let is_ended = std::sync::Mutex::new(is_ended);
    let client = client.with_token_provider(move || {
        begun.send(()).unwrap();
        let _ = is_ended.lock().unwrap().recv();
        Ok(wats_scim::AccessToken::new("late"))
    });
    std::thread::scope(|scope| {
        scope.spawn(|| client.get_user("1"));
        is_begun.recv().unwrap();
        let error = client.delete_user("1").unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (wats_scim::ErrorKind::Timeout, 0));
        assert_eq!(error.write_outcome(), Some(wats_scim::WriteOutcome::NotApplied));
        assert!(error.to_string().contains("RetryPolicy::deadline"), "{error}");
        drop(end);
    });
}

#[test]
fn threads_share_a_renewal_and_one_that_panics_leaves_it_to_another() {
    let servers = suite::tokens::Servers::default();
    let (source, begun) = (servers.clone(), std::sync::Arc::new(std::sync::Barrier::new(8)));
    let is_first = std::sync::atomic::AtomicBool::new(true);
    let provider = move || {
        assert!(!is_first.swap(false, std::sync::atomic::Ordering::Relaxed), "on purpose");
        Ok(source.token())
    };
    let scim = servers.clone();
    let config = suite::tokens::config(wats_scim::Credentials::none());
    let transport = answering(move |request| scim.answer(request));
    let client = api::ScimService::with_http_client(&config, transport).unwrap().with_token_provider(provider);
    let results: Vec<_> = std::thread::scope(|scope| {
        let get = || {
            begun.wait();
            client.get_user("1").is_ok()
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(get)).collect();
        threads.into_iter().map(std::thread::ScopedJoinHandle::join).collect()
    });
    assert_eq!(results.iter().filter(|result| matches!(result, Ok(true))).count(), 7);
    assert_eq!(servers.state().issued, 1);
}

#[test]
fn an_agent_of_ones_own_follows_no_redirects() {
    let sandbox = suite::redirecting();
    let config = suite::config(&sandbox);
    let transport = Transport::over(ureq::Agent::new_with_defaults(), &config).unwrap();
    let client = api::ScimService::with_http_client(&config, transport).unwrap();
    let error = client.delete_user("1").unwrap_err();
    assert_eq!(error.kind(), wats_scim::ErrorKind::Redirect, "{error:?}");
    assert_eq!(sandbox.requests().len(), 1);

    let slow = Sandbox::builder().latency(std::time::Duration::from_secs(5)).start().unwrap();
    let config = suite::config(&slow).timeout(100 * suite::MS).retry(wats_scim::RetryPolicy::none());
    let transport = Transport::over(ureq::Agent::new_with_defaults(), &config).unwrap();
    let client = api::ScimService::with_http_client(&config, transport).unwrap();
    assert_eq!(client.get_user("1").unwrap_err().kind(), wats_scim::ErrorKind::Timeout);
}

#[test]
fn too_large_headers_are_named_as_the_cause() {
    let base_url = suite::transports::server(|stream| {
        let long = "x".repeat(40_000);
        std::io::Write::write_all(stream, format!("HTTP/1.1 200 OK\r\nx-long: {long}\r\n\r\n").as_bytes())
    });
    let client = ScimClient::with_config(&suite::transports::config(&base_url)).unwrap();
    let error = client.get_user("1").unwrap_err();
    assert!(format!("{error:?}").contains("header is too big"), "{error:?}");
}

#[test]
fn a_write_that_panics_is_unknown() {
    let (sandbox, events) = (Sandbox::start().unwrap(), suite::audit::Events::default());
    let config = suite::config(&sandbox).audit(events.audit());
    let panics = |_: Request<Vec<u8>>| -> Result<Response<Vec<u8>>, TransportError> { panic!("on purpose") };
    let service = api::ScimService::with_http_client(&config, panics).unwrap();
    assert!(catch_unwind(AssertUnwindSafe(|| service.delete_user("1"))).is_err());
    assert_eq!(events.recorded(), ["delete user Begun 0", "delete user Unknown 1"]);
}

const _: () = {
    const fn is_shared<T: Send + Sync + Clone + std::fmt::Debug + 'static>() {}
    const fn is_sent<T: Send>() {}
    is_shared::<ScimClient>();
    is_shared::<Transport>();
    is_shared::<wats_scim::plan::Journal>();
    is_sent::<api::ScimListing<api::HttpScimRepository<Transport>, wats_scim::ScimUser>>();
    is_sent::<api::ScimBatch<api::HttpScimRepository<Transport>, wats_scim::ScimUser>>();
    is_sent::<api::ScimApply<api::HttpScimRepository<Transport>>>();
};

#[test]
fn a_listing_continues_after_a_panic_in_its_callback() {
    let sandbox = Sandbox::builder().users(30).start().unwrap();
    let mut is_first = true;
    let mut users = client(&sandbox).iter_users().page_size(10).on_page(move |_| {
        assert!(!std::mem::take(&mut is_first), "the callback panics once");
    });
    assert!(catch_unwind(AssertUnwindSafe(|| users.try_next())).is_err());
    let users = users.collect::<Result<Vec<_>, _>>().unwrap();
    assert_eq!(users.len(), 30);
    assert_eq!(users.iter().map(|user| &user.id).collect::<std::collections::HashSet<_>>().len(), 30);
}

#[cfg(feature = "tracing")]
#[test]
fn the_writes_of_a_batch_are_in_the_span_of_the_caller() {
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::registry::{LookupSpan, Registry};

    suite::traces::listen();
    let seen: Arc<Mutex<Vec<Option<Vec<&str>>>>> = Arc::default();
    let spans = Arc::clone(&seen);
    let transport = move |_: http::Request<Vec<u8>>| {
        let around = tracing::Span::current().with_subscriber(|(id, subscriber)| {
            let span = LookupSpan::span(subscriber.downcast_ref::<Registry>()?, id)?;
            Some(span.scope().from_root().map(|span| span.name()).collect())
        });
        spans.lock().unwrap().push(around.flatten());
        Err::<http::Response<Vec<u8>>, _>(wats_scim::transport::TransportError::not_connected("unplugged"))
    };
    let config = wats_scim::ScimConfig::new("https://acme.wats.com", wats_scim::Credentials::wats_token("dTpw"))
        .retry(wats_scim::RetryPolicy::none());
    let client = api::ScimService::with_http_client(&config, transport).unwrap();
    let users = (0..20).map(|number| wats_scim::ScimUser::new(format!("user{number}")));
    tracing::info_span!("import").in_scope(|| client.create_users(users).in_flight(4).run());
    let expected = Some(vec!["import", "scim batch", "scim", "request"]);
    assert_eq!(*seen.lock().unwrap(), vec![expected; 20]);
}
