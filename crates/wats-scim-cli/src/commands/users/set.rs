//! `wats-scim users set`

use std::str::FromStr;

use wats_scim::{ScimPatchRequest, ScimUser, ScimWrite};

use super::say_unneeded;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::lookup::resolve;
use crate::many::{AGAIN, Words, name_of, question, write_all};
use crate::output::shown;
use crate::who;

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// A userName, an id, or externalId:ID; - for a list on standard input, one per line
    #[arg(value_name = "WHO")]
    who: String,
    /// The new values, such as name.familyName=Roe; without a value, the attribute is cleared
    #[arg(required = true, value_name = "PATH=VALUE")]
    changes: Vec<Change>,
    /// Leave out users that are not on the server, instead of changing nothing
    #[arg(long)]
    skip_unknown: bool,
    /// Do not ask; needed to deactivate users without a terminal
    #[arg(long, short)]
    yes: bool,
}

/// A new value of an attribute.
#[derive(Clone, Debug)]
pub(super) struct Change {
    path: String,
    value: String,
}

impl FromStr for Change {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((path, value)) if !path.trim().is_empty() => {
                Ok(Self { path: path.trim().to_owned(), value: value.to_owned() })
            }
            _ => Err("expected a path, = and a value, such as title=Engineer".to_owned()),
        }
    }
}

impl Change {
    pub(super) fn new(path: &str, value: &str) -> Self {
        Self { path: path.to_owned(), value: value.to_owned() }
    }

    pub(super) fn apply(&self, user: &mut ScimUser) -> Result<(), Failure> {
        // Not while the arguments are read: the message would repeat the password.
        if self.path.to_ascii_lowercase().contains("password") {
            return Err(Failure::Usage("a password is never an argument; create the user with --from".to_owned()));
        }
        user.set_text(&self.path, &self.value).map_err(|error| Failure::Usage(error.to_string()))
    }
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    // A change that no user can have is found before a request is sent.
    args.changes.iter().try_for_each(|change| change.apply(&mut ScimUser::default()))?;
    let who = who::read(context, std::slice::from_ref(&args.who))?;
    let client = context.connect_to_write()?;
    let users: Vec<ScimUser> = resolve(context, &client, &who)?.for_write(context, args.skip_unknown)?;
    let (mut changed, mut patches, mut deactivated) = (0, Vec::new(), Vec::new());
    let all = users.len();
    for old in users {
        let mut new = old.clone();
        args.changes.iter().try_for_each(|change| change.apply(&mut new))?;
        let patch = if client.profile().is_wats() { for_wats(&old, &new)? } else { between(&old, &new)? };
        if !patch.operations.is_empty() {
            changed += 1;
            patches.push((name_of(&old), ScimWrite::<ScimUser>::patch(&old, patch)));
            if old.active == Some(true) && new.active == Some(false) {
                deactivated.push(old);
            }
        }
    }
    say_unneeded(context, all, changed, "so");
    context.confirm(args.yes, deactivated.len(), &question("deactivates", &deactivated))?;
    write_all(context, &client, patches, Words { units: "users", done: "changed", again: AGAIN }, |_| Ok(()))
}

fn between(old: &ScimUser, new: &ScimUser) -> Result<ScimPatchRequest, Failure> {
    ScimPatchRequest::between(old, new).map_err(|error| Failure::Other(error.to_string()))
}

/// The patch for WATS, which changes few attributes and clears none.
fn for_wats(old: &ScimUser, new: &ScimUser) -> Result<ScimPatchRequest, Failure> {
    let (patch, left_out) =
        ScimPatchRequest::between_for_wats(old, new).map_err(|error| Failure::Other(error.to_string()))?;
    if left_out.is_empty() {
        return Ok(patch);
    }
    let name = shown(&name_of(old));
    let hint = if left_out.iter().any(|change| change.starts_with("displayName")) {
        "; fullName= sets the displayName too"
    } else {
        ""
    };
    Err(Failure::Other(format!(
        "WATS cannot do this to {name}: {}; nothing was changed. It changes fullName, givenName, familyName, email, \
         active and one role, adds levels and productGroups, and clears nothing{hint}",
        left_out.join(", ")
    )))
}
