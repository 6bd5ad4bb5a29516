//! A page of the members of a group, in the forms that servers give it.

use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

use super::group::{ScimGroup, ScimMember};
use super::json::member;
use super::list::ScimListResponse;

/// A list of members or of users (INDIGO IAM, Seismic), or a group with a page of its members (Oracle).
#[derive(Debug, PartialEq)]
pub(crate) struct MemberPage(pub(crate) ScimListResponse<ScimMember>);

impl<'de> Deserialize<'de> for MemberPage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let body = Value::deserialize(deserializer)?;
        if member(&body, "Resources").is_some() || member(&body, "totalResults").is_some() {
            let mut page: ScimListResponse<ScimMember> = serde_json::from_value(body).map_err(de::Error::custom)?;
            page.resources.iter_mut().for_each(take_the_id_of_a_user);
            return Ok(Self(page));
        }
        let group: ScimGroup = serde_json::from_value(body).map_err(de::Error::custom)?;
        if group.id.is_none() {
            return Err(de::Error::custom("it is neither a list nor a group"));
        }
        Ok(Self(ScimListResponse { resources: group.members.unwrap_or_default(), ..ScimListResponse::default() }))
    }
}

/// A user has an `id` where a member has a `value`.
fn take_the_id_of_a_user(member: &mut ScimMember) {
    if member.known_id().is_none() {
        member.value = match member.attributes.get("id") {
            Some(Value::String(id)) => Some(id.clone()),
            Some(Value::Number(id)) => Some(id.to_string()),
            _ => None,
        };
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(body: Value) -> Result<(Option<u64>, Vec<String>), serde_json::Error> {
        let MemberPage(page) = serde_json::from_value(body)?;
        let ids = page.resources.iter().filter_map(ScimMember::known_id).map(str::to_owned);
        Ok((page.total_results, ids.collect()))
    }

    #[test]
    fn a_page_is_a_list_of_members_or_users_or_a_group_with_members() {
        let ids = |total, ids: &[&str]| (total, ids.iter().map(|id| (*id).to_owned()).collect());
        for (body, page) in [
            (
                json!({ "totalResults": 3, "Resources": [{ "value": "1" }, { "$ref": "x/2" }] }),
                ids(Some(3), &["1", "2"]),
            ),
            (
                json!({ "totalResults": 2, "Resources": [{ "id": "1", "userName": "a" }, { "id": 2 }] }),
                ids(Some(2), &["1", "2"]),
            ),
            (json!({ "totalResults": 0 }), ids(Some(0), &[])),
            (json!({ "id": "7", "members": [{ "value": 1 }] }), ids(None, &["1"])),
            (json!({ "id": "7" }), ids(None, &[])),
        ] {
            assert_eq!(read(body.clone()).unwrap(), page, "{body}");
        }
        assert!(read(json!({ "detail": "no" })).is_err() && read(json!([])).is_err());
    }
}
