//! Sources, plans, explanations and exports.

mod support;

use serde_json::{Value, json};
use support::Home;
use wats_scim_sandbox::{Sandbox, StandardSandbox};

fn user(name: &str, external_id: &str) -> Value {
    json!({ "id": format!("id-{name}"), "userName": name, "externalId": external_id, "active": true })
}

/// Users of a standard server.
fn server(names: &[&str]) -> StandardSandbox {
    StandardSandbox::builder().with_users(names.iter().map(|name| user(name, &format!("x{name}")))).start().unwrap()
}

#[test]
fn a_plan_is_made_of_csv_with_mapped_columns_and_stored_for_its_owner() {
    let server = server(&["ann@x.org", "bob@x.org"]);
    let home = Home::of_standard(&server);
    // A semicolon, and the charset of a spreadsheet.
    home.write("hr.csv", b"No;Mail;Family\nxann@x.org;ann@x.org;M\xfcller\nx3;cy@x.org;Roe\n");
    let args =
        ["plan", "hr.csv", "--charset", "windows-1252", "--map", "No=externalId", "--map", "Mail=userName,email"];
    let more = ["--map", "Family=familyName", "-o", "plan.json", "--detailed-exitcode"];
    let ended = home.run(&[&args[..], &more].concat());
    let (code, out, err) = (ended.code, ended.out, ended.err);
    assert_eq!(code, Some(2), "{out}{err}");
    assert!(out.contains("1 to create, 1 to update, 0 to reactivate, 1 to deactivate"), "{out}");
    assert!(out.contains("Müller"), "{out}");
    assert!(err.contains("wats-scim apply plan.json"), "{err}");
    let plan: Value = serde_json::from_str(&home.read("plan.json")).unwrap();
    assert_eq!(plan["server"], server.scim_url());
    assert!(plan["steps"][0]["origin"].to_string().contains("hr.csv"), "{plan}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;

        let stored = std::fs::metadata(home.path().join("plan.json")).unwrap();
        assert_eq!(stored.permissions().mode() & 0o777, 0o600);
    }
    assert!(server.requests().iter().all(|request| request.method == "GET"));

    let err = home.run(&["plan", "hr.csv"]).failed(1);
    assert!(err.contains("line 2 is not UTF-8; name its charset with --charset"), "{err}");
}

#[test]
fn a_rejected_plan_names_the_flag_with_its_number() {
    let names: Vec<String> = (0..40).map(|n| format!("u{n}")).collect();
    let server = server(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let home = Home::of_standard(&server);
    home.write("hr.csv", "userName,externalId\nu0,xu0\nnew,7\n");
    let err = home.run(&["plan", "hr.csv"]).failed(3);
    assert!(err.contains("39 of 40 users would be deactivated or deleted"), "{err}");
    assert!(!err.contains("Policy::"), "{err}");
    let flag = err.split("add ").nth(1).unwrap().trim();
    assert_eq!(flag, "--allow max-deactivation-percent=98");
    let mut args = vec!["plan", "hr.csv"];
    args.extend(flag.split(' '));
    assert!(home.run(&args).done().contains("39 to deactivate"));
    args[3] = "max-deactivation-percent=97";
    home.run(&args).failed(3);
    let err = home.run(&["plan", "hr.csv", "--allow", "max-deletions=1"]).failed(64);
    assert!(err.contains("max_deactivations"), "{err}");
    let err = home.run(&["plan", "hr.csv", "--json", "--quiet"]).failed(3);
    let json: Value = serde_json::from_str(&err).unwrap();
    assert_eq!(json["kind"], "rejected");
}

#[test]
fn a_policy_and_the_form_of_a_source_are_files() {
    let server = server(&["ann", "bob", "guest"]);
    let home = Home::of_standard(&server);
    home.write(
        "form.toml",
        "delimiter = \";\"\nignore-columns = true\n[columns]\nLogin = \"userName\"\nNo = \"externalId\"\n",
    );
    home.write(
        "nightly.toml",
        "leavers = \"keep\"\n[mapping]\ndisplayName = { template = \"{userName} (HR)\" }\n[who]\nprotected = [\"bob\"]\n",
    );
    home.write("hr.txt", "Login;No;Room\nann;xann;7\nbob;xbob;8\n");
    let args = ["plan", "hr.txt", "--mapping", "form.toml", "--policy", "nightly.toml", "-o", "-"];
    let plan: Value = serde_json::from_str(&home.run(&args).done()).unwrap();
    assert_eq!(plan["steps"].as_array().unwrap().len(), 1, "{plan}");
    assert_eq!(plan["steps"][0]["changes"][0]["to"], "ann (HR)", "{plan}");
    let args = [&args[..6], &["--leavers", "delete", "--protect", "guest", "-o", "-"]].concat();
    let plan: Value = serde_json::from_str(&home.run(&args).done()).unwrap();
    assert_eq!(plan["steps"].as_array().unwrap().len(), 1, "{plan}");
    home.write("nightly.toml", "leaver = \"keep\"");
    let err = home.run(&args).failed(1);
    assert!(err.contains("nightly.toml: unknown field `leaver`"), "{err}");
}

#[test]
fn a_column_that_is_unknown_names_the_arguments_of_the_command() {
    let server = server(&["ann"]);
    let home = Home::of_standard(&server);
    for (file, arguments) in
        [("userName,Room\nann,7\n", &["--map", "--ignore-columns"][..]), ("Login|Room\nann|7\n", &["--delimiter"])]
    {
        home.write("hr.csv", file);
        let err = home.run(&["plan", "hr.csv"]).failed(1);
        assert!(arguments.iter().all(|argument| err.contains(argument)) && !err.contains("::"), "{err}");
    }
}

#[test]
fn bad_rows_are_named_and_their_users_are_no_leavers() {
    let server = server(&["ann", "bob", "cy"]);
    let home = Home::of_standard(&server);
    home.write("hr.csv", "userName,externalId,active\nann,xann,yes\nbob,xbob,perhaps\n");
    let err = home.run(&["plan", "hr.csv"]).failed(1);
    assert!(err.contains("hr.csv: 1 row is bad, so nothing was read:\n  line 3: \"active\" is not true"), "{err}");
    let ended = home.run(&["plan", "hr.csv", "--skip-bad"]);
    assert!(ended.err.contains("line 3 is left out: \"active\" is not true"), "{}", ended.err);
    let out = ended.done();
    assert!(out.contains("- cy") && !out.contains("- bob") && out.contains("! bob"), "{out}");
}

#[test]
fn standard_input_json_lines_and_another_server_are_sources() {
    let server = server(&["ann", "bob"]);
    let home = Home::of_standard(&server);
    let lines = "{\"userName\":\"ann\",\"externalId\":\"xann\"}\n{\"userName\":\"dee\"}\n";
    let out = home.run_with(&["plan", "-", "--leavers", "keep"], lines).done();
    assert!(out.contains("1 to create, 0 to update") && out.contains("+ dee"), "{out}");

    let other = StandardSandbox::builder()
        .with_users([user("eve", "xeve"), user("ann", "xann")])
        .with_groups([json!({ "displayName": "Testers", "members": [{ "value": "id-eve" }] })])
        .start()
        .unwrap();
    let login = ["login", "other", "--url", other.scim_url(), "--kind", "standard", "--token-stdin"];
    home.run_with(&login, other.token()).done();
    let out = home.run(&["plan", "scim:other"]).done();
    assert!(out.contains("+ eve") && out.contains("- bob") && out.contains("+ Testers"), "{out}");
    let err = home.run(&["plan", "scim:nowhere"]);
    assert!(err.code != Some(0) && err.err.contains("nowhere"), "{err:?}");
}

#[test]
fn an_export_is_read_back_without_a_difference() {
    let users = [
        json!({ "id": "1", "userName": "ann", "externalId": "7", "title": "=1+2", "displayName": "a, \"b\"; c", "active": true }),
        json!({ "id": "2", "userName": "bob", "emails": [{ "value": "a@x.org" }, { "value": "b@x.org" }], "active": false,
                "name": { "givenName": "two\nlines", "familyName": "Ümlaut" } }),
    ];
    let groups = [json!({ "displayName": "Line 7", "members": [{ "value": "1" }] }), json!({ "displayName": "Empty" })];
    let standard = StandardSandbox::builder().users(30).with_users(users).with_groups(groups).start().unwrap();
    let wats = Sandbox::builder().users(30).start().unwrap();
    for (home, has_groups) in [(Home::of_standard(&standard), true), (Home::of_wats(&wats), false)] {
        for file in ["all.json", "all.csv"] {
            for with_groups in [false, true].into_iter().filter(|with_groups| has_groups || !with_groups) {
                let args = if with_groups { vec!["export", file, "--groups"] } else { vec!["export", file] };
                home.run(&args).done();
                let plan = home.run(&["plan", file, "--ours", "all", "--detailed-exitcode"]);
                let out = plan.done();
                assert!(out.starts_with("0 to create, 0 to update, 0 to reactivate, 0 to deactivate"), "{file}: {out}");
            }
        }
    }
    let home = Home::of_standard(&standard);
    let ended = home.run(&["export", "-o", "csv"]);
    assert!(ended.err.contains("email of 1 users is left out"), "{}", ended.err);
    let csv = ended.done();
    assert!(csv.contains(",'=1+2"), "{csv}");
    let wats = Home::of_wats(&wats).run(&["export", "--groups"]);
    assert!(wats.code == Some(1) && wats.err.contains("roups"), "{wats:?}");
}

#[test]
fn a_user_is_explained_with_its_row_and_the_guard() {
    let server = server(&["ann", "bob"]);
    let home = Home::of_standard(&server);
    home.write("hr.csv", "userName,externalId,title\nANN,xann,Dr\n");
    let out = home.run(&["explain", "ann", "--from", "hr.csv"]).done();
    assert!(out.contains("in the source: ANN") && out.contains("hr.csv:2") && out.contains("title"), "{out}");
    let out = home.run(&["explain", "bob", "--from", "hr.csv"]).done();
    assert!(out.contains("deactivate"), "{out}");
    let out = home.run(&["explain", "bob", "--from", "hr.csv", "--expect", "5"]).done();
    assert!(out.contains("the plan is rejected") && out.contains("--allow"), "{out}");
    let out = home.run(&["explain", "absent", "--from", "hr.csv"]).done();
    assert!(out.contains("neither the source nor the server has it"), "{out}");
}

#[test]
fn standard_input_is_the_token_or_the_source_and_not_both() {
    let server = StandardSandbox::start().unwrap();
    let home = Home::new();
    for args in [&["plan", "-"][..], &["users", "create", "--from", "-"], &["users", "get", "-"]] {
        let args = [args, &["--url", server.scim_url(), "--token-stdin"]].concat();
        let message = home.run_with(&args, server.token()).failed(64);
        assert!(message.contains("standard input is the token") && message.contains("--token-file"), "{message}");
    }
    assert!(server.requests().is_empty());
}
