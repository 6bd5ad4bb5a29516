//! Plans with groups.

use std::collections::BTreeSet;

use wats_scim::plan::{Current, Desired, DesiredGroup, Leavers, Policy, Reference};
use wats_scim::{EnterpriseUser, ErrorKind, Extension, Profile, ScimUser};

use super::{client, unique};
use crate::{ScimClient, maybe_async, test};

/// The directory while other tests change the server: a list that is not complete is read again.
#[maybe_async]
async fn current(client: &ScimClient) -> Current {
    for _ in 0..20 {
        match client.current_directory().await {
            Ok(current) => return current,
            Err(error) => assert_eq!(error.kind(), ErrorKind::IncompleteList, "{error}"),
        }
    }
    panic!("the directory was never complete");
}

#[maybe_async]
#[test]
async fn a_directory_with_groups_is_made_and_changed() {
    let client = client();
    let prefix = unique("d");
    let person = |n: u32| ScimUser::new(format!("{n}-{prefix}")).with_external_id(format!("{prefix}-{n}"));
    let id = |n: u32| Reference::external_id(format!("{prefix}-{n}"));
    let group = |n: u32, name: &str, members: &[u32]| {
        let members = members.iter().map(|member| id(*member));
        DesiredGroup::new(format!("{name} {prefix}")).with_external_id(format!("{prefix}-g{n}")).with_members(members)
    };
    let manager = |user: ScimUser, n: u32| {
        let manager = serde_json::json!({ "manager": { "externalId": format!("{prefix}-{n}") } });
        user.with_attribute(<EnterpriseUser as Extension>::SCHEMA, manager)
    };
    let first = Desired::of_users(vec![person(1), manager(person(2), 1), person(3)])
        .with_groups(vec![group(1, "Testers", &[1, 2]), group(2, "Makers", &[])]);
    let second = Desired::of_users(vec![manager(person(1), 4), person(2), person(3), person(4)])
        .with_groups(vec![group(1, "Quality", &[2, 3, 4]), group(2, "Makers", &[1])]);
    let ours = prefix.clone();
    let policy = Policy::new(&Profile::standard())
        .leavers(Leavers::Keep)
        .concerning(move |user: &ScimUser| user.external_id.as_deref().is_some_and(|id| id.starts_with(&ours)));

    for (desired, members) in [(&first, vec![1, 2]), (&second, vec![2, 3, 4])] {
        let plan = policy.plan(&current(&client).await, desired).unwrap();
        assert!(plan.conflicts.is_empty(), "{plan}");
        let report = client.apply(plan).run().await.unwrap();
        assert!(report.is_complete(), "{report}");
        let next = policy.plan(&current(&client).await, desired).unwrap();
        assert_eq!(next.steps, [], "{next}");

        let held = current(&client).await;
        let groups = held.groups().unwrap();
        let external_id = format!("{prefix}-g1");
        let group =
            groups.iter().map(|held| held.group()).find(|group| group.external_id.as_ref() == Some(&external_id));
        let ids: BTreeSet<_> = group.unwrap().member_ids().collect();
        let users = held.users().iter().filter(|user| user.id.as_deref().is_some_and(|id| ids.contains(id)));
        let names: BTreeSet<_> = users.filter_map(|user| user.user_name.clone()).collect();
        assert_eq!(names, members.iter().map(|n| format!("{n}-{prefix}")).collect::<BTreeSet<_>>());
    }
    for group in current(&client).await.groups().unwrap().iter().map(|held| held.group()) {
        if group.external_id.as_deref().is_some_and(|id| id.starts_with(&prefix)) {
            client.groups().delete(group).await.unwrap();
        }
    }
}
