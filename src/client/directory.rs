//! What a server holds, read to compute a plan from it.

use std::collections::{HashMap, HashSet};

use wats_scim_filter::Filter;

use super::members::{listed_members, members_in_pages};
use super::step::{Arrival, Job};
use super::{InFlight, ScimRepository, ScimService, example, maybe_async};
use crate::config::{Membership, Profile};
use crate::error::{ErrorKind, Result};
use crate::exchange::{Work, WorkSpan};
use crate::model::{Resource, ScimGroup, ScimMember, ScimUser};
use crate::plan::{Current, CurrentGroup, GroupsOfUsers};

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
    /// without members is read again by its id, since some servers show members only there; so is one that may
    /// have others than it shows, because users show the group that it does not show, or their number looks like
    /// a limit ([`Profile::with_member_limit`](crate::Profile::with_member_limit)). With
    /// [`Paged`](Membership::Paged) it reads the members of each group page by page. With
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
        let groups = self.with_members(groups, current.users()).await?;
        Ok(current.with_groups(groups))
    }

    /// Reads the members of these groups, as [`current_directory`](Self::current_directory) does. A group that is
    /// gone is left out.
    ///
    /// The whole directory is read if members are found by those who are members
    /// ([`OfUsers`](Membership::OfUsers), [`ByFilter`](Membership::ByFilter)), and all users are read if a group shows
    /// so many members that it may have others.
    ///
    /// # Errors
    ///
    /// Any error of [`current_directory`](Self::current_directory). That the members of a group cannot be read completely
    /// is no error: see [`why_unread`](CurrentGroup::why_unread).
    ///
    #[doc = example!(
        standard
        "# let id = a_user(&client)" await "?;\n\
         let group = client.groups().create(&ScimGroup::new(\"Testers\").with_member(ScimMember::new(&id)))" await "?;\n\
         let current = client.current_groups(vec![group])" await "?;\n\
         assert_eq!(current[0].why_unread(), None);\n\
         assert_eq!(current[0].group().member_ids().count(), 1);"
    )]
    pub async fn current_groups(&self, groups: Vec<ScimGroup>) -> Result<Vec<CurrentGroup>> {
        let profile = self.profile();
        match profile.membership {
            Membership::OfUsers | Membership::ByFilter => {
                let current = self.current_directory().await?;
                let by_id = |group: &CurrentGroup| Some((group.group().id.clone()?, group.clone()));
                let mut held: HashMap<_, _> = current.groups().unwrap_or_default().iter().filter_map(by_id).collect();
                Ok(groups.iter().filter_map(|group| held.remove(group.id()?)).collect())
            }
            Membership::OfGroups => {
                let groups = self.with_members_read(groups, false, &GroupsOfUsers::of(&[])).await?;
                let may_hide = |group: &CurrentGroup| profile.may_hide_members(group.group().member_ids().count());
                if !groups.iter().any(may_hide) {
                    return Ok(groups);
                }
                let current = self.current_users().await?;
                Ok(checked(groups, &GroupsOfUsers::of(current.users()), profile))
            }
            Membership::Paged(_) | Membership::Hidden => self.with_members(groups, &[]).await,
        }
    }

    /// Reads the members of groups, where these are all users of the server.
    async fn with_members(&self, groups: Vec<ScimGroup>, users: &[ScimUser]) -> Result<Vec<CurrentGroup>> {
        Ok(match self.profile().membership {
            Membership::OfGroups | Membership::Paged(_) => {
                let of_users = GroupsOfUsers::of(users);
                checked(self.with_members_read(groups, true, &of_users).await?, &of_users, self.profile())
            }
            Membership::OfUsers => {
                let found = GroupsOfUsers::of(users);
                let of_users = |group| CurrentGroup::of_users(group, "the server shows only the groups of users");
                with_these(groups, |id| found.members(id).map(str::to_owned).collect()).map(of_users).collect()
            }
            Membership::ByFilter => {
                let mut found = self.found_memberships(users, &groups).await?;
                with_these(groups, |id| found.remove(id).unwrap_or_default()).map(CurrentGroup::complete).collect()
            }
            Membership::Hidden => {
                let hidden = |group| CurrentGroup::unread(group, "the server does not show members");
                groups.into_iter().map(hidden).collect()
            }
        })
    }

    /// Reads the members of each group that does not show them, or may not show all of them.
    async fn with_members_read(
        &self,
        groups: Vec<ScimGroup>,
        are_listed: bool,
        of_users: &GroupsOfUsers<'_>,
    ) -> Result<Vec<CurrentGroup>> {
        let profile = self.profile();
        let is_read = |group: &ScimGroup| {
            let shows_them = profile.membership == Membership::OfGroups && group.members.is_some();
            shows_them && of_users.why_incomplete(group, profile).is_none()
        };
        let mut running = InFlight::within(WorkSpan::of(Work::Listing));
        let mut read = Vec::with_capacity(groups.len());
        let mut listed = groups.into_iter();
        let mut next = listed.next();
        loop {
            while running.has_room(IN_FLIGHT, IN_FLIGHT)
                && let Some(group) = next.take()
            {
                if is_read(&group) {
                    running.put(Ok(Some(CurrentGroup::complete(group))));
                } else {
                    running.start(
                        std::sync::Arc::clone(self.shared_repository()),
                        GroupJob { group, is_listed: are_listed },
                    );
                }
                next = listed.next();
            }
            match running.arrival().await {
                Some(Arrival::First(group)) => read.extend(group?),
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

/// The groups, unread if they may have other members than they show.
fn checked(groups: Vec<CurrentGroup>, of_users: &GroupsOfUsers<'_>, profile: &Profile) -> Vec<CurrentGroup> {
    let check = |group: CurrentGroup| match of_users.why_incomplete(group.group(), profile) {
        Some(reason) if group.why_unread().is_none() => CurrentGroup::unread(group.group().clone(), reason),
        _ => group,
    };
    groups.into_iter().map(check).collect()
}

/// Reads the members of a group; `None` if it is gone.
struct GroupJob {
    group: ScimGroup,
    /// Whether it has what a list of groups shows of it.
    is_listed: bool,
}

#[maybe_async(AFIT)]
impl Job for GroupJob {
    type Output = Result<Option<CurrentGroup>>;

    async fn run<R: ScimRepository>(self, repository: &R) -> Self::Output {
        let Self { mut group, is_listed } = self;
        let Some(id) = group.id.clone() else { return Ok(Some(CurrentGroup::complete(group))) };
        if let Membership::Paged(_) = repository.profile().membership {
            let error = match members_in_pages(repository, &id).await {
                Ok(members) => {
                    group.members = Some(members);
                    return Ok(Some(CurrentGroup::complete(group)));
                }
                Err(error) => error,
            };
            return match error.kind() {
                ErrorKind::IncompleteList => Ok(Some(CurrentGroup::unread(group, error.to_string()))),
                // Either there is no such group any more, or the server has no such pages.
                ErrorKind::NotFound => {
                    let held = repository.get::<ScimGroup>(&id).await?;
                    Ok(held.map(|held| CurrentGroup::unread(held, error.to_string())))
                }
                _ => Err(error),
            };
        }
        let Some(mut held) = repository.get::<ScimGroup>(&id).await? else { return Ok(None) };
        // Some servers show members only in lists.
        held.members = held.members.or(group.members);
        if held.members.is_none() && !is_listed {
            held.members = listed_members(repository, &held).await?;
        }
        Ok(Some(CurrentGroup::complete(held)))
    }
}

/// The ids of the members of each group, by the id of the group.
type Memberships = HashMap<String, Vec<String>>;

fn with_these(
    groups: Vec<ScimGroup>,
    mut members_of: impl FnMut(&str) -> Vec<String>,
) -> impl Iterator<Item = ScimGroup> {
    groups.into_iter().map(move |mut group| {
        let members: HashSet<_> = group.id.as_deref().map(&mut members_of).into_iter().flatten().collect();
        group.members = Some(members.into_iter().map(ScimMember::new).collect());
        group
    })
}
