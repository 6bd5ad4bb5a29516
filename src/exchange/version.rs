//! The version of a resource: an entity tag (RFC 7644 §3.14, RFC 9110 §8.8.3).

use std::borrow::Cow;

use http::HeaderMap;
use http::header::ETAG;

use crate::model::Resource;

/// Sets the version of a resource from the header `ETag`, if its body has none, or has the same one
/// without quotes.
///
/// Another version in the body is kept: web frameworks add an `ETag` of their own.
pub(super) fn set_from_header<T: Resource>(resource: &mut T, headers: &HeaderMap) {
    let Some(tag) = headers.get(ETAG).and_then(|tag| tag.to_str().ok()).map(str::trim) else { return };
    let Some(opaque) = opaque(tag) else { return };
    if resource.version().is_none_or(|version| version.is_empty() || version == opaque) {
        resource.set_version(tag);
    }
}

/// A version as an entity tag. Some servers write it without quotes.
pub(super) fn entity_tag(version: &str) -> Cow<'_, str> {
    let is_tag = version == "*" || opaque(version).is_some();
    if is_tag { version.into() } else { format!("W/\"{version}\"").into() }
}

/// What is between the quotes of an entity tag.
fn opaque(tag: &str) -> Option<&str> {
    tag.strip_prefix("W/").unwrap_or(tag).strip_prefix('"')?.strip_suffix('"')
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;
    use crate::model::ScimUser;

    #[test]
    fn the_header_is_the_version_of_a_resource_without_one() {
        let read = |body: &str, tag: &'static str| {
            let mut user: ScimUser = serde_json::from_str(body).unwrap();
            set_from_header(&mut user, &HeaderMap::from_iter([(ETAG, HeaderValue::from_static(tag))]));
            user.version().map(ToOwned::to_owned)
        };
        assert_eq!(read("{}", "W/\"1\"").as_deref(), Some("W/\"1\""));
        assert_eq!(read(r#"{"meta":{"version":"1"}}"#, "\"1\"").as_deref(), Some("\"1\""));
        assert_eq!(read(r#"{"meta":{"version":"W/\"2\""}}"#, "W/\"1\"").as_deref(), Some("W/\"2\""));
        assert_eq!(read("{}", "1"), None, "not an entity tag");
    }

    #[test]
    fn a_version_without_quotes_becomes_an_entity_tag() {
        for (version, tag) in [("W/\"1\"", "W/\"1\""), ("\"1\"", "\"1\""), ("1", "W/\"1\""), ("*", "*")] {
            assert_eq!(entity_tag(version), tag);
        }
    }
}
