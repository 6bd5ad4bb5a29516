use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::config::Profile;
use crate::model::{ScimGroup, ScimUser};
use crate::plan::{Action, Current, CurrentGroup, Desired, DesiredGroup, Origin, Plan, Policy, Reference};

fn user(name: &str) -> ScimUser {
    serde_json::from_value(json!({ "id": format!("id-{name}"), "userName": name, "externalId": name, "active": true }))
        .unwrap()
}

fn group(name: &str, members: &Value) -> CurrentGroup {
    let group = json!({ "id": format!("id-{name}"), "displayName": name, "externalId": name, "members": members });
    CurrentGroup::complete(serde_json::from_value::<ScimGroup>(group).unwrap())
}

fn ids(names: &[&str]) -> Value {
    names.iter().map(|name| json!({ "value": format!("id-{name}") })).collect()
}

/// The users ann, bob and cy with these groups.
fn current(groups: Vec<CurrentGroup>) -> Current {
    Current::complete(["ann", "bob", "cy"].map(user).to_vec()).with_groups(groups)
}

/// Ann, bob and cy, with these groups.
fn desired(groups: Vec<DesiredGroup>) -> Desired {
    let users = ["ann", "bob", "cy"].map(|name| ScimUser::new(name).with_external_id(name));
    Desired::of_users(users.to_vec()).with_groups(groups)
}

fn wanted(name: &str, members: &[Reference]) -> DesiredGroup {
    DesiredGroup::new(name).with_external_id(name).with_members(members.iter().cloned())
}

fn policy() -> Policy {
    Policy::new(&Profile::standard()).max_groups_emptied(9).max_members_removed_percent(100)
}

/// What is done with the members of each group: `+ann` and `-bob`.
fn moves(plan: &Plan) -> BTreeMap<String, Vec<String>> {
    let mut moves: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for step in &plan.steps {
        let sign = if step.action == Action::RemoveMembers { '-' } else { '+' };
        let names = step.members.iter().map(|member| format!("{sign}{member}"));
        moves.entry(step.name.clone()).or_default().extend(names);
    }
    moves
}

fn conflicts(plan: &Plan) -> Vec<String> {
    plan.conflicts.iter().map(|conflict| format!("{}: {}", conflict.user, conflict.reason)).collect()
}

#[test]
fn groups_that_contain_each_other_are_in_conflict_and_others_are_not() {
    let inner = |name: &str| Reference::group(name);
    let groups =
        vec![wanted("A", &[inner("B")]), wanted("B", &[inner("a")]), wanted("C", &[Reference::user_name("ann")])];
    let plan = policy().plan(&current(vec![]), &desired(groups)).unwrap();
    assert_eq!(conflicts(&plan).len(), 2, "{plan}");
    assert!(conflicts(&plan).iter().all(|why| why.ends_with("it contains itself, or a group that does")), "{plan}");
    assert_eq!(moves(&plan), BTreeMap::from([("C".to_owned(), vec!["+ann".to_owned()])]));
}

#[test]
fn a_group_with_an_unknown_member_is_left_as_it_is() {
    let held = vec![group("A", &ids(&["ann", "bob"]))];
    // A misspelled bob must not be removed.
    let plan = policy().plan(&current(held), &desired(vec![wanted("A", &[Reference::user_name("bib")])])).unwrap();
    assert_eq!(plan.steps, [], "{plan}");
    assert_eq!(conflicts(&plan), ["group A: its member bib is neither in the source nor on the server"]);
}

#[test]
fn only_members_that_the_source_owns_are_removed() {
    let members = json!([
        { "value": "id-ann" }, { "value": "id-bob" }, { "value": "unknown" }, { "value": "id-by-hand" }, { "value": "id-B" },
        { "value": "id-root" },
    ]);
    let by_hand: ScimUser = serde_json::from_value(json!({ "id": "id-by-hand", "userName": "by-hand" })).unwrap();
    let users = [user("ann"), user("bob"), user("root"), by_hand].to_vec();
    let held = Current::complete(users).with_groups(vec![group("A", &members), group("B", &ids(&[]))]);
    let policy = policy().protect(["root"]).leavers(crate::plan::Leavers::Keep);
    let source = Desired::of_users(["ann", "bob"].map(|name| ScimUser::new(name).with_external_id(name)).to_vec())
        .with_groups(vec![wanted("A", &[Reference::user_name("ann")])]);
    let plan = policy.plan(&held, &source).unwrap();
    // The nested group has an external id, as groups of the source have.
    assert_eq!(moves(&plan)["A"], ["-bob", "-B"], "{plan}");
}

#[test]
fn groups_in_a_group_stay_if_the_source_cannot_name_them() {
    let held = current(vec![group("A", &ids(&["ann", "bob", "B"])), group("B", &ids(&[]))]);
    let a = wanted("A", &[Reference::user_name("ann")]);
    let plan = |a| policy().plan(&held, &desired(vec![a, wanted("B", &[])])).unwrap();
    assert_eq!(moves(&plan(a.clone()))["A"], ["-bob", "-B"]);
    assert_eq!(moves(&plan(a.keeping_groups()))["A"], ["-bob"]);
}

#[test]
fn a_member_in_conflict_is_not_removed() {
    let held = current(vec![group("A", &ids(&["ann", "bob"]))]);
    let twice = Desired::of_users(vec![
        ScimUser::new("ann").with_external_id("ann"),
        ScimUser::new("bob").with_external_id("bob"),
        ScimUser::new("bob2").with_external_id("bob"),
        ScimUser::new("cy").with_external_id("cy"),
    ]);
    let plan = policy().plan(&held, &twice.with_groups(vec![wanted("A", &[Reference::user_name("ann")])])).unwrap();
    assert!(moves(&plan).is_empty() && plan.conflicts.len() == 2, "{plan}");
}

#[test]
fn nested_groups_are_kept_or_replaced_by_their_members() {
    let groups = || {
        let inner = wanted("B", &[Reference::user_name("bob"), Reference::user_name("ann")]);
        let held = Reference::external_id("C").to_group();
        vec![wanted("A", &[Reference::user_name("ann"), Reference::group("B"), held]), inner]
    };
    let held = || current(vec![group("A", &ids(&["B"])), group("B", &ids(&["ann", "bob"])), group("C", &ids(&["cy"]))]);
    let kept = policy().plan(&held(), &desired(groups())).unwrap();
    assert_eq!(moves(&kept), BTreeMap::from([("A".to_owned(), vec!["+ann".to_owned(), "+C".to_owned()])]), "{kept}");
    let flat = policy().flattens_groups(true).plan(&held(), &desired(groups())).unwrap();
    assert_eq!(moves(&flat)["A"], ["+ann", "+bob", "+id id-cy", "-B"], "{flat}");
}

#[test]
fn a_group_is_not_flattened_if_the_members_of_a_nested_one_cannot_be_read() {
    let unread = CurrentGroup::unread(group("B", &ids(&["bob"])).group().clone(), "they are hidden");
    let held = current(vec![group("A", &ids(&["ann", "cy"])), unread]);
    let source = desired(vec![wanted("A", &[Reference::user_name("ann"), Reference::group("B")])]);
    let plan = policy().flattens_groups(true).plan(&held, &source).unwrap();
    assert_eq!(plan.steps, [], "{plan}");
    assert_eq!(conflicts(&plan), ["group A: the members of B cannot be read: they are hidden"]);
}

#[test]
fn missing_groups_are_deleted_only_if_the_source_owns_them_and_it_is_set() {
    let by_hand =
        CurrentGroup::complete(serde_json::from_value(json!({ "id": "9", "displayName": "By hand" })).unwrap());
    let held = || current(vec![group("A", &ids(&[])), group("Admins", &ids(&[])), by_hand.clone()]);
    let kept = policy().plan(&held(), &desired(vec![])).unwrap();
    assert_eq!(kept.steps, [], "{kept}");
    let policy = policy().deletes_groups(true).protect(["admins"]).max_groups_deleted_percent(100);
    let plan = policy.plan(&held(), &desired(vec![])).unwrap();
    let deleted: Vec<_> = plan.steps.iter().map(|step| (step.action, step.name.as_str())).collect();
    assert_eq!(deleted, [(Action::DeleteGroup, "A")], "{plan}");
}

#[test]
fn groups_that_were_not_read_are_not_taken_for_absent() {
    let users = Current::complete(["ann", "bob", "cy"].map(user).to_vec());
    let refusal = policy().plan(&users, &desired(vec![wanted("A", &[])])).unwrap_err();
    assert!(refusal.to_string().contains("its groups were not read, see current_directory"), "{refusal}");
}

#[test]
fn a_manager_that_is_unknown_or_waits_for_its_report_is_a_conflict() {
    let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let report = |name: &str, manager: Value| -> ScimUser {
        serde_json::from_value(json!({ "userName": name, "externalId": name, enterprise: { "manager": manager } }))
            .unwrap()
    };
    let users = vec![
        report("dee", json!({ "userName": "EVE" })),
        report("eve", json!({ "externalId": "dee" })),
        report("fay", json!({ "userName": "nowhere" })),
        report("gus", json!({ "userName": "gus" })),
        report("hal", json!({ "externalId": "ann" })),
    ];
    let empty = Current::complete(["ann"].map(user).to_vec());
    let plan = policy().leavers(crate::plan::Leavers::Keep).plan(&empty, &users).unwrap();
    let created: Vec<_> = plan.steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(created, ["hal"], "{plan}");
    assert_eq!(
        plan.steps[0].desired.as_ref().unwrap().get(&format!("{enterprise}:manager.value")).unwrap(),
        Some("id-ann".into())
    );
    let mut of: Vec<_> = plan.conflicts.iter().map(|conflict| conflict.user.as_str()).collect();
    of.sort_unstable();
    assert_eq!(of, ["dee", "eve", "fay", "gus"], "{plan}");
}

#[test]
fn each_step_of_a_group_has_the_row_of_the_group_or_what_the_server_holds() {
    let (ann, bob) = (Reference::user_name("ann"), Reference::user_name("bob"));
    let row = |line| Origin::row(Some("groups.csv"), line);
    let groups = vec![
        wanted("New", std::slice::from_ref(&ann)).with_origin(row(2)),
        DesiredGroup { display_name: "Renamed".into(), ..wanted("Old", &[bob]) }.with_origin(row(3)),
    ];
    let current = current(vec![group("Old", &ids(&["ann"])), group("Left", &json!([]))]).of_server("https://a.example");
    let plan = policy().deletes_groups(true).plan(&current, &desired(groups)).unwrap();
    let origins: BTreeMap<_, _> =
        plan.steps.iter().map(|step| ((step.action, step.name.as_str()), step.origin.clone())).collect();
    let expected = [
        ((Action::CreateGroup, "New"), Some(row(2))),
        ((Action::RenameGroup, "Old"), Some(row(3))),
        ((Action::AddMembers, "New"), Some(row(2))),
        ((Action::AddMembers, "Renamed"), Some(row(3))),
        ((Action::RemoveMembers, "Renamed"), Some(row(3))),
        ((Action::DeleteGroup, "Left"), Some(Origin::held(Some("https://a.example"), "id-Left"))),
    ];
    assert_eq!(origins, BTreeMap::from(expected));
}

#[test]
fn a_nested_group_that_cannot_be_read_is_never_taken_for_absent() {
    let users_only = |name: &str, members: &[&str]| {
        CurrentGroup::of_users(group(name, &ids(members)).group().clone(), "the server shows only the groups of users")
    };
    let current = || current(vec![users_only("All", &["ann"]), users_only("Testers", &[]), users_only("Makers", &[])]);
    let [testers, new] = ["Testers", "New"].map(Reference::group);
    let bob = Reference::user_name("bob");
    let groups =
        vec![wanted("All", &[bob.clone(), testers.clone(), new]), wanted("New", std::slice::from_ref(&testers))];
    let plan = policy().plan(&current(), &desired(groups)).unwrap();
    // What is new is in no group yet, and has no member.
    let expected = [("All", vec!["+bob", "+New", "-ann"]), ("New", vec!["+Testers"])];
    let expected = expected.map(|(name, moves)| (name.to_owned(), moves.into_iter().map(str::to_owned).collect()));
    assert_eq!(moves(&plan), BTreeMap::from(expected), "{plan}");
    let why = "cannot be read: the server shows only the groups of users";
    let advice = "see to it on the server, or let the policy flatten groups";
    assert_eq!(conflicts(&plan), [format!("group All: whether it has the nested Testers {why}; {advice}")]);

    // Ann may be in a group that is nested in Testers, whose members the source leaves to the server.
    let groups = || {
        vec![wanted("All", &[bob.clone(), testers.clone()]), DesiredGroup::new("Testers").with_external_id("Testers")]
    };
    let plan = policy().flattens_groups(true).plan(&current(), &desired(groups())).unwrap();
    assert_eq!(
        (moves(&plan), conflicts(&plan)),
        (BTreeMap::new(), vec![format!("group All: the members of Testers {why}")])
    );
    let groups = vec![wanted("All", &[bob, testers]), wanted("Testers", &[Reference::user_name("cy")])];
    let plan = policy().flattens_groups(true).plan(&current(), &desired(groups)).unwrap();
    assert_eq!(
        (moves(&plan)["All"].as_slice(), plan.conflicts.len()),
        (&["+bob", "+cy", "-ann"].map(str::to_owned)[..], 0)
    );
}

#[test]
fn a_group_that_is_deleted_is_not_also_removed_from_another() {
    let members = json!([{ "value": "id-B", "type": "Group" }, { "value": "id-ann" }]);
    let held = current(vec![group("A", &members), group("B", &ids(&["bob"]))]);
    let only_a = desired(vec![wanted("A", &[Reference::user_name("ann")])]);
    let actions = |policy: Policy| -> Vec<Action> {
        policy.plan(&held, &only_a).unwrap().steps.iter().map(|step| step.action).collect()
    };
    assert_eq!(actions(policy().deletes_groups(true)), [Action::DeleteGroup]);
    assert_eq!(actions(policy()), [Action::RemoveMembers]);
}
