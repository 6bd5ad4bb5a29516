use std::io::Read;
use std::path::Path;

use super::groups::{NamedGroups, add_member};
use super::read_file;
use super::table::Table;
use crate::import::error::ImportError;
use crate::import::rows::{Rows, identifier_problems};
use crate::plan::{DesiredGroup, Reference};

/// Reads the members of groups from CSV: one membership per row. All groups, or an error with the line of
/// every bad row.
///
/// | column | value |
/// |---|---|
/// | `group` | the name of the group; required |
/// | `userName`, `externalId` | the member; if a row has both, the `externalId` decides |
/// | `memberGroup` | the name of a group that is a member |
///
/// A row without a member names a group that may have no members. Otherwise the file is read as by
/// [`UserCsv`](super::UserCsv).
///
/// ```
/// use wats_scim::ScimUser;
/// use wats_scim::import::MembershipCsv;
/// use wats_scim::plan::Desired;
///
/// let file = "group,Personnel number\nTesters,4711\nTesters,4712\nMakers,\n";
/// let groups = MembershipCsv::new().column("Personnel number", "externalId").read(file.as_bytes())?;
/// assert_eq!(groups[0].members.as_ref().map(Vec::len), Some(2));
/// assert_eq!(groups[1].members.as_ref().map(Vec::len), Some(0));
/// let users = vec![ScimUser::new("ann").with_external_id("4711"), ScimUser::new("bob").with_external_id("4712")];
/// let directory = Desired::of_users(users).with_groups(groups);
/// # let _ = directory;
/// # Ok::<(), wats_scim::import::ImportError>(())
/// ```
#[derive(Clone, Debug)]
pub struct MembershipCsv {
    table: Table,
}

impl Default for MembershipCsv {
    fn default() -> Self {
        Self { table: Table::of("MembershipCsv") }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Column {
    Group,
    UserName,
    ExternalId,
    MemberGroup,
}

const COLUMNS: [(&str, Column); 4] = [
    ("group", Column::Group),
    ("userName", Column::UserName),
    ("externalId", Column::ExternalId),
    ("memberGroup", Column::MemberGroup),
];

impl MembershipCsv {
    /// Creates a reader with the delimiter `,` that rejects unknown columns.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the delimiter, an ASCII character except a quote or a line break. `,` by default.
    #[must_use]
    pub fn delimiter(mut self, delimiter: u8) -> Self {
        self.table.delimiter = delimiter;
        self
    }

    /// Maps the column `name`, in any letter case, to one of the columns above.
    #[must_use]
    pub fn column(mut self, name: impl Into<String>, column: impl Into<String>) -> Self {
        self.table.columns.push((name.into(), column.into()));
        self
    }

    /// Ignores unknown columns. By default they are an error.
    #[must_use]
    pub fn allow_other_columns(mut self) -> Self {
        self.table.allows_other_columns = true;
        self
    }

    /// Reads groups from CSV, in the order in which rows name them first.
    ///
    /// # Errors
    ///
    /// An [`ImportError`] with the bad rows, or without rows if the header has no column `group` or none of
    /// a member, has an unknown column or one twice, or after an I/O error.
    pub fn read(&self, input: impl Read) -> Result<Vec<DesiredGroup>, ImportError> {
        let (mut groups, mut rows) = (NamedGroups::default(), Rows::default());
        self.table.read(
            input,
            |header| self.columns(header),
            |columns, line, cells| {
                let added = cells.and_then(|cells| {
                    let cell = |column: Column| {
                        let (index, _) = columns.iter().find(|(_, known)| *known == column)?;
                        cells.get(*index).copied().filter(|cell| !cell.is_empty())
                    };
                    let name = cell(Column::Group).ok_or("group is missing")?;
                    let member = member(cell(Column::UserName), cell(Column::ExternalId), cell(Column::MemberGroup))?;
                    let group = groups.named(Some(line), name)?;
                    if let Some(member) = member {
                        add_member(group, member);
                    }
                    Ok(())
                });
                if let Err(reason) = added {
                    rows.reject(line, reason);
                }
            },
        )?;
        rows.finish()?;
        Ok(groups.finish())
    }

    /// Reads groups from a CSV file, like [`read`](Self::read). Errors name the file.
    ///
    /// # Errors
    ///
    /// Those of [`read`](Self::read), and an I/O error if the file cannot be opened.
    pub fn read_file(&self, path: impl AsRef<Path>) -> Result<Vec<DesiredGroup>, ImportError> {
        let path = path.as_ref();
        let mut groups = read_file(path, |file| self.read(file))?;
        for group in &mut groups {
            group.put_file(path);
        }
        Ok(groups)
    }

    fn columns(&self, header: &[&str]) -> Result<Vec<(usize, Column)>, String> {
        let known = |name: &str| {
            let mut columns = COLUMNS.iter();
            columns.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, column)| *column)
        };
        let columns = self.table.header(header, known, || COLUMNS.map(|(name, _)| name).join(", "))?;
        let count = |column: Column| columns.iter().filter(|(_, known)| *known == column).count();
        if let Some((name, _)) = COLUMNS.iter().find(|(_, column)| count(*column) > 1) {
            return Err(format!("several columns are {name}"));
        }
        if count(Column::Group) == 0 {
            return Err("there is no group column".to_owned());
        }
        if columns.len() == 1 {
            return Err("there is no column of members: userName, externalId or memberGroup".to_owned());
        }
        Ok(columns)
    }
}

/// The member of a row, if it has one.
fn member(
    user_name: Option<&str>,
    external_id: Option<&str>,
    group: Option<&str>,
) -> Result<Option<Reference>, String> {
    let given = [("userName", user_name), ("externalId", external_id), ("memberGroup", group)];
    let mut given = given.into_iter().filter_map(|(what, id)| Some((what, id?)));
    if let Some(problem) = given.find_map(|(what, id)| identifier_problems(what, id).next()) {
        return Err(problem);
    }
    match (external_id, user_name, group) {
        (None, None, group) => Ok(group.map(Reference::group)),
        (.., Some(_)) => Err("it has a user and a group as members; use a row for each".to_owned()),
        (Some(id), ..) => Ok(Some(Reference::external_id(id))),
        (None, Some(name), None) => Ok(Some(Reference::user_name(name))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bad(file: &str) -> Vec<String> {
        let rows = MembershipCsv::new().read(file.as_bytes()).unwrap_err().rows().to_vec();
        rows.iter().map(|row| format!("{}: {}", row.line(), row.reason())).collect()
    }

    #[test]
    fn members_are_read_by_each_kind_of_name() {
        let file = "GROUP,username,externalid,membergroup\n\
                    Testers,ann,,\nTesters,bob,2,\nMakers,,,\nAll,,,Testers\nTesters,,3,\nTesters,,3,\n";
        let groups = MembershipCsv::new().read(file.as_bytes()).unwrap();
        let by_id = Reference::external_id;
        let expected = [
            DesiredGroup::new("Testers").with_members([Reference::user_name("ann"), by_id("2"), by_id("3")]),
            DesiredGroup::new("Makers").with_members([]),
            DesiredGroup::new("All").with_members([Reference::group("Testers")]),
        ];
        assert_eq!(groups, expected);
    }

    #[test]
    fn every_bad_row_is_reported_with_its_line() {
        let file = "group,userName,memberGroup\n,ann,\nTesters,bob,Makers\nTesters,bob\nTesters,b\u{200b}b,\ntesters,b,\n\
                    group,userName,memberGroup\nMakers,\"x\n";
        let expected = [
            "2: group is missing",
            "3: it has a user and a group as members; use a row for each",
            "4: it has 2 cells, but the header has 3",
            "5: userName contains a control character or an invisible character",
            "7: repeated header row; were files concatenated?",
            "8: a quote is not closed on its line; cells cannot contain line breaks",
        ];
        assert_eq!(bad(file), expected);
        assert_eq!(
            bad("group,userName\nTesters,ann\ntesters,bob\n"),
            ["3: it spells the name of a group in another way than line 2"]
        );
    }

    #[test]
    fn a_header_needs_a_group_and_a_member() {
        for (header, problem) in [
            ("userName", "there is no group column"),
            ("group", "there is no column of members: userName, externalId or memberGroup"),
            ("group,userName,USERNAME", "several columns are userName"),
            ("group,userName,Floor", "unknown columns: \"Floor\"; map them with MembershipCsv::column"),
            ("Team,Login", "no known column; is the delimiter another one (MembershipCsv::delimiter)"),
        ] {
            let text = MembershipCsv::new().read(header.as_bytes()).unwrap_err().to_string();
            let start = format!("nothing was read: the header, line 1: {problem}");
            assert!(text.starts_with(&start), "{text}");
        }
        let settings = MembershipCsv::new().column("Team", "group").column("Login", "userName").allow_other_columns();
        let groups = settings.delimiter(b';').read("Team;Login;Floor\nTesters;ann;3".as_bytes()).unwrap();
        assert_eq!(groups, [DesiredGroup::new("Testers").with_members([Reference::user_name("ann")])]);
    }
}
