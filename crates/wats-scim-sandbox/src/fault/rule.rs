//! Decides which request gets which fault. No I/O.

use http::Method;

use super::kind::Fault;
use super::random::Random;
use crate::example::example;

/// Selects the requests that a [`FaultProxy`](super::FaultProxy) makes fail, and the fault.
///
/// Without any setting a rule matches every request.
///
/// ```
/// use http::{Method, StatusCode};
/// use wats_scim_sandbox::{Fault, FaultRule};
///
/// // The second and the third create get a 503.
/// let unavailable = Fault::Status { code: StatusCode::SERVICE_UNAVAILABLE, retry_after: None };
/// let rule = FaultRule::new(unavailable).on_method(Method::POST).on_path("/Users").after(1).times(2);
///
/// // About one request in seven gets one of two faults.
/// let rule = FaultRule::one_of([Fault::ResetBeforeAnswer, Fault::ResetAfterApplied]).probability(0.15);
/// ```
#[derive(Clone, Debug)]
#[must_use = "a rule has no effect until it is added to a proxy"]
pub struct FaultRule {
    faults: Vec<Fault>,
    method: Option<Method>,
    path: Option<String>,
    skip: usize,
    times: Option<usize>,
    probability: Option<f64>,
}

impl FaultRule {
    /// Creates a rule with one fault, for all requests.
    ///
    #[doc = example!("{Fault, FaultProxy, FaultRule, Sandbox}":
        "let sandbox = Sandbox::start()?;\n",
        "let proxy = FaultProxy::builder(sandbox.base_url()).with_rule(FaultRule::new(Fault::Html)).start()?;\n",
        "assert!(send(\"GET\", proxy.base_url(), sandbox.token(), \"\")?.contains(\"Sign in\"));",
    )]
    pub fn new(fault: Fault) -> Self {
        Self::one_of([fault])
    }

    /// Creates a rule that picks one of these faults at random for each request, each with the same
    /// probability; a fault that is listed twice is picked twice as often. A rule without faults has no
    /// effect.
    ///
    #[doc = example!("{Fault, FaultProxy, FaultRule, Sandbox}":
        "let sandbox = Sandbox::start()?;\n",
        "let proxy = FaultProxy::builder(sandbox.base_url()).with_rule(FaultRule::one_of([Fault::Html, Fault::Empty])).start()?;\n",
        "send(\"GET\", proxy.base_url(), sandbox.token(), \"\")?;\n",
        "send(\"GET\", proxy.base_url(), sandbox.token(), \"\")?;\n",
        "assert_eq!(proxy.injected_count(), 2);",
    )]
    pub fn one_of(faults: impl IntoIterator<Item = Fault>) -> Self {
        let faults = faults.into_iter().collect();
        Self { faults, method: None, path: None, skip: 0, times: None, probability: None }
    }

    /// Matches only requests with this method.
    ///
    #[doc = example!("{Fault, FaultProxy, FaultRule, Sandbox}":
        "use http::Method;\n",
        "\n",
        "let sandbox = Sandbox::start()?;\n",
        "let proxy = FaultProxy::builder(sandbox.base_url()).with_rule(FaultRule::new(Fault::Html).on_method(Method::POST)).start()?;\n",
        "send(\"GET\", proxy.base_url(), sandbox.token(), \"\")?;\n",
        "assert_eq!(proxy.injected_count(), 0);",
    )]
    pub fn on_method(mut self, method: Method) -> Self {
        self.method = Some(method);
        self
    }

    /// Matches only requests whose path and query contain this text, in the encoding of the client.
    ///
    #[doc = example!("{Fault, FaultProxy, FaultRule, Sandbox}":
        "let sandbox = Sandbox::start()?;\n",
        "let proxy = FaultProxy::builder(sandbox.base_url()).with_rule(FaultRule::new(Fault::Html).on_path(\"/Users\")).start()?;\n",
        "send(\"GET\", &format!(\"{}/api/SCIM/v2/Token\", proxy.base_url()), sandbox.token(), \"\")?;\n",
        "send(\"GET\", &format!(\"{}/api/SCIM/v2/Users?count=1\", proxy.base_url()), sandbox.token(), \"\")?;\n",
        "assert!(proxy.injected()[0].target.ends_with(\"/Users?count=1\"));",
    )]
    pub fn on_path(mut self, part: impl Into<String>) -> Self {
        self.path = Some(part.into());
        self
    }

    /// Skips the first `n` matching requests.
    ///
    #[doc = example!("{Fault, FaultProxy, FaultRule, Sandbox}":
        "let sandbox = Sandbox::start()?;\n",
        "let proxy = FaultProxy::builder(sandbox.base_url()).with_rule(FaultRule::new(Fault::Html).after(1)).start()?;\n",
        "send(\"GET\", proxy.base_url(), sandbox.token(), \"\")?;\n",
        "assert_eq!(proxy.injected_count(), 0);\n",
        "send(\"GET\", proxy.base_url(), sandbox.token(), \"\")?;\n",
        "assert_eq!(proxy.injected_count(), 1);",
    )]
    pub fn after(mut self, n: usize) -> Self {
        self.skip = n;
        self
    }

    /// Injects the fault at most `n` times.
    ///
    #[doc = example!("{Fault, FaultProxy, FaultRule, Sandbox}":
        "let sandbox = Sandbox::start()?;\n",
        "let proxy = FaultProxy::builder(sandbox.base_url()).with_rule(FaultRule::new(Fault::Html).times(1)).start()?;\n",
        "send(\"GET\", proxy.base_url(), sandbox.token(), \"\")?;\n",
        "send(\"GET\", proxy.base_url(), sandbox.token(), \"\")?;\n",
        "assert_eq!(proxy.injected_count(), 1);",
    )]
    pub fn times(mut self, n: usize) -> Self {
        self.times = Some(n);
        self
    }

    /// Sets the probability of a fault for a matching request, from 0 (never) to 1 (always). The
    /// [seed](super::FaultProxyBuilder::seed) makes the choices reproducible.
    ///
    #[doc = example!("{Fault, FaultProxy, FaultRule, Sandbox}":
        "let sandbox = Sandbox::start()?;\n",
        "let proxy = FaultProxy::builder(sandbox.base_url()).with_rule(FaultRule::new(Fault::Html).probability(0.0)).start()?;\n",
        "send(\"GET\", proxy.base_url(), sandbox.token(), \"\")?;\n",
        "assert_eq!(proxy.injected_count(), 0);",
    )]
    pub fn probability(mut self, probability: f64) -> Self {
        self.probability = Some(probability);
        self
    }

    fn is_for(&self, method: &Method, target: &str) -> bool {
        self.method.as_ref().is_none_or(|only| only == method)
            && self.path.as_ref().is_none_or(|part| target.contains(part.as_str()))
    }

    /// The fault of this rule for one more request, if it applies.
    fn decide(&mut self, method: &Method, target: &str, random: &mut Random) -> Option<Fault> {
        if self.times == Some(0) || !self.is_for(method, target) {
            return None;
        }
        if let Some(left) = self.skip.checked_sub(1) {
            self.skip = left;
            return None;
        }
        if self.probability.is_some_and(|probability| random.fraction() >= probability) {
            return None;
        }
        let fault = match self.faults.as_slice() {
            [fault] => fault.clone(),
            faults => faults.get(random.below(faults.len()))?.clone(),
        };
        self.times = self.times.map(|times| times.saturating_sub(1));
        Some(fault)
    }
}

/// The rules of a proxy, in order.
#[derive(Debug)]
pub(super) struct Rules {
    rules: Vec<FaultRule>,
    random: Random,
}

impl Rules {
    pub(super) fn new(rules: Vec<FaultRule>, seed: u64) -> Self {
        Self { rules, random: Random::new(seed) }
    }

    pub(super) fn add(&mut self, rule: FaultRule) {
        self.rules.push(rule);
    }

    pub(super) fn set(&mut self, rules: Vec<FaultRule>) {
        self.rules = rules;
    }

    /// The fault of the first rule that applies to this request.
    pub(super) fn decide(&mut self, method: &Method, target: &str) -> Option<Fault> {
        let random = &mut self.random;
        self.rules.iter_mut().find_map(|rule| rule.decide(method, target, random))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn rules(rules: impl IntoIterator<Item = FaultRule>) -> Rules {
        Rules::new(rules.into_iter().collect(), 1)
    }

    /// Whether each of `n` GETs got a fault.
    fn hits(rules: &mut Rules, n: usize) -> Vec<bool> {
        (0..n).map(|_| rules.decide(&Method::GET, "/Users").is_some()).collect()
    }

    #[test]
    fn a_rule_without_settings_matches_every_request() {
        assert_eq!(hits(&mut rules([FaultRule::new(Fault::Html)]), 3), [true; 3]);
        assert_eq!(hits(&mut rules([]), 3), [false; 3]);
        assert_eq!(hits(&mut rules([FaultRule::one_of([])]), 3), [false; 3]);
    }

    #[test]
    fn after_skips_and_times_limits() {
        let rule = FaultRule::new(Fault::Html).after(1).times(2);
        assert_eq!(hits(&mut rules([rule]), 5), [false, true, true, false, false]);
    }

    #[test]
    fn only_matching_requests_are_counted() {
        let rule = FaultRule::new(Fault::Html).on_method(Method::POST).on_path("/Users").after(1).times(1);
        let mut rules = rules([rule]);
        assert_eq!(rules.decide(&Method::GET, "/Users"), None);
        assert_eq!(rules.decide(&Method::POST, "/Groups"), None);
        assert_eq!(rules.decide(&Method::POST, "/api/Users?x=1"), None, "the first match is skipped");
        assert_eq!(rules.decide(&Method::POST, "/api/Users?x=1"), Some(Fault::Html));
        assert_eq!(rules.decide(&Method::POST, "/api/Users?x=1"), None, "once only");
    }

    #[test]
    fn the_first_rule_with_a_fault_wins() {
        let mut rules = rules([FaultRule::new(Fault::Html).times(1), FaultRule::new(Fault::Empty)]);
        assert_eq!(rules.decide(&Method::GET, "/"), Some(Fault::Html));
        assert_eq!(rules.decide(&Method::GET, "/"), Some(Fault::Empty));
    }

    #[test]
    fn chance_follows_the_probability_and_the_seed() {
        let with = |probability, seed| {
            let rule = FaultRule::new(Fault::Html).probability(probability);
            hits(&mut Rules::new(vec![rule], seed), 1000)
        };
        let count = |hits: Vec<bool>| hits.into_iter().filter(|hit| *hit).count();
        assert!((100..200).contains(&count(with(0.15, 7))));
        assert_eq!((count(with(0.0, 7)), count(with(1.0, 7))), (0, 1000));
        assert_eq!(with(0.15, 7), with(0.15, 7));
        assert_ne!(with(0.15, 7), with(0.15, 8));
    }

    #[test]
    fn faults_are_picked_as_often_as_they_are_listed() {
        let stall = Fault::Stall(Duration::ZERO);
        let mut rules = rules([FaultRule::one_of([Fault::Html, stall.clone(), stall.clone()])]);
        let faults: Vec<_> = (0..3000).filter_map(|_| rules.decide(&Method::GET, "/")).collect();
        let stalls = faults.iter().filter(|fault| **fault == stall).count();
        assert_eq!(faults.len(), 3000);
        assert!((1850..2150).contains(&stalls), "{stalls}");
    }
}
