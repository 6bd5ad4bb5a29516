use serde::Serialize;
use wats_scim_filter::json;

/// Whether what the server holds is what was sent: no attribute that both have differs.
///
/// A server may leave out what it does not know and add what it likes (RFC 7644 §3.1), so only
/// what both say is compared, and attribute names in any letter case.
pub(crate) fn is_the_one_sent<T: Serialize>(sent: &T, held: &T) -> bool {
    match (serde_json::to_value(sent), serde_json::to_value(held)) {
        (Ok(sent), Ok(held)) => json::agree(&sent, &held),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn same(sent: &Value, held: &Value) -> bool {
        is_the_one_sent(sent, held)
    }

    #[test]
    fn a_server_may_add_and_leave_out() {
        let sent = json!({ "userName": "Jane", "title": "x", "emails": [{ "value": "j@x" }], "password": "p" });
        let held =
            json!({ "id": "1", "USERNAME": "jane", "active": true, "emails": [{ "value": "j@x", "primary": true }] });
        assert!(same(&sent, &held));
    }

    #[test]
    fn what_both_say_must_agree() {
        assert!(!same(&json!({ "externalId": "1" }), &json!({ "externalId": "2" })));
        assert!(!same(&json!({ "emails": [{ "value": "a" }] }), &json!({ "emails": [{ "value": "b" }] })));
        assert!(!same(&json!({ "name": { "givenName": "A" } }), &json!({ "name": { "givenName": "a" } })));
    }
}
