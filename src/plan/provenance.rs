//! Where and when a plan was made: whether it may be applied here and now.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, SubsecRound, Utc};
use serde_json::Value;

use crate::outside::clock;
use crate::plan::{Current, Plan, Policy, Rules, Step};

/// The time as a stored plan has it.
pub(super) fn now() -> DateTime<Utc> {
    DateTime::<Utc>::from(clock::date()).trunc_subsecs(3)
}

/// Random text for a new plan.
pub(super) fn salt() -> String {
    format!("{:016x}{:016x}", clock::random(), clock::random())
}

/// What an apply accepts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Accepted {
    pub(crate) any_server: bool,
    pub(crate) max_age: Option<Duration>,
    /// The digest of the only plan that is applied.
    pub(crate) approved: Option<String>,
}

/// The reason why a plan is not applied to this server now, from
/// [`ScimApply::inapplicable`](crate::blocking::ScimApply::inapplicable). `Display` says what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Inapplicable {
    /// The plan was made for another server.
    OtherServer {
        /// The server that the plan was made for.
        made_for: String,
        /// The server that it would be applied to.
        server: String,
    },
    /// The plan is older than [`ScimApply::max_age`](crate::blocking::ScimApply::max_age).
    TooOld {
        /// The age of the plan.
        age: Duration,
        /// The limit.
        max_age: Duration,
    },
    /// The plan does not say when it was made, and there is a limit for its age.
    Undated,
    /// The plan is not the [approved](crate::blocking::ScimApply::approved) one.
    NotApproved {
        /// The digest of the approved plan.
        approved: String,
        /// The digest of this plan.
        digest: String,
    },
}

impl fmt::Display for Inapplicable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotApproved { approved, digest } => write!(
                f,
                "the plan with the digest {approved} is approved, and this is {digest}; apply the approved plan, or \
                 have this one reviewed"
            ),
            Self::OtherServer { made_for, server } => write!(
                f,
                "the plan was made for {made_for}, and this is {server}; make a new plan for it, or call \
                 ScimApply::allow_other_server if it is the same server at another address"
            ),
            Self::Undated => {
                f.write_str("the plan does not say when it was made, and ScimApply::max_age is set; make a new plan")
            }
            Self::TooOld { age, max_age } => write!(
                f,
                "the plan was made {} minutes ago, and ScimApply::max_age is {}; make a new plan",
                age.as_secs() / 60,
                max_age.as_secs() / 60
            ),
        }
    }
}

impl Plan {
    /// A plan without steps, of a policy for what a server holds now.
    pub(super) fn begin(policy: &Policy, current: &Current, rules: Rules) -> Self {
        Self {
            server: current.server().map(ToOwned::to_owned),
            made_at: Some(now()),
            made_by: None,
            policy: serde_json::to_value(policy).ok(),
            salt: Some(salt()),
            stores_passwords: false,
            steps: Vec::new(),
            conflicts: Vec::new(),
            inexpressible: Vec::new(),
            unchanged: 0,
            rules,
        }
    }

    /// Records who or what made the plan: the name of a program, or of a person.
    #[must_use]
    pub fn with_made_by(self, made_by: impl Into<String>) -> Self {
        Self { made_by: Some(made_by.into()), ..self }
    }

    /// Records the policy by which the plan was made, as JSON.
    #[must_use]
    pub fn with_policy(self, policy: impl Into<Value>) -> Self {
        Self { policy: Some(policy.into()), ..self }
    }

    /// The reason why the plan is not applied to this server now.
    pub(crate) fn inapplicable(&self, server: Option<&str>, accepted: &Accepted) -> Option<Inapplicable> {
        if let Some(approved) = accepted.approved.as_deref().map(str::trim) {
            let digest = self.digest();
            if !approved.eq_ignore_ascii_case(&digest) {
                return Some(Inapplicable::NotApproved { approved: approved.to_owned(), digest });
            }
        }
        if let (Some(made_for), Some(server), false) = (&self.server, server, accepted.any_server)
            && made_for != server
        {
            return Some(Inapplicable::OtherServer { made_for: made_for.clone(), server: server.to_owned() });
        }
        let max_age = accepted.max_age?;
        let Some(made_at) = self.made_at else { return Some(Inapplicable::Undated) };
        let age = (now() - made_at).to_std().unwrap_or_default();
        (age > max_age).then_some(Inapplicable::TooOld { age, max_age })
    }
}

/// Two plans are equal if they do the same on the same server, whenever they were made, and whatever made them.
/// Passwords are not compared, since a stored plan has none.
impl PartialEq for Plan {
    fn eq(&self, other: &Self) -> bool {
        let Self { server, steps, conflicts, inexpressible, unchanged, rules, .. } = self;
        let Self { made_at: _, made_by: _, policy: _, salt: _, stores_passwords: _, .. } = self;
        (server, conflicts) == (&other.server, &other.conflicts)
            && (inexpressible, unchanged, rules) == (&other.inexpressible, &other.unchanged, &other.rules)
            && steps.len() == other.steps.len()
            && steps.iter().zip(&other.steps).all(|(one, other)| one == other || is_stored_alike(one, other))
    }
}

fn is_stored_alike(one: &Step, other: &Step) -> bool {
    let stored = |step: &Step| serde_json::to_value(step).ok();
    stored(one).is_some_and(|one| Some(one) == stored(other))
}

pub(super) mod time {
    use chrono::{DateTime, SecondsFormat, Utc};
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};

    #[allow(clippy::ref_option, reason = "the signature of serde")]
    pub(in crate::plan) fn serialize<S: Serializer>(
        time: &Option<DateTime<Utc>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => serializer.serialize_str(&time.to_rfc3339_opts(SecondsFormat::Millis, true)),
            None => serializer.serialize_none(),
        }
    }

    pub(in crate::plan) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<DateTime<Utc>>, D::Error> {
        let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
        match DateTime::parse_from_rfc3339(&text) {
            Ok(time) => Ok(Some(time.to_utc())),
            Err(error) => Err(D::Error::custom(format!("madeAt is not a time: {error}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Profile;
    use crate::model::ScimUser;
    use crate::plan::{Current, Policy};

    fn plan(server: Option<&str>) -> Plan {
        let current = Current::complete(Vec::new());
        let current = match server {
            Some(server) => current.of_server(server),
            None => current,
        };
        Policy::new(&Profile::wats()).plan(&current, &[ScimUser::new("ann")]).unwrap()
    }

    #[test]
    fn a_plan_is_applied_to_its_server_only() {
        let here = Some("https://a.example/scim");
        for (made_for, server, any_server, is_refused) in [
            (here, here, false, false),
            (here, Some("https://b.example/scim"), false, true),
            (here, Some("https://b.example/scim"), true, false),
            (here, None, false, false),
            (None, here, false, false),
        ] {
            let refusal = plan(made_for).inapplicable(server, &Accepted { any_server, ..Accepted::default() });
            assert_eq!(refusal.is_some(), is_refused, "{made_for:?} {server:?}");
        }
    }

    #[test]
    fn a_plan_has_an_age() {
        let hour = &Accepted { max_age: Some(Duration::from_secs(3600)), ..Accepted::default() };
        let mut plan = plan(None);
        assert_eq!(plan.inapplicable(None, hour), None);
        plan.made_at = plan.made_at.map(|made_at| made_at - chrono::TimeDelta::hours(2));
        assert!(plan.inapplicable(None, hour).unwrap().to_string().starts_with("the plan was made 120 minutes ago"));
        assert_eq!(plan.inapplicable(None, &Accepted::default()), None);
        plan.made_at = None;
        assert!(plan.inapplicable(None, hour).is_some());
    }

    #[test]
    fn where_and_when_is_stored() {
        let plan = plan(Some("https://a.example/scim"));
        let stored = serde_json::to_string(&plan).unwrap();
        let start = r#"{"format":"wats-scim-plan/1","server":"https://a.example/scim","madeAt":""#;
        assert!(stored.starts_with(start), "{stored}");
        let read = serde_json::from_str::<Plan>(&stored).unwrap();
        assert_eq!((read.made_at, &read), (plan.made_at, &plan));
    }
}
