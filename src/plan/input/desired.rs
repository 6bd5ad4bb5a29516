use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::model::{Origin, Origins, ScimUser};
use crate::plan::Reference;

/// The users and groups that another system wants on the server.
///
/// [`Policy::plan`](crate::plan::Policy::plan) takes it, or a list of users alone. If it was read from a file, the steps
/// of the plan name the rows of the users and groups.
///
/// ```
/// use wats_scim::plan::{Desired, DesiredGroup, Reference};
/// use wats_scim::ScimUser;
///
/// let desired = Desired::of_users(vec![ScimUser::new("ann"), ScimUser::new("bob")])
///     .with_groups(vec![DesiredGroup::new("Testers").with_members([Reference::user_name("ann")])]);
/// assert_eq!((desired.users().len(), desired.groups().map(<[_]>::len)), (2, Some(1)));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Desired {
    users: Vec<ScimUser>,
    groups: Option<Vec<DesiredGroup>>,
    origins: Option<Origins>,
}

/// A group that another system wants on the server. Two groups are equal wherever they were read.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct DesiredGroup {
    /// The name of the group.
    pub display_name: String,
    /// The id assigned by your own system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// Its members; `None` leaves the members unchanged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members: Option<Vec<Reference>>,
    /// The first row of the source that names the group, which its steps name. Not serialized.
    #[serde(skip)]
    pub origin: Option<Origin>,
}

impl Desired {
    /// These users, and no statement about groups.
    #[must_use]
    pub fn of_users(users: Vec<ScimUser>) -> Self {
        Self { users, groups: None, origins: None }
    }

    /// With these groups.
    #[must_use]
    pub fn with_groups(self, groups: Vec<DesiredGroup>) -> Self {
        Self { groups: Some(groups), ..self }
    }

    /// Where the users are from: their rows, in their order.
    pub(crate) fn with_origins(self, origins: Origins) -> Self {
        Self { origins: Some(origins), ..self }
    }

    /// With the file that it was read from.
    pub(crate) fn in_file(mut self, path: &Path) -> Self {
        if let Some(origins) = &mut self.origins {
            origins.file = Some(path.display().to_string());
        }
        self.groups.iter_mut().flatten().for_each(|group| group.put_file(path));
        self
    }

    /// The users.
    #[must_use]
    pub fn users(&self) -> &[ScimUser] {
        &self.users
    }

    /// The groups; `None` if nothing is said about groups.
    #[must_use]
    pub fn groups(&self) -> Option<&[DesiredGroup]> {
        self.groups.as_deref()
    }
}

/// Two directories are equal if they have the same users and groups, wherever they were read.
impl PartialEq for Desired {
    fn eq(&self, other: &Self) -> bool {
        let Self { users, groups, origins: _ } = self;
        (users, groups) == (&other.users, &other.groups)
    }
}

impl PartialEq for DesiredGroup {
    fn eq(&self, other: &Self) -> bool {
        let Self { display_name, external_id, members, origin: _ } = self;
        (display_name, external_id, members) == (&other.display_name, &other.external_id, &other.members)
    }
}

impl DesiredGroup {
    /// A group with this `displayName`, whose members are left unchanged.
    #[must_use]
    pub fn new(display_name: impl Into<String>) -> Self {
        Self { display_name: display_name.into(), ..Self::default() }
    }

    /// Sets the id assigned by your own system, `externalId`.
    #[must_use]
    pub fn with_external_id(self, external_id: impl Into<String>) -> Self {
        Self { external_id: Some(external_id.into()), ..self }
    }

    /// Sets all members, or adds to those that are set.
    #[must_use]
    pub fn with_members(mut self, members: impl IntoIterator<Item = Reference>) -> Self {
        self.members.get_or_insert_default().extend(members);
        self
    }

    /// Sets the row of the source that names the group.
    #[must_use]
    pub fn with_origin(self, origin: Origin) -> Self {
        Self { origin: Some(origin), ..self }
    }

    /// Adds the row of a source, unless one before it names the group.
    pub(crate) fn put_line(&mut self, line: u64) {
        self.origin.get_or_insert_with(|| Origin::row(None, line));
    }

    /// Adds the file of the row.
    pub(crate) fn put_file(&mut self, path: &Path) {
        if let Some(Origin::Row { file, .. }) = &mut self.origin {
            *file = Some(path.display().to_string());
        }
    }
}

/// What a plan can be made of: [`Desired`] users and groups, or a list of users.
pub trait Source: private::Source {}

impl<S: private::Source + ?Sized> Source for S {}

mod private {
    use crate::model::{Origin, ScimUser};
    use crate::plan::{Desired, DesiredGroup};

    pub trait Source {
        fn desired_users(&self) -> &[ScimUser];

        fn desired_groups(&self) -> Option<&[DesiredGroup]> {
            None
        }

        /// The row of the user at this index.
        fn origin(&self, user: usize) -> Option<Origin> {
            let _ = user;
            None
        }
    }

    impl Source for Desired {
        fn desired_users(&self) -> &[ScimUser] {
            self.users()
        }

        fn desired_groups(&self) -> Option<&[DesiredGroup]> {
            self.groups()
        }

        fn origin(&self, user: usize) -> Option<Origin> {
            self.origins.as_ref()?.get(user)
        }
    }

    impl Source for [ScimUser] {
        fn desired_users(&self) -> &[ScimUser] {
            self
        }
    }

    impl Source for Vec<ScimUser> {
        fn desired_users(&self) -> &[ScimUser] {
            self
        }
    }

    impl<const N: usize> Source for [ScimUser; N] {
        fn desired_users(&self) -> &[ScimUser] {
            self
        }
    }
}
