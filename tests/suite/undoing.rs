//! Taking back what an apply wrote.

use std::collections::HashSet;
use std::time::Duration;

use http::Method;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use wats_scim::plan::{Action, Desired, DesiredGroup, Guard, Journal, Leavers, Plan, Reference, StepState};
use wats_scim::{Credentials, ErrorKind, ScimConfig, ScimPatchRequest, ScimUser};
use wats_scim_sandbox::{Sandbox, StandardSandbox};

use super::applying::{any_user, directory};
use super::without_guards;
use super::{Server, client, quick};
use crate::{ScimClient, maybe_async, test};

#[maybe_async]
async fn standard(sandbox: &StandardSandbox) -> ScimClient {
    let config = ScimConfig::new(sandbox.scim_url(), Credentials::wats_token(sandbox.token())).retry(quick());
    ScimClient::with_config(&config).unwrap().discover().await.unwrap()
}

fn users(names: &[&str]) -> Vec<Value> {
    names.iter().map(|name| json!({ "id": name, "userName": name, "displayName": name, "active": true })).collect()
}

fn shown(name: &str, display_name: &str) -> ScimUser {
    ScimUser::new(name).with_display_name(display_name)
}

/// The users without what the server sets itself. A user without `active` can sign in.
fn states(sandbox: &dyn Server) -> Vec<Value> {
    let mut users = sandbox.users();
    for user in users.iter_mut().filter_map(Value::as_object_mut) {
        user.remove("meta");
        user.remove("schemas");
        user.entry("active").or_insert(true.into());
    }
    users
}

fn with_id<'a>(users: &'a [Value], id: &Value) -> Option<&'a Value> {
    users.iter().find(|user| user["id"] == *id)
}

/// The names of the users of which an undo says that something cannot be taken back.
fn listed(undo: &Plan) -> HashSet<&str> {
    let partly = undo.steps.iter().filter(|step| !step.left_out.is_empty()).map(|step| &*step.name);
    let conflicts = undo.conflicts.iter().map(|conflict| &*conflict.user);
    undo.inexpressible.iter().map(|user| &*user.user_name).chain(conflicts).chain(partly).collect()
}

#[maybe_async]
#[test]
async fn after_an_undo_all_users_are_as_before() {
    let mut runner = TestRunner::deterministic();
    let (mut restored, mut steps) = (0, 0);
    for case in 0..80 {
        let current = directory().new_tree(&mut runner).unwrap().current();
        let desired = proptest::collection::vec(any_user(), 0..10).new_tree(&mut runner).unwrap().current();
        let leavers = [Leavers::Deactivate, Leavers::Keep, Leavers::Delete][case % 3];
        let (wats, other) = (Sandbox::start().unwrap(), StandardSandbox::start().unwrap());
        let (sandbox, client): (&dyn Server, ScimClient) =
            if case % 2 == 0 { (&wats, client(&wats)) } else { (&other, standard(&other).await) };
        for user in &current {
            client.create_user(user).await.unwrap();
        }
        let clears = ["title", "name.givenName", "displayName"];
        let policy = without_guards(client.profile()).leavers(leavers).clears(clears).max_rename_percent(100);
        let plan = policy.plan(&client.current_users().await.unwrap(), &desired).unwrap();
        let before = states(sandbox);
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::at(folder.path().join("journal")).keep_before();
        let report = client.apply(plan.clone()).journal(journal.clone()).run().await.unwrap();
        assert!(report.is_complete(), "{report}");
        let applied = states(sandbox);

        let undo = policy.undo(&client.current_users().await.unwrap(), &journal.written().unwrap()).unwrap();
        let context = format!("case {case}\n{plan}\n\n{undo}\n{before:#?}\n{desired:#?}");
        let undo: Plan = serde_json::from_str(&serde_json::to_string(&undo).unwrap()).unwrap();
        let report = client.apply(undo.clone()).run().await.unwrap();
        assert!(report.is_complete(), "{report}\n{context}");

        let (after, listed) = (states(sandbox), listed(&undo));
        for old in &before {
            let Some(now) = with_id(&after, &old["id"]) else {
                assert!(listed.contains(old["userName"].as_str().unwrap()), "a deleted user is listed: {context}");
                continue;
            };
            let name = with_id(&applied, &old["id"]).unwrap()["userName"].as_str().unwrap();
            if !listed.contains(name) {
                let [old, now]: [ScimUser; 2] = [old, now].map(|user| serde_json::from_value(user.clone()).unwrap());
                let left = ScimPatchRequest::between(&now, &old).unwrap();
                assert_eq!(left.operations, [], "{context}");
                restored += 1;
            }
        }
        for new in after.iter().filter(|user| with_id(&before, &user["id"]).is_none()) {
            assert_eq!(new["active"], false, "a user that was created is deactivated: {context}");
        }
        // There is nothing left to undo, but for what is listed.
        let again = policy.undo(&client.current_users().await.unwrap(), &journal.written().unwrap()).unwrap();
        assert_eq!(again.steps, [], "{context}");
        steps += undo.steps.len();
    }
    assert!(restored > 100 && steps > 100, "{restored} {steps}");
}

#[maybe_async]
#[test]
async fn a_user_that_was_changed_meanwhile_is_left_alone() {
    let sandbox = StandardSandbox::builder().with_users(users(&["ann", "bob", "cy", "dee"])).start().unwrap();
    let client = standard(&sandbox).await;
    let policy = without_guards(client.profile());
    let desired = [shown("ann", "A"), shown("bob", "B"), shown("cy", "C"), shown("eve", "E"), shown("fay", "F")];
    let plan = policy.plan(&client.current_users().await.unwrap(), &desired).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::at(folder.path().join("journal")).keep_before();
    client.apply(plan).journal(journal.clone()).run().await.unwrap();
    let replace = |path: &str, value: &str| ScimPatchRequest::new().replace(path, value);
    client.update_user("ann", &replace("displayName", "Other")).await.unwrap();
    client.update_user("bob", &replace("nickName", "Bo")).await.unwrap();
    client.delete_user("cy").await.unwrap();
    let eve = client.get_user_by_username("eve").await.unwrap().unwrap();
    client.update_user(&eve, &replace("displayName", "Other")).await.unwrap();

    let undo = policy.undo(&client.current_users().await.unwrap(), &journal.written().unwrap()).unwrap();
    let mut steps: Vec<_> = undo.steps.iter().map(|step| (step.action, &*step.name)).collect();
    steps.sort_by_key(|(_, name)| *name);
    assert_eq!(steps, [(Action::Update, "bob"), (Action::Reactivate, "dee"), (Action::Deactivate, "fay")], "{undo}");
    let mut conflicts: Vec<_> =
        undo.conflicts.iter().map(|conflict| format!("{}: {}", conflict.user, conflict.reason)).collect();
    conflicts.sort();
    assert_eq!(
        conflicts,
        [
            "ann: the user has changed since the apply, in one of: displayName",
            "cy: the user no longer exists",
            "eve: the user has changed since it was created",
        ]
    );
    let report = client.apply(undo).run().await.unwrap();
    assert!(report.is_complete(), "{report}");
    let bob = client.get_user("bob").await.unwrap().unwrap();
    assert_eq!(
        (bob.display_name.as_deref(), bob.attributes.get("nickName").cloned()),
        (Some("bob"), Some(json!("Bo")))
    );
}

#[maybe_async]
#[test]
async fn an_undo_is_guarded_protects_and_can_be_undone() {
    let sandbox = Sandbox::builder().users(1).start().unwrap();
    let client = client(&sandbox);
    let desired: Vec<_> = (0..30).map(|n| ScimUser::new(format!("new{n:02}"))).collect();
    let policy = without_guards(client.profile()).leavers(Leavers::Keep).protect(["new00"]);
    let plan = policy.plan(&client.current_users().await.unwrap(), &desired).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let first = Journal::at(folder.path().join("first")).keep_before();
    client.apply(plan).journal(first.clone()).run().await.unwrap();
    let (current, written) = (client.current_users().await.unwrap(), first.written().unwrap());
    let refusal = policy.max_deactivations(20).undo(&current, &written).unwrap_err();
    assert_eq!((refusal.guard(), refusal.plan().steps.len()), (Guard::TooManyDeactivations, 29));

    let policy = without_guards(client.profile()).protect(["new00"]);
    let undo = policy.undo(&current, &written).unwrap();
    assert_eq!(undo.count(Action::Deactivate), 29);
    let second = Journal::at(folder.path().join("second")).keep_before();
    client.apply(undo).journal(second.clone()).run().await.unwrap();
    let redo = policy.undo(&client.current_users().await.unwrap(), &second.written().unwrap()).unwrap();
    assert_eq!(redo.count(Action::Reactivate), 29);
    client.apply(redo).run().await.unwrap();
    assert_eq!(sandbox.users().iter().filter(|user| user["active"] == false).count(), 0);
}

#[maybe_async]
#[test]
async fn of_an_interrupted_apply_only_what_was_done_is_undone() {
    for is_wats in [true, false] {
        let (wats, other) =
            (Sandbox::builder().users(40).start().unwrap(), StandardSandbox::builder().users(40).start().unwrap());
        let (sandbox, client): (&dyn Server, ScimClient) =
            if is_wats { (&wats, client(&wats)) } else { (&other, standard(&other).await) };
        let current = client.current_users().await.unwrap();
        let mut desired: Vec<_> = (0..10).map(|n| ScimUser::new(format!("new{n}"))).collect();
        desired.extend(current.users().iter().take(25).map(|user| {
            let name = wats_scim::ScimUserName::new("Jane", "Changed");
            ScimUser::new(user.user_name.clone().unwrap()).with_name(name)
        }));
        let policy = without_guards(client.profile());
        let plan = policy.plan(&current, &desired).unwrap();
        assert_eq!(plan.steps.len(), 50);
        let before = states(sandbox);
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::at(folder.path().join("journal")).keep_before();
        let mut apply = client.apply(plan.clone()).journal(journal.clone()).in_flight(1).buffer(0);
        for _ in 0..23 {
            apply.try_next().await.unwrap().unwrap();
        }
        drop(apply);
        // A write in flight is completed.
        let known = || journal.steps().unwrap().into_iter().filter_map(|step| step.state).collect::<Vec<_>>();
        let end = std::time::Instant::now() + Duration::from_secs(1);
        while known().contains(&StepState::Begun) && std::time::Instant::now() < end {
            std::thread::sleep(super::MS);
        }
        let done = known().len();
        assert!(done < 30, "{done}");
        let undo = policy.undo(&client.current_users().await.unwrap(), &journal.written().unwrap()).unwrap();
        assert!(undo.steps.len() <= done && undo.steps.len() >= 20, "{} of {done}\n{undo}", undo.steps.len());
        let report = client.apply(undo).run().await.unwrap();
        assert!(report.is_complete(), "{report}");
        let after = states(sandbox);
        assert_eq!(after[..before.len()], before);
        assert!(after[before.len()..].iter().all(|user| user["active"] == false));
    }
}

#[maybe_async]
#[test]
async fn a_step_of_which_the_outcome_is_unknown_is_undone_only_if_it_was_applied() {
    let sandbox = StandardSandbox::builder().with_users(users(&["ann", "bob"])).start().unwrap();
    let client = standard(&sandbox).await;
    let desired = [shown("ann", "A"), shown("bob", "B"), shown("cy", "C")];
    let policy = without_guards(client.profile());
    let plan = policy.plan(&client.current_users().await.unwrap(), &desired).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let journal = Journal::at(&path).keep_before();
    let mut text = format!("{{\"plan\":{},\"keepsBefore\":true}}\n", serde_json::to_string(&plan).unwrap());
    for (number, step) in plan.steps.iter().enumerate() {
        let before = if step.action == Action::Create { json!({}) } else { json!({ "displayName": step.name }) };
        for line in
            [json!({ "step": number, "state": "begun" }), json!({ "step": number, "state": "begun", "before": before })]
        {
            text = format!("{text}{line}\n");
        }
    }
    std::fs::write(&path, text).unwrap();
    // Of the three that were in flight, two were applied.
    client.update_user("ann", &ScimPatchRequest::new().replace("displayName", "A")).await.unwrap();
    client.create_user(&desired[2]).await.unwrap();
    let undo = policy.undo(&client.current_users().await.unwrap(), &journal.written().unwrap()).unwrap();
    let [step] = &undo.steps[..] else { panic!("{undo}") };
    assert_eq!((&*step.name, undo.unchanged), ("ann", 1));
    assert!(undo.conflicts[0].reason.ends_with("resume the apply first"), "{undo}");

    // Resumed, all of it is known.
    let report = client.apply(plan).journal(journal.clone()).run().await.unwrap();
    assert!(report.is_complete(), "{report}");
    let undo = policy.undo(&client.current_users().await.unwrap(), &journal.written().unwrap()).unwrap();
    assert_eq!((undo.steps.len(), undo.conflicts.len()), (3, 0), "{undo}");
}

#[maybe_async]
#[test]
async fn the_change_of_another_writer_is_not_taken_for_ours() {
    let sandbox = StandardSandbox::builder().with_users(users(&["ann"])).start().unwrap();
    let client = standard(&sandbox).await;
    let desired = [shown("ann", "A").with_attribute("title", "T")];
    let policy = without_guards(client.profile());
    let [whole, part] = [&["displayName", "title"][..], &["title"]];
    for done_by_another in [whole, part] {
        let plan = policy.plan(&client.current_users().await.unwrap(), &desired).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::at(folder.path().join("journal")).keep_before();
        let theirs = done_by_another.iter().fold(ScimPatchRequest::new(), |patch, path| {
            patch.replace(*path, if *path == "title" { "T" } else { "A" })
        });
        client.update_user("ann", &theirs).await.unwrap();
        client.apply(plan).journal(journal.clone()).run().await.unwrap();
        let undo = policy.undo(&client.current_users().await.unwrap(), &journal.written().unwrap()).unwrap();
        if done_by_another.len() == 2 {
            assert_eq!(undo.steps, [], "nothing was written");
            let back = ScimPatchRequest::new().replace("displayName", "ann").remove("title");
            client.update_user("ann", &back).await.unwrap();
        } else {
            client.apply(undo).run().await.unwrap();
            let ann = client.get_user("ann").await.unwrap().unwrap();
            assert_eq!(
                (ann.display_name.as_deref(), ann.attributes.get("title").cloned()),
                (Some("ann"), Some(json!("T")))
            );
        }
    }
}

#[maybe_async]
#[test]
async fn a_journal_keeps_what_a_deletion_loses_and_no_password() {
    let secret = "urn:acme:2.0:User";
    let mut held = users(&["ann", "bob"]);
    held[0]["password"] = "s3cret".into();
    held[0][secret] = json!({ "newPassword": "s3cret", "desk": "7" });
    let sandbox = StandardSandbox::builder().with_users(held).start().unwrap();
    let client = standard(&sandbox).await;
    let policy = without_guards(client.profile()).leavers(Leavers::Delete);
    let joe = shown("joe", "Joe").with_attribute("password", "s3cret");
    let plan = policy.plan(&client.current_users().await.unwrap(), &[shown("bob", "B"), joe]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let journal = Journal::at(&path).keep_before();
    let report = client.apply(plan).journal(journal.clone()).run().await.unwrap();
    assert!(report.is_complete(), "{report}");
    let text = std::fs::read_to_string(&path).unwrap();
    let before: Vec<Value> = text
        .lines()
        .skip(1)
        .filter_map(|line| serde_json::from_str::<Value>(line).unwrap().get("before").cloned())
        .collect();
    assert!(before.iter().any(|before| before["userName"] == "ann" && before["displayName"] == "ann"), "{before:?}");
    assert!(!json!(before).to_string().contains("s3cret"), "{before:?}");
    let undo = policy.undo(&client.current_users().await.unwrap(), &journal.written().unwrap()).unwrap();
    assert_eq!(
        (&*undo.inexpressible[0].user_name, &*undo.inexpressible[0].left_out[0]),
        ("ann", "the user was deleted")
    );
    assert_eq!(undo.steps.len(), 2);
    assert_eq!(sandbox.requests().iter().filter(|request| request.method == Method::DELETE).count(), 1);
}

#[maybe_async]
#[test]
async fn a_journal_without_old_values_says_how_to_keep_them() {
    let sandbox = Sandbox::builder().users(1).start().unwrap();
    let client = client(&sandbox);
    let policy = without_guards(client.profile()).leavers(Leavers::Keep);
    let plan = policy.plan(&client.current_users().await.unwrap(), &[ScimUser::new("jane")]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::at(folder.path().join("journal"));
    assert_eq!(journal.written().unwrap(), wats_scim::plan::Written::default());
    client.apply(plan).journal(journal.clone()).run().await.unwrap();
    let error = journal.keep_before().written().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Journal);
    assert!(error.to_string().contains("use Journal::keep_before for the next one"), "{error}");
}

#[maybe_async]
#[test]
async fn a_manager_is_taken_back_and_what_was_done_with_groups_is_listed() {
    let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let mut held = users(&["ann", "bob"]);
    held[1][enterprise] = json!({ "manager": { "value": "ann" } });
    let sandbox = StandardSandbox::builder().with_users(held).start().unwrap();
    let client = standard(&sandbox).await;
    let person = |name: &str| {
        let user = json!({ "userName": name, enterprise: { "manager": { "userName": "boss" } } });
        serde_json::from_value::<ScimUser>(user).unwrap()
    };
    let testers = DesiredGroup::new("Testers").with_members([Reference::user_name("boss")]);
    let desired =
        Desired::of_users(vec![person("ann"), person("bob"), ScimUser::new("boss")]).with_groups(vec![testers]);
    let policy = without_guards(client.profile());
    let plan = policy.plan(&client.current_directory().await.unwrap(), &desired).unwrap();
    let before = states(&sandbox);
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::at(folder.path().join("journal")).keep_before();
    let report = client.apply(plan).journal(journal.clone()).run().await.unwrap();
    assert!(report.is_complete(), "{report}");
    let undo = policy.undo(&client.current_users().await.unwrap(), &journal.written().unwrap()).unwrap();
    assert_eq!((undo.steps.len(), undo.conflicts.len(), undo.inexpressible.len()), (3, 0, 2), "{undo}");
    let report = client.apply(undo).run().await.unwrap();
    assert!(report.is_complete(), "{report}");
    for (old, now) in before.iter().zip(states(&sandbox)) {
        let manager = |user: &Value| user[enterprise]["manager"]["value"].clone();
        assert_eq!(manager(old), manager(&now), "{now}");
    }
}
