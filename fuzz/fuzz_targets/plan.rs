//! A stored plan that is read prints and round-trips, and only `delete` deletes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wats_scim::plan::Plan;

fuzz_target!(|json: &[u8]| {
    let Ok(plan) = serde_json::from_slice::<Plan>(json) else { return };
    let printed = plan.to_string();
    let stored = serde_json::to_string(&plan).unwrap();
    let back: Plan = serde_json::from_str(&stored).unwrap();
    assert_eq!(back.to_string(), printed);
    assert_eq!(serde_json::to_string(&back).unwrap(), stored);
    assert_eq!(back.digest(), plan.digest());
    let _ = plan.markdown().to_string();
    let public = serde_json::to_string(&plan.without_values()).unwrap();
    assert!(serde_json::from_str::<Plan>(&public).is_err());
    assert!(plan.diff(&back).is_empty());
});
