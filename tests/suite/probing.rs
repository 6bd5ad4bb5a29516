//! What a probe finds of the servers for tests, line by line: the reports are in `tests/reports`.

use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;
use wats_scim::probe::{Check, Report, Verdict};
use wats_scim::{Credentials, Profile, RetryPolicy, ScimConfig};
use wats_scim_sandbox::{Fault, FaultProxy, FaultRule, Sandbox, StandardSandbox};

use super::Server;
use crate::{ScimClient, maybe_async, test};

fn client(sandbox: &dyn Server, profile: Profile) -> ScimClient {
    let config = ScimConfig::new(sandbox.scim_url(), Credentials::wats_token(sandbox.token()));
    ScimClient::with_config(&config.retry(super::quick()).profile(profile)).unwrap()
}

/// Checks a report against `tests/reports`.
pub(super) fn check(name: &str, report: &Report) {
    insta::with_settings!({ snapshot_path => "../reports", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, report.to_string());
    });
}

/// Both servers with each of the quirks that they have in common.
macro_rules! with_quirks {
    ($Sandbox:ident) => {
        [
            ("none", $Sandbox::builder()),
            ("page_cap", $Sandbox::builder().page_cap(2)),
            ("omit_total", $Sandbox::builder().omit_total()),
            ("omit_total_page_cap", $Sandbox::builder().omit_total().page_cap(2)),
            ("total_is_page_size", $Sandbox::builder().total_is_page_size()),
            ("total_is_page_size_page_cap", $Sandbox::builder().total_is_page_size().page_cap(2)),
            ("ignore_start_index", $Sandbox::builder().ignore_start_index()),
            ("repeat_last_page", $Sandbox::builder().repeat_last_page()),
            ("everything_past_end", $Sandbox::builder().everything_past_end()),
            ("empty_page_at_2", $Sandbox::builder().empty_page_at(2)),
            ("empty_page_at_3", $Sandbox::builder().empty_page_at(3).page_cap(2)),
            ("patch_answers_204", $Sandbox::builder().patch_answers_204()),
            ("create_answers_empty", $Sandbox::builder().create_answers_empty()),
        ]
    };
}

#[maybe_async]
#[test]
async fn a_standard_server_in_each_quirk() {
    let others = [("cursors", StandardSandbox::builder().allow_cursors())];
    for (quirk, builder) in with_quirks!(StandardSandbox).into_iter().chain(others) {
        let sandbox = builder.users(5).start().unwrap();
        let client = client(&sandbox, Profile::standard());
        let report = client.probe().allow_writes().run().await.unwrap();
        check(&format!("standard.{quirk}"), &report);
        assert_eq!(sandbox.users().len(), 5, "the users of the probe are removed");
        assert_eq!(sandbox.groups().len(), 0, "and its group");
        let mut expected = json!(client.profile());
        expected["checksVersions"] = true.into();
        assert_eq!(json!(report.profile()), expected, "nothing is lost, and one thing is known now");
    }
}

#[maybe_async]
#[test]
async fn a_wats_server_in_each_quirk() {
    let others = [("standard_path", Sandbox::builder().standard_path())];
    for (quirk, builder) in with_quirks!(Sandbox).into_iter().chain(others) {
        let sandbox = builder.users(5).start().unwrap();
        let profile = if quirk == "standard_path" { Profile::standard() } else { Profile::wats() };
        let report = client(&sandbox, profile).probe().allow_writes().run().await.unwrap();
        check(&format!("wats.{quirk}"), &report);
        assert_eq!(sandbox.users().len(), 5);
    }
}

#[maybe_async]
#[test]
async fn servers_with_few_users_and_with_special_names() {
    let special = ["a", "b+c", "50%", "d/e", "f#g"].map(|name| json!({ "userName": name, "displayName": "X" }));
    for (name, builder, may_write) in [
        ("empty", StandardSandbox::builder(), false),
        ("empty_write", StandardSandbox::builder(), true),
        ("one_user", StandardSandbox::builder().users(1), false),
        ("special_names", StandardSandbox::builder().with_users(special.clone()), false),
        ("special_names_write", StandardSandbox::builder().with_users(special), true),
    ] {
        let sandbox = builder.start().unwrap();
        let before = sandbox.users();
        let probe = client(&sandbox, Profile::standard()).probe();
        let probe = if may_write { probe.allow_writes() } else { probe };
        let report = probe.run().await.unwrap();
        check(&format!("standard.{name}"), &report);
        assert_eq!(sandbox.users(), before);
    }
}

type Request = http::Request<Vec<u8>>;
type Answer = http::Response<Vec<u8>>;

/// A standard server that answers some requests itself. The function gets the method, the path with the
/// query, and the name of the user that is sent.
fn hooked(respond: impl Fn(&Request, &str, &str) -> Option<Answer> + Send + Sync + 'static) -> StandardSandbox {
    let respond = move |request: &Request| {
        let sent: serde_json::Value = serde_json::from_slice(request.body()).unwrap_or_default();
        respond(request, request.method().as_str(), sent["userName"].as_str().unwrap_or_default())
    };
    StandardSandbox::builder().users(2).respond_with(respond).start().unwrap()
}

pub(super) fn error(status: u16, detail: &str) -> Answer {
    let schema = "urn:ietf:params:scim:api:messages:2.0:Error";
    let body = json!({ "schemas": [schema], "status": status.to_string(), "detail": detail });
    super::answer(status, "application/scim+json", body.to_string())
}

#[maybe_async]
#[test]
async fn what_a_server_rejects_is_a_finding_and_leaves_nothing_behind() {
    const PAGE: &str = "<html>Sign in</html>";
    const NONE: &str = r#"{"totalResults":0}"#;
    const SCIM: &str = "application/scim+json";
    // Whether the last user that was created has a special name.
    let is_special = AtomicBool::new(false);
    let cases: [(&str, StandardSandbox); 9] = [
        ("rejects_special_names", hooked(|_, _, name| name.contains('%').then(|| error(400, "odd")))),
        ("loses_special_names", {
            let is_about_one = |request: &Request| request.uri().query().is_some_and(|query| query.contains("%25%2F"));
            hooked(move |request, _, _| is_about_one(request).then(|| super::answer(200, SCIM, NONE)))
        }),
        ("loses_the_ids_of_special_names", {
            hooked(move |request, method, name| {
                if method == "POST" {
                    is_special.store(name.contains('%'), Ordering::Relaxed);
                }
                let is_by_id = method == "GET" && !request.uri().path().ends_with("/Users");
                (is_by_id && is_special.load(Ordering::Relaxed)).then(|| error(404, "no"))
            })
        }),
        ("rejects_creations", hooked(|_, method, _| (method == "POST").then(|| error(403, "no")))),
        ("rejects_patches", hooked(|_, method, _| (method == "PATCH").then(|| error(501, "no")))),
        ("rejects_deletions", hooked(|_, method, _| (method == "DELETE").then(|| error(403, "no")))),
        ("accepts_json_only", {
            let is_scim = |request: &Request| request.headers().get("content-type").is_some_and(|sent| sent == SCIM);
            hooked(move |request, _, _| is_scim(request).then(|| super::answer(415, "text/plain", "no")))
        }),
        ("answers_creations_with_a_page", {
            hooked(|_, method, _| (method == "POST").then(|| super::answer(200, "text/html", PAGE)))
        }),
        ("errors_in_another_format", {
            let is_unknown = |request: &Request| request.uri().path().ends_with("-00000000");
            let other = || super::answer(404, "application/json", r#"{"Message":"no"}"#);
            hooked(move |request, _, _| is_unknown(request).then(other))
        }),
    ];
    for (name, sandbox) in cases {
        let report = client(&sandbox, Profile::standard()).probe().allow_writes().run().await.unwrap();
        check(&format!("standard.{name}"), &report);
        let left = if name == "rejects_deletions" { (4, 1) } else { (2, 0) };
        assert_eq!((sandbox.users().len(), sandbox.groups().len()), left, "{name}");
    }
}

#[maybe_async]
#[test]
async fn a_user_whose_creation_was_not_answered_is_removed() {
    let sandbox = StandardSandbox::builder().users(2).start().unwrap();
    let lost = FaultRule::new(Fault::ResetAfterApplied).on_method(http::Method::POST);
    let proxy = FaultProxy::builder(sandbox.scim_url()).with_rule(lost).start().unwrap();
    for (retry, verdict) in [(RetryPolicy::none(), Verdict::Unclear), (super::quick(), Verdict::Yes)] {
        let config = ScimConfig::new(proxy.base_url(), Credentials::wats_token(sandbox.token())).retry(retry);
        let client = ScimClient::with_config(&config.profile(Profile::standard())).unwrap();
        let report = client.probe().allow_writes().run().await.unwrap();
        assert_eq!(report.finding(Check::Creation).unwrap().verdict, verdict, "{report}");
        assert_eq!((sandbox.users().len(), sandbox.groups().len()), (2, 0), "{report}");
    }
}

#[maybe_async]
#[test]
async fn without_leave_nothing_is_written() {
    let sandbox = StandardSandbox::builder().users(3).start().unwrap();
    let report = client(&sandbox, Profile::standard()).probe().run().await.unwrap();
    assert!(sandbox.requests().iter().all(|request| request.method == http::Method::GET));
    assert_eq!(report.finding(Check::Creation), None);
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(
        json["findings"][0],
        json!({ "check": "count", "verdict": "yes", "evidence": "for count=1: 1 user (of 3)" })
    );
}

/// A server that ignores parts of a query.
fn ignoring(parameters: &'static [&'static str]) -> Sandbox {
    Sandbox::builder()
        .respond_with(move |request| {
            let query = request.uri().query().unwrap_or_default();
            if request.uri().path().split('/').next_back() != Some("Users") {
                return Some(super::answer(404, "text/plain", "404 page not found"));
            }
            let value = |name: &str| {
                let given = query.split('&').find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
                given.filter(|_| !parameters.contains(&name))
            };
            let number = |name, default: usize| value(name).map_or(default, |text| text.parse().unwrap());
            let all = 1..=30;
            let named = |user: &usize| value("filter").is_none_or(|filter| filter.contains(&format!("user{user:04}")));
            let found: Vec<usize> = all.filter(named).collect();
            let page: Vec<_> = found
                .iter()
                .skip(number("startIndex", 1) - 1)
                .take(number("count", 10).min(10))
                .map(|user| {
                    let mut shown = json!({ "id": format!("{user}"), "userName": format!("user{user:04}") });
                    if value("attributes").is_none() {
                        shown["displayName"] = json!("X");
                    }
                    shown
                })
                .collect();
            let list = json!({ "totalResults": found.len(), "Resources": page });
            Some(super::answer(200, "application/scim+json", list.to_string()))
        })
        .start()
        .unwrap()
}

#[maybe_async]
#[test]
async fn what_a_server_ignores_is_found() {
    let table: [(&'static [&'static str], Check); 4] = [
        (&["count"], Check::Count),
        (&["startIndex"], Check::StartIndex),
        (&["filter"], Check::Filter),
        (&["attributes"], Check::AttributeSelection),
    ];
    for (ignored, check) in table {
        let sandbox = ignoring(ignored);
        let report = client(&sandbox, Profile::standard()).probe().run().await.unwrap();
        self::check(&format!("ignores.{}", ignored[0]), &report);
        let verdict = |check| report.finding(check).map(|finding| finding.verdict);
        assert_eq!(verdict(check), Some(Verdict::No), "{ignored:?}: {report}");
        assert_eq!(verdict(Check::PageSize), Some(Verdict::No), "pages of ten: {report}");
        assert_eq!(verdict(Check::Errors), Some(Verdict::No), "{report}");
        assert_eq!(
            report.profile() == Profile::standard(),
            !matches!(check, Check::Filter | Check::AttributeSelection)
        );
    }
}

#[maybe_async]
#[test]
async fn users_that_are_deleted_during_a_probe_say_nothing_about_filters() {
    let users = (1..=5).map(|n| json!({ "id": n.to_string(), "userName": format!("user{n}") }));
    // All but the first are listed, and then deleted.
    let deleted = |request: &http::Request<Vec<u8>>| {
        let target = request.uri().to_string();
        if (2..=5).any(|n| target.ends_with(&format!("/Users/{n}"))) {
            let body = r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"404"}"#;
            return Some(super::answer(404, "application/scim+json", body));
        }
        let is_looked_up = (2..=5).any(|n| target.contains(&format!("filter=userName%20eq%20%22user{n}%22")));
        is_looked_up.then(|| super::answer(200, "application/scim+json", r#"{"totalResults":0,"Resources":[]}"#))
    };
    let sandbox = StandardSandbox::builder().with_users(users).respond_with(deleted).start().unwrap();
    let report = client(&sandbox, Profile::standard()).probe().run().await.unwrap();
    assert_eq!(report.finding(Check::Filter).unwrap().verdict, Verdict::Yes, "{report}");
}
