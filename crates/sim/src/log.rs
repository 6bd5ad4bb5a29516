//! What the client was asked to do, and what it says has become of it.

use std::ops::Range;
use std::rc::Rc;
use std::time::Duration;

use wats_scim::plan::{Desired, Plan};
use wats_scim::{Error, WriteOutcome};

use crate::server::{Object, SECRETS};
use crate::world::World;

/// One write that the client is asked for. Its text is found nowhere else in the world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Intent {
    /// A user or a group with this name, and with this external id.
    Create {
        endpoint: &'static str,
        key: String,
    },
    /// `displayName` becomes this.
    Change {
        id: String,
        key: String,
    },
    Deactivate {
        id: String,
    },
    Delete {
        id: String,
    },
    AddMember {
        group: String,
        id: String,
    },
    RemoveMember {
        group: String,
        id: String,
    },
}

/// What the client says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    Applied,
    NotApplied(String),
    Unknown(String),
}

impl Claim {
    pub fn of<T>(result: &Result<T, Error>) -> Self {
        match result {
            Ok(_) => Self::Applied,
            Err(error) if error.write_outcome() == Some(WriteOutcome::NotApplied) => {
                Self::NotApplied(error.to_string())
            }
            Err(error) => Self::Unknown(error.to_string()),
        }
    }
}

#[derive(Debug)]
pub struct Write {
    pub intent: Intent,
    pub called: Duration,
    pub returned: Duration,
    pub claim: Claim,
    /// The requests that were sent meanwhile.
    pub tickets: Range<usize>,
    /// Whether nothing else was sent meanwhile.
    pub is_alone: bool,
}

#[derive(Debug)]
pub struct Listing {
    pub called: Duration,
    pub returned: Duration,
    pub ids: Vec<String>,
    /// Whether the list is said to be complete.
    pub is_complete: bool,
    pub tickets: Range<usize>,
}

/// A plan that was applied until the world was calm.
#[derive(Debug)]
pub struct Applied {
    pub began: Duration,
    pub ended: Duration,
    pub plan: Plan,
    pub desired: Desired,
    /// The directory before.
    pub before: Vec<(String, Rc<Object>)>,
    /// The steps that the client reports as not done in the end.
    pub problems: Vec<(usize, String)>,
    pub is_complete: bool,
}

/// A step that the client says had no effect.
#[derive(Debug)]
pub struct Refused {
    pub step: usize,
    pub why: String,
    /// The requests that were sent meanwhile.
    pub tickets: Range<usize>,
}

#[derive(Debug, Default)]
pub struct Log {
    pub writes: Vec<Write>,
    pub listings: Vec<Listing>,
    /// Of the plan that is applied now.
    pub refused: Vec<Refused>,
    /// How many operations there were.
    pub operations: u64,
}

impl World {
    pub fn record(&self, write: Write) {
        self.say(|| format!("the client says: {:?} is {:?}", write.intent, write.claim));
        let claim = format!("{:?}", write.claim);
        self.check_secrets("an error", &claim);
        self.trace(
            u64::from(matches!(write.claim, Claim::Applied)) + 2 * u64::from(matches!(write.claim, Claim::Unknown(_))),
        );
        let mut log = self.log.borrow_mut();
        log.operations += 1;
        log.writes.push(write);
    }

    /// (h) No secret in any text.
    pub fn check_secrets(&self, place: &str, text: &str) {
        if SECRETS.iter().any(|secret| text.contains(secret)) {
            self.violation(&format!("(h) a secret is in {place}: {text}"));
        }
    }

    pub fn sent(&self) -> usize {
        self.wire.borrow().tickets.len()
    }
}
