//! When an access token is renewed, and by which of the requests that need it. Pure: the clock is an
//! argument.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::authorization::Authorization;
use crate::config::AccessToken;
use crate::error::{Error, Result, Secret, Secrets};

/// The token of a client, shared by its clones.
#[derive(Debug, Default)]
pub(crate) struct Renewal {
    held: Option<Held>,
    /// The renewal that is in flight.
    in_flight: Option<u64>,
    /// The number of the last renewal that was begun.
    last: u64,
    /// The last renewal that failed, unless a later one succeeded.
    failed: Option<(u64, Arc<Error>)>,
    /// Whether the token may have been replaced at its source.
    is_outdated: bool,
    /// The secrets that are always redacted.
    known: Arc<Secrets>,
    /// The last tokens: a server may repeat one of them after its renewal.
    recent: VecDeque<Secret>,
}

#[derive(Debug)]
struct Held {
    authorization: Arc<Authorization>,
    times: Option<Times>,
}

#[derive(Clone, Copy, Debug)]
struct Times {
    renewed_from: Instant,
    expires: Instant,
}

/// What a request that needs a token does next.
#[derive(Debug)]
pub(crate) enum Turn {
    Send(Arc<Authorization>),
    /// It renews the token, and says so with [`Renewal::end`] or [`Renewal::abandon`].
    Renew(u64),
    /// The renewal that it waited for has failed.
    Fail(Error),
}

/// The renewal that a request has waited for, or made.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Waited(Option<u64>);

impl Waited {
    fn is_over_with(self, renewal: u64) -> bool {
        self.0.is_some_and(|waited| renewal >= waited)
    }
}

impl Renewal {
    /// The longest time before its end at which a token is renewed.
    const LONGEST_MARGIN: Duration = Duration::from_secs(60);
    /// A shorter margin than this is not halved again after a failure.
    const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
    /// A longer lifetime could overflow the clock.
    const LONGEST_LIFETIME: Duration = Duration::from_secs(365 * 24 * 60 * 60);
    const RECENT: usize = 8;

    /// A client without a token, whose other secrets are these.
    pub(crate) fn new(known: Arc<Secrets>) -> Self {
        Self { known, ..Self::default() }
    }

    /// The token, if a request can use it without a look at the rest.
    pub(crate) fn ready(&self, now: Instant) -> Option<Arc<Authorization>> {
        let held = self.held.as_ref()?;
        let is_ready = held.is_valid(now) && (self.in_flight.is_some() || !self.is_due(held, now));
        is_ready.then(|| Arc::clone(&held.authorization))
    }

    /// What a request does next; `None` if it waits until the renewal in flight has ended.
    ///
    /// While a token that is still valid is renewed, the other requests use it.
    pub(crate) fn turn(&mut self, waited: &mut Waited, now: Instant) -> Option<Turn> {
        if let Some(held) = &self.held {
            // However short its lifetime is, a token is good for those that waited for it.
            let is_new = waited.is_over_with(held.authorization.renewal);
            let is_usable = is_new || held.is_valid(now);
            if is_usable && (is_new || self.in_flight.is_some() || !self.is_due(held, now)) {
                return Some(Turn::Send(Arc::clone(&held.authorization)));
            }
        }
        if let Some((renewal, error)) = &self.failed
            && waited.is_over_with(*renewal)
        {
            return Some(Turn::Fail(error.repeated()));
        }
        if self.in_flight.is_some() {
            waited.0 = waited.0.or(self.in_flight);
            return None;
        }
        self.last = self.last.saturating_add(1);
        self.in_flight = Some(self.last);
        waited.0 = waited.0.or(self.in_flight);
        Some(Turn::Renew(self.last))
    }

    /// Ends a renewal that was begun at `begun`, from when on the lifetime of the token counts.
    pub(crate) fn end(&mut self, renewal: u64, token: Result<AccessToken>, begun: Instant, now: Instant) {
        if self.in_flight != Some(renewal) {
            return;
        }
        self.in_flight = None;
        self.is_outdated = false;
        match token.and_then(|token| Ok((token.header()?, token))) {
            Ok((header, token)) => {
                self.failed = None;
                let secrets = self.redacting(token.token);
                let authorization =
                    Authorization { header: Some(header), secrets, renewal, was_accepted: Arc::default() };
                let times = token.lifetime.map(|lifetime| Times::of(lifetime, begun));
                self.held = Some(Held { authorization: Arc::new(authorization), times });
            }
            Err(error) => {
                self.failed = Some((renewal, Arc::new(error.without_token())));
                if let Some(times) = self.held.as_mut().and_then(|held| held.times.as_mut()) {
                    times.put_off(now);
                }
            }
        }
    }

    /// A renewal will not end: its request was cancelled. Another one takes over.
    pub(crate) fn abandon(&mut self, renewal: u64) {
        self.in_flight = self.in_flight.filter(|in_flight| *in_flight != renewal);
    }

    /// The server has rejected the token of this renewal with 401. It is not used again.
    pub(crate) fn reject(&mut self, renewal: u64) {
        self.held = self.held.take().filter(|held| held.authorization.renewal != renewal);
    }

    /// The token may have been replaced at its source: it is renewed before the next request.
    pub(crate) fn outdate(&mut self) {
        self.is_outdated = true;
    }

    fn is_due(&self, held: &Held, now: Instant) -> bool {
        self.is_outdated || held.times.is_some_and(|times| now >= times.renewed_from)
    }

    fn redacting(&mut self, token: Secret) -> Arc<Secrets> {
        self.recent.push_front(token);
        self.recent.truncate(Self::RECENT);
        Arc::new(self.known.with(self.recent.iter().map(|token| token.expose().trim())))
    }
}

impl Held {
    fn is_valid(&self, now: Instant) -> bool {
        self.times.is_none_or(|times| now < times.expires)
    }
}

impl Times {
    fn of(lifetime: Duration, begun: Instant) -> Self {
        let lifetime = lifetime.min(Renewal::LONGEST_LIFETIME);
        let margin = (lifetime / 10).min(Renewal::LONGEST_MARGIN);
        let after = |time| begun.checked_add(time).unwrap_or(begun);
        Self { renewed_from: after(lifetime.saturating_sub(margin)), expires: after(lifetime) }
    }

    /// After a failure, the next renewal is in the middle of the remaining time, or at its end.
    fn put_off(&mut self, now: Instant) {
        let pause = self.expires.saturating_duration_since(now) / 2;
        let next = if pause < Renewal::SHORTEST_PAUSE { None } else { now.checked_add(pause) };
        self.renewed_from = next.unwrap_or(self.expires);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::error::ErrorKind;

    const SECOND: Duration = Duration::from_secs(1);

    fn token(name: &str, seconds: u32) -> AccessToken {
        AccessToken::new(name).with_lifetime(seconds * SECOND)
    }

    fn failure() -> Result<AccessToken> {
        Err(Error::new(ErrorKind::Connection, "no connection"))
    }

    /// What a request that arrives now does.
    fn arrives(renewal: &mut Renewal, now: Instant) -> Option<Turn> {
        renewal.turn(&mut Waited::default(), now)
    }

    fn renewed(renewal: &mut Renewal, result: Result<AccessToken>, now: Instant) {
        let Some(Turn::Renew(number)) = arrives(renewal, now) else { panic!("{renewal:?}") };
        renewal.end(number, result, now, now);
    }

    fn sends(turn: Option<Turn>, token: &str) -> bool {
        let Some(Turn::Send(authorization)) = turn else { return false };
        authorization.header.as_ref().is_some_and(|header| header == format!("Bearer {token}").as_str())
    }

    #[test]
    fn one_request_renews_and_the_others_wait() {
        let (mut renewal, now) = (Renewal::default(), Instant::now());
        let (mut one, mut other) = (Waited::default(), Waited::default());
        let Some(Turn::Renew(number)) = renewal.turn(&mut one, now) else { panic!() };
        assert!(renewal.turn(&mut other, now).is_none() && renewal.ready(now).is_none());
        renewal.end(number, Ok(token("a", 10)), now, now);
        assert!(sends(renewal.turn(&mut one, now), "a") && sends(renewal.turn(&mut other, now), "a"));
    }

    #[test]
    fn a_token_is_renewed_before_it_expires_while_the_others_use_it() {
        let (mut renewal, now) = (Renewal::default(), Instant::now());
        renewed(&mut renewal, Ok(token("a", 2)), now);
        assert!(sends(arrives(&mut renewal, now + 17 * SECOND / 10), "a"));
        let due = now + 18 * SECOND / 10;
        let Some(Turn::Renew(number)) = arrives(&mut renewal, due) else { panic!() };
        assert!(sends(arrives(&mut renewal, due), "a"));
        assert!(arrives(&mut renewal, now + 2 * SECOND).is_none(), "expired");
        renewal.end(number, Ok(token("b", 2)), due, now + 2 * SECOND);
        assert!(sends(arrives(&mut renewal, now + 3 * SECOND), "b"));
    }

    #[test]
    fn a_long_lifetime_has_a_margin_of_a_minute() {
        let (mut renewal, now) = (Renewal::default(), Instant::now());
        renewed(&mut renewal, Ok(token("a", 3600)), now);
        assert!(sends(arrives(&mut renewal, now + 3539 * SECOND), "a"));
        assert!(matches!(arrives(&mut renewal, now + 3540 * SECOND), Some(Turn::Renew(2))));
    }

    #[test]
    fn a_failure_is_the_failure_of_all_that_waited_for_it_and_of_no_other() {
        let (mut renewal, now) = (Renewal::default(), Instant::now());
        let (mut one, mut other) = (Waited::default(), Waited::default());
        let Some(Turn::Renew(number)) = renewal.turn(&mut one, now) else { panic!() };
        assert!(renewal.turn(&mut other, now).is_none());
        renewal.end(number, failure(), now, now);
        let Some(Turn::Renew(number)) = arrives(&mut renewal, now) else { panic!("a later one tries again") };
        for waited in [&mut one, &mut other] {
            let Some(Turn::Fail(error)) = renewal.turn(waited, now) else { panic!() };
            assert_eq!(error.to_string(), "no access token: no connection");
        }
        renewal.end(number, Ok(token("b", 10)), now, now);
        assert!(sends(renewal.turn(&mut other, now), "b"));
    }

    #[test]
    fn a_failed_early_renewal_leaves_the_token_in_use() {
        let (mut renewal, now) = (Renewal::default(), Instant::now());
        renewed(&mut renewal, Ok(token("a", 100)), now);
        renewed(&mut renewal, failure(), now + 90 * SECOND);
        assert!(sends(arrives(&mut renewal, now + 94 * SECOND), "a"));
        renewed(&mut renewal, failure(), now + 95 * SECOND);
        assert!(sends(arrives(&mut renewal, now + 97 * SECOND), "a"));
    }

    #[test]
    fn a_cancelled_renewal_is_taken_over() {
        let (mut renewal, now) = (Renewal::default(), Instant::now());
        let mut other = Waited::default();
        let Some(Turn::Renew(number)) = arrives(&mut renewal, now) else { panic!() };
        assert!(renewal.turn(&mut other, now).is_none());
        renewal.abandon(number);
        let Some(Turn::Renew(second)) = renewal.turn(&mut other, now) else { panic!() };
        renewal.end(number, Ok(token("late", 10)), now, now);
        assert!(arrives(&mut renewal, now).is_none(), "the first one does not end the second");
        renewal.end(second, Ok(token("b", 10)), now, now);
        assert!(sends(renewal.turn(&mut other, now), "b"));
    }

    #[test]
    fn a_rejected_token_is_renewed_once_for_all_that_used_it() {
        let (mut renewal, now) = (Renewal::default(), Instant::now());
        renewed(&mut renewal, Ok(token("a", 10)), now);
        renewal.reject(1);
        renewed(&mut renewal, Ok(token("b", 10)), now);
        renewal.reject(1);
        assert!(sends(arrives(&mut renewal, now), "b"));
    }

    #[test]
    fn a_token_that_lives_for_no_time_is_good_for_those_that_waited_for_it() {
        let (mut renewal, now) = (Renewal::default(), Instant::now());
        let (mut one, mut other) = (Waited::default(), Waited::default());
        let Some(Turn::Renew(number)) = renewal.turn(&mut one, now) else { panic!() };
        assert!(renewal.turn(&mut other, now).is_none());
        renewal.end(number, Ok(token("a", 0)), now, now);
        assert!(sends(renewal.turn(&mut one, now), "a") && sends(renewal.turn(&mut other, now), "a"));
        assert!(matches!(arrives(&mut renewal, now), Some(Turn::Renew(2))));
    }

    #[test]
    fn an_outdated_token_is_in_use_until_there_is_another() {
        let (mut renewal, now) = (Renewal::default(), Instant::now());
        renewed(&mut renewal, Ok(AccessToken::new("a")), now);
        renewal.outdate();
        assert!(renewal.ready(now).is_none());
        renewed(&mut renewal, failure(), now);
        assert!(sends(arrives(&mut renewal, now), "a"));
        renewal.outdate();
        renewed(&mut renewal, Ok(AccessToken::new("b")), now);
        assert!(sends(arrives(&mut renewal, now), "b"));
    }

    #[test]
    fn a_token_that_cannot_be_sent_is_a_failure_that_does_not_repeat_it() {
        let (mut renewal, now) = (Renewal::default(), Instant::now());
        let mut waited = Waited::default();
        let Some(Turn::Renew(number)) = renewal.turn(&mut waited, now) else { panic!() };
        renewal.end(number, Ok(AccessToken::new("canary canary")), now, now);
        let Some(Turn::Fail(error)) = renewal.turn(&mut waited, now) else { panic!() };
        assert_eq!(error.kind(), ErrorKind::Unauthorized);
        assert!(!format!("{error} {error:?} {renewal:?}").contains("canary"), "{error}");
    }

    #[test]
    fn earlier_tokens_are_redacted_too() {
        let mut renewal = Renewal::new(Arc::new(Secrets::new(["client-secret"])));
        let now = Instant::now();
        renewed(&mut renewal, Ok(token("first-token", 0)), now);
        renewed(&mut renewal, Ok(token("second-token", 0)), now);
        let secrets = renewal.held.map(|held| Arc::clone(&held.authorization.secrets)).unwrap();
        let hidden = secrets.hide("first-token second-token client-secret");
        assert_eq!(hidden, "[redacted] [redacted] [redacted]");
    }

    #[derive(Clone, Debug)]
    enum Act {
        Asks(usize),
        Ends { succeeds: bool, lifetime: u32 },
        Cancels,
        Rejects(usize),
        Passes(u32),
    }

    fn act() -> impl Strategy<Value = Act> {
        prop_oneof![
            4 => (0..6_usize).prop_map(Act::Asks),
            2 => (any::<bool>(), 0..20_u32).prop_map(|(succeeds, lifetime)| Act::Ends { succeeds, lifetime }),
            1 => Just(Act::Cancels),
            1 => (0..6_usize).prop_map(Act::Rejects),
            2 => (0..5_u32).prop_map(Act::Passes),
        ]
    }

    proptest! {
        /// In any history: one renewal at a time; no request waits for nothing; none is sent with a token
        /// that was rejected, or that had expired before the request asked.
        #[test]
        fn every_history_keeps_the_promises(acts in prop::collection::vec(act(), 0..200)) {
            let (mut renewal, start) = (Renewal::default(), Instant::now());
            let (mut now, mut in_flight, mut rejected) = (start, None::<(u64, Instant)>, Vec::new());
            let mut ends = std::collections::HashMap::new();
            let mut waited = [Waited::default(); 6];
            let mut used = [0; 6];
            for act in acts {
                match act {
                    Act::Asks(who) => match renewal.turn(&mut waited[who], now) {
                        None => prop_assert!(in_flight.is_some(), "waits for nothing"),
                        Some(Turn::Renew(number)) => {
                            prop_assert!(in_flight.is_none(), "two renewals");
                            in_flight = Some((number, now));
                        }
                        Some(Turn::Fail(_)) => waited[who] = Waited::default(),
                        Some(Turn::Send(authorization)) => {
                            let number = authorization.renewal;
                            prop_assert!(!rejected.contains(&number));
                            let is_new = waited[who].is_over_with(number);
                            prop_assert!(is_new || now < ends[&number]);
                            (used[who], waited[who]) = (number, Waited::default());
                        }
                    },
                    Act::Ends { succeeds, lifetime } => if let Some((number, begun)) = in_flight.take() {
                        ends.insert(number, begun + lifetime * SECOND);
                        renewal.end(number, if succeeds { Ok(token("t", lifetime)) } else { failure() }, begun, now);
                    },
                    Act::Cancels => if let Some((number, _)) = in_flight.take() {
                        renewal.abandon(number);
                    },
                    Act::Rejects(who) => if used[who] > 0 {
                        renewal.reject(used[who]);
                        rejected.push(used[who]);
                    },
                    Act::Passes(seconds) => now += seconds * SECOND,
                }
            }
        }
    }
}
