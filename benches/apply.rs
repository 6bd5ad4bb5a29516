//! The requests of an apply: how many a changed user takes, where users have versions, and on WATS.

mod support;

use std::time::Instant;

use serde_json::{Value, json};
use support::figures::{Goal, show};
use support::{Result, full_or_short};
use wats_scim::blocking::ScimClient;
use wats_scim::plan::{Ours, Policy};
use wats_scim::{Credentials, ScimConfig, ScimUser, ScimUserName};
use wats_scim_sandbox::{Sandbox, StandardSandbox};

/// One user in so many changes.
const ONE_IN: usize = 100;

fn main() -> Result<()> {
    let users = full_or_short(100_000, 1_000);
    let server = StandardSandbox::builder().with_users((0..users).map(user)).start()?;
    let config = ScimConfig::new(server.scim_url(), Credentials::wats_token(server.token()));
    let client = ScimClient::with_config(&config)?.discover()?;
    measure("versions", &Goal::AtMost(1.05), &client, users, || {
        let requests = server.requests().len();
        server.clear_requests();
        requests
    })?;

    let server = Sandbox::builder().with_users((0..users).map(user)).start()?;
    let config = ScimConfig::new(server.base_url(), Credentials::wats_token(server.token()));
    let client = ScimClient::with_config(&config)?;
    measure("wats", &Goal::AtMost(2.05), &client, users, || {
        let requests = server.requests().len();
        server.clear_requests();
        requests
    })
}

/// Shows the requests for each change, as the server has received them since they were counted last.
fn measure(name: &str, goal: &Goal, client: &ScimClient, users: usize, received: impl Fn() -> usize) -> Result<()> {
    let current = client.current_users()?;
    let desired: Vec<_> = (0..users).map(desired).collect();
    let changes = users / ONE_IN;
    let policy = Policy::new(client.profile()).ours(Ours::Everybody).max_deactivations(users);
    let plan = policy.plan(&current, &desired)?;
    if plan.steps.len() != changes {
        return Err(format!("the plan has {} steps, and not {changes}", plan.steps.len()).into());
    }
    received();
    let began = Instant::now();
    let report = client.apply(plan).in_flight(16).run()?;
    let took = began.elapsed();
    if !report.is_complete() {
        return Err(report.to_string().into());
    }
    let (requests, steps) = (u32::try_from(received())?, u32::try_from(changes)?);
    show(&format!("apply.requests_per_change.{name}"), f64::from(requests) / f64::from(steps), goal);
    println!("  {users} users, {changes} changes in {:.2} s", took.as_secs_f64());
    Ok(())
}

fn user_name(number: usize) -> String {
    format!("user{number:07}@example.com")
}

fn user(number: usize) -> Value {
    json!({ "userName": user_name(number), "active": true, "name": { "givenName": "Jane", "familyName": "Doe" } })
}

/// Of the users that change, every second one has another name, and the others are inactive.
fn desired(number: usize) -> ScimUser {
    let is_renamed = number % (2 * ONE_IN) == 3;
    let is_inactive = number % (2 * ONE_IN) == 3 + ONE_IN;
    let name = ScimUserName::new("Jane", if is_renamed { "Roe" } else { "Doe" });
    ScimUser::new(user_name(number)).with_name(name).with_active(!is_inactive)
}
