use serde_json::{Map, Value, json};
use wats_scim_filter::AttributePath;
use wats_scim_filter::json::{assigned, is_server_attribute, spelling};

use crate::import::schema::{ENTERPRISE, Kind, NAME, USER, WATS, find};
use crate::model::{EnterpriseUser, Extension, Resource, ScimUser};
use crate::wats::WatsUser;

/// The attribute that a column sets.
#[derive(Debug, PartialEq)]
pub(super) struct Attribute {
    /// The path to the attribute, from the outermost name.
    path: Vec<String>,
    form: Form,
}

/// The format of a cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Form {
    Text,
    Truth,
    /// The primary work address.
    Email,
    /// Values of a list, joined with `;`.
    Values,
    /// Values that WATS stores joined with `;`.
    Joined,
}

impl Attribute {
    /// Returns the attribute of a name or path in any letter case, or `None` if it is unknown.
    pub(super) fn named(name: &str) -> Option<Self> {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        if is("email") || is("emails") {
            return Some(Self { path: vec!["emails".to_owned()], form: Form::Email });
        }
        if is("roles") {
            return Some(Self { path: vec!["roles".to_owned()], form: Form::Values });
        }
        let name = if is("fullName") { "formatted" } else { name };
        let path: AttributePath = name.parse().ok()?;
        let names: Vec<&str> = std::iter::once(path.name()).chain(path.sub_attribute()).collect();
        match path.schema() {
            None => {
                let parents: [&[&str]; 4] = [&[], &["name"], &[EnterpriseUser::SCHEMA], &[WatsUser::SCHEMA]];
                parents.iter().find_map(|parent| Self::in_schema(&[*parent, &names].concat()))
            }
            Some(schema) if schema.eq_ignore_ascii_case(<ScimUser as Resource>::SCHEMA) => Self::in_schema(&names),
            Some(schema) if find(USER, schema).is_some() => Self::in_schema(&[&[schema], &*names].concat()),
            // The attributes of an unknown extension are known to the server only.
            Some(schema) if schema.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("urn:")) => {
                let path = [&[schema], &*names].concat().into_iter().map(str::to_owned).collect();
                Some(Self { path, form: Form::Text })
            }
            Some(_) => None,
        }
    }

    /// Returns the attribute of a path in the schemas, if it is a single value.
    fn in_schema(names: &[&str]) -> Option<Self> {
        let mut path = Vec::new();
        let mut kind = Kind::Object(USER);
        for name in names {
            let Kind::Object(members) = kind else { return None };
            let (name, inner) = find(members, name)?;
            path.push((*name).to_owned());
            kind = *inner;
        }
        let first = path.first()?;
        let form = match kind {
            _ if is_server_attribute(first) => return None,
            Kind::Text if first == WatsUser::SCHEMA => Form::Joined,
            Kind::Text => Form::Text,
            Kind::Truth => Form::Truth,
            Kind::Object(_) | Kind::List(_) => return None,
        };
        Some(Self { path, form })
    }

    pub(super) fn path(&self) -> &[String] {
        &self.path
    }

    pub(super) fn form(&self) -> Form {
        self.form
    }

    pub(super) fn is_user_name(&self) -> bool {
        self.path == ["userName"]
    }

    /// Whether two attributes are the same, or one is a part of the other.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        self.path.iter().zip(&other.path).all(|(ours, theirs)| ours.eq_ignore_ascii_case(theirs))
    }

    /// The value of a user.
    fn value<'a>(&self, user: &'a Map<String, Value>) -> Option<&'a Value> {
        let (last, holders) = self.path.split_last()?;
        let holder = holders.iter().try_fold(user, |held, name| assigned(held, name)?.as_object())?;
        assigned(holder, last)
    }

    /// Whether a user has a value.
    pub(super) fn is_in(&self, user: &Map<String, Value>) -> bool {
        self.value(user).is_some()
    }

    /// The cell of a user: empty without a value that a cell can hold.
    pub(super) fn cell(&self, user: &Map<String, Value>) -> String {
        let Some(value) = self.value(user) else { return String::new() };
        let values = value.as_array().map(Vec::as_slice).unwrap_or_default();
        let in_value = |value: &Value| value.get("value").map_or_else(|| text(value), text);
        match self.form {
            Form::Text | Form::Truth | Form::Joined => text(value),
            Form::Email => values.first().map(in_value).unwrap_or_default(),
            Form::Values => values.iter().map(in_value).collect::<Vec<_>>().join(";"),
        }
    }

    /// The columns of a user's attributes in extensions that this crate does not know.
    pub(super) fn of_other_extensions(user: &Map<String, Value>) -> impl Iterator<Item = String> {
        let is_other = |name: &str| {
            name.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("urn:")) && find(USER, name).is_none()
        };
        let others = user.iter().filter(move |(name, _)| is_other(name));
        let names = others.flat_map(|(urn, values)| {
            values.as_object().into_iter().flatten().map(move |(name, _)| format!("{urn}:{name}"))
        });
        names.filter(|name| Self::named(name).is_some())
    }

    /// Sets the attribute of a user from a cell, unless the cell is empty.
    pub(super) fn put(&self, cell: &str, user: &mut Map<String, Value>) -> Result<(), &'static str> {
        let is_any = |words: [&str; 3]| words.iter().any(|word| word.eq_ignore_ascii_case(cell));
        let parts: Vec<&str> = cell.split(';').map(str::trim).filter(|part| !part.is_empty()).collect();
        let value = match self.form {
            _ if cell.is_empty() => return Ok(()),
            Form::Text => cell.into(),
            Form::Truth if is_any(["true", "yes", "1"]) => true.into(),
            Form::Truth if is_any(["false", "no", "0"]) => false.into(),
            Form::Truth => return Err("is not true, false, yes, no, 1 or 0"),
            Form::Email => json!([{ "value": cell, "type": "work", "primary": true }]),
            Form::Values | Form::Joined if parts.is_empty() => return Err("contains only semicolons"),
            Form::Values => parts.iter().map(|part| json!({ "value": part })).collect(),
            Form::Joined => parts.join(";").into(),
        };
        put_at(&self.path, value, user);
        Ok(())
    }
}

/// The text of a single value.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        _ => String::new(),
    }
}

/// Names match in any letter case (RFC 7643 §2.1), so two columns can spell them differently.
fn put_at(path: &[String], value: Value, object: &mut Map<String, Value>) {
    let Some((name, rest)) = path.split_first() else { return };
    let known = spelling(object, name).unwrap_or(name).to_owned();
    if rest.is_empty() {
        object.insert(known, value);
    } else if let Value::Object(inner) = object.entry(known).or_insert_with(|| Map::new().into()) {
        put_at(rest, value, inner);
    }
}

/// The names of the known columns.
fn names() -> impl Iterator<Item = &'static str> {
    let single = USER
        .iter()
        .chain(NAME)
        .chain(ENTERPRISE)
        .chain(WATS)
        .filter(|(name, kind)| matches!(kind, Kind::Text | Kind::Truth) && !is_server_attribute(name));
    let others = ["fullName", "email", "roles", "manager.value", "manager.userName", "manager.externalId"];
    single.map(|(name, _)| *name).chain(others)
}

/// The columns that a server can have values of, each attribute once.
pub(super) fn known_columns() -> impl Iterator<Item = (&'static str, Attribute)> {
    let is_of_servers =
        |name: &&str| !["fullName", "password", "manager.userName", "manager.externalId"].contains(name);
    names().filter(is_of_servers).filter_map(|name| Some((name, Attribute::named(name)?)))
}

/// The known column names, for a message.
pub(super) fn known_names() -> String {
    let names: Vec<&str> = names().collect();
    format!("{}, and urn:…:name for any attribute of another extension", names.join(", "))
}
