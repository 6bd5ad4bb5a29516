//! What is asked and shown on a terminal only.
#![cfg(unix)]

mod support;

use std::time::Duration;

use serde_json::json;
use support::Home;
use support::terminal::{CTRL_C, CTRL_D, Terminal};
use wats_scim::http::{Method, Response};
use wats_scim::plan::{Journal, StepState};
use wats_scim_sandbox::{Sandbox, StandardSandbox};

#[test]
fn a_login_asks_for_what_is_missing_and_does_not_show_the_token() {
    let (home, server) = (Home::new(), Sandbox::builder().users(2).start().unwrap());
    let mut terminal = Terminal::start(home.command(&["login", "acme"]));
    terminal.answer("URL of the server", server.base_url());
    terminal.answer("Token for http://127.0.0.1", server.token());
    let (code, shown) = terminal.end();
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("WATS server with 2 users") && !shown.contains(server.token()), "{shown}");
    assert_eq!(home.run(&["users", "list"]).lines().len(), 2);
}

#[test]
fn a_login_with_a_user_name_asks_for_the_password() {
    let (home, server) = (Home::new(), Sandbox::start().unwrap());
    let args = ["login", "acme", "--url", server.base_url(), "--user", server.user_name()];
    let mut terminal = Terminal::start(home.command(&args));
    terminal.answer("Password of sandbox", server.password());
    let (code, shown) = terminal.end();
    assert_eq!(code, Some(0), "{shown}");
    assert!(!shown.contains(server.password()), "{shown}");
}

#[test]
fn a_token_is_shown_on_a_terminal_that_asks_for_it() {
    let server = Sandbox::start().unwrap();
    let home = Home::of_wats(&server);
    let (code, shown) = Terminal::start(home.command(&["token", "--show"])).end();
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("Secret token  eyJ") && shown.contains("Tenant URL"), "{shown}");
    let (code, shown) = Terminal::start(home.command(&["token"])).end();
    assert!(code == Some(64) && shown.contains("--show"), "{shown}");
}

#[test]
fn a_probe_that_writes_is_confirmed() {
    let server = Sandbox::start().unwrap();
    let home = Home::of_wats(&server);
    let mut terminal = Terminal::start(home.command(&["doctor", "--write"]));
    terminal.wait_for("Type yes");
    terminal.press("no\r");
    let (code, shown) = terminal.end();
    assert!(code == Some(130) && shown.contains("nothing was changed"), "{shown}");
    assert!(server.requests().is_empty());
    let mut terminal = Terminal::start(home.command(&["doctor", "--write"]));
    terminal.wait_for("Type yes");
    terminal.press("yes\r");
    let (code, shown) = terminal.end();
    assert!(code == Some(0) && shown.contains("yes      creation"), "{shown}");
}

/// A standard server with 40 users, and a plan that deactivates 30 of them.
fn leavers(latency: u64) -> (StandardSandbox, Home) {
    let server = StandardSandbox::builder().users(40).latency(Duration::from_millis(latency)).start().unwrap();
    let home = Home::of_standard(&server);
    let stay: Vec<_> = (31..=40).map(|n| format!("user{n:04}@example.com,ext-{n:04}\n")).collect();
    home.write("hr.csv", format!("userName,externalId\n{}", stay.concat()));
    let allow = ["--allow", "max-deactivation-percent=75"];
    home.run(&[&["plan", "hr.csv", "-o", "plan.json"], &allow[..]].concat()).done();
    server.clear_requests();
    (server, home)
}

/// The targets of the writes.
fn written(server: &StandardSandbox) -> Vec<String> {
    server.requests().into_iter().filter(|it| it.method != Method::GET).map(|it| it.target).collect()
}

/// The positions that a progress bar has shown.
fn positions(shown: &str) -> Vec<u32> {
    let parts = shown.split(" of 30 steps");
    let numbers = parts.map(|part| part.rsplit(' ').next().unwrap_or_default().parse());
    numbers.flatten().collect()
}

const APPLY: [&str; 4] = ["apply", "plan.json", "--in-flight", "1"];

#[test]
fn an_apply_is_confirmed_by_its_number_and_shows_its_progress() {
    let (server, home) = leavers(15);
    let mut terminal = Terminal::start(home.command(&APPLY));
    terminal.wait_for("30 steps on http://127.0.0.1");
    terminal.wait_for("Type 30 to go on");
    assert_eq!(written(&server), [""; 0]);
    terminal.press("30\r");
    let (code, shown) = terminal.end();
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("30 applied"), "{shown}");
    let positions = positions(&shown);
    // Twice: the steps, and reading the users again.
    let first: Vec<_> = positions.iter().scan(0, |last, at| (*at >= *last).then(|| *last = *at)).collect();
    assert!(positions.len() > 4 && first.len() > 2, "the bar moves: {positions:?}");
    assert_eq!(written(&server).len(), 30);
}

#[test]
fn an_apply_that_is_not_confirmed_sends_nothing() {
    let (server, home) = leavers(0);
    for answer in ["29\r", "yes\r", "\r", CTRL_D, "30 x\r"] {
        let mut terminal = Terminal::start(home.command(&APPLY));
        terminal.wait_for("Type 30 to go on");
        terminal.press(answer);
        let (code, shown) = terminal.end();
        assert!(code == Some(130) && shown.contains("nothing was changed"), "{answer:?}: {code:?}: {shown}");
    }
    let mut terminal = Terminal::start(home.command(&APPLY));
    terminal.wait_for("Type 30 to go on");
    terminal.press(CTRL_C);
    let (code, shown) = terminal.end();
    assert_eq!(code, Some(130), "{shown}");
    assert_eq!(written(&server), [""; 0]);
    assert!(!home.path().join("plan.journal").exists());
}

#[test]
fn ctrl_c_on_the_terminal_ends_an_apply_which_the_same_command_resumes() {
    let (server, home) = leavers(20);
    let mut terminal = Terminal::start(home.command(&APPLY));
    terminal.wait_for("Type 30 to go on");
    terminal.press("30\r");
    terminal.wait_until("progress", |shown| positions(shown).iter().any(|at| (3..20).contains(at)));
    terminal.press(CTRL_C);
    let (code, shown) = terminal.end();
    assert_eq!(code, Some(130), "{shown}");
    assert!(shown.contains("steps are left, and the same command resumes"), "{shown}");
    let done = written(&server).len();
    assert!((3..30).contains(&done), "{done}: {shown}");
    let steps = Journal::at(home.path().join("plan.journal")).steps().unwrap();
    let applied = steps.iter().filter(|step| step.state == Some(StepState::Applied)).count();
    assert_eq!((applied, steps.iter().filter(|step| step.state.is_none()).count()), (done, 30 - done));
    let mut terminal = Terminal::start(home.command(&APPLY));
    let left = 30 - done;
    let expected = if left > 10 { left.to_string() } else { "yes".to_owned() };
    terminal.wait_for(&format!("Type {expected} to go on"));
    terminal.press(&format!("{expected}\r"));
    let (code, shown) = terminal.end();
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains(&format!("{left} applied, {done} done before")), "{shown}");
    let mut targets = written(&server);
    targets.sort();
    targets.dedup();
    assert_eq!((targets.len(), written(&server).len()), (30, 30), "nothing is written twice");
}

#[test]
fn users_that_are_typed_are_deactivated_after_their_number_is() {
    let server = StandardSandbox::builder().users(12).start().unwrap();
    let home = Home::of_standard(&server);
    let list: Vec<_> = (1..=12).map(|n| format!("user{n:04}@example.com\r")).collect();
    let list = list.concat();
    for (answer, expected) in [("11\r", 130), ("\r", 130), (CTRL_D, 130), ("yes\r", 130), ("12\r", 0)] {
        assert_eq!(written(&server), [""; 0]);
        let mut terminal = Terminal::start(home.command(&["users", "deactivate", "-"]));
        terminal.press(&list);
        terminal.press(CTRL_D);
        terminal.wait_for("and 2 more. Type 12 to go on");
        terminal.press(answer);
        let (code, shown) = terminal.end();
        assert_eq!(code, Some(expected), "{answer:?}: {shown}");
        assert!(shown.contains(if expected == 0 { "12 users deactivated" } else { "nothing was changed" }), "{shown}");
    }
    assert!(server.users().iter().all(|user| user["active"] == false));
    // In a pipe, no question can be answered.
    let list = list.replace('\r', "\n");
    home.run_with(&["users", "activate", "-"], &list).done();
    server.clear_requests();
    let error = home.run_with(&["users", "deactivate", "-"], &list).failed(64);
    assert!(error.contains("--yes") && written(&server).is_empty(), "{error}");
}

#[test]
fn a_list_is_a_table_on_a_terminal_and_json_lines_in_a_pipe() {
    let server = StandardSandbox::builder().users(3).start().unwrap();
    let home = Home::of_standard(&server);
    let (code, shown) = Terminal::start(home.command(&["users", "list"])).end();
    assert_eq!(code, Some(0), "{shown}");
    let lines: Vec<_> = shown.lines().map(|line| line.split_whitespace().collect::<Vec<_>>()).collect();
    assert_eq!(lines[0], ["USERNAME", "DISPLAYNAME", "EMAIL", "ACTIVE"], "{shown}");
    assert_eq!((lines.len(), lines[1][0]), (4, "user0001@example.com"), "{shown}");
    let piped = home.run(&["users", "list"]).lines();
    assert_eq!((piped.len(), &piped[0]["userName"]), (3, &"user0001@example.com".into()));
    let (_, asked) = Terminal::start(home.command(&["users", "list", "-o", "jsonl"])).end();
    assert_eq!(asked.lines().count(), 3);
}

/// Whether a text has sequences that set a color.
fn has_color(shown: &str) -> bool {
    shown
        .split("\u{1b}[")
        .skip(1)
        .any(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';').starts_with('m'))
}

#[test]
fn no_color_is_shown_with_no_color_and_no_escape_sequence_in_a_pipe() {
    assert!(has_color("a\u{1b}[1;32mb") && !has_color("a\u{1b}[2Kb"));
    let (_, home) = leavers(0);
    let home = home.with("NO_COLOR", "1");
    for args in
        [&["users", "list"][..], &["--help"], &["users", "get"], &["show", "plan.json"], &["users", "get", "eve"]]
    {
        let (_, shown) = Terminal::start(home.command(args)).end();
        assert!(!has_color(&shown), "{args:?}: {shown:?}");
        let piped = home.run(args);
        assert!(!piped.out.contains('\u{1b}') && !piped.err.contains('\u{1b}'), "{args:?}: {piped:?}");
    }
    let (server, home) = leavers(5);
    let home = home.with("NO_COLOR", "1");
    let mut terminal = Terminal::start(home.command(&APPLY));
    terminal.wait_for("Type 30 to go on");
    terminal.press("30\r");
    let (code, shown) = terminal.end();
    assert!(code == Some(0) && !has_color(&shown), "{shown:?}");
    drop(server);
    let (_server, home) = leavers(5);
    let piped = home.run(&["apply", "plan.json", "--yes"]);
    assert!(!piped.out.contains('\u{1b}') && !piped.err.contains('\u{1b}'), "{piped:?}");
}

#[test]
fn text_of_a_server_does_not_reach_the_terminal_raw() {
    const EVIL: &str = "\u{1b}[2J\u{9b}31m\u{7}\u{1b}]0;owned\u{7}\u{7f}";
    let user = json!({
        "id": "7", "userName": format!("eve{EVIL}"), "displayName": EVIL, "externalId": format!("x{EVIL}"),
        "title": EVIL, "emails": [{ "value": format!("a@x{EVIL}") }],
    });
    let group = json!({ "id": "8", "displayName": format!("g{EVIL}"), "members": [{ "value": "7", "display": EVIL }] });
    let server = StandardSandbox::builder().with_users([user]).with_groups([group]).respond_with(|request| {
        let body =
            json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "status": "400", "detail": EVIL });
        let answer = || Response::builder().status(400).body(body.to_string().into_bytes()).unwrap();
        (request.method() == Method::POST).then(answer)
    });
    let server = server.start().unwrap();
    let home = Home::of_standard(&server);
    home.write("hr.json", json!([{ "userName": "new", "title": EVIL }]).to_string());
    home.run(&["plan", "hr.json", "--ours", "all", "--leavers", "keep", "-o", "plan.json"]).done();
    let lines = "users list
        users list -o csv --columns userName,displayName,title
        users list -o json
        users list -o jsonl
        users get 7
        users get 7 -o table
        users deactivate 7
        users set 7 title=Dr
        users create --user-name a
        groups list
        groups list --members -o csv
        groups get 8
        groups members list 8
        groups delete 8
        export --groups
        export -o csv --groups
        plan hr.json --ours all --leavers keep
        plan hr.json --ours all --leavers keep -o -
        explain 7 --from hr.json --ours all
        show plan.json
        show plan.json -o markdown
        show plan.json -o json
        apply plan.json
        audit show --columns at,label,user,attributes,message
        audit verify
        doctor";
    for line in lines.lines() {
        let args: Vec<&str> = line.split_whitespace().collect();
        let mut terminal = Terminal::start(home.command(&args));
        if args[0] == "apply" || args.get(1).is_some_and(|verb| ["deactivate", "delete"].contains(verb)) {
            terminal.wait_for("Type yes to go on");
            terminal.press(if args[0] == "apply" { "yes\r" } else { CTRL_D });
        }
        let (code, shown) = terminal.end();
        for raw in ["\u{1b}[2J", "\u{1b}]", "\u{9b}", "\u{7f}", "\u{7}"] {
            assert!(!shown.contains(raw), "{line}: {shown:?}");
        }
        assert_ne!(code, Some(64), "{line}: {shown}");
    }
}
