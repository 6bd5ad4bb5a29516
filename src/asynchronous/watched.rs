//! A value that tasks share, and wait for.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use futures_util::future::{Either, select};

use super::sleep;

pub(super) struct Watched<T>(Mutex<State<T>>);

struct State<T> {
    value: T,
    waiting: Vec<Waker>,
}

impl<T> Watched<T> {
    pub(super) fn new(value: T) -> Self {
        Self(Mutex::new(State { value, waiting: Vec::new() }))
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn look<O>(&self, look: impl FnOnce(&T) -> O) -> O {
        look(&self.lock().value)
    }

    /// Changes the value, which those that wait see.
    pub(super) fn change<O>(&self, change: impl FnOnce(&mut T) -> O) -> O {
        let mut state = self.lock();
        let out = change(&mut state.value);
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        waiting.into_iter().for_each(Waker::wake);
        out
    }

    /// Waits until the function returns something, which it is called for now and after each change.
    /// `None` if it does not within this time.
    pub(super) async fn wait<O>(&self, longest: Duration, mut look: impl FnMut(&mut T) -> Option<O>) -> Option<O> {
        let seen = poll_fn(|cx| {
            let mut state = self.lock();
            if let Some(out) = look(&mut state.value) {
                return Poll::Ready(out);
            }
            // A waker that no longer waits is woken once for nothing.
            if !state.waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
                state.waiting.push(cx.waker().clone());
            }
            Poll::Pending
        });
        match select(pin!(seen), pin!(sleep(longest))).await {
            Either::Left((out, _)) => Some(out),
            Either::Right(_) => None,
        }
    }
}
