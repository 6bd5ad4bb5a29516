//! The export of one server, as JSON, makes the same directory on another one.

use serde_json::{Value, json};
use wats_scim::import::directory_from_json;
use wats_scim::plan::Policy;
use wats_scim::{Credentials, Profile, ScimConfig};
use wats_scim_sandbox::StandardSandbox;

use crate::{ScimClient, maybe_async, test};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// The names, managers and members of a server, without its ids.
fn directory(sandbox: &StandardSandbox) -> (Vec<Value>, Vec<Value>) {
    let (users, groups) = (sandbox.users(), sandbox.groups());
    let name = |id: &Value| {
        let of = |list: &[Value], name: &str| list.iter().find(|held| held["id"] == *id).map(|held| held[name].clone());
        of(&users, "userName").or_else(|| of(&groups, "displayName"))
    };
    let mut people: Vec<_> = users
        .iter()
        .map(|user| json!([user["userName"], user["title"], name(&user[ENTERPRISE]["manager"]["value"])]))
        .collect();
    let mut groups: Vec<_> = groups
        .iter()
        .map(|group| {
            let members = group["members"].as_array().into_iter().flatten();
            let mut members: Vec<_> = members.map(|member| name(&member["value"]).unwrap().to_string()).collect();
            members.sort();
            json!([group["displayName"], members])
        })
        .collect();
    people.sort_by_key(Value::to_string);
    groups.sort_by_key(Value::to_string);
    (people, groups)
}

#[maybe_async]
#[test]
async fn the_export_of_a_server_makes_the_same_directory_on_another() {
    let user = |id: &str, name: &str, manager: Option<&str>| json!({ "id": id, "userName": name, "title": name, ENTERPRISE: { "manager": manager.map(|id| json!({ "value": id })) } });
    let member = |id: &str| json!({ "value": id });
    let source = StandardSandbox::builder()
        .with_users([user("1", "ann", None), user("2", "bob", Some("1")), user("3", "cy", Some("2"))])
        .with_groups([
            json!({ "id": "g1", "displayName": "Testers", "members": [member("1"), member("3")] }),
            json!({ "id": "g2", "displayName": "All", "members": [member("g1"), member("2")] }),
        ])
        .start()
        .unwrap();
    // The ids of the source are those of other users and groups here.
    let target = StandardSandbox::builder()
        .with_users([user("1", "cy", Some("3")), user("3", "ann", None)])
        .with_groups([json!({ "id": "g2", "displayName": "Testers", "members": [member("3")] })])
        .start()
        .unwrap();

    let export = json!({ "users": source.users(), "groups": source.groups() });
    let desired = directory_from_json(export.to_string()).unwrap();
    let config = ScimConfig::new(target.base_url(), Credentials::wats_token(target.token()));
    let client = ScimClient::with_config(&config.profile(Profile::standard())).unwrap();
    let policy = Policy::new(client.profile());
    let plan = policy.plan(&client.current_directory().await.unwrap(), &desired).unwrap();
    let report = client.apply(plan.clone()).run().await.unwrap();
    assert!(report.is_complete() && plan.conflicts.is_empty(), "{plan}\n{report}");
    assert_eq!(directory(&target), directory(&source));
    let next = policy.plan(&client.current_directory().await.unwrap(), &desired).unwrap();
    assert!(next.is_empty(), "{next}");
}
