//! At most one value is primary (RFC 7643 §2.4): a new one replaces the old one (RFC 7644 §3.5.2).

use serde_json::Value;

use crate::refusal::Refusal;
use crate::standard::intake::is_primary;

/// Keeps `primary` only on the value that an operation has made primary.
pub(super) fn settle(before: &[Value], after: &mut [Value]) -> Result<(), Refusal> {
    let is_new = |value: &Value| is_primary(value) && !before.contains(value);
    if after.iter().filter(|value| is_primary(value)).count() < 2 {
        return Ok(());
    }
    match after.iter().filter(|value| is_new(value)).count() {
        0 => Ok(()),
        1 => {
            for value in after {
                if is_new(value) {
                    continue;
                }
                if let Some(primary) = value.get_mut("primary") {
                    *primary = Value::Bool(false);
                }
            }
            Ok(())
        }
        _ => Err(Refusal::invalid_value("only one value can be primary")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_new_primary_replaces_the_old_one() {
        let old = json!({"value": "a", "primary": true});
        let mut after = [old.clone(), json!({"value": "b", "primary": true})];
        settle(&[old], &mut after).unwrap();
        assert_eq!(after[0]["primary"], false);
    }

    #[test]
    fn two_new_primary_values_are_rejected() {
        let mut after = [json!({"value": "a", "primary": true}), json!({"value": "b", "primary": true})];
        assert!(settle(&[], &mut after).is_err());
    }
}
