//! `wats-scim users list`

use serde_json::Value;
use wats_scim::Filter;

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::{Listing, OutputArgs};

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Only users that match, such as 'userName sw "a"' (RFC 7644 §3.4.2.2)
    #[arg(long, value_name = "FILTER")]
    filter: Option<Filter>,
    /// The columns of a table or of CSV
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',', default_value = "userName,displayName,email,active")]
    columns: Vec<String>,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let client = context.connect()?;
    let mut users = client.iter_users();
    if let Some(filter) = &args.filter {
        users = users.matching(filter.clone());
    }
    let mut list = Listing::new(args.output.format(), &args.columns);
    for user in users {
        let user = user?;
        let object = serde_json::to_value(&user).unwrap_or_default();
        list.row(&object, |column| match column {
            "email" => user.email().unwrap_or_default().to_owned(),
            path => user.get(path).ok().flatten().map(|value| text(&value)).unwrap_or_default(),
        })?;
    }
    list.finish()?;
    Ok(Exit::Done)
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
