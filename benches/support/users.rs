//! Users by number, as JSON: a user is a template with its number.

use std::ops::Range;

use wats_scim::{ScimUser, ScimUserName};

/// The placeholder of the number in the template.
const NUMBER: &str = "0000000";

const USER: &str = concat!(
    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","#,
    r#""urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"#,
    r#""id":"2819c223-7f76-453a-919d-41386"#,
    "0000000",
    r#"","externalId":"E"#,
    "0000000",
    r#"","userName":"user"#,
    "0000000",
    r#"@example.com","name":{"familyName":"Doe","givenName":"Jane"},"displayName":"Jane Doe","active":true,"#,
    r#""emails":[{"value":"user"#,
    "0000000",
    r#"@example.com","type":"work","primary":true}],"#,
    r#""urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":""#,
    "0000000",
    r#"","department":"Assembly"},"#,
    r#""meta":{"resourceType":"User","created":"2026-01-02T03:04:05Z","lastModified":"2026-01-02T03:04:05Z"}}"#,
);

/// The template and the positions of the number in it.
pub(crate) struct Users {
    places: Vec<usize>,
}

impl Users {
    pub(crate) fn new() -> Self {
        Self { places: USER.match_indices(NUMBER).map(|(at, _)| at).collect() }
    }

    /// The user with this number.
    pub(crate) fn put(&self, number: u64, body: &mut Vec<u8>) {
        let start = body.len();
        body.extend_from_slice(USER.as_bytes());
        let number = format!("{number:07}");
        for at in &self.places {
            if let Some(place) = body.get_mut(start + at..start + at + NUMBER.len()) {
                place.copy_from_slice(&number.as_bytes()[..NUMBER.len()]);
            }
        }
    }

    /// A page of a list with this total.
    pub(crate) fn put_page(&self, total: u64, start: u64, numbers: Range<u64>, body: &mut Vec<u8>) {
        let count = numbers.end.saturating_sub(numbers.start);
        body.extend_from_slice(
            format!(
                r#"{{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":{total},"startIndex":{start},"itemsPerPage":{count},"Resources":["#
            )
            .as_bytes(),
        );
        for number in numbers.clone() {
            if number > numbers.start {
                body.push(b',');
            }
            self.put(number, body);
        }
        body.extend_from_slice(b"]}");
    }
}

/// The id of the user with this number.
pub(crate) fn id(number: u64) -> String {
    format!("2819c223-7f76-453a-919d-41386{number:07}")
}

/// New users, numbered from 1, in this crate's model.
pub(crate) fn new(count: u32) -> impl Iterator<Item = ScimUser> + Send + 'static {
    (1..=count).map(|number| ScimUser::new(name(number)).with_display_name("Jane Doe"))
}

/// The user with this number in the other system.
pub(crate) fn wanted(number: u32, family_name: &str) -> ScimUser {
    let name = name(number);
    ScimUser::new(name.as_str())
        .with_external_id(format!("E{number:07}"))
        .with_name(ScimUserName::new("Jane", family_name))
        .with_display_name("Jane Doe")
        .with_email(name)
        .with_active(true)
}

/// The name of the user with this number.
pub(crate) fn name(number: u32) -> String {
    format!("user{number:07}@example.com")
}

/// The number in the name of a user such as `user0000007@example.com`; 0 if there is none.
pub(crate) fn number_in(user: &[u8]) -> u64 {
    const NAME: &[u8] = br#""userName":"user"#;

    let digits = user.windows(NAME.len()).position(|window| window == NAME).and_then(|at| {
        let start = at + NAME.len();
        std::str::from_utf8(user.get(start..start + NUMBER.len())?).ok()
    });
    digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

/// A page of a hundred users.
pub(crate) fn page() -> Vec<u8> {
    let mut page = Vec::new();
    Users::new().put_page(50_000, 1, 1..101, &mut page);
    page
}
