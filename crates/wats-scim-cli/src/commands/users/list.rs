//! `wats-scim users list`

use wats_scim::{Filter, ScimUser};

use super::print::{ColumnsArgs, Users};
use crate::column_names::OF_USERS;
use crate::columns::Columns;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::listed::{Asked, listed};
use crate::output::OutputArgs;

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// List only users that match, such as 'userName sw "a"' (RFC 7644 §3.4.2.2)
    #[arg(long, value_name = "FILTER")]
    filter: Option<Filter>,
    /// List only users that can sign in
    #[arg(long, conflicts_with = "inactive")]
    active: bool,
    /// List only users that cannot sign in
    #[arg(long)]
    inactive: bool,
    #[command(flatten)]
    columns: ColumnsArgs,
    /// Sort by an attribute: on the server if it sorts, otherwise after the whole list is read
    #[arg(long, value_name = "ATTRIBUTE")]
    sort: Option<String>,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let order = args.sort.as_ref().map(|name| Columns::new(std::slice::from_ref(name), OF_USERS)).transpose()?;
    let mut list = Users::new(args.output.format(), &args.columns)?;
    let client = context.connect_to_list()?;
    let asked = Asked { filter: args.filter(), order: order.as_ref(), without: &[] };
    for user in listed::<ScimUser>(context, &client, &asked)? {
        list.row(&user?)?;
    }
    list.finish(context)?;
    Ok(Exit::Done)
}

impl Args {
    fn filter(&self) -> Option<Filter> {
        let active = (self.active || self.inactive).then(|| Filter::eq("active", self.active));
        match (self.filter.clone(), active) {
            (Some(filter), Some(active)) => Some(filter.and(active)),
            (filter, active) => filter.or(active),
        }
    }
}
