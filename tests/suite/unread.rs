//! Changes in one request, for the version that the plan has read, or in one request for many.

use std::sync::Arc;

use http::Method;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use wats_scim::plan::{Journal, Leavers, Plan, Report};
use wats_scim::{Credentials, ScimConfig, ScimPatchRequest, ScimUser};
use wats_scim_sandbox::{Fault, FaultProxy, FaultRule, StandardSandbox};

use super::applying::{any_user, directory};
use super::in_bulk;
use super::quick;
use super::without_guards;
use crate::{ScimClient, maybe_async, test};

fn users(names: &[&str]) -> Vec<Value> {
    names.iter().map(|name| json!({ "id": name, "userName": name, "title": "T", "active": true })).collect()
}

fn titled(name: &str, title: &str) -> ScimUser {
    ScimUser::new(name).with_attribute("title", title)
}

fn unread(sandbox: &StandardSandbox) -> ScimClient {
    at(sandbox.scim_url(), sandbox)
}

fn at(url: &str, sandbox: &StandardSandbox) -> ScimClient {
    let config = ScimConfig::new(url, Credentials::wats_token(sandbox.token())).retry(quick());
    ScimClient::with_config(&config).unwrap()
}

#[maybe_async]
async fn planned(client: &ScimClient, leavers: Leavers, desired: &[ScimUser]) -> Plan {
    let current = client.current_users().await.unwrap();
    without_guards(client.profile()).leavers(leavers).plan(&current, desired).unwrap()
}

/// The methods, the ids, and the versions for which writes were sent.
fn sent(sandbox: &StandardSandbox) -> Vec<(Method, String, Option<String>)> {
    let requests = sandbox.requests();
    let condition = |request: &wats_scim_sandbox::RecordedRequest| {
        request.headers.get("if-match").map(|value| value.to_str().unwrap().to_owned())
    };
    let id = |target: &str| target.rsplit('/').next().unwrap_or_default().to_owned();
    requests.iter().map(|request| (request.method.clone(), id(&request.target), condition(request))).collect()
}

fn outcomes(report: &Report) -> Vec<String> {
    report.problems.iter().map(|problem| format!("{}: {}", problem.step.name, problem.outcome)).collect()
}

#[maybe_async]
#[test]
async fn a_change_for_the_version_of_the_plan_is_one_request() {
    for (leavers, last) in [(Leavers::Deactivate, Method::PATCH), (Leavers::Delete, Method::DELETE)] {
        let sandbox = StandardSandbox::builder().with_users(users(&["ann", "bob"])).start().unwrap();
        let client = unread(&sandbox).discover().await.unwrap();
        let plan = planned(&client, leavers, &[titled("ann", "Dr")]).await;
        let plan: Plan = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
        let version = |at: usize| plan.steps[at].version.clone();
        assert!(version(0).is_some());
        let expected =
            vec![(Method::PATCH, "ann".to_owned(), version(0)), (last.clone(), "bob".to_owned(), version(1))];
        sandbox.clear_requests();
        let report = client.apply(plan).in_flight(1).run().await.unwrap();
        assert_eq!((report.applied, report.is_complete()), (2, true), "{report}");
        assert_eq!(sent(&sandbox), expected);
    }
}

#[maybe_async]
#[test]
async fn a_server_that_is_not_known_to_check_versions_is_read_first() {
    let sandbox = StandardSandbox::builder().with_users(users(&["ann"])).start().unwrap();
    let client = unread(&sandbox);
    let plan = planned(&client, Leavers::Keep, &[titled("ann", "Dr")]).await;
    sandbox.clear_requests();
    let report = client.apply(plan).run().await.unwrap();
    assert_eq!(report.applied, 1);
    let methods: Vec<_> = sent(&sandbox).into_iter().map(|(method, ..)| method).collect();
    assert_eq!(methods, [Method::GET, Method::PATCH]);
}

#[maybe_async]
#[test]
async fn a_user_of_another_version_is_read_and_only_changed_as_planned() {
    let names = ["ann", "bob", "cy", "dee", "eve"];
    let sandbox = StandardSandbox::builder().with_users(users(&names)).start().unwrap();
    let client = unread(&sandbox).discover().await.unwrap();
    let desired: Vec<_> = names[..4].iter().map(|name| titled(name, "Dr")).collect();
    let plan = planned(&client, Leavers::Delete, &desired).await;
    // Another writer: what the plan is not about, what it is about, what it wants, and the end of two.
    let replace = |path: &str, value: Value| ScimPatchRequest::new().replace(path, value);
    client.update_user("ann", &replace("nickName", "A".into())).await.unwrap();
    client.update_user("bob", &replace("title", "Prof".into())).await.unwrap();
    client.update_user("cy", &replace("title", "Dr".into())).await.unwrap();
    client.delete_user("dee").await.unwrap();
    client.deactivate_user("eve").await.unwrap();
    sandbox.clear_requests();
    let report = client.apply(plan).in_flight(1).run().await.unwrap();
    assert_eq!((report.applied, report.unneeded), (1, 1), "{report}");
    assert_eq!(
        outcomes(&report),
        [
            "bob: skipped: the user has changed since the plan was made; the step would now make another change: title \"Prof\" → \"Dr\"",
            "dee: skipped: the user no longer exists",
            "eve: skipped: the user was activated or deactivated since the plan was made",
        ]
    );
    let title = |name: &str| sandbox.users().iter().find(|user| user["id"] == name).unwrap()["title"].clone();
    assert_eq!((title("ann"), title("bob"), sandbox.users().len()), (json!("Dr"), json!("Prof"), 4));
    assert_eq!(sent(&sandbox).len(), 11, "one, a read, and for ann one more");
}

#[maybe_async]
#[test]
async fn a_begun_step_is_read_although_its_version_is_known() {
    let sandbox = StandardSandbox::builder().with_users(users(&["ann", "bob"])).start().unwrap();
    let client = unread(&sandbox).discover().await.unwrap();
    let plan = planned(&client, Leavers::Keep, &[titled("ann", "Dr"), titled("bob", "Dr")]).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let begun = "{\"step\":0,\"state\":\"begun\"}\n";
    std::fs::write(&path, format!("{{\"plan\":{}}}\n{begun}", serde_json::to_string(&plan).unwrap())).unwrap();
    sandbox.clear_requests();
    let report = client.apply(plan).journal(Journal::at(&path)).in_flight(1).run().await.unwrap();
    assert_eq!(report.applied, 2);
    let methods: Vec<_> = sent(&sandbox).into_iter().map(|(method, ..)| method).collect();
    assert_eq!(methods, [Method::GET, Method::PATCH, Method::PATCH]);
}

#[maybe_async]
#[test]
async fn a_lost_answer_is_looked_at_and_no_change_is_made_twice() {
    let sandbox = StandardSandbox::builder().with_users(users(&["ann", "bob", "cy"])).start().unwrap();
    let proxy = FaultProxy::before(sandbox.scim_url()).unwrap();
    let client = at(proxy.base_url(), &sandbox).discover().await.unwrap();
    let plan = planned(&client, Leavers::Delete, &[titled("ann", "Dr"), titled("bob", "Dr")]).await;
    proxy.add_rule(FaultRule::new(Fault::ResetAfterApplied).on_method(Method::PATCH).times(1));
    proxy.add_rule(FaultRule::new(Fault::ResetAfterApplied).on_method(Method::DELETE).times(1));
    sandbox.clear_requests();
    let report = client.apply(plan.clone()).in_flight(1).run().await.unwrap();
    assert_eq!((report.applied, report.is_complete()), (3, true), "{report}");
    assert_eq!(proxy.injected_count(), 2);
    let done = |method: Method| {
        let is_done = |request: &&wats_scim_sandbox::RecordedRequest| {
            request.method == method && request.status.is_some_and(|status| status.is_success())
        };
        sandbox.requests().iter().filter(is_done).count()
    };
    assert_eq!((done(Method::PATCH), done(Method::DELETE)), (2, 1));
    let verified = client.apply(plan).verify().run().await.unwrap();
    assert!(verified.is_complete(), "{verified}");
}

/// What another writer does between the plan and its apply.
fn meanwhile() -> impl Strategy<Value = Vec<(usize, usize)>> {
    proptest::collection::vec((0..10_usize, 0..6_usize), 0..8)
}

#[maybe_async]
async fn disturb(client: &ScimClient, ids: &[String], acts: &[(usize, usize)]) {
    let replace = |path: &str, value: Value| ScimPatchRequest::new().replace(path, value);
    for (who, what) in acts {
        let Some(id) = ids.get(*who) else { continue };
        // A user that is gone stays gone.
        let done = match what {
            0 => client.update_user(id, &replace("nickName", "N".into())).await.map(drop),
            1 => client.update_user(id, &replace("title", "Dr".into())).await.map(drop),
            2 => client.update_user(id, &replace("displayName", "Other".into())).await.map(drop),
            3 => client.set_user_active(id, who % 2 == 0).await.map(drop),
            4 => client.update_user(id, &replace("name.familyName", "Roe".into())).await.map(drop),
            _ => client.delete_user(id).await,
        };
        drop(done);
    }
}

#[maybe_async]
#[test]
async fn one_request_for_each_and_one_for_all_do_what_reading_first_does() {
    let mut runner = TestRunner::deterministic();
    for case in 0..60 {
        let current = directory().new_tree(&mut runner).unwrap().current();
        let desired = proptest::collection::vec(any_user(), 0..10).new_tree(&mut runner).unwrap().current();
        let acts = meanwhile().new_tree(&mut runner).unwrap().current();
        let leavers = if case % 2 == 0 { Leavers::Deactivate } else { Leavers::Delete };
        let held: Arc<Vec<Value>> = Arc::new(
            (0..)
                .zip(&current)
                .map(|(n, user)| {
                    let mut user = json!(user);
                    user["id"] = json!(format!("id{n}"));
                    user
                })
                .collect(),
        );
        let ids: Vec<String> = held.iter().map(|user| user["id"].as_str().unwrap().to_owned()).collect();
        let mut results = Vec::new();
        for way in ["read first", "unread", "in bulk"] {
            let sandbox = StandardSandbox::builder().with_users(held.iter().cloned()).start().unwrap();
            let mut client = match way {
                "in bulk" => in_bulk::client(sandbox.scim_url(), &sandbox).await,
                _ => unread(&sandbox),
            };
            if way == "unread" {
                client = client.discover().await.unwrap();
            }
            let plan = planned(&client, leavers, &desired).await;
            disturb(&client, &ids, &acts).await;
            sandbox.clear_requests();
            let apply = client.apply(plan.clone()).in_flight(1);
            let apply = if way == "unread" { apply.without_bulk() } else { apply };
            let report = apply.run().await.unwrap();
            let users: Vec<Value> = sandbox
                .users()
                .into_iter()
                .map(|mut user| {
                    user.as_object_mut().unwrap().remove("meta");
                    // Each server gives new users an id of its own.
                    if !ids.iter().any(|id| user["id"] == id.as_str()) {
                        user.as_object_mut().unwrap().remove("id");
                    }
                    user
                })
                .collect();
            results.push((report.applied, report.unneeded, outcomes(&report), users));
        }
        assert_eq!(results[0], results[1], "unread, case {case}: {acts:?}");
        assert_eq!(results[0], results[2], "in bulk, case {case}: {acts:?}");
    }
}
