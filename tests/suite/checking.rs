//! What an apply would do, has done, and has not done.

use http::Method;
use serde_json::{Value, json};
use wats_scim::plan::{Action, Desired, DesiredGroup, Journal, Leavers, NotKept, Outcome, Reference};
use wats_scim::{Credentials, Profile, ScimConfig, ScimPatchRequest, ScimUser};
use wats_scim_sandbox::{Sandbox, StandardSandbox};

use super::without_guards;
use super::{Server, answer, client, quick};
use crate::{ScimClient, maybe_async, test};

fn users(names: &[&str]) -> Vec<Value> {
    names.iter().map(|name| json!({ "id": name, "userName": name, "displayName": name, "active": true })).collect()
}

fn shown(name: &str, display_name: &str) -> ScimUser {
    ScimUser::new(name).with_display_name(display_name)
}

fn standard(sandbox: &dyn Server) -> ScimClient {
    let config = ScimConfig::new(sandbox.scim_url(), Credentials::wats_token(sandbox.token())).retry(quick());
    ScimClient::with_config(&config.profile(Profile::standard())).unwrap()
}

fn writes(sandbox: &dyn Server) -> usize {
    sandbox.requests().iter().filter(|request| request.method != Method::GET).count()
}

#[maybe_async]
#[test]
async fn a_check_says_what_an_apply_would_do_and_writes_nothing() {
    let sandbox = StandardSandbox::builder().with_users(users(&["ann", "bob", "cy", "dee", "eve"])).start().unwrap();
    let client = standard(&sandbox);
    let desired = [shown("ann", "A"), shown("bob", "B"), shown("cy", "C"), shown("fay", "F"), shown("gus", "G")];
    let policy = without_guards(client.profile()).leavers(Leavers::Delete);
    let plan = policy.plan(&client.current_users().await.unwrap(), &desired).unwrap();
    let replace = |value: &str| ScimPatchRequest::new().replace("displayName", value);
    client.update_user("bob", &replace("B")).await.unwrap();
    client.update_user("cy", &replace("another")).await.unwrap();
    client.delete_user("dee").await.unwrap();
    client.create_user(&shown("fay", "F")).await.unwrap();
    let (folder, before) = (tempfile::tempdir().unwrap(), sandbox.users());
    let path = folder.path().join("journal");
    sandbox.clear_requests();

    let mut checked = client.apply(plan.clone()).journal(Journal::at(&path)).check();
    let mut outcomes = Vec::new();
    while let Some(step) = checked.try_next().await.unwrap() {
        outcomes.push((step.step.name, step.outcome));
    }
    let is =
        |name: &str, outcome: fn(&Outcome) -> bool| outcomes.iter().any(|(known, done)| known == name && outcome(done));
    let [planned, unneeded]: [fn(&Outcome) -> bool; 2] =
        [|outcome| matches!(outcome, Outcome::Planned), |outcome| matches!(outcome, Outcome::Unneeded)];
    assert!(is("ann", planned) && is("gus", planned) && is("eve", planned), "{outcomes:?}");
    assert!(is("bob", unneeded) && is("dee", unneeded) && is("fay", unneeded), "{outcomes:?}");
    assert!(is("cy", |outcome| matches!(outcome, Outcome::Skipped(_))), "{outcomes:?}");
    assert_eq!((writes(&sandbox), sandbox.users(), path.exists()), (0, before, false));

    let (report, done) =
        (client.apply(plan.clone()).check().run().await.unwrap(), client.apply(plan).run().await.unwrap());
    assert_eq!((report.planned, report.unneeded, report.problems.len()), (done.applied, done.unneeded, 1), "{report}");
    assert!(!report.is_complete());
}

#[maybe_async]
#[test]
async fn a_verification_names_what_differs_from_the_plan() {
    let mut held = users(&["ann", "bob", "cy", "dee"]);
    for user in &mut held {
        user["name"] = json!({ "givenName": "A", "familyName": "B" });
    }
    let wats = Sandbox::builder().with_users(held.clone()).start().unwrap();
    let other = StandardSandbox::builder().with_users(held).start().unwrap();
    for (sandbox, client) in [(&wats as &dyn Server, client(&wats)), (&other, standard(&other))] {
        let named =
            |name: &str, family: &str| ScimUser::new(name).with_name(wats_scim::ScimUserName::new(name, family));
        let desired = [named("ann", "Doe"), named("bob", "Doe"), named("eve", "Doe"), named("fay", "Doe")];
        let policy = without_guards(client.profile()).leavers(Leavers::Delete);
        let plan = policy.plan(&client.current_users().await.unwrap(), &desired).unwrap();
        let before = client.apply(plan.clone()).verify().run().await.unwrap();
        assert_eq!((before.problems.len(), before.is_complete()), (6, false), "{before}");
        assert!(before.to_string().starts_with("0 applied, 6 not as planned\n"), "{before}");

        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::at(folder.path().join("journal"));
        let report = client.apply(plan.clone()).journal(journal.clone()).run().await.unwrap();
        assert!(report.is_complete(), "{report}");
        let after = client.apply(plan.clone()).journal(journal.clone()).verify().run().await.unwrap();
        assert_eq!((after.unneeded, after.is_complete()), (6, true), "{after}");

        // Others have changed it since.
        let path = if sandbox.scim_url().contains("/api/") { "familyName" } else { "name.familyName" };
        client.update_user("ann", &ScimPatchRequest::new().replace(path, "Roe")).await.unwrap();
        let fay = client.get_user_by_username("fay").await.unwrap().unwrap();
        client.delete_user(&fay.id.unwrap()).await.unwrap();
        client.delete_user("bob").await.unwrap();
        let written = writes(sandbox);
        let report = client.apply(plan).journal(journal).verify().run().await.unwrap();
        let differing: Vec<_> =
            report.problems.iter().map(|problem| format!("{}: {}", problem.step.name, problem.outcome)).collect();
        let expected = [
            "ann: differs: name.familyName",
            "bob: differs: the user no longer exists",
            "fay: differs: the user does not exist",
        ];
        assert_eq!((differing, writes(sandbox)), (expected.map(str::to_owned).to_vec(), written));
    }
}

#[maybe_async]
#[test]
async fn what_a_server_did_not_keep_is_not_proposed_again() {
    // The server drops each nickName.
    let sandbox = StandardSandbox::builder().with_users(users(&["ann"])).start().unwrap();
    let dropping = StandardSandbox::builder()
        .with_users(users(&["ann"]))
        .respond_with(|request| {
            let is_patch = request.method() == Method::PATCH;
            let shown = || json!({ "id": "ann", "userName": "ann", "displayName": "ann", "active": true }).to_string();
            is_patch.then(|| answer(200, "application/scim+json", shown()))
        })
        .start()
        .unwrap();
    let client = standard(&dropping);
    let desired = [ScimUser::new("ann").with_attribute("nickName", "A")];
    let policy = without_guards(client.profile());
    let plan = policy.plan(&client.current_users().await.unwrap(), &desired).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::at(folder.path().join("journal"));
    let report = client.apply(plan).journal(journal.clone()).run().await.unwrap();
    let lost = report.not_kept();
    assert!(!lost.is_empty());
    assert_eq!(journal.not_kept().unwrap(), lost);
    let lost: NotKept = serde_json::from_str(&serde_json::to_string(&lost).unwrap()).unwrap();

    let current = client.current_users().await.unwrap();
    let next = policy.plan(&current, &desired).unwrap().without_not_kept(&lost);
    assert_eq!(next.steps, []);
    assert_eq!(next.inexpressible[0].left_out, ["nickName: the server did not keep it"]);
    // Another value may be kept, and another attribute is not concerned.
    let other = [ScimUser::new("ann").with_attribute("nickName", "B")];
    assert_eq!(policy.plan(&current, &other).unwrap().without_not_kept(&lost).steps.len(), 1);
    let more = [desired[0].clone().with_display_name("Ann")];
    let next = policy.plan(&current, &more).unwrap().without_not_kept(&lost);
    let client = standard(&sandbox);
    let report = client.apply(next).allow_other_server().run().await.unwrap();
    assert!(report.is_complete(), "{report}");
    assert_eq!((&sandbox.users()[0]["displayName"], sandbox.users()[0].get("nickName")), (&json!("Ann"), None));
}

#[maybe_async]
#[test]
async fn rejects_are_mended_and_planned_without_new_leavers() {
    let sandbox = Sandbox::builder().users(30).start().unwrap();
    let client = client(&sandbox);
    let current = client.current_users().await.unwrap();
    let mut desired = vec![ScimUser::new("jane").with_external_id("1"), ScimUser::new("joe"), ScimUser::new("jim")];
    desired.extend(current.users().iter().skip(2).map(|user| ScimUser::new(user.user_name.clone().unwrap())));
    let plan = without_guards(client.profile()).plan(&current, &desired).unwrap();
    assert_eq!((plan.count(Action::Create), plan.count(Action::Deactivate)), (3, 2));
    client.create_user(&ScimUser::new("jane").with_external_id("2")).await.unwrap();
    // The first problem ends the apply: the others are not begun.
    let report = client.apply(plan).in_flight(1).stop_after(1).run().await.unwrap();
    assert_eq!((report.problems.len(), report.not_begun), (1, 4), "{report}");
    let mut rejects = report.rejects();
    let names: Vec<_> = rejects.iter().map(|user| user.user_name.as_deref().unwrap()).collect();
    assert_eq!(names, ["jane", "joe", "jim"], "the two leavers are not of the source");

    rejects[0].user_name = Some("jane.doe".to_owned());
    let policy = without_guards(client.profile()).leavers(Leavers::Keep);
    let plan = policy.plan(&client.current_users().await.unwrap(), &rejects).unwrap();
    assert_eq!((plan.steps.len(), plan.count(Action::Create)), (3, 3), "{plan}");
    let report = client.apply(plan).run().await.unwrap();
    assert!(report.is_complete(), "{report}");
    assert_eq!(sandbox.users().iter().filter(|user| user["active"] == false).count(), 0);
}

#[maybe_async]
#[test]
async fn groups_and_new_managers_are_checked_and_verified() {
    let sandbox = StandardSandbox::builder().with_users(users(&["ann"])).start().unwrap();
    let client = standard(&sandbox).discover().await.unwrap();
    let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let ann = json!({ "userName": "ann", enterprise: { "manager": { "userName": "boss" } } });
    let people = vec![serde_json::from_value::<ScimUser>(ann).unwrap(), ScimUser::new("boss")];
    let testers = DesiredGroup::new("Testers").with_members(["ann", "boss"].map(Reference::user_name));
    let desired = Desired::of_users(people).with_groups(vec![testers]);
    let policy = without_guards(client.profile()).leavers(Leavers::Keep);
    let plan = policy.plan(&client.current_directory().await.unwrap(), &desired).unwrap();
    let steps = plan.steps.len();
    assert_eq!((steps, plan.count(Action::AddMembers)), (4, 1), "{plan}");
    let before = client.apply(plan.clone()).verify().run().await.unwrap();
    let checked = client.apply(plan.clone()).check().run().await.unwrap();
    assert_eq!((before.problems.len(), checked.planned), (steps, steps), "{before}\n{checked}");

    let report = client.apply(plan.clone()).run().await.unwrap();
    assert!(report.is_complete(), "{report}");
    let verified = client.apply(plan.clone()).verify().run().await.unwrap();
    let checked = client.apply(plan.clone()).check().run().await.unwrap();
    assert_eq!((verified.unneeded, checked.unneeded), (steps, steps), "{verified}\n{checked}");

    let group = sandbox.groups()[0]["id"].as_str().unwrap().to_owned();
    client.groups().remove_members(&group, &["ann"]).await.unwrap();
    let verified = client.apply(plan).verify().run().await.unwrap();
    assert_eq!(verified.problems.len(), 1, "{verified}");
    assert!(verified.to_string().ends_with("differs: members are missing from the group"), "{verified}");
}
