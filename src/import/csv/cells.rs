use std::borrow::Cow;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

/// Splits lines into cells, each line on its own: a quote cannot extend beyond its line.
pub(super) struct Splitter {
    reader: Reader,
    delimiter: char,
    line: Vec<u8>,
    /// The concatenated cells of a line, and the end of each.
    text: Vec<u8>,
    ends: Vec<usize>,
}

impl Splitter {
    pub(super) fn new(delimiter: u8) -> Result<Self, &'static str> {
        if !delimiter.is_ascii() || b"\"\r\n".contains(&delimiter) {
            return Err("the delimiter must be an ASCII character other than a quote or a line break");
        }
        Ok(Self {
            reader: ReaderBuilder::new().delimiter(delimiter).build(),
            delimiter: char::from(delimiter),
            line: Vec::new(),
            text: Vec::new(),
            ends: Vec::new(),
        })
    }

    /// Returns the cells of a line without surrounding white space, or the reason why it is
    /// invalid.
    pub(super) fn cells(&mut self, line: &[u8]) -> Result<Vec<&str>, &'static str> {
        let line = str::from_utf8(line).map_err(|_| "it is not UTF-8; save the file as UTF-8")?;
        if line.contains('\r') {
            return Err("it contains a carriage return; lines must end with LF or CRLF");
        }
        self.line.clear();
        self.line.extend_from_slice(line.as_bytes());
        self.line.push(b'\n');
        // Unescaped text is not longer, and there are no more cells than bytes.
        self.text.resize(self.line.len(), 0);
        self.ends.resize(self.line.len(), 0);
        self.reader.reset();
        let (result, _, _, count) = self.reader.read_record(&self.line, &mut self.text, &mut self.ends);
        if !matches!(result, ReadRecordResult::Record) {
            return Err("a quote is not closed on its line; cells cannot contain line breaks");
        }
        let mut start = 0;
        let mut cells = Vec::with_capacity(count);
        for end in self.ends.iter().take(count) {
            let cell = self.text.get(start..*end).and_then(|cell| str::from_utf8(cell).ok());
            cells.push(cell.unwrap_or_default());
            start = *end;
        }
        if !is_valid_form(&cells, line, self.delimiter) {
            return Err("misplaced quote; quote a cell as a whole, and double the quotes in it");
        }
        Ok(cells.into_iter().map(|cell| unprotected(cell.trim())).collect())
    }
}

/// What a spreadsheet runs as a formula, if a cell begins with it. In East Asian versions, wide forms are formulas, too.
const FORMULA: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];

/// A cell that a spreadsheet shows as text: `'` is put before what it would run as a formula. [`UserCsv`](super::UserCsv)
/// removes it again.
///
/// ```
/// use wats_scim::import::protected_cell;
///
/// assert_eq!(protected_cell("=1+2"), "'=1+2");
/// assert_eq!(protected_cell("1+2"), "1+2");
/// ```
#[must_use]
pub fn protected_cell(cell: &str) -> Cow<'_, str> {
    if is_formula(cell) { Cow::Owned(format!("'{cell}")) } else { Cow::Borrowed(cell) }
}

/// The cell before it was protected.
pub(super) fn unprotected(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|rest| is_formula(rest)).unwrap_or(cell)
}

/// Whether a cell is a formula, protected or not.
fn is_formula(cell: &str) -> bool {
    cell.trim_start_matches('\'').starts_with(FORMULA)
}

/// Whether this line is a valid form of these cells (RFC 4180 §2). The parser also accepts quotes
/// within a cell and text after a closing quote, which come from cells with quotes that were not
/// doubled.
fn is_valid_form(cells: &[&str], line: &str, delimiter: char) -> bool {
    let mut rest = Some(line);
    for (index, cell) in cells.iter().enumerate() {
        if index > 0 {
            rest = rest.and_then(|rest| rest.strip_prefix(delimiter));
        }
        rest = rest.and_then(|rest| match rest.strip_prefix('"') {
            Some(rest) => rest.strip_prefix(&*cell.replace('"', "\"\""))?.strip_prefix('"'),
            None if cell.contains('"') => None,
            None => rest.strip_prefix(cell),
        });
    }
    rest == Some("")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(line: &str) -> Result<Vec<String>, &'static str> {
        let mut splitter = Splitter::new(b',').unwrap();
        splitter.cells(line.as_bytes()).map(|cells| cells.into_iter().map(str::to_owned).collect())
    }

    #[test]
    fn a_line_is_split_into_trimmed_cells() {
        assert_eq!(cells(" a ,,\" b, c \",\"d \"\"e\"\"\",\"\"").unwrap(), ["a", "", "b, c", "d \"e\"", ""]);
        assert_eq!(cells("\u{a0}ä\u{a0}").unwrap(), ["ä"]);
        assert_eq!(cells(",").unwrap(), ["", ""]);
    }

    #[test]
    fn an_unclosed_quote_is_detected_on_any_line() {
        for line in ["a,\"b", "a,\"b,c", "\"", "a,\"b\"\"", "\"\"\""] {
            assert!(cells(line).unwrap_err().starts_with("a quote is not closed"), "{line}");
        }
        let mut splitter = Splitter::new(b',').unwrap();
        assert!(splitter.cells(b"a,\"b").is_err());
        assert_eq!(splitter.cells(b"c\",d").unwrap_err(), cells("c\",d").unwrap_err());
        assert_eq!(splitter.cells(b"c,d").unwrap(), ["c", "d"]);
    }

    #[test]
    fn a_misplaced_quote_is_rejected() {
        for line in ["\"Jane \"JJ\" Doe\",x", "a \"b\",c", " \"a\",b", "\"a\" ,b", "\"a\"\"b\"c", "a\"b\"c,\"d\",\"e\""]
        {
            assert!(cells(line).unwrap_err().starts_with("misplaced quote"), "{line}");
        }
    }

    #[test]
    fn other_line_endings_and_encodings_are_rejected() {
        assert!(cells("a\rb").unwrap_err().contains("carriage return"));
        let mut splitter = Splitter::new(b',').unwrap();
        assert!(splitter.cells(b"M\xfcller").unwrap_err().contains("UTF-8"));
        // The two bytes of a letter in separate cells.
        assert!(splitter.cells(b"\xc3,\xa9").is_err());
    }

    #[test]
    fn invalid_delimiters_are_rejected() {
        for delimiter in [b'"', b'\r', b'\n', 0xe4] {
            assert!(Splitter::new(delimiter).is_err(), "{delimiter}");
        }
        assert_eq!(Splitter::new(b'\t').unwrap().cells(b"a,b\tc").unwrap(), ["a,b", "c"]);
    }
}
