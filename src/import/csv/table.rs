use std::io::{BufRead, BufReader, Read};

use wats_scim_filter::json::same_text;

use super::cells::Splitter;
use crate::import::error::{ImportError, quoted};

/// The settings of a file that are the same whatever its rows are.
#[derive(Clone, Debug)]
pub(super) struct Table {
    /// The name of the public type, for messages.
    reader: &'static str,
    pub(super) delimiter: u8,
    /// Header names and what they are mapped to.
    pub(super) columns: Vec<(String, String)>,
    pub(super) allows_other_columns: bool,
}

impl Table {
    pub(super) fn of(reader: &'static str) -> Self {
        Self { reader, delimiter: b',', columns: Vec::new(), allows_other_columns: false }
    }

    /// Reads the header with `columns`, and then calls `row` for each row with its line: the cells, or the
    /// reason why it has none.
    pub(super) fn read<C>(
        &self,
        input: impl Read,
        mut columns: impl FnMut(&[&str]) -> Result<C, String>,
        mut row: impl FnMut(&C, u64, Result<&[&str], String>),
    ) -> Result<C, ImportError> {
        let mut splitter = Splitter::new(self.delimiter).map_err(ImportError::unreadable)?;
        let mut header: Option<(Vec<String>, C)> = None;
        let mut input = BufReader::new(input);
        let mut bytes = Vec::new();
        for number in 1.. {
            bytes.clear();
            if input.read_until(b'\n', &mut bytes)? == 0 {
                break;
            }
            let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            // Also on later lines, if files were concatenated.
            let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
            if line.trim_ascii().is_empty() {
                continue;
            }
            let cells = splitter.cells(line);
            // Spreadsheets write rows of delimiters alone below the last row.
            if cells.as_ref().is_ok_and(|cells| cells.iter().all(|cell| cell.is_empty())) {
                continue;
            }
            match &header {
                None => {
                    let error = |reason| ImportError::unreadable(format!("the header, line {number}: {reason}"));
                    let cells = cells.map_err(str::to_owned).map_err(error)?;
                    let columns = columns(&cells).map_err(error)?;
                    header = Some((cells.into_iter().map(str::to_owned).collect(), columns));
                }
                Some((header, columns)) => match cells {
                    Err(reason) => row(columns, number, Err(reason.to_owned())),
                    Ok(cells) => row(columns, number, check_cells(&cells, header).map(|()| &*cells)),
                },
            }
        }
        match header {
            Some((_, columns)) => Ok(columns),
            None => Err(ImportError::unreadable("it is empty; expected a header")),
        }
    }

    /// What each column is, with its index: by the settings, or else by its own name. An unknown column would
    /// be lost for every row, so it is an error.
    pub(super) fn header<A>(
        &self,
        header: &[&str],
        known: impl Fn(&str) -> Option<A>,
        known_names: impl Fn() -> String,
    ) -> Result<Vec<(usize, A)>, String> {
        let reader = self.reader;
        for (name, attribute) in &self.columns {
            if known(attribute.trim()).is_none() {
                let (name, attribute) = (quoted(name), quoted(attribute));
                return Err(format!(
                    "the column {name} is mapped to the unknown attribute {attribute}; known attributes: {}",
                    known_names()
                ));
            }
            if !header.iter().any(|column| is_same(column, name)) {
                return Err(format!("the column {} of {reader}::column is missing", quoted(name)));
            }
        }
        let (mut columns, mut unknown) = (Vec::new(), Vec::new());
        for (index, column) in header.iter().enumerate() {
            let mut named: Vec<&str> = self
                .columns
                .iter()
                .filter(|(name, _)| is_same(column, name))
                .map(|(_, attribute)| attribute.trim())
                .collect();
            if named.is_empty() {
                named.push(column);
            }
            let before = columns.len();
            columns.extend(named.into_iter().filter_map(&known).map(|attribute| (index, attribute)));
            if columns.len() == before {
                unknown.push(quoted(column));
            }
        }
        // Without a header this is the data of a person, which messages must not repeat.
        if columns.is_empty() {
            return Err(format!(
                "no known column; is the delimiter another one ({reader}::delimiter), or is the header missing? Known \
                     columns: {}",
                known_names()
            ));
        }
        if !unknown.is_empty() && !self.allows_other_columns {
            return Err(format!(
                "unknown columns: {}; map them with {reader}::column or ignore them with {reader}::allow_other_columns; \
                     known columns: {}",
                unknown.join(", "),
                known_names()
            ));
        }
        Ok(columns)
    }
}

fn check_cells(cells: &[&str], header: &[String]) -> Result<(), String> {
    if cells == header {
        return Err("repeated header row; were files concatenated?".to_owned());
    }
    if cells.len() != header.len() {
        return Err(format!("it has {} cells, but the header has {}", cells.len(), header.len()));
    }
    Ok(())
}

/// Whether a header cell and a setting name the same column.
fn is_same(column: &str, name: &str) -> bool {
    same_text(column, name.trim())
}
