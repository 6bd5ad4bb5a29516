//! Plans: synchronise the users of a server with another system. A plan is computed, reviewed, then
//! applied.

mod attributes;
mod by_email;
mod chains;
mod change;
mod check;
mod conflict;
mod current;
mod desired;
mod draft;
mod ends;
mod group_fit;
mod group_matching;
mod groups;
mod guard;
mod identifiers;
mod journal;
mod journal_file;
mod json;
mod limits;
mod manager;
mod mapping;
mod matching;
mod members;
mod merge;
mod not_kept;
mod order;
mod ours;
mod passed_on;
mod people;
mod planning;
mod policy;
mod print;
mod provenance;
mod recheck;
mod reference;
mod report;
mod tally;
mod unchanged;
mod undo;
mod written;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::attributes::{Empty, Write};
pub use self::conflict::{Conflict, ConflictKind};
pub use self::current::{Current, CurrentGroup};
pub use self::desired::{Desired, DesiredGroup, Source};
pub(crate) use self::ends::{Ends, Readiness};
pub(crate) use self::group_fit::additions;
pub(crate) use self::groups::MEMBERS_IN_A_REQUEST;
pub use self::guard::{Guard, Refusal};
pub(crate) use self::journal::OpenJournal;
pub use self::journal::{Journal, JournalStep};
pub use self::journal_file::StepState;
pub use self::mapping::{Derived, Mapping};
pub use self::not_kept::NotKept;
pub use self::ours::Ours;
pub use self::policy::{Joiners, Leavers, Policy};
pub(crate) use self::provenance::Accepted;
pub(crate) use self::recheck::Fit;
pub use self::reference::{Kind, Reference};
pub use self::report::{AppliedStep, Outcome, Report};
pub use self::written::Written;
use crate::model::ScimUser;

/// The steps that synchronise the users of a server with another system.
///
/// [`Policy::plan`] computes it, `Display` prints it for review, serde stores it, and
/// `ScimService::apply` applies it. The stored form contains personal data, and the passwords that the
/// source gives new users. Steps are independent: you can remove some before you apply the plan. A plan
/// in which the action, the changes and the desired user of a step do not agree cannot be read, and such
/// a step is not applied.
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
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", try_from = "check::StoredPlan")]
#[non_exhaustive]
pub struct Plan {
    /// The address of the server that the plan is for, if it is known. It is applied to no other one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// When the plan was made, by the clock of the local machine. Serialized in RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "provenance::time")]
    pub made_at: Option<DateTime<Utc>>,
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Step {
    /// The kind of change.
    pub action: Action,
    /// The `userName` of the user, or the `displayName` of the group: the current one, or that of a new one.
    pub name: String,
    /// The id on the server; `None` for a new user or group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The `externalId` on the server, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// The version on the server when the plan was made, if resources have versions there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The attributes that change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// Other differences, which cannot be expressed in a request to the server.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
    /// The desired user; attributes that it does not have are left unchanged. `None` for a deletion, and for
    /// a step of a group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub desired: Option<ScimUser>,
    /// The members that are added to the group or removed from it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<Reference>,
}

/// The kind of change of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
