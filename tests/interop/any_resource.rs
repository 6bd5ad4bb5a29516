//! Features of every resource type: groups, versions, searches, discovery, extensions.

use std::collections::HashSet;

use wats_scim::{
    BatchItem, EnterpriseUser, ErrorKind, Filter, IfChanged, ListQuery, Resource, ScimGroup, ScimMember,
    ScimPatchRequest, ScimUser, ScimWrite, Target,
};

use super::{client, unique};
use crate::{ScimClient, maybe_async, test};

#[maybe_async]
async fn new_user(client: &ScimClient, name: &str) -> String {
    client.create_user(&ScimUser::new(unique(name))).await.unwrap().id.unwrap()
}

fn members(group: &ScimGroup) -> HashSet<&str> {
    group.member_ids().collect()
}

#[maybe_async]
#[test]
async fn a_groups_life_cycle() {
    let client = client();
    let (ann, bob) = (new_user(&client, "ann").await, new_user(&client, "bob").await);
    let cy = new_user(&client, "cy").await;
    let groups = client.groups();
    let name = unique("testers");
    let group = ScimGroup::new(&name).with_member(ScimMember::new(&ann));
    let id = groups.create(&group).await.unwrap().id.unwrap();

    groups.add_members(&id, &[&bob, &cy]).await.unwrap();
    let group = groups.get(&id).await.unwrap().unwrap();
    assert_eq!(members(&group), HashSet::from([ann.as_str(), bob.as_str(), cy.as_str()]));
    groups.add_members(&id, &[&bob]).await.unwrap();
    groups.remove_members(&id, &[&ann, &cy]).await.unwrap();
    let group = groups.get_by_name(&name).await.unwrap().unwrap();
    assert_eq!(members(&group), HashSet::from([bob.as_str()]));

    let renamed = unique("renamed");
    groups.update(&id, &ScimPatchRequest::new().replace("displayName", renamed.as_str())).await.unwrap();
    let mut pages = groups.iter().matching(Filter::eq("displayName", renamed.as_str()));
    let listed = pages.try_next().await.unwrap().unwrap();
    assert_eq!(listed.id.as_deref(), Some(id.as_str()));

    groups.delete(&id).await.unwrap();
    let gone = groups.get(&id).await.unwrap();
    assert!(gone.is_none());
    for user in [ann, bob, cy] {
        client.delete_user(&user).await.unwrap();
    }
}

#[maybe_async]
#[test]
async fn a_resource_is_replaced_as_a_whole() {
    let client = client();
    let users = client.resources::<ScimUser>();
    let jane = ScimUser::new(unique("whole")).with_display_name("Jane").with_attribute("title", "Engineer");
    let mut jane = users.create(&jane).await.unwrap();
    jane.attributes.remove("title");
    jane.display_name = Some("Jane Roe".into());
    users.replace(&jane).await.unwrap();
    let read = users.get(jane.id().unwrap()).await.unwrap().unwrap();
    assert_eq!((read.display_name.as_deref(), read.attributes.get("title")), (Some("Jane Roe"), None));
    users.delete(read.id().unwrap()).await.unwrap();
    let error = users.replace(&jane).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
}

#[maybe_async]
#[test]
async fn the_smallest_patch_changes_one_version_into_another() {
    let client = client();
    let jane = ScimUser::new(unique("patched")).with_display_name("Jane").with_email("jane@example.com");
    let old = client.create_user(&jane.with_attribute("title", "Engineer")).await.unwrap();
    let mut new = old.clone().with_active(false);
    new.display_name = None;
    new.attributes.set("title", "Manager");
    new.attributes.set("nickName", "J");
    new.emails = new.emails.map(|mut emails| {
        emails[0].value = Some("roe@example.com".into());
        emails
    });
    let patch = ScimPatchRequest::between(&old, &new).unwrap();
    let id = old.id().unwrap();
    client.update_user(id, &patch).await.unwrap();
    let read = client.get_user(id).await.unwrap().unwrap();
    assert_eq!(ScimPatchRequest::between(&read, &new).unwrap().operations, [], "{read:?}");
    client.delete_user(id).await.unwrap();
}

#[maybe_async]
#[test]
async fn a_write_can_require_a_version() {
    let server = crate::server();
    // Express adds an `ETag` of its own to every answer; scimmy says that it has no versions.
    let client = server.client().discover().await.unwrap();
    let users = client.resources::<ScimUser>();
    let jane = users.create(&ScimUser::new(unique("version"))).await.unwrap();
    if !server.has_versions() {
        assert_eq!(Target::unchanged(&jane).unwrap_err().kind(), ErrorKind::InvalidInput);
        client.delete_user(jane.id().unwrap()).await.unwrap();
        return;
    }
    let unchanged = users.get_if_changed(&jane).await.unwrap();
    assert_eq!(unchanged, IfChanged::Unchanged);
    let patch = ScimPatchRequest::new().replace("displayName", "Jane");
    users.update(Target::unchanged(&jane).unwrap(), &patch).await.unwrap();
    let changed = users.get_if_changed(&jane).await.unwrap().into_changed().unwrap();
    assert_eq!(changed.display_name.as_deref(), Some("Jane"));

    let error = users.update(Target::unchanged(&jane).unwrap(), &patch).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PreconditionFailed, "{error}");
    let error = users.replace(&jane).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PreconditionFailed, "{error}");
    let error = users.delete(Target::unchanged(&jane).unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PreconditionFailed, "{error}");
    users.delete(Target::unchanged(&changed).unwrap()).await.unwrap();
}

#[maybe_async]
#[test]
async fn a_search_sorts_and_selects() {
    let client = client();
    let mark = unique("search");
    let mut ids = Vec::new();
    for n in 0..4 {
        let user = ScimUser::new(format!("{n}.{mark}")).with_display_name(&mark);
        ids.push(client.create_user(&user).await.unwrap().id.unwrap());
    }
    let users = client.resources::<ScimUser>();
    let query = ListQuery::new().filter(Filter::eq("displayName", mark.as_str())).sort_by("userName").descending();
    let query = query.attributes(["userName"]).count(3);
    for page in [users.search(&query).await.unwrap(), users.list(&query).await.unwrap()] {
        let names: Vec<_> = page.resources.iter().map(|user| user.user_name.clone().unwrap()).collect();
        assert_eq!(names, [format!("3.{mark}"), format!("2.{mark}"), format!("1.{mark}")]);
        assert!(page.resources.iter().all(|user| user.display_name.is_none() && user.id.is_some()));
        assert_eq!(page.total_results, Some(4));
    }
    for id in ids {
        client.delete_user(&id).await.unwrap();
    }
}

#[maybe_async]
#[test]
async fn discovery_reads_the_profile_of_the_server() {
    let client = client().discover().await.unwrap();
    assert!(client.profile().offers("Users") && client.profile().offers("Groups"));
    assert!(!client.profile().offers("Devices"));
    let mut ids = HashSet::new();
    let mark = unique("offers");
    for n in 0..20 {
        let user = ScimUser::new(format!("{n}.{mark}")).with_display_name(&mark);
        ids.insert(client.create_user(&user).await.unwrap().id.unwrap());
    }
    // With a cursor, if the server supports it.
    let mut pages = client.iter_users().matching(Filter::eq("displayName", mark.as_str())).page_size(5);
    let mut listed = Vec::new();
    while let Some(user) = pages.try_next().await.unwrap() {
        listed.push(user.id.unwrap());
    }
    assert_eq!((listed.len(), listed.iter().cloned().collect::<HashSet<_>>()), (20, ids.clone()));
    for id in ids {
        client.delete_user(&id).await.unwrap();
    }
}

#[maybe_async]
#[test]
async fn an_extension_round_trips() {
    let client = client();
    let work = EnterpriseUser {
        employee_number: Some("4711".into()),
        department: Some("Test".into()),
        ..EnterpriseUser::default()
    };
    let jane = ScimUser::new(unique("enterprise")).with_extension(&work).unwrap();
    let id = client.create_user(&jane).await.unwrap().id.unwrap();
    let read = client.get_user(&id).await.unwrap().unwrap();
    let read = read.extension::<EnterpriseUser>().unwrap().unwrap();
    assert_eq!((read.employee_number, read.department), (work.employee_number, work.department));
    client.delete_user(&id).await.unwrap();
}

/// The result of each write of a batch: the kind of its error, or the name of the resource.
#[maybe_async]
async fn outcomes(client: &ScimClient, writes: Vec<ScimWrite>) -> Vec<(Option<ErrorKind>, Option<String>)> {
    let items = client.write_users(writes).run().await;
    let result = |item: BatchItem| match item.result {
        Ok(shown) => (None, shown.and_then(|user| user.user_name)),
        Err(error) => (Some(error.kind()), None),
    };
    items.into_iter().map(result).collect()
}

#[maybe_async]
#[test]
async fn a_batch_has_the_same_results_with_and_without_bulk_requests() {
    let single = client();
    let bulk = single.discover().await.unwrap();
    assert!(bulk.profile().bulk().is_some());
    let mark = unique("bulk");
    let mut results = Vec::new();
    for (client, mark) in [(&single, format!("1.{mark}")), (&bulk, format!("2.{mark}"))] {
        let mut creates: Vec<_> = (0..12).map(|n| ScimWrite::create(ScimUser::new(format!("{n}.{mark}")))).collect();
        creates.push(ScimWrite::create(ScimUser::new(format!("3.{mark}"))));
        creates.insert(4, ScimWrite::create(ScimUser::default()));
        let items = client.write_users(creates).in_flight(1).run().await;
        let ids: Vec<String> =
            items.iter().filter_map(|item| item.result.as_ref().ok()?.as_ref()?.id.clone()).collect();
        assert_eq!(ids.len(), 12);
        let kinds: Vec<_> = items.iter().map(|item| item.result.as_ref().err().map(wats_scim::Error::kind)).collect();

        let mut writes: Vec<_> = ids.iter().map(|id| ScimWrite::set_active(id, false)).collect();
        writes.push(ScimWrite::delete(""));
        writes.push(ScimWrite::delete("missing/../here"));
        let patched = outcomes(client, writes).await;
        for id in &ids {
            let user = client.get_user(id).await.unwrap().unwrap();
            assert_eq!(user.active, Some(false));
        }
        let deleted = outcomes(client, ids.iter().map(ScimWrite::delete).collect()).await;
        let patched: Vec<_> = patched.into_iter().map(|(kind, _)| kind).collect();
        results.push((kinds, patched, deleted));
    }
    let with_bulk = results.pop();
    assert_eq!(with_bulk, results.pop());
}

#[maybe_async]
#[test]
async fn writes_can_refer_to_created_resources() {
    let single = client();
    let bulk = single.discover().await.unwrap();
    let mark = unique("refer");
    let member = |name: &str| ScimMember::new(format!("bulkId:{name}"));
    let mut results = Vec::new();
    for (client, mark) in [(&single, format!("1.{mark}")), (&bulk, format!("2.{mark}"))] {
        let jane = ScimWrite::create_as("jane", ScimUser::new(format!("jane.{mark}")));
        let mut users = client.write_users([jane]);
        let jane = users.next().await.unwrap().result.unwrap().unwrap().id.unwrap();
        let group = |name: &str| ScimGroup::new(format!("{name}.{mark}"));
        let rename = ScimPatchRequest::new().replace("displayName", format!("inner {mark}"));
        let writes = [
            ScimWrite::create_as("inner", group("inner").with_member(member("jane"))),
            ScimWrite::create_as("outer", group("outer").with_member(member("inner"))),
            ScimWrite::patch("bulkId:inner", rename),
            ScimWrite::create_as("inner", group("again")),
            ScimWrite::create(group("unknown").with_member(member("unknown"))),
            ScimWrite::create_as("failed", ScimGroup::default()),
            ScimWrite::create(group("failed").with_member(member("failed"))),
        ];
        let items = client.groups().write(writes.clone()).with_ids(users.ids()).run().await;
        let kinds: Vec<_> = items.iter().map(|item| item.result.as_ref().err().map(wats_scim::Error::kind)).collect();
        let id_of = |at: usize| items[at].result.as_ref().unwrap().as_ref().unwrap().id.clone().unwrap();
        let (inner, outer) = (id_of(0), id_of(1));
        assert!(items.iter().map(|item| &item.write).eq(&writes), "each write is returned as passed in");
        let members = |group: ScimGroup| group.member_ids().map(ToOwned::to_owned).collect::<Vec<_>>();
        let shown = items.into_iter().take(2).map(|item| members(item.result.unwrap().unwrap())).collect::<Vec<_>>();
        assert_eq!(shown, [[jane.clone()], [inner.clone()]]);
        let read = client.groups().get(&inner).await.unwrap().unwrap();
        assert_eq!(read.display_name, Some(format!("inner {mark}")));
        assert_eq!(members(read), [jane]);
        let read = client.groups().get(&outer).await.unwrap().unwrap();
        assert_eq!(members(read), [inner]);
        results.push(kinds);
    }
    let (invalid, failed) = (Some(ErrorKind::InvalidInput), Some(ErrorKind::FailedReference));
    let expected = [None, None, None, invalid, invalid, invalid, failed];
    assert_eq!(results, [expected, expected]);
}
