//! `wats-scim export`: what the server holds, in a file that `plan` reads back without a difference.

use std::collections::HashMap;
use std::io::Write as _;
use std::path::PathBuf;

use clap::ValueEnum;
use wats_scim::import::UserCsv;
use wats_scim::plan::Current;

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::many::counted;
use crate::private::NewFile;
use crate::standard_output::StandardOutput;

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The file to write [default: standard output]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Write the groups and their members too
    #[arg(long)]
    groups: bool,
    /// Write in this format [default: csv if the name of the file ends so, otherwise json]
    #[arg(long, short, value_enum, value_name = "FORMAT")]
    output: Option<Format>,
}

#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
enum Format {
    /// Everything that the server returns
    Json,
    /// A row for each user
    Csv,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let by_name = |path: &PathBuf| path.extension().filter(|end| end.eq_ignore_ascii_case("csv")).map(|_| Format::Csv);
    let format = args.output.or_else(|| args.file.as_ref().and_then(by_name)).unwrap_or(Format::Json);
    // What cannot be written is noticed before the server is asked.
    let file = args.file.as_deref().map(NewFile::create).transpose()?;
    let client = context.connect()?;
    let current = if args.groups { client.current_directory()? } else { client.current_users()? };
    for group in current.groups().unwrap_or_default() {
        if let Some(why) = group.why_unread() {
            let name = group.group().display_name.as_deref().unwrap_or_default();
            context.say(format_args!("the members of {name} are left out: {why}"));
        }
    }
    let text = match format {
        Format::Json => {
            let mut text = serde_json::to_vec_pretty(&current).map_err(|error| Failure::Other(error.to_string()))?;
            text.push(b'\n');
            text
        }
        Format::Csv => csv(context, &current)?,
    };
    match file {
        Some(file) => {
            file.keep(&text)?;
            context.say(format_args!("{} in {}", counted(current.users().len(), "users"), shown(args.file.as_ref())));
        }
        None => StandardOutput::new().write_all(&text)?,
    }
    Ok(Exit::Done)
}

fn shown(path: Option<&PathBuf>) -> String {
    path.map(|path| path.display().to_string()).unwrap_or_default()
}

fn csv(context: &Context, current: &Current) -> Result<Vec<u8>, Failure> {
    let mut columns = UserCsv::columns_of(current.users());
    let mut groups: HashMap<&str, Vec<&str>> = HashMap::new();
    if let Some(all) = current.groups() {
        columns.push("groups".to_owned());
        for group in all {
            let group = group.group();
            for member in group.member_ids() {
                groups.entry(member).or_default().push(group.display_name.as_deref().unwrap_or_default());
            }
        }
    }
    let mut writer = UserCsv::new().writer(Vec::new(), columns)?;
    for user in current.users() {
        let names = user.id.as_deref().and_then(|id| groups.get(id)).map(Vec::as_slice).unwrap_or_default();
        writer.user_in(user, names.iter().copied())?;
    }
    for (column, count) in writer.left_out() {
        context.say(format_args!("{column} of {count} users is left out, because a cell cannot hold it; use JSON"));
    }
    Ok(writer.finish()?)
}
