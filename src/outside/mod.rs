//! What is outside of this crate, apart from the server: time, chance, and the files of journals and
//! trails. A simulated world replaces them (docs/simulation.md).

/// Whether the crate makes a deliberate mistake, which the simulated world must find. False without it.
#[cfg(not(sim))]
macro_rules! mistake {
    ($name:literal) => {
        false
    };
}
#[cfg(sim)]
macro_rules! mistake {
    ($name:literal) => {
        $crate::outside::sim::makes($name)
    };
}
pub(crate) use mistake;

pub(crate) mod clock;
pub(crate) mod file;
#[cfg(sim)]
pub mod sim;
