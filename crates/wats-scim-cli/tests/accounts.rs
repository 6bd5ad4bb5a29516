//! Servers and their credentials: the environment, profiles, secrets and tokens.

mod support;

use std::fs;
use std::time::{Duration, Instant};

use support::Home;
use wats_scim_sandbox::{Sandbox, StandardSandbox};

fn wats(users: usize) -> Sandbox {
    Sandbox::builder().users(users).start().unwrap()
}

/// Logs in with the token of the server on standard input.
fn log_in(home: &Home, name: &str, server: &Sandbox) {
    home.run_with(&["login", name, "--url", server.base_url(), "--token-stdin"], server.token()).done();
}

/// The number of users that `users list` finds.
fn count(home: &Home, args: &[&str]) -> usize {
    home.run(&[&["users", "list"], args].concat()).lines().len()
}

#[cfg(unix)]
fn mode(path: &std::path::Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn the_environment_names_the_server() {
    let server = wats(2);
    let users = Home::of_wats(&server).run(&["users", "list"]).lines();
    assert_eq!(users[1]["userName"], "user0002@example.com");
}

#[test]
fn a_run_without_a_server_names_the_ways_to_name_one() {
    let message = Home::new().run(&["users", "list"]).failed(64);
    assert!(message.contains("wats-scim login") && message.contains("WATS_BASE_URL"), "{message}");
}

#[test]
fn a_login_is_used_by_later_runs_and_shows_no_secret() {
    let (home, server) = (Home::new(), wats(3));
    let login = home.run_with(&["login", "acme", "--url", server.base_url(), "--token-stdin"], server.token());
    assert!(login.err.contains("WATS server with 3 users") && login.err.contains("profile acme"), "{login:?}");
    assert_eq!(count(&home, &[]), 3);
    let show = home.run(&["profile", "show"]);
    for text in [login.out, login.err, show.out, home.read("profiles.toml")] {
        assert!(!text.contains(server.token()) && !text.contains(server.password()), "{text}");
    }
    assert!(home.read("secrets.toml").contains(server.token()));
    #[cfg(unix)]
    for file in ["secrets.toml", "profiles.toml"] {
        assert_eq!(mode(&home.path().join(file)), 0o600, "{file}");
    }
}

#[test]
fn a_login_that_the_server_rejects_is_not_kept() {
    let (home, server) = (Home::new(), wats(1));
    home.run_with(&["login", "acme", "--url", server.base_url(), "--token-stdin"], "guessed").failed(5);
    let url = server.base_url().to_owned();
    let token = server.token().to_owned();
    drop(server);
    home.run_with(&["login", "acme", "--url", &url, "--token-stdin"], &token).failed(6);
    assert!(home.run(&["profile", "list"]).lines().is_empty());
    assert!(!home.path().join("secrets.toml").exists());
}

#[test]
fn a_login_without_a_terminal_names_the_flags_that_are_missing() {
    let home = Home::new();
    let message = home.run(&["login"]).failed(64);
    assert!(message.contains("--url"), "{message}");
    let message = home.run(&["login", "--url", "https://acme.wats.com"]).failed(64);
    assert!(message.contains("--token-file") && message.contains("--token-stdin"), "{message}");
}

#[test]
fn a_url_that_is_none_of_a_server_is_not_repeated() {
    let home = Home::new().with("SCIM_TOKEN", "t");
    for url in ["https://jane:s3cret@acme.wats.com", "http://s3cret.example.com", "s3cret"] {
        for args in
            [["users", "list", "--url", url], ["doctor", "--json", "--url", url], ["login", "acme", "--url", url]]
        {
            let message = home.run(&args).failed(64);
            assert!(message.contains("https://acme.wats.com") && !message.contains("s3cret"), "{args:?}: {message}");
            assert!(!message.contains("::") && !message.contains("Credentials"), "{message}");
        }
    }
}

#[test]
fn a_login_takes_a_token_from_a_file_and_a_password_from_standard_input() {
    let (home, server) = (Home::new(), StandardSandbox::builder().users(2).start().unwrap());
    let token = home.write("token", format!("{}\n", server.token()));
    home.run(&["login", "lab", "--url", server.scim_url(), "--token-file", token.to_str().unwrap()]).done();
    assert_eq!(count(&home, &[]), 2);
    let args = ["login", "lab", "--url", server.scim_url(), "--user", server.user_name(), "--token-stdin"];
    home.run_with(&args, server.password()).done();
    assert_eq!(count(&home, &[]), 2);
    assert_eq!(home.run(&["profile", "show"]).lines()[0]["user"], server.user_name());
}

#[test]
fn a_login_takes_what_the_environment_has() {
    let server = wats(2);
    let home = Home::of_wats(&server);
    let message = home.run(&["login", "acme"]).err;
    assert!(message.contains("The environment names a server, too"), "{message}");
    assert_eq!(home.run(&["profile", "list"]).lines()[0]["kind"], "wats");
}

#[test]
fn a_login_without_a_name_is_named_after_the_host_and_renews_the_token() {
    let (home, server) = (Home::new(), wats(1));
    for _ in 0..2 {
        home.run_with(&["login", "--url", server.base_url(), "--token-stdin"], server.token()).done();
    }
    let profiles = home.run(&["profile", "list"]).lines();
    assert_eq!(profiles.len(), 1);
    assert_eq!((&profiles[0]["name"], &profiles[0]["kind"]), (&"127.0.0.1".into(), &"wats".into()));
}

#[test]
fn an_argument_comes_before_the_environment_and_the_environment_before_the_current_profile() {
    let (saved, current, named, given) = (wats(1), wats(2), wats(3), wats(4));
    let home = Home::new();
    log_in(&home, "saved", &saved);
    log_in(&home, "current", &current);
    assert_eq!(count(&home, &[]), 2);
    let home = home.with("WATS_BASE_URL", named.base_url()).with("WATS_TOKEN", named.token());
    assert_eq!(count(&home, &[]), 3);
    assert_eq!(count(&home, &["--profile", "saved"]), 1);
    let token = home.write("token", given.token());
    let token = token.to_str().unwrap();
    assert_eq!(count(&home, &["--url", given.base_url(), "--token-file", token]), 4);
    home.run(&["users", "list", "--url", given.base_url(), "--profile", "saved", "--token-file", token]).failed(64);
}

#[test]
fn the_environment_can_name_a_profile_but_not_two_servers() {
    let (one, two) = (wats(1), wats(2));
    let home = Home::new();
    log_in(&home, "one", &one);
    log_in(&home, "two", &two);
    let home = home.with("WATS_SCIM_PROFILE", "one");
    assert_eq!(count(&home, &[]), 1);
    assert_eq!(count(&home, &["--profile", "two"]), 2);
    let home = home.with("WATS_BASE_URL", two.base_url());
    assert!(home.run(&["users", "list"]).failed(64).contains("more than one is set"));
}

#[test]
fn the_secret_of_a_profile_is_sent_to_no_other_url() {
    let (home, server, other) = (Home::new(), wats(1), wats(2));
    log_in(&home, "acme", &server);
    let profiles = home.read("profiles.toml").replace(server.base_url(), other.base_url());
    home.write("profiles.toml", profiles);
    let message = home.run(&["users", "list"]).failed(1);
    assert!(message.contains("no credentials for") && message.contains("wats-scim login acme"), "{message}");
    assert!(home.run(&["users", "list", "--url", other.base_url()]).failed(64).contains("--token-file"));
    assert!(other.requests().is_empty());
}

#[test]
fn a_token_of_the_environment_is_sent_to_no_url_but_the_one_beside_it() {
    let (server, other) = (wats(1), StandardSandbox::start().unwrap());
    let home = Home::of_wats(&server);
    assert!(
        home.run(&["users", "list", "--url", other.scim_url()]).failed(64).contains("only sent to the URL beside it")
    );
    assert_eq!(count(&home, &["--url", &format!("{}/", server.base_url())]), 1);
    // A token of the other kind of server is not taken in its place.
    let home = Home::new().with("SCIM_URL", other.scim_url()).with("WATS_TOKEN", server.token());
    assert!(home.run(&["users", "list"]).failed(64).contains("SCIM_TOKEN"));
    assert!(other.requests().is_empty());
}

#[test]
fn a_logout_forgets_the_profile_and_its_secret() {
    let (home, server) = (Home::new(), wats(1));
    log_in(&home, "acme", &server);
    home.run(&["logout"]).done();
    assert!(!home.read("secrets.toml").contains(server.token()));
    assert!(home.run(&["profile", "list"]).lines().is_empty());
    home.run(&["users", "list"]).failed(64);
    home.run(&["logout", "acme"]).failed(64);
}

#[test]
fn a_profile_that_is_used_is_the_current_one() {
    let (home, one, two) = (Home::new(), wats(1), wats(2));
    log_in(&home, "one", &one);
    log_in(&home, "two", &two);
    home.run(&["profile", "use", "one"]).done();
    assert_eq!(count(&home, &[]), 1);
    let json = home.run(&["profile", "list", "-o", "json"]).done();
    let list: Vec<serde_json::Value> = serde_json::from_str(&json).unwrap();
    assert_eq!((&list[0]["current"], &list[1]["current"]), (&true.into(), &false.into()));
    let message = home.run(&["profile", "use", "three"]).failed(64);
    assert!(message.contains("but one, two"), "{message}");
    let table = home.run(&["profile", "list", "-o", "table"]).done();
    assert!(table.starts_with("NAME") && table.contains("yes"), "{table}");
}

#[test]
fn without_a_desktop_the_file_takes_the_place_of_the_keyring_at_once() {
    let (home, server) = (Home::new(), wats(1));
    let login = ["login", "acme", "--url", server.base_url(), "--token-stdin"];
    let started = Instant::now();
    let mut command = home.command(&login);
    command.env_remove("WATS_SCIM_HOME");
    let ended = support::run(command, server.token());
    let message = ended.failed(0);
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    if cfg!(target_os = "linux") {
        assert!(message.contains("there is no keyring to use") && message.contains("secrets.toml"), "{message}");
        assert!(home.read(".config/wats-scim/secrets.toml").contains(server.token()));
        #[cfg(unix)]
        assert_eq!(mode(&home.path().join(".config/wats-scim")), 0o700);
    }
    let mut list = home.command(&["users", "list"]);
    list.env_remove("WATS_SCIM_HOME");
    assert_eq!(support::run(list, "").lines().len(), 1);
    let mut logout = home.command(&["logout"]);
    logout.env_remove("WATS_SCIM_HOME");
    support::run(logout, "").done();
}

#[cfg(unix)]
#[test]
fn secrets_that_others_can_read_are_not_used() {
    use std::os::unix::fs::PermissionsExt as _;

    let (home, server) = (Home::new(), wats(1));
    log_in(&home, "acme", &server);
    fs::set_permissions(home.path().join("secrets.toml"), fs::Permissions::from_mode(0o644)).unwrap();
    assert!(home.run(&["users", "list"]).failed(1).contains("chmod 600"));
}

#[test]
fn a_damaged_file_of_secrets_is_named_without_its_secrets() {
    let (home, server) = (Home::new(), wats(1));
    log_in(&home, "acme", &server);
    for damage in ["[acme]\nurl = 'x'\nsecret = 1234567", "[acme]\nsecret = 's3cret", "s3cret"] {
        // Written in place, it stays its owner's only.
        home.write("secrets.toml", damage);
        let message = home.run(&["users", "list"]).failed(1);
        assert!(message.contains("secrets.toml") && message.contains("line "), "{message}");
        assert!(!message.contains("1234567") && !message.contains("s3cret"), "{message}");
    }
}

#[test]
fn logins_at_the_same_time_are_all_kept() {
    let (home, server) = (Home::new(), wats(1));
    std::thread::scope(|scope| {
        for number in 0..6 {
            let (home, server) = (&home, &server);
            scope.spawn(move || log_in(home, &format!("profile{number}"), server));
        }
    });
    assert_eq!(home.run(&["profile", "list"]).lines().len(), 6);
    for number in 0..6 {
        assert_eq!(count(&home, &["--profile", &format!("profile{number}")]), 1);
    }
}

#[test]
fn a_token_is_written_to_a_file_of_its_owner_and_not_shown() {
    let server = wats(2);
    let home = Home::of_wats(&server);
    home.write("entra.token", "an old one");
    let ended = home.run(&["token", "--days", "30", "--out", "entra.token"]);
    let token = home.read("entra.token");
    assert!(!ended.err.contains(&token), "{ended:?}");
    let out = ended.done();
    assert!(
        out.contains(&format!("{}/\n", server.scim_url())) && out.contains("Expires") && !out.contains(&token),
        "{out}"
    );
    #[cfg(unix)]
    assert_eq!(mode(&home.path().join("entra.token")), 0o600);
    let asked = &server.requests()[0];
    assert!(asked.target.contains("30"), "{asked:?}");
    let trail = home.run(&["audit", "show"]).lines();
    assert_eq!((&trail[0]["operation"], &trail[0]["outcome"]), (&"get token".into(), &"applied".into()));
    assert!(!home.read("trail.jsonl").contains(&token));
    // It is a bearer token, unlike the API token of WATS.
    let provider = Home::new().with("SCIM_URL", server.scim_url()).with("SCIM_TOKEN", &token);
    assert_eq!(count(&provider, &[]), 2, "the token is one of this server");
}

#[test]
fn a_token_that_cannot_be_kept_or_shown_is_not_fetched() {
    let server = wats(0);
    let home = Home::of_wats(&server);
    assert!(home.run(&["token"]).failed(64).contains("--out"));
    assert!(home.run(&["token", "--show"]).failed(64).contains("terminal"));
    assert!(home.run(&["token", "--days", "0", "--out", "t"]).failed(64).contains("--days"));
    home.run(&["token", "--out", "no/such/folder/t"]).failed(1);
    assert!(server.requests().is_empty());
    assert!(!home.path().join("t").exists());
}

#[test]
fn only_wats_has_a_token() {
    let server = StandardSandbox::start().unwrap();
    let message = Home::of_standard(&server).run(&["token", "--out", "t"]).failed(1);
    assert!(message.contains("does not support"), "{message}");
    assert!(server.requests().is_empty());
}

#[test]
fn no_command_shows_a_secret_however_much_it_prints() {
    let (home, server) = (Home::new(), wats(2));
    log_in(&home, "acme", &server);
    for args in [
        &["profile", "list"][..],
        &["profile", "show", "-o", "json"],
        &["users", "list"],
        &["doctor", "--write", "--yes"],
        &["token", "--out", "entra.token"],
        &["login", "--url", server.base_url(), "--token-file", "secrets.toml"],
        &["logout"],
    ] {
        let ended = home.run(&[args, &["-vv"]].concat());
        let secrets = [server.token(), server.password(), "eyJ"];
        assert!(secrets.iter().all(|secret| !ended.out.contains(secret) && !ended.err.contains(secret)), "{ended:?}");
    }
    assert!(home.read("entra.token").starts_with("eyJ"));
}

#[test]
fn a_timeout_is_the_time_of_an_operation_with_its_retries() {
    let server = Sandbox::builder().users(1).latency(Duration::from_secs(3)).start().unwrap();
    let started = Instant::now();
    Home::of_wats(&server).run(&["users", "list", "--timeout", "1"]).failed(6);
    assert!(started.elapsed() < Duration::from_millis(2_500), "{:?}", started.elapsed());
}
