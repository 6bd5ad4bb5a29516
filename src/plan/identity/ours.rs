//! Who is ours: the users that a policy may ever deactivate, delete or rename.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use wats_scim_filter::Filter;
use wats_scim_filter::json::text_key;

use crate::model::{Resource, ScimGroup, ScimUser, object};
use crate::plan::identity::matching::name_of;

/// The users of a server that the source owns. A policy deactivates, deletes and renames no others.
///
/// A user without an `externalId` was usually made by hand, or by another program. The source takes it over
/// with a step [`Adopt`](crate::plan::Action::Adopt).
///
/// ```
/// use wats_scim::{Profile, ScimUser};
/// use wats_scim::plan::{Current, Ours, Policy};
///
/// let by_hand = ScimUser::new("ann").with_active(true);
/// let current = Current::complete(vec![by_hand, ScimUser::new("bob").with_external_id("hr-7").with_active(true)]);
/// let source = [ScimUser::new("cy").with_external_id("hr-8")];
/// let steps = |ours| {
///     let policy = Policy::new(&Profile::standard()).ours(ours);
///     policy.plan(&current, &source).map(|plan| plan.steps.len())
/// };
/// assert_eq!(steps(Ours::WithExternalId)?, 2, "cy is created, and bob is deactivated");
/// assert_eq!(steps(Ours::WithPrefix("crm-".into()))?, 1);
/// assert_eq!(steps(Ours::Everybody)?, 3);
/// # Ok::<(), wats_scim::plan::Refusal>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Ours {
    /// Users with an `externalId`.
    #[default]
    WithExternalId,
    /// Users with an `externalId` that begins with this text.
    WithPrefix(String),
    /// All users, including those that were made by hand.
    Everybody,
}

impl Ours {
    fn includes<T: Resource>(&self, resource: &T) -> bool {
        match self {
            Self::WithExternalId => resource.external_id().is_some(),
            Self::WithPrefix(prefix) => resource.external_id().is_some_and(|id| id.starts_with(prefix)),
            Self::Everybody => true,
        }
    }
}

/// What a policy may do to a user of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::plan) enum Standing {
    /// Everything.
    Ours,
    /// Change attributes, and adopt it.
    Outside,
    /// Nothing.
    Protected,
}

/// The limits of what a policy may touch.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(in crate::plan) struct Bounds {
    pub(in crate::plan) ours: Ours,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_text", deserialize_with = "from_text")]
    pub(in crate::plan) scope: Option<Filter>,
    /// Names in the form in which they are compared.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", deserialize_with = "names")]
    pub(in crate::plan) protected: BTreeSet<String>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub(in crate::plan) protected_ids: BTreeSet<String>,
    #[serde(skip_serializing_if = "Option::is_none", skip_deserializing, serialize_with = "reject_closure")]
    pub(in crate::plan) concerns: Option<Concerns>,
}

type Concerns = Arc<dyn Fn(&ScimUser) -> bool + Send + Sync>;

impl Bounds {
    pub(in crate::plan) fn standing(&self, user: &ScimUser, account: Option<&str>) -> Standing {
        let is_account = || account.is_some_and(|account| name_of(user).is_some_and(|name| name == account));
        if self.protects(user, || name_of(user).map(std::borrow::Cow::into_owned)) || is_account() {
            Standing::Protected
        } else if self.includes(user) {
            Standing::Ours
        } else {
            Standing::Outside
        }
    }

    /// Whether a group may be deleted, or removed from another one, unless it is protected.
    pub(in crate::plan) fn owns_group(&self, group: &ScimGroup) -> bool {
        self.ours.includes(group)
    }

    pub(in crate::plan) fn protects_group(&self, group: &ScimGroup) -> bool {
        self.protects(group, || group.display_name.as_deref().map(|name| text_key(name).into_owned()))
    }

    pub(in crate::plan) fn protects_name(&self, name: &str) -> bool {
        !self.protected.is_empty() && self.protected.contains(&*text_key(name))
    }

    fn protects<T: Resource>(&self, resource: &T, name: impl Fn() -> Option<String>) -> bool {
        let has = |id: Option<&str>| id.is_some_and(|id| self.protected_ids.contains(id));
        let has_id = !self.protected_ids.is_empty() && (has(resource.id()) || has(resource.external_id()));
        has_id || (!self.protected.is_empty() && name().is_some_and(|name| self.protected.contains(&name)))
    }

    fn includes(&self, user: &ScimUser) -> bool {
        // A user that cannot be written as JSON does not match.
        let matches = |scope: &Filter| object(user).is_ok_and(|user| scope.matches(&user.into()));
        self.ours.includes(user)
            && self.concerns.as_ref().is_none_or(|concerns| concerns(user))
            && self.scope.as_ref().is_none_or(matches)
    }
}

impl fmt::Debug for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ours, scope, protected, protected_ids, concerns: _ } = self;
        f.debug_struct("Bounds")
            .field("ours", ours)
            .field("scope", scope)
            .field("protected", protected)
            .field("protected_ids", protected_ids)
            .finish_non_exhaustive()
    }
}

#[allow(clippy::ref_option, reason = "the signature of serde")]
fn as_text<S: Serializer>(filter: &Option<Filter>, serializer: S) -> Result<S::Ok, S::Error> {
    filter.as_ref().map(Filter::to_string).serialize(serializer)
}

fn from_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Filter>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| text.parse().map_err(|error| D::Error::custom(format!("the scope is no filter: {error}"))))
        .transpose()
}

#[allow(clippy::ref_option, reason = "the signature of serde")]
fn reject_closure<S: Serializer>(_: &Option<Concerns>, _: S) -> Result<S::Ok, S::Error> {
    Err(S::Error::custom("Policy::concerning has a closure, which cannot be stored; use Policy::scope"))
}

/// Names in any form, as they are compared.
pub(in crate::plan) fn names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeSet<String>, D::Error> {
    Ok(keys(Vec::<String>::deserialize(deserializer)?))
}

pub(in crate::plan) fn keys<N: AsRef<str>>(names: impl IntoIterator<Item = N>) -> BTreeSet<String> {
    names.into_iter().map(|name| text_key(name.as_ref()).into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::config::Profile;
    use crate::plan::{Action, ConflictKind, Current, Leavers, Plan, Policy};

    fn users(users: Value) -> Vec<ScimUser> {
        serde_json::from_value(users).unwrap()
    }

    fn current() -> Current {
        Current::complete(users(json!([
            { "id": "1", "userName": "hand", "active": true },
            { "id": "2", "userName": "ours", "externalId": "hr-2", "active": true, "title": "T" },
            { "id": "3", "userName": "crm", "externalId": "crm-3", "active": true },
            { "id": "4", "userName": "stays", "externalId": "hr-4", "active": true },
        ])))
    }

    fn done(plan: &Plan) -> Vec<(Action, &str)> {
        plan.steps.iter().map(|step| (step.action, &*step.name)).collect()
    }

    fn policy() -> Policy {
        Policy::new(&Profile::standard())
    }

    #[test]
    fn only_users_of_the_source_are_leavers() {
        let stays = users(json!([{ "userName": "stays", "externalId": "hr-4" }]));
        for leavers in [Leavers::Deactivate, Leavers::Delete] {
            for (ours, left) in [
                (Ours::WithExternalId, &["ours", "crm"][..]),
                (Ours::WithPrefix("hr-".into()), &["ours"]),
                (Ours::Everybody, &["hand", "ours", "crm"]),
            ] {
                let plan = policy().leavers(leavers).ours(ours).plan(&current(), &stays).unwrap();
                assert_eq!(plan.steps.iter().map(|step| &*step.name).collect::<Vec<_>>(), left);
                assert!(plan.steps.iter().all(|step| matches!(step.action, Action::Deactivate | Action::Delete)));
            }
        }
    }

    #[test]
    fn the_scope_and_the_protected_narrow_it() {
        let stays = users(json!([{ "userName": "stays", "externalId": "hr-4" }]));
        let left = |policy: Policy| {
            let plan = policy.plan(&current(), &stays).unwrap();
            plan.steps.iter().map(|step| step.name.clone()).collect::<Vec<_>>()
        };
        assert_eq!(left(policy().scope(r#"title eq "t""#.parse().unwrap())), ["ours"]);
        assert_eq!(left(policy().concerning(|user| user.user_name.as_deref() == Some("crm"))), ["crm"]);
        assert_eq!(left(policy().protect(["CRM"])), ["ours"]);
        assert_eq!(left(policy().protect_ids(["2"])), ["crm"]);
        assert_eq!(left(policy().protect_ids(["crm-3"])), ["ours"]);
        assert!(policy().is_ours(&current().users()[1]) && !policy().protect(["ours"]).is_ours(&current().users()[1]));
    }

    #[test]
    fn a_protected_user_is_not_created_either() {
        let new = users(json!([{ "userName": "Admin" }, { "userName": "new", "externalId": "9" }]));
        let keep = policy().leavers(Leavers::Keep);
        assert_eq!(keep.plan(&current(), &new).unwrap().steps.len(), 2);
        assert!(keep.protect(["admin"]).protect_ids(["9"]).plan(&current(), &new).unwrap().is_empty());
    }

    #[test]
    fn the_account_of_the_credentials_is_never_touched() {
        let current = current().of_account("OURS");
        let plan = policy().plan(&current, &users(json!([{ "userName": "stays", "externalId": "hr-4" }]))).unwrap();
        assert_eq!(done(&plan), [(Action::Deactivate, "crm")]);
        let plan = policy().plan(&current, &users(json!([{ "userName": "new", "externalId": "hr-2" }]))).unwrap();
        assert!(plan.steps.iter().all(|step| step.name != "ours"), "{plan}");
    }

    #[test]
    fn a_match_with_a_user_outside_is_an_adoption_and_no_leaver() {
        let source = users(json!([{ "userName": "Hand", "externalId": "hr-1", "title": "Dr" }]));
        let plan =
            policy().ours(Ours::WithPrefix("hr-".into())).leavers(Leavers::Keep).plan(&current(), &source).unwrap();
        assert_eq!(done(&plan), [(Action::Adopt, "hand")]);
        let stored = serde_json::to_value(&plan).unwrap();
        assert_eq!(stored["steps"][0]["action"], "adopt");
        assert_eq!(serde_json::from_value::<Plan>(stored).unwrap(), plan);
    }

    #[test]
    fn a_user_outside_is_neither_deactivated_nor_renamed() {
        for source in [
            json!([{ "userName": "hand", "externalId": "hr-1", "active": false }]),
            json!([{ "userName": "hand", "active": false }]),
            json!([{ "userName": "renamed", "externalId": "crm-3" }]),
        ] {
            let policy = |ours| policy().ours(ours).leavers(Leavers::Keep);
            let plan = policy(Ours::WithPrefix("hr-".into())).plan(&current(), &users(source.clone())).unwrap();
            assert!(plan.is_empty(), "{source}: {plan}");
            assert_eq!((plan.conflicts.len(), plan.conflicts[0].kind), (1, ConflictKind::Outside));
            assert!(plan.conflicts[0].reason.contains("does not own (ours"), "{plan}");
            assert_eq!(policy(Ours::Everybody).plan(&current(), &users(source)).unwrap().steps.len(), 1);
        }
    }

    #[test]
    fn wats_cannot_store_the_external_id_and_its_users_made_by_hand_are_no_leavers() {
        let policy = Policy::new(&Profile::wats());
        let source = users(json!([
            { "userName": "hand", "externalId": "hr-1", "name": { "familyName": "Doe" } },
            { "userName": "ours", "externalId": "hr-2" },
            { "userName": "crm", "externalId": "crm-3" },
            { "userName": "stays", "externalId": "hr-4" },
        ]));
        let mut held = current().users().to_vec();
        held[0].name = Some(crate::model::ScimUserName::new("", "Roe"));
        let plan = policy.plan(&Current::complete(held.clone()), &source).unwrap();
        assert_eq!(done(&plan), [(Action::Update, "hand")]);
        assert_eq!(plan.steps[0].left_out, ["externalId: setting it"]);

        held[0].name = source[0].name.clone();
        let next = policy.plan(&Current::complete(held.clone()), &source).unwrap();
        assert_eq!((next.steps.len(), next.inexpressible.len()), (0, 1), "{next}");
        let gone = policy.plan(&Current::complete(held), &source[1..]).unwrap();
        assert!(gone.is_empty() && gone.conflicts.is_empty(), "{gone}");
    }
}
