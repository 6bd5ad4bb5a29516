//! Resolves the references of a source: to users of the server, and to users that the plan creates.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use wats_scim_filter::json::text_key;

use crate::model::{Resource, ScimUser};
use crate::plan::Reference;
use crate::plan::identity::matching::{Pair, name_of};
use crate::plan::values::manager::{named_manager, with_manager};

/// The user that a reference resolves to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::plan) enum Person<'a> {
    /// A user of the server.
    Held(&'a ScimUser),
    /// A user that the plan creates.
    New(&'a ScimUser),
    /// A user in conflict, or one of several.
    InConflict,
}

#[derive(Debug)]
pub(in crate::plan) struct People<'a> {
    ids: HashMap<&'a str, Person<'a>>,
    external_ids: HashMap<&'a str, Person<'a>>,
    names: HashMap<Cow<'a, str>, Person<'a>>,
}

impl<'a> People<'a> {
    /// The source decides what an `externalId` and a name mean; for those that it does not have, the server.
    pub(in crate::plan) fn of(current: &'a [ScimUser], desired: &'a [ScimUser], pairs: &[Pair]) -> Self {
        let mut people = Self { ids: HashMap::new(), external_ids: HashMap::new(), names: HashMap::new() };
        for (user, pair) in desired.iter().zip(pairs) {
            let person = match pair {
                Pair::New => Person::New(user),
                Pair::Conflict => Person::InConflict,
                Pair::With(at) | Pair::ByEmail(at) => current.get(*at).map_or(Person::InConflict, Person::Held),
            };
            people.add(user, person, true);
        }
        for user in current {
            people.add(user, Person::Held(user), false);
            if let Some(id) = user.id() {
                people.ids.insert(id, Person::Held(user));
            }
        }
        people
    }

    fn add(&mut self, user: &'a ScimUser, person: Person<'a>, is_of_source: bool) {
        if let Some(id) = user.external_id() {
            put(self.external_ids.entry(id), person, is_of_source);
        }
        if let Some(name) = name_of(user) {
            put(self.names.entry(name), person, is_of_source);
        }
    }

    pub(in crate::plan) fn find(&self, reference: &Reference) -> Option<Person<'a>> {
        let person = match (&reference.id, &reference.external_id, &reference.name) {
            (Some(id), ..) => self.ids.get(id.as_str()),
            (None, Some(id), _) => self.external_ids.get(id.as_str()),
            (None, None, Some(name)) => self.names.get(&text_key(name)),
            (None, None, None) => None,
        };
        person.copied()
    }

    /// The user with the id of its manager in place of the manager's name; or why that is not possible.
    pub(in crate::plan) fn with_manager<'u>(&self, user: &'u ScimUser) -> Result<Cow<'u, ScimUser>, String> {
        let Some(named) = named_manager(user) else { return Ok(Cow::Borrowed(user)) };
        let manager = match self.find(&named) {
            Some(Person::Held(manager)) => manager.id().ok_or("it has no id"),
            Some(Person::New(manager)) if name_of(manager) == name_of(user) => Err("it is the user itself"),
            Some(Person::New(manager)) => {
                let name = manager.user_name.as_deref().unwrap_or_default();
                return Ok(Cow::Owned(with_manager(user, Err(name))));
            }
            Some(Person::InConflict) => Err("it is in conflict"),
            None => Err("it is neither in the source nor on the server"),
        };
        match manager {
            Ok(id) => Ok(Cow::Owned(with_manager(user, Ok(id)))),
            Err(why) => Err(format!("its manager is {named}, and {why}")),
        }
    }
}

fn put<'a, K>(entry: Entry<'_, K, Person<'a>>, person: Person<'a>, is_of_source: bool) {
    match entry {
        Entry::Vacant(entry) => drop(entry.insert(person)),
        Entry::Occupied(mut known) if is_of_source && *known.get() != person => drop(known.insert(Person::InConflict)),
        Entry::Occupied(_) => {}
    }
}
