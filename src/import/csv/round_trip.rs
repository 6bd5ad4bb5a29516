//! The output of the crate `csv` is read back, and no input makes the reader panic or lose a row.

use std::collections::HashSet;

use csv::{QuoteStyle, WriterBuilder};
use proptest::prelude::*;
use wats_scim_filter::json::text_key;

use serde_json::{Value, json};

use super::UserCsv;
use super::cells::unprotected;
use crate::model::{ScimUser, ScimUserName};
use crate::plan::{Current, DesiredGroup, Ours, Policy, Reference};

/// The text of a cell: anything on one line, without surrounding white space, and no formula with `'` before it.
fn cell() -> impl Strategy<Value = String> {
    let text = prop_oneof![r#"[a ",;'\t=-]{0,6}"#, "\\PC{0,12}"].prop_map(|text| text.trim().to_owned());
    text.prop_map(|text| unprotected(&text).trim().to_owned())
        .prop_filter("a formula with ' before it", |text| unprotected(text) == text)
}

/// Any text, also what a cell cannot hold.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![r#"['=+@-]{0,3}[a ",;|'\t\r\n\u{feff}=-]{0,5}"#, "\\PC{0,6}", any::<String>()]
}

/// A user as a server has it, with any values.
fn held() -> impl Strategy<Value = Value> {
    let texts = prop::collection::vec((0..10_usize, any_text()), 0..8);
    let lists = (prop::collection::vec(any_text(), 0..3), prop::collection::vec(any_text(), 0..3));
    (texts, lists, any::<Option<bool>>()).prop_map(|(texts, (emails, roles), active)| {
        let values = |list: Vec<String>| list.into_iter().map(|text| json!({ "value": text })).collect::<Value>();
        let mut user = json!({ "emails": values(emails), "roles": values(roles) });
        user["active"] = active.into();
        for (which, text) in texts {
            match which {
                0 => user["name"]["givenName"] = text.into(),
                1 => user["name"]["honorificPrefix"] = text.into(),
                2 => user["displayName"] = text.into(),
                3 => user["title"] = text.into(),
                4 => user["externalId"] = text.into(),
                5 => user["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"]["department"] = text.into(),
                6 => {
                    user["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"]["manager"]["value"] =
                        text.into();
                }
                7 => user["urn:example:2.0:Badge"]["number"] = text.into(),
                8 => user["urn:example:2.0:Badge"]["a.b"] = text.into(),
                _ => user["password"] = text.into(),
            }
        }
        user
    })
}

#[derive(Clone, Debug)]
struct Person {
    user_name: String,
    given: String,
    family: String,
    display: String,
    email: String,
    title: String,
    active: Option<bool>,
}

fn person() -> impl Strategy<Value = Person> {
    (r#"[a-zA-Zäß@",;]{1,8}"#, cell(), cell(), cell(), cell(), cell(), any::<Option<bool>>()).prop_map(
        |(user_name, given, family, display, email, title, active)| Person {
            user_name,
            given,
            family,
            display,
            email,
            title,
            active,
        },
    )
}

/// People with distinct `userName`s.
fn people() -> impl Strategy<Value = Vec<Person>> {
    prop::collection::vec(person(), 0..12).prop_map(|mut people| {
        let mut seen = HashSet::new();
        people.retain(|person| seen.insert(text_key(&person.user_name).into_owned()));
        people
    })
}

impl Person {
    fn cells(&self) -> [&str; 7] {
        let active = self.active.map(|active| if active { "true" } else { "false" });
        let cells = [&self.user_name, &self.given, &self.family, &self.display, &self.email, &self.title];
        let [user_name, given, family, display, email, title] = cells.map(String::as_str);
        [user_name, given, family, display, email, title, active.unwrap_or_default()]
    }

    fn user(&self) -> ScimUser {
        let given = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        let mut user = ScimUser::new(&self.user_name);
        let name = ScimUserName {
            given_name: given(&self.given),
            family_name: given(&self.family),
            ..ScimUserName::default()
        };
        user.name = Some(name).filter(|name| *name != ScimUserName::default());
        user.display_name = given(&self.display);
        user.active = self.active;
        if let Some(email) = given(&self.email) {
            user = user.with_email(email);
        }
        match given(&self.title) {
            Some(title) => user.with_attribute("title", title),
            None => user,
        }
    }
}

/// Whether a cell of the line is not empty.
fn has_text(line: &str) -> bool {
    let line = line.strip_suffix('\r').unwrap_or(line);
    let line = line.strip_prefix('\u{feff}').unwrap_or(line);
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(line.as_bytes());
    reader.records().any(|row| row.unwrap().iter().any(|cell| !cell.trim().is_empty()))
}

proptest! {
    #[test]
    fn any_users_round_trip(
        people in people(),
        delimiter in prop::sample::select(b",;\t|".to_vec()),
        always in any::<bool>(),
        crlf in any::<bool>(),
    ) {
        let quotes = if always { QuoteStyle::Always } else { QuoteStyle::Necessary };
        let end = if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
        let mut file = WriterBuilder::new().delimiter(delimiter).quote_style(quotes).terminator(end).from_writer(Vec::new());
        file.write_record(["userName", "givenName", "familyName", "displayName", "email", "title", "active"]).unwrap();
        for person in &people {
            file.write_record(person.cells()).unwrap();
        }
        let file = file.into_inner().unwrap();
        let users = UserCsv::new().delimiter(delimiter).read(&*file).unwrap();
        prop_assert_eq!(users, people.iter().map(Person::user).collect::<Vec<_>>());
    }

    #[test]
    fn any_groups_round_trip(
        people in people(),
        groups in prop::collection::vec(prop::collection::vec(0..5_usize, 0..4), 12),
        separator in prop::sample::select(vec!['|', ';', '/']),
    ) {
        const NAMES: [&str; 5] = ["A", "Line 1, left", "\"Q\"", "É", "b"];
        let mut file = WriterBuilder::new().from_writer(Vec::new());
        file.write_record(["userName", "groups"]).unwrap();
        let mut expected: Vec<DesiredGroup> = Vec::new();
        for (person, groups) in people.iter().zip(&groups) {
            let names: Vec<_> = groups.iter().map(|group| NAMES[*group]).collect();
            file.write_record([&person.user_name, &names.join(&separator.to_string())]).unwrap();
            let firsts = names.iter().enumerate().filter(|(place, name)| !names[..*place].contains(name));
            for (_, name) in firsts {
                let member = Reference::user_name(&person.user_name);
                match expected.iter_mut().find(|group| group.display_name == *name) {
                    Some(group) => group.members.as_mut().unwrap().push(member),
                    None => expected.push(DesiredGroup::new(*name).with_members([member]).keeping_groups()),
                }
            }
        }
        let directory = UserCsv::new().group_separator(separator).read_directory(&*file.into_inner().unwrap()).unwrap();
        prop_assert_eq!(directory.groups(), Some(&expected[..]));
        prop_assert_eq!(directory.users().len(), people.len());
    }

    #[test]
    fn a_plan_that_is_made_of_a_written_file_changes_nothing(
        people in people(),
        held in prop::collection::vec(held(), 12),
        delimiter in prop::sample::select(b",;\t".to_vec()),
    ) {
        let users = people.iter().zip(held).enumerate().map(|(id, (person, mut user))| {
            user["id"] = id.to_string().into();
            user["userName"] = person.user_name.clone().into();
            serde_json::from_value(user).unwrap()
        });
        let users: Vec<ScimUser> = users.collect();
        let csv = UserCsv::new().delimiter(delimiter);
        let mut writer = csv.writer(Vec::new(), UserCsv::columns_of(&users)).unwrap();
        for user in &users {
            writer.user(user).unwrap();
        }
        let file = writer.finish().unwrap();
        let formulas = ['=', '+', '-', '@'];
        let mut rows = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(&*file);
        prop_assert!(rows.records().all(|row| row.unwrap().iter().all(|cell| !cell.starts_with(formulas))));
        match csv.read(&*file) {
            Ok(read) => {
                let plan = Policy::default().ours(Ours::Everybody).allow_empty_source(0).plan(&Current::complete(users), &read).unwrap();
                prop_assert!(plan.is_empty(), "{}\n{}", String::from_utf8_lossy(&file), plan);
            }
            // Two users of a server can have the same externalId, or one with hidden characters.
            Err(error) => prop_assert!(error.rows().iter().all(|row| row.reason().contains("externalId")), "{error}"),
        }
    }

    #[test]
    fn no_row_is_lost_and_no_quote_extends_beyond_its_line(rows in r#"[ab,"\r\n; \u{feff}é]{0,40}"#) {
        let file = format!("userName,title\n{rows}");
        if let Ok(users) = UserCsv::new().read(file.as_bytes()) {
            let lines = rows.split('\n').filter(|line| has_text(line));
            prop_assert_eq!(users.len(), lines.count(), "{}", file);
        }
    }

    #[test]
    fn users_are_read_as_by_the_crate_csv(rows in r#"([ab]{0,2}("[ab,"]{0,4}")?,?){0,6}"#) {
        let file = format!("title,userName\n{rows}");
        if let Ok(users) = UserCsv::new().read(file.as_bytes()) {
            let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(file.as_bytes());
            let rows = reader.records().map(Result::unwrap).filter(|row| row.iter().any(|cell| !cell.trim().is_empty()));
            let theirs: Vec<_> = rows.map(|row| row[1].to_owned()).collect();
            prop_assert_eq!(users.into_iter().filter_map(|user| user.user_name).collect::<Vec<_>>(), theirs);
        }
    }

    #[test]
    fn any_bytes_give_users_or_an_error(bytes: Vec<u8>, header in any::<bool>()) {
        let file = [if header { b"userName,title\n".as_slice() } else { b"" }, &bytes].concat();
        match UserCsv::new().allow_other_columns().read(&*file) {
            Ok(users) => prop_assert!(users.iter().all(|user| user.user_name.is_some())),
            Err(error) => prop_assert!(error.to_string().contains("nothing was read")),
        }
    }
}
