use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

/// Takes lines apart into cells, each line by itself: what one leaves open, the next cannot close.
pub(super) struct Splitter {
    reader: Reader,
    delimiter: char,
    line: Vec<u8>,
    /// The cells of a line one after the other, and where each ends.
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

    /// The cells of a line, without the blanks around them; or why it has none.
    pub(super) fn cells(&mut self, line: &[u8]) -> Result<Vec<&str>, &'static str> {
        let line = str::from_utf8(line).map_err(|_| "it is not UTF-8; save the file as UTF-8")?;
        if line.contains('\r') {
            return Err("it has a carriage return in it, and lines end with a line feed or with both");
        }
        self.line.clear();
        self.line.extend_from_slice(line.as_bytes());
        self.line.push(b'\n');
        // Unescaped it is not longer, and there are no more cells than bytes.
        self.text.resize(self.line.len(), 0);
        self.ends.resize(self.line.len(), 0);
        self.reader.reset();
        let (result, _, _, count) = self.reader.read_record(&self.line, &mut self.text, &mut self.ends);
        if !matches!(result, ReadRecordResult::Record) {
            return Err("a quote is not closed on the same line; a cell has no line break in it");
        }
        let mut start = 0;
        let mut cells = Vec::with_capacity(count);
        for end in self.ends.iter().take(count) {
            let cell = self.text.get(start..*end).and_then(|cell| str::from_utf8(cell).ok());
            cells.push(cell.unwrap_or_default());
            start = *end;
        }
        if !is_written_as(&cells, line, self.delimiter) {
            return Err(
                "a quote stands where none may: a cell is in quotes from end to end, and a quote in it doubled",
            );
        }
        Ok(cells.into_iter().map(str::trim).collect())
    }
}

/// Whether this line is a way to write these cells (RFC 4180 §2). The reader also takes quotes in
/// the middle of a cell, and text behind a closing quote, which is a cell whose quotes nobody
/// doubled.
fn is_written_as(cells: &[&str], line: &str, delimiter: char) -> bool {
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
    fn a_line_is_taken_apart_into_trimmed_cells() {
        assert_eq!(cells(" a ,,\" b, c \",\"d \"\"e\"\"\",\"\"").unwrap(), ["a", "", "b, c", "d \"e\"", ""]);
        assert_eq!(cells("\u{a0}ä\u{a0}").unwrap(), ["ä"]);
        assert_eq!(cells(",").unwrap(), ["", ""]);
    }

    #[test]
    fn a_quote_that_is_not_closed_is_seen_on_any_line() {
        for line in ["a,\"b", "a,\"b,c", "\"", "a,\"b\"\"", "\"\"\""] {
            assert!(cells(line).unwrap_err().starts_with("a quote is not closed"), "{line}");
        }
        let mut splitter = Splitter::new(b',').unwrap();
        assert!(splitter.cells(b"a,\"b").is_err());
        assert_eq!(splitter.cells(b"c\",d").unwrap_err(), cells("c\",d").unwrap_err());
        assert_eq!(splitter.cells(b"c,d").unwrap(), ["c", "d"]);
    }

    #[test]
    fn a_quote_where_none_may_be_is_no_part_of_a_cell() {
        for line in ["\"Jane \"JJ\" Doe\",x", "a \"b\",c", " \"a\",b", "\"a\" ,b", "\"a\"\"b\"c", "a\"b\"c,\"d\",\"e\""]
        {
            assert!(cells(line).unwrap_err().starts_with("a quote stands where none may"), "{line}");
        }
    }

    #[test]
    fn other_line_ends_and_other_encodings_are_refused() {
        assert!(cells("a\rb").unwrap_err().contains("carriage return"));
        let mut splitter = Splitter::new(b',').unwrap();
        assert!(splitter.cells(b"M\xfcller").unwrap_err().contains("UTF-8"));
        // Each half of a letter in a cell of its own.
        assert!(splitter.cells(b"\xc3,\xa9").is_err());
    }

    #[test]
    fn only_what_cannot_be_a_part_of_a_cell_separates() {
        for delimiter in [b'"', b'\r', b'\n', 0xe4] {
            assert!(Splitter::new(delimiter).is_err(), "{delimiter}");
        }
        assert_eq!(Splitter::new(b'\t').unwrap().cells(b"a,b\tc").unwrap(), ["a,b", "c"]);
    }
}
