//! Counts what a plan would do, for the guards.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;
use wats_scim_filter::json::truth;

use crate::model::Resource;
use crate::plan::stored::check::adopts;
use crate::plan::{Action, Change, CurrentGroup, Plan, Step};

/// A group with so many members is not emptied because one or two persons have left.
const FULL: usize = 3;

/// How many users a plan would change in each way.
#[derive(Debug, Default)]
pub(in crate::plan) struct Tally<'a> {
    pub(in crate::plan) created: usize,
    pub(in crate::plan) adopted: usize,
    /// Deactivated or deleted.
    pub(in crate::plan) ended: usize,
    pub(in crate::plan) renamed: usize,
    pub(in crate::plan) reactivated: usize,
    pub(in crate::plan) members_added: usize,
    pub(in crate::plan) members_removed: usize,
    /// Groups with [several](FULL) members that would have none.
    pub(in crate::plan) groups_emptied: usize,
    pub(in crate::plan) groups_deleted: usize,
    /// By the path of the attribute.
    pub(in crate::plan) attributes: BTreeMap<&'a str, OfAttribute>,
}

/// How many users would get another value of one attribute.
#[derive(Debug, Default)]
pub(in crate::plan) struct OfAttribute {
    /// They have a value, and would get another one.
    pub(in crate::plan) changed: usize,
    /// They have a value, and would lose it.
    pub(in crate::plan) cleared: usize,
    /// Only letters outside ASCII would change.
    pub(in crate::plan) in_charset: usize,
    /// The values that each new value replaces.
    replaced: HashMap<String, HashSet<String>>,
}

impl OfAttribute {
    /// The largest number of different values that one and the same value would replace.
    pub(in crate::plan) fn alike(&self) -> usize {
        self.replaced.values().map(HashSet::len).max().unwrap_or_default()
    }

    fn count(&mut self, from: &Value, to: Option<&Value>) {
        let Some(to) = to else {
            self.cleared += 1;
            return;
        };
        self.changed += 1;
        let (from, to) = (from.to_string(), to.to_string());
        if ascii(&from).eq(ascii(&to)) {
            self.in_charset += 1;
        }
        self.replaced.entry(to).or_default().insert(from);
    }
}

/// The characters that no charset changes. A question mark is what many programs write for others.
fn ascii(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|character| character.is_ascii() && *character != '?')
}

impl<'a> Tally<'a> {
    pub(in crate::plan) fn of(plan: &'a Plan, groups: &[CurrentGroup]) -> Self {
        let mut tally = Self::default();
        let mut members: HashMap<&str, usize> = HashMap::new();
        for group in groups.iter().map(CurrentGroup::group) {
            members.extend(group.id().map(|id| (id, group.member_ids().count())));
        }
        // How many members each group would get and lose.
        let mut moves: HashMap<&str, (usize, usize)> = HashMap::new();
        for step in &plan.steps {
            let number = step.members.len();
            let group = || step.id.as_deref().unwrap_or_default();
            match step.action {
                Action::AddMembers => {
                    tally.members_added += number;
                    moves.entry(group()).or_default().0 += number;
                }
                Action::RemoveMembers => {
                    tally.members_removed += number;
                    moves.entry(group()).or_default().1 += number;
                }
                Action::DeleteGroup => tally.groups_deleted += 1,
                // A user that gets a temporary name has another step.
                Action::FreeName | Action::CreateGroup | Action::RenameGroup => {}
                _ => tally.count(step),
            }
        }
        let is_emptied = |(id, (added, removed)): &(&&str, &(usize, usize))| {
            *added == 0 && members.get(**id).is_some_and(|held| *held >= FULL && removed >= held)
        };
        tally.groups_emptied = moves.iter().filter(is_emptied).count();
        tally
    }

    fn count(&mut self, step: &'a Step) {
        match step.action {
            Action::Create => self.created += 1,
            Action::Deactivate | Action::Delete => {
                self.ended += 1;
                if step.action == Action::Delete {
                    return;
                }
            }
            _ => {}
        }
        self.adopted += usize::from(adopts(&step.changes));
        for change in &step.changes {
            if change.is_of("active") {
                let [from, to] = [&change.from, &change.to].map(|value| value.as_ref().and_then(truth));
                self.reactivated += usize::from((from, to) == (Some(false), Some(true)));
            } else if change.is_of("userName") {
                // A leaver can be renamed because another user gets its name.
                self.renamed += usize::from(step.action != Action::Deactivate);
            } else if let Change { path, from: Some(from), to } = change
                && !change.is_of("externalId")
            {
                self.attributes.entry(path).or_default().count(from, to.as_ref());
            }
        }
    }
}
