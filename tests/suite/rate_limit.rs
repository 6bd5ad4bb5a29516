//! The rate limit.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use wats_scim_sandbox::Sandbox;

use super::config;
use crate::{ScimClient, maybe_async, test};

#[maybe_async]
#[test]
async fn clones_share_a_rate_limit() {
    let sandbox = Sandbox::start().unwrap();
    let five = NonZeroU32::new(5).unwrap();
    let client = ScimClient::with_config(&config(&sandbox).rate_limit(five, Duration::from_secs(1))).unwrap();
    let started = Instant::now();
    for _ in 0..5 {
        client.clone().get_user("1").await.unwrap();
    }
    let burst = started.elapsed();
    client.get_user("1").await.unwrap();
    client.clone().get_user("1").await.unwrap();
    assert!(started.elapsed() >= Duration::from_millis(390), "{:?}", started.elapsed());
    assert!(burst < started.elapsed());
}
