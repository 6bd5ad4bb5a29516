//! Plans: synchronise the users of a server with another system. A plan is computed, reviewed, then
//! applied.

mod apply;
mod draft;
mod groups;
mod guard;
mod identity;
mod input;
mod journal;
mod planning;
mod policy;
mod provenance;
mod review;
mod stored;
mod undo;
mod values;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(crate) use self::apply::ends::{Ends, Readiness};
pub(crate) use self::apply::recheck::Fit;
pub use self::apply::report::{AppliedStep, Outcome, Report};
pub(crate) use self::groups::MEMBERS_IN_A_REQUEST;
pub(crate) use self::groups::fit::{additions, lost, removals};
pub(crate) use self::groups::shown::GroupsOfUsers;
pub use self::guard::allowance::Allowance;
pub use self::guard::{Guard, Refusal};
pub use self::identity::conflict::{Conflict, ConflictKind};
pub use self::identity::ours::Ours;
pub use self::input::current::{Current, CurrentGroup};
pub use self::input::desired::{Desired, DesiredGroup, LeftOut, Source};
pub use self::input::reference::{Kind, Reference};
pub(crate) use self::journal::OpenJournal;
pub use self::journal::file::StepState;
pub use self::journal::not_kept::NotKept;
pub use self::journal::written::Written;
pub use self::journal::{Journal, JournalStep};
pub use self::policy::{Joiners, Leavers, Policy};
pub(crate) use self::provenance::Accepted;
pub use self::provenance::Inapplicable;
pub use self::review::diff::PlanDiff;
pub use self::review::explain::{Explanation, Finding};
pub use self::review::markdown::Markdown;
pub use self::review::rejections::Rejection;
pub use self::review::requests::PlannedRequest;
pub use self::review::without_values::PlanWithoutValues;
pub use self::values::attributes::{Empty, Write};
pub use self::values::mapping::{Derived, Mapping};
#[cfg(feature = "csv")]
pub(crate) use self::values::merge::is_met;
pub use crate::model::Origin;
use crate::model::ScimUser;

/// The steps that synchronise the users of a server with another system.
///
/// [`Policy::plan`] computes it, `Display` prints it for review, serde stores it, and
/// `ScimService::apply` applies it. The stored form contains personal data, but no passwords unless
/// [`allow_passwords`](Self::allow_passwords) is called. It names its format, and has the counts of its
/// steps and its [digest](Self::digest); `docs/plan.schema.json` is its JSON schema. A file in which these do
/// not agree cannot be read, nor one in which the action, the changes and the desired user of a step do not.
///
/// [`only`](Self::only) and [`for_user`](Self::for_user) leave steps out. A step that needs one of them is then
/// [blocked](Outcome::Blocked).
///
/// ```
/// use wats_scim::{Profile, ScimUser};
/// use wats_scim::plan::{Action, Current, Plan, Policy};
///
/// let ann: ScimUser = serde_json::from_str(r#"{"id": "1", "userName": "ann", "active": true}"#)?;
/// let current = Current::complete(vec![ann]);
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
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "stored::StoredPlan")]
#[non_exhaustive]
pub struct Plan {
    /// The address of the server that the plan is for, if it is known. It is applied to no other one.
    pub server: Option<String>,
    /// When the plan was made, by the clock of the local machine. Serialized in RFC 3339.
    pub made_at: Option<DateTime<Utc>>,
    /// The program or the person that made the plan, from [`with_made_by`](Self::with_made_by).
    pub made_by: Option<String>,
    /// The policy by which the plan was made, as JSON.
    pub policy: Option<Value>,
    /// Random text, so that values cannot be guessed from the digest.
    pub(crate) salt: Option<String>,
    /// The steps, one for each user that changes.
    pub steps: Vec<Step>,
    /// Users that are left unchanged because the plan cannot decide about them.
    pub conflicts: Vec<Conflict>,
    /// Differences that cannot be expressed in a request to the server, for users without a step.
    pub inexpressible: Vec<Inexpressible>,
    /// How many users are up to date.
    pub unchanged: usize,
    /// How changes are sent.
    pub(crate) rules: Rules,
    /// Whether the stored form has passwords.
    pub(crate) stores_passwords: bool,
}

/// The settings with which a step is checked again when it is applied.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Rules {
    /// The server accepts only the patches of WATS.
    is_wats: bool,
    /// Attributes that are cleared if they are missing from the source.
    clears: Vec<String>,
}

/// The change of one user or group.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Step {
    /// The kind of change.
    pub action: Action,
    /// The `userName` of the user, or the `displayName` of the group: the current one, or that of a new one.
    pub name: String,
    /// The id on the server; `None` for a new user or group.
    #[serde(default)]
    pub id: Option<String>,
    /// The `externalId` on the server, if there is one.
    #[serde(default)]
    pub external_id: Option<String>,
    /// The version on the server when the plan was made, if resources have versions there.
    #[serde(default)]
    pub version: Option<String>,
    /// The reason for the step.
    #[serde(default)]
    pub cause: Cause,
    /// The row of the source, or the resource, that is the reason for the step, if it is known.
    #[serde(default)]
    pub origin: Option<Origin>,
    /// The attributes that change.
    #[serde(default)]
    pub changes: Vec<Change>,
    /// Other differences, which cannot be expressed in a request to the server.
    #[serde(default)]
    pub left_out: Vec<String>,
    /// The desired user; attributes that it does not have are left unchanged. `None` for a deletion, and for
    /// a step of a group.
    #[serde(default)]
    pub desired: Option<ScimUser>,
    /// The names of the attributes with passwords that the stored plan left out. The step cannot be applied
    /// until they are set; see [`Plan::with_passwords`].
    #[serde(default)]
    pub left_out_secrets: Vec<String>,
    /// The members that are added to the group or removed from it.
    #[serde(default)]
    pub members: Vec<Reference>,
}

/// The reason for a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Cause {
    /// The source has other values than the server.
    #[default]
    Source,
    /// The source does not have what the server has.
    Missing,
    /// A setting of the policy, and no value of the source.
    Policy,
}

/// The kind of change of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Action {
    /// Creates the user.
    Create,
    /// Changes attributes.
    Update,
    /// Gives a user that has no `externalId` that of the source, and changes other attributes that differ: from
    /// now on the source owns it.
    Adopt,
    /// Gives the user a temporary name, so that another user can get its name. It gets its own in a later step.
    FreeName,
    /// Reactivates the user, and changes other attributes that differ.
    Reactivate,
    /// Deactivates the user, and changes other attributes that differ.
    Deactivate,
    /// Deletes the user.
    Delete,
    /// Creates the group, without members.
    CreateGroup,
    /// Changes the name of the group, or its `externalId`.
    RenameGroup,
    /// Adds members to the group.
    AddMembers,
    /// Removes members from the group.
    RemoveMembers,
    /// Deletes the group.
    DeleteGroup,
}

impl Action {
    /// Whether the step is about a group.
    #[must_use]
    pub fn is_of_group(self) -> bool {
        match self {
            Self::Create
            | Self::Update
            | Self::Adopt
            | Self::FreeName
            | Self::Reactivate
            | Self::Deactivate
            | Self::Delete => false,
            Self::CreateGroup | Self::RenameGroup | Self::AddMembers | Self::RemoveMembers | Self::DeleteGroup => true,
        }
    }
}

/// One attribute that changes. `Debug` and `Display` hide the value of a `password`.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Change {
    /// The attribute, as a PATCH path.
    pub path: String,
    /// The value on the server; `None` if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Value>,
    /// The new value; `None` if the attribute is cleared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Value>,
}

/// A difference that cannot be expressed in a request to the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Inexpressible {
    /// The user name on the server.
    pub user_name: String,
    /// The difference, such as `levels: removing Level 1`.
    pub left_out: Vec<String>,
}

impl Plan {
    /// Whether the plan has no steps. It may still have conflicts.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// How many steps are of this kind.
    #[must_use]
    pub fn count(&self, action: Action) -> usize {
        self.steps.iter().filter(|step| step.action == action).count()
    }
}
