//! `wats-scim profile …`

use clap::Subcommand;
use serde_json::{Value, json};

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::{Listing, OutputArgs};
use crate::profiles::{Profiles, Saved};

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// List the profiles
    List(OutputArgs),
    /// Make a profile the current one
    Use {
        /// The name of the profile
        name: String,
    },
    /// Show a profile, without its secret
    Show {
        /// The name of the profile [default: the current one]
        name: Option<String>,
        #[command(flatten)]
        output: OutputArgs,
    },
}

pub(super) fn run(context: &Context, command: Command) -> Result<Exit, Failure> {
    match command {
        Command::List(output) => {
            let profiles = Profiles::read()?;
            print(&output, &["name", "url", "kind", "user", "current"], &profiles, profiles.saved.iter())?;
            if profiles.saved.is_empty() {
                context.say("There is no profile; `wats-scim login` adds one.");
            }
        }
        Command::Use { name } => {
            Profiles::change(|profiles| {
                profiles.named(&name)?;
                profiles.current = Some(name.clone());
                Ok(())
            })?;
            context.say(format!("The profile {name} is the current one."));
        }
        Command::Show { name, output } => {
            let name = self::name(context, name.as_deref())?;
            let profiles = Profiles::read()?;
            let columns = ["name", "url", "kind", "user", "ca", "secret", "measured", "current"];
            print(&output, &columns, &profiles, [(&name, profiles.named(&name)?)].into_iter())?;
        }
    }
    Ok(Exit::Done)
}

/// The profile that is named, or the current one.
pub(super) fn name(context: &Context, name: Option<&str>) -> Result<String, Failure> {
    let named = name.map(str::to_owned).or_else(|| context.global.server.profile.clone());
    let none = || Failure::Usage("no profile is the current one; give a name, as `profile list` shows it".to_owned());
    named.map_or_else(|| Profiles::read()?.current.ok_or_else(none), Ok)
}

fn print<'a>(
    output: &OutputArgs,
    columns: &[&str],
    profiles: &Profiles,
    of: impl Iterator<Item = (&'a String, &'a Saved)>,
) -> Result<(), Failure> {
    let columns: Vec<_> = columns.iter().map(|&column| column.to_owned()).collect();
    let mut list = Listing::new(output.format(), &columns);
    for (name, saved) in of {
        let Saved { url, kind, user, ca, secret, measured } = saved;
        let measured = measured.as_ref().map(|measured| measured.at.to_string());
        let current = profiles.current.as_ref() == Some(name);
        let object = json!({
            "name": name, "url": url, "kind": kind, "user": user, "ca": ca, "secret": secret, "measured": measured,
            "current": current,
        });
        list.row(&object, |column| match object.get(column) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(Value::Bool(is)) => if *is { "yes" } else { "" }.to_owned(),
            Some(other) => other.to_string(),
        })?;
    }
    list.finish()?;
    Ok(())
}
