//! The requests of an apply: how many a changed user or group takes, where resources have versions, in bulk requests,
//! and on WATS.

mod support;

use std::time::Instant;

use serde_json::{Value, json};
use support::figures::{Goal, show};
use support::{Result, full_or_short};
use wats_scim::blocking::ScimClient;
use wats_scim::plan::{Current, Desired, DesiredGroup, Ours, Policy, Reference, Source};
use wats_scim::{Credentials, Profile, ScimConfig, ScimUser, ScimUserName};
use wats_scim_sandbox::{Sandbox, StandardSandbox};

/// One user in so many changes.
const ONE_IN: usize = 100;

fn main() -> Result<()> {
    let users = full_or_short(100_000, 1_000);
    let groups = users / 50;
    let held = (0..groups).map(|number| group(number, users));
    let server = StandardSandbox::builder().with_users((0..users).map(user)).with_groups(held).start()?;
    let config = ScimConfig::new(server.scim_url(), Credentials::wats_token(server.token()));
    let client = ScimClient::with_config(&config)?.discover()?;
    let began = Instant::now();
    let current = client.current_directory()?;
    println!("  {users} users and {groups} groups read in {:.2} s", began.elapsed().as_secs_f64());
    let wanted = (0..groups).map(|number| desired_group(number, users)).collect();
    let source = Desired::of_users((0..users).map(desired).collect()).with_groups(wanted);
    // Each group gets one member and loses another.
    measure("versions", &Goal::AtMost(1.05), &client, (&current, &source, users / ONE_IN + 2 * groups), || {
        let requests = server.requests().len();
        server.clear_requests();
        requests
    })?;

    let server = StandardSandbox::builder().with_users((0..users).map(user)).start()?;
    let config = ScimConfig::new(server.scim_url(), Credentials::wats_token(server.token()));
    let config = config.profile(Profile::standard().allow_versions_in_bulk());
    let client = ScimClient::with_config(&config)?.discover()?;
    let (current, source): (_, Vec<_>) = (client.current_users()?, (0..users).map(desired).collect());
    measure("bulk", &Goal::AtMost(0.1), &client, (&current, &source, users / ONE_IN), || {
        let requests = server.requests().len();
        server.clear_requests();
        requests
    })?;

    let server = Sandbox::builder().with_users((0..users).map(user)).start()?;
    let config = ScimConfig::new(server.base_url(), Credentials::wats_token(server.token()));
    let client = ScimClient::with_config(&config)?;
    let (current, source): (_, Vec<_>) = (client.current_users()?, (0..users).map(desired).collect());
    measure("wats", &Goal::AtMost(2.05), &client, (&current, &source, users / ONE_IN), || {
        let requests = server.requests().len();
        server.clear_requests();
        requests
    })
}

/// Shows the requests for each change, as the server has received them since they were counted last.
fn measure<S: Source>(
    name: &str,
    goal: &Goal,
    client: &ScimClient,
    (current, source, changes): (&Current, &S, usize),
    received: impl Fn() -> usize,
) -> Result<()> {
    let policy = Policy::new(client.profile()).ours(Ours::Everybody).max_deactivations(usize::MAX);
    let policy = policy.max_members_added(usize::MAX).max_members_removed(usize::MAX);
    let began = Instant::now();
    let plan = policy.plan(current, source)?;
    let planned = began.elapsed();
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
    println!("  planned in {:.2} s, {changes} changes in {:.2} s", planned.as_secs_f64(), took.as_secs_f64());
    Ok(())
}

fn user_name(number: usize) -> String {
    format!("user{number:07}@example.com")
}

fn user(number: usize) -> Value {
    json!({ "id": id(number), "userName": user_name(number), "active": true, "name": { "givenName": "Jane", "familyName": "Doe" } })
}

/// The members of a group: 100, of which some are in other groups, too.
fn members(number: usize, users: usize) -> impl Iterator<Item = usize> {
    (0..100.min(users / 2)).map(move |at| (number * 41 + at * 7) % users)
}

fn group(number: usize, users: usize) -> Value {
    let members: Vec<_> = members(number, users).map(|member| json!({ "value": id(member) })).collect();
    json!({ "displayName": group_name(number), "externalId": group_name(number), "members": members })
}

fn desired_group(number: usize, users: usize) -> DesiredGroup {
    let new = (number * 41 + 701) % users;
    let members = members(number, users).skip(1).chain([new]).map(|member| Reference::user_name(user_name(member)));
    DesiredGroup::new(group_name(number)).with_external_id(group_name(number)).with_members(members)
}

fn group_name(number: usize) -> String {
    format!("Group {number}")
}

fn id(number: usize) -> String {
    format!("id-{number}")
}

/// Of the users that change, every second one has another name, and the others are inactive.
fn desired(number: usize) -> ScimUser {
    let is_renamed = number % (2 * ONE_IN) == 3;
    let is_inactive = number % (2 * ONE_IN) == 3 + ONE_IN;
    let name = ScimUserName::new("Jane", if is_renamed { "Roe" } else { "Doe" });
    ScimUser::new(user_name(number)).with_name(name).with_active(!is_inactive)
}
