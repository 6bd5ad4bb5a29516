//! `wats-scim groups …`

mod support;

use serde_json::{Value, json};
use support::Home;
use wats_scim::http::{Method, StatusCode};
use wats_scim_sandbox::{Fault, FaultProxy, FaultRule, Sandbox, StandardSandbox};

fn standard(users: usize) -> (StandardSandbox, Home) {
    let server = StandardSandbox::builder().users(users).without_bulk().start().unwrap();
    let home = Home::of_standard(&server);
    (server, home)
}

fn members(server: &StandardSandbox, name: &str) -> Vec<String> {
    let groups = server.groups();
    let group = groups.iter().find(|group| group["displayName"] == name).unwrap();
    let members = group["members"].as_array().cloned().unwrap_or_default();
    let mut ids: Vec<String> = members.iter().map(|member| member["value"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    ids
}

fn ids(server: &StandardSandbox, numbers: std::ops::RangeInclusive<usize>) -> Vec<String> {
    let users = server.users();
    let mut ids: Vec<String> = numbers.map(|number| users[number - 1]["id"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    ids
}

fn name(number: usize) -> String {
    format!("user{number:04}@example.com")
}

fn patches(server: &StandardSandbox) -> usize {
    server.requests().iter().filter(|request| request.method == Method::PATCH).count()
}

#[test]
fn wats_has_no_groups_and_is_not_asked_for_them() {
    let server = Sandbox::builder().users(1).start().unwrap();
    let home = Home::of_wats(&server);
    for args in [
        &["list"][..],
        &["get", "Testers"],
        &["create", "Testers", "--member", "user0001@example.com"],
        &["delete", "--yes", "Testers"],
        &["members", "list", "Testers"],
        &["members", "add", "Testers", "user0001@example.com"],
        &["members", "remove", "Testers", "user0001@example.com"],
    ] {
        let message = home.run(&[&["groups"], args].concat()).failed(1);
        assert!(message.contains("WATS has no groups"), "{message}");
    }
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn a_group_is_created_once_with_its_members() {
    let (server, home) = standard(2);
    let create = ["groups", "create", "Testers", "--external-id", "g-1", "--member", &name(1), "--member", &name(2)];
    let group: Value = serde_json::from_str(&home.run(&create).done()).unwrap();
    assert_eq!(group["externalId"], "g-1");
    assert_eq!(members(&server, "Testers"), ids(&server, 1..=2));
    let message = home.run(&create).failed(1);
    assert!(message.contains("has a group Testers already") && message.contains("nothing was changed"), "{message}");
    let message = home.run(&["groups", "create", "Makers", "--member", "jane"]).failed(1);
    assert!(message.contains("no user jane"), "{message}");
    assert_eq!(server.groups().len(), 1);
}

#[test]
fn groups_are_listed_and_shown_in_each_format() {
    let server = StandardSandbox::builder()
        .with_users([json!({ "id": "u1", "userName": "ann" })])
        .with_groups([
            json!({ "id": "g1", "displayName": "Testers", "members": [{ "value": "u1" }] }),
            json!({ "id": "g2", "displayName": "=Makers", "externalId": "m" }),
        ])
        .start()
        .unwrap();
    let home = Home::of_standard(&server);
    let lines = home.run(&["groups", "list"]).lines();
    assert_eq!((&lines[0]["displayName"], lines[0].get("members")), (&json!("Testers"), None));
    assert_eq!(home.run(&["groups", "list", "--members"]).lines()[0]["members"][0]["value"], "u1");
    let array: Value = serde_json::from_str(&home.run(&["groups", "list", "-o", "json"]).done()).unwrap();
    assert_eq!(array, Value::Array(lines));
    let csv = home.run(&["groups", "list", "-o", "csv", "--columns", "displayName,id"]).done();
    assert_eq!(csv, "displayName,id\nTesters,g1\n'=Makers,g2\n");
    let table = home.run(&["groups", "list", "-o", "table", "--sort", "displayName"]).done();
    assert!(table.lines().nth(1).unwrap().starts_with("=Makers"), "{table}");
    let found: Value = serde_json::from_str(&home.run(&["groups", "get", "testers"]).done()).unwrap();
    assert_eq!(found["members"][0]["value"], "u1");
    let message = home.run(&["groups", "list", "--columns", "name"]).failed(64);
    assert!(message.contains("id, displayName, externalId, members"), "{message}");
    let table = home.run(&["groups", "members", "list", "externalId:m", "-o", "table"]).done();
    assert_eq!(table.split_whitespace().collect::<Vec<_>>(), ["DISPLAY", "TYPE", "ID"]);
    assert_eq!(home.run(&["groups", "members", "list", "g1"]).lines()[0]["value"], "u1");
}

#[test]
fn members_are_changed_in_requests_of_one_hundred_and_once() {
    let (server, home) = standard(250);
    home.run(&["groups", "create", "Testers", "--member", &name(1)]).done();
    server.clear_requests();
    let names: String = (1..=250).map(|number| name(number) + "\n").collect();
    let add = ["groups", "members", "add", "Testers", "-"];
    let message = home.run_with(&add, &names).failed(0);
    assert!(message.contains("already members: 1 of 250") && message.contains("249 members added"), "{message}");
    assert_eq!((members(&server, "Testers"), patches(&server)), (ids(&server, 1..=250), 3));
    assert!(home.run_with(&add, &names).failed(0).contains("nothing to do"));
    home.run(&["groups", "members", "remove", "Testers", &name(2), &name(3)]).done();
    let message = home.run(&["groups", "members", "remove", "Testers", &name(2), &name(3)]).failed(0);
    assert!(message.contains("no members: 2 of 2"), "{message}");
    assert_eq!((members(&server, "Testers").len(), patches(&server)), (248, 4));
}

#[test]
fn a_group_can_be_a_member() {
    let (server, home) = standard(1);
    home.run(&["groups", "create", "Testers"]).done();
    home.run(&["groups", "create", "Staff", "--member", "group:Testers"]).done();
    let groups = server.groups();
    assert_eq!(members(&server, "Staff"), [groups[0]["id"].as_str().unwrap()]);
    home.run(&["groups", "members", "remove", "Staff", "group:testers"]).done();
    assert_eq!(members(&server, "Staff"), Vec::<String>::new());
    let message = home.run(&["groups", "members", "add", "Staff", "group:Makers", &name(1)]).failed(1);
    assert!(message.contains("no group Makers") && message.contains("nothing was changed"), "{message}");
    assert_eq!(members(&server, "Staff"), Vec::<String>::new());
}

#[test]
fn groups_are_deleted_after_a_confirmation() {
    let (server, home) = standard(0);
    home.run(&["groups", "create", "Testers"]).done();
    let message = home.run(&["groups", "delete", "Testers"]).failed(64);
    assert!(message.contains("this deletes 1 group: Testers") && message.contains("--yes"), "{message}");
    home.run(&["groups", "delete", "--yes", "Testers"]).done();
    assert!(server.groups().is_empty());
    home.run(&["groups", "delete", "--yes", "--skip-unknown", "Testers"]).done();
}

#[test]
fn members_that_failed_are_counted_and_the_rest_is_added() {
    let (server, home) = standard(150);
    home.run(&["groups", "create", "Testers"]).done();
    let refused = FaultRule::new(Fault::Status { code: StatusCode::FORBIDDEN, retry_after: None });
    let rule = refused.on_method(Method::PATCH).times(1);
    let proxy = FaultProxy::builder(server.scim_url()).with_rule(rule).start().unwrap();
    let home = Home::new().with("SCIM_URL", proxy.base_url()).with("SCIM_TOKEN", server.token());
    let names: String = (1..=150).map(|number| name(number) + "\n").collect();
    let message = home.run_with(&["groups", "members", "add", "Testers", "-"], &names).failed(4);
    assert!(message.contains("group Testers, 100 members from user0001@example.com: "), "{message}");
    assert!(message.contains("50 of 150 members added, 100 failed"), "{message}");
    home.run_with(&["groups", "members", "add", "Testers", "-"], &names).done();
    assert_eq!(members(&server, "Testers").len(), 150);
}

/// A server with 101 users, all in one group, which shows so many of them.
fn capped(cap: usize) -> StandardSandbox {
    let ids: Vec<String> = (0..101).map(|id| format!("u{id}")).collect();
    let members: Vec<_> = ids.iter().map(|id| json!({ "value": id })).collect();
    StandardSandbox::builder()
        .with_users(ids.iter().map(|id| json!({ "id": id, "userName": id })))
        .with_groups([json!({ "displayName": "Testers", "members": members })])
        .member_cap(cap)
        .allow_members_endpoint()
        .start()
        .unwrap()
}

#[test]
fn members_that_the_server_does_not_show_are_not_taken_for_absent() {
    let server = capped(100);
    let home = Home::of_standard(&server);
    for args in [&["groups", "members", "list", "Testers"][..], &["groups", "list", "--members"]] {
        let ended = home.run(args);
        assert!(ended.out.contains("u99") && !ended.out.contains("u100"), "what can be read is listed: {ended:?}");
        let message = ended.failed(1);
        assert!(message.contains("members of Testers may be missing") && message.contains("doctor"), "{message}");
        assert!(!message.contains("::"), "{message}");
    }
    home.run(&["groups", "members", "remove", "Testers", "u100"]).done();
    assert_eq!(members(&server, "Testers").len(), 100, "a member that is not shown is removed");
}

#[test]
fn members_are_read_as_it_was_measured_and_kept() {
    // No limit that is known: nothing tells that the list is cut.
    let server = capped(30);
    let home = Home::new();
    home.run_with(&["login", "lab", "--url", server.scim_url(), "--token-stdin"], server.token()).done();
    assert_eq!(home.run(&["groups", "members", "list", "Testers"]).lines().len(), 30);
    let ended = home.run(&["doctor", "--write", "--yes", "--keep"]);
    assert!(ended.err.contains("kept with the profile lab"), "{ended:?}");
    assert!(ended.done().contains("yes      members endpoint"));
    assert_eq!(home.run(&["groups", "members", "list", "Testers"]).lines().len(), 101);
    assert_eq!(home.run(&["groups", "list", "--members"]).lines()[0]["members"].as_array().unwrap().len(), 101);
    home.run(&["groups", "members", "remove", "Testers", "u100"]).done();
    let message = home.run(&["groups", "members", "remove", "Testers", "u100"]).failed(0);
    assert!(message.contains("no members: 1 of 1"), "{message}");
    assert_eq!(members(&server, "Testers").len(), 100);
}
