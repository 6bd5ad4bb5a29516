//! Batches of writes.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use wats_scim::{Credentials, ErrorKind, Progress, ScimConfig, ScimPatchRequest, ScimUser, ScimWrite};
use wats_scim_sandbox::{Fault, FaultProxy, FaultRule, Sandbox};

use super::{MS, answer, client, received};
use crate::{ScimClient, maybe_async, test};

fn users(count: usize) -> impl Iterator<Item = ScimUser> + Send + 'static {
    (0..count).map(|n| ScimUser::new(format!("new{n:03}@example.com")))
}

#[maybe_async]
#[test]
async fn results_are_returned_in_order_with_their_writes() {
    let sandbox = Sandbox::start().unwrap();
    let client = client(&sandbox);
    let items = client.create_users(users(100)).in_flight(16).run().await;
    let mut ids = Vec::new();
    for (n, item) in items.into_iter().enumerate() {
        let user = item.result.unwrap().unwrap();
        assert_eq!(user.user_name.as_deref(), Some(format!("new{n:03}@example.com").as_str()));
        assert_eq!(item.write, ScimWrite::create(ScimUser::new(format!("new{n:03}@example.com"))));
        ids.push(user.id.unwrap());
    }
    assert!(sandbox.connections() <= 16, "{} connections", sandbox.connections());

    let patches = ids.clone().into_iter().map(|id| (id, ScimPatchRequest::new().replace("givenName", "J")));
    let items = client.update_users(patches).run().await;
    assert!(items.iter().all(|item| item.result.is_ok()));
    client.deactivate_users(ids.clone()).run().await;
    assert!(sandbox.users().iter().all(|user| user["active"] == false && user["name"]["givenName"] == "J"));
    client.activate_users(ids.clone()).run().await;
    assert!(sandbox.users().iter().all(|user| user["active"] == true));
    client.delete_users(ids).run().await;
    assert_eq!(sandbox.users().len(), 0);
}

#[maybe_async]
#[test]
async fn a_failed_write_does_not_stop_the_others() {
    let sandbox = Sandbox::start().unwrap();
    let progress = Arc::new(Mutex::new(Vec::<Progress>::new()));
    let recorder = Arc::clone(&progress);
    let writes = [
        ScimWrite::create(ScimUser::new("jane@example.com")),
        ScimWrite::create(ScimUser::default()),
        ScimWrite::delete("missing"),
        ScimWrite::create(ScimUser::new("joe@example.com")),
    ];
    let batch = client(&sandbox).write_users(writes).in_flight(1);
    let items = batch.on_progress(move |progress| recorder.lock().unwrap().push(progress)).run().await;
    let kinds: Vec<_> = items.iter().map(|item| item.result.as_ref().err().map(wats_scim::Error::kind)).collect();
    assert_eq!(kinds, [None, Some(ErrorKind::InvalidInput), Some(ErrorKind::NotFound), None]);
    let progress: Vec<_> = progress.lock().unwrap().iter().map(|at| (at.done, at.failed, at.total)).collect();
    assert_eq!(progress, [(1, 0, Some(4)), (2, 1, Some(4)), (3, 2, Some(4)), (4, 2, Some(4))]);
}

#[maybe_async]
#[test]
async fn a_batch_can_stop_after_failures() {
    for (failures, in_flight, sent) in [(1, 1, 1), (3, 1, 3), (1, 4, 4)] {
        let sandbox = super::always(403, "application/json", "{}");
        let client = client(&sandbox);
        let mut batch = client.create_users(users(50)).in_flight(in_flight).stop_after(failures);
        let mut results = 0;
        while batch.next().await.is_some() {
            results += 1;
        }
        assert!(batch.is_stopped());
        assert_eq!((results, received(&sandbox).len()), (sent, sent), "{failures} failures, {in_flight} in flight");
    }
}

#[maybe_async]
#[test]
async fn a_batch_is_lazy() {
    let sandbox = Sandbox::start().unwrap();
    let taken = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&taken);
    let watched = users(50).inspect(move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
    });
    let client = client(&sandbox);
    let mut batch = client.create_users(watched).in_flight(4);
    assert_eq!((taken.load(Ordering::SeqCst), received(&sandbox).len()), (0, 0));
    batch.next().await.unwrap().result.unwrap();
    // Each write that ended before the first one started another.
    let taken = taken.load(Ordering::SeqCst);
    assert!(taken >= 4);
    drop(batch);
    assert!(received(&sandbox).len() <= taken);
}

#[maybe_async]
#[test]
async fn a_throttled_write_pauses_the_whole_batch() {
    let first = Mutex::new(None::<Instant>);
    let early = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&early);
    let sandbox = Sandbox::builder()
        .latency(5 * MS)
        .respond_with(move |_| {
            let mut first = first.lock().unwrap();
            match *first {
                None => {
                    *first = Some(Instant::now());
                    let mut answer = answer(429, "text/plain", "later");
                    answer.headers_mut().insert("retry-after", http::HeaderValue::from_static("1"));
                    return Some(answer);
                }
                // Requests in flight may still arrive.
                Some(at) if (50 * MS..900 * MS).contains(&at.elapsed()) => {
                    counter.fetch_add(1, Ordering::SeqCst);
                }
                Some(_) => {}
            }
            None
        })
        .start()
        .unwrap();
    let started = Instant::now();
    let items = client(&sandbox).create_users(users(40)).in_flight(4).run().await;
    assert!(items.iter().all(|item| item.result.is_ok()));
    assert_eq!(early.load(Ordering::SeqCst), 0, "no request is sent while the server asks to wait");
    assert!(started.elapsed() >= Duration::from_secs(1));
}

#[maybe_async]
#[test]
async fn a_thousand_calls_share_sixty_four_connections() {
    let sandbox = Sandbox::builder().latency(2 * MS).record_requests(false).start().unwrap();
    let items = client(&sandbox).create_users(users(1000)).in_flight(64).run().await;
    assert!(items.iter().all(|item| item.result.is_ok()));
    assert!(sandbox.connections() <= 64, "{} connections", sandbox.connections());
}

/// Increasing stalls: the next one is used if a busy machine did too little during the previous
/// one.
pub(super) const STALLS: [Duration; 3] = [Duration::from_millis(300), Duration::from_secs(2), Duration::from_secs(10)];

/// The number of users deactivated before the first of 40, a stalled one, has its result.
#[maybe_async]
async fn deactivated_meanwhile(stall: Duration, buffer: Option<usize>) -> usize {
    let sandbox = Sandbox::builder().users(40).start().unwrap();
    let proxy = FaultProxy::before(sandbox.base_url()).unwrap();
    let config = ScimConfig::new(proxy.base_url(), Credentials::wats_token(sandbox.token())).retry(super::quick());
    let client = ScimClient::with_config(&config).unwrap();
    let ids: Vec<String> = sandbox.users().iter().map(|user| user["id"].as_str().unwrap().to_owned()).collect();
    proxy.add_rule(FaultRule::new(Fault::Stall(stall)).on_path(ids[0].clone()).times(1));
    let mut batch = client.deactivate_users(ids).in_flight(4);
    if let Some(buffer) = buffer {
        batch = batch.buffer(buffer);
    }
    batch.next().await.unwrap().result.unwrap();
    sandbox.users().iter().filter(|user| user["active"] == false).count()
}

#[maybe_async]
#[test]
async fn a_slow_write_does_not_delay_others() {
    let mut done = 0;
    for stall in STALLS {
        if done <= 35 {
            done = deactivated_meanwhile(stall, None).await;
        }
    }
    assert!(done > 35, "{done} of 40");
}

#[maybe_async]
#[test]
async fn the_buffer_limits_the_waiting_results() {
    for (buffer, most) in [(0, 4), (5, 9)] {
        let done = deactivated_meanwhile(MS * 300, Some(buffer)).await;
        assert!(done <= most, "{done} with a buffer of {buffer}");
    }
}
