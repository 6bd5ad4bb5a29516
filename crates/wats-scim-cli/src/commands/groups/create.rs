//! `wats-scim groups create`

use wats_scim::ScimGroup;

use super::members::{self, Members};
use super::{COLUMNS, with_groups};
use crate::column_names::OF_GROUPS;
use crate::columns::Columns;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::{Format, Listing, OutputArgs, shown};

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The name of the group
    #[arg(value_name = "NAME")]
    name: String,
    /// The id of the group in your own system
    #[arg(long, value_name = "ID")]
    external_id: Option<String>,
    /// A member: a userName, an id, externalId:ID, or group:NAME; may be given more than once
    #[arg(long, value_name = "WHO")]
    member: Vec<String>,
    /// Print these columns, in a table or in CSV
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',', default_value = COLUMNS)]
    columns: Vec<String>,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let columns = Columns::new(&args.columns, OF_GROUPS)?;
    let client = with_groups(context.connect_to_write()?)?;
    let members = Members::read(context, &args.member)?.resolve(context, &client, false)?;
    // Unlike the names of users, those of groups need not be unique: a server would create a second one.
    if let Some(held) = client.groups().get_by_name(&args.name)? {
        let (name, id) = (shown(&args.name), shown(held.id.as_deref().unwrap_or_default()));
        return Err(Failure::Other(format!(
            "the server has a group {name} already, with the id {id}; nothing was changed"
        )));
    }
    let new = ScimGroup { external_id: args.external_id.clone(), ..ScimGroup::new(&args.name) };
    let group = client.groups().create(&new)?;
    let mut list = Listing::new(args.output.format_or(Format::Pretty), columns.names());
    list.row(&group, columns.of(&group))?;
    list.finish()?;
    if members.is_empty() {
        return Ok(Exit::Done);
    }
    match members::change(context, &client, &group, None, &members, members::Verb::Add) {
        Err(failure @ Failure::Interrupted(_)) => Err(failure),
        Ok(Exit::Done) => Ok(Exit::Done),
        _ => Err(Failure::Partly(
            "the group was created without all its members; add them with `groups members add`".to_owned(),
        )),
    }
}
