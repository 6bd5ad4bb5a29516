//! What a probe finds of each server.

use wats_scim::ScimUser;
use wats_scim::probe::{Check, Verdict};

use super::unique;
use crate::{maybe_async, test};

#[maybe_async]
#[test]
async fn a_probe_finds_what_the_server_does() {
    let server = crate::server();
    let client = server.client();
    // Other tests create and delete users at the same time, so numbers are not compared.
    let mut ids = Vec::new();
    for name in ["probed-1+2", "probed-50%", "probed-a/b", "probed-a#b"] {
        let user = client.create_user(&ScimUser::new(unique(name)).with_display_name("X")).await.unwrap();
        ids.push(user.id.unwrap());
    }
    let mut report = client.probe().allow_writes().run().await.unwrap();
    // Another test may delete the user whose name the probe was about to look for.
    for _ in 0..5 {
        if report.finding(Check::Filter).is_some_and(|finding| finding.verdict != Verdict::Unclear) {
            break;
        }
        report = client.probe().allow_writes().run().await.unwrap();
    }
    println!("{}:\n{report}", server.url);
    for id in ids {
        client.delete_user(&id).await.unwrap();
    }
    let versions = if server.has_versions() { Verdict::Yes } else { Verdict::No };
    for (check, verdict) in [
        (Check::Count, Verdict::Yes),
        (Check::StartIndex, Verdict::Yes),
        (Check::Filter, Verdict::Yes),
        (Check::AttributeSelection, Verdict::Yes),
        (Check::SpecialNames, Verdict::Yes),
        (Check::Errors, Verdict::Yes),
        (Check::Creation, Verdict::Yes),
        (Check::MediaType, Verdict::Yes),
        (Check::Kept, Verdict::Yes),
        (Check::Patching, Verdict::Yes),
        (Check::Versions, versions),
        (Check::Deletion, Verdict::Yes),
    ] {
        let finding = report.finding(check).unwrap();
        assert_eq!(finding.verdict, verdict, "{check}: {}", finding.evidence);
    }
    let users = client.users().list(&wats_scim::ListQuery::new()).await.unwrap();
    let is_of_probe =
        |user: &ScimUser| user.user_name.as_deref().is_some_and(|name| name.starts_with("wats-scim-probe"));
    assert!(!users.resources.iter().any(is_of_probe));
}
