//! A listing is complete or an error, and sends no unnecessary request.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use wats_scim::{Credentials, Error, ErrorKind, Filter, ListQuery, Progress, ScimConfig, ScimUser};
use wats_scim_sandbox::{Fault, FaultProxy, FaultRule, Sandbox, SandboxBuilder};

use super::batches::STALLS;
use super::{answer, client, received};
use crate::api::{ScimListing, ScimRepository};
use crate::{ScimClient, maybe_async, test};

type Quirk = fn(SandboxBuilder) -> SandboxBuilder;

/// The names of all users, and the error if the list is incomplete.
#[maybe_async]
async fn read<R: ScimRepository>(mut pages: ScimListing<R, ScimUser>) -> (Vec<String>, Option<Error>) {
    let mut names = Vec::new();
    loop {
        match pages.try_next().await {
            Ok(Some(user)) => names.push(user.user_name.unwrap()),
            Ok(None) => return (names, None),
            Err(error) => {
                let answer = pages.try_next().await;
                assert!(answer.unwrap().is_none(), "after an error a listing is over");
                return (names, Some(error));
            }
        }
    }
}

fn start(builder: &SandboxBuilder) -> (Sandbox, ScimClient) {
    let sandbox = builder.clone().start().unwrap();
    let client = client(&sandbox);
    (sandbox, client)
}

fn assert_all(names: &[String], count: usize) {
    assert_eq!(names.len(), count);
    assert_eq!(names.iter().collect::<HashSet<_>>().len(), count);
}

#[maybe_async]
#[test]
async fn every_user_is_returned_once_however_the_server_pages() {
    let quirks: [(&str, Quirk); 9] = [
        ("none", |server| server),
        ("pages are capped", |server| server.page_cap(7)),
        ("one a page", |server| server.page_cap(1)),
        ("no total", SandboxBuilder::omit_total),
        ("no total, capped", |server| server.omit_total().page_cap(7)),
        ("no total, one a page", |server| server.omit_total().page_cap(1)),
        ("the total is the size of the page", |server| server.total_is_page_size().page_cap(7)),
        ("the last page again", |server| server.repeat_last_page().omit_total()),
        ("everything past the end", |server| server.everything_past_end().omit_total()),
    ];
    for (name, quirk) in quirks {
        for users in [0, 1, 2, 6, 7, 8, 19, 20, 21, 50] {
            let (_sandbox, client) = start(&quirk(Sandbox::builder()).users(users));
            for page_size in [1, 2, 20] {
                let (names, error) = read(client.iter_users().page_size(page_size)).await;
                assert!(error.is_none(), "{name}, {users} users, pages of {page_size}: {error:?}");
                assert_all(&names, users);
            }
        }
    }
}

#[maybe_async]
#[test]
async fn an_ignored_start_index_is_detected() {
    let (sandbox, client) = start(&Sandbox::builder().users(50).ignore_start_index());
    let (names, error) = read(client.iter_users().page_size(20)).await;
    assert_all(&names, 20);
    let error = error.unwrap();
    assert_eq!(error.kind(), ErrorKind::IncompleteList);
    assert!(
        error
            .to_string()
            .starts_with("could not list users: the list is incomplete: the server returned 20 of 50 users"),
        "{error}"
    );
    assert!(received(&sandbox).len() < 15, "{:?}", received(&sandbox));

    let (_sandbox, client) = start(&Sandbox::builder().users(50).ignore_start_index().omit_total());
    let answer = read(client.iter_users().page_size(20)).await;
    assert_eq!(answer.1.unwrap().kind(), ErrorKind::IncompleteList);
}

#[maybe_async]
#[test]
async fn an_empty_page_before_the_end_is_an_error() {
    let page =
        |resources: &'static str| answer(200, "application/json", format!(r#"{{"totalResults":9,{resources}}}"#));
    for first in [r#""Resources":[]"#, r#""startIndex":1"#, r#""Resources":[{"id":"1","userName":"a"}]"#] {
        let sandbox = Sandbox::builder()
            .respond_with(move |request| {
                let is_first = request.uri().query().unwrap_or_default().contains("startIndex=1&");
                Some(page(if is_first { first } else { r#""Resources":[]"# }))
            })
            .start()
            .unwrap();
        let (_, error) = read(client(&sandbox).iter_users()).await;
        assert_eq!(error.unwrap().kind(), ErrorKind::IncompleteList, "{first}");
        assert!(received(&sandbox).len() < 15);
    }
}

#[maybe_async]
#[test]
async fn a_body_that_is_not_a_list_is_an_error() {
    let sandbox = super::always(200, "application/json", r#"{"Message":"An error has occurred."}"#);
    let error = read(client(&sandbox).iter_users()).await.1.unwrap();
    assert_eq!(error.kind(), ErrorKind::UnexpectedBody);
    assert!(error.to_string().contains("neither Resources nor totalResults"), "{error}");
}

#[maybe_async]
#[test]
async fn at_most_limits_the_results_and_the_requests() {
    let (sandbox, client) = start(&Sandbox::builder().users(250));
    for (max, page_size, targets) in [
        (0, 100, vec![]),
        (5, 100, vec!["startIndex=1&count=5"]),
        (100, 100, vec!["startIndex=1&count=100"]),
        (150, 100, vec!["startIndex=1&count=100", "startIndex=100&count=51"]),
    ] {
        sandbox.clear_requests();
        let (names, error) = read(client.iter_users().page_size(page_size).at_most(max)).await;
        assert!(error.is_none());
        assert_all(&names, usize::try_from(max).unwrap());
        let asked: Vec<_> = received(&sandbox);
        let expected: Vec<_> = targets.iter().map(|target| format!("GET /api/SCIM/v2/Users?{target}")).collect();
        assert_eq!(asked, expected);
    }
}

#[maybe_async]
#[test]
async fn pages_are_requested_lazily() {
    let (sandbox, client) = start(&Sandbox::builder().users(250));
    let mut pages = client.iter_users();
    assert_eq!(received(&sandbox).len(), 0);
    for _ in 0..100 {
        pages.try_next().await.unwrap();
    }
    assert_eq!(received(&sandbox), ["GET /api/SCIM/v2/Users?startIndex=1&count=100"]);
    while pages.try_next().await.unwrap().is_some() {}
    assert_eq!(received(&sandbox).len(), 3);
}

#[maybe_async]
#[test]
async fn on_page_is_called_after_each_page() {
    let (_sandbox, client) = start(&Sandbox::builder().users(250).page_cap(90));
    let progress = Arc::new(Mutex::new(Vec::<Progress>::new()));
    let recorder = Arc::clone(&progress);
    let pages = client.iter_users().on_page(move |progress| recorder.lock().unwrap().push(progress));
    assert_all(&read(pages).await.0, 250);
    let progress: Vec<_> = progress.lock().unwrap().iter().map(|at| (at.pages, at.done, at.total)).collect();
    assert_eq!(progress, [(1, 90, Some(250)), (2, 179, Some(250)), (3, 250, Some(250))]);
}

#[maybe_async]
#[test]
async fn every_page_has_the_filter() {
    let (sandbox, client) = start(&Sandbox::builder().users(30));
    let filter = Filter::sw("userName", "user001");
    assert_all(&read(client.iter_users().matching(filter).page_size(4)).await.0, 10);
    assert!(received(&sandbox).iter().all(|target| target.contains("filter=userName%20sw%20%22user001%22")));
    let error = read(client.iter_users().matching(Filter::eq("a b", 1))).await.1.unwrap();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[maybe_async]
#[test]
async fn deleting_while_listing_skips_no_user() {
    let (sandbox, client) = start(&Sandbox::builder().users(250));
    let mut pages = client.iter_users().page_size(20);
    let mut count = 0;
    while let Some(user) = pages.try_next().await.unwrap() {
        client.delete_user(&user.id.unwrap()).await.unwrap();
        count += 1;
    }
    assert_eq!((count, sandbox.users().len()), (250, 0));
}

#[maybe_async]
#[test]
async fn a_user_created_while_listing_is_returned() {
    let (_sandbox, client) = start(&Sandbox::builder().users(45));
    let mut pages = client.iter_users().page_size(20);
    let mut names = Vec::new();
    while let Some(user) = pages.try_next().await.unwrap() {
        if names.len() == 10 {
            client.create_user(&ScimUser::new("late@example.com")).await.unwrap();
        }
        names.push(user.user_name.unwrap());
    }
    assert_all(&names, 46);
    assert!(names.contains(&"late@example.com".to_owned()));
}

#[maybe_async]
#[test]
async fn a_user_without_an_id_cannot_be_listed_completely() {
    let sandbox = super::always(200, "application/json", r#"{"totalResults":1,"Resources":[{"userName":"jane"}]}"#);
    let client = client(&sandbox);
    let answer = read(client.iter_users()).await;
    assert!(answer.1.unwrap().to_string().contains("without an id"));
    let answer = client.get_users(&ListQuery::new()).await;
    assert_eq!(answer.unwrap().resources.len(), 1);
}

/// The number of requests before the first user of the stalled second page is returned.
#[maybe_async]
async fn requests_meanwhile(stall: Duration) -> usize {
    let sandbox = Sandbox::builder().users(400).start().unwrap();
    let proxy = FaultProxy::before(sandbox.base_url()).unwrap();
    let config = ScimConfig::new(proxy.base_url(), Credentials::wats_token(sandbox.token())).retry(super::quick());
    proxy.add_rule(FaultRule::new(Fault::Stall(stall)).on_path("startIndex=10&").times(1));
    let mut users = ScimClient::with_config(&config).unwrap().iter_users().page_size(10).in_flight(4);
    for _ in 0..11 {
        users.try_next().await.unwrap().unwrap();
    }
    received(&sandbox).len()
}

#[maybe_async]
#[test]
async fn a_slow_page_does_not_delay_others() {
    // The first page, four in flight, and a retry of the slow one would be six.
    let mut requests = 0;
    for stall in STALLS {
        if requests <= 12 {
            requests = requests_meanwhile(stall).await;
        }
    }
    assert!(requests > 12, "{requests} requests");
}
