//! What makes the users of a server those of another system: computed first, reviewed, then done.

mod change;
mod current;
mod guard;
mod identifiers;
mod journal;
mod matching;
mod merge;
mod policy;
mod print;
mod recheck;
mod report;
mod unchanged;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::current::CurrentUsers;
pub use self::guard::{Guard, Refusal};
pub use self::journal::Journal;
pub(crate) use self::journal::OpenJournal;
pub use self::policy::{Leavers, Policy};
pub(crate) use self::recheck::Fit;
pub use self::report::{AppliedStep, Outcome, Report};
use crate::model::ScimUser;

/// What makes the users of a server those of another system, step by step.
///
/// [`Policy::plan`] computes it, `Display` prints it for a person to review, serde stores it,
/// and `ScimService::apply` does it. The stored form holds the data of users, and a password that
/// the source gave a new one. Steps may be taken out of a plan before it is applied; each stands
/// for itself.
///
/// ```
/// use wats_scim::{Profile, ScimUser};
/// use wats_scim::plan::{Action, CurrentUsers, Plan, Policy};
///
/// let ann: ScimUser = serde_json::from_str(r#"{"id": "1", "userName": "ann", "active": true}"#)?;
/// let current = CurrentUsers::complete(vec![ann]);
/// let desired = [ScimUser::new("ann"), ScimUser::new("bob")];
/// let plan = Policy::new(&Profile::wats()).plan(&current, &desired)?;
/// assert_eq!((plan.steps.len(), plan.unchanged), (1, 1));
/// assert_eq!(plan.steps[0].action, Action::Create);
/// println!("{plan}");
///
/// let stored = serde_json::to_string(&plan)?;
/// assert_eq!(serde_json::from_str::<Plan>(&stored)?, plan);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Plan {
    /// What is to be done, a step for each user.
    pub steps: Vec<Step>,
    /// Who is left alone because it is not clear what to do.
    pub conflicts: Vec<Conflict>,
    /// What differs and the server has no way to be told, for users without a step.
    pub inexpressible: Vec<Inexpressible>,
    /// How many users are as they should be.
    pub unchanged: usize,
    /// How changes are sent.
    pub(crate) rules: Rules,
}

/// What a step needs to be compared with the server again.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Rules {
    /// The server takes only what WATS takes.
    is_wats: bool,
    /// The attributes that are removed where the source has none.
    clears: Vec<String>,
}

/// What is to be done for one user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Step {
    /// What is done.
    pub action: Action,
    /// The name that the user has on the server, or gets.
    pub user_name: String,
    /// The id on the server; none for a new user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The identifier that the user has in the other system, as far as the server knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// What changes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// What differs too, and the server has no way to be told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
    /// What the user is to have; whatever is not named stays as it is. None for a deletion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub desired: Option<ScimUser>,
}

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Action {
    /// Creates the user.
    Create,
    /// Changes attributes.
    Update,
    /// Gives back the right to sign in, and changes what else differs.
    Reactivate,
    /// Takes away the right to sign in, and changes what else differs.
    Deactivate,
    /// Deletes the user.
    Delete,
}

/// One attribute that changes. `Debug` and `Display` hide the value of a `password`.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Change {
    /// Which attribute, as a PATCH path.
    pub path: String,
    /// What the server had; none if it had nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Value>,
    /// What it is to have; none if nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Value>,
}

/// Users that are left alone because it is not clear what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Conflict {
    /// The name of the user in the source, or its external id where it has no name.
    pub user: String,
    /// Why, in words.
    pub reason: String,
}

/// What a user should have, and the server has no way to be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Inexpressible {
    /// The name of the user on the server.
    pub user_name: String,
    /// What, such as `levels: removing Level 1`.
    pub left_out: Vec<String>,
}

impl Plan {
    /// Whether there is nothing to do. There may be conflicts all the same.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// How many steps do this.
    #[must_use]
    pub fn count(&self, action: Action) -> usize {
        self.steps.iter().filter(|step| step.action == action).count()
    }
}
