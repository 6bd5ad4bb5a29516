//! Ctrl-C: the first ends a run between two steps, the second ends it at once. At a question, the first does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::failure::Exit;

/// Whether Ctrl-C was pressed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interrupt(Arc<State>);

#[derive(Debug, Default)]
struct State {
    is_pressed: AtomicBool,
    /// A question waits for its answer, so that nothing is lost by an end.
    is_asking: AtomicBool,
}

impl Interrupt {
    /// From now on, Ctrl-C is noticed here. Without it, Ctrl-C ends the program, unless it was started by one that
    /// ignores it.
    pub(crate) fn listen(&self) {
        let state = Arc::clone(&self.0);
        // It fails only if it was called before.
        let _ = ctrlc::set_handler(move || {
            if state.is_asking.load(Ordering::Relaxed) || state.is_pressed.swap(true, Ordering::Relaxed) {
                std::process::exit(Exit::Interrupted as i32);
            }
        });
    }

    /// Asks a question, at which Ctrl-C ends the program.
    pub(crate) fn while_asking<T>(&self, ask: impl FnOnce() -> T) -> T {
        self.listen();
        self.0.is_asking.store(true, Ordering::Relaxed);
        let answer = ask();
        self.0.is_asking.store(false, Ordering::Relaxed);
        answer
    }

    pub(crate) fn is_pressed(&self) -> bool {
        self.0.is_pressed.load(Ordering::Relaxed)
    }
}
