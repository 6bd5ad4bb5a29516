//! What is asked and shown on a terminal only.
#![cfg(unix)]

mod support;

use support::Home;
use support::terminal::Terminal;
use wats_scim_sandbox::Sandbox;

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
    terminal.answer("Type yes", "no");
    let (code, shown) = terminal.end();
    assert!(code == Some(130) && shown.contains("nothing was changed"), "{shown}");
    assert!(server.requests().is_empty());
    let mut terminal = Terminal::start(home.command(&["doctor", "--write"]));
    terminal.answer("Type yes", "yes");
    let (code, shown) = terminal.end();
    assert!(code == Some(0) && shown.contains("yes      creation"), "{shown}");
}
