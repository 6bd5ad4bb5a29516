//! The async API, on an executor in virtual time.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use http::{Request, Response};
use maybe_async::must_be_async as maybe_async;
use wats_scim::asynchronous as api;
use wats_scim::transport::TransportError;

use crate::program::Task;
use crate::world::{World, here};

#[path = "tasks.rs"]
mod tasks;

pub use tasks::Ended;

/// Runs a process to its end; `None` if it was killed.
pub fn process(world: &Rc<World>, task: Task) -> Option<Ended> {
    let woken = Arc::new(Woken(AtomicBool::new(true)));
    let waker = Waker::from(Arc::clone(&woken));
    let mut future = pin!(tasks::run(task));
    loop {
        if woken.0.swap(false, Ordering::Relaxed)
            && let Poll::Ready(ended) = future.as_mut().poll(&mut Context::from_waker(&waker))
        {
            return Some(ended);
        }
        if world.is_dead() {
            return None;
        }
        if !woken.0.load(Ordering::Relaxed) && !world.step(Duration::MAX) {
            world.violation("(d) the client waits for ever");
            return None;
        }
    }
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A request that waits for its answer.
struct Sending(usize);

impl Future for Sending {
    type Output = Result<Response<Vec<u8>>, TransportError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let world = here();
        if world.is_dead() {
            return Poll::Pending;
        }
        world.answer(self.0, Some(cx.waker())).map_or(Poll::Pending, Poll::Ready)
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        here().abandon(self.0);
    }
}

fn send(request: Request<Vec<u8>>) -> impl Future<Output = Result<Response<Vec<u8>>, TransportError>> + Send {
    let number = here().dispatch(request);
    Sending(number)
}

/// Waits for a future, or drops it when it has waited for long enough.
async fn with_patience<T>(future: impl Future<Output = T>) -> Option<T> {
    let world = here();
    if world.setting.in_flight == 1 || !world.chance(16) {
        return Some(future.await);
    }
    let mut future = pin!(future);
    let mut polls = world.choose(4);
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending if polls == 0 => Poll::Ready(None),
        Poll::Pending => {
            polls -= 1;
            Poll::Pending
        }
    })
    .await
}
