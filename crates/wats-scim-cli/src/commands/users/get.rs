//! `wats-scim users get`

use wats_scim::ScimUser;

use super::print::{ColumnsArgs, Users};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::lookup::resolve;
use crate::output::{Format, OutputArgs};
use crate::who;

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// A userName, an id, or externalId:ID; - for a list on standard input, one per line
    #[arg(required = true, value_name = "WHO")]
    who: Vec<String>,
    #[command(flatten)]
    columns: ColumnsArgs,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let mut list = Users::new(args.output.format_or(Format::Pretty), &args.columns)?;
    let who = who::read(context, &args.who)?;
    let users = resolve::<ScimUser>(context, &context.connect_to_list()?, &who)?;
    users.found.iter().try_for_each(|user| list.row(user))?;
    list.finish(context)?;
    if users.unknown.is_empty() { Ok(Exit::Done) } else { Err(Failure::Other(users.missing())) }
}
