//! What a server holds, read to compute a plan from it.

use std::collections::{HashMap, HashSet};

use wats_scim_filter::Filter;

use super::step::{Arrival, Job};
use super::{InFlight, ScimRepository, ScimService, example, maybe_async};
use crate::config::Membership;
use crate::error::Result;
use crate::exchange::{Work, WorkSpan};
use crate::model::{Resource, ScimGroup, ScimMember, ScimUser, member};
use crate::plan::{Current, CurrentGroup};

/// How many requests are in flight.
const IN_FLIGHT: usize = 4;

#[maybe_async]
impl<R: ScimRepository> ScimService<R> {
    /// Reads all users of the server, to compute a plan from them.
    ///
    /// # Errors
    ///
    /// Any error of [`iter_users`](Self::iter_users), so the list is never incomplete.
    ///
    #[doc = example!(
        "let current = client.current_users()" await "?;\n\
         assert_eq!(current.users().len(), 3);"
    )]
    pub async fn current_users(&self) -> Result<Current> {
        let mut pages = self.iter_users().in_flight(IN_FLIGHT);
        let mut users = Vec::new();
        while let Some(user) = pages.try_next().await? {
            users.push(user);
        }
        let repository = self.repository();
        Ok(Current::complete(users).seen_at(repository.server(), repository.account()))
    }

    /// Reads all users and groups of the server with the members of the groups, to compute a plan from them.
    ///
    /// Where the members are read is decided by the [`Membership`] of the profile. A group that a list shows
    /// without members is read again by its id, since some servers show members only there. With
    /// [`ByFilter`](Membership::ByFilter) it sends one request for each user and group. With
    /// [`OfUsers`](Membership::OfUsers) nested groups are not seen: set
    /// [`Policy::flattens_groups`](crate::plan::Policy::flattens_groups). Members that cannot be read are
    /// not taken for absent: a plan reports a conflict for such a group.
    ///
    /// # Errors
    ///
    /// [`Unsupported`](crate::ErrorKind::Unsupported) if the server has no groups, as WATS, or any error of
    /// [`current_users`](Self::current_users).
    ///
    #[doc = example!(
        standard
        "# let id = a_user(&client)" await "?;\n\
         client.groups().create(&ScimGroup::new(\"Testers\").with_member(ScimMember::new(&id)))" await "?;\n\
         let current = client.current_directory()" await "?;\n\
         let groups = current.groups().unwrap_or_default();\n\
         assert_eq!(groups[0].group().member_ids().count(), 1);"
    )]
    pub async fn current_directory(&self) -> Result<Current> {
        let membership = self.profile().membership;
        let mut groups = Vec::new();
        let mut listed = self.groups().iter().in_flight(IN_FLIGHT);
        if membership != Membership::OfGroups && self.profile().selects_attributes {
            listed = listed.without(["members"]);
        }
        while let Some(group) = listed.try_next().await? {
            groups.push(group);
        }
        let current = self.current_users().await?;
        let groups = match membership {
            Membership::OfGroups => self.with_members_read(groups).await?,
            Membership::OfUsers => {
                let of_users = |group| CurrentGroup::of_users(group, "the server shows only the groups of users");
                with_members(groups, memberships(current.users())).map(of_users).collect()
            }
            Membership::ByFilter => {
                let found = self.found_memberships(current.users(), &groups).await?;
                with_members(groups, found).map(CurrentGroup::complete).collect()
            }
            Membership::Hidden => {
                let hidden = |group| CurrentGroup::unread(group, "the server does not show members");
                groups.into_iter().map(hidden).collect()
            }
        };
        Ok(current.with_groups(groups))
    }

    /// Reads the groups again that were listed without members.
    async fn with_members_read(&self, groups: Vec<ScimGroup>) -> Result<Vec<CurrentGroup>> {
        let mut running = InFlight::within(WorkSpan::of(Work::Listing));
        let mut read = Vec::with_capacity(groups.len());
        let mut listed = groups.into_iter();
        let mut next = listed.next();
        loop {
            while running.has_room(IN_FLIGHT, IN_FLIGHT)
                && let Some(group) = next.take()
            {
                if group.members.is_some() {
                    running.put(Ok(Some(group)));
                } else {
                    running.start(std::sync::Arc::clone(self.shared_repository()), GroupJob(group));
                }
                next = listed.next();
            }
            match running.arrival().await {
                Some(Arrival::First(group)) => read.extend(group?.map(CurrentGroup::complete)),
                Some(Arrival::Later) => {}
                None => return Ok(read),
            }
        }
    }

    /// The members of each group, found by asking for the groups of each user and group.
    async fn found_memberships(&self, users: &[ScimUser], groups: &[ScimGroup]) -> Result<Memberships> {
        let mut found = Memberships::new();
        let members = users.iter().filter_map(ScimUser::id).chain(groups.iter().filter_map(ScimGroup::id));
        for id in members {
            let mut groups = self.groups().iter().matching(Filter::eq("members", id));
            while let Some(group) = groups.try_next().await? {
                found.entry(group.id.unwrap_or_default()).or_default().push(id.to_owned());
            }
        }
        Ok(found)
    }
}

/// Reads a group by its id; `None` if it is gone.
struct GroupJob(ScimGroup);

#[maybe_async(AFIT)]
impl Job for GroupJob {
    type Output = Result<Option<ScimGroup>>;

    async fn run<R: ScimRepository>(self, repository: &R) -> Self::Output {
        match &self.0.id {
            Some(id) => repository.get(id).await,
            None => Ok(Some(self.0)),
        }
    }
}

/// The ids of the members of each group, by the id of the group.
pub(super) type Memberships = HashMap<String, Vec<String>>;

/// The direct members of each group, from the `groups` of its users (RFC 7643 §4.1.2).
pub(super) fn memberships(users: &[ScimUser]) -> Memberships {
    let mut found = Memberships::new();
    for (id, user) in users.iter().filter_map(|user| Some((user.id.as_deref()?, user))) {
        let groups = user.attributes.get("groups").and_then(|groups| groups.as_array());
        for group in groups.into_iter().flatten() {
            let is_indirect = member(group, "type").and_then(|kind| kind.as_str()) == Some("indirect");
            let of = serde_json::from_value::<ScimMember>(group.clone()).ok();
            if let Some(group) = of.as_ref().and_then(ScimMember::known_id).filter(|_| !is_indirect) {
                found.entry(group.to_owned()).or_default().push(id.to_owned());
            }
        }
    }
    found
}

fn with_members(groups: Vec<ScimGroup>, mut memberships: Memberships) -> impl Iterator<Item = ScimGroup> {
    groups.into_iter().map(move |mut group| {
        let members = group.id.as_ref().and_then(|id| memberships.remove(id)).unwrap_or_default();
        let members: HashSet<_> = members.into_iter().collect();
        group.members = Some(members.into_iter().map(ScimMember::new).collect());
        group
    })
}
