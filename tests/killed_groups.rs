//! Applies a plan of 400 users with managers and 100 groups over an unreliable network, users in bulk requests, and
//! kills the process 50 times. In the end the server must have the desired directory without duplicates, and the next plan is empty.

mod kill;
#[path = "suite/random.rs"]
mod random;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use random::Random;
use serde_json::{Value, json};
use wats_scim::plan::{Desired, DesiredGroup, Journal, Policy, Reference};
use wats_scim::{Credentials, Profile, RetryPolicy, ScimConfig, ScimUser, blocking};
use wats_scim_sandbox::{FaultProxy, StandardSandbox};

const USERS: usize = 400;
const GROUPS: usize = 100;
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// The approximate size of the two lines of a step in the journal.
const STEP_BYTES: u64 = 200;

fn main() {
    kill::main("killed groups", &Profile::standard().allow_versions_in_bulk(), kill_and_resume);
}

/// Each user has a manager with a smaller number; each group has 30 members.
fn desired() -> Desired {
    let user = |n: usize| -> ScimUser {
        let manager = (n > 0).then(|| json!({ "externalId": (n / 3).to_string() }));
        let user =
            json!({ "userName": format!("user{n}"), "externalId": n.to_string(), ENTERPRISE: { "manager": manager } });
        serde_json::from_value(user).unwrap()
    };
    let group = |n: usize| {
        let members = (0..30).map(|at| Reference::external_id(((n * 7 + at * 11) % USERS).to_string()));
        DesiredGroup::new(format!("Group {n}")).with_external_id(format!("g{n}")).with_members(members)
    };
    Desired::of_users((0..USERS).map(user).collect()).with_groups((0..GROUPS).map(group).collect())
}

/// Half of the memberships and all names of groups change.
fn policy() -> Policy {
    let policy = Policy::new(&Profile::standard()).max_members_added(4_000).max_members_added_percent(100);
    policy.max_members_removed(4_000).max_members_removed_percent(100)
}

fn kill_and_resume(api: &str, seed: u64) -> u32 {
    let mut random = Random(seed);
    let sandbox = StandardSandbox::builder().bulk_limits(3, 100_000).start().unwrap();
    let proxy = FaultProxy::builder(sandbox.base_url()).seed(seed).with_rule(kill::faults()).start().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let direct = |base_url: &str| {
        let config = ScimConfig::new(base_url, Credentials::wats_token(sandbox.token())).no_proxy();
        let config = config.profile(Profile::standard()).retry(RetryPolicy::none());
        blocking::ScimClient::with_config(&config).unwrap()
    };
    let client = direct(sandbox.base_url());
    // Half of the directory is there, with other members and another manager for each.
    let half = Desired::of_users(desired().users()[..USERS / 2].to_vec()).with_groups(
        (0..GROUPS / 2)
            .map(|n| {
                let members = (0..40).map(|at| Reference::external_id(((n + at) % (USERS / 2)).to_string()));
                DesiredGroup::new(format!("Old {n}")).with_external_id(format!("g{n}")).with_members(members)
            })
            .collect(),
    );
    let first = policy().plan(&client.current_directory().unwrap(), &half).unwrap();
    assert!(client.apply(first).run().unwrap().is_complete());

    let mut plan = policy().plan(&client.current_directory().unwrap(), &desired()).unwrap();
    assert!(plan.conflicts.is_empty(), "{plan}");
    // It is applied through the proxy, which has another address.
    plan.server = None;
    let steps = u64::try_from(plan.steps.len()).unwrap();
    let path = directory.path().join("journal");
    direct("http://127.0.0.1:9")
        .apply(plan.clone())
        .journal(Journal::at(&path))
        .in_flight(1)
        .stop_after(1)
        .run()
        .unwrap();

    let apply = kill::Apply {
        api,
        base_url: proxy.base_url(),
        token: sandbox.token(),
        directory: directory.path(),
        bytes: steps * 9 / 10 * STEP_BYTES,
        // Two groups may have one name, so a late creation is not rejected.
        in_flight: Duration::from_millis(50),
    };
    let runs = kill::until_done(&apply, &mut random);
    let left = policy().plan(&client.current_directory().unwrap(), &desired()).unwrap();
    assert_eq!(left.steps, [], "{left}");
    assert_desired(&sandbox);
    let in_bulk = sandbox.requests().iter().filter(|request| request.target.ends_with("/Bulk")).count();
    // Steps that were begun when the process was killed are looked at one by one.
    assert!(in_bulk > 5, "{in_bulk} bulk requests");
    assert_eq!(kill::done_steps(&plan, &path).len(), plan.steps.len());
    runs
}

/// Checks that the server has the directory, without duplicates.
fn assert_desired(sandbox: &StandardSandbox) {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let (users, groups) = (sandbox.users(), sandbox.groups());
    let external: BTreeMap<String, String> =
        users.iter().map(|user| (text(&user["id"]), text(&user["externalId"]))).collect();
    assert_eq!((users.len(), external.values().collect::<BTreeSet<_>>().len()), (USERS, USERS));
    for user in &users {
        let number: usize = text(&user["externalId"]).parse().unwrap();
        let manager = user[ENTERPRISE]["manager"]["value"].as_str().map(|id| external[id].clone());
        assert_eq!(manager, (number > 0).then(|| (number / 3).to_string()), "{user}");
    }
    let held: BTreeMap<String, BTreeSet<String>> = groups
        .iter()
        .map(|group| {
            let members = group["members"].as_array().unwrap().iter().map(|one| external[&text(&one["value"])].clone());
            (text(&group["externalId"]), members.collect())
        })
        .collect();
    assert_eq!((groups.len(), held.len()), (GROUPS, GROUPS), "no group is doubled");
    for group in desired().groups().unwrap() {
        let members = group.members.as_ref().unwrap().iter().map(|member| member.external_id.clone().unwrap());
        assert_eq!(held[group.external_id.as_ref().unwrap()], members.collect::<BTreeSet<_>>());
    }
}
