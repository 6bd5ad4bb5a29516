//! What `export` writes, `plan` reads back without a difference: random directories.

mod support;

use serde_json::{Map, Value, json};
use support::Home;
use wats_scim_sandbox::StandardSandbox;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const DIRECTORIES: u64 = 8;

/// Numbers that look random (`SplitMix64`).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut number = self.0;
        number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((number ^ (number >> 31)) % limit.max(1) as u64).unwrap()
    }

    fn one_in(&mut self, number: usize) -> bool {
        self.below(number) == 0
    }

    /// A text with what CSV, a spreadsheet, JSON or a terminal could misread.
    fn text(&mut self) -> String {
        const PARTS: [&str; 24] = [
            "a", "Z", "0", " ", "ü", "ß", "漢", "🙂", "e\u{301}", "=1+2", "+", "-", "@", "'", "\"", "\"\"", ",", ";",
            "\n", "\t", "|", "\\", "\u{feff}", "NULL",
        ];
        let text: String = (0..self.below(6)).map(|_| PARTS[self.below(PARTS.len())]).collect();
        if text.trim().is_empty() { format!("x{text}y") } else { text }
    }
}

fn user(random: &mut Random, number: usize, count: usize) -> Value {
    let name =
        format!("{}{number}", ["ann", "Bob.", "ümlaut", "a b", "x+y@example.org-", "=cmd", "漢字"][random.below(7)]);
    let mut user = Map::new();
    user.insert("id".to_owned(), format!("id-{number}").into());
    user.insert("userName".to_owned(), name.into());
    user.insert("active".to_owned(), (!random.one_in(3)).into());
    for attribute in ["displayName", "title", "nickName", "userType"] {
        if random.one_in(2) {
            user.insert(attribute.to_owned(), random.text().into());
        }
    }
    if random.one_in(2) {
        // No source may have a control character or an invisible one in an identifier.
        let id = random.text().replace(['\n', '\t', '\u{feff}'], "_");
        user.insert("externalId".to_owned(), format!("{}-{number}", id.trim()).into());
    }
    if random.one_in(2) {
        user.insert("name".to_owned(), json!({ "givenName": random.text(), "familyName": random.text() }));
    }
    let emails: Vec<Value> = (0..random.below(4))
        .map(|at| json!({ "value": format!("u{number}.{at}@example.org"), "type": (["work", "home", "other"][at % 3]), "primary": at == 0 }))
        .collect();
    if !emails.is_empty() {
        user.insert("emails".to_owned(), emails.into());
    }
    let mut enterprise = Map::new();
    let manager = random.below(count);
    if random.one_in(2) && manager != number {
        enterprise.insert("manager".to_owned(), json!({ "value": format!("id-{manager}") }));
    }
    if random.one_in(2) {
        enterprise.insert("department".to_owned(), random.text().into());
    }
    if !enterprise.is_empty() {
        user.insert(ENTERPRISE.to_owned(), enterprise.into());
    }
    user.into()
}

fn group(random: &mut Random, number: usize, users: usize, groups: usize) -> Value {
    let mut members: Vec<Value> = (0..users)
        .filter(|_| random.one_in(3))
        .map(|user| json!({ "value": format!("id-{user}"), "type": "User" }))
        .collect();
    // A group holds only later ones, so that there is no circle.
    members.extend(
        (number + 1..groups)
            .filter(|_| random.one_in(2))
            .map(|inner| json!({ "value": format!("g-{inner}"), "type": "Group" })),
    );
    let name = format!("{}{number}", ["Line ", "=Line", "Größe", "a, b", "\"Q\" "][random.below(5)]);
    json!({ "id": format!("g-{number}"), "displayName": name, "members": members })
}

#[test]
fn an_export_of_any_directory_is_read_back_without_a_difference() {
    for seed in 0..DIRECTORIES {
        let mut random = Random(seed);
        let (users, groups) = (1 + random.below(20), random.below(5));
        let held: Vec<Value> = (0..users).map(|number| user(&mut random, number, users)).collect();
        let in_groups: Vec<Value> = (0..groups).rev().map(|at| group(&mut random, at, users, groups)).collect();
        let server = StandardSandbox::builder().with_users(held.clone()).with_groups(in_groups.clone()).start();
        let server = server.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let home = Home::of_standard(&server);
        for args in [&["all.json"][..], &["all.csv"], &["all.json", "--groups"], &["all.csv", "--groups"]] {
            home.run(&[&["export"], args].concat()).done();
            let ended = home.run(&["plan", args[0], "--ours", "all", "--detailed-exitcode"]);
            let about = format!("seed {seed}, {args:?}: {}{}\n{}", ended.out, ended.err, home.read(args[0]));
            assert_eq!(ended.code, Some(0), "{about}");
            // No conflict, and nothing that cannot be expressed.
            assert!(ended.out.starts_with("0 to create, 0 to update, 0 to reactivate, 0 to deactivate"), "{about}");
        }
        assert!(server.requests().iter().all(|request| request.method == "GET"));
    }
}
