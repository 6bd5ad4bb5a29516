use serde_json::json;

use super::*;
use crate::plan::DesiredGroup;

fn read(file: &str) -> Result<Vec<ScimUser>, ImportError> {
    UserCsv::new().read(file.as_bytes())
}

fn bad(file: impl AsRef<[u8]>) -> Vec<String> {
    let rows = UserCsv::new().read(file.as_ref()).unwrap_err().rows().to_vec();
    rows.iter().map(|row| format!("{}: {}", row.line(), row.reason())).collect()
}

#[test]
fn a_plan_names_the_rows_of_a_directory() {
    use crate::config::Profile;
    use crate::plan::{Current, Policy};

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("people.csv");
    std::fs::write(&path, "userName,groups\n\nann,A\nbob,\n").unwrap();
    let csv = UserCsv::new();
    let plan = |directory| Policy::new(&Profile::wats()).plan(&Current::complete(Vec::new()), &directory);
    let rows = |directory| {
        let refusal = plan(directory).err();
        let steps = refusal.map(|refusal| refusal.plan().steps.clone()).unwrap_or_default();
        steps.into_iter().filter_map(|step| Some(step.origin?.to_string())).collect::<Vec<_>>()
    };
    let file = path.display();
    let read = csv.read_directory_file(&path).unwrap();
    assert_eq!(rows(read.clone()), [format!("{file}:3"), format!("{file}:4")]);
    let text = csv.read_directory(std::fs::File::open(&path).unwrap()).unwrap();
    assert_eq!((rows(text.clone()), &text), (vec!["line 3".to_owned(), "line 4".to_owned()], &read));
}

#[test]
fn every_known_column_sets_its_attribute() {
    let file = "\u{feff} USERNAME ,externalid,active,givenName,familyName,middleName,fullName,displayName,email,roles,\
                levels,productGroups,title,department,manager.value,urn:x:2.0:Badge:Number,URN:X:2.0:Badge:floor.id\r\n\
                \r\n\
                jane@x , 007 ,YES,Jane,Doe,Q,\"Doe, Jane\",\"Jane \"\"JJ\"\"\",j@x,Viewer; Operator,\
                \" Level 1 ;;Level 2\",Group A,Dr,Test,26,7,x\r\n";
    let expected = json!({
        "userName": "jane@x", "externalId": "007", "active": true,
        "name": { "givenName": "Jane", "familyName": "Doe", "middleName": "Q", "formatted": "Doe, Jane" },
        "displayName": "Jane \"JJ\"", "emails": [{ "value": "j@x", "type": "work", "primary": true }],
        "roles": [{ "value": "Viewer" }, { "value": "Operator" }],
        "urn:ietf:params:scim:schemas:extension:custom:2.0:user":
            { "levels": "Level 1;Level 2", "productGroups": "Group A" },
        "title": "Dr",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":
            { "department": "Test", "manager": { "value": "26" } },
        "urn:x:2.0:Badge": { "Number": "7", "floor": { "id": "x" } },
    });
    assert_eq!(serde_json::to_value(read(file).unwrap()).unwrap(), json!([expected]));
}

#[test]
fn an_empty_cell_leaves_its_attribute_unassigned() {
    let users = read("userName,givenName,active,email,roles,levels,department\njane,,\"\", ,,\" \",\n").unwrap();
    assert_eq!(users, [ScimUser::new("jane")]);
}

#[test]
fn rows_of_delimiters_alone_are_ignored() {
    let users = read(",,\nuserName,title,active\n,,\njane,Dr,yes\n,,\n\"\", ,\n,,,,\n,,").unwrap();
    assert_eq!(users, [ScimUser::new("jane").with_attribute("title", "Dr").with_active(true)]);
}

#[test]
fn active_is_read_in_every_form() {
    for (cell, active) in [("true", true), ("No", false), ("0", false), ("1", true), ("FALSE", false), ("yes", true)] {
        assert_eq!(read(&format!("active,userName\n{cell},jane")).unwrap()[0].active, Some(active), "{cell}");
    }
    let file = "userName,active\na,ja\nb,2\nc,canary\n";
    let reason = "\"active\" is not true, false, yes, no, 1 or 0";
    assert_eq!(bad(file), [2, 3, 4].map(|line| format!("{line}: {reason}")));
}

#[test]
fn every_bad_row_is_reported_with_its_line_and_affects_no_other() {
    let file = b"userName,externalId,title\r\n\
        a,1,x\r\n\
        b,2\r\n\
        \r\n\
        c,3,\"x\r\n\
        d,4,x\r\n\
        e,5,x,y\r\n\
        M\xfcller,6,x\r\n\
        ,7,;\r\n\
        A,1,x\r\n\
        f,\"8\"9,x\r\n\
        userName,externalId,title\r\n\
        g,10,\"x";
    let expected = [
        "3: it has 2 cells, but the header has 3",
        "5: a quote is not closed on its line; cells cannot contain line breaks",
        "7: it has 4 cells, but the header has 3",
        "8: it is not UTF-8; save the file as UTF-8",
        "9: userName is missing",
        "10: same userName as line 2; same externalId as line 2",
        "11: misplaced quote; quote a cell as a whole, and double the quotes in it",
        "12: repeated header row; were files concatenated?",
        "13: a quote is not closed on its line; cells cannot contain line breaks",
    ];
    assert_eq!(bad(file), expected);
}

#[test]
fn a_file_without_rows_is_valid_and_one_without_a_header_is_an_error() {
    for empty in ["userName", "userName,title\n", "\u{feff}userName\r\n\r\n \t\r\n"] {
        assert_eq!(read(empty).unwrap(), [], "{empty:?}");
    }
    for nothing in ["", "\n", "\u{feff}", " \r\n\t\n"] {
        let text = read(nothing).unwrap_err().to_string();
        assert_eq!(text, "nothing was read: it is empty; expected a header", "{nothing:?}");
    }
}

#[test]
fn lines_that_end_with_a_carriage_return_alone_are_rejected() {
    let text = read("userName\rjane\rjohn\r").unwrap_err().to_string();
    assert!(text.starts_with("nothing was read: the header, line 1: it contains a carriage return"), "{text}");
}

#[test]
fn a_manager_is_named_by_each_kind_of_name() {
    let manager = |file: &str| {
        let extension = read(file).unwrap()[0]
            .attributes
            .get("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User")
            .cloned();
        extension.map(|extension| extension["manager"].clone())
    };
    assert_eq!(manager("userName,manager.userName\njane,ann"), Some(json!({ "userName": "ann" })));
    assert_eq!(manager("userName,MANAGER.externalID\njane,007"), Some(json!({ "externalId": "007" })));
    assert_eq!(manager("userName,manager.externalId\njane,"), None);
}

#[test]
fn groups_have_the_members_whose_rows_name_them() {
    let file = "userName,groups,Department\nann, A | B |,C\nbob,,\ncy,B|B,B\n";
    let settings = UserCsv::new().column("Department", "groups").column("Department", "department").groups(["D", "A"]);
    let directory = settings.read_directory(file.as_bytes()).unwrap();
    let group = |name: &str, members: &[&str]| {
        DesiredGroup::new(name).with_members(members.iter().map(|name| Reference::user_name(*name))).keeping_groups()
    };
    let expected = [group("D", &[]), group("A", &["ann"]), group("B", &["ann", "cy"]), group("C", &["ann"])];
    assert_eq!(directory.groups(), Some(&expected[..]));
    assert_eq!(directory.users().len(), 3);
    assert!(serde_json::to_string(&directory.users()[0]).unwrap().contains("\"department\":\"C\""));
}

#[test]
fn a_file_without_a_column_of_groups_says_nothing_about_groups() {
    assert_eq!(UserCsv::new().read_directory("userName\nann".as_bytes()).unwrap().groups(), None);
    let error = UserCsv::new().groups(["A"]).read_directory("userName\nann".as_bytes()).unwrap_err().to_string();
    assert!(error.ends_with("UserCsv::groups names groups, but no column has groups"), "{error}");
}

#[test]
fn groups_are_not_lost_by_reading_users_alone() {
    let file = "userName,groups\nann,A".as_bytes();
    let error = UserCsv::new().read(file).unwrap_err().to_string();
    assert!(error.ends_with("the column \"groups\" has groups: read it with UserCsv::read_directory"), "{error}");
    assert_eq!(UserCsv::new().allow_other_columns().read(file).unwrap(), [ScimUser::new("ann")]);
    let mapped = UserCsv::new().allow_other_columns().column("Team", "groups");
    assert!(mapped.read("userName,Team\nann,A".as_bytes()).is_err());
}

#[test]
fn bad_groups_are_reported_with_their_lines() {
    let file = "userName,groups\nann,A\nbob,a\ncy,||\ndee,B\u{200b}\n";
    let rows = UserCsv::new().read_directory(file.as_bytes()).unwrap_err().rows().to_vec();
    let expected = [
        "3: it spells the name of a group in another way than line 2",
        "4: \"groups\" contains only separators",
        "5: the name of a group contains a control character or an invisible character",
    ];
    assert_eq!(rows.iter().map(|row| format!("{}: {}", row.line(), row.reason())).collect::<Vec<_>>(), expected);
}

#[test]
fn the_separator_of_groups_is_not_the_delimiter() {
    for (settings, separator) in [(UserCsv::new().delimiter(b'|'), '|'), (UserCsv::new(), ','), (UserCsv::new(), ' ')] {
        let file = format!("userName{0}groups\n", char::from(settings.table.delimiter));
        let error = settings.group_separator(separator).read_directory(file.as_bytes()).unwrap_err().to_string();
        assert!(error.contains("UserCsv::group_separator"), "{error}");
    }
    let directory =
        UserCsv::new().group_separator(';').read_directory("userName,groups\nann,A;B|C".as_bytes()).unwrap();
    let names: Vec<_> = directory.groups().unwrap().iter().map(|group| group.display_name.as_str()).collect();
    assert_eq!(names, ["A", "B|C"]);
}

#[test]
fn a_file_is_read_and_named_in_errors() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users.csv");
    std::fs::write(&path, "userName;active\njane;yes\njohn;no\n").unwrap();
    let users = UserCsv::new().delimiter(b';').read_file(&path);
    let error = UserCsv::new().read_file(&path);
    std::fs::remove_file(&path).unwrap();
    assert_eq!(users.unwrap().len(), 2);
    let start = format!("{}: nothing was read: ", path.display());
    assert!(error.unwrap_err().to_string().starts_with(&start));
    assert!(UserCsv::new().read_file(&path).unwrap_err().to_string().starts_with(&start));
}
