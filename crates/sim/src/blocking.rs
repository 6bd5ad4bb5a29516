//! The blocking API, with one request in flight, on the thread of the world.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::time::Duration;

use http::{Request, Response};
use maybe_async::must_be_sync as maybe_async;
use wats_scim::blocking as api;
use wats_scim::transport::TransportError;

use crate::program::Task;
use crate::world::{Died, World, here};

#[path = "tasks.rs"]
mod tasks;

pub use tasks::Ended;

/// Runs a process to its end; `None` if it was killed.
pub fn process(_: &Rc<World>, task: Task) -> Option<Ended> {
    match catch_unwind(AssertUnwindSafe(|| tasks::run(task))) {
        Ok(ended) => Some(ended),
        Err(panic) if panic.is::<Died>() => None,
        Err(panic) => resume_unwind(panic),
    }
}

fn send(request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, TransportError> {
    let world = here();
    let number = world.dispatch(request);
    loop {
        if world.is_dead() {
            resume_unwind(Box::new(Died));
        }
        if let Some(answer) = world.answer(number, None) {
            return answer;
        }
        if !world.step(Duration::MAX) {
            world.violation("(d) the client waits for ever");
            resume_unwind(Box::new(Died));
        }
    }
}

#[allow(clippy::unnecessary_wraps, reason = "as in the async API")]
fn with_patience<T>(done: T) -> Option<T> {
    Some(done)
}
