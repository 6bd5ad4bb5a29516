//! `scripts/simulate` runs it.

#[cfg(sim)]
mod command;

#[cfg(sim)]
fn main() -> std::process::ExitCode {
    command::main()
}

#[cfg(not(sim))]
fn main() {
    eprintln!("built without `--cfg sim`, so there is no simulated world; run scripts/simulate");
    std::process::exit(2);
}
