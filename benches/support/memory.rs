//! How much memory this process takes, where the system says.

use std::fs;

/// What it takes now.
pub(crate) fn now_kib() -> Option<u32> {
    status("VmRSS:")
}

/// The most it took so far.
pub(crate) fn peak_kib() -> Option<u32> {
    status("VmHWM:")
}

/// Linux keeps both in `/proc/self/status`, in units of 1024 bytes.
fn status(field: &str) -> Option<u32> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix(field))?.split_whitespace().next()?.parse().ok()
}
