//! Many writes, with progress, a line for each that fails, and an end that Ctrl-C can bring forward.

use std::io::Write as _;

use indicatif::ProgressBar;
use serde_json::json;
use wats_scim::blocking::ScimClient;
use wats_scim::{Error, Resource, ScimWrite, WriteOutcome};

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::shown;

/// The words for what is done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Words {
    /// `users`
    pub(crate) units: &'static str,
    /// `deactivated`
    pub(crate) done: &'static str,
    /// What does the rest after a run that was not complete.
    pub(crate) again: &'static str,
}

/// The words if the same command does the rest.
pub(crate) const AGAIN: &str = "run the same command again for the rest";

/// How many writes came to what.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    total: usize,
    done: usize,
    failed: usize,
    /// Those of the failed ones that may have been applied.
    unknown: usize,
    /// How a run ends in which nothing was done.
    exit: Option<Exit>,
}

impl Counts {
    pub(crate) fn of(total: usize) -> Self {
        Self { total, ..Self::default() }
    }

    pub(crate) fn done(&mut self, number: usize) {
        self.done += number;
    }

    pub(crate) fn failed(&mut self, number: usize, error: &Error) {
        self.failed += number;
        if error.write_outcome() == Some(WriteOutcome::Unknown) {
            self.unknown += number;
        }
        self.exit.get_or_insert(Failure::Scim(error.clone()).exit());
    }

    /// How the run ends.
    pub(crate) fn end(&self, context: &Context, words: Words) -> Result<Exit, Failure> {
        let Self { total, done, failed, unknown, exit } = self;
        let Words { units, done: verb, again } = words;
        let left = total.saturating_sub(done + failed);
        let unknown = match unknown {
            0 => String::new(),
            number => format!(" ({number} may have been applied)"),
        };
        let counts = format!("{done} of {} {verb}, {failed} failed{unknown}", counted(*total, units));
        match exit {
            _ if context.interrupt.is_pressed() && left > 0 => {
                Err(Failure::Interrupted(format!("interrupted: {counts}, {left} not begun; {again}")))
            }
            None if *total == 0 => {
                context.say("nothing to do");
                Ok(Exit::Done)
            }
            None if left == 0 => {
                context.say(format!("{} {verb}", counted(*done, units)));
                Ok(Exit::Done)
            }
            Some(exit) if *done == 0 && unknown.is_empty() => {
                if *total > 1 {
                    context.say(counts);
                }
                Ok(*exit)
            }
            _ => Err(Failure::Partly(format!("{counts}, {left} not begun; {again}"))),
        }
    }
}

/// Sends writes, each of which is named for messages. `on_done` gets what the server answers.
pub(crate) fn write_all<T: Resource>(
    context: &Context,
    client: &ScimClient,
    writes: Vec<(String, ScimWrite<T>)>,
    words: Words,
    mut on_done: impl FnMut(Option<T>) -> Result<(), Failure>,
) -> Result<Exit, Failure> {
    let (names, writes): (Vec<String>, Vec<ScimWrite<T>>) = writes.into_iter().unzip();
    let mut counts = Counts::of(names.len());
    context.interrupt.listen();
    let bar = context.progress_of(words.units, names.len());
    let interrupt = context.interrupt.clone();
    // A reader that has seen enough does not stop the writes.
    let mut printed = Ok(());
    let batch = client.resources::<T>().write(writes.into_iter().take_while(move |_| !interrupt.is_pressed()));
    for (name, item) in names.into_iter().zip(batch) {
        match item.result {
            Ok(answer) => {
                counts.done(1);
                printed = printed.and_then(|()| on_done(answer));
            }
            Err(error) => {
                counts.failed(1, &error);
                bar.suspend(|| context.report_of(&name, &error));
            }
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    let exit = counts.end(context, words)?;
    printed.map(|()| exit)
}

/// The first so many names are in a message.
const NAMED: usize = 10;

/// Names for a message, of which there can be many.
pub(crate) fn named(names: impl ExactSizeIterator<Item = String>) -> String {
    let more = names.len().saturating_sub(NAMED);
    let names = names.take(NAMED).map(|name| shown(&name)).collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{names} and {more} more") } else { names }
}

/// A number of things: `1 user`, `2 users`.
pub(crate) fn counted(number: usize, units: &str) -> String {
    format!("{number} {}", if number == 1 { units.trim_end_matches('s') } else { units })
}

/// What is confirmed: `this deletes 2 users: ann, bob`.
pub(crate) fn question<T: Resource>(verb: &str, resources: &[T]) -> String {
    let names = named(resources.iter().map(name_of));
    format!("this {verb} {}: {names}", counted(resources.len(), &format!("{}s", T::NAME)))
}

/// The name of a resource for messages.
pub(crate) fn name_of<T: Resource>(resource: &T) -> String {
    resource.name().or(resource.id()).unwrap_or_default().to_owned()
}

impl Context {
    /// A progress bar of so many things; hidden if there is only one.
    pub(crate) fn progress_of(&self, units: &str, number: usize) -> ProgressBar {
        let bar = if number > 1 { self.progress(units) } else { ProgressBar::hidden() };
        bar.set_length(u64::try_from(number).unwrap_or(u64::MAX));
        bar
    }

    /// Prints why a write failed, and whether it was applied.
    pub(crate) fn report_of(&self, name: &str, error: &Error) {
        let line = if self.is_json() {
            json!({ "who": name, "error": error }).to_string()
        } else {
            format!("error: {}: {error}", shown(name))
        };
        let _ = writeln!(std::io::stderr(), "{line}");
    }
}
