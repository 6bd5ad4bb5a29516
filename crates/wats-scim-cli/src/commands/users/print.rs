//! Prints users: in the columns that `plan` reads where it is CSV.

use std::io::{self, BufWriter, Write as _};
use std::time::{Duration, Instant};

use wats_scim::ScimUser;
use wats_scim::import::{UserCsv, UserCsvWriter};

use crate::column_names::OF_USERS;
use crate::columns::Columns;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Format, Listing};
use crate::standard_output::StandardOutput;

/// The columns of a table, or of CSV.
#[derive(clap::Args, Debug)]
pub(super) struct ColumnsArgs {
    /// Print these columns, in a table or in CSV
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',', default_value = "userName,displayName,email,active")]
    columns: Vec<String>,
}

/// A list of users that is printed while it is read.
pub(super) struct Users {
    columns: Columns,
    to: To,
}

enum To {
    List(Listing),
    /// Nothing is printed before the first user, so that an error has no header before it.
    Csv(Option<Csv>),
}

struct Csv {
    writer: UserCsvWriter<BufWriter<StandardOutput>>,
    last_flush: Option<Instant>,
}

impl Csv {
    fn begin(columns: &Columns) -> Result<Self, Failure> {
        let out = BufWriter::with_capacity(1 << 16, StandardOutput::new());
        Ok(Self { writer: UserCsv::new().writer(out, columns.names())?, last_flush: None })
    }
}

/// Rows are shown no later than this after the one before, while more arrive.
const FLUSH_AFTER: Duration = Duration::from_millis(100);

impl Users {
    pub(super) fn new(format: Format, args: &ColumnsArgs) -> Result<Self, Failure> {
        let columns = Columns::new(&args.columns, OF_USERS)?;
        let to = if format == Format::Csv {
            if let Some(name) = columns.names().iter().find(|name| !is_in_csv(name)) {
                let known: Vec<&str> = OF_USERS.iter().map(|(name, _)| *name).filter(|name| is_in_csv(name)).collect();
                return Err(Failure::Usage(format!(
                    "CSV has no column {name}, because no plan could read it back; its columns are {}. Choose others \
                     with --columns, or -o json",
                    known.join(", ")
                )));
            }
            To::Csv(None)
        } else {
            To::List(Listing::new(format, columns.names()))
        };
        Ok(Self { columns, to })
    }

    pub(super) fn row(&mut self, user: &ScimUser) -> Result<(), Failure> {
        match &mut self.to {
            To::List(list) => list.row(user, self.columns.of(user)),
            To::Csv(csv) => {
                if csv.is_none() {
                    *csv = Some(Csv::begin(&self.columns)?);
                }
                let Some(Csv { writer, last_flush }) = csv else { return Ok(()) };
                writer.user(user)?;
                if last_flush.is_none_or(|last| last.elapsed() >= FLUSH_AFTER) {
                    writer.get_mut().flush()?;
                    *last_flush = Some(Instant::now());
                }
                Ok(())
            }
        }
    }

    /// Ends the list, and says what CSV could not hold.
    pub(super) fn finish(self, context: &Context) -> Result<(), Failure> {
        match self.to {
            To::List(list) => list.finish().map(drop),
            To::Csv(csv) => {
                let Csv { writer, .. } = csv.map_or_else(|| Csv::begin(&self.columns), Ok)?;
                let left_out = writer.left_out().clone();
                writer.finish()?;
                for (column, number) in left_out {
                    context.say(format!("{number} values of {column} were left out: a cell cannot hold them"));
                }
                Ok(())
            }
        }
    }
}

fn is_in_csv(column: &str) -> bool {
    UserCsv::new().writer(io::sink(), [column]).is_ok()
}
