//! What a probe finds of the servers for tests, line by line.

use serde_json::json;
use wats_scim::probe::{Check, Verdict};
use wats_scim::{Credentials, Profile, ScimConfig};
use wats_scim_sandbox::{Sandbox, StandardSandbox};

use super::Server;
use crate::{ScimClient, maybe_async, test};

const STANDARD: &str = "\
yes      count                for count=1: 1 user (of 5)\n\
yes      startIndex           startIndex=2 returns another user than startIndex=1\n\
yes      page size            for count=1000: 5 users (of 5)\n\
yes      totals               a total of 5, and a listing returns 5\n\
yes      attributes           for attributes=userName: no other attributes\n\
no       cursors              a page has no nextCursor\n\
yes      filter               1 user for the name of one, nothing for a name that no user has\n\
yes      special names        + read, % read, / read, # read\n\
yes      errors               for an unknown id: 404 with an error message\n\
yes      creation             a user is created and can be read\n\
yes      media type           bodies are accepted as application/scim+json\n\
yes      kept attributes      externalId, displayName, name, emails, title\n\
yes      PATCH                the user is returned\n\
yes      versions             a write for another version is refused\n\
yes      deletion             a deleted user does not exist any more\n\
";
const WATS: &str = "\
yes      count                for count=1: 1 user (of 3)\n\
yes      startIndex           startIndex=2 returns another user than startIndex=1\n\
yes      page size            for count=1000: 3 users (of 3)\n\
yes      totals               a total of 3, and a listing returns 3\n\
no       attributes           for attributes=userName: other attributes as well\n\
no       cursors              a page has no nextCursor\n\
yes      filter               1 user for the name of one, nothing for a name that no user has\n\
unclear  special names        + no such user, % no such user, / no such user, # no such user\n\
yes      errors               for an unknown id: 404 with an error message\n\
yes      creation             a user is created and can be read\n\
yes      media type           bodies are accepted as application/scim+json\n\
yes      kept attributes      externalId, displayName, name, emails, title\n\
yes      PATCH                the user is returned\n\
no       versions             users have no version\n\
yes      deletion             a deleted user does not exist any more\n\
";

fn client(sandbox: &dyn Server, profile: Profile) -> ScimClient {
    let config = ScimConfig::new(sandbox.scim_url(), Credentials::wats_token(sandbox.token()));
    ScimClient::with_config(&config.retry(super::quick()).profile(profile)).unwrap()
}

#[maybe_async]
#[test]
async fn a_standard_server_does_all_of_it() {
    let users = ["a", "b+c", "50%", "d/e", "f#g"].map(|name| json!({ "userName": name, "displayName": "X" }));
    let sandbox = StandardSandbox::builder().with_users(users).start().unwrap();
    let client = client(&sandbox, Profile::standard());
    let report = client.probe().allow_writes().run().await.unwrap();
    assert_eq!(report.to_string(), STANDARD);
    assert_eq!(sandbox.users().len(), 5, "the user of the probe is removed");
    assert_eq!(report.profile(), *client.profile());
}

#[maybe_async]
#[test]
async fn a_wats_server_in_its_own_way() {
    let sandbox = Sandbox::builder().users(3).start().unwrap();
    let report = client(&sandbox, Profile::wats()).probe().allow_writes().run().await.unwrap();
    assert_eq!(report.to_string(), WATS);
    assert_eq!(sandbox.users().len(), 3);
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
