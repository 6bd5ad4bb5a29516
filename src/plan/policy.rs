use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use wats_scim_filter::json::text_key;

use super::guard::{Facts, Limits};
use super::matching::{Pair, name_of, pairs};
use super::{Action, Change, Conflict, CurrentUsers, Inexpressible, Plan, Refusal, Step, Rules};
use crate::config::Profile;
use crate::model::ScimUser;

/// How a [`Plan`] is made: what becomes of those who left, who is left alone, and what is too much
/// to be true.
///
/// By default, users of the source that the server does not have are created, those that differ
/// are updated in what differs, inactive ones are reactivated, and users that the source does not
/// have are deactivated. **An attribute that the source does not say is left alone**;
/// [`clears`](Self::clears) names those that are to be removed.
///
/// A user of the source is the one with its `externalId`, or else the one with its `userName` in
/// any letter case. Where that is not clear, everybody concerned is left alone and reported as a
/// [conflict](Conflict).
///
/// ```
/// use wats_scim::{Profile, ScimUser};
/// use wats_scim::plan::{CurrentUsers, Leavers, Policy};
///
/// let policy = Policy::new(&Profile::wats())
///     .protect(["admin@example.com"])
///     .leavers(Leavers::Keep)
///     .max_deactivations(20);
/// # let _ = policy;
/// ```
pub struct Policy {
    rules: Rules,
    leavers: Leavers,
    reactivates: bool,
    protected: HashSet<String>,
    concerns: Option<Concerns>,
    limits: Limits,
}

type Concerns = Box<dyn Fn(&ScimUser) -> bool + Send + Sync>;

/// What becomes of users whom the source does not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Leavers {
    /// They may no longer sign in.
    #[default]
    Deactivate,
    /// They stay as they are.
    Keep,
    /// They are deleted, with what the server keeps of them. This cannot be undone.
    Delete,
}

impl Policy {
    /// The policy for a server that offers this, which decides how changes are sent: on WATS in
    /// the few paths that it takes, and what they cannot say is reported.
    #[must_use]
    pub fn new(profile: &Profile) -> Self {
        Self {
            rules: Rules { is_wats: profile.is_wats(), clears: Vec::new() },
            leavers: Leavers::default(),
            reactivates: true,
            protected: HashSet::new(),
            concerns: None,
            limits: Limits::default(),
        }
    }

    /// What becomes of users whom the source does not have; they are deactivated by default.
    #[must_use]
    pub fn leavers(mut self, leavers: Leavers) -> Self {
        self.leavers = leavers;
        self
    }

    /// Whether inactive users whom the source has may sign in again, unless the source says that
    /// they are not active. They may by default.
    #[must_use]
    pub fn reactivates(mut self, reactivates: bool) -> Self {
        self.reactivates = reactivates;
        self
    }

    /// User names, in any letter case, that no step is about: administrators, service accounts, the
    /// user whose credentials these are. May be called more than once.
    #[must_use]
    pub fn protect<N: AsRef<str>>(mut self, user_names: impl IntoIterator<Item = N>) -> Self {
        self.protected.extend(user_names.into_iter().map(|name| text_key(name.as_ref()).into_owned()));
        self
    }

    /// Which users of the server the source speaks for, if not for all. The others are not
    /// deactivated for being missing from it.
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

    /// The attributes, by their paths, that are removed from a user whom the source gives none.
    /// WATS cannot remove any.
    #[must_use]
    pub fn clears<P: Into<String>>(mut self, paths: impl IntoIterator<Item = P>) -> Self {
        self.rules.clears.extend(paths.into_iter().map(Into::into));
        self
    }

    /// The most users that may be deactivated or deleted; 100 by default.
    #[must_use]
    pub fn max_deactivations(mut self, users: usize) -> Self {
        self.limits.deactivations = users;
        self
    }

    /// The largest part of the active users that may be deactivated, or of all that may be deleted,
    /// in percent; 20 by default. Up to 5 users are never too large a part.
    #[must_use]
    pub fn max_deactivation_percent(mut self, percent: u8) -> Self {
        self.limits.share = percent;
        self
    }

    /// How many users the source has by its own account; with another number it looks truncated.
    #[must_use]
    pub fn expecting(mut self, users: usize) -> Self {
        self.limits.expected = Some(users);
        self
    }

    /// Makes a plan although the source has no users.
    #[must_use]
    pub fn allow_empty_source(mut self) -> Self {
        self.limits.allows_empty = true;
        self
    }

    /// Makes a plan although the source looks truncated: it has another number of users than
    /// [expected](Self::expecting); or at least 3 users are missing from it, and either it has
    /// exactly as many as a page (50, 100, 200, 250, 500, 1000 …), or it is sorted and all who are
    /// missing would come after its last.
    #[must_use]
    pub fn allow_truncated_source(mut self) -> Self {
        self.limits.allows_truncated = true;
        self
    }

    /// Makes a plan although the list of the server's users is not complete. Users who are there
    /// and not in the list will be created, which the server may refuse.
    #[must_use]
    pub fn allow_incomplete_list(mut self) -> Self {
        self.limits.allows_incomplete = true;
        self
    }

    /// The plan that makes the current users the desired ones.
    ///
    /// It takes time and memory in proportion to the number of users.
    ///
    /// # Errors
    ///
    /// [`Refusal`] if the plan would probably do damage.
    pub fn plan(&self, current: &CurrentUsers, desired: &[ScimUser]) -> Result<Plan, Refusal> {
        let users = current.users();
        let pairs = pairs(users, desired);
        let mut plan = Plan {
            steps: Vec::new(),
            conflicts: pairs.conflicts,
            inexpressible: Vec::new(),
            unchanged: 0,
            rules: self.rules.clone(),
        };
        for (desired, pair) in desired.iter().zip(&pairs.desired) {
            match pair {
                Pair::Conflict => {}
                Pair::New => plan.steps.push(creation(desired)),
                Pair::With(at) => {
                    if let Some(held) = users.get(*at) {
                        self.meet(&mut plan, held, desired);
                    }
                }
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
        // Who may not sign in has nothing to lose but to be deleted.
        let can_lose = |user: &ScimUser| user.active != Some(false) || self.leavers == Leavers::Delete;
        let at_stake = users.iter().filter(|user| can_lose(user) && self.is_concerned(user)).count();
        leavers.retain(|user| can_lose(user));
        self.limits.check(plan, &Facts { missing: current.missing(), desired, at_stake, leavers })
    }

    fn is_protected(&self, user: &ScimUser) -> bool {
        name_of(user).is_some_and(|name| self.protected.contains(&*name))
    }

    fn is_concerned(&self, user: &ScimUser) -> bool {
        self.concerns.as_ref().is_none_or(|concerns| concerns(user))
    }

    /// A user that both have.
    fn meet(&self, plan: &mut Plan, held: &ScimUser, desired: &ScimUser) {
        if self.is_protected(held) {
            plan.unchanged += 1;
            return;
        }
        let mut desired = Cow::Borrowed(desired);
        let is_back = held.active == Some(false) && desired.active != Some(false);
        if is_back {
            desired.to_mut().active = self.reactivates.then_some(true);
        }
        let action = match (held.active, desired.active) {
            (Some(false), Some(true)) => Action::Reactivate,
            (Some(true) | None, Some(false)) => Action::Deactivate,
            _ => Action::Update,
        };
        self.change(plan, action, held, &desired);
    }

    /// A user whom the source does not have.
    fn leave(&self, plan: &mut Plan, held: &ScimUser) {
        if self.leavers == Leavers::Delete {
            plan.steps.push(deletion(held));
        } else {
            let desired = ScimUser::default().with_active(false);
            self.change(plan, Action::Deactivate, held, &desired);
        }
    }

    fn change(&self, plan: &mut Plan, action: Action, held: &ScimUser, desired: &ScimUser) {
        match self.rules.way(held, desired) {
            Ok(way) if !way.patch.operations.is_empty() => plan.steps.push(way.into_step(action, held, desired)),
            Ok(way) if !way.left_out.is_empty() => {
                let user_name = held.user_name.clone().unwrap_or_default();
                plan.inexpressible.push(Inexpressible { user_name, left_out: way.left_out });
            }
            Ok(_) => plan.unchanged += 1,
            Err(error) => plan
                .conflicts
                .push(Conflict { user: held.user_name.clone().unwrap_or_default(), reason: error.to_string() }),
        }
    }
}

fn creation(desired: &ScimUser) -> Step {
    Step {
        action: Action::Create,
        user_name: desired.user_name.clone().unwrap_or_default(),
        id: None,
        external_id: desired.external_id.clone(),
        changes: Vec::new(),
        left_out: Vec::new(),
        desired: Some(desired.clone()),
    }
}

fn deletion(held: &ScimUser) -> Step {
    Step {
        action: Action::Delete,
        user_name: held.user_name.clone().unwrap_or_default(),
        id: held.id.clone(),
        external_id: held.external_id.clone(),
        // Who may sign in again by then is not deleted.
        changes: vec![Change { path: "active".to_owned(), from: held.active.map(Into::into), to: None }],
        left_out: Vec::new(),
        desired: None,
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
