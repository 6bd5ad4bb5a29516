//! The files of a trail that is rotated by size: `trail.jsonl`, `trail.000002.jsonl`, `trail.000003.jsonl`.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use crate::outside::file;

/// The number of digits at least, so that a listing by name is in the order of the files.
const DIGITS: usize = 6;

/// The path of the file with this number; the first has the path itself.
pub(super) fn path_of(first: &Path, number: u64) -> PathBuf {
    if number <= 1 {
        return first.to_owned();
    }
    let (mut name, end) = parts(first);
    name.push(format!(".{number:0DIGITS$}"));
    name.push(end);
    first.with_file_name(name)
}

/// The numbers of the files after the first that exist, in order.
pub(super) fn numbers(first: &Path) -> io::Result<Vec<u64>> {
    let names = match file::names_beside(first) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        names => names?,
    };
    let mut numbers: Vec<u64> = names.iter().filter_map(|name| number_of(first, name)).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

fn number_of(first: &Path, name: &OsString) -> Option<u64> {
    let digits = name.to_str()?.rsplit('.').find(|part| is_number(part))?;
    let number = digits.parse().ok()?;
    (path_of(first, number).file_name() == Some(name)).then_some(number)
}

fn is_number(part: &str) -> bool {
    part.len() >= DIGITS && part.bytes().all(|byte| byte.is_ascii_digit())
}

/// The name before the number, and the extension after it.
fn parts(path: &Path) -> (OsString, OsString) {
    let name = path.file_stem().unwrap_or_default().to_owned();
    let mut end = OsString::new();
    if let Some(extension) = path.extension() {
        end.push(".");
        end.push(extension);
    }
    (name, end)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_number_is_before_the_extension_and_other_files_are_not_of_the_trail() {
        let folder = tempfile::tempdir().unwrap();
        for (first, second) in
            [("trail.jsonl", "trail.000002.jsonl"), ("trail", "trail.000002"), ("a.b.c", "a.b.000002.c")]
        {
            let first = folder.path().join(first);
            assert_eq!(path_of(&first, 2).file_name().unwrap(), second);
            assert_eq!(path_of(&first, 1), first);
            for number in [12, 2, 1_234_567] {
                fs::write(path_of(&first, number), "").unwrap();
            }
            assert_eq!(numbers(&first).unwrap(), [2, 12, 1_234_567], "{second}");
        }
        // Those of logrotate, and other ones.
        let first = folder.path().join("x.jsonl");
        for name in [
            "x.jsonl",
            "x.jsonl.1",
            "x.jsonl.000002",
            "x.0002.jsonl",
            "x.000001.jsonl",
            "x.00000a.jsonl",
            "xx.000002.jsonl",
        ] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        assert_eq!(numbers(&first).unwrap(), [0; 0]);
        assert_eq!(numbers(&folder.path().join("missing").join("x.jsonl")).unwrap(), [0; 0]);
    }
}
