//! The guide is true: its commands run in order, in one shell, and print what it shows.
//!
//! trycmd runs each command by itself: it has no pipes, no redirections and no `export`, and it skips every program
//! that it does not know. The guide is one session, so its commands are one script of `sh`. The guide with what they
//! print now is compared with the guide as it is; `SNAPSHOTS=overwrite` writes it.
//!
//! - A block `console` is a part of the session: `$ ` begins a command, `> ` continues it, all other lines are output.
//!   In the output, `[..]` stands for any text, and a line `...` for any lines.
//! - A block with a name behind its language, such as `csv people.csv`, is the content of that file.
//! - A command that ends with `&` is started by the test, and the two lines that it prints are pasted into the shell.
#![cfg(unix)]

mod support;

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

use snapbox::{Assert, Data};

use self::support::{Home, run};

/// Ends the output of a command, and a file.
const MARK: &str = "\u{1}";

/// A command that the guide leaves running.
struct Background(Child);

impl Drop for Background {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a command, and returns the two lines that it prints first.
fn start(home: &Home, command: &str) -> (Background, Vec<String>) {
    let args: Vec<&str> = command.split_whitespace().skip(1).filter(|word| *word != "&").collect();
    let mut child = home.command(&args).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    let running = Background(child);
    (running, out.lines().take(2).map(Result::unwrap).collect())
}

/// The lines of the guide, with a mark in the place of each output, and the script that prints the outputs.
struct Session {
    shown: Vec<String>,
    script: Vec<String>,
    running: Vec<Background>,
}

impl Session {
    fn of(home: &Home, guide: &str) -> Self {
        let mut session = Self { shown: Vec::new(), script: Vec::new(), running: Vec::new() };
        let mut block = None;
        let mut lines = guide.lines().peekable();
        while let Some(line) = lines.next() {
            session.shown.push(line.to_owned());
            let file = block.and_then(|block: &str| block.split_once(' '));
            match (block, file, line.strip_prefix("```")) {
                (None, _, Some(opened)) => {
                    block = Some(opened);
                    let name = opened.split_once(' ').map(|(_, name)| name);
                    session.script.extend(name.map(|name| format!("cat > {name} <<'{MARK}'")));
                }
                (Some(_), _, Some(_)) => {
                    block = None;
                    session.script.extend(file.map(|_| MARK.to_owned()));
                }
                (Some(_), Some(_), None) => session.script.push(line.to_owned()),
                (Some("console"), None, None) => {
                    let mut command = line.strip_prefix("$ ").expect(line).to_owned();
                    while let Some(more) = lines.next_if(|line| line.starts_with("> ")) {
                        session.shown.push(more.to_owned());
                        command += &more.replacen("> ", "\n", 1);
                    }
                    while lines.next_if(|line| !line.starts_with("$ ") && !line.starts_with("```")).is_some() {}
                    session.run(home, &command);
                }
                _ => {}
            }
        }
        session
    }

    fn run(&mut self, home: &Home, command: &str) {
        if command.ends_with('&') {
            let (background, printed) = start(home, command);
            self.running.push(background);
            self.shown.extend(printed.clone());
            self.script.extend(printed);
        } else {
            // The next command sees the exit code of this one.
            self.script.push(format!("{{ {command}\n}} </dev/null 2>&1\ncode=$?; printf '{MARK}'; (exit $code)"));
            self.shown.push(MARK.to_owned());
        }
    }
}

#[test]
fn the_commands_of_the_guide_print_what_it_shows() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/command.md");
    let home = Home::new().with("WATS_SCIM_LABEL", "you@machine");
    let session = Session::of(&home, &std::fs::read_to_string(&path).unwrap());
    let printed = run(home.shell(), &(session.script.join("\n") + "\n"));
    assert_eq!(printed.err, "", "the shell");
    let mut outputs = printed.out.split(MARK);
    let now: String = session
        .shown
        .iter()
        .map(|line| if line == MARK { outputs.next().unwrap_or_default().to_owned() } else { format!("{line}\n") })
        .collect();
    Assert::new().action_env("SNAPSHOTS").normalize_paths(false).eq(now, Data::read_from(&path, None));
}
