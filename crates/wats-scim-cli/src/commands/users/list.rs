//! `wats-scim users list`

use wats_scim::{Filter, ScimUser};

use super::COLUMNS;
use crate::columns::{Columns, OF_USERS};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::listed::{Asked, listed};
use crate::output::{Listing, OutputArgs};

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Only users that match, such as 'userName sw "a"' (RFC 7644 §3.4.2.2)
    #[arg(long, value_name = "FILTER")]
    filter: Option<Filter>,
    /// Only users that can sign in
    #[arg(long, conflicts_with = "inactive")]
    active: bool,
    /// Only users that cannot sign in
    #[arg(long)]
    inactive: bool,
    /// The columns of a table or of CSV
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',', default_value = COLUMNS)]
    columns: Vec<String>,
    /// Sort by an attribute: by the server if it sorts, otherwise after the whole list is read
    #[arg(long, value_name = "ATTRIBUTE")]
    sort: Option<String>,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let columns = Columns::new(&args.columns, OF_USERS)?;
    let order = args.sort.as_ref().map(|name| Columns::new(std::slice::from_ref(name), OF_USERS)).transpose()?;
    let client = context.connect_to_list()?;
    let mut list = Listing::new(args.output.format(), columns.names());
    let asked = Asked { filter: args.filter(), order: order.as_ref(), without: &[] };
    for user in listed::<ScimUser>(context, &client, &asked)? {
        let user = user?;
        list.row(&user, columns.of(&user))?;
    }
    list.finish()?;
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
