use serde::Serialize;
use serde_json::Value;

/// Whether what the server holds is what was sent: no attribute that both have differs.
///
/// A server may leave out what it does not know and add what it likes (RFC 7644 §3.1), so only
/// what both say is compared, and attribute names in any letter case.
pub(crate) fn is_the_one_sent<T: Serialize>(sent: &T, held: &T) -> bool {
    match (serde_json::to_value(sent), serde_json::to_value(held)) {
        (Ok(sent), Ok(held)) => agrees(&sent, &held),
        _ => false,
    }
}

fn agrees(sent: &Value, held: &Value) -> bool {
    match (sent, held) {
        (Value::Object(sent), Value::Object(held)) => sent.iter().all(|(name, value)| {
            let is_the_servers = ["id", "meta", "schemas", "password"].iter().any(|own| name.eq_ignore_ascii_case(own));
            let same = held.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
            is_the_servers
                || same.is_none_or(|(known, held)| {
                    // A user name is the same in any letter case (RFC 7643 §4.1.1).
                    let is_name = known.eq_ignore_ascii_case("userName");
                    agrees(value, held) || (is_name && same_text(value, held))
                })
        }),
        (Value::Array(sent), Value::Array(held)) => {
            sent.iter().all(|value| held.iter().any(|candidate| agrees(value, candidate)))
        }
        _ => sent == held,
    }
}

fn same_text(sent: &Value, held: &Value) -> bool {
    sent.as_str().zip(held.as_str()).is_some_and(|(sent, held)| sent.to_lowercase() == held.to_lowercase())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

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
