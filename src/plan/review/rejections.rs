//! What the server would reject of a plan, by its profile and its schemas, before anything is sent.

use std::fmt;

use serde::Serialize;
use wats_scim_filter::json::same_name;

use crate::config::Profile;
use crate::error::one_line;
use crate::model::{Resource, SchemaProblem, Schemas, ScimGroup, ScimMember, ScimUser};
use crate::plan::{Action, Kind, Plan, Reference, Step};

/// A step that the server would reject, or of which it would ignore a part; from [`Plan::would_be_rejected`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Rejection {
    /// The index of the step in the plan, from 0.
    pub number: usize,
    /// The user name, or the name of the group.
    pub name: String,
    /// Why the server does not support the step, by its profile. `None` if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unsupported: Option<String>,
    /// The problems by the schemas, without values.
    pub problems: Vec<SchemaProblem>,
}

impl Plan {
    /// Checks the steps with the profile and the schemas of the server, and returns those that it would reject,
    /// or of which it would ignore a part. No request is sent.
    ///
    /// By its profile, a server may not have groups, or not support PATCH or a changed attribute. See
    /// [`Schemas::check`] for what is checked with the schemas; of a change, the attributes that change are.
    /// `Schemas::default()` checks the profile only.
    ///
    /// [`ScimApply::schemas`](crate::blocking::ScimApply::schemas) rejects a plan with such steps.
    ///
    /// ```
    /// use wats_scim::{Profile, Schemas, ScimUser};
    /// use wats_scim::plan::{Current, Policy};
    ///
    /// let schemas: Schemas = serde_json::from_str(r#"[{
    ///     "id": "urn:ietf:params:scim:schemas:core:2.0:User",
    ///     "attributes": [{ "name": "userName", "type": "string" }, { "name": "title", "type": "string", "required": true }]
    /// }]"#)?;
    /// let policy = Policy::new(&Profile::standard());
    /// let plan = policy.plan(&Current::complete(vec![]), &[ScimUser::new("ann")])?;
    /// let rejected = plan.would_be_rejected(&Profile::standard(), &schemas);
    /// assert_eq!(rejected[0].to_string(), "step 1, ann, would be rejected: title is required");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn would_be_rejected(&self, profile: &Profile, schemas: &Schemas) -> Vec<Rejection> {
        let rejection = |(number, step): (usize, &Step)| {
            let unsupported = self.rules.check_support(step, profile).err().map(|error| error.to_string());
            let problems = step.problems(schemas);
            let is_rejected = unsupported.is_some() || !problems.is_empty();
            is_rejected.then(|| Rejection { number, name: step.name.clone(), unsupported, problems })
        };
        self.steps.iter().enumerate().filter_map(rejection).collect()
    }
}

impl Step {
    fn problems(&self, schemas: &Schemas) -> Vec<SchemaProblem> {
        let changes: Vec<_> = self.changes.iter().map(|change| change.path.as_str()).collect();
        match (self.action, &self.desired) {
            (Action::Create, Some(desired)) => schemas.check(desired).unwrap_or_default(),
            (Action::CreateGroup, _) => schemas.check(&self.new_group()).unwrap_or_default(),
            (Action::RenameGroup, _) => problems_of(schemas, &self.renamed(self.shown_group()), &changes),
            (Action::AddMembers | Action::RemoveMembers, _) => {
                let members = Some(self.members.iter().map(shown_member).collect());
                problems_of(schemas, &ScimGroup { members, ..self.shown_group() }, &["members"])
            }
            // Only what exists can have an immutable attribute.
            (_, Some(desired)) => problems_of(schemas, &ScimUser { id: self.id.clone(), ..desired.clone() }, &changes),
            (_, None) => Vec::new(),
        }
    }

    /// The group of the step as the plan knows it: it exists by then, under an id that may not be known yet.
    fn shown_group(&self) -> ScimGroup {
        ScimGroup { id: self.id.clone().or_else(|| Some(self.name.clone())), ..self.new_group() }
    }
}

/// A member as it is sent; its name stands for an id that is not known yet.
fn shown_member(member: &Reference) -> ScimMember {
    let shown = ScimMember::new(member.id.clone().unwrap_or_else(|| member.to_string()));
    if member.kind == Kind::Group { ScimMember { r#type: Some("Group".to_owned()), ..shown } } else { shown }
}

/// The problems of a resource that are about the attributes that change.
fn problems_of(schemas: &Schemas, resource: &impl Resource, changed: &[&str]) -> Vec<SchemaProblem> {
    let mut problems = schemas.check(resource).unwrap_or_default();
    problems.retain(|problem| changed.iter().any(|path| concerns(path, &problem.path)));
    problems
}

/// Whether a problem is about a changed attribute or a part of it.
fn concerns(changed: &str, problem: &str) -> bool {
    problem
        .split_at_checked(changed.len())
        .is_some_and(|(start, rest)| same_name(start, changed) && (rest.is_empty() || rest.starts_with(['.', ':'])))
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, name, unsupported, problems } = self;
        let name = one_line(name).unwrap_or_default();
        let reasons: Vec<_> = unsupported.iter().cloned().chain(problems.iter().map(ToString::to_string)).collect();
        write!(f, "step {}, {name}, would be rejected: {}", number.saturating_add(1), reasons.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plan::{Current, CurrentGroup, Desired, DesiredGroup, Policy};

    #[test]
    fn what_would_be_rejected_is_said_before_anything_is_sent() {
        let attribute = |name: &str, more: serde_json::Value| {
            let mut attribute = json!({ "name": name, "type": "string" });
            attribute.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            attribute
        };
        let schemas: Schemas = serde_json::from_value(json!([{
            "id": "urn:ietf:params:scim:schemas:core:2.0:User",
            "attributes": [
                attribute("userName", json!({ "required": true })), attribute("title", json!({ "required": true })),
                attribute("badge", json!({ "mutability": "immutable" })), attribute("active", json!({ "type": "boolean" })),
                attribute("kind", json!({ "canonicalValues": ["a", "b"] })),
            ],
        }]))
        .unwrap();
        let current = json!([{ "id": "1", "userName": "ann", "badge": "1", "title": "T" },
                             { "id": "2", "userName": "bob", "title": "T", "kind": "z" }, { "id": "3", "userName": "cy" }]);
        let desired = json!([
            { "userName": "ann", "badge": "2" }, { "userName": "bob", "kind": "z", "active": true },
            { "userName": "dee", "kind": "c" },
        ]);
        let policy = Policy::new(&Profile::standard()).clears(["title"]);
        let current = Current::complete(serde_json::from_value(current).unwrap());
        let plan = policy.plan(&current, &serde_json::from_value::<Vec<_>>(desired).unwrap()).unwrap();
        let rejected = plan.would_be_rejected(&Profile::standard(), &schemas);
        let rejected: Vec<_> = rejected.iter().map(ToString::to_string).collect();
        assert_eq!(
            rejected,
            [
                "step 1, ann, would be rejected: badge is immutable: a server rejects another value than the one that \
                 it has; title is required",
                "step 2, bob, would be rejected: title is required",
                "step 3, dee, would be rejected: kind must be one of a, b; title is required",
            ]
        );
    }

    /// A new group, a renamed one, and the members of both.
    fn plan_of_groups(policy: &Policy, new: &str, renamed: &str) -> Plan {
        let held: ScimGroup =
            serde_json::from_value(json!({ "id": "7", "displayName": "Makers", "externalId": "m" })).unwrap();
        let current = Current::complete(vec![]).with_groups(vec![CurrentGroup::complete(held)]);
        let ann = [Reference::user_name("ann")];
        let groups = vec![
            DesiredGroup::new(new).with_members(ann.clone()),
            DesiredGroup::new(renamed).with_external_id("m").with_members(ann),
        ];
        policy.plan(&current, &Desired::of_users(vec![ScimUser::new("ann")]).with_groups(groups)).unwrap()
    }

    fn reasons(plan: &Plan, profile: &Profile, schemas: &Schemas) -> Vec<(Action, String)> {
        let rejected = plan.would_be_rejected(profile, schemas);
        let reason = |one: &Rejection| one.to_string().split_once("rejected: ").unwrap().1.to_owned();
        rejected.iter().map(|one| (plan.steps[one.number].action, reason(one))).collect()
    }

    #[test]
    fn steps_of_groups_are_checked_with_the_schema_of_groups() {
        let schema = |attributes: serde_json::Value| -> Schemas {
            serde_json::from_value(json!([{ "id": ScimGroup::SCHEMA, "attributes": attributes }])).unwrap()
        };
        let members = |more: serde_json::Value| {
            let mut members = json!({ "name": "members", "type": "complex", "multiValued": true });
            members.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            members
        };
        let name = json!({ "name": "displayName", "type": "string", "required": true, "canonicalValues": ["Makers", "Testers"] });
        let policy = Policy::new(&Profile::standard());
        let standard = Profile::standard();

        let plan = plan_of_groups(&policy, "Testers", "Makers");
        assert_eq!(reasons(&plan, &standard, &schema(json!([name, members(json!({}))]))), []);
        let read_only = schema(json!([name, members(json!({ "mutability": "readOnly" }))]));
        let why = "members is read-only: a server ignores or rejects it".to_owned();
        assert_eq!(reasons(&plan, &standard, &read_only), vec![(Action::AddMembers, why); 2]);

        let plan = plan_of_groups(&policy, "Others", "Fitters");
        let why = "displayName must be one of Makers, Testers".to_owned();
        let rejected = reasons(&plan, &standard, &schema(json!([name, members(json!({}))])));
        assert_eq!(rejected, [(Action::CreateGroup, why.clone()), (Action::RenameGroup, why)]);
        let immutable =
            json!([{ "name": "displayName", "type": "string", "mutability": "immutable" }, members(json!({}))]);
        let why = "displayName is immutable: a server rejects another value than the one that it has".to_owned();
        assert_eq!(reasons(&plan, &standard, &schema(immutable)), [(Action::RenameGroup, why)]);
    }

    #[test]
    fn what_the_profile_does_not_support_is_said_of_every_kind_of_step() {
        let plan = plan_of_groups(&Policy::new(&Profile::standard()), "Testers", "Fitters");
        let rejected = reasons(&plan, &Profile::wats(), &Schemas::default());
        let actions: Vec<_> = rejected.iter().map(|(action, _)| *action).collect();
        assert_eq!(
            actions,
            plan.steps.iter().map(|step| step.action).filter(|action| action.is_of_group()).collect::<Vec<_>>()
        );
        assert!(rejected.iter().all(|(_, why)| why == "a WATS server does not support groups"), "{rejected:?}");
        assert_eq!(reasons(&plan, &Profile::standard(), &Schemas::default()), []);
    }
}
