//! Shared assertions of the fuzz targets.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// Asserts that a value round-trips through JSON. Returns the JSON.
pub fn round_trips<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) -> Vec<u8> {
    let json = serde_json::to_vec(value).expect("the value is serialized");
    let back: T = serde_json::from_slice(&json).expect("the written JSON is read");
    assert_eq!(&back, value, "written JSON: {}", String::from_utf8_lossy(&json));
    json
}

/// Asserts that any JSON object is read as a `T` without loss of a member.
pub fn loses_no_member<T: Serialize + DeserializeOwned + PartialEq + Debug>(json: &[u8]) {
    let Ok(sent) = serde_json::from_slice::<Map<String, Value>>(json) else { return };
    let model: T = serde_json::from_slice(json).expect("any JSON object is read");
    let kept: Map<String, Value> = serde_json::from_slice(&round_trips(&model)).expect("it is an object");
    for name in sent.keys() {
        let is_same = |other: &str| other.eq_ignore_ascii_case(name);
        // The last of several members with the same name in any letter case wins, which may be
        // `null`.
        let is_assigned = sent.iter().all(|(other, value)| !is_same(other) || !is_unassigned(value));
        assert!(!is_assigned || kept.keys().any(|other| is_same(other)), "{name} is lost");
    }
}

/// Whether a value is the same as a missing one (RFC 7643 §2.5).
fn is_unassigned(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty)
}
