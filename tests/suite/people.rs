//! Who is who: one person under several forms of a name, names that are passed on, and plans that are
//! checked, stopped and not kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::Method;
use serde_json::{Value, json};
use wats_scim::plan::{Action, Current, Journal, Leavers, Outcome, Plan, Policy};
use wats_scim::{
    Credentials, ErrorKind, Profile, ScimConfig, ScimGroup, ScimMember, ScimPatchRequest, ScimUser, ScimUserName,
};
use wats_scim_sandbox::{Sandbox, StandardSandbox};

use super::{answer, client, quick, received};
use crate::{ScimClient, maybe_async, test};

fn user(json: Value) -> ScimUser {
    serde_json::from_value(json).unwrap()
}

fn standard(sandbox: &StandardSandbox) -> ScimClient {
    let config = ScimConfig::new(sandbox.scim_url(), Credentials::wats_token(sandbox.token())).retry(quick());
    ScimClient::with_config(&config).unwrap()
}

fn policy(profile: &Profile) -> Policy {
    Policy::new(profile).allow_truncated_source(100).max_deactivation_percent(100)
}

#[maybe_async]
#[test]
async fn a_name_is_one_user_composed_and_decomposed() {
    let composed =
        json!({ "userName": "jürgen@example.com", "displayName": "Jürgen", "emails": [{ "value": "jü@x" }] });
    let decomposed = user(
        json!({ "userName": "JU\u{308}RGEN@example.com", "displayName": "Ju\u{308}rgen", "emails": [{ "value": "ju\u{308}@X" }] }),
    );
    let sandbox = Sandbox::builder().with_users([composed.clone()]).start().unwrap();
    let wats = client(&sandbox);
    let other = StandardSandbox::builder().with_users([composed]).start().unwrap();
    for client in [wats, standard(&other)] {
        let name = decomposed.user_name.as_deref().unwrap();
        let found = client.get_user_by_username(name).await.unwrap().unwrap();
        assert_eq!(found.user_name.as_deref(), Some("jürgen@example.com"));
        let current = client.current_users().await.unwrap();
        let plan = policy(client.profile()).plan(&current, std::slice::from_ref(&decomposed)).unwrap();
        assert_eq!((plan.steps.len(), plan.unchanged), (0, 1), "{plan}");
        let protected = policy(client.profile()).protect([name]).allow_empty_source(0);
        assert!(protected.plan(&current, &[]).unwrap().is_empty());
    }
}

#[maybe_async]
#[test]
async fn a_plan_is_empty_in_whatever_form_the_server_writes_its_values() {
    let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let held = json!({
        "id": "1", "userName": "jane", "active": 1, "emails": ["J@x"],
        "phoneNumbers": [{ "value": "tel:+1-201", "type": "Work" }], "roles": [{ "value": "R", "primary": "True" }],
        enterprise: { "manager": "26", "employeeNumber": 7, "costCenter": "4" },
    });
    let list = json!({ "totalResults": 1, "Resources": [held] }).to_string();
    let respond = move |_: &http::Request<Vec<u8>>| Some(answer(200, "application/json", list.clone()));
    let sandbox = StandardSandbox::builder().respond_with(respond).start().unwrap();
    let client = standard(&sandbox);
    let desired = user(json!({
        "userName": "Jane", "active": true, "emails": [{ "value": "j@x", "type": "work", "primary": true }],
        "phoneNumbers": [{ "value": "+1-201", "type": "work" }], "roles": [{ "value": "R", "primary": true }],
        enterprise: { "manager": { "value": "26" }, "employeeNumber": "7", "costCenter": 4 },
    }));
    let plan = policy(client.profile()).plan(&client.current_users().await.unwrap(), &[desired]).unwrap();
    assert_eq!((plan.steps.len(), plan.unchanged), (0, 1), "{plan}");
}

#[maybe_async]
#[test]
async fn a_value_that_the_server_does_not_keep_is_reported() {
    let held = json!({ "id": "1", "userName": "jane", "active": true });
    let shown = held.to_string();
    let sandbox = StandardSandbox::builder()
        .with_users([held])
        .respond_with(move |request| {
            (request.method() == Method::PATCH).then(|| answer(200, "application/json", shown.clone()))
        })
        .start()
        .unwrap();
    let client = standard(&sandbox);
    let desired = [ScimUser::new("jane").with_attribute("nickName", "J").with_display_name("Jane")];
    let plan = policy(client.profile()).plan(&client.current_users().await.unwrap(), &desired).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::at(folder.path().join("journal"));
    let report = client.apply(plan.clone()).journal(journal.clone()).run().await.unwrap();
    assert_eq!((report.applied, report.problems.len(), report.is_complete()), (1, 1, false));
    assert!(
        matches!(&report.problems[0].outcome, Outcome::NotKept(paths) if *paths == ["displayName", "nickName"]),
        "{report}"
    );
    let text = report.to_string();
    assert!(text.starts_with("1 applied, 1 of them not kept by the server\n~ jane"), "{text}");
    assert!(text.ends_with("applied, not kept: displayName, nickName"), "{text}");
    let again = client.apply(plan).journal(journal).run().await.unwrap();
    assert_eq!(again.done_before, 1, "it would not help to send it again");
}

#[maybe_async]
#[test]
async fn a_leaver_whose_name_was_passed_on_is_deactivated() {
    let sandbox = Sandbox::start().unwrap();
    let client = client(&sandbox);
    for (name, id) in [("ann", "1"), ("bob", "2"), ("cy", "3")] {
        client.create_user(&ScimUser::new(name).with_external_id(id).with_active(true)).await.unwrap();
    }
    // Another Ann was hired, and the first one has left.
    let desired = [("ann", "4"), ("bob", "2"), ("cy", "3")].map(|(name, id)| ScimUser::new(name).with_external_id(id));
    let policy = policy(client.profile());
    let plan = policy.plan(&client.current_users().await.unwrap(), &desired).unwrap();
    assert_eq!((plan.count(Action::Deactivate), plan.steps.len(), plan.conflicts.len()), (1, 1, 1), "{plan}");
    let report = client.apply(plan).run().await.unwrap();
    assert!(report.is_complete(), "{report}");
    let active: Vec<_> = sandbox.users().iter().map(|user| user["active"] == true).collect();
    assert_eq!(active, [false, true, true]);
    // Once the name is free, the new one is created.
    let deleting = policy.leavers(Leavers::Delete);
    let plan = deleting.plan(&client.current_users().await.unwrap(), &desired).unwrap();
    assert_eq!((plan.count(Action::Delete), plan.count(Action::Create), plan.conflicts.len()), (1, 1, 0), "{plan}");
    let report = client.apply(plan).run().await.unwrap();
    assert!(report.is_complete(), "{report}");
    let plan = deleting.plan(&client.current_users().await.unwrap(), &desired).unwrap();
    assert!(plan.is_empty() && plan.conflicts.is_empty(), "{plan}");
}

#[maybe_async]
#[test]
async fn names_are_exchanged_and_passed_on_in_one_run() {
    let users = [("ann", "1"), ("bob", "2"), ("cy", "3"), ("dee", "4")]
        .map(|(name, id)| json!({ "userName": name, "externalId": id, "active": true }));
    let sandbox = StandardSandbox::builder().with_users(users).start().unwrap();
    let client = standard(&sandbox);
    // Ann and Bob exchange their names, Cy gets that of Dee, who has left, and a new user that of Cy.
    let desired = [("bob", "1"), ("ann", "2"), ("dee", "3"), ("cy", "5")];
    let desired = desired.map(|(name, id)| ScimUser::new(name).with_external_id(id).with_active(true));
    let policy = policy(client.profile());
    let plan = policy.plan(&client.current_users().await.unwrap(), &desired).unwrap();
    assert_eq!((plan.conflicts.len(), plan.count(Action::FreeName)), (0, 1), "{plan}");
    let report = client.apply(plan.clone()).run().await.unwrap();
    assert!(report.is_complete() && report.applied == 6, "{report}");

    let mut users: Vec<_> = sandbox.users();
    users.sort_by_key(|user| user["externalId"].to_string());
    let shown: Vec<_> = users.iter().map(|user| (user["userName"].as_str().unwrap(), user["active"] == true)).collect();
    let [one, two, three, (aside, false), five] = shown[..] else { panic!("{shown:?}") };
    assert_eq!([one, two, three, five], [("bob", true), ("ann", true), ("dee", true), ("cy", true)]);
    assert!(aside.starts_with("dee~"), "{aside}");

    let again = client.apply(plan).run().await.unwrap();
    assert_eq!((again.applied, again.problems.len()), (0, 0), "{again}");
    let next = policy.plan(&client.current_users().await.unwrap(), &desired).unwrap();
    assert!(next.is_empty() && next.conflicts.is_empty(), "{next}");
}

#[maybe_async]
#[test]
async fn a_user_made_by_hand_is_adopted_and_is_ours_from_then_on() {
    let by_hand = json!({ "userName": "ann", "active": true });
    let sandbox = StandardSandbox::builder().with_users([by_hand]).start().unwrap();
    let client = standard(&sandbox);
    let policy = policy(client.profile()).allow_empty_source(1);
    let plan = policy.plan(&client.current_users().await.unwrap(), &[]).unwrap();
    assert!(plan.is_empty(), "{plan}");
    let plan =
        policy.plan(&client.current_users().await.unwrap(), &[ScimUser::new("ann").with_external_id("1")]).unwrap();
    assert_eq!((plan.steps.len(), plan.count(Action::Adopt)), (1, 1), "{plan}");
    let report = client.apply(plan).run().await.unwrap();
    assert_eq!(report.applied, 1, "{report}");
    let plan = policy.plan(&client.current_users().await.unwrap(), &[]).unwrap();
    assert_eq!(plan.count(Action::Deactivate), 1, "{plan}");
}

#[maybe_async]
#[test]
async fn the_account_of_the_credentials_is_not_in_a_plan() {
    let account = json!({ "id": "1", "userName": "Robot", "externalId": "1", "active": true });
    let list = json!({ "totalResults": 1, "Resources": [account] }).to_string();
    let respond = move |_: &http::Request<Vec<u8>>| Some(answer(200, "application/json", list.clone()));
    let sandbox = StandardSandbox::builder().respond_with(respond).start().unwrap();
    let config = ScimConfig::new(sandbox.scim_url(), Credentials::basic("robot", "s3cret")).retry(quick());
    let client = ScimClient::with_config(&config).unwrap();
    let current = client.current_users().await.unwrap();
    let plan = policy(client.profile()).plan(&current, &[ScimUser::new("ann")]).unwrap();
    assert_eq!((plan.steps.len(), plan.unchanged), (1, 1), "{plan}");
}

#[maybe_async]
#[test]
async fn a_step_that_does_not_do_what_it_shows_is_not_applied() {
    let sandbox = Sandbox::builder().users(2).start().unwrap();
    let client = client(&sandbox);
    let current = client.current_users().await.unwrap();
    let desired = current.users().iter().map(|user| {
        ScimUser::new(user.user_name.clone().unwrap()).with_name(ScimUserName::new("Ann", "Roe")).with_active(true)
    });
    let plan = policy(client.profile()).plan(&current, &desired.collect::<Vec<_>>()).unwrap();
    assert_eq!(plan.count(Action::Update), 2);
    let mut stored = serde_json::to_value(&plan).unwrap();
    stored["steps"][1].as_object_mut().unwrap().remove("desired");
    let error = serde_json::from_value::<Plan>(stored).unwrap_err().to_string();
    assert_eq!(error, "step 2 of the plan is inconsistent: it has no desired user");

    let mut plan = plan;
    plan.steps[0].desired = None;
    plan.steps[1].action = Action::Deactivate;
    let before = sandbox.users();
    sandbox.clear_requests();
    for is_dry_run in [true, false] {
        let apply = client.apply(plan.clone());
        let report = if is_dry_run { apply.dry_run() } else { apply }.run().await.unwrap();
        assert_eq!((report.problems.len(), report.applied, report.planned), (2, 0, 0), "{report}");
        for problem in &report.problems {
            let Outcome::Failed(error) = &problem.outcome else { panic!("{report}") };
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.to_string().contains("the step is inconsistent: "), "{error}");
        }
    }
    assert_eq!((received(&sandbox), sandbox.users()), (Vec::new(), before));
    let report = client.apply(plan).stop_after(1).run().await.unwrap();
    assert_eq!((report.problems.len(), report.not_begun), (1, 1));
}

#[maybe_async]
#[test]
async fn an_apply_stops_when_the_credentials_expire_and_resumes_with_new_ones() {
    let left = Arc::new(AtomicUsize::new(18));
    let counter = Arc::clone(&left);
    let sandbox = Sandbox::builder()
        .respond_with(move |request| {
            if request.method() != Method::POST {
                return None;
            }
            let is_valid = counter.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
            (!is_valid).then(|| answer(401, "application/json", "{}"))
        })
        .start()
        .unwrap();
    let client = client(&sandbox);
    let desired: Vec<_> = (0..200).map(|n| ScimUser::new(format!("new{n:03}"))).collect();
    let plan = policy(client.profile()).plan(&Current::complete(Vec::new()), &desired).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::at(folder.path().join("journal"));
    let report = client.apply(plan.clone()).journal(journal.clone()).in_flight(4).run().await.unwrap();
    assert_eq!(report.applied, 18, "{report}");
    assert!((1..=4).contains(&report.problems.len()), "{report}");
    assert_eq!(report.not_begun, 200 - 18 - report.problems.len());
    let is_401 =
        |outcome: &Outcome| matches!(outcome, Outcome::Failed(error) if error.kind() == ErrorKind::Unauthorized);
    assert!(report.problems.iter().all(|problem| is_401(&problem.outcome)), "{report}");
    let posts = received(&sandbox).iter().filter(|line| line.starts_with("POST")).count();
    assert_eq!(posts, 18 + report.problems.len());

    left.store(1000, Ordering::SeqCst);
    let report = client.apply(plan).journal(journal).run().await.unwrap();
    assert!(report.is_complete(), "{report}");
    assert_eq!((report.done_before, report.applied, sandbox.users().len()), (18, 182, 200));
}

#[maybe_async]
#[test]
async fn a_patch_of_a_group_leaves_members_that_are_not_shown() {
    let users: Vec<_> = (0..4).map(|n| json!({ "id": format!("u{n}"), "userName": format!("user{n}") })).collect();
    let members: Vec<_> = (0..3).map(|n| json!({ "value": format!("u{n}") })).collect();
    let group = json!({ "displayName": "Testers", "members": members });
    let sandbox = StandardSandbox::builder().with_users(users).with_groups([group]).start().unwrap();
    let client = standard(&sandbox);
    let groups = client.groups();
    let testers = groups.get_by_name("Testers").await.unwrap().unwrap();
    // The server shows two of three members.
    let mut shown = testers.clone();
    shown.members.as_mut().unwrap().truncate(2);
    let mut wanted = shown.clone().with_member(ScimMember::new("u3"));
    wanted.members.as_mut().unwrap().remove(0);
    let patch = ScimPatchRequest::between(&shown, &wanted).unwrap();
    groups.update(&testers, &patch).await.unwrap();
    let after: ScimGroup = groups.get_by_name("Testers").await.unwrap().unwrap();
    assert_eq!(after.member_ids().collect::<Vec<_>>(), ["u1", "u2", "u3"]);
}
