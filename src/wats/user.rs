use serde_json::{Map, Value};

use super::dialect::SEPARATOR;
use crate::model::{Attributes, Extension, ScimUser, json_object};

/// The WATS user extension, in WATS 2025.1.10 and later.
///
/// WATS joins several values with `;`. The methods [`levels`](Self::levels()) and
/// [`product_groups`](Self::product_groups()) split them.
///
/// ```
/// use wats_scim::{ScimUser, WatsUser};
///
/// let jane = ScimUser::new("jane@example.com").with_levels(["Level 1", "Level 2"]);
/// let wats = jane.extension::<WatsUser>()?.unwrap_or_default();
/// assert_eq!(wats.levels().collect::<Vec<_>>(), ["Level 1", "Level 2"]);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WatsUser {
    /// The levels that the user is restricted to, joined with `;`.
    pub levels: Option<String>,
    /// The product groups that the user is restricted to, joined with `;`.
    pub product_groups: Option<String>,
    /// All other attributes.
    pub attributes: Attributes,
}

json_object!(WatsUser {
    "levels" => levels,
    "productGroups" => product_groups,
});

impl Extension for WatsUser {
    const SCHEMA: &'static str = "urn:ietf:params:scim:schemas:extension:custom:2.0:user";
}

impl WatsUser {
    /// Iterates over the levels.
    pub fn levels(&self) -> impl Iterator<Item = &str> {
        separate(self.levels.as_deref())
    }

    /// Iterates over the product groups.
    pub fn product_groups(&self) -> impl Iterator<Item = &str> {
        separate(self.product_groups.as_deref())
    }
}

fn separate(joined: Option<&str>) -> impl Iterator<Item = &str> {
    joined.unwrap_or_default().split(SEPARATOR).map(str::trim).filter(|value| !value.is_empty())
}

impl ScimUser {
    /// Sets the WATS levels of a new user. Each must exist on the server.
    ///
    /// They are sent in the [WATS extension](WatsUser) (WATS 2025.1.10 and later), joined with `;`.
    /// Therefore a name that contains `;` is read by WATS as two levels.
    #[must_use]
    pub fn with_levels<L: AsRef<str>>(self, levels: impl IntoIterator<Item = L>) -> Self {
        self.with_wats("levels", levels)
    }

    /// Sets the WATS product groups of a new user, under the rules of
    /// [`with_levels`](Self::with_levels).
    #[must_use]
    pub fn with_product_groups<G: AsRef<str>>(self, groups: impl IntoIterator<Item = G>) -> Self {
        self.with_wats("productGroups", groups)
    }

    fn with_wats<V: AsRef<str>>(self, name: &str, values: impl IntoIterator<Item = V>) -> Self {
        let values: Vec<V> = values.into_iter().collect();
        let joined = values.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(SEPARATOR);
        let mut extension = match self.attributes.get(WatsUser::SCHEMA) {
            Some(Value::Object(extension)) => extension.clone(),
            _ => Map::new(),
        };
        extension.insert(name.to_owned(), joined.into());
        self.with_attribute(WatsUser::SCHEMA, extension)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn levels_and_product_groups_share_the_extension() {
        let user = ScimUser::new("jane").with_levels(["Level 1", "Level 2"]).with_product_groups(["Group A"]);
        assert_eq!(
            user.attributes.get(WatsUser::SCHEMA),
            Some(&json!({ "levels": "Level 1;Level 2", "productGroups": "Group A" }))
        );
    }
}
