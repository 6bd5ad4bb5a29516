//! Levels and product groups, which restrict a WATS user.

use serde_json::{Map, Value};
use wats_scim_filter::json::same_name;

use crate::refusal::Refusal;

/// The user extension that contains them, since WATS 2025.1.10.
pub(crate) const EXTENSION: &str = "urn:ietf:params:scim:schemas:extension:custom:2.0:user";

pub(crate) const LEVELS: &[&str] = &["Level 1", "Level 2", "Level 3", "Level 4", "Level 5"];
pub(crate) const PRODUCT_GROUPS: &[&str] = &["Group A", "Group B", "Group C"];

/// One of the two lists.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Restriction {
    Level,
    ProductGroup,
}

impl Restriction {
    pub(crate) const ALL: [Self; 2] = [Self::Level, Self::ProductGroup];

    /// The attribute of the extension that contains the list.
    pub(crate) fn attribute(self) -> &'static str {
        match self {
            Self::Level => "levels",
            Self::ProductGroup => "productGroups",
        }
    }

    fn known(self) -> &'static [&'static str] {
        match self {
            Self::Level => LEVELS,
            Self::ProductGroup => PRODUCT_GROUPS,
        }
    }

    /// Adds the names in `joined`, separated by `;`, to the list of the user.
    ///
    /// WATS never removes names here, so an empty value changes nothing.
    pub(crate) fn add(self, user: &mut Map<String, Value>, joined: &str) -> Result<(), Refusal> {
        let attribute = self.attribute();
        let mut names: Vec<&str> = user
            .get(EXTENSION)
            .and_then(|extension| extension.get(attribute))
            .and_then(Value::as_str)
            .map(|held| names_in(held).collect())
            .unwrap_or_default();
        let held = names.len();
        for name in names_in(joined) {
            if !self.known().contains(&name) {
                return Err(Refusal::invalid_value(format!(
                    "{attribute}: '{name}' does not exist; create it in the WATS Control Panel first"
                )));
            }
            if !names.contains(&name) {
                names.push(name);
            }
        }
        if names.len() > held {
            let joined = names.join(";");
            let extension = user
                .entry(EXTENSION)
                .or_insert_with(|| Map::new().into())
                .as_object_mut()
                .ok_or_else(|| Refusal::invalid_value(format!("{EXTENSION} must be an object")))?;
            extension.insert(attribute.to_owned(), joined.into());
            declare(user);
        }
        Ok(())
    }
}

fn names_in(joined: &str) -> impl Iterator<Item = &str> {
    joined.split(';').map(str::trim).filter(|s| !s.is_empty())
}

/// Lists the extension in the user's `schemas` (RFC 7643 §3).
fn declare(user: &mut Map<String, Value>) {
    if let Some(Value::Array(schemas)) = user.get_mut("schemas") {
        let declared = schemas.iter().filter_map(Value::as_str).any(|schema| same_name(schema, EXTENSION));
        if !declared {
            schemas.push(EXTENSION.into());
        }
    }
}
