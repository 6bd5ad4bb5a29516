//! Questions and progress, on standard error. Without a terminal, nothing is asked.

use std::io::{self, IsTerminal as _};

use dialoguer::Input;
use dialoguer::theme::SimpleTheme;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::context::Context;
use crate::failure::Failure;

/// More than so many are confirmed by their number.
const MANY: usize = 10;

impl Context {
    /// Whether a question can be asked and answered.
    pub(crate) fn can_ask(&self) -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }

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
        if !self.can_ask() {
            return Err(Failure::Usage(format!("{what}: there is no terminal to ask on; give --yes")));
        }
        let expected = if number > MANY { number.to_string() } else { "yes".to_owned() };
        let prompt = if number > MANY {
            format!("{what}. Type {number} to go on")
        } else {
            format!("{what}. Type yes to go on")
        };
        let answer: String = Input::with_theme(&SimpleTheme)
            .with_prompt(prompt)
            .allow_empty(true)
            .interact_text()
            .map_err(|error| Failure::Interrupted(format!("nothing was changed: {error}")))?;
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
