//! `wats-scim users create`

use std::path::{Path, PathBuf};

use wats_scim::import::{users_from_json, users_from_json_file};
use wats_scim::{ScimUser, ScimWrite};

use super::print::{ColumnsArgs, Users};
use super::set::Change;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::many::{Words, name_of, write_all};
use crate::output::{Format, OutputArgs};
use crate::standard_input;

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The sign-in name
    #[arg(long, value_name = "NAME", required_unless_present = "from")]
    user_name: Option<String>,
    /// The first name
    #[arg(long, value_name = "NAME")]
    given_name: Option<String>,
    /// The last name
    #[arg(long, value_name = "NAME")]
    family_name: Option<String>,
    /// The name that is shown
    #[arg(long, value_name = "NAME")]
    display_name: Option<String>,
    /// The e-mail address
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// The id of the user in your own system
    #[arg(long, value_name = "ID")]
    external_id: Option<String>,
    /// A role; may be given more than once
    #[arg(long, value_name = "ROLE")]
    role: Vec<String>,
    /// Create the user without the right to sign in
    #[arg(long)]
    inactive: bool,
    /// Other attributes, such as title=Engineer or department=Test
    #[arg(value_name = "PATH=VALUE")]
    changes: Vec<Change>,
    /// Create the users of a JSON file instead, or of standard input with -
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["user_name", "given_name", "family_name", "display_name", "email", "external_id", "role",
                              "inactive", "changes"]
    )]
    from: Option<PathBuf>,
    #[command(flatten)]
    columns: ColumnsArgs,
    #[command(flatten)]
    output: OutputArgs,
}

const WORDS: Words =
    Words { units: "users", done: "created", again: "create the others; users that exist are not created twice" };

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let users = match &args.from {
        Some(path) => from_file(context, path)?,
        None => vec![args.user()?],
    };
    let format = if users.len() == 1 { args.output.format_or(Format::Pretty) } else { args.output.format() };
    let mut list = Users::new(format, &args.columns)?;
    let client = context.connect_to_write()?;
    let writes = users.into_iter().map(|user| (name_of(&user), ScimWrite::create(user))).collect();
    let exit = write_all(context, &client, writes, WORDS, |user| match user {
        Some(user) => list.row(&user),
        None => Ok(()),
    });
    list.finish(context)?;
    exit
}

fn from_file(context: &Context, path: &Path) -> Result<Vec<ScimUser>, Failure> {
    if path != Path::new("-") {
        return Ok(users_from_json_file(path)?);
    }
    Ok(users_from_json(standard_input::read(context)?)?)
}

impl Args {
    fn user(&self) -> Result<ScimUser, Failure> {
        let mut user = ScimUser::default();
        let roles = (!self.role.is_empty()).then(|| self.role.join(";"));
        let flags = [
            ("userName", &self.user_name),
            ("externalId", &self.external_id),
            ("givenName", &self.given_name),
            ("familyName", &self.family_name),
            ("displayName", &self.display_name),
            ("email", &self.email),
            ("roles", &roles),
        ];
        for (name, text) in flags {
            if let Some(text) = text {
                Change::new(name, text).apply(&mut user)?;
            }
        }
        user.active = Some(!self.inactive);
        self.changes.iter().try_for_each(|change| change.apply(&mut user))?;
        Ok(user)
    }
}
