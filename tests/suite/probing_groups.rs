//! Servers that show and remove the members of groups in different ways: what a probe finds, and that a client
//! with its profile reads the members.

use std::collections::BTreeSet;

use http::{Method, Request, Response};
use serde_json::{Value, json};
use wats_scim::plan::CurrentGroup;
use wats_scim::probe::{Check, Verdict};
use wats_scim::transport::TransportError;
use wats_scim::{Credentials, MemberPages, Membership, Profile, ScimConfig, ScimGroup};
use wats_scim_sandbox::StandardSandbox;

use super::probing::{check, error};
use crate::api::{HttpClient, ScimService};
use crate::{Transport, maybe_async, test};

type Answer = Response<Vec<u8>>;

/// How a server differs from a standard one.
#[derive(Clone, Copy)]
#[allow(clippy::struct_excessive_bools, reason = "each is an independent quirk of a server")]
struct Quirk {
    /// Members are in lists of groups, in a group, and groups in users.
    lists: bool,
    gets: bool,
    users: bool,
    /// A filter finds the groups of a member.
    filters: bool,
    /// A new group has the members that it is created with.
    creates: bool,
    /// What becomes of the PATCH of a group.
    patch: fn(&mut Value) -> Option<Answer>,
}

const STANDARD: Quirk = Quirk { lists: true, gets: true, users: true, filters: true, creates: true, patch: |_| None };

/// A transport to a standard server that changes requests and answers.
struct Quirky {
    transport: Transport,
    quirk: Quirk,
}

#[maybe_async(AFIT)]
impl HttpClient for Quirky {
    async fn send(&self, mut request: Request<Vec<u8>>) -> Result<Answer, TransportError> {
        let is_of_groups = request.uri().path().contains("/Groups");
        let query = request.uri().query().unwrap_or_default();
        if is_of_groups && query.contains("filter=members") && !self.quirk.filters {
            return Ok(error(400, "invalid filter"));
        }
        if is_of_groups && request.method() == Method::PATCH {
            let mut patch = serde_json::from_slice(request.body()).unwrap();
            if let Some(answer) = (self.quirk.patch)(&mut patch) {
                return Ok(answer);
            }
            *request.body_mut() = patch.to_string().into_bytes();
        }
        if is_of_groups && request.method() == Method::POST && !self.quirk.creates {
            let mut group: Value = serde_json::from_slice(request.body()).unwrap();
            group.as_object_mut().unwrap().remove("members");
            *request.body_mut() = group.to_string().into_bytes();
        }
        let mut answer = self.transport.send(request).await?;
        if let Ok(mut body) = serde_json::from_slice::<Value>(answer.body()) {
            self.quirk.hide(&mut body);
            *answer.body_mut() = body.to_string().into_bytes();
        }
        Ok(answer)
    }
}

impl Quirk {
    fn hide(&self, body: &mut Value) {
        let is_shown = if body.get("Resources").is_some() { self.lists } else { self.gets };
        let resources = match body.get_mut("Resources") {
            Some(list) => list.as_array_mut().unwrap().iter_mut().collect(),
            None => vec![body],
        };
        for resource in resources.into_iter().filter_map(Value::as_object_mut) {
            if !is_shown {
                resource.remove("members");
            }
            if !self.users {
                resource.remove("groups");
            }
        }
    }
}

/// The first operation of a patch, if it removes members: by a path, or else by a list.
fn removal(patch: &mut Value) -> Option<(&mut Value, bool)> {
    let operation = &mut patch["Operations"][0];
    let is_by_path = operation["path"].as_str().is_some_and(|path| path.contains('['));
    (operation["op"].as_str() == Some("remove")).then_some((operation, is_by_path))
}

fn rejects_paths(patch: &mut Value) -> Option<Answer> {
    let (operation, is_by_path) = removal(patch)?;
    if !is_by_path {
        let id = operation["value"][0]["value"].as_str().unwrap_or_default().to_owned();
        *operation = json!({ "op": "remove", "path": format!("members[value eq \"{id}\"]") });
    }
    is_by_path.then(|| error(400, "invalid path"))
}

fn rejects_paths_and_empties(patch: &mut Value) -> Option<Answer> {
    let (operation, is_by_path) = removal(patch)?;
    *operation = json!({ "op": "remove", "path": "members" });
    is_by_path.then(|| error(400, "invalid path"))
}

fn ignores_removals(patch: &mut Value) -> Option<Answer> {
    removal(patch).map(|_| super::answer(204, "application/scim+json", ""))
}

fn empties(patch: &mut Value) -> Option<Answer> {
    *removal(patch)?.0 = json!({ "op": "remove", "path": "members" });
    None
}

type Client = ScimService<crate::api::HttpScimRepository<Quirky>>;

/// A group that is read alone is read as in the whole directory.
#[maybe_async]
async fn check_one_by_one(client: &Client, directory: &[CurrentGroup]) {
    for group in directory {
        let bare = ScimGroup { members: None, ..group.group().clone() };
        let read = client.current_groups(vec![bare]).await.unwrap();
        let of = |group: &CurrentGroup| {
            let members: BTreeSet<_> = group.group().member_ids().map(str::to_owned).collect();
            (group.group().id.clone(), members, group.why_unread().map(str::to_owned))
        };
        assert_eq!(read.iter().map(of).collect::<Vec<_>>(), [of(group)]);
    }
}

fn service(sandbox: &StandardSandbox, quirk: Quirk, profile: Profile) -> Client {
    let config = ScimConfig::new(sandbox.scim_url(), Credentials::wats_token(sandbox.token()));
    let config = config.retry(super::quick()).profile(profile);
    let transport = Transport::new(&config).unwrap();
    ScimService::with_http_client(&config, Quirky { transport, quirk }).unwrap()
}

#[maybe_async]
#[test]
async fn what_a_server_does_with_members_is_found_and_used() {
    let standard = Profile::standard();
    let none = Quirk { lists: false, gets: false, ..STANDARD };
    let hidden = Quirk { users: false, filters: false, ..none };
    for (name, quirk, profile) in [
        ("by_id", Quirk { lists: false, ..STANDARD }, standard.clone()),
        ("in_lists", Quirk { gets: false, ..STANDARD }, standard.clone()),
        ("of_users", none, standard.clone().with_membership(Membership::OfUsers)),
        ("by_filter", Quirk { users: false, ..none }, standard.clone().with_membership(Membership::ByFilter)),
        ("hidden", hidden, standard.clone().with_membership(Membership::Hidden)),
        ("rejects_paths", Quirk { patch: rejects_paths, ..STANDARD }, standard.clone().allow_removal_by_list()),
        ("rejects_paths_and_empties", Quirk { patch: rejects_paths_and_empties, ..STANDARD }, standard.clone()),
        ("ignores_removals", Quirk { patch: ignores_removals, ..STANDARD }, standard.clone()),
        ("empties", Quirk { patch: empties, ..STANDARD }, standard.clone()),
    ] {
        let group = json!({ "displayName": "Testers", "members": [{ "value": "1" }] });
        let user = json!({ "id": "1", "userName": "ann" });
        let sandbox = StandardSandbox::builder().with_users([user]).with_groups([group]).start().unwrap();
        let report = service(&sandbox, quirk, Profile::standard()).probe().allow_writes().run().await.unwrap();
        check(&format!("members.{name}"), &report);
        assert_eq!((sandbox.users().len(), sandbox.groups().len()), (1, 1), "{name}");
        let of_members = |profile: &Profile| {
            let removes_by_list = serde_json::to_value(profile).unwrap()["removesMembersByList"].clone();
            (profile.membership(), removes_by_list)
        };
        assert_eq!(of_members(&report.profile()), of_members(&profile), "{name}: {report}");

        let client = service(&sandbox, quirk, profile);
        let current = client.current_directory().await.unwrap();
        check_one_by_one(&client, current.groups().unwrap()).await;
        let members: Vec<_> = current.groups().unwrap()[0].group().member_ids().map(str::to_owned).collect();
        let expected: &[&str] = if name == "hidden" { &[] } else { &["1"] };
        assert_eq!(members, expected, "{name}");
    }
}

#[maybe_async]
#[test]
async fn pages_of_members_and_lists_that_are_cut_are_found_and_used() {
    let standard = Profile::standard();
    let builder = || {
        let users = ["1", "2", "3"].map(|id| json!({ "id": id, "userName": id }));
        let members = ["1", "2", "3"].map(|id| json!({ "value": id }));
        let group = json!({ "displayName": "Testers", "members": members });
        StandardSandbox::builder().with_users(users).with_groups([group]).member_cap(1)
    };
    for (name, sandbox, membership) in [
        ("endpoint", builder().allow_members_endpoint(), Membership::Paged(MemberPages::Endpoint)),
        ("pages", builder().allow_member_pages(), Membership::Paged(MemberPages::Attribute)),
        ("cut", builder(), Membership::OfUsers),
    ] {
        let sandbox = sandbox.start().unwrap();
        let report = service(&sandbox, STANDARD, standard.clone()).probe().allow_writes().run().await.unwrap();
        check(&format!("members.{name}"), &report);
        assert_eq!(report.profile().membership(), membership, "{name}: {report}");
        assert_eq!((sandbox.users().len(), sandbox.groups().len()), (3, 1), "{name}");

        let client = service(&sandbox, STANDARD, report.profile());
        let current = client.current_directory().await.unwrap();
        check_one_by_one(&client, current.groups().unwrap()).await;
        assert_eq!(current.groups().unwrap()[0].group().member_ids().count(), 3, "{name}");
    }
}

#[maybe_async]
#[test]
async fn members_that_only_a_patch_adds_are_found() {
    let ignoring = StandardSandbox::start().unwrap();
    let quirk = Quirk { creates: false, ..STANDARD };
    let report = service(&ignoring, quirk, Profile::standard()).probe().allow_writes().run().await.unwrap();
    for check in [Check::Members, Check::MemberRemoval] {
        assert_eq!(report.finding(check).unwrap().verdict, Verdict::Yes, "{report}");
    }
}

#[maybe_async]
#[test]
async fn a_group_that_cannot_be_deleted_is_reported() {
    let sandbox = StandardSandbox::builder()
        .respond_with(|request| {
            (request.method() == Method::DELETE && request.uri().path().contains("/Groups")).then(|| error(403, "no"))
        })
        .start()
        .unwrap();
    let report = service(&sandbox, STANDARD, Profile::standard()).probe().allow_writes().run().await.unwrap();
    check("members.rejects_deletions", &report);
    assert_eq!((sandbox.users().len(), sandbox.groups().len()), (0, 1));
}

#[maybe_async]
#[test]
async fn without_groups_nothing_is_asked_about_members() {
    let sandbox = StandardSandbox::start().unwrap();
    let client = service(&sandbox, STANDARD, Profile::standard()).discover().await.unwrap();
    let report = client.probe().allow_writes().run().await.unwrap();
    assert!(report.finding(Check::MemberRemoval).is_some());

    let wats = wats_scim_sandbox::Sandbox::start().unwrap();
    let report = super::client(&wats).probe().allow_writes().run().await.unwrap();
    assert_eq!(report.finding(Check::Members), None);
}
