//! The memory of this process, on Linux.

use std::fs;

/// The current memory.
pub(crate) fn now_kib() -> Option<u32> {
    status("VmRSS:")
}

/// The peak memory so far.
pub(crate) fn peak_kib() -> Option<u32> {
    status("VmHWM:")
}

/// Linux has both in `/proc/self/status`, in units of 1024 bytes.
fn status(field: &str) -> Option<u32> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix(field))?.split_whitespace().next()?.parse().ok()
}
