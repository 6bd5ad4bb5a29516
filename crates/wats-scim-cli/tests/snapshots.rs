//! What the command prints, word by word: `tests/cmd/*/*.trycmd`, in which standard output and standard error are one.
//! `TRYCMD=overwrite` writes them.
//!
//! Each folder has a server of its own. The files of a folder run at the same time, so those that write have a folder
//! of their own; what varies (ids, times, ports, the name of the account) is `[..]` or the name of a variable.

mod support;

use std::time::Duration;

use support::Home;
use trycmd::TestCases;
use wats_scim::http::{Method, StatusCode};
use wats_scim_sandbox::{Fault, FaultProxy, FaultRule, Sandbox, StandardSandbox};

/// The snapshots of a folder, in an environment that names no server of the machine.
fn cases(folder: &str, home: &Home) -> TestCases {
    let cases = TestCases::new();
    cases.case(format!("tests/cmd/{folder}/*.trycmd")).timeout(Duration::from_secs(60));
    for name in
        ["WATS_BASE_URL", "WATS_TOKEN", "SCIM_URL", "SCIM_TOKEN", "SCIM_USER", "SCIM_PASSWORD", "WATS_SCIM_PROFILE"]
    {
        cases.env(name, "");
    }
    let home = home.path().display().to_string();
    cases.env("WATS_SCIM_HOME", &home).env("WATS_SCIM_REQUIRE_APPROVAL", "").env("COLUMNS", "100");
    cases.insert_var("[HOME]", home).unwrap();
    cases
}

/// The same, in an environment that names a server by these variables.
fn with_server(folder: &str, home: &Home, variables: [(&str, &str); 2]) -> TestCases {
    let cases = cases(folder, home);
    for (name, value) in variables {
        cases.env(name, value);
    }
    cases.env("WATS_SCIM_LABEL", "nightly").insert_var("[URL]", variables[0].1.to_owned()).unwrap();
    cases
}

fn wats(folder: &str, home: &Home, url: &str, token: &str) -> TestCases {
    with_server(folder, home, [("WATS_BASE_URL", url), ("WATS_TOKEN", token)])
}

fn standard(folder: &str, home: &Home, url: &str, token: &str) -> TestCases {
    with_server(folder, home, [("SCIM_URL", url), ("SCIM_TOKEN", token)])
}

#[test]
fn help_and_usage_errors() {
    let home = Home::new();
    cases("help", &home).run();
}

#[test]
fn reading_from_wats() {
    let (server, home) = (Sandbox::builder().users(3).start().unwrap(), Home::new());
    wats("wats", &home, server.base_url(), server.token()).run();
}

#[test]
fn reading_from_a_standard_server() {
    let (server, home) = (StandardSandbox::builder().users(12).start().unwrap(), Home::new());
    standard("standard", &home, server.scim_url(), server.token()).run();
}

#[test]
fn writing() {
    let (server, home) = (StandardSandbox::builder().users(12).start().unwrap(), Home::new());
    standard("writing", &home, server.scim_url(), server.token()).run();
}

/// One step of two reaches the server.
#[test]
fn done_in_part() {
    let (server, home) = (StandardSandbox::builder().users(3).start().unwrap(), Home::new());
    let refused = Fault::Status { code: StatusCode::FORBIDDEN, retry_after: None };
    let rule = FaultRule::new(refused).on_method(Method::POST).after(1).times(1);
    let proxy = FaultProxy::builder(server.scim_url()).with_rule(rule).start().unwrap();
    standard("partly", &home, proxy.base_url(), server.token()).run();
}

#[test]
fn wrong_credentials() {
    let (server, home) = (Sandbox::start().unwrap(), Home::new());
    wats("credentials", &home, server.base_url(), "wrong").run();
}

#[test]
fn a_server_that_is_not_there() {
    let home = Home::new();
    // Nothing can listen on this port.
    wats("unreachable", &home, "http://127.0.0.1:1", "token").run();
}

#[test]
fn every_shell_has_its_completion_and_every_command_its_page() {
    let home = Home::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        assert!(home.run(&["completion", shell]).done().contains("detailed-exitcode"), "{shell}");
    }
    assert!(home.run(&["man"]).done().starts_with(".ie"));
    home.run(&["man", "--out", "."]).done();
    assert!(home.read("wats-scim-users-list.1").contains("\\-\\-inactive"));
}
