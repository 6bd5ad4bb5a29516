//! Attributes that are computed from other ones, by a closed set of rules.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use wats_scim_filter::AttributePath;
use wats_scim_filter::json::{is_server_attribute, member_mut, take, truth};

use crate::error::{Error, Result};
use crate::model::{ScimUser, object};
use crate::plan::values::merge::{remove, value_at};

/// Computes attributes of the users of a source from other attributes, before a plan is made.
///
/// Every rule reads the user of the source, not what other rules have computed. A rule decides its attribute:
/// if it has no value, the user has none. All values are text.
///
/// A mapping is serde data, so that it can be a part of a configuration file:
///
/// ```
/// use wats_scim::ScimUser;
/// use wats_scim::plan::Mapping;
///
/// let mapping: Mapping = serde_json::from_str(r#"{
///     "userName": { "lower": { "template": "{name.givenName}.{name.familyName}@example.com" } },
///     "roles": { "lookUp": { "of": { "of": "title" }, "in": { "Manager": "Admin" }, "otherwise": { "constant": "Viewer" } } }
/// }"#)?;
/// let jane: ScimUser = serde_json::from_str(r#"{"name": {"givenName": "Jane", "familyName": "Doe"}, "title": "Manager"}"#)?;
/// let mapped = mapping.apply(&[jane])?;
/// assert_eq!(mapped[0].user_name.as_deref(), Some("jane.doe@example.com"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<String, Derived>", into = "BTreeMap<String, Derived>")]
pub struct Mapping(BTreeMap<String, Derived>);

/// How a value is computed.
///
/// ```
/// use wats_scim::plan::{Derived, Mapping};
///
/// let login = Derived::first_of([Derived::of("emails"), Derived::template("{externalId}@example.com")?]);
/// let mapping = Mapping::new().with("userName", login.trim().lower())?;
/// # let _ = mapping;
/// # Ok::<(), wats_scim::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Derived(Rule);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
enum Rule {
    Constant(String),
    Of(String),
    FirstOf(Vec<Derived>),
    Template(Template),
    Trim(Box<Derived>),
    Lower(Box<Derived>),
    Upper(Box<Derived>),
    Split { of: Box<Derived>, by: String, at: usize },
    Join { of: Vec<Derived>, with: String },
    LookUp(LookUp),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LookUp {
    of: Box<Derived>,
    #[serde(rename = "in")]
    table: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    otherwise: Option<Box<Derived>>,
}

impl Mapping {
    /// A mapping that changes nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Computes the attribute at this path, such as `userName`, `name.givenName`, or one after the URN of its
    /// schema. A list, such as `emails` or `roles`, gets this one value.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if it is not the path of an attribute, or of one that has
    /// parts (`name`) or belongs to the server (`id`).
    pub fn with(mut self, path: impl Into<String>, value: Derived) -> Result<Self> {
        let path = path.into();
        let whole = place(&path)?;
        if let [name] = &whole[..]
            && (name.eq_ignore_ascii_case("name") || is_server_attribute(name))
        {
            return Err(Error::invalid(format!("{path:?} cannot be computed: it has parts, or belongs to the server")));
        }
        self.0.insert(path, value);
        Ok(self)
    }

    /// Whether it changes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The users with their computed attributes, all or none. [`Policy::mapping`](crate::plan::Policy::mapping)
    /// does it for each plan.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if the `active` of a user is neither true nor false, or if a
    /// user cannot be written as JSON.
    pub fn apply(&self, users: &[ScimUser]) -> Result<Vec<ScimUser>> {
        users.iter().map(|user| self.mapped(user)).collect()
    }

    fn mapped(&self, user: &ScimUser) -> Result<ScimUser> {
        let unreadable =
            |error| Error::invalid("the attributes of a user of the source cannot be read").with_source(error);
        let before = object(user).map_err(unreadable)?;
        let mut after = before.clone();
        for (path, value) in &self.0 {
            remove(&mut after, path);
            if let Some(text) = value.value(&before) {
                put(&mut after, path, text)?;
            }
        }
        if let Some(active) = member_mut(&mut after, "active") {
            *active = truth(active)
                .ok_or_else(|| Error::invalid("the mapping of active gives neither true nor false"))?
                .into();
        }
        serde_json::from_value(after.into()).map_err(unreadable)
    }
}

impl TryFrom<BTreeMap<String, Derived>> for Mapping {
    type Error = Error;

    fn try_from(rules: BTreeMap<String, Derived>) -> Result<Self> {
        rules.into_iter().try_fold(Self::new(), |mapping, (path, value)| mapping.with(path, value))
    }
}

impl From<Mapping> for BTreeMap<String, Derived> {
    fn from(mapping: Mapping) -> Self {
        mapping.0
    }
}

impl Derived {
    /// The same text for every user.
    #[must_use]
    pub fn constant(text: impl Into<String>) -> Self {
        Self(Rule::Constant(text.into()))
    }

    /// The value of the attribute at a path; of a list, the first value.
    #[must_use]
    pub fn of(path: impl Into<String>) -> Self {
        Self(Rule::Of(path.into()))
    }

    /// The first of these that has a value.
    #[must_use]
    pub fn first_of(values: impl IntoIterator<Item = Self>) -> Self {
        Self(Rule::FirstOf(values.into_iter().collect()))
    }

    /// A text with the values of attributes, such as `{name.givenName} {name.familyName}`. It has no value if
    /// one of them has none. `{{` and `}}` are braces.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if a brace is not closed or not opened.
    pub fn template(text: impl Into<String>) -> Result<Self> {
        Template::try_from(text.into()).map(Rule::Template).map(Self)
    }

    /// Without white space at its ends.
    #[must_use]
    pub fn trim(self) -> Self {
        Self(Rule::Trim(Box::new(self)))
    }

    /// In lower case.
    #[must_use]
    pub fn lower(self) -> Self {
        Self(Rule::Lower(Box::new(self)))
    }

    /// In upper case.
    #[must_use]
    pub fn upper(self) -> Self {
        Self(Rule::Upper(Box::new(self)))
    }

    /// The part at a place, from 0, of the text between separators. Without a separator in the text, the part 0
    /// is all of it.
    #[must_use]
    pub fn split(self, by: impl Into<String>, at: usize) -> Self {
        Self(Rule::Split { of: Box::new(self), by: by.into(), at })
    }

    /// Those of the values that there are, with a separator between them.
    #[must_use]
    pub fn join(values: impl IntoIterator<Item = Self>, with: impl Into<String>) -> Self {
        Self(Rule::Join { of: values.into_iter().collect(), with: with.into() })
    }

    /// The entry of a table with this text; no value if there is none.
    #[must_use]
    pub fn look_up<K: Into<String>, V: Into<String>>(self, table: impl IntoIterator<Item = (K, V)>) -> Self {
        let table = table.into_iter().map(|(text, value)| (text.into(), value.into())).collect();
        Self(Rule::LookUp(LookUp { of: Box::new(self), table, otherwise: None }))
    }

    /// The value for a user; an empty text is none.
    fn value(&self, user: &Map<String, Value>) -> Option<String> {
        let value = match &self.0 {
            Rule::Constant(text) => Some(text.clone()),
            Rule::Of(path) => text_at(user, path),
            Rule::FirstOf(values) => values.iter().find_map(|value| value.value(user)),
            Rule::Template(template) => template.value(user),
            Rule::Trim(value) => value.value(user).map(|text| text.trim().to_owned()),
            Rule::Lower(value) => value.value(user).map(|text| text.to_lowercase()),
            Rule::Upper(value) => value.value(user).map(|text| text.to_uppercase()),
            Rule::Split { of, by, at } => of.value(user).and_then(|text| {
                if by.is_empty() { Some(text).filter(|_| *at == 0) } else { text.split(by).nth(*at).map(str::to_owned) }
            }),
            Rule::Join { of, with } => {
                Some(of.iter().filter_map(|value| value.value(user)).collect::<Vec<_>>().join(with))
            }
            Rule::LookUp(LookUp { of, table, otherwise }) => {
                let found = of.value(user).and_then(|text| table.get(&text).cloned());
                found.or_else(|| otherwise.as_ref()?.value(user))
            }
        };
        value.filter(|text| !text.is_empty())
    }
}

/// Text with the paths of attributes in braces.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
struct Template {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Text(String),
    Of(String),
}

impl TryFrom<String> for Template {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        let wrong =
            |what| Error::invalid(format!("the template has a brace that is not {what}; {{{{ is a brace itself"));
        let (mut parts, mut plain) = (Vec::new(), String::new());
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            match character {
                '{' | '}' if characters.next_if_eq(&character).is_some() => plain.push(character),
                '{' => {
                    parts.push(Part::Text(std::mem::take(&mut plain)));
                    let mut path = String::new();
                    loop {
                        match characters.next() {
                            Some('}') => break,
                            Some('{') | None => return Err(wrong("closed")),
                            Some(character) => path.push(character),
                        }
                    }
                    parts.push(Part::Of(path));
                }
                '}' => return Err(wrong("opened")),
                character => plain.push(character),
            }
        }
        parts.push(Part::Text(plain));
        Ok(Self { text, parts })
    }
}

impl From<Template> for String {
    fn from(template: Template) -> Self {
        template.text
    }
}

impl Template {
    fn value(&self, user: &Map<String, Value>) -> Option<String> {
        let part = |part: &Part| match part {
            Part::Text(text) => Some(text.clone()),
            Part::Of(path) => text_at(user, path),
        };
        self.parts.iter().map(part).collect()
    }
}

/// The text at a path. A list has that of its first value.
fn text_at(user: &Map<String, Value>, path: &str) -> Option<String> {
    let value = value_at(user, path.trim())?;
    let value = value.as_array().map_or(Some(value), |values| values.first())?;
    let value = value.get("value").unwrap_or(value);
    let text = value.as_str().map(str::to_owned);
    text.or_else(|| (value.is_number() || value.is_boolean()).then(|| value.to_string()))
        .filter(|text| !text.is_empty())
}

/// Lists of a user (RFC 7643 §4.1.2), of which a mapping sets the only value.
const LISTS: [&str; 9] =
    ["emails", "phoneNumbers", "ims", "photos", "addresses", "groups", "entitlements", "roles", "x509Certificates"];

/// The parts of a path, from the outside.
fn place(path: &str) -> Result<Vec<String>> {
    let parsed: AttributePath = path
        .parse()
        .map_err(|error| Error::invalid(format!("{path:?} is not the path of an attribute")).with_source(error))?;
    let parts = [parsed.schema(), Some(parsed.name()), parsed.sub_attribute()];
    Ok(parts.into_iter().flatten().map(str::to_owned).collect())
}

fn put(user: &mut Map<String, Value>, path: &str, text: String) -> Result<()> {
    let is_list = LISTS.iter().any(|list| list.eq_ignore_ascii_case(path));
    let value = if is_list { json!([{ "value": text }]) } else { text.into() };
    let parts = place(path)?;
    let Some((last, holders)) = parts.split_last() else { return Ok(()) };
    let mut holder = user;
    for name in holders {
        if !member_mut(holder, name).is_some_and(|held| held.is_object()) {
            drop(take(holder, name));
            holder.insert(name.clone(), json!({}));
        }
        let Some(inner) = member_mut(holder, name).and_then(Value::as_object_mut) else { return Ok(()) };
        holder = inner;
    }
    holder.insert(last.clone(), value);
    Ok(())
}

#[cfg(test)]
mod tests;
