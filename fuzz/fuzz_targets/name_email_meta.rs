//! Any JSON object round-trips as a name, an email and a `meta`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wats_scim::{ScimMeta, ScimUserEmail, ScimUserName};
use wats_scim_fuzz::loses_no_member;

fuzz_target!(|json: &[u8]| {
    loses_no_member::<ScimUserName>(json);
    loses_no_member::<ScimUserEmail>(json);
    loses_no_member::<ScimMeta>(json);
    if let Ok(meta) = serde_json::from_slice::<ScimMeta>(json) {
        assert!(meta.created_at().is_none() || meta.created.is_some());
        assert!(meta.last_modified_at().is_none() || meta.last_modified.is_some());
    }
});
