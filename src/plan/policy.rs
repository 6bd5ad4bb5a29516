use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};
use std::fmt;

use wats_scim_filter::json::text_key;

use super::groups::{GroupRules, Reach, plan_groups};
use super::guard::{Facts, Limits};
use super::manager::named_manager;
use super::matching::{Pair, name_of, pairs};
use super::merge::is_active;
use super::people::People;
use super::provenance;
use super::{Action, Change, Conflict, Current, Plan, Refusal, Rules, Source, Step, order};
use crate::config::Profile;
use crate::model::{Resource, ScimUser};

/// The rules by which a [`Plan`] is computed: what happens to leavers, who is protected, and which
/// limits a plan may not exceed.
///
/// By default, users that are missing from the server are created, users that differ are updated,
/// inactive users are reactivated, and users that are missing from the source are deactivated.
/// **Attributes missing from the source are left unchanged**; [`clears`](Self::clears) names
/// attributes to clear.
///
/// Users are matched by `externalId`, or else by `userName`. User names are compared by RFC 8265
/// (`UsernameCaseMapped`): in any letter case and width, composed or decomposed. Users whose match is
/// ambiguous are left unchanged and reported as a [conflict](Conflict). A user whose name the source
/// gives to another person, with another `externalId`, is missing from the source. It is in conflict if
/// it looks like the same person with a new `externalId`: both have the same name, or few users match by
/// their `externalId` at all.
///
/// ```
/// use wats_scim::{Profile, ScimUser};
/// use wats_scim::plan::{Current, Leavers, Policy};
///
/// let policy = Policy::new(&Profile::wats())
///     .protect(["admin@example.com"])
///     .leavers(Leavers::Keep)
///     .max_deactivations(20);
/// # let _ = policy;
/// ```
pub struct Policy {
    pub(super) rules: Rules,
    leavers: Leavers,
    reactivates: bool,
    protected: HashSet<String>,
    concerns: Option<Concerns>,
    groups: GroupRules,
    pub(super) limits: Limits,
}

type Concerns = Box<dyn Fn(&ScimUser) -> bool + Send + Sync>;

/// What happens to users that are missing from the source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Leavers {
    /// They are deactivated, and can no longer sign in.
    #[default]
    Deactivate,
    /// They are left unchanged.
    Keep,
    /// They are deleted with their data. This cannot be undone.
    Delete,
}

impl Policy {
    /// A policy for a server with this profile, which decides how changes are sent. WATS accepts few
    /// PATCH paths; differences that they cannot express are reported.
    #[must_use]
    pub fn new(profile: &Profile) -> Self {
        Self {
            rules: Rules { is_wats: profile.is_wats(), clears: Vec::new() },
            leavers: Leavers::default(),
            reactivates: true,
            protected: HashSet::new(),
            concerns: None,
            groups: GroupRules::default(),
            limits: Limits::default(),
        }
    }

    /// What happens to users that are missing from the source; they are deactivated by default.
    #[must_use]
    pub fn leavers(mut self, leavers: Leavers) -> Self {
        self.leavers = leavers;
        self
    }

    /// Whether inactive users that are in the source are reactivated, unless the source marks them as
    /// inactive; true by default.
    #[must_use]
    pub fn reactivates(mut self, reactivates: bool) -> Self {
        self.reactivates = reactivates;
        self
    }

    /// User names, in any form of the same name, for which no step is made: administrators, service accounts, the
    /// user whose credentials these are. May be called more than once.
    #[must_use]
    pub fn protect<N: AsRef<str>>(mut self, user_names: impl IntoIterator<Item = N>) -> Self {
        self.protected.extend(user_names.into_iter().map(|name| text_key(name.as_ref()).into_owned()));
        self
    }

    /// Which users of the server are in the scope of the source; all by default. Users outside the
    /// scope are not deactivated when they are missing from the source.
    ///
    /// ```
    /// use wats_scim::{Profile, ScimUser};
    /// use wats_scim::plan::Policy;
    ///
    /// let policy = Policy::new(&Profile::wats())
    ///     .concerning(|user: &ScimUser| user.email().is_some_and(|email| email.ends_with("@example.com")));
    /// # let _ = policy;
    /// ```
    #[must_use]
    pub fn concerning(mut self, concerns: impl Fn(&ScimUser) -> bool + Send + Sync + 'static) -> Self {
        self.concerns = Some(Box::new(concerns));
        self
    }

    /// Paths of attributes that are cleared if they are missing from the source. WATS cannot clear
    /// attributes.
    #[must_use]
    pub fn clears<P: Into<String>>(mut self, paths: impl IntoIterator<Item = P>) -> Self {
        self.rules.clears.extend(paths.into_iter().map(Into::into));
        self
    }

    /// Whether groups that have an `externalId` and are missing from the source are deleted; they are left
    /// unchanged by default.
    #[must_use]
    pub fn deletes_groups(mut self, deletes: bool) -> Self {
        self.groups.deletes = deletes;
        self
    }

    /// Whether the members of a nested group become members of the groups around it, for a server or an
    /// application that does not look into nested groups; nested groups are kept by default.
    #[must_use]
    pub fn flattens_groups(mut self, flattens: bool) -> Self {
        self.groups.flattens = flattens;
        self
    }

    /// The most users that may be deactivated or deleted; 100 by default.
    #[must_use]
    pub fn max_deactivations(mut self, users: usize) -> Self {
        self.limits.deactivations = users;
        self
    }

    /// The largest share of the active users that may be deactivated, or of all users that may be
    /// deleted, in percent; 20 by default. Up to 5 users are always allowed.
    #[must_use]
    pub fn max_deactivation_percent(mut self, percent: u8) -> Self {
        self.limits.share = percent;
        self
    }

    /// The most users that may be renamed, that is, match by their `externalId` and have another
    /// `userName` in the source; 100 by default.
    #[must_use]
    pub fn max_renames(mut self, users: usize) -> Self {
        self.limits.renames = users;
        self
    }

    /// The largest share of the matching users that may be renamed, in percent; 20 by default. Up to 5
    /// users are always allowed.
    #[must_use]
    pub fn max_rename_percent(mut self, percent: u8) -> Self {
        self.limits.share_of_renames = percent;
        self
    }

    /// The expected number of users in the source; with another number it looks truncated.
    #[must_use]
    pub fn expecting(mut self, users: usize) -> Self {
        self.limits.expected = Some(users);
        self
    }

    /// Allows an empty source.
    #[must_use]
    pub fn allow_empty_source(mut self) -> Self {
        self.limits.allows_empty = true;
        self
    }

    /// Allows a source that looks truncated: it has another number of users than
    /// [expected](Self::expecting); or at least 3 users are missing from it, and either its size is
    /// that of a page (50, 100, 200, 250, 500, 1000 …), or it is sorted and all missing users would
    /// come after its last one.
    #[must_use]
    pub fn allow_truncated_source(mut self) -> Self {
        self.limits.allows_truncated = true;
        self
    }

    /// Allows an incomplete list of the server's users. Users that exist but are not in the list will
    /// be created, which the server may reject.
    #[must_use]
    pub fn allow_incomplete_list(mut self) -> Self {
        self.limits.allows_incomplete = true;
        self
    }

    /// Computes the plan that changes the current users into the desired ones.
    ///
    /// Time and memory are proportional to the number of users.
    ///
    /// # Errors
    ///
    /// [`Refusal`] if the plan looks destructive.
    pub fn plan<S: Source + ?Sized>(&self, current: &Current, desired: &S) -> Result<Plan, Refusal> {
        let (users, groups) = (current.users(), desired.desired_groups());
        let desired = desired.desired_users();
        let pairs = pairs(users, desired);
        let people = OnceCell::new();
        let people = || people.get_or_init(|| People::of(users, desired, &pairs.desired));
        let mut plan = Plan {
            server: current.server().map(ToOwned::to_owned),
            made_at: Some(provenance::now()),
            steps: Vec::new(),
            conflicts: pairs.conflicts,
            inexpressible: Vec::new(),
            unchanged: 0,
            rules: self.rules.clone(),
        };
        for (desired, pair) in desired.iter().zip(&pairs.desired) {
            match pair {
                Pair::Conflict => {}
                Pair::New | Pair::With(_) => match resolved(desired, &people) {
                    Err(reason) => plan.put_conflict(desired, reason),
                    Ok(desired) => match pair {
                        Pair::With(at) => {
                            users.get(*at).into_iter().for_each(|held| self.meet(&mut plan, held, &desired))
                        }
                        _ => plan.steps.push(creation(&desired)),
                    },
                },
            }
        }
        let mut leavers = Vec::new();
        for (held, _) in users.iter().zip(&pairs.meant).filter(|(_, is_meant)| !**is_meant) {
            if self.leavers == Leavers::Keep || self.is_protected(held) || !self.is_concerned(held) {
                plan.unchanged += 1;
            } else {
                leavers.push(held);
                self.leave(&mut plan, held);
            }
        }
        if let Some((current, desired)) = current.groups().zip(groups) {
            let reach = Reach {
                removable: self.removable(users, (&pairs.desired, &pairs.meant), &plan),
                is_ours: &|group| group.external_id().is_some(),
                is_protected: &|name| self.protected.contains(&*text_key(name)),
            };
            plan_groups(&mut plan, current, desired, people(), &self.groups, &reach);
        }
        let missing = match (current.missing(), current.groups(), groups) {
            (None, None, Some(_)) => Some("its groups were not read, see current_directory"),
            (missing, ..) => missing,
        };
        plan.put_in_order();
        // An inactive user can only be deleted.
        let can_lose = |user: &ScimUser| is_active(user) != Some(false) || self.leavers == Leavers::Delete;
        let at_stake = users.iter().filter(|user| can_lose(user) && self.is_concerned(user)).count();
        leavers.retain(|user| can_lose(user));
        let matched = pairs.desired.iter().filter(|pair| matches!(pair, Pair::With(_))).count();
        self.limits.check(plan, &Facts { missing, desired, at_stake, matched, leavers })
    }

    /// The users that may be removed from a group: not those in conflict, nor those that are deleted anyway.
    fn removable<'a>(
        &self,
        users: &'a [ScimUser],
        (pairs, meant): (&[Pair], &[bool]),
        plan: &Plan,
    ) -> HashMap<&'a str, &'a str> {
        let matched: HashSet<_> =
            pairs.iter().filter_map(|pair| if let Pair::With(at) = pair { Some(*at) } else { None }).collect();
        let deleted = plan.steps.iter().filter(|step| step.action == Action::Delete);
        let deleted: HashSet<_> = deleted.filter_map(|step| step.id.as_deref()).collect();
        let is_removable = |(at, (user, is_meant)): (usize, (&'a ScimUser, &bool))| {
            let id = user.id.as_deref().filter(|id| !deleted.contains(id))?;
            let is_in_conflict = *is_meant && !matched.contains(&at);
            let may = !is_in_conflict && !self.is_protected(user) && self.is_concerned(user);
            may.then_some((id, user.user_name.as_deref().unwrap_or_default()))
        };
        users.iter().zip(meant).enumerate().filter_map(is_removable).collect()
    }

    pub(super) fn is_protected(&self, user: &ScimUser) -> bool {
        !self.protected.is_empty() && name_of(user).is_some_and(|name| self.protected.contains(&*name))
    }

    fn is_concerned(&self, user: &ScimUser) -> bool {
        self.concerns.as_ref().is_none_or(|concerns| concerns(user))
    }

    /// A user that is in both lists.
    fn meet(&self, plan: &mut Plan, held: &ScimUser, desired: &ScimUser) {
        if self.is_protected(held) {
            plan.unchanged += 1;
            return;
        }
        let mut desired = Cow::Borrowed(desired);
        let is_back = is_active(held) == Some(false) && is_active(&desired) != Some(false);
        if is_back {
            let desired = desired.to_mut();
            desired.attributes.remove("active");
            desired.active = self.reactivates.then_some(true);
        }
        self.rules.change(plan, held, &desired);
    }

    /// A user that is missing from the source.
    fn leave(&self, plan: &mut Plan, held: &ScimUser) {
        if self.leavers == Leavers::Delete {
            plan.steps.push(deletion(held));
        } else {
            let desired = ScimUser::default().with_active(false);
            self.rules.change(plan, held, &desired);
        }
    }
}

/// A user of the source with the id of its manager.
fn resolved<'u, 'p: 'u>(user: &'u ScimUser, people: &impl Fn() -> &'p People<'p>) -> Result<Cow<'u, ScimUser>, String> {
    // Most managers are named by their id, and whom a name means is costly to know.
    if named_manager(user).is_none() { Ok(Cow::Borrowed(user)) } else { people().with_manager(user) }
}

fn creation(desired: &ScimUser) -> Step {
    Step {
        action: Action::Create,
        name: desired.user_name.clone().unwrap_or_default(),
        id: None,
        external_id: desired.external_id.clone(),
        version: None,
        members: Vec::new(),
        changes: Vec::new(),
        left_out: Vec::new(),
        desired: Some(desired.clone()),
    }
}

fn deletion(held: &ScimUser) -> Step {
    Step {
        action: Action::Delete,
        name: held.user_name.clone().unwrap_or_default(),
        id: held.id.clone(),
        external_id: held.external_id.clone(),
        version: held.version().map(ToOwned::to_owned),
        members: Vec::new(),
        // A user that was reactivated meanwhile is not deleted.
        changes: vec![Change { path: "active".to_owned(), from: is_active(held).map(Into::into), to: None }],
        left_out: Vec::new(),
        desired: None,
    }
}

impl Plan {
    fn put_conflict(&mut self, user: &ScimUser, reason: String) {
        self.conflicts.push(Conflict { user: user.user_name.clone().unwrap_or_default(), reason });
    }

    /// Puts each step after the steps that it needs.
    fn put_in_order(&mut self) {
        let (steps, cyclic) = order::sorted(std::mem::take(&mut self.steps));
        self.steps = steps;
        let names: Vec<_> = cyclic.iter().take(5).map(|step| step.name.clone()).collect();
        self.conflicts.extend(cyclic.into_iter().map(|step| Conflict {
            user: step.name,
            reason: format!("the step needs one that needs it in turn: {}", names.join(", ")),
        }));
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy")
            .field("leavers", &self.leavers)
            .field("reactivates", &self.reactivates)
            .field("protected", &self.protected)
            .field("rules", &self.rules)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
