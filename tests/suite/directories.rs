//! Plans with groups and references.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use http::Method;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use wats_scim::plan::{Desired, DesiredGroup, Journal, Leavers, Plan, Policy, Reference, Report};
use wats_scim::{Credentials, Profile, ScimConfig, ScimUser};
use wats_scim_sandbox::{Fault, FaultProxy, FaultRule, StandardSandbox};

use super::{Server, quick};
use crate::{ScimClient, maybe_async, test};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn without_guards() -> Policy {
    super::without_guards(&Profile::standard())
}

fn client(sandbox: &StandardSandbox) -> ScimClient {
    client_at(sandbox, sandbox.base_url())
}

fn client_at(sandbox: &StandardSandbox, base_url: &str) -> ScimClient {
    let config = ScimConfig::new(base_url, Credentials::wats_token(sandbox.token()));
    ScimClient::with_config(&config.profile(Profile::standard()).retry(quick())).unwrap()
}

/// A person of a directory: its name, and the number of its manager.
type Person = (bool, Option<u8>);

/// A group: its name, its members by number, and the groups nested in it, which have larger numbers.
type Group = (bool, BTreeSet<u8>, BTreeSet<u8>);

/// People by their external ids, each with the name and the manager; and groups, each with the name and the
/// members.
type State = (BTreeMap<String, (String, Option<String>)>, BTreeMap<String, (String, BTreeSet<String>)>);

/// A directory by the numbers of its people and groups, which are their external ids.
#[derive(Clone, Debug)]
struct Directory {
    people: BTreeMap<u8, Person>,
    groups: BTreeMap<u8, Group>,
    /// How references are written.
    by_name: bool,
}

fn directory() -> impl Strategy<Value = Directory> {
    let person = (any::<bool>(), proptest::option::of(0..8_u8));
    let group =
        (any::<bool>(), proptest::collection::btree_set(0..8_u8, 0..6), proptest::collection::btree_set(0..4_u8, 0..2));
    let people = proptest::collection::btree_map(0..8_u8, person, 0..8);
    (people, proptest::collection::btree_map(0..4_u8, group, 0..4), any::<bool>()).prop_map(
        |(people, groups, by_name)| {
            let known: BTreeSet<u8> = people.keys().copied().collect();
            // Managers have larger numbers, so there is no circle; circles have a test of their own.
            let people = people
                .into_iter()
                .map(|(n, (name, manager))| (n, (name, manager.filter(|m| *m > n && known.contains(m)))))
                .collect();
            let all: BTreeSet<u8> = groups.keys().copied().collect();
            let groups = groups.into_iter().map(|(n, (name, members, nested))| {
                let members = members.intersection(&known).copied().collect();
                let nested = nested.into_iter().filter(|inner| *inner > n && all.contains(inner)).collect();
                (n, (name, members, nested))
            });
            Directory { people, groups: groups.collect(), by_name }
        },
    )
}

fn name_of(n: u8, other: bool) -> String {
    format!("{}{n}@example.com", if other { "new" } else { "user" })
}

fn group_name(n: u8, other: bool) -> String {
    format!("{} {n}", if other { "Makers" } else { "Testers" })
}

impl Directory {
    fn desired(&self) -> Desired {
        let named = |n: u8| name_of(n, self.people[&n].0);
        let users = self.people.iter().map(|(n, (name, manager))| {
            let manager = manager.map(|manager| {
                if self.by_name {
                    json!({ "userName": named(manager).to_uppercase() })
                } else {
                    json!({ "externalId": manager.to_string() })
                }
            });
            serde_json::from_value::<ScimUser>(json!({
                "userName": name_of(*n, *name), "externalId": n.to_string(), ENTERPRISE: { "manager": manager, "division": "D" },
            }))
            .unwrap()
        });
        let groups = self.groups.iter().map(|(n, (name, members, nested))| {
            let users = members.iter().map(|member| {
                if self.by_name {
                    Reference::user_name(named(*member))
                } else {
                    Reference::external_id(member.to_string())
                }
            });
            let groups = nested.iter().map(|inner| {
                if self.by_name {
                    Reference::group(group_name(*inner, self.groups[inner].0))
                } else {
                    Reference::external_id(format!("g{inner}")).to_group()
                }
            });
            DesiredGroup::new(group_name(*n, *name)).with_external_id(format!("g{n}")).with_members(users.chain(groups))
        });
        Desired::of_users(users.collect()).with_groups(groups.collect())
    }

    /// What the server has to hold: for each person the name and the manager, for each group the name and the
    /// members, all by their external ids.
    fn expected(&self) -> State {
        let people = self.people.iter().map(|(n, (name, manager))| {
            (n.to_string(), (name_of(*n, *name), manager.map(|manager| manager.to_string())))
        });
        let groups = self.groups.iter().map(|(n, (name, members, nested))| {
            let users = members.iter().map(u8::to_string);
            let groups = nested.iter().map(|inner| format!("g{inner}"));
            (format!("g{n}"), (group_name(*n, *name), users.chain(groups).collect()))
        });
        (people.collect(), groups.collect())
    }

    /// The same of a server. Those that the directory does not have are left out.
    fn seen(&self, sandbox: &StandardSandbox) -> State {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (users, groups) = (sandbox.users(), sandbox.groups());
        let external: HashMap<String, String> =
            users.iter().chain(&groups).map(|held| (text(&held["id"]), text(&held["externalId"]))).collect();
        // A manager may have been deleted.
        let of = |id: &Value| external.get(id.as_str().unwrap()).cloned().unwrap_or_default();
        let person = |user: &Value| {
            let manager = &user[ENTERPRISE]["manager"]["value"];
            (text(&user["externalId"]), (text(&user["userName"]), manager.as_str().map(|_| of(manager))))
        };
        let group = |group: &Value| {
            let members = group["members"].as_array().into_iter().flatten().map(|member| of(&member["value"]));
            (text(&group["externalId"]), (text(&group["displayName"]), members.collect()))
        };
        let (mut people, mut groups): (BTreeMap<_, _>, BTreeMap<_, _>) =
            (users.iter().map(person).collect(), groups.iter().map(group).collect());
        people.retain(|id, _| self.people.keys().any(|n| n.to_string() == *id));
        groups.retain(|id, _| self.groups.keys().any(|n| format!("g{n}") == *id));
        // A source without a manager leaves the old one.
        let wanted = self.expected().0;
        for (id, (_, manager)) in &mut people {
            if wanted[id].1.is_none() {
                *manager = None;
            }
        }
        (people, groups)
    }
}

/// The number of successful writes.
fn writes(sandbox: &StandardSandbox) -> usize {
    let is_done = |request: &&wats_scim_sandbox::RecordedRequest| {
        request.method != Method::GET && request.status.is_some_and(|status| status.is_success())
    };
    Server::requests(sandbox).iter().filter(is_done).count()
}

fn problems(report: &Report) -> Vec<String> {
    report.problems.iter().map(|problem| format!("{}: {}", problem.step, problem.outcome)).collect()
}

#[maybe_async]
async fn plan(client: &ScimClient, policy: &Policy, desired: &Desired) -> Plan {
    let plan = policy.plan(&client.current_directory().await.unwrap(), desired).unwrap();
    // As a program does that stores it for review.
    serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap()
}

#[maybe_async]
#[test]
async fn a_directory_with_groups_and_managers_is_made_in_one_run() {
    let mut runner = TestRunner::deterministic();
    for case in 0..200 {
        let [before, after] = [0, 1].map(|_| directory().new_tree(&mut runner).unwrap().current());
        let leavers = [Leavers::Deactivate, Leavers::Keep, Leavers::Delete][case % 3];
        let sandbox = StandardSandbox::start().unwrap();
        let client = client(&sandbox);
        let policy = without_guards().leavers(leavers).deletes_groups(case % 2 == 0);

        for directory in [&before, &after] {
            let desired = directory.desired();
            let first = plan(&client, &policy, &desired).await;
            assert!(first.conflicts.is_empty(), "case {case}: {first}");
            let report = client.apply(first.clone()).run().await.unwrap();
            let context = format!("case {case}: {directory:?}\n{first}\n{:?}", problems(&report));
            assert!(report.is_complete(), "{context}");
            assert_eq!(directory.seen(&sandbox), directory.expected(), "{context}");

            // Applying it again does nothing, and there is nothing left to do.
            let written = writes(&sandbox);
            let again = client.apply(first.clone()).run().await.unwrap();
            assert_eq!((again.applied, problems(&again)), (0, Vec::new()), "{context}");
            assert_eq!(writes(&sandbox), written, "{context}");
            let next = plan(&client, &policy, &desired).await;
            assert_eq!(next.steps, [], "{context}\n{next}");
        }
    }
}

#[maybe_async]
#[test]
async fn with_faults_a_directory_is_made_in_some_runs() {
    let mut runner = TestRunner::deterministic();
    for case in 0..40 {
        let [before, after] = [0, 1].map(|_| directory().new_tree(&mut runner).unwrap().current());
        let sandbox = StandardSandbox::start().unwrap();
        let proxy = FaultProxy::before(sandbox.base_url()).unwrap();
        let client = client_at(&sandbox, proxy.base_url());
        let policy = without_guards().deletes_groups(true);
        for directory in [&before, &after] {
            let desired = directory.desired();
            for run in 0.. {
                let faults = [Fault::ResetBeforeAnswer, Fault::ResetAfterApplied, Fault::HtmlAfterApplied];
                let rule = (run < 3).then(|| FaultRule::one_of(faults).probability(0.1));
                proxy.set_rules(rule);
                let Ok(current) = client.current_directory().await else { continue };
                let plan = policy.plan(&current, &desired).unwrap();
                let report = client.apply(plan.clone()).run().await.unwrap();
                if run > 3 {
                    assert!(plan.steps.is_empty(), "case {case}: {plan}\n{:?}", problems(&report));
                    break;
                }
            }
            assert_eq!(directory.seen(&sandbox), directory.expected(), "case {case}");
        }
    }
}

#[maybe_async]
#[test]
async fn a_change_of_members_is_one_request_where_there_are_versions() {
    let people =
        || (0..400).map(|n| ScimUser::new(format!("user{n}")).with_external_id(n.to_string())).collect::<Vec<_>>();
    let group = |members: std::ops::Range<u32>| {
        let members = members.map(|n| Reference::external_id(n.to_string()));
        DesiredGroup::new("Testers").with_external_id("g").with_members(members)
    };
    let sandbox = StandardSandbox::start().unwrap();
    let client = client(&sandbox).discover().await.unwrap();
    let policy = without_guards();
    let first = plan(&client, &policy, &Desired::of_users(people()).with_groups(vec![group(0..350)])).await;
    let report = client.apply(first).run().await.unwrap();
    assert!(report.is_complete(), "{report}");

    // Four requests of members for one group, each for the version that the one before has left.
    let next = plan(&client, &policy, &Desired::of_users(people()).with_groups(vec![group(150..400)])).await;
    assert_eq!(next.steps.len(), 3, "50 are added, and 150 removed");
    sandbox.clear_requests();
    let report = client.apply(next).in_flight(8).run().await.unwrap();
    assert!(report.is_complete(), "{report}");
    let sent: Vec<_> = Server::requests(&sandbox).iter().map(|request| request.method.clone()).collect();
    assert_eq!(sent, [Method::PATCH, Method::PATCH, Method::PATCH]);
    assert_eq!(sandbox.groups()[0]["members"].as_array().unwrap().len(), 250);
}

#[maybe_async]
#[test]
async fn after_an_undo_a_directory_is_as_before() {
    let mut runner = TestRunner::deterministic();
    let folder = tempfile::tempdir().unwrap();
    for case in 0..60 {
        let [before, after] = [0, 1].map(|_| directory().new_tree(&mut runner).unwrap().current());
        let sandbox = StandardSandbox::start().unwrap();
        let client = client(&sandbox);
        let policy = without_guards().deletes_groups(true);
        let first = plan(&client, &policy, &before.desired()).await;
        let report = client.apply(first).run().await.unwrap();
        assert!(report.is_complete(), "{report}");

        // Groups that are missing from the source stay: a deleted group cannot be brought back.
        let keeping = without_guards();
        let journal = Journal::at(folder.path().join(case.to_string())).keep_before();
        let second = plan(&client, &keeping, &after.desired()).await;
        let report = client.apply(second.clone()).journal(journal.clone()).run().await.unwrap();
        assert!(report.is_complete(), "{report}");
        let undo = policy.undo(&client.current_directory().await.unwrap(), &journal.written().unwrap()).unwrap();
        let context = format!("case {case}: {before:?}\n{second}\n{undo}");
        assert!(undo.conflicts.is_empty() && undo.inexpressible.is_empty(), "{context}");
        let report = client.apply(undo).run().await.unwrap();
        assert!(report.is_complete(), "{context}\n{report}");

        assert_eq!(before.seen(&sandbox), before.expected(), "{context}");
        let known: BTreeSet<_> = before.groups.keys().map(|n| format!("g{n}")).collect();
        let groups: BTreeSet<_> =
            sandbox.groups().iter().map(|group| group["externalId"].as_str().unwrap().to_owned()).collect();
        assert_eq!(groups, known, "what was created is deleted: {context}");
        for user in sandbox.users() {
            let number: u8 = user["externalId"].as_str().unwrap().parse().unwrap();
            assert_eq!(user["active"] != false, before.people.contains_key(&number), "{context}\n{user}");
        }
    }
}
