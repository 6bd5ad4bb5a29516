//! Names that cannot be guessed.

use std::fmt::Write as _;

use super::problem::Problem;

/// 256 random bits, as hexadecimal digits.
pub(super) fn name() -> Result<String, Problem> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|_| Problem::internal())?;
    Ok(bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    }))
}
