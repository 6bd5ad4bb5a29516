use wats_scim_filter::json;

use crate::model::Resource;

/// Whether a resource on the server can be the one that was sent: no attribute that both have differs.
///
/// A server may ignore attributes and add others (RFC 7644 §3.3), so only attributes that both have are
/// compared. Letter case of attribute names is ignored.
pub(crate) fn is_the_one_sent<T: Resource>(sent: &T, held: &T) -> bool {
    match (serde_json::to_value(sent), serde_json::to_value(held)) {
        (Ok(sent), Ok(held)) => json::agree(T::NAMED_BY, &sent, &held),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::model::{ScimGroup, ScimUser};

    fn same(sent: &Value, held: &Value) -> bool {
        let [sent, held] = [sent, held].map(|json| serde_json::from_value::<ScimUser>(json.clone()).unwrap());
        is_the_one_sent(&sent, &held)
    }

    #[test]
    fn a_group_has_its_name_in_any_case_and_composition() {
        assert!(is_the_one_sent(&ScimGroup::new("Prüfer"), &ScimGroup::new("PRU\u{308}FER")));
    }

    #[test]
    fn a_server_may_add_and_leave_out() {
        let sent = json!({ "userName": "Jane", "title": "x", "emails": [{ "value": "j@x" }], "password": "p" });
        let held =
            json!({ "id": "1", "USERNAME": "jane", "active": true, "emails": [{ "value": "j@x", "primary": true }] });
        assert!(same(&sent, &held));
    }

    #[test]
    fn attributes_that_both_have_must_agree() {
        assert!(!same(&json!({ "externalId": "1" }), &json!({ "externalId": "2" })));
        assert!(!same(&json!({ "emails": [{ "value": "a" }] }), &json!({ "emails": [{ "value": "b" }] })));
        assert!(!same(&json!({ "name": { "givenName": "A" } }), &json!({ "name": { "givenName": "a" } })));
    }
}
