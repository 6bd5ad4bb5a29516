//! The settings that admit a rejected plan, as data.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use crate::error::Error;
use crate::plan::Policy;

/// A setting of a [`Policy`] that admits a plan which a guard rejects, with the number that it allows.
///
/// [`Refusal::allowances`](crate::plan::Refusal::allowances) has those that a plan needs. As text it is
/// `max_deactivations=120`; `-` is read like `_`, and `allow_` at its start can be left out.
///
/// ```
/// use wats_scim::Profile;
/// use wats_scim::plan::{Allowance, Policy};
///
/// let allowance: Allowance = "max-deactivations=120".parse()?;
/// assert_eq!(allowance.to_string(), "max_deactivations=120");
/// let policy = Policy::new(&Profile::wats()).allow(allowance);
/// # let _ = policy;
/// # Ok::<(), wats_scim::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Allowance {
    /// The name of the method of [`Policy`], such as `max_deactivations`.
    pub setting: &'static str,
    /// How many users, memberships or groups it allows, or for a share how many percent.
    pub number: usize,
}

impl Allowance {
    pub(in crate::plan) fn of(setting: &'static str, number: usize) -> Self {
        Self { setting, number }
    }

    /// The call of the method.
    pub(in crate::plan) fn call(self) -> String {
        format!("Policy::{}({})", self.setting, self.number)
    }
}

impl fmt::Display for Allowance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.setting, self.number)
    }
}

impl FromStr for Allowance {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let (name, number) = text
            .split_once('=')
            .ok_or_else(|| Error::invalid("an allowance is a setting and its number, such as max_deactivations=120"))?;
        let name = name.trim().replace('-', "_");
        let is_named = |known: &&&str| **known == name || known.strip_prefix("allow_") == Some(&name);
        let setting = Policy::limit_names().find(is_named).ok_or_else(|| {
            let known: Vec<_> = Policy::limit_names().copied().collect();
            Error::invalid(format!("there is no setting {name:?}; the settings are {}", known.join(", ")))
        })?;
        let number = number.trim().parse();
        let number =
            number.map_err(|_| Error::invalid(format!("the number of {setting} is a whole number, from 0")))?;
        Ok(Self { setting, number })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ScimUser;
    use crate::plan::{Current, Guard};

    #[test]
    fn the_allowances_of_a_refusal_admit_exactly_that_plan() {
        let users = (0..200).map(|n| ScimUser::new(format!("u{n}")).with_external_id(n.to_string()));
        let current = Current::complete(users.collect());
        let left = current.users()[..7].to_vec();
        let refusal = Policy::default().plan(&current, &left).unwrap_err();
        assert_eq!(refusal.guard(), Guard::TooManyDeactivations);
        let allowances = refusal.allowances();
        assert_eq!(
            allowances.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["max_deactivations=193", "max_deactivation_percent=97"]
        );
        assert!(
            refusal
                .to_string()
                .ends_with("use Policy::max_deactivations(193) and Policy::max_deactivation_percent(97)")
        );
        assert!(!refusal.reason().contains("Policy::"), "{}", refusal.reason());
        let allowed =
            |allowances: &[Allowance]| allowances.iter().fold(Policy::default(), |policy, it| policy.allow(*it));
        assert!(allowed(allowances).plan(&current, &left).is_ok());
        assert!(allowed(allowances).plan(&current, &left[1..]).is_err());
        let read: Vec<Allowance> = allowances.iter().map(|it| it.to_string().parse().unwrap()).collect();
        assert_eq!(read, allowances);

        let empty: [ScimUser; 0] = [];
        let refusal = Policy::default().plan(&current, &empty).unwrap_err();
        assert_eq!(
            refusal.allowances().iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["allow_empty_source=200"]
        );
    }

    #[test]
    fn an_unknown_setting_is_an_error_that_names_the_known_ones() {
        for (text, problem) in [
            ("max_deletions=1", "allow_empty_source, allow_truncated_source, max_deactivations"),
            ("max_deactivations", "such as max_deactivations=120"),
            ("max_deactivations=many", "is a whole number"),
        ] {
            let error = text.parse::<Allowance>().unwrap_err().to_string();
            assert!(error.contains(problem), "{error}");
        }
    }

    #[test]
    fn every_setting_of_a_limit_can_be_named() {
        assert_eq!("empty-source=3".parse::<Allowance>().unwrap().setting, "allow_empty_source");
        for name in Policy::limit_names() {
            let allowance: Allowance = format!("{name}=73").parse().unwrap();
            let policy = serde_json::to_string(&Policy::default().allow(allowance)).unwrap();
            assert!(policy.contains("73"), "{name}: {policy}");
        }
    }
}
