//! Any JSON object round-trips as a schema and as a resource type. A user is checked against any schemas,
//! and each problem is one line.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wats_scim::{ResourceType, Schema, Schemas, ScimUser};
use wats_scim_fuzz::loses_no_member;

fuzz_target!(|json: &[u8]| {
    loses_no_member::<Schema>(json);
    loses_no_member::<ResourceType>(json);
    let mut lines = json.splitn(2, |byte| *byte == b'\n');
    let (Some(schemas), Some(user)) = (lines.next(), lines.next()) else { return };
    let (Ok(schemas), Ok(user)) =
        (serde_json::from_slice::<Schemas>(schemas), serde_json::from_slice::<ScimUser>(user))
    else {
        return;
    };
    for problem in schemas.check(&user).expect("a user is written as JSON") {
        let text = problem.to_string();
        assert!(!text.contains(char::is_control), "{text:?}");
    }
});
