//! `wats-scim logout`

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::profiles::Profiles;
use crate::secrets::{self, Key};

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The name of the profile [default: the current one]
    name: Option<String>,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let name = super::profile::name(context, args.name.as_deref())?;
    Profiles::change(|profiles| {
        let saved = profiles.named(&name)?;
        secrets::forget(saved.secret, Key { profile: &name, url: &saved.url })?;
        profiles.saved.remove(&name);
        profiles.current = profiles.current.take().filter(|current| *current != name);
        Ok(())
    })?;
    context.say(format!("The profile {name} and its credentials are forgotten here. The server still accepts them."));
    Ok(Exit::Done)
}
