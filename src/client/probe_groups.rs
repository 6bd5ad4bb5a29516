//! Asks a server what it does with the members of groups.

use std::time::Duration;

use http::Method;
use wats_scim_filter::Filter;

use super::probe::{Asked, throwaway_name, throwaway_user};
use super::{HttpClient, ScimRepository, ScimService, boxed, maybe_async, sleep};
use crate::config::{MemberPages, Membership};
use crate::error::Result;
use crate::exchange::ListQuery;
use crate::model::{PatchOp, Resource, ScimGroup, ScimMember, ScimPatchOperation, ScimPatchRequest, ScimUser, Target};
use crate::plan::GroupsOfUsers;
use crate::probe::{self, Check, Finding, Looks, Shown, Verdict, Way};

/// How long a replica may take to show what was written.
const PAUSE: Duration = Duration::from_secs(1);

/// A group with two members.
struct Group<'a> {
    id: &'a str,
    name: &'a str,
    members: [&'a str; 2],
}

#[maybe_async]
impl<C: HttpClient> Asked<C> {
    /// The life of a group with this user and another one as members.
    pub(super) async fn groups(&self, user: &str) -> Vec<Finding> {
        if !self.repository.profile().offers(ScimGroup::ENDPOINT) {
            return Vec::new();
        }
        let other = match self.created(&throwaway_user("")).await {
            Ok(other) => other,
            Err(error) => return vec![probe::no_group(&error)],
        };
        let other_id = other.id().unwrap_or_default();
        let sent = ScimGroup::new(throwaway_name(""))
            .with_member(ScimMember::new(user))
            .with_member(ScimMember::new(other_id));
        let mut group_removed = Ok(());
        let mut findings = match self.created(&sent).await {
            Ok(created) => {
                let name = sent.display_name.as_deref().unwrap_or_default();
                let group = Group { id: created.id().unwrap_or_default(), name, members: [user, other_id] };
                let findings = boxed(self.members(&group)).await;
                group_removed = self.removed(&created).await;
                findings
            }
            Err(error) => vec![probe::no_group(&error)],
        };
        let user_removed = self.removed(&other).await;
        probe::note_leftovers(&mut findings, &group_removed, &user_removed);
        findings
    }

    async fn members(&self, group: &Group<'_>) -> Vec<Finding> {
        let mut looks = self.looks(group).await;
        if looks.way().is_none() {
            // The server may ignore the members of a new group, or show them later.
            drop(self.add(group).await);
            sleep(PAUSE).await;
            looks = self.looks(group).await;
        }
        let way = looks.way();
        let mut findings = looks.findings();
        let groups = ScimService::with_repository(self.repository.clone()).groups();
        let [first, _] = group.members;
        let removed = groups.remove_members(Target::id(group.id), &[first]).await;
        let by_path = self.removal(Check::MemberRemoval, group, &removed, way).await;
        let is_rejected = by_path.verdict == Verdict::No;
        findings.push(by_path);
        if is_rejected {
            drop(self.add(group).await);
            let by_list = ScimPatchOperation {
                op: PatchOp::Remove,
                path: Some("members".to_owned()),
                value: Some(serde_json::json!([{ "value": first }])),
            };
            let patch = ScimPatchRequest::new().with(by_list);
            let removed = self.repository.patch::<ScimGroup>(Target::id(group.id), &patch).await.map(drop);
            findings.push(self.removal(Check::RemovalByList, group, &removed, way).await);
        }
        findings
    }

    async fn add(&self, group: &Group<'_>) -> Result<()> {
        let groups = ScimService::with_repository(self.repository.clone()).groups();
        groups.add_members(Target::id(group.id), &group.members).await
    }

    async fn removal(&self, check: Check, group: &Group<'_>, removed: &Result<()>, way: Option<Way>) -> Finding {
        let answer = self.seen(&Method::PATCH).map(|seen| seen.describe("the group")).unwrap_or_default();
        let mut after = None;
        if let (Ok(()), Some(way)) = (removed, way) {
            let mut shown = self.look(way, group).await;
            if matches!(shown, Ok([true, _])) {
                sleep(PAUSE).await;
                shown = self.look(way, group).await;
            }
            after = Some(shown);
        }
        probe::removal(check, removed, &answer, after.as_ref())
    }

    async fn looks(&self, group: &Group<'_>) -> Looks {
        Looks {
            listed: self.look(Way::Listed, group).await,
            by_id: self.look(Way::ById, group).await,
            endpoint: self.look(Way::Paged(MemberPages::Endpoint), group).await,
            attribute: self.look(Way::Paged(MemberPages::Attribute), group).await,
            of_users: self.look(Way::OfUsers, group).await,
            by_filter: self.look(Way::ByFilter, group).await,
        }
    }

    /// The members that a way shows.
    async fn look(&self, way: Way, group: &Group<'_>) -> Result<Shown> {
        let held = match way {
            Way::Listed => {
                let page = self.found(Filter::eq("displayName", group.name)).await?;
                page.into_iter().find(|held| held.id() == Some(group.id))
            }
            Way::ById => self.repository.get::<ScimGroup>(group.id).await?,
            Way::Paged(pages) => return self.look_at_pages(group, pages).await,
            Way::OfUsers => return self.look_at_users(group).await,
            Way::ByFilter => return self.look_by_filter(group).await,
        };
        let is_shown = |id: &str| held.as_ref().is_some_and(|held| held.member_ids().any(|member| member == id));
        Ok(group.members.map(is_shown))
    }

    /// The members that two pages of one member show.
    async fn look_at_pages(&self, group: &Group<'_>, pages: MemberPages) -> Result<Shown> {
        let profile = self.repository.profile().clone().with_membership(Membership::Paged(pages));
        let mut repository = self.repository.clone();
        repository.endpoint = repository.endpoint.with_profile(profile);
        let mut found = [false; 2];
        for start in [1, 2] {
            let page = repository.list_members(group.id, &ListQuery::new().start_index(start).count(1)).await?;
            let [only] = page.resources.as_slice() else { continue };
            for (found, id) in found.iter_mut().zip(group.members) {
                *found |= only.known_id() == Some(id);
            }
        }
        Ok(found)
    }

    async fn look_at_users(&self, group: &Group<'_>) -> Result<Shown> {
        let mut users = Vec::new();
        for id in group.members {
            users.extend(self.repository.get::<ScimUser>(id).await?);
        }
        let members: Vec<_> = GroupsOfUsers::of(&users).members(group.id).collect();
        Ok(group.members.map(|id| members.contains(&id)))
    }

    async fn look_by_filter(&self, group: &Group<'_>) -> Result<Shown> {
        let none = self.has_member(group, "wats-scim-probe-00000000").await?;
        let [first, second] = group.members;
        let shown = [self.has_member(group, first).await?, self.has_member(group, second).await?];
        Ok(shown.map(|is_found| is_found && !none))
    }

    async fn has_member(&self, group: &Group<'_>, id: &str) -> Result<bool> {
        let found = self.found(Filter::eq("members", id)).await?;
        Ok(found.iter().any(|held| held.id() == Some(group.id)))
    }

    async fn found(&self, filter: Filter) -> Result<Vec<ScimGroup>> {
        let page = self.repository.list::<ScimGroup>(&ListQuery::new().filter(filter)).await?;
        Ok(page.resources)
    }
}
