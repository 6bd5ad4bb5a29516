//! The policy of a plan: a file, and arguments that come before it.

use std::path::PathBuf;

use clap::ValueEnum;
use wats_scim::Profile;
use wats_scim::plan::{Allowance, Joiners, Leavers, Ours, Policy, Refusal};

use crate::failure::Failure;
use crate::source::settings;

/// The arguments of everything that makes a plan.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Policy")]
pub(crate) struct PolicyArgs {
    /// Read the policy from this file (TOML or JSON)
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Do this with users that are missing from the source [default: deactivate]
    #[arg(long, value_enum, value_name = "WHAT")]
    leavers: Option<LeaversArg>,
    /// Do this with users that are missing from the server [default: create]
    #[arg(long, value_enum, value_name = "WHAT")]
    joiners: Option<JoinersArg>,
    /// Touch only users that the source owns: `external-id`, `all` or `prefix:TEXT` [default: external-id]
    #[arg(long, value_name = "USERS", value_parser = ours)]
    ours: Option<Ours>,
    /// Leave this user or group unchanged; may be given more than once
    #[arg(long, value_name = "NAME")]
    protect: Vec<String>,
    /// Reject the plan unless this user is in the source and on the server; may be given more than once
    #[arg(long, value_name = "NAME")]
    must_contain: Vec<String>,
    /// Reject the plan unless the source has N users
    #[arg(long, value_name = "N")]
    expect: Option<usize>,
    /// Raise a limit, such as max-deactivations=120; may be given more than once
    #[arg(long, value_name = "LIMIT=N")]
    allow: Vec<Allowance>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LeaversArg {
    Deactivate,
    Keep,
    Delete,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum JoinersArg {
    Create,
    Report,
    Ignore,
}

fn ours(text: &str) -> Result<Ours, String> {
    match (text, text.strip_prefix("prefix:")) {
        ("external-id", _) => Ok(Ours::WithExternalId),
        ("all", _) => Ok(Ours::Everybody),
        (_, Some(prefix)) if !prefix.is_empty() => Ok(Ours::WithPrefix(prefix.to_owned())),
        _ => Err("expected external-id, all or prefix:TEXT".to_owned()),
    }
}

impl PolicyArgs {
    /// The policy for a server with this profile.
    pub(crate) fn policy(&self, profile: &Profile) -> Result<Policy, Failure> {
        let file: Option<Policy> = self.policy.as_deref().map(settings).transpose()?;
        let mut policy = file.unwrap_or_default().profile(profile);
        policy = policy.protect(&self.protect).must_contain(&self.must_contain);
        if let Some(leavers) = self.leavers {
            policy = policy.leavers(match leavers {
                LeaversArg::Deactivate => Leavers::Deactivate,
                LeaversArg::Keep => Leavers::Keep,
                LeaversArg::Delete => Leavers::Delete,
            });
        }
        if let Some(joiners) = self.joiners {
            policy = policy.joiners(match joiners {
                JoinersArg::Create => Joiners::Create,
                JoinersArg::Report => Joiners::Report,
                JoinersArg::Ignore => Joiners::Ignore,
            });
        }
        if let Some(ours) = &self.ours {
            policy = policy.ours(ours.clone());
        }
        if let Some(users) = self.expect {
            policy = policy.expecting(users);
        }
        Ok(self.allow.iter().fold(policy, |policy, allowance| policy.allow(*allowance)))
    }
}

/// A plan that a guard rejects, with the arguments that admit it.
pub(crate) fn rejected(refusal: &Refusal) -> Failure {
    let argument = |allowance: &Allowance| {
        let text = allowance.to_string().replace('_', "-");
        format!(" --allow {}", text.strip_prefix("allow-").unwrap_or(&text))
    };
    let allowances = refusal.allowances().iter().map(argument).collect::<Vec<_>>().concat();
    let reason = refusal.reason();
    Failure::Rejected(match &*allowances {
        "" => format!("the plan is rejected: {reason}"),
        allowances => format!("the plan is rejected: {reason}; if this is intended, add{allowances}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A policy in TOML.
    #[test]
    fn a_policy_is_toml_and_arguments_come_before_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("nightly.toml");
        let text = r#"
            leavers = "keep"
            [who]
            ours = { withPrefix = "hr-" }
            scope = 'userType eq "Employee"'
            [attributes]
            displayName = { write = "on_create" }
            [mapping]
            displayName = { template = "{name.givenName} {name.familyName}" }
            [limits]
            deactivations = { count = 50, percent = 10 }
        "#;
        std::fs::write(&file, text).unwrap();
        let args = |leavers| PolicyArgs {
            policy: Some(file.clone()),
            leavers,
            joiners: None,
            ours: None,
            protect: vec!["admin".to_owned()],
            must_contain: Vec::new(),
            expect: None,
            allow: vec!["max-deactivations=70".parse().unwrap()],
        };
        let stored = |leavers| serde_json::to_value(args(leavers).policy(&Profile::wats()).unwrap()).unwrap();
        let policy = stored(None);
        assert_eq!((&policy["leavers"], &policy["isWats"]), (&"keep".into(), &true.into()));
        assert_eq!(policy["who"]["ours"]["withPrefix"], "hr-");
        assert_eq!(policy["limits"]["deactivations"], serde_json::json!({ "count": 70, "percent": 10 }));
        assert!(policy["mapping"]["displayName"]["template"].is_string());
        assert_eq!(stored(Some(LeaversArg::Delete))["leavers"], "delete");

        std::fs::write(&file, "leaver = \"keep\"").unwrap();
        assert!(args(None).policy(&Profile::wats()).unwrap_err().to_string().contains("unknown field `leaver`"));
    }

    #[test]
    fn whom_the_source_owns_is_one_of_three() {
        assert_eq!(ours("prefix:hr-"), Ok(Ours::WithPrefix("hr-".to_owned())));
        assert!(ours("prefix:").is_err() && ours("everybody").is_err());
    }
}
