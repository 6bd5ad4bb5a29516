//! A page has as many users as the server sent, not counting `null`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};
use wats_scim::{ScimListResponse, ScimUser};

fuzz_target!(|json: &[u8]| {
    let Ok(page) = serde_json::from_slice::<ScimListResponse<ScimUser>>(json) else { return };
    let Ok(sent) = serde_json::from_slice::<Map<String, Value>>(json) else { return };
    let mut lists = sent.iter().filter(|(name, _)| name.eq_ignore_ascii_case("Resources")).map(|(_, list)| list);
    let users = |list: &Vec<Value>| list.iter().filter(|user| !user.is_null()).count();
    let sent = lists.next().and_then(Value::as_array).map_or(0, users);
    // With the same name in another letter case, the last member wins, which the map does not know.
    if lists.next().is_none() {
        assert_eq!(page.resources.len(), sent);
    }
});
