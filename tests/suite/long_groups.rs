//! Servers that show the members of a group in pages, or only the first ones.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use wats_scim::plan::{Desired, DesiredGroup, Plan};
use wats_scim::{ListQuery, MemberPages, Membership, Profile};
use wats_scim_sandbox::{StandardSandbox, StandardSandboxBuilder};

use super::answer;
use super::odd_groups::{AFTER, Client, NAMES, Odd, changed, client, desired, members, names, person, plan, policy};
use super::probing::error;
use crate::{maybe_async, test};

/// The directory with a group of the first five.
fn directory() -> StandardSandboxBuilder {
    let user = |name: &str| json!({ "id": name, "userName": name, "externalId": name });
    let members: Vec<_> = NAMES[..5].iter().map(|name| json!({ "value": name })).collect();
    let group = json!({ "id": "7", "displayName": "Testers", "externalId": "g", "members": members });
    StandardSandbox::builder().with_users(NAMES.map(user)).with_groups([group])
}

fn paged(pages: MemberPages) -> Profile {
    Profile::standard().with_membership(Membership::Paged(pages))
}

/// The reasons why nothing is planned for the group.
fn conflict(plan: &Plan) -> String {
    assert_eq!((plan.steps.len(), plan.conflicts.len()), (0, 1), "{plan}");
    plan.conflicts[0].reason.clone()
}

#[maybe_async]
#[test]
async fn members_in_pages_are_read_completely_and_the_next_plan_is_empty() {
    for page in [1, 2, 3, 100] {
        for (sandbox, pages) in [
            (directory().allow_members_endpoint(), MemberPages::Endpoint),
            (directory().allow_members_endpoint().omit_total(), MemberPages::Endpoint),
            (directory().allow_member_pages(), MemberPages::Attribute),
        ] {
            let sandbox = sandbox.page_cap(page).member_cap(1).start().unwrap();
            let report = changed(&sandbox, Odd::Not, paged(pages)).await;
            assert!(report.is_complete(), "{pages:?} {page}: {report}");
            assert_eq!(members(&sandbox), names(&AFTER), "{pages:?} {page}");
            let again = client(&sandbox, Odd::Not, paged(pages));
            let report = again.apply(plan(&again, &NAMES[..5]).await).check().run().await.unwrap();
            assert_eq!((report.planned, report.problems.len()), (2, 0), "{report}");
        }
    }
}

#[maybe_async]
#[test]
async fn pages_that_the_server_does_not_have_leave_the_group_in_conflict() {
    // It shows the same members for each page.
    let page = json!({ "Resources": [{ "value": "ann" }, { "value": "bob" }, { "value": "cy" }] }).to_string();
    let is_asked = |request: &http::Request<Vec<u8>>| request.uri().path().ends_with("/members");
    let same =
        move |request: &http::Request<Vec<u8>>| is_asked(request).then(|| answer(200, "application/json", &*page));
    for (sandbox, pages, why) in [
        (
            directory().respond_with(same),
            MemberPages::Endpoint,
            "the list is incomplete: the server returned 3 members",
        ),
        (directory(), MemberPages::Attribute, "the group does not show 5"),
        (directory(), MemberPages::Endpoint, "could not list members: the server answered 404"),
    ] {
        let sandbox = sandbox.start().unwrap();
        let client = client(&sandbox, Odd::Not, paged(pages));
        let reason = conflict(&plan(&client, &AFTER).await);
        assert!(reason.contains(why), "{reason}");
        assert_eq!(members(&sandbox), names(&NAMES[..5]));
    }
}

#[maybe_async]
#[test]
async fn a_page_does_not_show_that_a_member_of_another_page_is_gone() {
    // Removals are ignored, and the answer to one shows the first page.
    let shown = json!({ "id": "7", "displayName": "Testers", "members": [{ "value": "eve" }] }).to_string();
    let is_removal = |request: &http::Request<Vec<u8>>| {
        request.method() == http::Method::PATCH && String::from_utf8_lossy(request.body()).contains("remove")
    };
    let sandbox = directory().allow_members_endpoint().member_cap(1);
    let sandbox = sandbox
        .respond_with(move |request| is_removal(request).then(|| answer(200, "application/scim+json", &*shown)))
        .start()
        .unwrap();
    let client = client(&sandbox, Odd::Not, paged(MemberPages::Endpoint));
    let report = client.apply(plan(&client, &AFTER).await).run().await.unwrap();
    assert!(report.to_string().contains("not kept: the server still shows ann in the group"), "{report}");
}

#[maybe_async]
#[test]
async fn a_list_of_members_that_is_cut_is_not_taken_for_complete() {
    let standard = Profile::standard;
    for (odd, profile) in [
        (Odd::Not, standard()),
        (Odd::NoMembersInLists, standard()),
        (Odd::MembersOnlyInLists, standard()),
        // A known limit decides where users show no groups.
        (Odd::NoGroupsOfUsers, standard().with_member_limit(3)),
    ] {
        let sandbox = directory().member_cap(3).start().unwrap();
        let client = client(&sandbox, odd, profile);
        for wanted in [&AFTER[..], &NAMES[..5], &[]] {
            let plan = plan(&client, wanted).await;
            let reason = conflict(&plan);
            assert!(reason.starts_with("its members cannot be read: ") && reason.contains("a probe finds"), "{reason}");
        }
        assert_eq!(members(&sandbox), names(&NAMES[..5]));
    }
}

#[maybe_async]
#[test]
async fn a_group_that_is_emptied_is_read_back_without_a_filter() {
    let is_filtered = |request: &http::Request<Vec<u8>>| {
        request.uri().path().ends_with("/Groups") && request.uri().query().is_some_and(|query| query.contains("filter"))
    };
    let sandbox = directory()
        .patch_answers_204()
        .respond_with(move |request| is_filtered(request).then(|| error(400, "no filters")))
        .start()
        .unwrap();
    let client = client(&sandbox, Odd::Not, Profile::standard());
    let current = client.current_directory().await.unwrap();
    let policy = policy().max_groups_emptied(1).max_members_removed_percent(100);
    let report = client.apply(policy.plan(&current, &desired(&[])).unwrap()).run().await.unwrap();
    assert!(report.is_complete() && members(&sandbox).is_empty(), "{report}");
}

/// A group of 101 members, all of which the source wants.
#[maybe_async]
async fn of_101(odd: Odd, profile: Profile, cap: usize) -> Plan {
    let (ids, sandbox) = with_members(101);
    let sandbox = sandbox.member_cap(cap).start().unwrap();
    let client: Client = client(&sandbox, odd, profile);
    let users = ids.iter().map(|id| person(id)).collect();
    let names: Vec<&str> = ids.iter().map(String::as_str).collect();
    let groups = desired(&names).groups().unwrap_or_default().to_vec();
    policy().plan(&client.current_directory().await.unwrap(), &Desired::of_users(users).with_groups(groups)).unwrap()
}

/// A directory with so many users, and a group of all of them.
fn with_members(number: usize) -> (Vec<String>, StandardSandboxBuilder) {
    let ids: Vec<String> = (0..number).map(|id| id.to_string()).collect();
    let user = |id: &String| json!({ "id": id, "userName": id, "externalId": id });
    let value = |id: &String| json!({ "value": id });
    let group =
        json!({ "displayName": "Testers", "externalId": "g", "members": ids.iter().map(value).collect::<Value>() });
    let sandbox = StandardSandbox::builder().with_users(ids.iter().map(user)).with_groups([group]);
    (ids, sandbox)
}

#[maybe_async]
#[test]
async fn a_single_group_needs_the_users_only_if_it_may_have_other_members() {
    let why_cut = "the group does not show 1;";
    let why_round = "the group shows 100 members, which may be the most";
    for (number, cap, odd, reads_users, why) in [
        (99, 200, Odd::Not, false, None),
        (100, 200, Odd::Not, true, None),
        (100, 200, Odd::NoGroupsOfUsers, true, Some(why_round)),
        (101, 100, Odd::Not, true, Some(why_cut)),
    ] {
        let sandbox = with_members(number).1.member_cap(cap).start().unwrap();
        let client = client(&sandbox, odd, Profile::standard());
        let listed = client.groups().list(&ListQuery::new()).await.unwrap().resources;
        let current = client.current_groups(listed).await.unwrap();
        let found = current[0].why_unread().unwrap_or_default();
        assert!(why.map_or(found.is_empty(), |why| found.contains(why)), "{number}, {cap}: {found}");
        let has_read_users = sandbox.requests().iter().any(|request| request.target.contains("/Users"));
        assert_eq!(has_read_users, reads_users, "{number}, {cap}");
    }
}

#[maybe_async]
#[test]
async fn a_number_of_members_that_looks_like_a_limit_needs_the_users_to_confirm_it() {
    let standard = Profile::standard;
    let silent = Odd::NoGroupsOfUsers;
    let reason = conflict(&of_101(silent, standard(), 100).await);
    assert!(reason.contains("shows 100 members, which may be the most that the server shows"), "{reason}");
    // It is wrong here, and then the member is added again and again; nothing is removed.
    let plan = of_101(silent, standard().with_member_limit(None), 100).await;
    assert_eq!(plan.steps.iter().map(|step| step.members.len()).collect::<Vec<_>>(), [1], "{plan}");
    for (odd, cap) in [(silent, 101), (Odd::Not, 101)] {
        let plan = of_101(odd, standard(), cap).await;
        assert!(plan.is_empty() && plan.conflicts.is_empty(), "{plan}");
    }
}

#[maybe_async]
#[test]
async fn a_group_that_can_only_be_replaced_keeps_members_that_it_does_not_show() {
    let sandbox = directory().start().unwrap();
    let odd = Odd::NoPatchAndNoMembers;
    let discovered = client(&sandbox, odd, Profile::standard()).discover().await.unwrap();
    let measured = discovered.probe().allow_writes().run().await.unwrap();
    let client = client(&sandbox, odd, measured.profile());
    let report = client.apply(plan(&client, &AFTER).await).run().await.unwrap();
    assert!(report.to_string().contains("its groups do not show their members"), "{report}");
    let kept: BTreeSet<_> = members(&sandbox);
    assert_eq!(kept, names(&NAMES[..5]), "{report}");
}

#[maybe_async]
#[test]
async fn a_group_that_is_renamed_by_a_replacement_keeps_members_that_it_does_not_show() {
    let sandbox = directory().member_cap(3).allow_members_endpoint().start().unwrap();
    let discovered = client(&sandbox, Odd::NoPatch, Profile::standard()).discover().await.unwrap();
    let measured = discovered.probe().allow_writes().run().await.unwrap().profile();
    let cut = discovered.profile().clone().with_member_limit(3);
    let renamed = DesiredGroup::new("Fitters").with_external_id("g");
    let renamed = Desired::of_users(NAMES.map(person).to_vec()).with_groups(vec![renamed]);
    for (profile, outcome) in [(cut, "the server may not show all members of the group"), (measured, "1 applied")] {
        let client = client(&sandbox, Odd::NoPatch, profile);
        let plan = policy().plan(&client.current_directory().await.unwrap(), &renamed).unwrap();
        let report = client.apply(plan).run().await.unwrap();
        assert!(report.to_string().contains(outcome), "{report}");
        assert_eq!(members(&sandbox), names(&NAMES[..5]), "{report}");
    }
    assert_eq!(sandbox.groups()[0]["displayName"], "Fitters");
}

#[maybe_async]
#[test]
async fn members_are_removed_by_a_list_if_the_profile_says_so() {
    for (profile, path) in [
        (Profile::standard(), r#"members[value eq \"ann\"]"#),
        (Profile::standard().allow_removal_by_list(), r#""path":"members""#),
    ] {
        let sandbox = directory().start().unwrap();
        client(&sandbox, Odd::Not, profile).groups().remove_members("7", &["ann"]).await.unwrap();
        let requests = sandbox.requests();
        let body = String::from_utf8_lossy(&requests[0].body);
        assert!(requests.len() == 1 && body.contains(path) && body.contains("ann"), "{body}");
    }
}
