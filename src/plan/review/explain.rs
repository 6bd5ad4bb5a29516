//! Explains what a plan does with one user, and why it does nothing.

use std::borrow::Cow;
use std::fmt;

use wats_scim_filter::json::text_key;

use crate::model::{Origin, Resource, ScimUser};
use crate::plan::identity::ours::Standing;
use crate::plan::review::print::shown;
use crate::plan::review::requests::PlannedRequest;
use crate::plan::review::select::Known;
use crate::plan::{Conflict, Current, Inexpressible, Leavers, Plan, Policy, Source, Step};

/// What a plan does with one user, from [`Policy::explain`] or [`Plan::explain`]. `Display` prints a line for
/// each finding.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Explanation {
    /// The user as it was asked for.
    pub who: String,
    /// What was found, in this order: in the source, on the server, what the plan does.
    pub findings: Vec<Finding>,
    /// The requests that an apply would send for it, in the order of the steps; none from [`Plan::explain`], which
    /// does not know what the server holds.
    pub requests: Vec<PlannedRequest>,
    /// The message of the [`Refusal`](crate::plan::Refusal), if a guard rejects the whole plan.
    pub guard: Option<String>,
}

/// One finding of an [`Explanation`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Finding {
    /// The source has the user.
    InSource {
        /// Its `userName`.
        user_name: String,
        /// Its `externalId`.
        external_id: Option<String>,
        /// Its row, if it is known.
        origin: Option<Origin>,
    },
    /// The server has the user.
    OnServer {
        /// Its `userName`.
        user_name: String,
        /// Its `externalId`.
        external_id: Option<String>,
        /// Its id.
        id: Option<String>,
    },
    /// The plan has this step for the user, with the differences; or this step for a group that the user joins
    /// or leaves, without other members.
    Step(Box<Step>),
    /// The match of the user is ambiguous, so it is left unchanged.
    Conflict(Conflict),
    /// The user has differences that cannot be expressed in a request to the server.
    Inexpressible(Inexpressible),
    /// The user is [protected](Policy::protect).
    Protected,
    /// The user is missing from the source, and [outside the scope](Policy::ours) of the policy.
    OutOfScope,
    /// The user is missing from the source, and the policy [keeps](crate::plan::Leavers::Keep) such users.
    Kept,
    /// The user is as desired.
    Unchanged,
    /// The plan has nothing for such a user.
    NotInPlan,
    /// Neither the source nor the server has such a user.
    Unknown,
}

impl Policy {
    /// Explains what the plan does with one user, given by its `userName` in any form of the same name, its
    /// `externalId` or its id. It computes the whole plan for that.
    ///
    /// ```
    /// use wats_scim::{Profile, ScimUser};
    /// use wats_scim::plan::{Current, Finding, Policy};
    ///
    /// let current = Current::complete(vec![ScimUser::new("admin"), ScimUser::new("ann")]);
    /// let policy = Policy::new(&Profile::wats()).protect(["admin"]);
    /// let explanation = policy.explain(&current, &[ScimUser::new("ann")], "ADMIN");
    /// assert_eq!(explanation.findings.last(), Some(&Finding::Protected));
    /// println!("{explanation}");
    /// ```
    #[must_use]
    pub fn explain<S: Source + ?Sized>(&self, current: &Current, desired: &S, who: &str) -> Explanation {
        let planned = self.plan(current, desired);
        let source = desired;
        // Without the mapping, if it cannot be applied: then the plan is rejected.
        let desired = self.mapped(source.desired_users()).unwrap_or(Cow::Borrowed(source.desired_users()));
        let (plan, guard) = match &planned {
            Ok(plan) => (plan, None),
            Err(refusal) => (refusal.plan(), Some(refusal.to_string())),
        };
        let mut known = Known::of(who);
        let asked =
            |known: &Known, user: &ScimUser| known.has(user.user_name.as_deref(), user.external_id(), user.id());
        let rows: Vec<_> = desired.iter().enumerate().filter(|(_, user)| asked(&known, user)).collect();
        for (_, row) in &rows {
            known.add(row.user_name.as_deref(), row.external_id(), None);
        }
        let held: Vec<_> = current.users().iter().filter(|user| asked(&known, user)).collect();
        for user in &held {
            known.add(user.user_name.as_deref(), user.external_id(), user.id());
        }
        let in_source = rows.iter().map(|(row, user)| in_source(user, source.origin(*row)));
        let mut findings: Vec<_> = in_source.chain(held.iter().map(|user| on_server(user))).collect();
        let found = plan.findings(&known);
        if found.is_empty() {
            let account = current.account().map(|name| text_key(name).into_owned());
            let standing = |user: &ScimUser| self.who.standing(user, account.as_deref());
            findings.extend(held.iter().map(|user| match standing(user) {
                Standing::Protected => Finding::Protected,
                _ if !rows.is_empty() => Finding::Unchanged,
                Standing::Outside => Finding::OutOfScope,
                Standing::Ours if self.leavers == Leavers::Keep => Finding::Kept,
                Standing::Ours => Finding::Unchanged,
            }));
            if held.is_empty() {
                findings.push(Finding::Unknown);
            }
        }
        let requests = found.iter().filter_map(|finding| match finding {
            Finding::Step(step) => {
                let held = held.iter().find(|user| user.id.is_some() && user.id == step.id);
                plan.rules.request(step, held.copied())
            }
            _ => None,
        });
        let requests = requests.collect();
        findings.extend(found);
        Explanation { who: who.to_owned(), findings, requests, guard }
    }
}

impl Plan {
    /// Explains what the plan does with one user, given by its `userName` in any form of the same name, its
    /// `externalId` or its id. [`Policy::explain`] also explains why a user is in no step.
    #[must_use]
    pub fn explain(&self, who: &str) -> Explanation {
        let mut findings = self.findings(&self.known(who));
        if findings.is_empty() {
            findings.push(Finding::NotInPlan);
        }
        Explanation { who: who.to_owned(), findings, requests: Vec::new(), guard: None }
    }

    fn findings(&self, known: &Known) -> Vec<Finding> {
        let steps = self.steps.iter().filter_map(|step| known.part_of(step));
        let conflicts = self.conflicts.iter().filter(|it| known.has(Some(&it.user), Some(&it.user), None));
        let inexpressible = self.inexpressible.iter().filter(|it| known.has(Some(&it.user_name), None, None));
        steps
            .map(|step| Finding::Step(Box::new(step)))
            .chain(conflicts.cloned().map(Finding::Conflict))
            .chain(inexpressible.cloned().map(Finding::Inexpressible))
            .collect()
    }
}

fn in_source(user: &ScimUser, origin: Option<Origin>) -> Finding {
    Finding::InSource {
        user_name: user.user_name.clone().unwrap_or_default(),
        external_id: user.external_id.clone(),
        origin,
    }
}

fn on_server(user: &ScimUser) -> Finding {
    Finding::OnServer {
        user_name: user.user_name.clone().unwrap_or_default(),
        external_id: user.external_id.clone(),
        id: user.id.clone(),
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", shown(&self.who))?;
        self.findings.iter().try_for_each(|finding| write!(f, "\n  {finding}"))?;
        self.requests.iter().try_for_each(|request| write!(f, "\n  would send: {request}"))?;
        match &self.guard {
            Some(guard) => write!(f, "\n  the whole plan is rejected: {guard}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let with = |f: &mut fmt::Formatter<'_>, what: &str, value: &Option<String>| match value {
            Some(value) => write!(f, ", {what} {}", shown(value)),
            None => Ok(()),
        };
        match self {
            Self::InSource { user_name, external_id, origin } => {
                write!(f, "in the source: {}", shown(user_name))?;
                with(f, "externalId", external_id)?;
                origin.as_ref().map_or(Ok(()), |origin| write!(f, ", {}", shown(&origin.to_string())))
            }
            Self::OnServer { user_name, external_id, id } => {
                write!(f, "on the server: {}", shown(user_name))?;
                with(f, "externalId", external_id)?;
                with(f, "id", id)
            }
            Self::Step(step) => write!(f, "step: {step}"),
            Self::Conflict(conflict) => write!(f, "in conflict, so it is left unchanged: {}", shown(&conflict.reason)),
            Self::Inexpressible(user) => write!(f, "cannot be sent: {}", shown(&user.left_out.join("; "))),
            Self::Protected => f.write_str("left unchanged: it is protected"),
            Self::OutOfScope => f.write_str("left unchanged: it is missing from the source, and out of scope"),
            Self::Kept => f.write_str("left unchanged: it is missing from the source, and the policy keeps leavers"),
            Self::Unchanged => f.write_str("left unchanged: it is as desired"),
            Self::NotInPlan => f.write_str("the plan has nothing for it"),
            Self::Unknown => f.write_str("neither the source nor the server has it"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::config::Profile;
    use crate::plan::Ours;

    fn users(users: Value) -> Vec<ScimUser> {
        serde_json::from_value(users).unwrap()
    }

    #[test]
    fn a_user_is_explained_whether_it_has_a_step_or_not() {
        let current = Current::complete(users(json!([
            { "id": "1", "userName": "ann", "externalId": "7", "active": true, "title": "T" },
            { "id": "2", "userName": "admin", "active": true },
            { "id": "3", "userName": "guest", "active": true },
            { "id": "4", "userName": "bob", "active": true },
            { "id": "5", "userName": "eve", "active": true },
            { "id": "6", "userName": "gone", "active": true },
        ])));
        let desired = users(json!([
            { "userName": "Ann", "externalId": "7", "title": "Dr" },
            { "userName": "bob" },
            { "userName": "dee" }, { "userName": "DEE" },
            { "userName": "eve", "title": "Dr" },
        ]));
        let policy = Policy::new(&Profile::wats())
            .ours(Ours::Everybody)
            .protect(["admin"])
            .concerning(|user| user.user_name.as_deref() != Some("guest"));
        let last = |policy: &Policy, who: &str| {
            let explanation = policy.explain(&current, &desired, who);
            assert_eq!(explanation.guard, None);
            explanation.findings.last().unwrap().to_string()
        };
        for (who, expected) in [
            ("ADMIN", "left unchanged: it is protected"),
            ("guest", "left unchanged: it is missing from the source, and out of scope"),
            ("bob", "left unchanged: it is as desired"),
            ("4", "left unchanged: it is as desired"),
            ("dee", "in conflict, so it is left unchanged: the source has several users with its userName"),
            ("7", "cannot be sent: title: setting it"),
            ("6", "step: - gone  deactivate"),
            ("nowhere", "neither the source nor the server has it"),
        ] {
            assert_eq!(last(&policy, who), expected, "{who}");
        }
        let keeping = Policy::new(&Profile::wats()).ours(Ours::Everybody).leavers(Leavers::Keep);
        assert!(last(&keeping, "gone").ends_with("the policy keeps leavers"));

        let refused = Policy::new(&Profile::wats()).explain(&current, &[], "ann");
        assert!(refused.to_string().contains("the whole plan is rejected: the source has no users"), "{refused}");
        let plan = policy.plan(&current, &desired).unwrap();
        assert!(matches!(plan.explain("gone").findings[..], [Finding::Step(_)]));
        assert_eq!(plan.explain("bob").findings, [Finding::NotInPlan]);

        let mut plan = plan;
        let team =
            json!({ "action": "addMembers", "name": "Team", "id": "g", "members": [{ "id": "6" }, { "id": "4" }] });
        plan.steps.push(serde_json::from_value(team).unwrap());
        let text = plan.explain("GONE").to_string();
        assert_eq!(text, "GONE:\n  step: - gone  deactivate\n  step: ~ Team  add members: id 6");
    }
}
