//! Servers and their credentials: the environment, profiles, secrets, tokens, and the sandbox.

mod support;

use support::Home;
use wats_scim_sandbox::Sandbox;

#[test]
fn the_environment_names_the_server() {
    let server = Sandbox::builder().users(2).start().unwrap();
    let users = Home::of_wats(&server).run(&["users", "list"]).lines();
    assert_eq!(users[1]["userName"], "user0002@example.com");
}

#[test]
fn a_run_without_a_server_names_the_ways_to_name_one() {
    let message = Home::new().run(&["users", "list"]).failed(64);
    assert!(message.contains("wats-scim login") && message.contains("WATS_BASE_URL"), "{message}");
}
