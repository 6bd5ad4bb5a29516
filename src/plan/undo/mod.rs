//! The plan that takes back what an apply wrote.

pub(in crate::plan) mod groups;

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use serde_json::{Map, Value};
use wats_scim_filter::AttributePath;
use wats_scim_filter::json::{member, text_key};

use crate::model::json::names_password;
use crate::model::{ScimUser, object};
use crate::plan::guard::Facts;
use crate::plan::guard::limits::Limits;
use crate::plan::identity::matching::name_of;
use crate::plan::identity::ours::Standing;
use crate::plan::journal::written::{Written, WrittenStep};
use crate::plan::review::print::without_passwords;
use crate::plan::undo::groups::undo_groups;
use crate::plan::{Action, Change, Conflict, ConflictKind, Current, Inexpressible, Plan, Policy, Refusal, Rules};

impl Policy {
    /// Computes the plan that takes back what an apply wrote: attributes get the values that they had before,
    /// users that were deactivated are reactivated, users that were created are deactivated, and memberships are as
    /// before if `current` has the groups. Groups that were created are deleted if
    /// [`deletes_groups`](Self::deletes_groups) is set.
    ///
    /// It is a plan like any other: print it, apply it with a journal, undo it. A user is changed only if the
    /// server still holds what was written; otherwise it is listed as a [conflict](Plan::conflicts). What cannot
    /// be taken back is listed in [`inexpressible`](Plan::inexpressible): deleted users, passwords, and what the
    /// server cannot express, such as the removal of a level on WATS. Of an apply that was interrupted, only what
    /// was written is taken back; resume it first if it has steps of which that is not known.
    ///
    /// # Errors
    ///
    /// [`Refusal`] if a guard for the number of deactivations or renames rejects the plan, or if the list of users
    /// is incomplete.
    ///
    /// ```
    /// use wats_scim::blocking::ScimClient;
    /// use wats_scim::plan::{Journal, Leavers, Policy};
    /// use wats_scim::{Credentials, ScimUser};
    ///
    /// # let sandbox = wats_scim_sandbox::Sandbox::builder().users(3).start()?;
    /// # let client = ScimClient::new(sandbox.base_url(), Credentials::wats_token(sandbox.token()))?;
    /// # let folder = tempfile::tempdir()?;
    /// let policy = Policy::new(client.profile()).leavers(Leavers::Keep);
    /// let journal = Journal::at(folder.path().join("sync.journal")).keep_before();
    /// let plan = policy.plan(&client.current_users()?, &[ScimUser::new("jane")])?;
    /// client.apply(plan).journal(journal.clone()).run()?;
    ///
    /// let undo = policy.undo(&client.current_users()?, &journal.written()?)?;
    /// println!("{undo}");
    /// assert!(client.apply(undo).run()?.is_complete());
    /// let jane = client.get_user_by_username("jane")?.ok_or("jane was not created")?;
    /// assert_eq!(jane.active, Some(false));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn undo(&self, current: &Current, written: &Written) -> Result<Plan, Refusal> {
        let mut undo = Undo {
            policy: self,
            account: current.account().map(|name| text_key(name).into_owned()),
            by_id: current.users().iter().filter_map(|user| Some((user.id.as_deref()?, user))).collect(),
            by_name: current.users().iter().filter_map(|user| Some((name_of(user)?, user))).collect(),
            plan: Plan::begin(self, current, Rules { is_wats: self.is_wats, clears: Vec::new() }),
        };
        if let Some(server) = &written.server {
            undo.plan.server = Some(server.clone());
        }
        let (of_groups, of_users): (Vec<_>, Vec<_>) =
            written.steps.iter().partition(|written| written.step.action.is_of_group());
        let steps: Vec<_> = of_users.into_iter().map(|written| undo.with_manager(written)).collect();
        for past in merged(&steps).iter().rev() {
            undo.take_back(past);
        }
        undo_groups(&mut undo.plan, self, current, &of_groups);
        undo.plan.put_in_order(current.users());
        // There is no source that could be empty or truncated.
        let limits = Limits {
            allow_empty_source: Some(usize::MAX),
            allow_truncated_source: Some(usize::MAX),
            expected: None,
            must_contain: BTreeSet::new(),
            ..self.limits.clone()
        };
        let users = current.users().len();
        let facts = Facts {
            missing: current.missing(),
            held: current.users(),
            groups: current.groups().unwrap_or_default(),
            desired: &[],
            at_stake: users,
            matched: users,
            leavers: Vec::new(),
        };
        limits.check(undo.plan, &facts)
    }
}

/// What the steps of one user did.
struct Past<'a> {
    written: &'a WrittenStep,
    /// From the values before the first write to those of the last one.
    changes: Vec<Change>,
}

/// The steps by their users, in the order of the plan.
fn merged<'a>(steps: &'a [Cow<'a, WrittenStep>]) -> Vec<Past<'a>> {
    let mut all: Vec<Past<'_>> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for written in steps {
        let place = written.id.as_deref().map(|id| *places.entry(id).or_insert(all.len()));
        match place.and_then(|place| all.get_mut(place)) {
            Some(past) => past.add(written.changes()),
            None => all.push(Past { written, changes: written.changes().collect() }),
        }
    }
    all
}

impl Past<'_> {
    fn add(&mut self, later: impl Iterator<Item = Change>) {
        for change in later {
            match self.changes.iter_mut().find(|known| known.is_of(&change.path)) {
                Some(known) => known.to = change.to,
                None => self.changes.push(change),
            }
        }
    }
}

impl WrittenStep {
    /// The changes that were written, from the values before.
    fn changes(&self) -> impl Iterator<Item = Change> {
        self.step.changes.iter().filter_map(|change| {
            let from = self.before.get(&change.path)?;
            Some(Change { from: Some(from.clone()).filter(|from| !from.is_null()), ..change.clone() })
        })
    }
}

struct Undo<'a> {
    policy: &'a Policy,
    /// The account of the credentials.
    account: Option<String>,
    by_id: HashMap<&'a str, &'a ScimUser>,
    by_name: HashMap<Cow<'a, str>, &'a ScimUser>,
    plan: Plan,
}

impl Undo<'_> {
    /// The step with the id of its manager, if the same plan created the manager.
    fn with_manager<'w>(&self, written: &'w WrittenStep) -> Cow<'w, WrittenStep> {
        let manager = written.step.new_manager().and_then(|manager| manager.name);
        let held = manager.and_then(|name| self.by_name.get(&text_key(&name)).copied());
        match held.and_then(|held| held.id.as_deref()) {
            Some(id) => Cow::Owned(WrittenStep { step: written.step.with_manager(id), ..written.clone() }),
            None => Cow::Borrowed(written),
        }
    }

    fn take_back(&mut self, past: &Past<'_>) {
        let WrittenStep { step, id, is_done, .. } = past.written;
        let held = id.as_deref().and_then(|id| self.by_id.get(id).copied());
        match (step.action, held) {
            (_, Some(held)) if self.policy.who.standing(held, self.account.as_deref()) == Standing::Protected => {
                self.plan.unchanged += 1;
            }
            (Action::Create, Some(held)) if *is_done => self.uncreate(past, held),
            (Action::Create, None) if *is_done => {}
            (Action::Create, _) => self.perhaps_created(past),
            (Action::Delete, Some(_)) => self.plan.unchanged += 1,
            (Action::Delete, None) => self.list(past, vec!["the user was deleted".to_owned()]),
            (_, Some(held)) => self.unchange(past, held),
            (_, None) => self.refuse(past, "the user no longer exists"),
        }
    }

    /// Deactivates a user that was created.
    fn uncreate(&mut self, past: &Past<'_>, held: &ScimUser) {
        let desired = past.written.step.desired.as_ref();
        if desired.is_some_and(|desired| self.plan.rules.is_met(held, desired).unwrap_or(false)) {
            let rules = self.plan.rules.clone();
            rules.change(&mut self.plan, held, &ScimUser::default().with_active(false));
        } else {
            self.refuse(past, "the user has changed since it was created");
        }
    }

    /// A creation of which it is not known whether it was applied.
    fn perhaps_created(&mut self, past: &Past<'_>) {
        let held = self.by_name.get(&text_key(&past.written.step.name)).copied();
        let desired = past.written.step.desired.as_ref();
        let is_there = held
            .zip(desired)
            .is_some_and(|(held, desired)| self.plan.rules.is_the_same(held, desired).unwrap_or(false));
        if is_there {
            let reason = "the user exists, and it is not known whether the apply created it; resume the apply first";
            self.refuse(past, reason);
        }
    }

    /// Gives a user the values that it had.
    fn unchange(&mut self, past: &Past<'_>, held: &ScimUser) {
        let (secret, changes): (Vec<_>, Vec<_>) = past.changes.iter().partition(|change| change.holds_password());
        if !secret.is_empty() {
            self.list(past, secret.iter().map(|change| format!("{}: it holds a password", change.path)).collect());
        }
        let Ok(now) = object(held) else { return self.refuse(past, "it cannot be compared") };
        let (Some(before), Some(after)) = (state(&now, &changes, Change::before), state(&now, &changes, Change::after))
        else {
            return self.refuse(past, "its old values cannot be written as a user");
        };
        let has = |user: &ScimUser, value: fn(&Change) -> Option<Value>| {
            self.plan.rules.clearing(&changes, value).is_met(held, user).unwrap_or(false)
        };
        if has(&after, Change::after) {
            let rules = self.plan.rules.clearing(&changes, Change::before);
            rules.change(&mut self.plan, held, &before);
        } else if has(&before, Change::before) {
            self.plan.unchanged += 1;
        } else {
            let paths: Vec<_> = changes.iter().map(|change| &*change.path).collect();
            self.refuse(past, &format!("the user has changed since the apply, in one of: {}", paths.join(", ")));
        }
    }

    fn refuse(&mut self, past: &Past<'_>, reason: &str) {
        self.plan.conflicts.push(Conflict::new(ConflictKind::Changed, &past.written.step.name, reason));
    }

    fn list(&mut self, past: &Past<'_>, left_out: Vec<String>) {
        self.plan.inexpressible.push(Inexpressible { user_name: past.written.step.name.clone(), left_out });
    }
}

impl Rules {
    /// The rules by which the attributes are cleared that have no value in this state.
    fn clearing(&self, changes: &[&Change], value: fn(&Change) -> Option<Value>) -> Self {
        let cleared = changes.iter().filter(|change| value(change).is_none());
        Self { clears: cleared.map(|change| change.path.clone()).collect(), ..self.clone() }
    }
}

impl Change {
    /// A user without `active` can sign in.
    fn before(&self) -> Option<Value> {
        self.from.clone().or_else(|| self.is_of("active").then_some(Value::Bool(true)))
    }

    fn after(&self) -> Option<Value> {
        self.to.clone()
    }

    fn holds_password(&self) -> bool {
        let has_one = |value: &Value| without_passwords(value) != *value;
        names_password(&self.path) || self.from.iter().chain(&self.to).any(has_one)
    }
}

/// A user that has only the values of these changes in one state.
fn state(now: &Map<String, Value>, changes: &[&Change], value: fn(&Change) -> Option<Value>) -> Option<ScimUser> {
    let mut user = Map::new();
    for change in changes {
        if let Some(value) = value(change) {
            put(&mut user, now, &change.path, value);
        }
    }
    serde_json::from_value(user.into()).ok()
}

/// Puts a value at the path of a change.
fn put(user: &mut Map<String, Value>, now: &Map<String, Value>, path: &str, value: Value) {
    let is_whole = member(now, path).is_some() || is_schema(path);
    let Some(place) = path.parse::<AttributePath>().ok().filter(|_| !is_whole) else {
        user.insert(path.to_owned(), value);
        return;
    };
    let mut holders = place.schema().into_iter().chain(place.sub_attribute().map(|_| place.name()));
    let holder =
        holders.try_fold(user, |holder, name| holder.entry(name).or_insert_with(|| Map::new().into()).as_object_mut());
    if let Some(holder) = holder {
        holder.insert(place.sub_attribute().unwrap_or(place.name()).to_owned(), value);
    }
}

/// Whether a path is the URN of a schema, and not of an attribute in it: a version is before its last part
/// (RFC 7643 §10.2.1).
fn is_schema(path: &str) -> bool {
    let before = path.rsplit(':').nth(1).unwrap_or_default();
    before.starts_with(|c: char| c.is_ascii_digit()) && before.chars().all(|c| c.is_ascii_digit() || c == '.')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::Profile;

    const URN: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

    fn user(json: Value) -> ScimUser {
        serde_json::from_value(json).unwrap()
    }

    /// The plan that undoes a plan which has been applied.
    fn undone(before: &Value, desired: Value, after: &Value, clears: &[&str]) -> Plan {
        let policy =
            Policy::new(&Profile::standard()).ours(crate::plan::Ours::Everybody).clears(clears.iter().copied());
        let current = Current::complete(vec![user(before.clone())]);
        let plan = policy.plan(&current, &[user(desired)]).unwrap();
        let written = plan.steps.iter().map(|step| WrittenStep {
            step: step.clone(),
            id: step.id.clone(),
            is_done: true,
            before: crate::plan::journal::written::before(step, None),
        });
        let written = Written { server: None, steps: written.collect() };
        policy.undo(&Current::complete(vec![user(after.clone())]), &written).unwrap()
    }

    #[test]
    fn attributes_of_every_depth_get_their_old_values() {
        let before = json!({ "id": "1", "userName": "ann", "active": true, "title": "T", "emails": [{ "value": "a@x" }],
                             "name": { "familyName": "Doe", "middleName": "Q" },
                             URN: { "department": "D", "manager": { "value": "7" } } });
        let after = json!({ "id": "1", "userName": "ann", "active": true, "emails": [{ "value": "b@x" }],
                            "name": { "familyName": "Roe" }, "nickName": "A" });
        let desired = json!({ "userName": "ann", "emails": [{ "value": "b@x" }], "name": { "familyName": "Roe" },
                              "nickName": "A" });
        let undo = undone(&before, desired, &after, &["title", "name.middleName", URN]);
        let [step] = &undo.steps[..] else { panic!("{undo}") };
        let mut changes: Vec<_> = step.changes.iter().map(ToString::to_string).collect();
        changes.sort();
        let extension = r#"{"department":"D","manager":{"value":"7"}}"#;
        assert_eq!(
            changes,
            [
                r#"emails "b@x" → "a@x""#.to_owned(),
                r#"name.familyName "Roe" → "Doe""#.to_owned(),
                r#"name.middleName nothing → "Q""#.to_owned(),
                r#"nickName "A" → nothing"#.to_owned(),
                r#"title nothing → "T""#.to_owned(),
                format!("{URN} nothing → {extension}"),
            ]
        );
        assert_eq!(step.check(), Ok(()));
    }

    #[test]
    fn what_the_server_does_not_hold_any_more_is_not_overwritten() {
        let before =
            json!({ "id": "1", "userName": "ann", "active": true, URN: { "department": "D", "division": "V" } });
        let desired = || json!({ "userName": "ann", URN: { "department": "E" }, "title": "T" });
        let held = |department: &str, title: Value| json!({ "id": "1", "userName": "ann", "title": title, URN: { "department": department, "division": "W" } });
        let undo = undone(&before, desired(), &held("E", "T".into()), &[]);
        assert_eq!((undo.steps.len(), undo.steps[0].changes.len()), (1, 2), "{undo}");
        let undo = undone(&before, desired(), &held("D", Value::Null), &[]);
        assert_eq!((undo.steps.len(), undo.unchanged), (0, 1), "it was not applied: {undo}");
        for other in [held("F", "T".into()), held("E", "U".into()), held("E", Value::Null)] {
            let undo = undone(&before, desired(), &other, &[]);
            assert_eq!((undo.steps.len(), undo.conflicts.len()), (0, 1), "{undo}");
        }
    }

    #[test]
    fn a_user_without_active_is_active_again() {
        let before = json!({ "id": "1", "userName": "ann" });
        let after = json!({ "id": "1", "userName": "ann", "active": false });
        let undo = undone(&before, json!({ "userName": "ann", "active": false }), &after, &[]);
        assert_eq!((undo.steps.len(), undo.count(Action::Reactivate)), (1, 1), "{undo}");
    }

    #[test]
    fn a_schema_is_no_attribute_of_another_one() {
        for (path, is) in [(URN, true), ("urn:acme:1:User", true), ("title", false), ("name.familyName", false)] {
            assert_eq!(is_schema(path), is, "{path}");
        }
        assert!(!is_schema(&format!("{URN}:department")) && !is_schema(&format!("{URN}:manager.value")));
    }
}
