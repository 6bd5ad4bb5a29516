//! Computes a plan: who is who, the steps of users and groups, their order, and the guards.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

use wats_scim_filter::json::text_key;

use crate::error::Result;
use crate::model::ScimUser;
use crate::plan::apply::order;
use crate::plan::draft::Draft;
use crate::plan::groups::{Reach, plan_groups};
use crate::plan::guard::Facts;
use crate::plan::identity::left_out::{Unsaid, conflicts};
use crate::plan::identity::matching::{Pairs, Terms, pairs};
use crate::plan::identity::ours::Standing;
use crate::plan::identity::people::People;
use crate::plan::values::merge::is_active;
use crate::plan::{Action, Conflict, ConflictKind, Current, Leavers, Plan, Policy, Refusal, Rules, Source, Step};
use crate::plan::{Cause, Kind, Origin, Reference};

impl Policy {
    /// Computes the plan that changes the current users into the desired ones.
    ///
    /// Time and memory are proportional to the number of users.
    ///
    /// # Errors
    ///
    /// [`Refusal`] if the plan looks destructive.
    pub fn plan<S: Source + ?Sized>(&self, current: &Current, desired: &S) -> Result<Plan, Refusal> {
        let unsaid = Unsaid::of(desired.left_out());
        let policy = self.with_rows_left_out(&unsaid);
        policy.planned(current, desired, &unsaid)
    }

    /// The policy for a source without some of its rows: what it does not have may be in them.
    fn with_rows_left_out(&self, unsaid: &Unsaid) -> Cow<'_, Self> {
        let mut policy = Cow::Borrowed(self);
        if !unsaid.is_empty() {
            policy.to_mut().groups.deletes = false;
        }
        if unsaid.can_be_any() {
            policy.to_mut().leavers = Leavers::Keep;
        }
        policy
    }

    fn planned<S: Source + ?Sized>(&self, current: &Current, desired: &S, unsaid: &Unsaid) -> Result<Plan, Refusal> {
        let (users, groups) = (current.users(), desired.desired_groups());
        let rules = Rules { is_wats: self.is_wats, clears: self.attributes.cleared() };
        let (source, desired) = (desired, self.mapped(desired.desired_users()));
        let desired = match &desired {
            Ok(desired) => &**desired,
            Err(error) => return Err(Refusal::unmapped(Plan::begin(self, current, rules), error)),
        };
        let account = current.account().map(|name| text_key(name).into_owned());
        let standing: Vec<Standing> = users
            .iter()
            .map(
                |user| if unsaid.has(user) { Standing::Protected } else { self.who.standing(user, account.as_deref()) },
            )
            .collect();
        let writes_names = self.attributes.changes("userName");
        let terms = Terms {
            standing: &standing,
            joiners: self.joiners,
            leavers: self.leavers,
            writes_names,
            renames: writes_names && !self.is_wats,
            adopts_by_email: self.adopts_by_email,
        };
        let pairs = pairs(users, desired, &terms);
        let people = OnceCell::new();
        let people = || people.get_or_init(|| People::of(users, desired, &pairs.desired));

        let mut draft = Draft::of(self, rules, current, desired);
        draft.put_users(&pairs, &standing, &people, |user| source.origin(user));
        let mut plan = draft.plan;
        plan.conflicts.extend(conflicts(source.left_out()));
        if let Some((current, desired)) = current.groups().zip(groups) {
            let reach = Reach {
                removable: if unsaid.can_be_any() {
                    HashMap::new()
                } else {
                    removable(users, &pairs, &standing, &plan)
                },
                is_ours: &|group| self.who.owns_group(group),
                is_protected: &|name| self.who.protects_name(name),
                protects: &|group| self.who.protects_group(group),
            };
            plan_groups(&mut plan, current, desired, people(), &self.groups, &reach);
        }
        let missing = match (current.missing(), current.groups(), groups) {
            (None, None, Some(_)) => Some("its groups were not read, see current_directory"),
            (missing, ..) => missing,
        };
        // A member that is removed from a group is missing from a row of that group.
        for step in plan.steps.iter_mut().filter(|step| step.cause == Cause::Missing && step.origin.is_none()) {
            step.origin = step.id.as_deref().map(|id| Origin::held(plan.server.as_deref(), id));
        }
        plan.put_in_order(users);

        // An inactive user can only be deleted.
        let can_lose = |user: &ScimUser| is_active(user) != Some(false) || self.leavers == Leavers::Delete;
        let is_at_stake = |(user, standing): &(&ScimUser, &Standing)| **standing == Standing::Ours && can_lose(user);
        let at_stake = users.iter().zip(&standing).filter(is_at_stake);
        let is_left = |is_meant: &bool| !is_meant && self.leavers != Leavers::Keep;
        let leavers =
            users.iter().zip(&standing).zip(&pairs.meant).filter(|(user, meant)| is_at_stake(user) && is_left(meant));
        let facts = Facts {
            missing,
            held: users,
            groups: current.groups().unwrap_or_default(),
            desired,
            at_stake: at_stake.count(),
            matched: pairs.desired.iter().filter(|pair| pair.held().is_some()).count(),
            leavers: leavers.map(|((user, _), _)| user).collect(),
        };
        self.limits.check(plan, &facts)
    }
}

impl Policy {
    /// The users of a source with their computed attributes.
    pub(super) fn mapped<'a>(&self, users: &'a [ScimUser]) -> Result<Cow<'a, [ScimUser]>> {
        if self.mapping.is_empty() { Ok(Cow::Borrowed(users)) } else { self.mapping.apply(users).map(Cow::Owned) }
    }
}

/// The users that may be removed from a group: those that are ours, but not those in conflict, nor those that
/// are deleted anyway.
fn removable<'a>(
    users: &'a [ScimUser],
    pairs: &Pairs,
    standing: &[Standing],
    plan: &Plan,
) -> HashMap<&'a str, &'a str> {
    let matched: HashSet<_> = pairs.desired.iter().filter_map(|pair| pair.held()).collect();
    let deleted = plan.steps.iter().filter(|step| step.action == Action::Delete);
    let deleted: HashSet<_> = deleted.filter_map(|step| step.id.as_deref()).collect();
    let removable =
        users.iter().zip(&pairs.meant).zip(standing).enumerate().filter_map(|(at, ((user, meant), standing))| {
            let id = user.id.as_deref().filter(|id| !deleted.contains(id))?;
            let is_in_conflict = *meant && !matched.contains(&at);
            let may = !is_in_conflict && *standing == Standing::Ours;
            may.then_some((id, user.user_name.as_deref().unwrap_or_default()))
        });
    removable.collect()
}

impl Plan {
    /// Puts each step after the steps that it needs, and takes out those that cannot be done. `held` are the
    /// users of the server.
    pub(super) fn put_in_order(&mut self, held: &[ScimUser]) {
        let (steps, cyclic) = order::sorted(std::mem::take(&mut self.steps));
        self.steps = steps;
        let names: Vec<_> = cyclic.iter().take(5).map(|step| step.name.clone()).collect();
        let reason = format!("the step needs one that needs it in turn: {}", names.join(", "));
        let conflict =
            |step: Step| Conflict { held: step.held(), ..Conflict::new(ConflictKind::Cycle, &step.name, &reason) };
        self.conflicts.extend(cyclic.into_iter().map(conflict));
        self.withdraw_unmet(held);
        self.keep_names_aside();
        self.withdraw_members();
    }
}

impl Step {
    /// The user or group of the server that the step is about.
    pub(super) fn held(&self) -> Option<Reference> {
        let Self { id, external_id, name, .. } = self;
        let kind = if self.action.is_of_group() { Kind::Group } else { Kind::User };
        id.as_ref()?;
        Some(Reference { kind, id: id.clone(), external_id: external_id.clone(), name: Some(name.clone()) })
    }
}
