//! How a figure is shown.

use std::fmt;

/// What a figure should be.
pub(crate) enum Goal {
    AtMost(f64),
    AtLeast(f64),
    /// It is shown for information.
    None,
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtMost(most) => write!(f, "<= {most:.2}"),
            Self::AtLeast(least) => write!(f, ">= {least:.2}"),
            Self::None => f.write_str("none"),
        }
    }
}

/// Prints a figure, and its goal on a line of its own. `scripts/measure` reads both.
pub(crate) fn show(name: &str, value: f64, goal: &Goal) {
    println!("{name}: {value:.2}\n  goal: {goal}");
}

/// The middle one; of an even number, the lower of the two.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN)
}
