//! What a plan is made of: a file, standard input, or another server.

mod charset;
mod layout;

use std::path::{Path, PathBuf};

use serde_json::Value;
use wats_scim::import::{self, ImportError};
use wats_scim::plan::Desired;

use self::layout::Layout;
use crate::context::Context;
use crate::failure::Failure;
use crate::standard_input;

/// The arguments of everything that reads a source.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Source")]
pub(crate) struct SourceArgs {
    /// Read a column of CSV as these attributes, such as "E-Mail=userName,email"; may be given more than once
    #[arg(long, value_name = "COLUMN=ATTRIBUTES")]
    map: Vec<String>,
    /// Read the columns, the delimiter and the charset from this file (TOML or JSON)
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,
    /// Read the source in this charset, such as windows-1252 or utf-16 [default: utf-8]
    #[arg(long, value_name = "NAME")]
    charset: Option<String>,
    /// Split CSV at this character, or at `tab` [default: found in the header]
    #[arg(long, value_name = "CHARACTER")]
    delimiter: Option<String>,
    /// Leave out columns of CSV that are no attribute
    #[arg(long)]
    ignore_columns: bool,
    /// Leave out rows that are bad, and leave their users on the server as they are
    #[arg(long)]
    skip_bad: bool,
}

impl SourceArgs {
    /// Reads the source: the name of a file, `-` for standard input, or `scim:` and the name of a profile.
    ///
    /// # Errors
    ///
    /// [`Failure::Import`] with every bad row.
    pub(crate) fn read(&self, context: &Context, source: &str) -> Result<Desired, Failure> {
        if let Some(profile) = source.strip_prefix("scim:") {
            return of_server(context, profile);
        }
        let bytes = match source {
            "-" => standard_input::read(context)?,
            path => std::fs::read(path).map_err(|error| Failure::file(Path::new(path), error))?,
        };
        let layout = Layout::of(self.mapping.as_deref(), &self.map)?;
        let charset = self.charset.as_deref().or(layout.charset.as_deref());
        let text =
            charset::decoded(bytes, charset).map_err(|problem| Failure::Other(format!("{source}: {problem}")))?;
        let read = match Form::of(&text) {
            Form::Json => import::directory_from_json(&text),
            Form::Csv => {
                let csv = layout.csv(&text, self.delimiter.as_deref(), self.ignore_columns)?;
                csv.read_directory(&*text)
            }
        };
        let read = match read {
            Err(error) if self.skip_bad => without_bad_rows(context, error),
            read => read,
        };
        Ok(read.map_err(|error| unreadable(error.in_file(source)))?.in_file(source))
    }
}

/// The settings of a CSV reader, and the arguments for them.
const ARGUMENTS: [(&str, &str); 5] = [
    ("UserCsv::column", "--map"),
    ("UserCsv::allow_other_columns", "--ignore-columns"),
    ("UserCsv::delimiter", "--delimiter"),
    ("UserCsv::groups", "`groups` in the file of --mapping"),
    ("UserCsv::group_separator", "`group-separator` in the file of --mapping"),
];

/// The error of a source: bad rows as they are, and anything else with the arguments of the command.
fn unreadable(error: ImportError) -> Failure {
    if !error.rows().is_empty() {
        return error.into();
    }
    let settings = |text: String, (setting, argument): (&str, &str)| text.replace(setting, argument);
    // The longer names come first.
    Failure::Other(ARGUMENTS.into_iter().rev().fold(error.to_string(), settings))
}

/// The rows that are good; the others are named.
fn without_bad_rows(context: &Context, error: ImportError) -> Result<Desired, ImportError> {
    let desired = error.without_bad_rows()?;
    for row in desired.left_out() {
        context.say(format_args!("line {} is left out: {}", row.line, row.reason));
    }
    Ok(desired)
}

fn of_server(context: &Context, profile: &str) -> Result<Desired, Failure> {
    let client = context.connect_to(profile)?;
    let current = crate::plan_file::current(&client)?;
    Ok(import::directory_of(&current)?)
}

/// The form of a source, which its text shows.
#[derive(Debug, PartialEq)]
enum Form {
    Json,
    Csv,
}

impl Form {
    fn of(text: &[u8]) -> Self {
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text).trim_ascii_start();
        if matches!(text.first(), Some(b'[' | b'{')) { Self::Json } else { Self::Csv }
    }
}

/// Reads a file of settings: JSON if its name says so, otherwise TOML.
pub(crate) fn settings<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::file(path, error))?;
    if path.extension().is_some_and(|end| end.eq_ignore_ascii_case("json")) {
        return serde_json::from_str(&text).map_err(|error| Failure::file(path, error));
    }
    // Through JSON, so that both have the same types.
    let value: Value = toml::from_str(&text).map_err(|error| Failure::file(path, error))?;
    serde_json::from_value(value).map_err(|error| Failure::file(path, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_a_source_shows_its_form() {
        for (text, form) in [
            ("userName\nann", Form::Csv),
            ("", Form::Csv),
            (" [{\"userName\": \"ann\"}]", Form::Json),
            ("{\"userName\": \"ann\"}\n{\"userName\": \"bob\"}", Form::Json),
            ("{\"Resources\": []}", Form::Json),
            ("\u{feff}{\"users\": [], \"groups\": []}", Form::Json),
        ] {
            assert_eq!(Form::of(text.as_bytes()), form, "{text}");
        }
    }
}
