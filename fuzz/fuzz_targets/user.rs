//! Any JSON object round-trips as a user, and reading its attributes changes nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wats_scim::ScimUser;
use wats_scim_fuzz::{loses_no_member, round_trips};

fuzz_target!(|json: &[u8]| {
    loses_no_member::<ScimUser>(json);
    let Ok(user) = serde_json::from_slice::<ScimUser>(json) else { return };
    let before = user.clone();
    let _ = (user.title(), user.get("emails.value"));
    user.phone_numbers().unwrap_or_default().iter().for_each(|number| drop(round_trips(number)));
    user.addresses().unwrap_or_default().iter().for_each(|address| drop(round_trips(address)));
    assert_eq!(user, before);
});
