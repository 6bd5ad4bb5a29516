//! What a probe finds of a server that is not ours, line by line: the reports are in `tests/reports`.
//! `scripts/scim2-server` and `scripts/scimmy` start the servers, which nothing else uses meanwhile, and
//! name them in `SCIM_NAME`.

use std::env;

use wats_scim::{Credentials, ScimConfig, ScimUser, asynchronous, blocking};

fn config() -> ScimConfig {
    let of = |name| env::var(name).unwrap_or_else(|_| panic!("{name} is not set; run scripts/scim2-server"));
    ScimConfig::new(of("SCIM_SERVER"), Credentials::bearer(of("SCIM_TOKEN")))
}

fn check(report: &str) {
    let Ok(name) = env::var("SCIM_NAME") else { return println!("{report}") };
    insta::with_settings!({ snapshot_path => "reports", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, report);
    });
}

/// One test for both clients: they must not meet at the server.
#[tokio::test]
async fn a_report_is_right_line_by_line() {
    let client = tokio::task::spawn_blocking(|| blocking::ScimClient::with_config(&config()).unwrap()).await.unwrap();
    let by_blocking = tokio::task::spawn_blocking(move || {
        // A server that says that it has bulk requests is asked about them, too.
        let client = client.discover().unwrap();
        let users = (1..=12).map(|n| ScimUser::new(format!("user{n:02}@example.com")).with_display_name("User"));
        let users: Vec<_> = users.map(|user| client.create_user(&user).unwrap().id.unwrap()).collect();
        (client.probe().allow_writes().run().unwrap().to_string(), users)
    });
    let (report, users) = by_blocking.await.unwrap();
    check(&report);

    let client = asynchronous::ScimClient::with_config(&config()).unwrap().discover().await.unwrap();
    assert_eq!(client.probe().allow_writes().run().await.unwrap().to_string(), report);
    for id in users {
        client.delete_user(&id).await.unwrap();
    }
    let left = client.get_users(&wats_scim::ListQuery::new()).await.unwrap();
    assert!(left.resources.is_empty(), "a probe leaves no users behind: {left:?}");
}
