//! Deactivates the users of a domain that was given up, except those who are on a list.
//! `cargo run --example clean_up -- DOMAIN [--apply] [KEPT_USER...]`: on a sandbox, or on your server if
//! `WATS_BASE_URL` and `WATS_TOKEN` are set

mod support;

use std::collections::HashSet;
use std::env;
use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use wats_scim::blocking::ScimClient;
use wats_scim::{RetryPolicy, ScimUser};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (flags, names): (Vec<_>, Vec<_>) = arguments.iter().partition(|argument| argument.starts_with("--"));
    let Some((domain, kept)) = names.split_first() else {
        eprintln!("usage: clean_up DOMAIN [--apply] [KEPT_USER...]");
        return Ok(ExitCode::from(64));
    };
    let kept: HashSet<&str> = kept.iter().map(|name| name.as_str()).collect();
    let (config, _sandbox) = support::server(10)?;
    // A job that runs at night can wait for a server that is down for some minutes.
    let client = ScimClient::with_config(&config)?
        .with_retry(RetryPolicy::default().attempts(8).deadline(Duration::from_secs(900)));

    let mut leavers = Vec::new();
    for user in client.iter_users() {
        let user: ScimUser = user?;
        let name = user.user_name.as_deref().unwrap_or_default();
        let is_of_domain = name.rsplit_once('@').is_some_and(|(_, of)| of.eq_ignore_ascii_case(domain));
        if is_of_domain && user.active != Some(false) && !kept.contains(name) {
            println!("{name}");
            leavers.push(user.require_id()?.to_owned());
        }
    }
    if !flags.iter().any(|flag| *flag == "--apply") {
        println!("{} users would be deactivated; add --apply to do it", leavers.len());
        return Ok(ExitCode::SUCCESS);
    }

    // It stops by itself if the credentials are rejected, and after 20 other failures.
    let mut batch = client.deactivate_users(leavers).stop_after(20);
    let mut failed = 0;
    for item in &mut batch {
        if let Err(error) = item.result {
            failed += 1;
            eprintln!("{:?}: {error}", item.write);
        }
    }
    println!("{} deactivated, {failed} failed", batch.progress().done - failed);
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
