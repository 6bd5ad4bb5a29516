//! Plans with groups, and servers that treat groups in their own way.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use http::{Method, Request, Response};
use serde_json::{Value, json};
use wats_scim::plan::{Desired, DesiredGroup, Journal, Plan, Policy, Reference, Report};
use wats_scim::transport::TransportError;
use wats_scim::{Credentials, Membership, Profile, ScimConfig, ScimUser};
use wats_scim_sandbox::StandardSandbox;

use super::{answer, quick};
use crate::api::{HttpClient, HttpScimRepository, ScimService};
use crate::{ScimClient, Transport, maybe_async, test};

/// How a server differs from RFC 7643 and RFC 7644.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Odd {
    /// It does not.
    Not,
    /// Lists show no members.
    NoMembersInLists,
    /// Only lists show members.
    MembersOnlyInLists,
    /// Users do not show their groups.
    NoGroupsOfUsers,
    /// There is no PATCH, and groups show no members; users show their groups.
    NoPatchAndNoMembers,
    /// Groups show no members; users show their groups.
    NoMembers,
    /// Neither shows the other.
    NothingShown,
    /// A PATCH of more than three members is rejected.
    AtMostThree,
    /// The last member of several that are added is not added.
    LosesTheLast,
    /// A group is read as it was before the last write, twice.
    Lags,
    /// There is no PATCH.
    NoPatch,
    /// A path with a filter is rejected.
    NoValuePath,
    /// So it is, and a removal without one removes all members.
    EmptiesTheGroup,
    /// Members have only a `$ref`.
    OnlyRefs,
}

/// The last body of each address, and how often it is still shown.
type Shown = Arc<Mutex<HashMap<String, (Vec<u8>, u32)>>>;

/// A transport to a server with an oddity.
pub(super) struct OddTransport {
    inner: Transport,
    odd: Odd,
    shown: Shown,
}

fn is_of_groups(target: &str) -> bool {
    target.contains("/Groups")
}

impl OddTransport {
    /// The request as the server takes it, or an answer at once.
    #[allow(clippy::result_large_err, reason = "it is a test")]
    fn before(&self, mut request: Request<Vec<u8>>) -> Result<Request<Vec<u8>>, Response<Vec<u8>>> {
        let rejected = |detail: &str| {
            let body = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "status": "400", "detail": detail });
            Err(answer(400, "application/scim+json", body.to_string()))
        };
        let target = request.uri().to_string();
        if self.odd == Odd::Lags && request.method() == Method::GET {
            let mut shown = self.shown.lock().unwrap();
            if let Some((body, left)) = shown.get_mut(&target).filter(|(_, left)| *left > 0) {
                *left -= 1;
                return Err(answer(200, "application/scim+json", body.clone()));
            }
        }
        if request.method() != Method::PATCH || !is_of_groups(&target) {
            return Ok(request);
        }
        let mut patch: Value = serde_json::from_slice(request.body()).unwrap();
        let operations = patch["Operations"].as_array_mut().unwrap();
        let values = |operation: &Value| operation["value"].as_array().map_or(1, Vec::len);
        let is_filtered = |operation: &Value| operation["path"].as_str().unwrap_or_default().contains('[');
        match self.odd {
            Odd::AtMostThree if operations.iter().map(values).sum::<usize>() > 3 => {
                return rejected("too many members");
            }
            Odd::NoPatch | Odd::NoPatchAndNoMembers => return Err(answer(501, "application/scim+json", "")),
            Odd::NoValuePath | Odd::EmptiesTheGroup if operations.iter().any(is_filtered) => {
                return rejected("a path with a filter is not supported");
            }
            Odd::NoValuePath => {
                // The sandbox takes only paths.
                let mut all = Vec::new();
                for operation in operations.drain(..) {
                    match (operation["op"].as_str(), operation["value"].as_array()) {
                        (Some("remove"), Some(values)) => all.extend(values.iter().map(|member| {
                            json!({ "op": "remove", "path": format!("members[value eq {}]", member["value"]) })
                        })),
                        _ => all.push(operation),
                    }
                }
                *operations = all;
            }
            Odd::EmptiesTheGroup => operations.iter_mut().for_each(|operation| {
                if operation["op"] == "remove" {
                    *operation = json!({ "op": "remove", "path": "members" });
                }
            }),
            Odd::LosesTheLast => operations.iter_mut().filter(|one| one["op"] == "add").for_each(|operation| {
                let members = operation["value"].as_array_mut().unwrap();
                members.truncate(members.len().saturating_sub(1).max(1));
            }),
            _ => {}
        }
        *request.body_mut() = patch.to_string().into_bytes();
        Ok(request)
    }

    fn after(&self, method: &Method, target: &str, response: Response<Vec<u8>>) -> Response<Vec<u8>> {
        let Ok(mut body) = serde_json::from_slice::<Value>(response.body()) else { return response };
        let is_list = body.get("Resources").is_some();
        if matches!(self.odd, Odd::NoPatch | Odd::NoPatchAndNoMembers) && target.ends_with("/ServiceProviderConfig") {
            body["patch"]["supported"] = false.into();
        }
        let each: Vec<&mut Value> = match body.get_mut("Resources") {
            Some(Value::Array(resources)) => resources.iter_mut().collect(),
            _ => vec![&mut body],
        };
        for resource in each.into_iter().filter_map(Value::as_object_mut) {
            let hides = match self.odd {
                Odd::NoMembersInLists => is_list,
                Odd::MembersOnlyInLists => !is_list,
                Odd::NoMembers | Odd::NothingShown | Odd::NoPatchAndNoMembers => true,
                _ => false,
            };
            if hides && is_of_groups(target) {
                resource.remove("members");
            }
            if matches!(self.odd, Odd::NothingShown | Odd::NoGroupsOfUsers) {
                resource.remove("groups");
            }
            if self.odd == Odd::OnlyRefs {
                for member in resource.get_mut("members").and_then(Value::as_array_mut).into_iter().flatten() {
                    member.as_object_mut().unwrap().retain(|name, _| name == "$ref");
                }
            }
        }
        let body = body.to_string().into_bytes();
        if self.odd == Odd::Lags && is_of_groups(target) {
            let mut shown = self.shown.lock().unwrap();
            if *method == Method::GET {
                shown.insert(target.to_owned(), (body.clone(), 0));
            } else if let Some((_, left)) = shown.get_mut(target) {
                *left = 2;
                return answer(204, "application/scim+json", "");
            }
        }
        let (mut parts, _) = response.into_parts();
        parts.headers.remove("content-length");
        Response::from_parts(parts, body)
    }
}

#[maybe_async(AFIT)]
impl HttpClient for OddTransport {
    async fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, TransportError> {
        let (method, target) = (request.method().clone(), request.uri().to_string());
        match self.before(request) {
            Ok(request) => {
                let response = self.inner.send(request).await?;
                Ok(self.after(&method, &target, response))
            }
            Err(response) => Ok(response),
        }
    }
}

pub(super) type Client = ScimService<HttpScimRepository<OddTransport>>;

pub(super) fn client(sandbox: &StandardSandbox, odd: Odd, profile: Profile) -> Client {
    let config = ScimConfig::new(sandbox.base_url(), Credentials::wats_token(sandbox.token()));
    let config = config.profile(profile).retry(quick());
    let transport = OddTransport { inner: Transport::new(&config).unwrap(), odd, shown: Arc::default() };
    ScimService::with_http_client(&config, transport).unwrap()
}

pub(super) const NAMES: [&str; 8] = ["ann", "bob", "cy", "dee", "eve", "fay", "gus", "hal"];

pub(super) fn person(name: &str) -> ScimUser {
    ScimUser::new(name).with_external_id(name)
}

/// The people of the directory, with one group of these members.
pub(super) fn desired(members: &[&str]) -> Desired {
    let testers = DesiredGroup::new("Testers").with_external_id("g");
    Desired::of_users(NAMES.map(person).to_vec())
        .with_groups(vec![testers.with_members(members.iter().map(|name| Reference::user_name(*name)))])
}

pub(super) fn members(sandbox: &StandardSandbox) -> BTreeSet<String> {
    let names: HashMap<Value, String> = sandbox
        .users()
        .iter()
        .map(|user| (user["id"].clone(), user["userName"].as_str().unwrap().to_owned()))
        .collect();
    let groups = sandbox.groups();
    let members = groups[0]["members"].as_array().cloned().unwrap_or_default();
    members.iter().map(|member| names[&member["value"]].clone()).collect()
}

pub(super) fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

pub(super) fn policy() -> Policy {
    Policy::new(&Profile::standard())
}

#[maybe_async]
pub(super) async fn plan(client: &Client, members: &[&str]) -> Plan {
    policy().plan(&client.current_directory().await.unwrap(), &desired(members)).unwrap()
}

/// The directory with a group of the first five, made by a client that finds nothing odd.
#[maybe_async]
pub(super) async fn made() -> StandardSandbox {
    let sandbox = StandardSandbox::start().unwrap();
    let plain = client(&sandbox, Odd::Not, Profile::standard());
    let first = plan(&plain, &NAMES[..5]).await;
    let report = plain.apply(first).run().await.unwrap();
    assert!(report.is_complete(), "{report}");
    assert_eq!(members(&sandbox), names(&NAMES[..5]));
    sandbox
}

pub(super) const AFTER: [&str; 4] = ["eve", "fay", "gus", "hal"];

/// Four members are removed and three added.
#[maybe_async]
pub(super) async fn changed(sandbox: &StandardSandbox, odd: Odd, profile: Profile) -> Report {
    let client = client(sandbox, odd, profile);
    let client = if odd == Odd::NoPatch { client.discover().await.unwrap() } else { client };
    let report = client.apply(plan(&client, &AFTER).await).run().await.unwrap();
    if report.is_complete() {
        let next = plan(&client, &AFTER).await;
        assert_eq!(next.steps, [], "{odd:?}");
    }
    report
}

#[maybe_async]
#[test]
async fn members_are_right_whatever_the_server_shows_and_takes() {
    let standard = Profile::standard;
    for (odd, profile) in [
        (Odd::Not, standard()),
        (Odd::NoMembersInLists, standard()),
        (Odd::MembersOnlyInLists, standard()),
        (Odd::NoMembers, standard().with_membership(Membership::OfUsers)),
        (Odd::NothingShown, standard().with_membership(Membership::ByFilter)),
        (Odd::AtMostThree, standard()),
        (Odd::Lags, standard()),
        (Odd::NoPatch, standard()),
        (Odd::NoValuePath, standard().allow_removal_by_list()),
        (Odd::OnlyRefs, standard()),
    ] {
        let sandbox = made().await;
        let report = changed(&sandbox, odd, profile).await;
        assert!(report.is_complete(), "{odd:?}: {report}");
        assert_eq!(members(&sandbox), names(&AFTER), "{odd:?}");
    }
}

#[maybe_async]
#[test]
async fn members_that_cannot_be_read_are_left_as_they_are() {
    let sandbox = made().await;
    let client = client(&sandbox, Odd::NothingShown, Profile::standard().with_membership(Membership::Hidden));
    let plan = plan(&client, &AFTER).await;
    assert_eq!((plan.steps.len(), plan.conflicts.len()), (0, 1), "{plan}");
    assert!(plan.to_string().contains("its members cannot be read: the server does not show members"), "{plan}");
}

#[maybe_async]
#[test]
async fn a_member_that_the_server_does_not_keep_is_named() {
    let sandbox = made().await;
    let report = changed(&sandbox, Odd::LosesTheLast, Profile::standard()).await;
    assert_eq!(members(&sandbox), names(&["eve", "fay", "gus"]));
    assert!(report.to_string().contains("not kept: the server does not show hal in the group"), "{report}");
}

#[maybe_async]
#[test]
async fn a_removal_that_the_server_cannot_do_loses_no_member() {
    let sandbox = made().await;
    // The path is rejected, and without leave nothing else is tried.
    let report = changed(&sandbox, Odd::EmptiesTheGroup, Profile::standard()).await;
    assert_eq!(members(&sandbox), names(&NAMES));
    assert!(report.to_string().contains("a path with a filter is not supported"), "{report}");
    // With it, the members that were lost are added again.
    let report = changed(&sandbox, Odd::EmptiesTheGroup, Profile::standard().allow_removal_by_list()).await;
    assert_eq!(members(&sandbox), names(&AFTER));
    assert!(report.to_string().contains("also removed 4 others, which were added again"), "{report}");
}

#[maybe_async]
#[test]
async fn what_happens_to_a_group_meanwhile_is_reported() {
    let sandbox = made().await;
    let client = client(&sandbox, Odd::Not, Profile::standard());
    let planned = plan(&client, &AFTER).await;
    // One of the new members is deleted, and one was added already.
    let id = |name: &str| {
        let users = sandbox.users();
        users.iter().find(|user| user["userName"] == name).unwrap()["id"].as_str().unwrap().to_owned()
    };
    let group = sandbox.groups()[0]["id"].as_str().unwrap().to_owned();
    client.delete_user(&id("gus")).await.unwrap();
    client.groups().add_members(&group, &[&id("hal")]).await.unwrap();
    let report = client.apply(planned.clone()).run().await.unwrap();
    assert_eq!(members(&sandbox), names(&["eve", "fay", "hal"]));
    assert!(report.to_string().contains("gus: "), "{report}");

    // The group is renamed, and then deleted.
    let rename = wats_scim::ScimPatchRequest::new().replace("displayName", "Fitters");
    client.groups().update(&group, &rename).await.unwrap();
    let report = client.apply(planned.clone()).run().await.unwrap();
    assert!(report.to_string().contains("the group has another name now than \"Testers\""), "{report}");
    client.groups().delete(&group).await.unwrap();
    let report = client.apply(planned).run().await.unwrap();
    assert!(report.to_string().contains("the group no longer exists"), "{report}");
}

#[maybe_async]
#[test]
async fn a_nested_group_that_cannot_be_read_is_added_once_and_then_named() {
    let sandbox = made().await;
    let client = client(&sandbox, Odd::NoMembers, Profile::standard().with_membership(Membership::OfUsers));
    let mut wanted = desired(&NAMES[..5]);
    let inner = wanted.groups().unwrap()[0].clone();
    let all =
        DesiredGroup::new("All").with_members([Reference::group(&inner.display_name), Reference::user_name("ann")]);
    wanted = wanted.with_groups(vec![inner, all]);
    let first = policy().plan(&client.current_directory().await.unwrap(), &wanted).unwrap();
    assert!(first.conflicts.is_empty(), "{first}");
    let report = client.apply(first).run().await.unwrap();
    assert!(report.is_complete(), "{report}");
    let nested = || sandbox.groups().iter().find(|group| group["displayName"] == "All").unwrap()["members"].clone();
    assert_eq!(nested().as_array().unwrap().len(), 2);

    let next = policy().plan(&client.current_directory().await.unwrap(), &wanted).unwrap();
    assert_eq!((next.steps.len(), next.conflicts.len()), (0, 1), "{next}");
    assert!(next.to_string().contains("the server shows only the groups of users"), "{next}");
}

#[maybe_async]
#[test]
async fn credentials_that_expire_before_members_are_read_back_end_the_apply() {
    let is_written = Arc::new(Mutex::new(false));
    let hook = Arc::clone(&is_written);
    let sandbox = StandardSandbox::builder()
        .users(2)
        .with_groups(["A", "B"].map(|name| json!({ "displayName": name })))
        .patch_answers_204()
        .respond_with(move |request| {
            let mut is_written = hook.lock().unwrap();
            *is_written |= request.method() == Method::PATCH;
            let is_read = request.method() == Method::GET && *is_written;
            is_read.then(|| answer(401, "application/scim+json", r#"{"status":"401","detail":"expired"}"#))
        })
        .start()
        .unwrap();
    let config = ScimConfig::new(sandbox.scim_url(), Credentials::bearer(sandbox.token())).profile(Profile::standard());
    let client = ScimClient::with_config(&config.retry(quick())).unwrap();
    let user = sandbox.users()[0]["userName"].as_str().unwrap().to_owned();
    let group = |name: &str| DesiredGroup::new(name).with_members([Reference::user_name(&user)]);
    let current = client.current_directory().await.unwrap();
    let desired = Desired::of_users(current.users().to_vec()).with_groups(vec![group("A"), group("B")]);
    let plan = Policy::new(client.profile()).plan(&current, &desired).unwrap();
    let report = client.apply(plan).in_flight(1).run().await.unwrap();
    assert_eq!((report.problems.len(), report.not_begun), (1, 1), "{report}");
    let why = report.to_string();
    assert!(why.contains("the server has accepted the members, and they could not be read back"), "{why}");
    *is_written.lock().unwrap() = false;
}

#[maybe_async]
#[test]
async fn what_a_gateway_rejects_says_nothing_of_members_and_is_tried_again() {
    let left = Arc::new(Mutex::new(3));
    let hook = Arc::clone(&left);
    let sandbox = StandardSandbox::builder()
        .users(2)
        .with_groups([json!({ "displayName": "A" })])
        .respond_with(move |request| {
            let mut left = hook.lock().unwrap();
            let is_rejected = request.method() == Method::PATCH && *left > 0;
            *left -= i32::from(is_rejected);
            is_rejected.then(|| answer(400, "text/html", "<html><body>400 Bad Request</body></html>"))
        })
        .start()
        .unwrap();
    let config = ScimConfig::new(sandbox.scim_url(), Credentials::bearer(sandbox.token())).profile(Profile::standard());
    let client = ScimClient::with_config(&config.retry(quick())).unwrap();
    let current = client.current_directory().await.unwrap();
    let members = current.users().iter().map(|user| Reference::user_name(user.user_name.clone().unwrap()));
    let group = DesiredGroup::new("A").with_members(members);
    let desired = Desired::of_users(current.users().to_vec()).with_groups(vec![group]);
    let plan = Policy::new(client.profile()).plan(&current, &desired).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let journal = || Journal::at(folder.path().join("journal"));
    let (mut runs, mut is_complete) = (0, false);
    while !is_complete {
        runs += 1;
        let report = client.apply(plan.clone()).journal(journal()).run().await.unwrap();
        is_complete = report.is_complete();
        assert!(is_complete || report.to_string().contains("400 Bad Request; nothing was changed"), "{report}");
        assert!(runs < 5, "{report}");
    }
    assert_eq!(runs, 4, "each answer of the gateway is the failure of a run");
    assert_eq!(sandbox.groups()[0]["members"].as_array().unwrap().len(), 2);
}
