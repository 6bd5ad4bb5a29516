//! What is outside of this crate, apart from the server: time, chance, and the files of journals and
//! trails. A simulated world replaces them (docs/simulation.md).

pub(crate) mod clock;
pub(crate) mod file;
#[cfg(sim)]
pub mod sim;
