//! What the server would reject of a plan, by its schemas, before anything is sent.

use std::fmt;

use serde::Serialize;
use wats_scim_filter::json::same_name;

use crate::error::one_line;
use crate::model::{SchemaProblem, Schemas, ScimUser};
use crate::plan::{Action, Plan, Step};

/// A step that the server would reject, or of which it would ignore a part; from [`Plan::would_be_rejected`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Rejection {
    /// The index of the step in the plan, from 0.
    pub number: usize,
    /// The user name.
    pub name: String,
    /// The problems, without values.
    pub problems: Vec<SchemaProblem>,
}

impl Plan {
    /// Checks the steps with the schemas of the server, and returns those that it would reject, or of which it
    /// would ignore a part. No request is sent. See [`Schemas::check`] for what is checked; of a change, the
    /// attributes that change are.
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
    /// let rejected = plan.would_be_rejected(&schemas);
    /// assert_eq!(rejected[0].to_string(), "step 1, ann, would be rejected: title is required");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn would_be_rejected(&self, schemas: &Schemas) -> Vec<Rejection> {
        let rejection = |(number, step): (usize, &Step)| {
            let problems = step.problems(schemas);
            (!problems.is_empty()).then(|| Rejection { number, name: step.name.clone(), problems })
        };
        self.steps.iter().enumerate().filter_map(rejection).collect()
    }
}

impl Step {
    fn problems(&self, schemas: &Schemas) -> Vec<SchemaProblem> {
        let Some(desired) = &self.desired else { return Vec::new() };
        if self.action == Action::Create {
            return schemas.check(desired).unwrap_or_default();
        }
        // Only what exists can have an immutable attribute.
        let desired = ScimUser { id: self.id.clone(), ..desired.clone() };
        let mut problems = schemas.check(&desired).unwrap_or_default();
        problems.retain(|problem| self.changes.iter().any(|change| concerns(&change.path, &problem.path)));
        problems
    }
}

/// Whether a problem is about a changed attribute or a part of it.
fn concerns(changed: &str, problem: &str) -> bool {
    problem
        .split_at_checked(changed.len())
        .is_some_and(|(start, rest)| same_name(start, changed) && (rest.is_empty() || rest.starts_with(['.', ':'])))
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, name, problems } = self;
        let name = one_line(name).unwrap_or_default();
        write!(f, "step {}, {name}, would be rejected: ", number.saturating_add(1))?;
        for (number, problem) in problems.iter().enumerate() {
            write!(f, "{}{problem}", if number > 0 { "; " } else { "" })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::Profile;
    use crate::plan::{Current, Policy};

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
        let rejected: Vec<_> = plan.would_be_rejected(&schemas).iter().map(ToString::to_string).collect();
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
}
