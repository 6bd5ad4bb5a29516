//! `wats-scim groups list`

use wats_scim::plan::CurrentGroup;
use wats_scim::{Filter, ScimGroup};

use super::{COLUMNS, end, with_groups};
use crate::column_names::OF_GROUPS;
use crate::columns::Columns;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::listed::{Asked, listed};
use crate::output::{Listing, OutputArgs};

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// List only groups that match, such as 'displayName sw "a"' (RFC 7644 §3.4.2.2)
    #[arg(long, value_name = "FILTER")]
    filter: Option<Filter>,
    /// List the members of each group too
    #[arg(long)]
    members: bool,
    /// Print these columns, in a table or in CSV
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',', default_value = COLUMNS)]
    columns: Vec<String>,
    /// Sort by an attribute: on the server if it sorts, otherwise after the whole list is read
    #[arg(long, value_name = "ATTRIBUTE")]
    sort: Option<String>,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let columns = Columns::new(&args.columns, OF_GROUPS)?;
    let order = args.sort.as_ref().map(|name| Columns::new(std::slice::from_ref(name), OF_GROUPS)).transpose()?;
    let client = with_groups(context.connect()?)?;
    let has_members = args.members || columns.names().iter().any(|name| name.starts_with("members"));
    let without: &[&str] = if has_members { &[] } else { &["members"] };
    let mut list = Listing::new(args.output.format(), columns.names());
    let asked = Asked { filter: args.filter.clone(), order: order.as_ref(), without };
    let listed = listed::<ScimGroup>(context, &client, &asked)?;
    if has_members {
        let current = client.current_groups(listed.collect::<Result<_, _>>()?)?;
        for group in current.iter().map(CurrentGroup::group) {
            list.row(group, columns.of(group))?;
        }
        list.finish()?;
        return end(context, &current);
    }
    for group in listed {
        let group = group?;
        list.row(&group, columns.of(&group))?;
    }
    list.finish()?;
    Ok(Exit::Done)
}
