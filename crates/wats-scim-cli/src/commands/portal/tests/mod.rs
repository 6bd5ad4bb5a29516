//! The portal as browsers use it, over a server of its own.

mod browser;
mod changes;
mod hostile;
mod pages;
mod refusals;
mod serving;
mod signing_in;

use std::sync::{Arc, Mutex};

use axum::http::HeaderName;
use wats_scim::audit::{Event, Trail};
use wats_scim::blocking::ScimClient;
use wats_scim::{Credentials, ScimConfig};
use wats_scim_sandbox::Sandbox;

use self::browser::Browser;
use super::door::Door;
use super::guard::Guard;
use super::router::{Portal, router};
use super::site::Site;

const HOST: &str = "127.0.0.1:3000";
const ORIGIN: &str = "http://127.0.0.1:3000";
const USER_HEADER: &str = "x-user";

/// What is on the trail.
type Events = Arc<Mutex<Vec<Event>>>;

fn guard() -> Guard {
    Guard::new(Site::at(HOST.parse().unwrap()), Vec::new())
}

/// Ann's browser, behind a proxy that names her.
fn browser(config: ScimConfig, guard: Guard) -> (Browser, Events) {
    let door = Door::Header(HeaderName::from_static(USER_HEADER));
    let (portal, events) = portal(config, door);
    let mut browser = Browser::of(router(portal, guard));
    browser.always.push((USER_HEADER, "ann".to_owned()));
    (browser, events)
}

fn portal(config: ScimConfig, door: Door) -> (Portal, Events) {
    let events = Events::default();
    let written = Arc::clone(&events);
    let trail = Trail::to(move |event: &Event| written.lock().unwrap().push(event.clone()));
    let client = ScimClient::with_config(&config.audit(trail)).unwrap();
    (Portal::new(client, door).unwrap(), events)
}

fn config(sandbox: &Sandbox) -> ScimConfig {
    ScimConfig::new(sandbox.base_url(), Credentials::wats_token(sandbox.token()))
}

fn with_users(users: usize) -> (Browser, Sandbox) {
    let sandbox = Sandbox::builder().users(users).start().unwrap();
    (browser(config(&sandbox), guard()).0, sandbox)
}
