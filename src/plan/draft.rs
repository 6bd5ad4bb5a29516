//! The steps for users, from their matches.

use std::borrow::Cow;

use crate::model::{Resource, ScimUser};
use crate::plan::identity::chains::{FreeNames, Passing};
use crate::plan::identity::conflict::{OUTSIDE, reference};
use crate::plan::identity::matching::{Pair, Pairs};
use crate::plan::identity::ours::Standing;
use crate::plan::identity::people::People;
use crate::plan::policy::{Leavers, Policy};
use crate::plan::stored::check::action_of;
use crate::plan::values::manager::named_manager;
use crate::plan::values::merge::is_active;
use crate::plan::{Action, Cause, Change, Conflict, ConflictKind, Current, Inexpressible, Origin, Plan, Rules, Step};

/// A plan that is being made.
pub(super) struct Draft<'a> {
    policy: &'a Policy,
    users: &'a [ScimUser],
    desired: &'a [ScimUser],
    pub(super) plan: Plan,
    /// For users whose name is passed on.
    free_names: Option<FreeNames>,
}

/// A user of the server, with what may be done to it.
#[derive(Clone, Copy)]
struct Held<'a> {
    user: &'a ScimUser,
    standing: Standing,
    /// It matches by its email address alone, which the policy allows.
    is_by_email: bool,
}

impl<'a> Draft<'a> {
    pub(super) fn of(policy: &'a Policy, rules: Rules, current: &'a Current, desired: &'a [ScimUser]) -> Self {
        let plan = Plan::begin(policy, current, rules);
        Self { policy, users: current.users(), desired, plan, free_names: None }
    }

    /// Adds the steps for users.
    pub(super) fn put_users<'p>(
        &mut self,
        pairs: &Pairs,
        standing: &[Standing],
        people: &impl Fn() -> &'p People<'p>,
        origin: impl Fn(usize) -> Option<Origin>,
    ) {
        let Pairs { desired: found, meant, conflicts, passing: Passing { aside, parked } } = pairs;
        self.plan.conflicts.clone_from(conflicts);
        let users = self.users;
        let held = |at: usize, is_by_email| {
            let (user, standing) = users.get(at).zip(standing.get(at))?;
            Some(Held { user, standing: *standing, is_by_email })
        };
        let decided = self.desired.iter().enumerate().zip(found).filter(|(_, pair)| **pair != Pair::Conflict);
        for ((who, user), pair) in decided {
            let before = self.plan.steps.len();
            let held = pair.held().and_then(|at| held(at, matches!(pair, Pair::ByEmail(_))));
            let standing = held.map_or_else(|| self.policy.who.standing(user, None), |held| held.standing);
            if standing == Standing::Protected {
                self.plan.unchanged += 1;
                continue;
            }
            let desired = match (held, pair) {
                (Some(_), _) => self.policy.attributes.of_existing(user),
                (None, Pair::New) => self.policy.attributes.of_new(user),
                (None, _) => continue,
            };
            let desired = desired.map_err(|error| (ConflictKind::NotComparable, error.to_string()));
            let resolved = desired.and_then(|user| resolved(user, people).map_err(|why| (ConflictKind::Manager, why)));
            match (held, resolved) {
                (Some(held), Ok(desired)) => self.meet(held, desired, parked.contains(&who)),
                (None, Ok(desired)) => self.plan.steps.push(creation(desired.into_owned())),
                (_, Err((kind, why))) => {
                    let name = user.user_name.as_deref().unwrap_or_default();
                    self.conflict(kind, name, &why, held.map(|held| held.user));
                }
            }
            for step in self.plan.steps.iter_mut().skip(before) {
                step.origin = origin(who);
            }
        }
        for (at, _) in meant.iter().enumerate().filter(|(_, is_meant)| !**is_meant) {
            if let Some(held) = held(at, false) {
                self.leave(held, aside.contains(&at));
            }
        }
    }

    /// A user that is in both lists.
    fn meet(&mut self, held: Held<'_>, mut desired: Cow<'_, ScimUser>, is_parked: bool) {
        let is_back = is_active(held.user) == Some(false) && is_active(&desired) != Some(false);
        if is_back && self.policy.attributes.changes("active") {
            let desired = desired.to_mut();
            desired.attributes.remove("active");
            desired.active = self.policy.reactivates.then_some(true);
        }
        if is_parked {
            let parked = self.park(held.user);
            self.change(Held { user: &parked, ..held }, &desired);
        } else {
            self.change(held, &desired);
        }
    }

    /// Frees the name of a user, which gets its desired one in a later step.
    fn park(&mut self, held: &ScimUser) -> ScimUser {
        let name = self.free_name(held);
        let desired = ScimUser { user_name: Some(name.clone()), ..ScimUser::default() };
        let change = Change {
            path: "userName".to_owned(),
            from: held.user_name.clone().map(Into::into),
            to: Some(name.clone().into()),
        };
        self.plan.steps.push(Step {
            action: Action::FreeName,
            cause: Cause::Policy,
            desired: Some(desired),
            changes: vec![change],
            ..step_of(held)
        });
        // The first step gives it another version.
        ScimUser { user_name: Some(name), meta: None, ..held.clone() }
    }

    /// A user that is missing from the source.
    fn leave(&mut self, held: Held<'_>, is_aside: bool) {
        if held.standing != Standing::Ours {
            self.plan.unchanged += 1;
            return;
        }
        let before = self.plan.steps.len();
        match self.policy.leavers {
            Leavers::Keep => self.plan.unchanged += 1,
            Leavers::Delete => self.plan.steps.push(deletion(held.user)),
            Leavers::Deactivate => {
                let mut desired = ScimUser::default().with_active(false);
                desired.user_name = is_aside.then(|| self.free_name(held.user));
                self.change(held, &desired);
            }
        }
        for step in self.plan.steps.iter_mut().skip(before) {
            step.cause = Cause::Missing;
        }
    }

    fn free_name(&mut self, held: &ScimUser) -> String {
        let (users, desired) = (self.users, self.desired);
        self.free_names.get_or_insert_with(|| FreeNames::beside(users, desired)).beside_that_of(held)
    }

    fn change(&mut self, held: Held<'_>, desired: &ScimUser) {
        let Held { user, standing, is_by_email } = held;
        let user_name = user.user_name.as_deref().unwrap_or_default();
        match self.plan.rules.way(user, desired) {
            Ok(way) if standing == Standing::Outside && is_beyond(&way.changes, is_by_email) => {
                self.conflict(ConflictKind::Outside, user_name, OUTSIDE, Some(user));
            }
            Ok(way) if !way.patch.operations.is_empty() => self.plan.steps.push(way.into_step(user, desired)),
            Ok(way) if !way.left_out.is_empty() => {
                self.plan.inexpressible.push(Inexpressible { user_name: user_name.to_owned(), left_out: way.left_out });
            }
            Ok(_) => self.plan.unchanged += 1,
            Err(error) => self.conflict(ConflictKind::NotComparable, user_name, &error.to_string(), Some(user)),
        }
    }

    fn conflict(&mut self, kind: ConflictKind, user: &str, reason: &str, held: Option<&ScimUser>) {
        self.plan.conflicts.push(Conflict { held: held.map(reference), ..Conflict::new(kind, user, reason) });
    }
}

/// Whether these changes are more than may be done to a user outside.
fn is_beyond(changes: &[Change], is_by_email: bool) -> bool {
    let renames = changes.iter().any(|change| change.is_of("userName"));
    action_of(changes) == Action::Deactivate || (renames && !is_by_email)
}

/// A step for a user of the server, which does nothing yet.
fn step_of(held: &ScimUser) -> Step {
    Step {
        action: Action::Update,
        name: held.user_name.clone().unwrap_or_default(),
        id: held.id.clone(),
        external_id: held.external_id.clone(),
        version: held.version().map(ToOwned::to_owned),
        cause: Cause::Source,
        origin: None,
        members: Vec::new(),
        changes: Vec::new(),
        left_out: Vec::new(),
        desired: None,
        left_out_secrets: Vec::new(),
    }
}

fn creation(desired: ScimUser) -> Step {
    let step = Step { action: Action::Create, id: None, version: None, ..step_of(&desired) };
    Step { desired: Some(desired), ..step }
}

/// A user of the source with the id of its manager.
fn resolved<'u, 'p>(
    user: Cow<'u, ScimUser>,
    people: &impl Fn() -> &'p People<'p>,
) -> Result<Cow<'u, ScimUser>, String> {
    // Most managers are referenced by id, and resolving a name is costly.
    if named_manager(&user).is_none() {
        return Ok(user);
    }
    people().with_manager(&user).map(|user| Cow::Owned(user.into_owned()))
}

fn deletion(held: &ScimUser) -> Step {
    // A user that was reactivated meanwhile is not deleted.
    let active = Change { path: "active".to_owned(), from: is_active(held).map(Into::into), to: None };
    Step { action: Action::Delete, changes: vec![active], ..step_of(held) }
}
