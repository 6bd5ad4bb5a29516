use serde::{Deserialize, Serialize};

use crate::model::{Resource, ScimUser};
use crate::plan::Reference;

/// Users that are left unchanged because the plan cannot decide about them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Conflict {
    /// The kind of conflict.
    pub kind: ConflictKind,
    /// The user name in the source, or the external id if it has no name.
    pub user: String,
    /// The reason, and what to do.
    pub reason: String,
    /// The user on the server with which it is in conflict, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Reference>,
}

/// The kind of a [`Conflict`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum ConflictKind {
    /// An undo: the server does not hold what was written any more, or may not.
    Changed,
    /// The user of the source has no valid name.
    InvalidName,
    /// Several users of the source are the same user.
    TwiceInSource,
    /// Several users of the server have the `externalId` or the name of the user.
    TwiceOnServer,
    /// Another user of the server has the `userName`, and this plan does not take it away.
    NameTaken,
    /// A user of the server has the `userName` and another `externalId`. It can be another person, or the same
    /// one with a new `externalId`.
    OtherExternalId,
    /// An inactive user of the server has the `userName` and another `externalId`.
    InactiveHolder,
    /// A user of the server has the email address, and neither the `externalId` nor the `userName`.
    SameEmail,
    /// The user would be deactivated or renamed, and is outside [`Policy::ours`](crate::plan::Policy::ours) or
    /// [`Policy::scope`](crate::plan::Policy::scope).
    Outside,
    /// The server has no such user, and [`Policy::joiners`](crate::plan::Policy::joiners) is to report new users.
    NotOnServer,
    /// The attributes of the user cannot be compared.
    NotComparable,
    /// The manager of the user cannot be found.
    Manager,
    /// The row of the user in the source is bad, and was [left out](crate::plan::LeftOut).
    BadRow,
    /// A group cannot be matched, or its members are not known.
    Group,
    /// Steps that need each other, such as two new users that are each other's manager.
    Cycle,
}

/// Why a user outside is not deactivated or renamed.
pub(in crate::plan) const OUTSIDE: &str = "the policy neither deactivates nor renames a user that the source does not own \
                                           (ours, scope, concerning); set the externalId of that user, or widen the \
                                           policy";

impl Conflict {
    pub(crate) fn new(kind: ConflictKind, user: &str, reason: &str) -> Self {
        Self { kind, user: user.to_owned(), reason: reason.to_owned(), held: None }
    }
}

/// A reference to a user of the server.
pub(in crate::plan) fn reference(held: &ScimUser) -> Reference {
    Reference {
        id: held.id.clone(),
        external_id: held.external_id().map(ToOwned::to_owned),
        name: held.user_name.clone(),
        ..Reference::default()
    }
}
