//! What is to be applied: a plan or a part of it, its journal, and its approval.

use std::path::PathBuf;

use serde_json::Value;
use wats_scim::Error;
use wats_scim::plan::{Action, Inapplicable, Journal, Plan};

use super::Args;
use crate::approval::Approval;
use crate::context::Context;
use crate::failure::Failure;
use crate::plan_file::{self, beside};
use crate::who::Who;

pub(super) struct Order {
    pub(super) plan: Plan,
    pub(super) digest: String,
    /// The file that was given.
    pub(super) path: PathBuf,
    pub(super) journal: Journal,
}

impl Order {
    pub(super) fn of(args: &Args) -> Result<Self, Failure> {
        let path = args.plan.clone();
        let mut plan = plan_file::read(&path)?;
        let is_whole = args.only.is_empty() && args.user.is_none();
        let is_empty = plan.is_empty();
        if let Some(who) = &args.user {
            plan = plan.for_user(&Who::in_text(who)?);
            if plan.is_empty() && !is_empty {
                return Err(Failure::Other(format!("the plan has no step for the user {who:?}")));
            }
        }
        if !args.only.is_empty() {
            plan = plan.only(args.only.iter().copied());
        }
        let digest = plan.digest();
        let journal = match (plan_file::is_journal(&path)?, is_whole) {
            (true, true) => path.clone(),
            (true, false) => {
                return Err(Failure::Usage("--only and --user need the plan, and not its journal".to_owned()));
            }
            (false, true) => beside(&path, "journal"),
            (false, false) => beside(&path, &format!("{}.journal", short(&digest))),
        };
        Ok(Self { plan, digest, journal: Journal::at(journal).keep_before(), path })
    }

    /// The digest of the approved plan; `None` if no approval is needed.
    pub(super) fn approved(&self, context: &Context, args: &Args) -> Result<Option<String>, Failure> {
        if args.approved.is_some() || args.check {
            return Ok(args.approved.clone());
        }
        let path = args.approval.clone().unwrap_or_else(|| beside(&self.path, "approval.json"));
        if args.approval.is_some() || path.exists() {
            let approval = Approval::read(&path)?;
            if approval.is_of(&self.digest) {
                let reason = approval.reason.map(|reason| format!(": {reason}")).unwrap_or_default();
                context.say(format_args!("Approved by {} at {}{reason}", approval.approved_by, approval.approved_at));
                return Ok(Some(approval.digest));
            }
        }
        if !args.require_approval && args.approval.is_none() {
            return Ok(None);
        }
        let (plan, path, digest) = (self.path.display(), path.display(), &self.digest);
        Err(Failure::Rejected(format!(
            "the plan waits for approval: review it with `wats-scim show {plan}`, and approve it with `wats-scim \
             approve {digest} --out {path}`"
        )))
    }

    /// The failure for a plan that is not applied here and now, with the argument that allows it.
    pub(super) fn rejected(&self, why: &Inapplicable) -> Failure {
        let path = self.path.display();
        Failure::Rejected(match why {
            Inapplicable::OtherServer { made_for, server } => format!(
                "{path} was made for {made_for}, and this is {server}; make a new plan for it, or give \
                 --allow-other-server if it is the same server at another address"
            ),
            Inapplicable::TooOld { age, max_age } => format!(
                "{path} was made {} minutes ago, and --max-age is {} minutes; make a new plan",
                age.as_secs() / 60,
                max_age.as_secs() / 60
            ),
            Inapplicable::Undated => {
                format!("{path} does not say when it was made; make a new plan, or omit --max-age")
            }
            other => format!("{path}: {other}"),
        })
    }

    /// The failure for a plan that cannot be applied as it is stored.
    pub(super) fn invalid(&self, error: &Error) -> Failure {
        let has_passwords = self.plan.steps.iter().any(|step| !step.left_out_secrets.is_empty());
        Failure::Rejected(if has_passwords {
            "the plan has new users with passwords, which it does not store; make it again with `plan --store-passwords`, \
             or leave the passwords out of the source"
                .to_owned()
        } else {
            error.to_string()
        })
    }
}

/// Enough of a digest for the name of a file.
pub(super) fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

/// The action of an argument: `create`, `free-name` or `freeName`.
pub(super) fn action(text: &str) -> Result<Action, String> {
    let mut words = text.split('-');
    let mut name = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        name.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        name.push_str(letters.as_str());
    }
    let known = serde_json::from_value(Value::String(name)).ok();
    known.filter(|known| !text.contains('-') || text == self::name(*known)).ok_or_else(|| {
        "write create, update, adopt, free-name, reactivate, deactivate, delete, create-group, rename-group, \
         add-members, remove-members or delete-group"
            .to_owned()
    })
}

/// The name of an action, as an argument has it.
pub(super) fn name(action: Action) -> String {
    let camel = serde_json::to_value(action).unwrap_or_default();
    let mut name = String::new();
    for letter in camel.as_str().unwrap_or_default().chars() {
        if letter.is_ascii_uppercase() {
            name.push('-');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_is_read_as_it_is_printed() {
        for of in [Action::Create, Action::FreeName, Action::RemoveMembers, Action::DeleteGroup] {
            assert_eq!(action(&name(of)), Ok(of));
        }
        assert_eq!((action("freeName"), name(Action::FreeName)), (Ok(Action::FreeName), "free-name".to_owned()));
        for wrong in ["", "Create", "-create", "create-", "kill"] {
            assert!(action(wrong).is_err(), "{wrong}");
        }
    }
}
