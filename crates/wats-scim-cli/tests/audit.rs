//! `audit show` and `audit verify`.

mod support;

use std::fs;
use std::io::Write as _;

use serde_json::{Value, json};
use support::Home;
use wats_scim::audit::{Log, Trail};
use wats_scim::blocking::ScimClient;
use wats_scim::{Credentials, Profile, ScimConfig, ScimUser};
use wats_scim_sandbox::StandardSandbox;

/// The trail of a server that does not show what it has patched, so that a patch is known by its id alone.
fn home_with_a_trail() -> (StandardSandbox, Home) {
    let server = StandardSandbox::builder().patch_answers_204().start().unwrap();
    let home = Home::new();
    let of = |label: &str| {
        let trail = Trail::to(Log::append(home.path().join("trail.jsonl")).unwrap()).label(label);
        let config = ScimConfig::new(server.scim_url(), Credentials::bearer(server.token())).no_proxy().audit(trail);
        ScimClient::with_config(&config.profile(Profile::standard())).unwrap()
    };
    let jane = of("hr@host").create_user(&ScimUser::new("jane").with_external_id("4711")).unwrap();
    of("hr@host").create_user(&ScimUser::new("bob")).unwrap();
    of("ann@desk").deactivate_user(jane.id.as_deref().unwrap()).unwrap();
    of("hr@host").create_user(&ScimUser::new("jane")).unwrap_err();
    (server, home)
}

fn append(home: &Home, line: &str) {
    let mut file = fs::OpenOptions::new().append(true).create(true).open(home.path().join("trail.jsonl")).unwrap();
    writeln!(file, "{line}").unwrap();
}

fn event(write: &str, outcome: &str, name: &str) -> String {
    let server = "https://acme.wats.com";
    json!({ "at": "2026-11-24T09:15:02.482913Z", "write": write, "server": server, "label": "ann", "name": name,
            "operation": "create user", "outcome": outcome, "attempts": 1 })
    .to_string()
}

fn labels(events: &[Value]) -> Vec<(&str, &str)> {
    events.iter().map(|event| (event["label"].as_str().unwrap(), event["outcome"].as_str().unwrap())).collect()
}

#[test]
fn who_deactivated_jane_is_answered_by_her_name_her_number_and_her_id() {
    let (_server, home) = home_with_a_trail();
    let by_name = home.run(&["audit", "show", "--user", "JANE"]).lines();
    let expected = [("hr@host", "applied"), ("ann@desk", "applied"), ("hr@host", "refused")];
    assert_eq!(labels(&by_name), expected);
    assert_eq!(by_name[1]["attributes"], json!([{ "op": "replace", "path": "active", "value": false }]));
    assert!(by_name[1].get("name").is_none(), "the patch is known by its id alone");
    let id = by_name[0]["id"].as_str().unwrap();
    for who in ["4711", id] {
        assert_eq!(labels(&home.run(&["audit", "show", "--user", who]).lines()), expected[..2], "{who}");
    }
    let table = home.run(&["audit", "show", "--user", "jane", "--who", "ann@desk", "-o", "table"]).done();
    let lines: Vec<_> = table.lines().collect();
    assert!(lines[0].starts_with("AT") && lines[0].contains("LABEL"), "{table}");
    assert!(lines.len() == 2 && lines[1].contains("ann@desk") && lines[1].contains("update user"), "{table}");
    assert!(lines[1].contains("active") && lines[1].ends_with("applied"), "{table}");
}

#[test]
fn writes_are_selected_by_author_time_outcome_and_server() {
    let (server, home) = home_with_a_trail();
    append(&home, &event("a-1", "applied", "old"));
    let count = |arguments: &[&str]| home.run(&[&["audit", "show"], arguments].concat()).lines().len();
    assert_eq!(count(&[]), 5);
    assert_eq!(count(&["--who", "hr@host"]), 3);
    assert_eq!(count(&["--outcome", "refused"]), 1);
    assert_eq!(count(&["--since", "2026-11-24", "--until", "2026-11-25"]), 1);
    assert_eq!(count(&["--until", "2026-11-24T09:15:02Z"]), 0);
    let origin = server.scim_url().rsplit_once("/scim").map_or(server.scim_url(), |(origin, _)| origin);
    let of_the_server = home.run(&["audit", "show", "--who", "ann@desk"]).lines();
    assert!(origin.starts_with(of_the_server[0]["server"].as_str().unwrap()));
    assert_eq!(count(&["--server", of_the_server[0]["server"].as_str().unwrap()]), 4);
    assert_eq!(count(&["--server", "https://acme.wats.com/"]), 1);
    assert!(home.run(&["audit", "show", "--since", "yesterday"]).failed(64).contains("2026-11-24"));
    assert!(home.run(&["audit", "show", "--outcome", "maybe"]).failed(64).contains("applied, refused"));
}

#[test]
fn a_write_without_an_outcome_is_shown_as_one() {
    let home = Home::new();
    append(&home, &event("a-1", "begun", "ann"));
    append(&home, &event("a-2", "begun", "bob"));
    append(&home, &event("a-1", "applied", "ann"));
    let events = home.run(&["audit", "show"]).lines();
    assert_eq!(labels(&events), [("ann", "applied"), ("ann", "begun")]);
    assert_eq!(home.run(&["audit", "show", "--outcome", "begun"]).lines()[0]["name"], "bob");
    assert!(home.run(&["audit", "show", "-o", "table"]).done().contains("may have been applied"));
}

#[test]
fn a_whole_trail_is_verified() {
    let (_server, home) = home_with_a_trail();
    let ended = home.run(&["audit", "verify"]);
    assert!(ended.err.contains("3 writes were applied, 1 refused, 0 have an unknown outcome."), "{ended:?}");
    assert_eq!(ended.done(), "");
}

#[test]
fn what_is_wrong_with_a_trail_is_found() {
    for (lines, expected, listed) in [
        (vec![event("a-1", "begun", "ann")], "1 writes have begun and have no outcome", 1),
        (vec![event("a-1", "begun", "ann"), event("a-1", "unknown", "ann")], "1 writes have an unknown outcome", 1),
        (vec![event("a-1", "applied", "ann")], "1 outcomes have no beginning", 0),
        (
            vec![event("a-1", "begun", "a"), event("a-1", "applied", "a"), event("a-1", "applied", "a")],
            "1 outcomes have no beginning, or are there twice",
            0,
        ),
        (vec![event("a-1", "begun", "a")[..80].to_owned()], "1 lines are no events", 0),
    ] {
        let home = Home::new();
        for line in &lines {
            append(&home, line);
        }
        let ended = home.run(&["audit", "verify"]);
        assert_eq!(ended.out.lines().count(), listed, "{ended:?}");
        let error = ended.failed(1);
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn several_files_are_one_trail() {
    let home = Home::new();
    home.write("old.jsonl", event("a-1", "begun", "ann") + "\n");
    home.write("new.jsonl", event("a-1", "applied", "ann"));
    home.run(&["audit", "verify", "old.jsonl"]).failed(1);
    home.run(&["audit", "verify", "old.jsonl", "new.jsonl"]).done();
    assert_eq!(home.run(&["audit", "show", "old.jsonl", "new.jsonl"]).lines().len(), 1);
}

#[test]
fn a_missing_trail_is_an_error_that_names_it() {
    let home = Home::new();
    assert!(home.run(&["audit", "show"]).failed(1).contains("trail.jsonl: there is no trail yet"));
    assert!(home.run(&["audit", "verify", "missing"]).failed(1).contains("missing: "));
}
