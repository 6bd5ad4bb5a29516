//! The rules of the house: short files, and arguments that mean the same in every command.

mod support;

use std::fs;
use std::path::Path;

use support::{Known, commands, files};

/// A file is one idea; so is a command.
const MOST_LINES: usize = 200;

#[test]
fn each_file_has_under_200_lines() {
    let all = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let sources = || all.iter().filter(|path| path.extension().is_some_and(|end| end == "rs"));
    for path in sources() {
        let lines = fs::read_to_string(path).unwrap().lines().count();
        assert!(lines < MOST_LINES, "{}: {lines} lines", path.display());
    }
    assert!(sources().count() > 40, "the sources are not found");
}

/// The argument that begins so.
fn argument(command: &Known, names: &str) -> Option<String> {
    command.arguments().into_iter().find(|argument| argument.starts_with(names))
}

#[test]
fn every_command_that_lists_has_the_formats_of_a_list() {
    let formats = "[possible values: table, csv, json, jsonl]";
    let mut lists = 0;
    for command in commands() {
        let last = command.name.rsplit(' ').next().unwrap_or_default();
        let is_list =
            matches!(last, "list" | "get" | "verify") || matches!(&*command.name, "profile show" | "audit show");
        let output = argument(&command, "-o, --output <FORMAT>");
        if is_list {
            lists += 1;
            let output = output.unwrap_or_else(|| panic!("{} has no -o: {}", command.name, command.help));
            assert!(output.ends_with(formats), "{}: {output}", command.name);
        } else if let Some(output) = output {
            // A plan or a report is no list; what is created or changed is printed as one.
            let is_other = ["show", "apply", "export"].contains(&&*command.name);
            assert_eq!(output.contains(formats), !is_other, "{}: {output}", command.name);
        }
    }
    assert!(lists > 8, "{lists}");
}

#[test]
fn short_arguments_mean_the_same_in_every_command() {
    let known = [
        ("-o", "-o, --output <"),
        ("-y", "-y, --yes "),
        ("-p", "-p, --profile <NAME>"),
        ("-q", "-q, --quiet "),
        ("-v", "-v, --verbose"),
        ("-h", "-h, --help "),
        ("-V", "-V, --version "),
    ];
    for command in commands() {
        for argument in command.arguments() {
            let Some(short) = argument.strip_prefix('-').filter(|rest| !rest.starts_with('-')) else { continue };
            let short = format!("-{}", short.chars().next().unwrap());
            let long = known.iter().find(|(known, _)| *known == short).map(|(_, long)| *long);
            let long = long.unwrap_or_else(|| panic!("{}: {argument}", command.name));
            assert!(argument.starts_with(long), "{}: {argument}", command.name);
        }
        // It has a short form everywhere, and the same words.
        for long in ["--yes", "--output"] {
            assert_eq!(argument(&command, long), None, "{}", command.name);
        }
        if let Some(yes) = argument(&command, "-y, --yes") {
            assert!(yes.contains("Do not ask") && yes.contains("without a terminal"), "{}: {yes}", command.name);
        }
        if let Some(output) = argument(&command, "-o, --output") {
            assert!(output.contains("<FORMAT>") || output.contains("<FILE>"), "{}: {output}", command.name);
        }
    }
}

#[test]
fn who_means_the_same_in_every_command() {
    let mut found = 0;
    for command in commands() {
        for argument in command.arguments() {
            let mut words = argument.split("  ").filter(|word| !word.trim().is_empty());
            let name = words.next().unwrap_or_default();
            if !name.contains("<WHO>") {
                continue;
            }
            found += 1;
            let text = words.next().unwrap_or_default().trim();
            let group = ["groups create", "groups members add", "groups members remove"].contains(&&*command.name);
            let who = if group {
                "A userName, an id, externalId:ID, or group:NAME"
            } else {
                "A userName, an id, or externalId:ID"
            };
            assert!(text.to_lowercase().contains(&who.to_lowercase()), "{}: {argument}", command.name);
            let takes_a_list = !name.starts_with("--") && command.name != "explain";
            assert_eq!(text.ends_with("; - for a list on standard input, one per line"), takes_a_list, "{argument}");
        }
    }
    assert!(found > 8, "{found}");
}
