//! The library's own source, parsed.

use std::fs;
use std::path::{Path, PathBuf};

use syn::{Attribute, File, Meta};

/// Every file below a folder of `src/`, by its path relative to `src/`, in the order of the paths.
pub(crate) fn below(folder: &str) -> Vec<(PathBuf, File)> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    collect(&src.join(folder), &mut paths);
    paths.sort();
    assert!(!paths.is_empty(), "src/{folder} has no files");
    let parsed = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let file = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        (path.strip_prefix(&src).unwrap().to_owned(), file)
    };
    paths.into_iter().map(parsed).collect()
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
}

/// Whether an item is compiled for tests only.
pub(crate) fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg") => list.tokens.to_string() == "test",
        meta => meta.path().is_ident("test"),
    })
}
