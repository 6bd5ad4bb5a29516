//! Any JSON object round-trips as a user.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wats_scim::ScimUser;
use wats_scim_fuzz::loses_no_member;

fuzz_target!(|json: &[u8]| loses_no_member::<ScimUser>(json));
