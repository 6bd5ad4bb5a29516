use std::collections::HashSet;
use std::path::Path;

use serde::{Deserialize, Serialize};
use wats_scim_filter::json::text_key;

use crate::model::{Origin, Origins, Resource as _, ScimUser};
use crate::plan::{Kind, Reference};

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
    left_out: Vec<LeftOut>,
}

/// A row of a source that is bad, and was left out. A plan leaves its user on the server unchanged; if it is not
/// known who that is, no user counts as missing from the source.
///
/// See [`ImportError::without_bad_rows`](crate::import::ImportError::without_bad_rows).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeftOut {
    /// The line on which the row begins, from 1.
    pub line: u64,
    /// What is wrong with it, without its values.
    pub reason: String,
    /// Its `userName`, if it can be read.
    pub user_name: Option<String>,
    /// Its `externalId`, if it can be read.
    pub external_id: Option<String>,
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
    /// Whether the members are users alone, and groups in the group stay: a source such as CSV, of which each row is a
    /// user, cannot name them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keeps_groups: bool,
    /// The first row of the source that names the group, which its steps name. Not serialized.
    #[serde(skip)]
    pub origin: Option<Origin>,
}

impl Desired {
    /// These users, and no statement about groups.
    #[must_use]
    pub fn of_users(users: Vec<ScimUser>) -> Self {
        Self { users, ..Self::default() }
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

    /// Without the rows that are bad, and without those that contradict one of them.
    pub(crate) fn without_rows(mut self, left_out: Vec<LeftOut>) -> Self {
        let names: HashSet<_> = left_out.iter().filter_map(LeftOut::name_key).collect();
        let ids: HashSet<_> = left_out.iter().filter_map(|row| row.external_id.as_deref()).collect();
        let is_named = |name: &str| names.contains(&*text_key(name));
        let contradicts = |user: &ScimUser| {
            user.user_name.as_deref().is_some_and(is_named) || user.external_id().is_some_and(|id| ids.contains(id))
        };
        let mut all = Vec::new();
        let mut lines = Vec::new();
        for (at, user) in std::mem::take(&mut self.users).into_iter().enumerate() {
            let line = self.origins.as_ref().and_then(|origins| origins.lines.get(at).copied()).unwrap_or_default();
            if contradicts(&user) {
                all.push(LeftOut {
                    line,
                    reason: "another row with its userName or externalId is bad".to_owned(),
                    user_name: user.user_name,
                    external_id: user.external_id,
                });
            } else {
                self.users.push(user);
                lines.push(line);
            }
        }
        if let Some(origins) = &mut self.origins {
            origins.lines = lines;
        }
        for group in self.groups.iter_mut().flatten() {
            let is_left = |member: &Reference| {
                member.name.as_deref().is_some_and(is_named)
                    || member.external_id.as_deref().is_some_and(|id| ids.contains(id))
            };
            if let Some(members) = &mut group.members {
                members.retain(|member| member.kind == Kind::Group || !is_left(member));
            }
        }
        all.extend(left_out);
        all.sort_by_key(|row| row.line);
        Self { left_out: all, ..self }
    }

    /// Names the file that it was read from, in the origin of the steps of a plan.
    #[must_use]
    pub fn in_file(mut self, path: impl AsRef<Path>) -> Self {
        let path = path.as_ref();
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

    /// The rows that were left out, in the order of their lines.
    #[must_use]
    pub fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }

    /// The groups; `None` if nothing is said about groups.
    #[must_use]
    pub fn groups(&self) -> Option<&[DesiredGroup]> {
        self.groups.as_deref()
    }
}

impl LeftOut {
    /// Its `userName` in the form in which names are compared.
    fn name_key(&self) -> Option<String> {
        self.user_name.as_deref().map(|name| text_key(name).into_owned())
    }
}

/// Two directories are equal if they have the same users and groups, wherever they were read.
impl PartialEq for Desired {
    fn eq(&self, other: &Self) -> bool {
        let Self { users, groups, origins: _, left_out } = self;
        (users, groups, left_out) == (&other.users, &other.groups, &other.left_out)
    }
}

impl PartialEq for DesiredGroup {
    fn eq(&self, other: &Self) -> bool {
        let Self { display_name, external_id, members, keeps_groups, origin: _ } = self;
        (display_name, external_id) == (&other.display_name, &other.external_id)
            && (members, keeps_groups) == (&other.members, &other.keeps_groups)
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

    /// Leaves the groups that the group has as members in it, although the source does not name them.
    #[must_use]
    pub fn keeping_groups(self) -> Self {
        Self { keeps_groups: true, ..self }
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
    use crate::plan::{Desired, DesiredGroup, LeftOut};

    pub trait Source {
        fn desired_users(&self) -> &[ScimUser];

        fn desired_groups(&self) -> Option<&[DesiredGroup]> {
            None
        }

        fn left_out(&self) -> &[LeftOut] {
            &[]
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

        fn left_out(&self) -> &[LeftOut] {
            &self.left_out
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
