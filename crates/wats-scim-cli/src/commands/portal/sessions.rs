//! People who are signed in with a password.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use wats_scim::Secret;

use super::password_file::{PasswordFile, hashed, is_right};
use super::problem::Problem;
use super::random;
use super::throttle::Throttle;
use crate::failure::Failure;

/// A session ends after this time without a request.
const IDLE: Duration = Duration::from_secs(30 * 60);

/// A session ends after this time at the latest.
pub(super) const LONGEST: Duration = Duration::from_secs(10 * 60 * 60);

/// Each check of a password needs about 20 MB of memory, and a processor.
const CHECKS_AT_ONCE: usize = 2;

pub(super) struct Sessions {
    file: PasswordFile,
    open: Mutex<HashMap<String, Session>>,
    throttle: Throttle,
    checks: Semaphore,
    /// A hash of no person. With it, the check of an unknown name takes as long as that of a known one.
    of_no_person: String,
}

struct Session {
    person: Arc<str>,
    /// The hash of the password at that time.
    hash: String,
    begun: Instant,
    used: Instant,
}

/// How an attempt to sign in ended.
#[derive(Debug)]
pub(super) enum SignIn {
    /// With this secret, which the browser sends along from now on.
    Done(String),
    Wrong,
    TooMany,
}

impl Sessions {
    pub(super) fn of(file: PasswordFile) -> Result<Self, Failure> {
        if !file.has_people()? {
            let path = file.path().display();
            return Err(Failure::Other(format!(
                "no person can sign in: {path} is empty; add one with `wats-scim portal password NAME`"
            )));
        }
        Ok(Self {
            file,
            open: Mutex::default(),
            throttle: Throttle::new(),
            checks: Semaphore::new(CHECKS_AT_ONCE),
            of_no_person: hashed(&Secret::new("no person has it"))?,
        })
    }

    pub(super) async fn sign_in(&self, person: &str, password: Secret) -> Result<SignIn, Problem> {
        if !self.throttle.admits(person, Instant::now()) {
            return Ok(SignIn::TooMany);
        }
        let known = self.file.hash(person).map_err(|_| Problem::internal())?;
        let hash = known.clone().unwrap_or_else(|| self.of_no_person.clone());
        let permit = self.checks.acquire().await;
        let is_right = spawn_blocking(move || is_right(&password, &hash)).await.map_err(|_| Problem::internal())?;
        drop(permit);
        let Some(hash) = known.filter(|_| is_right) else { return Ok(SignIn::Wrong) };
        self.throttle.reset(person);
        let (secret, now) = (random::name()?, Instant::now());
        let session = Session { person: person.into(), hash, begun: now, used: now };
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, session| session.is_open(now));
        open.insert(secret.clone(), session);
        Ok(SignIn::Done(secret))
    }

    /// The person of a session. A session ends if the person is removed or has a new password.
    pub(super) fn person(&self, secret: &str, now: Instant) -> Option<Arc<str>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let session = open.get_mut(secret)?;
        let hash = self.file.hash(&session.person).ok().flatten();
        if !session.is_open(now) || hash.as_ref() != Some(&session.hash) {
            open.remove(secret);
            return None;
        }
        session.used = now;
        Some(Arc::clone(&session.person))
    }

    pub(super) fn sign_out(&self, secret: &str) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(secret);
    }
}

impl Session {
    fn is_open(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.begun) < LONGEST && now.saturating_duration_since(self.used) < IDLE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_session_ends_by_time_by_sign_out_and_with_its_password() {
        let folder = tempfile::tempdir().unwrap();
        let file = PasswordFile::at(Some(folder.path().join("people"))).unwrap();
        assert!(Sessions::of(file.clone()).is_err(), "without people");
        let password = || Secret::new("correct horse battery");
        file.set("ann", Some(hashed(&password()).unwrap())).unwrap();
        let sessions = Sessions::of(file.clone()).unwrap();
        let begin = async || match sessions.sign_in("ann", password()).await {
            Ok(SignIn::Done(secret)) => secret,
            _ => panic!("ann cannot sign in"),
        };

        // The time is taken after each beginning: a check of a password can last long.
        let (idle, now) = (begin().await, Instant::now());
        assert_eq!(sessions.person(&idle, now + IDLE / 2).as_deref(), Some("ann"));
        assert_eq!(sessions.person(&idle, now + IDLE).as_deref(), Some("ann"), "it was used");
        assert_eq!(sessions.person(&idle, now + IDLE * 3), None);

        let (long, now) = (begin().await, Instant::now());
        let steps = u32::try_from(LONGEST.as_secs() / (IDLE.as_secs() / 2)).unwrap();
        let lasted = (0..2 * steps).take_while(|step| sessions.person(&long, now + IDLE / 2 * *step).is_some()).count();
        assert_eq!(lasted, steps as usize);

        let out = begin().await;
        sessions.sign_out(&out);
        assert_eq!(sessions.person(&out, now), None);

        let old = begin().await;
        file.set("ann", Some(hashed(&password()).unwrap())).unwrap();
        assert_eq!(sessions.person(&old, now), None);
        let removed = begin().await;
        file.set("ann", None).unwrap();
        assert_eq!(sessions.person(&removed, now), None);
        assert!(matches!(sessions.sign_in("ann", password()).await, Ok(SignIn::Wrong)));
        assert_eq!(sessions.person("", now), None);
    }
}
