//! Attribute paths, in filters and in PATCH operations.

use std::fmt;
use std::str::FromStr;

use super::{Filter, FilterError};

/// The path of an attribute: `userName`, `name.givenName`, or one of these after the URN of its schema,
/// `urn:ietf:params:scim:schemas:core:2.0:User:name.givenName` (RFC 7644 §3.10).
///
/// The schema ends at the last colon, because its URN contains colons and, in the version, a dot.
/// Names keep their letter case; servers ignore it.
///
/// ```
/// use wats_scim_filter::AttributePath;
///
/// let path: AttributePath =
///     "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.displayName".parse()?;
/// assert_eq!(
///     path.schema(),
///     Some("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User")
/// );
/// assert_eq!(path.name(), "manager");
/// assert_eq!(path.sub_attribute(), Some("displayName"));
/// # Ok::<(), wats_scim_filter::FilterError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AttributePath {
    schema: Option<String>,
    name: String,
    sub_attribute: Option<String>,
}

impl AttributePath {
    /// The URN of the schema, if the path contains one.
    #[must_use]
    pub fn schema(&self) -> Option<&str> {
        self.schema.as_deref()
    }

    /// The name of the attribute.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name of the sub-attribute, if the path has one.
    #[must_use]
    pub fn sub_attribute(&self) -> Option<&str> {
        self.sub_attribute.as_deref()
    }
}

impl FromStr for AttributePath {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        let (schema, names) = match text.rsplit_once(':') {
            Some((schema, names)) => (Some(schema), names),
            None => (None, text),
        };
        let mut offset = 0;
        if let Some(schema) = schema {
            if !is_uri(schema) {
                return Err(FilterError::syntax(0, "the URN of a schema", schema));
            }
            offset = schema.chars().count().saturating_add(1);
        }
        let (name, sub_attribute) = match names.split_once('.') {
            Some((name, sub)) => (name, Some(sub)),
            None => (names, None),
        };
        check_name(name, "an attribute name").map_err(|error| error.shifted(offset))?;
        if let Some(sub) = sub_attribute {
            let offset = offset.saturating_add(name.chars().count()).saturating_add(1);
            check_name(sub, "a sub-attribute name").map_err(|error| error.shifted(offset))?;
        }
        Ok(Self {
            schema: schema.map(str::to_owned),
            name: name.to_owned(),
            sub_attribute: sub_attribute.map(str::to_owned),
        })
    }
}

impl fmt::Display for AttributePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schema) = &self.schema {
            write!(f, "{schema}:")?;
        }
        f.write_str(&self.name)?;
        if let Some(sub) = &self.sub_attribute {
            write!(f, ".{sub}")?;
        }
        Ok(())
    }
}

/// Checks an attribute name against RFC 7643 §2.1, whose `nameChar` includes the `$` that RFC 7644
/// omits. `$ref` (RFC 7643 §2.4) violates both rules and is accepted as an exception.
pub(super) fn check_name(name: &str, what: &str) -> Result<(), FilterError> {
    if name.eq_ignore_ascii_case("$ref") {
        return Ok(());
    }
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return Err(FilterError::syntax(0, what, name));
    }
    let is_name_char = |c: char| c.is_ascii_alphanumeric() || matches!(c, '$' | '-' | '_');
    let (good, bad) = match name.find(|c| !is_name_char(c)) {
        Some(index) => name.split_at_checked(index).unwrap_or((name, "")),
        None => return Ok(()),
    };
    let expected = format!("{what} of letters, digits, `$`, `-` and `_` only");
    Err(FilterError::syntax(good.chars().count(), expected, bad))
}

/// A scheme, a colon and characters of RFC 3986, without brackets and parentheses, which end a path in
/// a filter.
fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
        && !rest.is_empty()
        && rest.chars().all(|c| c.is_ascii_alphanumeric() || "-._~:/?#@!$&'*+,;=%".contains(c))
}

/// The path of a PATCH operation (RFC 7644 §3.5.2): an attribute, the values of a multi-valued
/// attribute that a filter selects, or a sub-attribute of these values.
///
/// ```
/// use wats_scim_filter::PatchPath;
///
/// let path: PatchPath = r#"emails[type eq "work"].value"#.parse()?;
/// assert_eq!(path.path().name(), "emails");
/// assert_eq!(path.filter().map(ToString::to_string).as_deref(), Some(r#"type eq "work""#));
/// assert_eq!(path.sub_attribute(), Some("value"));
/// # Ok::<(), wats_scim_filter::FilterError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct PatchPath {
    pub(super) path: AttributePath,
    pub(super) filter: Option<Filter>,
    pub(super) sub_attribute: Option<String>,
}

impl PatchPath {
    /// The attribute, with its sub-attribute if no filter separates them.
    #[must_use]
    pub fn path(&self) -> &AttributePath {
        &self.path
    }

    /// The filter that selects values; `None` selects the whole attribute.
    #[must_use]
    pub fn filter(&self) -> Option<&Filter> {
        self.filter.as_ref()
    }

    /// The sub-attribute, after a filter (`emails[type eq "work"].value`) or after the attribute
    /// (`name.givenName`).
    #[must_use]
    pub fn sub_attribute(&self) -> Option<&str> {
        self.sub_attribute.as_deref().or_else(|| self.path.sub_attribute())
    }

    /// The path without its filter, which selects all values of the attribute.
    ///
    /// ```
    /// use wats_scim_filter::PatchPath;
    ///
    /// let path: PatchPath = r#"emails[value eq "jane@example.com"].type"#.parse()?;
    /// assert_eq!(path.without_filter().to_string(), "emails.type");
    /// # Ok::<(), wats_scim_filter::FilterError>(())
    /// ```
    #[must_use]
    pub fn without_filter(self) -> Self {
        Self { filter: None, ..self }
    }
}

impl fmt::Display for PatchPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.fmt(f)?;
        if let Some(filter) = &self.filter {
            write!(f, "[{filter}]")?;
        }
        if let Some(sub) = &self.sub_attribute {
            write!(f, ".{sub}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(path: &str) -> Option<usize> {
        path.parse::<AttributePath>().unwrap_err().position()
    }

    #[test]
    fn the_schema_ends_at_the_last_colon() {
        let path: AttributePath = "urn:ietf:params:scim:schemas:core:2.0:User:userName".parse().unwrap();
        assert_eq!(path.schema(), Some("urn:ietf:params:scim:schemas:core:2.0:User"));
        assert_eq!((path.name(), path.sub_attribute()), ("userName", None));
    }

    #[test]
    fn the_ref_sub_attribute_is_accepted() {
        let path: AttributePath = "members.$ref".parse().unwrap();
        assert_eq!(path.sub_attribute(), Some("$ref"));
    }

    #[test]
    fn a_name_begins_with_a_letter() {
        assert_eq!(position("2name"), Some(0));
        assert_eq!(position("$other"), Some(0));
    }

    #[test]
    fn the_first_bad_character_is_reported() {
        assert_eq!(position("user name"), Some(4));
        assert_eq!(position("urn:a:user\"name"), Some(10));
        assert_eq!(position("name.given name"), Some(10));
        assert_eq!(position("näme"), Some(1));
    }

    #[test]
    fn there_is_only_one_level_of_sub_attributes() {
        assert_eq!(position("a.b.c"), Some(3));
    }

    #[test]
    fn empty_names_are_rejected() {
        for path in ["", ".", "a.", ".a", ":", "urn:x:", "urn:a", ":a"] {
            assert!(path.parse::<AttributePath>().is_err(), "{path}");
        }
    }

    #[test]
    fn paths_print_as_they_were_written() {
        for text in ["Title", "name.givenName", "urn:x:y:2.0:Z:a-b_c$1.$ref"] {
            assert_eq!(text.parse::<AttributePath>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_patch_path_may_have_a_sub_attribute_without_a_filter() {
        let path: PatchPath = "name.familyName".parse().unwrap();
        assert_eq!(path.sub_attribute(), Some("familyName"));
        assert_eq!(path.filter(), None);
    }
}
