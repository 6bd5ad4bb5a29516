//! What several targets assert.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// Writes a value as JSON and reads it back: nothing of it may change. Returns the JSON.
pub fn survives_json<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) -> Vec<u8> {
    let json = serde_json::to_vec(value).expect("it is written");
    let back: T = serde_json::from_slice(&json).expect("what was written is read");
    assert_eq!(&back, value, "what was written: {}", String::from_utf8_lossy(&json));
    json
}

/// Any JSON object is a `T`, and `T` loses no member of it.
pub fn loses_no_member<T: Serialize + DeserializeOwned + PartialEq + Debug>(json: &[u8]) {
    let Ok(sent) = serde_json::from_slice::<Map<String, Value>>(json) else { return };
    let model: T = serde_json::from_slice(json).expect("any JSON object is read");
    let kept: Map<String, Value> = serde_json::from_slice(&survives_json(&model)).expect("it is an object");
    for name in sent.keys() {
        let is_same = |other: &str| other.eq_ignore_ascii_case(name);
        // Of the same name twice, in another letter case, the last one counts, which may be `null`.
        let is_assigned = sent.iter().all(|(other, value)| !is_same(other) || !is_unassigned(value));
        assert!(!is_assigned || kept.keys().any(|other| is_same(other)), "{name} is lost");
    }
}

/// RFC 7643 §2.5: the same as absent.
fn is_unassigned(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty)
}
