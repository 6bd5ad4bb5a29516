//! `wats-scim users get`

use wats_scim::ScimUser;

use super::COLUMNS;
use crate::columns::{Columns, OF_USERS};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::lookup::resolve;
use crate::output::{Format, Listing, OutputArgs};
use crate::who;

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// A userName, an id, or externalId:ID; - for a list on standard input, one per line
    #[arg(required = true, value_name = "WHO")]
    who: Vec<String>,
    /// The columns of a table or of CSV
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',', default_value = COLUMNS)]
    columns: Vec<String>,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let columns = Columns::new(&args.columns, OF_USERS)?;
    let who = who::read(context, &args.who)?;
    let users = resolve::<ScimUser>(context, &context.connect_to_list()?, who)?;
    let mut list = Listing::new(args.output.format_or(Format::Pretty), columns.names());
    for user in &users.found {
        list.row(user, columns.of(user))?;
    }
    list.finish()?;
    if users.unknown.is_empty() { Ok(Exit::Done) } else { Err(Failure::Other(users.missing())) }
}
