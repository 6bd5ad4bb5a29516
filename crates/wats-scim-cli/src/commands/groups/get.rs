//! `wats-scim groups get`

use wats_scim::ScimGroup;

use super::{COLUMNS, with_groups};
use crate::column_names::OF_GROUPS;
use crate::columns::Columns;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::lookup::resolve;
use crate::output::{Format, Listing, OutputArgs};
use crate::who;

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// A displayName, an id, or externalId:ID; - for a list on standard input, one per line
    #[arg(required = true, value_name = "GROUP")]
    groups: Vec<String>,
    /// Print these columns, in a table or in CSV
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',', default_value = COLUMNS)]
    columns: Vec<String>,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let columns = Columns::new(&args.columns, OF_GROUPS)?;
    let who = who::read(context, &args.groups)?;
    let groups = resolve::<ScimGroup>(context, &with_groups(context.connect()?)?, &who)?;
    let mut list = Listing::new(args.output.format_or(Format::Pretty), columns.names());
    for group in &groups.found {
        list.row(group, columns.of(group))?;
    }
    list.finish()?;
    if groups.unknown.is_empty() { Ok(Exit::Done) } else { Err(Failure::Other(groups.missing())) }
}
