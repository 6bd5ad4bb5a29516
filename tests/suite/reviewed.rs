//! Plans that were reviewed: what is applied is what was approved, and all of it can be sent.

use serde_json::json;
use wats_scim::audit::{Log, Trail};
use wats_scim::import::directory_from_json_file;
use wats_scim::plan::{Action, Current, Desired, DesiredGroup, Journal, Origin, Plan, Policy, Reference};
use wats_scim::{Credentials, Error, ErrorKind, Profile, Schemas, ScimConfig, ScimGroup, ScimUser};
use wats_scim_sandbox::{Sandbox, StandardSandbox};

use super::{client, config, received};
use crate::{ScimClient, maybe_async, test};

fn invalid(error: &Error) -> String {
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    error.to_string()
}

fn client_of(sandbox: &StandardSandbox) -> ScimClient {
    let config = ScimConfig::new(sandbox.scim_url(), Credentials::wats_token(sandbox.token()));
    ScimClient::with_config(&config).unwrap()
}

fn plan_of(users: &[ScimUser]) -> Plan {
    Policy::new(&Profile::standard()).plan(&Current::complete(Vec::new()), users).unwrap()
}

fn stored(plan: &Plan) -> Plan {
    serde_json::from_str(&serde_json::to_string(plan).unwrap()).unwrap()
}

#[maybe_async]
#[test]
async fn only_the_approved_plan_is_applied() {
    let sandbox = Sandbox::start().unwrap();
    let client = client(&sandbox);
    let reviewed = plan_of(&[ScimUser::new("ann")]);
    let other = plan_of(&[ScimUser::new("ann"), ScimUser::new("mallory")]);
    let error = client.apply(other).approved(reviewed.digest()).run().await.unwrap_err();
    let text = invalid(&error);
    assert!(text.contains(&format!("the plan with the digest {} is approved", reviewed.digest())), "{text}");
    assert_eq!(received(&sandbox).len(), 0);
    let digest = format!(" {}\n", reviewed.digest().to_uppercase());
    let report = client.apply(stored(&reviewed)).approved(digest).run().await.unwrap();
    assert_eq!(report.applied, 1);
}

#[maybe_async]
#[test]
async fn a_user_is_not_created_without_the_password_that_was_not_stored() {
    let sandbox = StandardSandbox::start().unwrap();
    let client = client_of(&sandbox);
    let desired = [ScimUser::new("ann"), ScimUser::new("jane").with_attribute("password", "s3cret")];
    let plan = plan_of(&desired);
    let error = client.apply(stored(&plan)).run().await.unwrap_err();
    assert!(invalid(&error).contains("set them with Plan::with_passwords"), "{error}");
    assert_eq!(received(&sandbox).len(), 0);

    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::at(folder.path().join("journal"));
    let mut apply = client.apply(plan.clone()).journal(journal.clone()).in_flight(1).buffer(0);
    apply.try_next().await.unwrap().unwrap();
    drop(apply);
    let resumed = journal.plan().unwrap().unwrap();
    assert!(!std::fs::read_to_string(journal.path()).unwrap().contains("s3cret"));
    let report = loop {
        let resumed = resumed.clone().with_passwords([("jane", "s3cret")]);
        match client.apply(resumed).journal(journal.clone()).run().await {
            Ok(report) => break report,
            Err(error) => assert!(error.to_string().ends_with("is in use by another apply"), "{error}"),
        }
    };
    assert!(report.is_complete(), "{report}");
    let sent: Vec<_> = sandbox.requests().iter().map(|sent| String::from_utf8_lossy(&sent.body).into_owned()).collect();
    assert_eq!(sent.iter().filter(|body| body.contains("s3cret")).count(), 1);
    // All of it is done, so no password is needed.
    let report = client.apply(resumed).journal(journal).run().await.unwrap();
    assert_eq!(report.done_before, 2);
}

#[maybe_async]
#[test]
async fn a_plan_that_the_server_would_reject_is_not_sent() {
    let sandbox = StandardSandbox::start().unwrap();
    let client = client_of(&sandbox);
    let schemas = client.schemas().await.unwrap();
    let user = |json| serde_json::from_value::<ScimUser>(json).unwrap();
    let good = user(json!({ "userName": "ann", "title": "Dr" }));
    let bad = user(json!({ "userName": "bob", "title": 7, "name": { "familyName": ["B"] } }));
    sandbox.clear_requests();
    let error = client.apply(plan_of(&[good.clone(), bad])).schemas(&schemas).run().await.unwrap_err();
    let text = invalid(&error);
    assert!(text.contains("step 2, bob, would be rejected: ") && text.contains("title must be text"), "{text}");
    assert_eq!(received(&sandbox).len(), 0);
    let report = client.apply(plan_of(&[good])).schemas(&schemas).run().await.unwrap();
    assert_eq!(report.applied, 1);
}

#[maybe_async]
#[test]
async fn a_step_that_the_profile_does_not_support_fails_without_a_request() {
    let sandbox = Sandbox::builder().users(1).start().unwrap();
    let client = super::client(&sandbox);
    let groups = vec![DesiredGroup::new("Testers").with_members([Reference::user_name("ann")])];
    let desired = Desired::of_users(vec![ScimUser::new("ann")]).with_groups(groups);
    let current = Current::complete(Vec::new()).with_groups(Vec::new());
    let plan = Policy::new(client.profile()).plan(&current, &desired).unwrap();
    let unsupported = "a WATS server does not support groups";
    let dry = client.apply(plan.clone()).dry_run().run().await.unwrap();
    assert_eq!((dry.planned, dry.problems.len()), (1, 2), "{dry}");
    assert!(dry.to_string().contains(unsupported), "{dry}");
    let error = client.apply(plan.clone()).schemas(&Schemas::default()).run().await.unwrap_err();
    assert!(invalid(&error).contains(unsupported), "{error}");
    assert_eq!(received(&sandbox).len(), 0);
    let report = client.apply(plan).run().await.unwrap();
    assert_eq!((report.applied, report.problems.len()), (1, 2), "{report}");
    assert!(received(&sandbox).iter().all(|sent| !sent.contains("Groups")));
}

#[maybe_async]
#[test]
async fn a_step_of_a_group_names_its_row_in_the_report_the_journal_and_the_trail() {
    let sandbox = StandardSandbox::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let [source, trail, journal] = ["directory.json", "trail", "journal"].map(|name| folder.path().join(name));
    let groups = "{\"displayName\":\"Makers\"},\n{\"displayName\":\"Testers\",\"members\":[{\"userName\":\"ann\"}]}";
    std::fs::write(&source, format!("{{\"users\":[{{\"userName\":\"ann\"}}],\"groups\":[\n{groups}]}}")).unwrap();
    let row = |line: u32| format!("{}:{line}", source.display());
    let desired = directory_from_json_file(&source).unwrap();

    let config = ScimConfig::new(sandbox.scim_url(), Credentials::wats_token(sandbox.token()));
    let client = ScimClient::with_config(&config.audit(Trail::to(Log::append(&trail).unwrap()))).unwrap();
    let current = client.current_directory().await.unwrap();
    let plan = Policy::new(client.profile()).plan(&current, &desired).unwrap();
    // Another group has its externalId by now.
    client.groups().create(&ScimGroup::new("Makers").with_external_id("7")).await.unwrap();
    let mut plan = plan;
    plan.steps.iter_mut().filter(|step| step.name == "Makers").for_each(|step| step.external_id = Some("8".into()));
    let report = client.apply(plan).journal(Journal::at(&journal)).run().await.unwrap();
    assert_eq!(report.problems.len(), 1, "{report}");
    assert!(report.to_string().contains(&row(2)), "{report}");
    let steps = Journal::at(&journal).steps().unwrap();
    let of_groups = steps.iter().filter(|step| step.step.action != Action::Create);
    let origins: Vec<_> = of_groups.map(|step| (step.step.name.as_str(), step.step.origin.clone())).collect();
    let origin = |line| Some(Origin::row(Some(&source.display().to_string()), line));
    assert_eq!(origins, [("Makers", origin(2)), ("Testers", origin(3)), ("Testers", origin(3))]);
    let events: Vec<_> = Trail::read(&trail).unwrap().map(|event| event.unwrap()).collect();
    let of_testers = events.iter().filter(|event| event.origin.as_deref() == Some(&*row(3)));
    assert_eq!(of_testers.count(), 4, "a creation and a change, each begun and ended: {events:?}");
}

#[maybe_async]
#[test]
async fn a_step_names_its_row_in_the_report_the_journal_and_the_trail() {
    let sandbox = Sandbox::builder().users(1).start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let [source, trail, journal] = ["people.json", "trail", "journal"].map(|name| folder.path().join(name));
    std::fs::write(&source, "{\"users\":[{\"userName\":\"ann\"},\n{\"userName\":\"bob\",\"externalId\":\"9\"}]}\n")
        .unwrap();
    let row = |line: u32| format!("{}:{line}", source.display());
    let desired = directory_from_json_file(&source).unwrap();

    let audit = Trail::to(Log::append(&trail).unwrap());
    let client = ScimClient::with_config(&config(&sandbox).audit(audit)).unwrap();
    client.create_user(&ScimUser::new("bob").with_external_id("8")).await.unwrap();
    let policy = Policy::new(client.profile());
    let plan = policy.plan(&Current::complete(Vec::new()), &desired).unwrap();
    let explained = policy.explain(&Current::complete(Vec::new()), &desired, "ANN").to_string();
    assert!(explained.contains(&format!("in the source: ann, {}", row(1))), "{explained}");
    let report = client.apply(plan).journal(Journal::at(&journal)).run().await.unwrap();
    let problems = serde_json::to_value(&report).unwrap();
    assert!(report.to_string().contains(&row(2)), "{report}");
    assert_eq!(problems["problems"][0]["origin"]["line"], 2);
    let steps = Journal::at(&journal).steps().unwrap();
    assert_eq!(steps[1].step.origin, Some(Origin::row(Some(&source.display().to_string()), 2)));
    let origins: Vec<_> = Trail::read(&trail).unwrap().map(|event| event.unwrap().origin).collect();
    assert_eq!(origins.iter().flatten().collect::<std::collections::BTreeSet<_>>().len(), 2, "{origins:?}");
    assert_eq!((&origins[0], origins.iter().flatten().filter(|origin| **origin == row(1)).count()), (&None, 2));
}
