//! The users of the server.

use std::collections::HashMap;

use chrono::{SecondsFormat, Utc};
use serde_json::{Map, Value, json};
use uuid::Uuid;
use wats_scim_filter::Filter;
use wats_scim_filter::json::text_key;

use super::intake;
use super::patch;
use crate::message::text;
use crate::quirks::Quirks;
use crate::refusal::Refusal;

/// Users in the order of their creation. Look-ups and pages take constant time.
pub(super) struct Directory {
    users_url: String,
    order: Vec<String>,
    users: HashMap<String, Value>,
    /// By user name in lower case: names are unique ignoring letter case (RFC 7643 §4.1.1).
    by_name: HashMap<String, String>,
}

/// One page of a list.
pub(super) struct Page<'a> {
    /// The number of matching users on all pages.
    pub(super) total: usize,
    pub(super) start_index: usize,
    pub(super) users: Vec<&'a Value>,
}

impl Directory {
    /// An empty directory; `users_url` is the base of `meta.location`.
    pub(super) fn new(users_url: impl Into<String>) -> Self {
        Self { users_url: users_url.into(), order: Vec::new(), users: HashMap::new(), by_name: HashMap::new() }
    }

    /// All users, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Value> {
        self.order.iter().filter_map(|id| self.users.get(id))
    }

    /// Creates a user with a new `id` and `meta`.
    pub(super) fn create(&mut self, sent: Map<String, Value>) -> Result<&Value, Refusal> {
        self.add(sent, Uuid::new_v4().to_string())
    }

    /// Adds an initial user, and keeps its `id` if it has one.
    pub(super) fn seed(&mut self, sent: Map<String, Value>) -> Result<&Value, Refusal> {
        let id = text(&sent, "id").map_or_else(|| Uuid::new_v4().to_string(), str::to_owned);
        if self.users.contains_key(&id) {
            return Err(Refusal::invalid_value(format!("there is a user with the id '{id}'")));
        }
        self.add(sent, id)
    }

    fn add(&mut self, sent: Map<String, Value>, id: String) -> Result<&Value, Refusal> {
        let accepted = intake::accept(sent)?;
        let user_name = accepted.get("userName").and_then(Value::as_str);
        let user_name = user_name.unwrap_or_default().to_owned();
        let key = text_key(&user_name).into_owned();
        if self.by_name.contains_key(&key) {
            return Err(Refusal::taken(&user_name));
        }
        let now = timestamp();
        let mut user = Map::new();
        user.insert("id".to_owned(), id.as_str().into());
        user.extend(accepted);
        let meta = json!({
            "resourceType": "User",
            "created": now,
            "lastModified": now,
            "location": format!("{}/{id}", self.users_url),
        });
        user.insert("meta".to_owned(), meta);

        self.order.push(id.clone());
        self.by_name.insert(key, id.clone());
        Ok(self.users.entry(id).or_insert(Value::Object(user)))
    }

    /// The user with this id.
    pub(super) fn get(&self, id: &str) -> Result<&Value, Refusal> {
        self.users.get(id).ok_or_else(|| no_such_id(id))
    }

    /// The user with this user name, ignoring letter case.
    pub(super) fn get_by_name(&self, user_name: &str) -> Result<&Value, Refusal> {
        self.by_name
            .get(&*text_key(user_name))
            .and_then(|id| self.users.get(id))
            .ok_or_else(|| Refusal::not_found(format!("there is no user with the userName '{user_name}'")))
    }

    /// Applies a PATCH message to a user, all or nothing.
    pub(super) fn patch(&mut self, id: &str, message: &Map<String, Value>) -> Result<&Value, Refusal> {
        // A patch cannot change a user name, so `by_name` stays correct.
        let user = self.users.get_mut(id).ok_or_else(|| no_such_id(id))?;
        if let Value::Object(user) = &mut *user {
            *user = patch::apply(user, message)?;
            if let Some(Value::Object(meta)) = user.get_mut("meta") {
                meta.insert("lastModified".to_owned(), timestamp().into());
            }
        }
        Ok(user)
    }

    /// Removes a user, in time proportional to the number of users.
    pub(super) fn delete(&mut self, id: &str) -> Result<(), Refusal> {
        let user = self.users.remove(id).ok_or_else(|| no_such_id(id))?;
        self.order.retain(|other| other != id);
        if let Some(Value::String(user_name)) = user.get("userName") {
            self.by_name.remove(&*text_key(user_name));
        }
        Ok(())
    }

    /// A page of the matching users, with the quirks applied.
    pub(super) fn page(&self, filter: Option<&Filter>, quirks: &Quirks, start_index: usize, count: usize) -> Page<'_> {
        let Some(filter) = filter else {
            let total = self.order.len();
            let window = quirks.window(start_index, count, total);
            let ids = self.order.get(window.positions).unwrap_or_default();
            return Page {
                total,
                start_index: window.start_index,
                users: ids.iter().filter_map(|id| self.users.get(id)).collect(),
            };
        };
        let matches: Vec<&Value> = self.iter().filter(|user| filter.matches(user)).collect();
        let window = quirks.window(start_index, count, matches.len());
        let users = matches.get(window.positions).unwrap_or_default();
        Page { total: matches.len(), start_index: window.start_index, users: users.to_vec() }
    }
}

fn no_such_id(id: &str) -> Refusal {
    Refusal::not_found(format!("there is no user with the id '{id}'"))
}

fn timestamp() -> String {
    Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory() -> Directory {
        Directory::new("http://sandbox.test/Users")
    }

    /// A directory with sample users.
    fn with_users(n: usize) -> Directory {
        let mut directory = directory();
        for number in 1..=n {
            directory.seed(crate::samples::user(number)).unwrap();
        }
        directory
    }

    fn create(directory: &mut Directory, user: &Value) -> Result<Value, Refusal> {
        let sent = user.as_object().unwrap().clone();
        directory.create(sent).cloned()
    }

    fn id(user: &Value) -> String {
        user["id"].as_str().unwrap().to_owned()
    }

    fn patch(directory: &mut Directory, id: &str, operations: &Value) -> Result<Value, Refusal> {
        let message = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": operations,
        });
        directory.patch(id, message.as_object().unwrap()).cloned()
    }

    fn names<'a>(page: &Page<'a>) -> Vec<&'a str> {
        let names = page.users.iter().map(|user| &user["userName"]);
        names.map(|name| name.as_str().unwrap()).collect()
    }

    #[test]
    fn the_server_assigns_the_id() {
        let sent = json!({"userName": "jane", "id": "mine"});
        let user = create(&mut directory(), &sent).unwrap();
        assert!(Uuid::try_parse(&id(&user)).is_ok());
    }

    #[test]
    fn the_id_of_an_initial_user_is_kept_and_unique() {
        let mut directory = directory();
        let user = json!({"userName": "jane", "ID": "7f3a"});
        directory.seed(user.as_object().unwrap().clone()).unwrap();
        assert_eq!(directory.get("7f3a").unwrap()["userName"], "jane");
        let other = json!({"userName": "joan", "id": "7f3a"});
        assert!(directory.seed(other.as_object().unwrap().clone()).is_err());
    }

    #[test]
    fn a_created_user_has_a_location() {
        let user = create(&mut directory(), &json!({"userName": "jane"})).unwrap();
        let location = format!("http://sandbox.test/Users/{}", id(&user));
        assert_eq!(user["meta"]["location"], location);
    }

    #[test]
    fn a_created_user_is_active_by_default() {
        let user = create(&mut directory(), &json!({"userName": "jane"})).unwrap();
        assert_eq!(user["active"], true);
    }

    #[test]
    fn unknown_attributes_are_kept() {
        let sent = json!({"userName": "jane", "urn:example:x": {"y": [1]}});
        let user = create(&mut directory(), &sent).unwrap();
        assert_eq!(user["urn:example:x"], json!({"y": [1]}));
    }

    #[test]
    fn attribute_names_ignore_letter_case() {
        let user = create(&mut directory(), &json!({"USERNAME": "jane"})).unwrap();
        assert_eq!(user["userName"], "jane");
    }

    #[test]
    fn a_password_is_never_returned() {
        let sent = json!({"userName": "jane", "Password": "secret"});
        let user = create(&mut directory(), &sent).unwrap();
        assert!(!user.to_string().contains("secret"));
    }

    #[test]
    fn a_user_name_is_required() {
        let refusal = create(&mut directory(), &json!({"displayName": "J"})).unwrap_err();
        assert_eq!(refusal.scim_type, Some("invalidValue"));
    }

    #[test]
    fn a_user_name_is_unique_ignoring_letter_case() {
        let mut directory = directory();
        create(&mut directory, &json!({"userName": "jane"})).unwrap();
        let refusal = create(&mut directory, &json!({"userName": "JANE"})).unwrap_err();
        assert_eq!(refusal.scim_type, Some("uniqueness"));
    }

    #[test]
    fn a_create_accepts_the_restrictions_of_the_extension() {
        let extension = "urn:ietf:params:scim:schemas:extension:custom:2.0:user";
        let sent = json!({"userName": "jane", extension: {"levels": "Level 1;Level 2"}});
        let user = create(&mut directory(), &sent).unwrap();
        assert_eq!(user[extension]["levels"], "Level 1;Level 2");
    }

    #[test]
    fn a_create_with_an_unknown_level_is_rejected() {
        let extension = "urn:ietf:params:scim:schemas:extension:custom:2.0:user";
        let sent = json!({"userName": "jane", extension: {"levels": "Level 9"}});
        let refusal = create(&mut directory(), &sent).unwrap_err();
        assert_eq!(refusal.scim_type, Some("invalidValue"));
    }

    #[test]
    fn a_user_is_found_by_name_ignoring_letter_case() {
        let directory = with_users(1);
        let user = directory.get_by_name("USER0001@example.com").unwrap();
        assert_eq!(user["userName"], "user0001@example.com");
    }

    #[test]
    fn an_id_in_another_form_is_not_found() {
        let mut directory = directory();
        let user = create(&mut directory, &json!({"userName": "jane"})).unwrap();
        let braced = format!("{{{}}}", id(&user));
        assert!(directory.get(&braced).is_err());
    }

    #[test]
    fn a_patch_with_one_bad_operation_changes_nothing() {
        let mut directory = directory();
        let before = create(&mut directory, &json!({"userName": "jane"})).unwrap();
        let operations = json!([
            {"op": "replace", "path": "active", "value": false},
            {"op": "replace", "path": "nickName", "value": "J"},
        ]);
        patch(&mut directory, &id(&before), &operations).unwrap_err();
        assert_eq!(directory.get(&id(&before)).unwrap(), &before);
    }

    #[test]
    fn a_patch_of_an_unknown_user_is_not_found() {
        let operations = json!([{"op": "replace", "path": "active", "value": false}]);
        let refusal = patch(&mut directory(), "unknown", &operations).unwrap_err();
        assert_eq!(refusal.status, http::StatusCode::NOT_FOUND);
    }

    #[test]
    fn the_name_of_a_deleted_user_is_available_again() {
        let mut directory = directory();
        let user = create(&mut directory, &json!({"userName": "jane"})).unwrap();
        directory.delete(&id(&user)).unwrap();
        assert!(create(&mut directory, &json!({"userName": "jane"})).is_ok());
    }

    #[test]
    fn a_second_delete_is_not_found() {
        let mut directory = directory();
        let user = create(&mut directory, &json!({"userName": "jane"})).unwrap();
        directory.delete(&id(&user)).unwrap();
        assert!(directory.delete(&id(&user)).is_err());
    }

    #[test]
    fn a_page_is_in_the_order_of_creation() {
        let directory = with_users(5);
        let page = directory.page(None, &Quirks::default(), 2, 2);
        assert_eq!(names(&page), ["user0002@example.com", "user0003@example.com"]);
    }

    #[test]
    fn a_filtered_page_counts_the_matching_users() {
        let directory = with_users(5);
        let filter = "userName eq \"user0003@example.com\"".parse().ok();
        let page = directory.page(filter.as_ref(), &Quirks::default(), 1, 100);
        assert_eq!((page.total, names(&page)), (1, vec!["user0003@example.com"]));
    }
}
