//! `wats-scim users …` on both servers of the sandbox.

mod support;

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use support::Home;
use wats_scim::http::{Method, StatusCode};
use wats_scim_sandbox::{Fault, FaultProxy, FaultRule, RecordedRequest, Sandbox, StandardSandbox};

fn wats(users: usize) -> (Sandbox, Home) {
    let server = Sandbox::builder().users(users).start().unwrap();
    let home = Home::of_wats(&server);
    (server, home)
}

fn standard(users: usize) -> (StandardSandbox, Home) {
    let server = StandardSandbox::builder().users(users).start().unwrap();
    let home = Home::of_standard(&server);
    (server, home)
}

/// A proxy before a WATS server, and a home that names it.
fn behind_proxy(users: usize, rule: FaultRule) -> (Sandbox, FaultProxy, Home) {
    let (server, _) = wats(users);
    let proxy = FaultProxy::builder(server.base_url()).with_rule(rule).start().unwrap();
    let home = Home::new().with("WATS_BASE_URL", proxy.base_url()).with("WATS_TOKEN", server.token());
    (server, proxy, home)
}

fn writes(requests: &[RecordedRequest]) -> Vec<Value> {
    let written = requests.iter().filter(|request| request.method != Method::GET);
    written.map(|request| serde_json::from_slice(&request.body).unwrap_or_default()).collect()
}

fn names(users: &[Value]) -> Vec<&str> {
    users.iter().filter_map(|user| user["userName"].as_str()).collect()
}

fn user<'a>(users: &'a [Value], name: &str) -> &'a Value {
    users.iter().find(|user| user["userName"] == name).unwrap()
}

/// The names of the sample users, one per line.
fn sample_names(number: usize) -> String {
    (1..=number).map(|number| format!("user{number:04}@example.com")).collect::<Vec<_>>().join("\n")
}

/// Starts the command, to read what it prints while it runs.
fn spawned(home: &Home, args: &[&str]) -> Child {
    home.command(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn a_list_has_each_format() {
    let (_wats, of_wats) = wats(3);
    let (_standard, of_standard) = standard(3);
    for home in [of_wats, of_standard] {
        let lines = home.run(&["users", "list"]).lines();
        assert_eq!(names(&lines), ["user0001@example.com", "user0002@example.com", "user0003@example.com"]);
        assert_eq!(lines[0]["name"]["familyName"], "User 0001", "the whole user");
        let array: Vec<Value> = serde_json::from_str(&home.run(&["users", "list", "-o", "json"]).done()).unwrap();
        assert_eq!(array, lines);
        let table = home.run(&["users", "list", "-o", "table", "--columns", "userName,active"]).done();
        let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(rows[0], ["USERNAME", "ACTIVE"]);
        assert_eq!(rows[3], ["user0003@example.com", "true"]);
        let csv = home.run(&["users", "list", "-o", "csv", "--columns", "userName,email"]).done();
        assert_eq!(csv.lines().nth(1), Some("user0001@example.com,user0001@example.com"));
        let none = ["users", "list", "--filter", "userName eq \"x\"", "-o"];
        for (format, expected) in [("json", "[]\n"), ("jsonl", ""), ("csv", "userName,displayName,email,active\n")] {
            assert_eq!(home.run(&[&none[..], &[format]].concat()).done(), expected);
        }
    }
}

#[test]
fn a_list_is_filtered_and_sorted() {
    let jane = json!({ "userName": "jane", "displayName": "a", "active": false });
    let wats = Sandbox::builder().users(3).with_users([jane.clone()]).start().unwrap();
    let standard = StandardSandbox::builder().users(3).with_users([jane]).start().unwrap();
    for home in [Home::of_wats(&wats), Home::of_standard(&standard)] {
        let list = |args: &[&str]| home.run(&[&["users", "list"], args].concat()).lines();
        assert_eq!(names(&list(&["--inactive"])), ["jane"]);
        assert_eq!(list(&["--active"]).len(), 3);
        assert_eq!(names(&list(&["--filter", "userName ew \"2@example.com\"", "--active"])), ["user0002@example.com"]);
        assert_eq!(names(&list(&["--sort", "displayName"]))[..2], ["jane", "user0001@example.com"]);
    }
    let asked = |requests: &[RecordedRequest]| requests.iter().any(|request| request.target.contains("sortBy="));
    assert!(asked(&standard.requests()), "the server sorts");
    assert!(!asked(&wats.requests()), "WATS does not sort");
}

#[test]
fn the_first_line_takes_two_round_trips() {
    let (server, _) = standard(1_000);
    let stall = FaultRule::new(Fault::Stall(Duration::from_secs(60))).after(2);
    let proxy = FaultProxy::builder(server.scim_url()).with_rule(stall).start().unwrap();
    let home = Home::new().with("SCIM_URL", proxy.base_url()).with("SCIM_TOKEN", server.token());
    let mut child = spawned(&home, &["users", "list"]);
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(line.contains("user0001@example.com"), "{line}");
}

#[test]
fn a_reader_that_has_seen_enough_ends_a_list() {
    let (_server, home) = wats(3_000);
    for format in ["table", "csv", "json", "jsonl"] {
        let mut child = spawned(&home, &["users", "list", "-o", format]);
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let mut message = String::new();
        child.stderr.take().unwrap().read_to_string(&mut message).unwrap();
        assert_eq!((child.wait().unwrap().code(), message.as_str()), (Some(0), ""), "{format}");
    }
}

#[test]
fn an_unknown_column_is_a_wrong_argument() {
    for args in [&["users", "list", "--columns", "userNmae"][..], &["users", "list", "--sort", "userNmae"]] {
        let message = Home::new().run(args).failed(64);
        assert!(message.contains("\"userNmae\"") && message.contains("id, userName, externalId"), "{message}");
    }
}

#[test]
fn csv_has_the_columns_that_a_plan_reads() {
    let odd = json!({ "userName": "=jane", "title": "two\nlines", "id": "7" });
    let server = StandardSandbox::builder().with_users([odd]).start().unwrap();
    let home = Home::of_standard(&server);
    let run = home.run(&["users", "list", "-o", "csv", "--columns", "userName,title,manager.value"]);
    assert_eq!(run.out, "userName,title,manager.value\n'=jane,,\n");
    assert!(run.failed(0).contains("1 values of title were left out"));
    let message = home.run(&["users", "list", "-o", "csv", "--columns", "id,userName"]).failed(64);
    assert!(message.contains("no column id") && message.contains("userName, externalId"), "{message}");
    assert_eq!(home.run(&["users", "get", "7", "-o", "csv", "--columns", "userName"]).done(), "userName\n'=jane\n");
}

#[test]
fn a_user_is_named_by_name_id_external_id_or_a_line() {
    let (wats, of_wats) = wats(9);
    let (standard, of_standard) = standard(9);
    for (home, users) in [(of_wats, wats.users()), (of_standard, standard.users())] {
        let id = users[1]["id"].as_str().unwrap();
        let get = ["users", "get", "-o", "jsonl", "USER0001@example.com", id, "externalId:ext-0003", "-", id];
        let input = format!("\u{feff}user0004@example.com\r\n\n {} \n", users[4]);
        let found: Vec<Value> =
            home.run_with(&get, &input).done().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let expected: Vec<String> = (1..=5).map(|number| format!("user000{number}@example.com")).collect();
        assert_eq!(names(&found), expected, "each once, in order");
    }
}

#[test]
fn a_name_that_the_server_rejects_as_an_id_is_a_name() {
    for (code, page) in [(500, ""), (400, ""), (404, "<html>not found</html>")] {
        let reject = move |request: &wats_scim::http::Request<Vec<u8>>| {
            let is_by_id = request.uri().path().contains('@') && !request.uri().path().contains("userName=");
            let mut answer = wats_scim::http::Response::new(page.as_bytes().to_vec());
            *answer.status_mut() = StatusCode::from_u16(code).unwrap();
            is_by_id.then_some(answer)
        };
        let server = Sandbox::builder().users(2).respond_with(reject).start().unwrap();
        let args = ["users", "get", "-o", "jsonl", "user0002@example.com", "--timeout", "2"];
        assert_eq!(names(&Home::of_wats(&server).run(&args).lines()), ["user0002@example.com"], "{code}");
    }
}

#[test]
fn a_text_that_names_two_users_is_an_error() {
    let users = [json!({ "id": "ann", "userName": "bob" }), json!({ "id": "7", "userName": "ann" })];
    let server = StandardSandbox::builder().with_users(users).start().unwrap();
    let message = Home::of_standard(&server).run(&["users", "delete", "--yes", "ann"]).failed(64);
    assert!(message.contains("id 7") && message.contains("userName bob"), "{message}");
    assert_eq!(server.users().len(), 2);
}

#[test]
fn nothing_is_written_while_a_user_is_unknown() {
    let (server, home) = wats(2);
    let args = ["users", "deactivate", "--yes", "user0001@example.com", "jane", "userName=user0002@example.com", "-"];
    let message = home.run_with(&args, "joan\n").failed(1);
    assert!(message.contains("jane, userName=user0002@example.com, joan; nothing was changed"), "{message}");
    assert!(message.contains("--skip-unknown") && writes(&server.requests()).is_empty(), "{message}");
    let message = home.run_with(&[&args[..], &["--skip-unknown"]].concat(), "joan").failed(0);
    assert!(message.contains("left out: ") && message.contains("1 user deactivated"), "{message}");
    assert_eq!(server.users()[0]["active"], false);
}

#[test]
fn get_prints_whole_users_and_names_those_that_are_missing() {
    let (server, home) = standard(2);
    let run = home.run(&["users", "get", "user0001@example.com", "jane"]);
    let user: Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(user["id"], server.users()[0]["id"]);
    assert!(run.out.starts_with("{\n  \""), "{}", run.out);
    assert!(run.failed(1).contains("the server has no user jane"));
}

#[test]
fn a_user_is_created_from_flags_and_paths() {
    let (wats, of_wats) = wats(0);
    let (standard, of_standard) = standard(0);
    let args = [
        "users",
        "create",
        "--user-name",
        "jane@example.com",
        "--given-name",
        "Jane",
        "--family-name",
        "Doe",
        "--display-name",
        "Jane Doe",
        "--email",
        "j@example.com",
        "--external-id",
        "hr-7",
        "--inactive",
        "--role",
        "Viewer",
        "department=Test",
    ];
    for home in [&of_wats, &of_standard] {
        let shown: Value = serde_json::from_str(&home.run(&args).done()).unwrap();
        assert!(shown["id"].is_string(), "{shown}");
    }
    for users in [wats.users(), standard.users()] {
        let jane = &users[0];
        assert_eq!(jane["name"], json!({ "givenName": "Jane", "familyName": "Doe" }));
        assert_eq!((&jane["externalId"], &jane["active"]), (&json!("hr-7"), &json!(false)));
        assert_eq!(jane["emails"][0]["value"], "j@example.com");
        assert_eq!(jane["roles"][0]["value"], "Viewer");
        assert_eq!(jane["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"]["department"], "Test");
    }
    let message = of_wats.run(&args).failed(1);
    assert!(message.contains("jane@example.com: ") && message.contains("409"), "{message}");
}

#[test]
fn users_are_created_from_json() {
    let (server, home) = standard(0);
    let users = r#"[{"userName": "ann", "password": "canary"}, {"userName": "bob"}]"#;
    let shown = home.run_with(&["users", "create", "--from", "-"], users).lines();
    assert_eq!(names(&shown), ["ann", "bob"]);
    let file = home.write("users.jsonl", "{\"userName\": \"bob\"}\n{\"userName\": \"cy\"}\n");
    let run = home.run(&["users", "create", "--from", file.to_str().unwrap()]);
    assert_eq!(names(&run.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<_>>()), ["cy"]);
    let message = run.failed(4);
    assert!(message.contains("error: bob: ") && message.contains("1 of 2 users created, 1 failed"), "{message}");
    assert_eq!(names(&server.users()), ["ann", "bob", "cy"]);
}

#[test]
fn a_password_is_never_an_argument() {
    for args in
        [&["users", "set", "jane", "password=canary"][..], &["users", "create", "--user-name", "j", "Password=x"]]
    {
        assert!(Home::new().run(args).failed(64).contains("never an argument"));
    }
}

#[test]
fn set_sends_the_smallest_patch() {
    let (server, home) = standard(2);
    let args = ["users", "set", "user0001@example.com"];
    let changes = ["name.familyName=Roe", "displayName=", "email=roe@example.com", "externalId=ext-0001"];
    home.run(&[&args[..], &changes].concat()).done();
    let sent = writes(&server.requests());
    assert_eq!(sent.len(), 1);
    let text = sent[0].to_string();
    for part in [
        r#"{"op":"replace","path":"name.familyName","value":"Roe"}"#,
        r#"{"op":"remove","path":"displayName"}"#,
        r#""path":"emails","value":[{"value":"roe@example.com","type":"work","primary":true}]"#,
    ] {
        assert!(text.contains(part), "{text}");
    }
    assert!(!text.contains("externalId"), "{text}");
    let message = home.run(&[&args[..], &changes].concat()).failed(0);
    assert!(message.contains("already so: 1 of 1 user") && writes(&server.requests()).len() == 1, "{message}");
    let message = home.run(&[&args[..], &["familyNmae=Roe"]].concat()).failed(64);
    assert!(message.contains("familyNmae is no attribute that can be set; known are externalId"), "{message}");
}

#[test]
fn set_speaks_the_dialect_of_wats() {
    let (server, home) = wats(2);
    let set = ["users", "set", "user0001@example.com"];
    home.run(&[&set[..], &["familyName=Roe", "email=roe@example.com", "levels=Level 1"]].concat()).done();
    let jane = &server.users()[0];
    assert_eq!((&jane["name"]["familyName"], &jane["emails"][0]["value"]), (&json!("Roe"), &json!("roe@example.com")));
    server.clear_requests();
    let message = home.run(&[&set[..], &["givenName=Jo", "displayName=", "userName=jo", "title=T"]].concat()).failed(1);
    for part in [
        "user0001@example.com",
        "displayName: removing it",
        "userName: setting it",
        "title: setting it",
        "nothing was changed",
    ] {
        assert!(message.contains(part), "{message}");
    }
    assert!(writes(&server.requests()).is_empty());
}

#[test]
fn set_changes_a_list_of_users() {
    let (server, home) = standard(3);
    let message =
        home.run_with(&["users", "set", "-", "active=no"], "user0001@example.com\nuser0002@example.com\n").failed(64);
    assert!(
        message.contains("this deactivates 2 users: user0001@example.com, user0002@example.com")
            && message.contains("--yes"),
        "{message}"
    );
    home.run_with(&["users", "set", "-", "active=no", "--yes"], "user0001@example.com\nuser0002@example.com\n").done();
    assert_eq!(user(&server.users(), "user0002@example.com")["active"], false);
    assert_eq!(user(&server.users(), "user0003@example.com")["active"], true);
}

#[test]
fn users_are_deactivated_activated_and_deleted_once() {
    let (wats, of_wats) = wats(3);
    let (standard, of_standard) = standard(3);
    let who = ["user0001@example.com", "user0002@example.com"];
    for home in [&of_wats, &of_standard] {
        let message = home.run(&[&["users", "deactivate"][..], &who].concat()).failed(64);
        assert!(
            message.contains("this deactivates 2 users: user0001@example.com, user0002@example.com")
                && message.contains("--yes"),
            "{message}"
        );
        for (verb, first, second) in [
            ("deactivate", "2 users deactivated", "already inactive: 2 of 2 users"),
            ("activate", "2 users activated", "already active: 2 of 2 users"),
        ] {
            let yes: &[&str] = if verb == "deactivate" { &["--yes"] } else { &[] };
            let args = [&["users", verb][..], yes, &who].concat();
            for expected in [first, second] {
                let run = home.run(&args);
                assert_eq!(run.out, "");
                let message = run.failed(0);
                assert!(message.contains(expected), "{message}");
            }
        }
        let delete = [&["users", "delete", "--yes"][..], &who].concat();
        assert!(home.run(&delete).failed(0).contains("2 users deleted"));
        assert!(home.run(&delete).failed(1).contains("nothing was changed"));
        assert!(home.run(&[&delete[..], &["--skip-unknown"]].concat()).failed(0).contains("nothing to do"));
    }
    assert_eq!(names(&wats.users()), ["user0003@example.com"]);
    assert_eq!(names(&standard.users()), ["user0003@example.com"]);
}

#[test]
fn a_write_whose_answer_is_lost_may_have_been_applied() {
    let lost = Fault::StatusAfterApplied { code: StatusCode::GATEWAY_TIMEOUT, retry_after: None };
    let (server, _proxy, home) = behind_proxy(2, FaultRule::new(lost).on_method(Method::PATCH));
    let args = ["users", "deactivate", "--yes", "user0001@example.com", "--timeout", "2"];
    let message = home.run(&args).failed(4);
    assert!(message.contains("user0001@example.com: ") && message.contains("may have been applied"), "{message}");
    assert!(message.contains("run the same command again"), "{message}");
    assert_eq!(server.users()[0]["active"], false);
    assert!(home.run(&args).failed(0).contains("already inactive"), "again is harmless");
}

#[test]
fn each_failure_is_named_and_the_rest_is_done() {
    let refused = FaultRule::new(Fault::Status { code: StatusCode::FORBIDDEN, retry_after: None });
    let (server, _proxy, home) = behind_proxy(3, refused.on_method(Method::DELETE).times(1));
    let who = ["user0001@example.com", "user0002@example.com", "user0003@example.com"];
    let run = home.run(&[&["users", "delete", "--yes", "--json"][..], &who].concat());
    let lines: Vec<Value> = run.err.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    assert_eq!(lines[0]["error"]["outcome"], "notApplied", "{run:?}");
    assert_eq!(lines[1]["kind"], "partly");
    let message = run.failed(4);
    assert!(message.contains("2 of 3 users deleted, 1 failed, 0 not begun"), "{message}");
    assert_eq!(lines[0]["who"], server.users()[0]["userName"]);
}

#[test]
fn rejected_credentials_and_a_server_that_is_away_have_codes_of_their_own() {
    let (server, _) = wats(2);
    let wrong = Home::new().with("WATS_BASE_URL", server.base_url()).with("WATS_TOKEN", "canary");
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let away = Home::new().with("WATS_BASE_URL", &format!("http://{free}")).with("WATS_TOKEN", "x");
    for args in [&["users", "list"][..], &["users", "get", "jane"], &["users", "delete", "--yes", "jane"]] {
        let message = wrong.run(args).failed(5);
        assert!(message.contains("401") && !message.contains("canary"), "{message}");
        away.run(&[args, &["--timeout", "1"]].concat()).failed(6);
    }
    let expired = FaultRule::new(Fault::Status { code: StatusCode::UNAUTHORIZED, retry_after: None });
    let (server, _proxy, home) = behind_proxy(30, expired.on_method(Method::PATCH));
    let names = sample_names(30);
    home.run_with(&["users", "deactivate", "--yes", "-"], &names).failed(5);
    assert!(server.users().iter().all(|user| user["active"] == true));
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_run_between_two_users_and_the_same_command_goes_on() {
    let server = Sandbox::builder().users(200).latency(Duration::from_millis(5)).start().unwrap();
    let home = Home::of_wats(&server);
    home.write("names", sample_names(200));
    let args = ["users", "deactivate", "--yes", "-"];
    let names = || std::fs::File::open(home.path().join("names")).unwrap();
    let mut command = home.command(&args);
    let child = command.stdin(names()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    while !server.requests().iter().any(|request| request.method == Method::PATCH) {
        std::thread::sleep(Duration::from_millis(2));
    }
    let killed = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let output = child.wait_with_output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    let done = server.users().iter().filter(|user| user["active"] == false).count();
    assert_eq!(output.status.code(), Some(130), "{message}");
    assert!(done < 200 && message.contains(&format!("interrupted: {done} of 200 users deactivated")), "{message}");
    assert!(message.contains("run the same command again"), "{message}");
    let output = home.command(&args).stdin(names()).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(server.users().iter().all(|user| user["active"] == false));
}

#[test]
fn a_server_that_does_not_filter_is_filtered_here() {
    let jane = json!({ "id": "7", "userName": "jane", "externalId": "hr-7", "active": false });
    let pages = move |request: &wats_scim::http::Request<Vec<u8>>| {
        let has_filter = request.uri().query().is_some_and(|query| query.contains("filter="));
        (request.method() == Method::GET && has_filter).then(|| {
            let all = json!({ "totalResults": 2, "Resources": [{ "id": "1", "userName": "ann", "externalId": "hr-1", "active": true }, { "id": "7", "userName": "jane", "externalId": "hr-7", "active": false }] });
            wats_scim::http::Response::new(all.to_string().into_bytes())
        })
    };
    let ann = json!({ "id": "1", "userName": "ann", "externalId": "hr-1", "active": true });
    let server = Sandbox::builder().with_users([ann, jane]).respond_with(pages).start().unwrap();
    let home = Home::of_wats(&server);
    let run = home.run(&["users", "list", "--inactive"]);
    assert!(run.err.contains("does not filter"), "{run:?}");
    assert_eq!(names(&run.lines()), ["jane"]);
    let user: Value = serde_json::from_str(&home.run(&["users", "get", "externalId:hr-7"]).done()).unwrap();
    assert_eq!(user["userName"], "jane");
}
