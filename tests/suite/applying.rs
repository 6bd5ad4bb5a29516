//! Applying plans: repeatedly, later, and after an interruption.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::Method;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use wats_scim::plan::{Action, Current, Inapplicable, Journal, Leavers, Outcome, Plan, Policy, Report};
use wats_scim::{Credentials, ErrorKind, Profile, Progress, ScimConfig, ScimPatchRequest, ScimUser};
use wats_scim_filter::json::text_key;
use wats_scim_sandbox::{Fault, FaultProxy, FaultRule, Sandbox, StandardSandbox};

use super::batches::STALLS;
use super::{Server, client, config, received, without_guards};
use crate::{ScimClient, maybe_async, test};

fn user(json: Value) -> ScimUser {
    serde_json::from_value(json).unwrap()
}

/// A user of a source or a server, with few distinct values so that users match.
pub(crate) fn any_user() -> impl Strategy<Value = ScimUser> {
    let one_of = |values: &'static [&'static str]| proptest::sample::select(values);
    let maybe = |values| proptest::option::of(one_of(values));
    let forms = &["ü", "Ü", "u\u{308}", "ｕ\u{308}"];
    let name = (0..14_u32, one_of(forms)).prop_map(|(n, form)| format!("{form}ser{n}"));
    let id = proptest::option::of((0..14_u32).prop_map(|n| n.to_string()));
    let texts = (
        maybe(&["Ann", "Bob"]),
        maybe(&["Doe", "Roe"]),
        maybe(&["Ann Doé", "Ann Doe\u{301}", "B"]),
        maybe(&["T", "Dr"]),
    );
    let emails = proptest::collection::vec(one_of(&["a@x", "B@X", "c@x"]), 0..2);
    let roles = proptest::collection::vec(one_of(&["Operator", "Viewer"]), 0..2);
    let levels = proptest::sample::subsequence(vec!["Level 1", "Level 2", "Level 3"], 0..3);
    let active = proptest::option::of(any::<bool>());
    (name, id, texts, emails, roles, levels, active).prop_map(
        |(name, id, (given, family, formatted, title), emails, roles, levels, active)| {
            let values = |values: Vec<&str>| values.iter().map(|value| json!({ "value": value })).collect::<Vec<_>>();
            let user = user(json!({
                "userName": name, "externalId": id, "title": title, "active": active, "emails": values(emails),
                "roles": values(roles), "displayName": formatted,
                "name": { "givenName": given, "familyName": family, "formatted": formatted },
            }));
            if levels.is_empty() { user } else { user.with_levels(levels) }
        },
    )
}

/// A valid directory, without duplicates.
pub(crate) fn directory() -> impl Strategy<Value = Vec<ScimUser>> {
    proptest::collection::vec(any_user(), 0..10).prop_map(|users| {
        let mut kept: HashMap<String, ScimUser> = HashMap::new();
        for user in users {
            let is_known =
                kept.values().any(|other| other.external_id.is_some() && other.external_id == user.external_id);
            if !is_known {
                kept.insert(text_key(user.user_name.as_deref().unwrap()).into_owned(), user);
            }
        }
        kept.into_values().collect()
    })
}

fn missing_users() -> impl Strategy<Value = Leavers> {
    proptest::sample::select(&[Leavers::Deactivate, Leavers::Keep, Leavers::Delete][..])
}

/// The number of successful writes.
fn writes(sandbox: &dyn Server) -> usize {
    let is_write = |method: &Method| [Method::POST, Method::PATCH, Method::DELETE, Method::PUT].contains(method);
    let requests = sandbox.requests();
    let done = |status: Option<http::StatusCode>| status.is_some_and(|status| status.is_success());
    requests.iter().filter(|request| is_write(&request.method) && done(request.status)).count()
}

fn problems(report: &Report) -> Vec<String> {
    report.problems.iter().map(|problem| format!("{}: {}", problem.step, problem.outcome)).collect()
}

#[maybe_async]
#[test]
async fn an_applied_plan_leaves_nothing_to_do() {
    let mut runner = TestRunner::deterministic();
    for case in 0..120 {
        let mut draw = |strategy: BoxedStrategy<Vec<ScimUser>>| strategy.new_tree(&mut runner).unwrap().current();
        let (current, desired) =
            (draw(directory().boxed()), draw(proptest::collection::vec(any_user(), 0..10).boxed()));
        let leavers = missing_users().new_tree(&mut runner).unwrap().current();
        let (sandbox, client): (Box<dyn Server>, _) = if case % 2 == 0 {
            let sandbox = Sandbox::start().unwrap();
            let client = client(&sandbox);
            (Box::new(sandbox), client)
        } else {
            let sandbox = StandardSandbox::start().unwrap();
            let config =
                wats_scim::ScimConfig::new(sandbox.scim_url(), wats_scim::Credentials::wats_token(sandbox.token()));
            let client = ScimClient::with_config(&config).unwrap();
            (Box::new(sandbox), client)
        };
        for user in &current {
            client.create_user(user).await.unwrap();
        }
        let policy = without_guards(client.profile()).leavers(leavers);
        let existing = client.current_users().await.unwrap();
        let plan = policy.plan(&existing, &desired).unwrap();
        let plan: Plan = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
        let report = client.apply(plan.clone()).run().await.unwrap();
        let context = format!("case {case}\n{plan}\n{current:#?}\n{desired:#?}\n{:?}", problems(&report));
        assert!(report.is_complete(), "{context}");

        // Applying it again does nothing.
        let (after, written) = (sandbox.users(), writes(&*sandbox));
        let again = client.apply(plan.clone()).run().await.unwrap();
        assert_eq!((again.applied, problems(&again)), (0, Vec::new()), "{context}");
        assert_eq!((sandbox.users(), writes(&*sandbox)), (after, written), "{context}");

        // A new plan is empty, except for conflicts about names that are free now, or once a leaver is deleted.
        let mut next = policy.plan(&client.current_users().await.unwrap(), &desired).unwrap();
        for _ in 0..2 * plan.conflicts.len() {
            client.apply(next).run().await.unwrap();
            next = policy.plan(&client.current_users().await.unwrap(), &desired).unwrap();
        }
        assert_eq!(next.steps, [], "{context}\n{next}");
        let users = sandbox.users();
        let names: HashSet<_> = users.iter().map(|user| text_key(user["userName"].as_str().unwrap())).collect();
        assert_eq!(names.len(), users.len(), "no user is duplicated");
    }
}

#[maybe_async]
async fn three(sandbox: &Sandbox) -> (ScimClient, Vec<ScimUser>) {
    let client = client(sandbox);
    let mut users = Vec::new();
    for name in ["ann", "bob", "cy"] {
        let user = ScimUser::new(name).with_external_id(name).with_name(wats_scim::ScimUserName::new(name, "Doe"));
        users.push(client.create_user(&user).await.unwrap());
    }
    (client, users)
}

fn named(user: &ScimUser, family: &str) -> ScimUser {
    ScimUser::new(user.user_name.clone().unwrap())
        .with_name(wats_scim::ScimUserName::new(user.name.as_ref().unwrap().given_name.clone().unwrap(), family))
}

#[maybe_async]
#[test]
async fn a_name_that_another_person_has_taken_is_not_reported_as_done() {
    let sandbox = Sandbox::start().unwrap();
    let client = client(&sandbox);
    let current = client.current_users().await.unwrap();
    // WATS has no PATCH for the external id.
    let desired = [ScimUser::new("jane").with_external_id("4711")];
    let plan = without_guards(client.profile()).plan(&current, &desired).unwrap();
    client.create_user(&ScimUser::new("jane").with_external_id("4712")).await.unwrap();
    let report = client.apply(plan).run().await.unwrap();
    assert_eq!((report.applied, report.unneeded, report.problems.len()), (0, 0, 1), "{report}");
    assert!(report.to_string().contains("another user has this userName now"), "{report}");
}

#[maybe_async]
#[test]
async fn a_plan_for_another_server_or_of_another_day_is_not_applied() {
    let [theirs, ours] = [Sandbox::builder().users(2).start().unwrap(), Sandbox::builder().users(2).start().unwrap()];
    let [them, us] = [client(&theirs), client(&ours)];
    let current = them.current_users().await.unwrap();
    let plan = without_guards(them.profile()).plan(&current, &[ScimUser::new("jane")]).unwrap();
    let mut stored = serde_json::to_value(&plan).unwrap();
    stored["madeAt"] = "2026-01-01T00:00:00.000Z".into();
    stored.as_object_mut().unwrap().remove("digest");
    let plan: Plan = serde_json::from_value(stored).unwrap();

    let error = us.apply(plan.clone()).run().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    let [made_for, here] = [&theirs, &ours].map(|sandbox| config(sandbox).scim_url().unwrap());
    assert!(
        error.to_string().contains(&format!("made for {made_for}, and this is {here}; make a new plan")),
        "{error}"
    );
    let day = Duration::from_secs(24 * 3600);
    let error = them.apply(plan.clone()).max_age(day).run().await.unwrap_err();
    assert!(error.to_string().ends_with("ScimApply::max_age is 1440; make a new plan"), "{error}");
    assert_eq!(received(&ours).len(), 0);
    let report = us.apply(plan).allow_other_server().run().await.unwrap();
    assert_eq!(report.applied, 1);
}

#[maybe_async]
#[test]
async fn steps_of_a_stored_plan_that_no_longer_apply_are_skipped() {
    let sandbox = Sandbox::start().unwrap();
    let (client, users) = three(&sandbox).await;
    let desired = [named(&users[0], "Roe"), named(&users[1], "Roe"), ScimUser::new("dee"), ScimUser::new("eve")];
    let policy = without_guards(client.profile()).leavers(Leavers::Delete);
    let plan = policy.plan(&client.current_users().await.unwrap(), &desired).unwrap();
    assert_eq!(plan.steps.len(), 5);
    let stored = serde_json::to_string(&plan).unwrap();

    // Meanwhile, one user is renamed, one is deactivated, and one of the new users is created.
    let id = |at: usize| users[at].id.clone().unwrap();
    client.wats().update_family_name(&id(0), "Smith").await.unwrap();
    client.deactivate_user(&id(2)).await.unwrap();
    client.create_user(&ScimUser::new("dee")).await.unwrap();

    let plan: Plan = serde_json::from_str(&stored).unwrap();
    let mut apply = client.apply(plan).in_flight(4);
    let mut steps = Vec::new();
    while let Some(step) = apply.try_next().await.unwrap() {
        steps.push((step.step.name.clone(), step.outcome.to_string()));
    }
    let steps: Vec<(&str, &str)> = steps.iter().map(|(name, outcome)| (&**name, &**outcome)).collect();
    let expected = [
        (
            "ann",
            "skipped: the user has changed since the plan was made; the step would now make another change: name.familyName \"Smith\" → \"Roe\"",
        ),
        ("bob", "applied"),
        ("dee", "not needed any more"),
        ("eve", "applied"),
        ("cy", "skipped: the user was activated or deactivated since the plan was made"),
    ];
    assert_eq!(steps, expected);
    let family = |name: &str| {
        let users = sandbox.users();
        users.iter().find(|user| user["userName"] == name).map(|user| user["name"]["familyName"].clone())
    };
    assert_eq!((family("ann"), family("bob")), (Some("Smith".into()), Some("Roe".into())));
    assert!(family("cy").is_some(), "a changed user is not deleted");
    assert_eq!(apply.progress().failed, 2);
}

#[maybe_async]
#[test]
async fn a_change_of_a_deleted_user_is_skipped_and_its_deletion_is_unneeded() {
    let sandbox = Sandbox::start().unwrap();
    let (client, users) = three(&sandbox).await;
    let policy = without_guards(client.profile()).leavers(Leavers::Delete);
    let desired = [named(&users[0], "Roe")];
    let plan = policy.plan(&client.current_users().await.unwrap(), &desired).unwrap();
    for user in &users[..2] {
        client.delete_user(user.id.as_deref().unwrap()).await.unwrap();
    }
    let report = client.apply(plan).run().await.unwrap();
    assert_eq!((report.applied, report.unneeded), (1, 1));
    assert_eq!(
        problems(&report),
        ["~ ann (ann)  update: name.familyName \"Doe\" → \"Roe\": skipped: the user no longer exists"]
    );
    assert_eq!(sandbox.users().len(), 0);
}

#[maybe_async]
#[test]
async fn a_change_between_read_and_write_is_detected_if_users_have_versions() {
    let sandbox = StandardSandbox::start().unwrap();
    let config = wats_scim::ScimConfig::new(sandbox.scim_url(), wats_scim::Credentials::wats_token(sandbox.token()));
    let client = ScimClient::with_config(&config).unwrap();
    let ann = client.create_user(&ScimUser::new("ann").with_display_name("Ann")).await.unwrap();
    let desired = [ScimUser::new("ann").with_display_name("Ann Roe")];
    let policy = without_guards(client.profile());
    let plan = policy.plan(&client.current_users().await.unwrap(), &desired).unwrap();
    let stale = ScimPatchRequest::new().replace("nickName", "A");
    client.update_user(ann.id.as_deref().unwrap(), &stale).await.unwrap();
    sandbox.clear_requests();
    let report = client.apply(plan).run().await.unwrap();
    assert_eq!(report.applied, 1, "what the plan is not about may change");
    let requests = sandbox.requests();
    let version = requests[1].headers.get("if-match").unwrap().to_str().unwrap().to_owned();
    assert_ne!(Some(version.as_str()), ann.meta.unwrap().version.as_deref(), "it is the version that was just read");
}

#[maybe_async]
#[test]
async fn a_dry_run_sends_no_writes_and_writes_no_journal() {
    let sandbox = Sandbox::start().unwrap();
    let (client, users) = three(&sandbox).await;
    let policy = without_guards(client.profile()).leavers(Leavers::Delete);
    let desired = [named(&users[0], "Roe"), ScimUser::new("dee")];
    let plan = policy.plan(&client.current_users().await.unwrap(), &desired).unwrap();
    let (folder, before) = (tempfile::tempdir().unwrap(), sandbox.users());
    let path = folder.path().join("journal");
    sandbox.clear_requests();
    let report = client.apply(plan).journal(Journal::at(&path)).dry_run().run().await.unwrap();
    assert_eq!((report.planned, report.to_string().as_str()), (4, "0 applied, 4 planned"));
    assert!(!report.is_complete());
    assert_eq!((received(&sandbox), sandbox.users()), (Vec::new(), before));
    assert!(!path.exists());
}

#[maybe_async]
#[test]
async fn an_interrupted_apply_resumes() {
    let sandbox = Sandbox::start().unwrap();
    let client = client(&sandbox);
    let desired: Vec<_> = (0..40).map(|n| ScimUser::new(format!("new{n:02}"))).collect();
    let plan = without_guards(client.profile()).plan(&Current::complete(Vec::new()), &desired).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let journal = Journal::at(&path);
    let mut apply = client.apply(plan.clone()).journal(journal.clone()).in_flight(3).buffer(0);
    for _ in 0..10 {
        apply.try_next().await.unwrap().unwrap();
    }
    drop(apply);
    // Writes in flight complete or fail; until then the journal is locked.
    let stored = journal.plan().unwrap().unwrap();
    assert_eq!(stored, plan);
    let looked = client.apply(stored.clone()).journal(journal.clone()).dry_run().run().await.unwrap();
    assert!((10..=13).contains(&looked.done_before), "{looked}");
    let other = without_guards(client.profile()).plan(&Current::complete(Vec::new()), &desired[1..]).unwrap();
    let error = client.apply(other).journal(journal.clone()).dry_run().run().await.unwrap_err();
    assert!(error.to_string().contains("belongs to another plan"), "{error}");
    let posts = |sandbox: &Sandbox| received(sandbox).iter().filter(|line| line.starts_with("POST")).count();
    assert!(posts(&sandbox) <= 13);
    let progress = Arc::new(Mutex::new(Vec::<Progress>::new()));
    let report = loop {
        let recorder = Arc::clone(&progress);
        let apply = client.apply(stored.clone()).journal(journal.clone());
        match apply.on_progress(move |progress| recorder.lock().unwrap().push(progress)).run().await {
            Ok(report) => break report,
            Err(error) => assert!(error.to_string().ends_with("is in use by another apply"), "{error}"),
        }
        std::thread::sleep(super::MS);
    };
    let done = report.done_before;
    assert!((10..=13).contains(&done), "{done}");
    assert!(report.is_complete(), "{report}");
    assert_eq!(done + report.applied + report.unneeded, 40);
    assert_eq!(progress.lock().unwrap().last().map(|last| (last.done, last.total)), Some((40, Some(40))));
    assert_eq!(sandbox.users().len(), 40);
    assert_eq!(writes(&sandbox), 40, "no user is created twice");
}

#[maybe_async]
#[test]
async fn a_begun_step_is_looked_up_before_it_is_repeated() {
    let sandbox = Sandbox::start().unwrap();
    let client = client(&sandbox);
    let desired = [ScimUser::new("ann").with_display_name("Ann"), ScimUser::new("bob")];
    let plan = without_guards(client.profile()).plan(&Current::complete(Vec::new()), &desired).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let mut text =
        format!("{{\"format\":\"wats-scim-journal/1\",\"plan\":{}}}\n", serde_json::to_string(&plan).unwrap());
    text.push_str("{\"step\":0,\"state\":\"begun\"}\n{\"step\":1,\"state\":\"begun\"}\n{\"step\":1,\"sta");
    std::fs::write(&path, text).unwrap();
    client.create_user(&desired[0]).await.unwrap();
    sandbox.clear_requests();
    let report = client.apply(plan).journal(Journal::at(&path)).in_flight(1).run().await.unwrap();
    assert_eq!((report.unneeded, report.applied), (1, 1));
    let base = "/api/SCIM/v2/Users";
    let expected = [format!("GET {base}/userName=ann"), format!("GET {base}/userName=bob"), format!("POST {base}")];
    assert_eq!(received(&sandbox), expected);
}

#[maybe_async]
#[test]
async fn an_apply_can_stop_after_problems() {
    let sandbox = super::always(403, "application/json", "{}");
    let desired: Vec<_> = (0..20).map(|n| ScimUser::new(format!("new{n:02}"))).collect();
    let client = client(&sandbox);
    let plan = without_guards(client.profile()).plan(&Current::complete(Vec::new()), &desired).unwrap();
    let report = client.apply(plan).in_flight(1).stop_after(3).run().await.unwrap();
    assert_eq!((report.problems.len(), report.not_begun), (3, 17));
    assert!(matches!(&report.problems[0].outcome, Outcome::Failed(error) if error.kind() == ErrorKind::Forbidden));
    assert!(!report.is_complete());
    let text = report.to_string();
    assert!(
        text.contains(", 17 not begun\n+ new00  create\n+ new01  create\n+ new02  create\n    failed: could not"),
        "{text}"
    );
}

#[maybe_async]
#[test]
async fn an_apply_stops_when_it_is_asked_to_and_resumes() {
    let sandbox = Sandbox::builder().start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::at(folder.path().join("journal"));
    let desired: Vec<_> = (0..20).map(|n| ScimUser::new(format!("new{n:02}"))).collect();
    let client = client(&sandbox);
    let plan = without_guards(client.profile()).plan(&client.current_users().await.unwrap(), &desired).unwrap();
    let mut begun = 0;
    let apply = client.apply(plan.clone()).in_flight(3).journal(journal.clone()).stop_when(move || {
        begun += 1;
        begun > 5
    });
    let report = apply.run().await.unwrap();
    assert_eq!((report.applied, report.not_begun, report.problems.len()), (5, 15, 0), "{report}");
    let report = client.apply(plan).journal(journal).run().await.unwrap();
    assert_eq!((report.applied, report.done_before), (15, 5), "{report}");
}

#[maybe_async]
#[test]
async fn an_apply_says_why_it_would_reject_a_plan_and_sends_nothing() {
    let sandbox = Sandbox::builder().start().unwrap();
    let client = client(&sandbox);
    let policy = without_guards(client.profile());
    let mut plan = policy.plan(&client.current_users().await.unwrap(), &[ScimUser::new("ann")]).unwrap();
    plan.made_at = plan.made_at.map(|made_at| made_at - chrono::TimeDelta::hours(2));
    sandbox.clear_requests();
    let hour = Duration::from_secs(3600);
    assert_eq!(client.apply(plan.clone()).inapplicable(), None);
    assert!(matches!(
        client.apply(plan.clone()).max_age(hour).inapplicable(),
        Some(Inapplicable::TooOld { age, max_age }) if age >= 2 * hour && max_age == hour
    ));
    plan.server = Some("https://other.example".to_owned());
    assert!(matches!(client.apply(plan.clone()).inapplicable(), Some(Inapplicable::OtherServer { .. })));
    assert_eq!(client.apply(plan.clone()).allow_other_server().inapplicable(), None);
    let apply = client.apply(plan).approved("0");
    let why = apply.inapplicable().unwrap();
    assert!(matches!(&why, Inapplicable::NotApproved { approved, .. } if approved == "0"));
    let error = apply.run().await.unwrap_err();
    assert_eq!(error.to_string(), why.to_string());
    assert_eq!(received(&sandbox), [""; 0]);
}

/// The reason for each guard: the damage of the same lists without it.
#[maybe_async]
#[test]
async fn without_guards_a_bad_list_does_damage() {
    let full = |users: &[ScimUser]| users.iter().map(|user| named(user, "Doe")).collect::<Vec<_>>();
    let active = |sandbox: &Sandbox| sandbox.users().iter().filter(|user| user["active"] != false).count();
    let policy = || Policy::new(&Profile::wats()).max_change_percent(100).max_alike_percent(100);
    for guard in ["empty", "truncated", "too many", "too large a share", "incomplete"] {
        let sandbox = Sandbox::builder().users(120).start().unwrap();
        let client = ScimClient::with_config(&config(&sandbox)).unwrap();
        let current = client.current_users().await.unwrap();
        let users = full(current.users());
        let (list, source, guarded, unguarded) = match guard {
            "empty" => (current, vec![], policy(), policy().allow_empty_source(120).max_deactivations(200)),
            "truncated" => (current, users[..90].to_vec(), policy(), policy().allow_truncated_source(30)),
            "too many" => {
                let half = users.iter().step_by(2).cloned().collect();
                (current, half, policy().max_deactivations(59), policy().max_deactivations(60))
            }
            "too large a share" => {
                let few = users.iter().step_by(3).cloned().collect();
                (current, few, policy(), policy())
            }
            _ => {
                let page = Current::page(client.get_users(&wats_scim::ListQuery::new().count(20)).await.unwrap());
                (page, users, policy(), policy().allow_incomplete_list().max_creation_percent(100))
            }
        };
        let refusal = guarded.plan(&list, &source).unwrap_err();
        assert_eq!((active(&sandbox), sandbox.users().len()), (120, 120));
        let plan = unguarded.max_deactivation_percent(100).plan(&list, &source).unwrap();
        assert_eq!(&plan, refusal.plan());
        let report = client.apply(plan).run().await.unwrap();
        match guard {
            "incomplete" => {
                // Only unique names keep the server from having a hundred users twice.
                let creations = report.problems.iter().filter(|step| step.step.action == Action::Create);
                assert_eq!(report.unneeded + creations.count(), 100);
            }
            _ => assert!(active(&sandbox) <= 90, "{guard}: {} are left", active(&sandbox)),
        }
    }
}

/// The number of users created before the first step of the plan, a stalled change, has its result.
#[maybe_async]
async fn created_meanwhile(stall: Duration) -> usize {
    let sandbox = Sandbox::builder().users(2).start().unwrap();
    let proxy = FaultProxy::before(sandbox.base_url()).unwrap();
    let config = ScimConfig::new(proxy.base_url(), Credentials::wats_token(sandbox.token())).retry(super::quick());
    let client = ScimClient::with_config(&config).unwrap();
    // The change comes first: its requests have a path of their own. Of several creations, any could be stalled. The
    // first user is the account of the credentials, which no plan changes.
    let change = ScimUser::new("user0002@example.com").with_name(wats_scim::ScimUserName::new("Ann", "Doe"));
    let desired: Vec<_> = [change].into_iter().chain((0..40).map(|n| ScimUser::new(format!("new{n:02}")))).collect();
    let current = client.current_users().await.unwrap();
    let plan = without_guards(client.profile()).leavers(Leavers::Keep).plan(&current, &desired).unwrap();
    let slow = plan.steps[0].id.clone().unwrap();
    proxy.add_rule(FaultRule::new(Fault::Stall(stall)).on_path(slow).times(1));
    let mut apply = client.apply(plan).in_flight(4);
    apply.try_next().await.unwrap().unwrap();
    sandbox.users().len()
}

#[maybe_async]
#[test]
async fn a_slow_step_does_not_delay_others() {
    let mut users = 0;
    for stall in STALLS {
        if users <= 36 {
            users = created_meanwhile(stall).await;
        }
    }
    assert!(users > 36, "{users} of 42");
}
