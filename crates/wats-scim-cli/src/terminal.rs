//! Questions and progress, on standard error. Without a terminal, nothing is asked.

use std::io::{self, IsTerminal as _, Write as _};

use dialoguer::theme::SimpleTheme;
use dialoguer::{Input, Password};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use wats_scim::Secret;

use crate::context::Context;
use crate::failure::Failure;
use crate::output::shown;

/// More than so many are confirmed by their number.
const MANY: usize = 10;

/// Whether a question can be asked and answered.
pub(crate) fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks for a line, which is edited by the terminal itself: the end of the input (Ctrl-D) is an empty answer.
fn line(prompt: &str) -> io::Result<String> {
    let mut out = io::stderr();
    write!(out, "{prompt}")?;
    out.flush()?;
    let mut answer = String::new();
    if io::stdin().read_line(&mut answer)? == 0 {
        writeln!(out)?;
    }
    Ok(answer)
}

/// Asks for a text.
pub(crate) fn ask(prompt: &str) -> Result<String, Failure> {
    let answer = Input::with_theme(&SimpleTheme).with_prompt(prompt).interact_text();
    answer.map(|answer: String| answer.trim().to_owned()).map_err(|error| not_answered(&error))
}

/// Asks for a secret, without showing it.
pub(crate) fn ask_secret(prompt: &str) -> Result<Secret, Failure> {
    let answer = Password::with_theme(&SimpleTheme).with_prompt(prompt).interact();
    answer.map(|answer| Secret::new(answer.trim())).map_err(|error| not_answered(&error))
}

impl Context {
    /// Asks before `what` happens to so many users or groups, unless `--yes` is given: by the word yes, or by
    /// the number if it is a large one.
    ///
    /// # Errors
    ///
    /// [`Failure::Usage`] without a terminal, [`Failure::Interrupted`] if it is not confirmed.
    pub(crate) fn confirm(&self, yes: bool, number: usize, what: &str) -> Result<(), Failure> {
        if yes || number == 0 {
            return Ok(());
        }
        if !can_ask() {
            return Err(Failure::Usage(format!("{what}: there is no terminal to ask on; give --yes")));
        }
        let expected = if number > MANY { number.to_string() } else { "yes".to_owned() };
        let prompt = format!("{}. Type {expected} to go on: ", shown(what));
        let answer = self.interrupt.while_asking(|| line(&prompt)).map_err(|error| not_answered(&error))?;
        if answer.trim().eq_ignore_ascii_case(&expected) {
            Ok(())
        } else {
            Err(Failure::Interrupted("nothing was changed".to_owned()))
        }
    }

    /// A progress bar; it is hidden with `--quiet` and without a terminal.
    pub(crate) fn progress(&self, unit: &str) -> ProgressBar {
        let target = if self.is_quiet() || !io::stderr().is_terminal() {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr()
        };
        let template = format!("{{bar:30}} {{pos}} of {{len}} {unit}, {{eta}} left");
        let style = ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar());
        ProgressBar::with_draw_target(None, target).with_style(style)
    }
}

fn not_answered(error: &impl std::fmt::Display) -> Failure {
    Failure::Interrupted(format!("nothing was changed: {error}"))
}
