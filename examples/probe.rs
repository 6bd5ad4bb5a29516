//! Measures what a SCIM server does: which parts of a query it honours, how large its pages are, what
//! its errors look like. `cargo run --example probe`; with `-- --write` it also takes a user through its
//! life and removes it.
//!
//! The report contains no names, ids or credentials, so it can be pasted into an issue.

mod support;

use std::error::Error;

use wats_scim::blocking::ScimClient;
use wats_scim::probe::Verdict;

fn main() -> Result<(), Box<dyn Error>> {
    let (config, _sandbox) = support::server(120)?;
    let client = ScimClient::with_config(&config)?;

    let mut probe = client.probe();
    if std::env::args().any(|argument| argument == "--write") {
        probe = probe.allow_writes();
    }
    let report = probe.run()?;
    print!("{report}");

    let missing = report.findings.iter().filter(|finding| finding.verdict == Verdict::No).count();
    println!("{missing} of {} answers are no", report.findings.len());

    // From now on, what the server was seen not to have is rejected before it is sent.
    let _client = ScimClient::with_config(&config.profile(report.profile()))?;
    Ok(())
}
