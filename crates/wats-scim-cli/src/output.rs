//! Results on standard output: a table on a terminal, JSON Lines in a pipe, or the format that is asked for.

use std::fmt;
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use comfy_table::{CellAlignment, ColumnConstraint, Table, Width, presets};
use serde::Serialize;
use wats_scim::import::protected_cell;

use crate::failure::Failure;
use crate::standard_output::StandardOutput;

/// The format of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Columns for people
    Table,
    /// Comma-separated, with the columns that `plan` reads
    Csv,
    /// One array
    Json,
    /// One object per line
    Jsonl,
    /// Each object on several lines
    #[value(skip)]
    Pretty,
}

/// The arguments of everything that lists.
#[derive(Args, Clone, Debug)]
pub(crate) struct OutputArgs {
    /// Print in this format [default: table on a terminal, jsonl in a pipe]
    #[arg(long, short, value_enum, value_name = "FORMAT")]
    output: Option<Format>,
}

impl OutputArgs {
    pub(crate) fn format(&self) -> Format {
        self.format_or(if io::stdout().is_terminal() { Format::Table } else { Format::Jsonl })
    }

    /// The format of what is no list by default.
    pub(crate) fn format_or(&self, default: Format) -> Format {
        self.output.unwrap_or(default)
    }
}

/// A list that is printed while it is read.
pub(crate) struct Listing {
    format: Format,
    columns: Vec<String>,
    out: BufWriter<StandardOutput>,
    printed: usize,
    last_flush: Instant,
    /// The rows of a table that are not printed yet, and the widths of those that are.
    block: Vec<Vec<String>>,
    widths: Vec<u16>,
}

/// So many rows decide the widths of the columns of a table.
const BLOCK: usize = 50;

/// Rows are shown no later than this after the one before, while more arrive.
const FLUSH_AFTER: Duration = Duration::from_millis(100);

/// Bytes that are written at once.
const BUFFER: usize = 1 << 16;

impl Listing {
    pub(crate) fn new(format: Format, columns: &[String]) -> Self {
        Self {
            format,
            columns: columns.to_vec(),
            out: BufWriter::with_capacity(BUFFER, StandardOutput::new()),
            printed: 0,
            last_flush: Instant::now(),
            block: Vec::new(),
            widths: Vec::new(),
        }
    }

    /// Prints one result: `object` as JSON, `cell` for each column of a table or of CSV.
    pub(crate) fn row(&mut self, object: &impl Serialize, cell: impl Fn(&str) -> String) -> Result<(), Failure> {
        let is_first = self.printed == 0;
        match self.format {
            Format::Jsonl => {
                serde_json::to_writer(&mut self.out, object).map_err(io::Error::from)?;
                self.out.write_all(b"\n")?;
            }
            Format::Json => {
                self.out.write_all(if is_first { b"[\n  " } else { b",\n  " })?;
                serde_json::to_writer(&mut self.out, object).map_err(io::Error::from)?;
            }
            Format::Pretty => {
                serde_json::to_writer_pretty(&mut self.out, object).map_err(io::Error::from)?;
                self.out.write_all(b"\n")?;
            }
            Format::Csv => {
                if is_first {
                    let header: Vec<String> = self.columns.clone();
                    self.print_csv(&header)?;
                }
                let cells: Vec<String> =
                    self.columns.iter().map(|column| protected_cell(&cell(column)).into_owned()).collect();
                self.print_csv(&cells)?;
            }
            Format::Table => self.block.push(self.columns.iter().map(|column| shown(&cell(column))).collect()),
        }
        self.printed += 1;
        let is_due = !is_first && self.last_flush.elapsed() >= FLUSH_AFTER;
        if self.block.len() >= BLOCK || (is_due && !self.block.is_empty()) {
            self.print_block()?;
        }
        if is_first || is_due {
            self.out.flush()?;
            self.last_flush = Instant::now();
        }
        Ok(())
    }

    /// Ends the list.
    pub(crate) fn finish(mut self) -> Result<usize, Failure> {
        match self.format {
            Format::Json if self.printed == 0 => self.out.write_all(b"[]\n")?,
            Format::Json => self.out.write_all(b"\n]\n")?,
            Format::Csv if self.printed == 0 => self.print_csv(&self.columns.clone())?,
            Format::Table => self.print_block()?,
            Format::Csv | Format::Jsonl | Format::Pretty => {}
        }
        self.out.flush()?;
        Ok(self.printed)
    }

    fn print_csv(&mut self, cells: &[String]) -> Result<(), Failure> {
        let line = cells.iter().map(|cell| quoted(cell)).collect::<Vec<_>>().join(",");
        Ok(self.out.write_all(line.as_bytes()).and_then(|()| self.out.write_all(b"\n"))?)
    }

    fn print_block(&mut self) -> Result<(), Failure> {
        let is_first = self.widths.is_empty();
        let mut table = Table::new();
        table.load_preset(presets::NOTHING);
        if is_first {
            table.set_header(self.columns.iter().map(|name| name.to_uppercase()));
        }
        table.add_rows(self.block.drain(..));
        for (column, width) in table.column_iter_mut().zip(&self.widths) {
            column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(*width)));
        }
        for column in table.column_iter_mut() {
            column.set_padding((0, 2)).set_cell_alignment(CellAlignment::Left);
        }
        if is_first {
            self.widths = table.column_max_content_widths().into_iter().map(|width| width + 2).collect();
        }
        for line in table.lines() {
            writeln!(self.out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// A cell of CSV (RFC 4180).
fn quoted(cell: &str) -> String {
    let is_plain = !cell.contains(['"', ',', '\n', '\r']) && cell.trim() == cell;
    if is_plain { cell.to_owned() } else { format!("\"{}\"", cell.replace('"', "\"\"")) }
}

/// Prints text that has several lines.
pub(crate) fn print(text: impl fmt::Display) -> Result<(), Failure> {
    let mut out = BufWriter::new(io::stdout());
    for line in text.to_string().lines() {
        writeln!(out, "{}", shown(line))?;
    }
    Ok(out.flush()?)
}

/// Text for a terminal: what would move its cursor is escaped.
pub(crate) fn shown(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_of_csv_is_one_cell() {
        assert_eq!(quoted("a,\"b\"\n"), "\"a,\"\"b\"\"\n\"");
        assert_eq!((quoted("a b").as_str(), quoted(" a").as_str()), ("a b", "\" a\""));
    }

    #[test]
    fn text_of_a_server_does_not_move_the_cursor() {
        assert_eq!(shown("a\u{1b}[2Jb\n"), "a\\u{1b}[2Jb\\n");
    }
}
