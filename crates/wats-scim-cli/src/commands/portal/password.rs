//! `wats-scim portal password`

use std::io::BufRead as _;
use std::path::PathBuf;

use wats_scim::Secret;

use super::password_file::{PasswordFile, check_name, hashed};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::shown;
use crate::terminal::{ask_secret, can_ask};

/// A password is not shorter (NIST SP 800-63B), and not longer than its form is.
const LENGTHS: std::ops::RangeInclusive<usize> = 12..=200;

#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// The name of the person, as it is on the trail
    #[arg(value_name = "NAME")]
    name: String,
    /// Keep the password in this file [default: portal.passwords beside the profiles]
    #[arg(long, value_name = "FILE")]
    passwords: Option<PathBuf>,
    /// Remove the person, and sign the person out
    #[arg(long)]
    remove: bool,
}

/// The password is asked for twice, or is the first line of standard input.
pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    check_name(&args.name)?;
    let file = PasswordFile::at(args.passwords.clone())?;
    let (name, path) = (shown(&args.name), file.path().display().to_string());
    if args.remove {
        if !file.set(&args.name, None)? {
            return Err(Failure::Other(format!("{path} has no {name}")));
        }
        context.say(format!("{name} is removed from {path}"));
        return Ok(Exit::Done);
    }
    let password = if can_ask() { asked()? } else { from_input()? };
    if !LENGTHS.contains(&password.expose().chars().count()) {
        return Err(Failure::Usage(format!("a password has {} to {} characters", LENGTHS.start(), LENGTHS.end())));
    }
    let is_known = file.set(&args.name, Some(hashed(&password)?))?;
    context.say(format!("the password of {name} is {} {path}", if is_known { "changed in" } else { "in" }));
    Ok(Exit::Done)
}

fn asked() -> Result<Secret, Failure> {
    let password = ask_secret("Password")?;
    if password.expose() == ask_secret("The same password again")?.expose() {
        return Ok(password);
    }
    Err(Failure::Usage("the two passwords differ; nothing was changed".to_owned()))
}

fn from_input() -> Result<Secret, Failure> {
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    read.map_err(|error| Failure::Other(format!("the password cannot be read from standard input: {error}")))?;
    Ok(Secret::new(line.trim()))
}
