//! Searches by a name that stands for them in URLs. A search often is the name of a person, and URLs are in the
//! history of browsers and in the logs of proxies.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use super::problem::Problem;
use super::random;

/// More than people use at once. The oldest one is forgotten first.
const MOST: usize = 2_000;

#[derive(Debug, Default)]
pub(super) struct Searches(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    texts: HashMap<String, String>,
    order: VecDeque<String>,
}

impl Searches {
    /// Keeps a search, and returns its name.
    pub(super) fn keep(&self, text: &str) -> Result<String, Problem> {
        let name = random::name()?;
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.order.len() >= MOST
            && let Some(oldest) = known.order.pop_front()
        {
            known.texts.remove(&oldest);
        }
        known.texts.insert(name.clone(), text.to_owned());
        known.order.push_back(name.clone());
        Ok(name)
    }

    /// The search with this name; `None` if it is forgotten.
    pub(super) fn named(&self, name: &str) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).texts.get(name).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_search_is_forgotten_first() {
        let searches = Searches::default();
        let first = searches.keep("first").unwrap();
        let second = searches.keep("second").unwrap();
        for _ in 0..MOST - 1 {
            searches.keep("more").unwrap();
        }
        assert_eq!((searches.named(&first), searches.named(&second).as_deref()), (None, Some("second")));
    }
}
