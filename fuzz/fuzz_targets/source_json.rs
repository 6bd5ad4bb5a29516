//! Users read from JSON have names without duplicates, and round-trip.
#![no_main]

use std::collections::HashSet;

use libfuzzer_sys::fuzz_target;
use wats_scim::import::users_from_json;

fuzz_target!(|json: &[u8]| {
    let Ok(users) = users_from_json(json) else { return };
    let names: HashSet<_> = users.iter().filter_map(|user| Some(user.user_name.as_ref()?.to_lowercase())).collect();
    assert_eq!(names.len(), users.len());
    let written = serde_json::to_vec(&users).expect("users are written");
    assert_eq!(users_from_json(written).expect("what was read is read again"), users);
});
