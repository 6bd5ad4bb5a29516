use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::config::Profile;
use crate::model::{EnterpriseUser, Extension};
use crate::plan::{Action, Current, Desired, DesiredGroup, Fit, Ours, Plan, Policy, Reference};

fn user(name: &str, id: &str) -> ScimUser {
    serde_json::from_value(json!({ "id": id, "userName": name, "externalId": id, "active": true })).unwrap()
}

fn wanted(name: &str, id: &str) -> ScimUser {
    ScimUser::new(name).with_external_id(id)
}

fn policy(profile: &Profile) -> Policy {
    Policy::new(profile)
        .allow_empty_source(100)
        .allow_truncated_source(100)
        .max_deactivation_percent(100)
        .max_creation_percent(100)
        .max_rename_percent(100)
}

/// A server with unique names, which does the steps one after the other.
struct Server(Vec<ScimUser>);

impl Server {
    fn is_free(&self, name: &str) -> bool {
        !self.0.iter().any(|user| name_of(user).is_some_and(|known| known == name))
    }

    /// How many steps changed something.
    fn apply(&mut self, plan: &Plan) -> Result<usize, String> {
        let mut changed = 0;
        for (number, step) in plan.steps.iter().enumerate() {
            let place = self.0.iter().position(|held| held.id == step.id);
            let Some(held) = place.and_then(|place| self.0.get_mut(place)) else {
                match step.action {
                    Action::Delete => continue,
                    Action::Create if !self.is_free(&step.name) => continue,
                    Action::Create => {}
                    _ => return Err(format!("{step}: the user is gone")),
                }
                let mut new = step.desired.clone().unwrap().with_active(true);
                new.id = Some(format!("new{number}"));
                self.0.push(new);
                changed += 1;
                continue;
            };
            match plan.rules.fit(step, held).unwrap() {
                Fit::Done => continue,
                Fit::Stale(why) => return Err(format!("{step}: {why}")),
                Fit::Delete => drop(self.0.remove(place.unwrap())),
                Fit::Change(_) => {
                    let mut changed = held.clone();
                    for change in &step.changes {
                        match (&*change.path, &change.to) {
                            ("userName", Some(Value::String(name))) => changed.user_name = Some(name.clone()),
                            ("active", Some(Value::Bool(active))) => changed.active = Some(*active),
                            other => return Err(format!("{step}: {other:?}")),
                        }
                    }
                    let name = name_of(&changed).unwrap().into_owned();
                    if name_of(held).unwrap() != name && !self.is_free(&name) {
                        return Err(format!("{step}: {name} is taken"));
                    }
                    self.0[place.unwrap()] = changed;
                }
            }
            changed += 1;
        }
        Ok(changed)
    }
}

/// The names of a directory, each of which may be given to another user, to a new one, or to none.
fn directories() -> impl Strategy<Value = (Vec<ScimUser>, Vec<ScimUser>)> {
    const NAMES: usize = 12;
    let names = || Just((0..NAMES).map(|n| format!("n{n}")).collect::<Vec<_>>()).prop_shuffle();
    (names(), names(), 0..=NAMES, prop::collection::vec(prop::option::weighted(0.8, any::<bool>()), NAMES)).prop_map(
        |(before, after, count, fates)| {
            let stay = || (0..NAMES).map(|n| (format!("stay{n}"), format!("s{n}")));
            let mut current: Vec<_> = stay().map(|(name, id)| user(&name, &id)).collect();
            let mut desired: Vec<_> = stay().map(|(name, id)| wanted(&name, &id)).collect();
            for (number, name) in before.iter().take(count).enumerate() {
                current.push(user(name, &number.to_string()));
            }
            for (number, (name, fate)) in after.iter().zip(fates).enumerate() {
                match fate {
                    Some(true) => desired.push(wanted(name, &number.to_string())),
                    Some(false) => desired.push(wanted(name, &format!("9{number}"))),
                    None => {}
                }
            }
            (current, desired)
        },
    )
}

fn managed(user: &ScimUser, manager: &str) -> ScimUser {
    user.clone().with_attribute(EnterpriseUser::SCHEMA, json!({ "manager": { "externalId": manager } }))
}

/// Directories in which some users have a manager: one who stays, a stranger, or any user, perhaps themselves.
fn managed_directories() -> impl Strategy<Value = (Vec<ScimUser>, Vec<ScimUser>)> {
    let manager = prop_oneof![
        6 => Just(None), 1 => Just(Some("s1".to_owned())), 2 => Just(Some("stranger".to_owned())),
        3 => (0_u8..12).prop_map(|n| Some(n.to_string())), 3 => (0_u8..12).prop_map(|n| Some(format!("9{n}"))),
    ];
    (directories(), prop::collection::vec(manager, 24)).prop_map(|((current, desired), managers)| {
        let desired = desired.iter().zip(managers).map(|(user, manager)| match manager {
            Some(manager) => managed(user, &manager),
            None => user.clone(),
        });
        (current, desired.collect())
    })
}

/// The names after the steps, by id or by the number of the step that created the user; an error if a step
/// asks for a name that is taken.
fn names_after(current: &[ScimUser], plan: &Plan) -> Result<HashMap<String, String>, String> {
    let mut names: HashMap<String, String> =
        current.iter().map(|user| (user.id.clone().unwrap(), user.user_name.clone().unwrap())).collect();
    for (number, step) in plan.steps.iter().enumerate() {
        let id = step.id.clone().unwrap_or_else(|| format!("step {number}"));
        let renaming = step.changes.iter().find(|change| change.path == "userName");
        let name = match step.action {
            Action::Delete => {
                names.remove(&id);
                continue;
            }
            Action::Create => step.name.clone(),
            _ => match renaming.and_then(|change| change.to.as_ref()?.as_str()) {
                Some(name) => name.to_owned(),
                None => continue,
            },
        };
        if names.values().any(|taken| *taken == name) {
            return Err(format!("{step}: {name} is taken\n{plan}"));
        }
        names.insert(id, name);
    }
    Ok(names)
}

proptest! {
    #[test]
    fn no_step_asks_for_a_name_that_a_user_in_conflict_keeps((current, desired) in managed_directories(), deletes in any::<bool>()) {
        let leavers = if deletes { Leavers::Delete } else { Leavers::Deactivate };
        let plan = policy(&Profile::standard()).leavers(leavers).plan(&Current::complete(current.clone()), &desired).unwrap();
        let names = names_after(&current, &plan).map_err(TestCaseError::fail)?;
        for (id, name) in &names {
            let before = current.iter().find(|user| user.id.as_ref() == Some(id)).and_then(|user| user.user_name.clone());
            if name.contains('~') {
                prop_assert!(names.values().any(|other| Some(other) == before.as_ref()), "{} has a temporary name for nothing: {}", id, plan);
                prop_assert!(!desired.iter().any(|user| user.external_id.as_ref() == Some(id)), "{} keeps a temporary name: {}", id, plan);
            }
        }
        // Each user of the source gets its name, or is in conflict once.
        for user in &desired {
            let name = user.user_name.as_ref().unwrap();
            let conflicts = plan.conflicts.iter().filter(|conflict| conflict.user == *name).count();
            let held = names.get(user.external_id.as_ref().unwrap());
            let is_done = held == Some(name) || plan.steps.iter().any(|step| step.action == Action::Create && step.name == *name);
            prop_assert!(is_done || conflicts == 1 || plan.conflicts.iter().any(|conflict| conflict.kind == ConflictKind::Cycle), "{}: {}", name, plan);
        }
        for conflict in plan.conflicts.iter().filter(|conflict| conflict.kind == ConflictKind::NameTaken) {
            prop_assert!(conflict.reason.contains(" is in conflict: "), "{}", conflict.reason);
        }
    }

    #[test]
    fn chains_and_swaps_of_names_end_as_desired((current, desired) in directories(), deletes in any::<bool>()) {
        let leavers = if deletes { Leavers::Delete } else { Leavers::Deactivate };
        let policy = policy(&Profile::standard()).leavers(leavers);
        let plan = policy.plan(&Current::complete(current.clone()), &desired).unwrap();
        prop_assert!(plan.conflicts.is_empty(), "{plan}");
        let plan: Plan = serde_json::from_value(serde_json::to_value(plan).unwrap()).unwrap();
        let mut server = Server(current);
        prop_assert_eq!(server.apply(&plan), Ok(plan.steps.len()), "{}", plan);

        for user in &desired {
            let held = server.0.iter().find(|held| held.external_id == user.external_id).unwrap();
            prop_assert_eq!((name_of(held), is_active(held)), (name_of(user), Some(true)), "{}", plan);
        }
        let active = server.0.iter().filter(|user| is_active(user) == Some(true)).count();
        prop_assert_eq!(active, desired.len(), "a leaver is active: {}", plan);
        prop_assert_eq!(server.apply(&plan), Ok(0), "applied twice");
        let next = policy.plan(&Current::complete(server.0), &desired).unwrap();
        prop_assert!(next.is_empty() && next.conflicts.is_empty(), "{plan}\n{next}");
    }

    #[test]
    fn without_renames_leavers_are_deactivated_and_the_rest_is_in_conflict((current, desired) in directories()) {
        let policy = policy(&Profile::wats());
        let plan = policy.plan(&Current::complete(current.clone()), &desired).unwrap();
        let mut server = Server(current);
        prop_assert_eq!(server.apply(&plan), Ok(plan.steps.len()), "{}", plan);
        let in_source: HashSet<_> = desired.iter().map(|user| user.external_id.clone()).collect();
        for user in &server.0 {
            prop_assert_eq!(is_active(user) == Some(true), in_source.contains(&user.external_id), "{:?}: {}", user, plan);
        }
        let next = policy.plan(&Current::complete(server.0), &desired).unwrap();
        prop_assert!(next.is_empty(), "{plan}\n{next}");
        prop_assert_eq!(next.conflicts.len(), plan.conflicts.len());
    }
}

fn plan(policy: &Policy, current: &[(&str, &str)], desired: &[(&str, &str)]) -> Plan {
    let current = current.iter().map(|(name, id)| user(name, id)).collect();
    let desired: Vec<_> = desired.iter().map(|(name, id)| wanted(name, id)).collect();
    policy.plan(&Current::complete(current), &desired).unwrap()
}

fn actions(plan: &Plan) -> Vec<(Action, &str)> {
    plan.steps.iter().map(|step| (step.action, &*step.name)).collect()
}

#[test]
fn a_swap_needs_one_temporary_name() {
    let plan =
        plan(&policy(&Profile::standard()), &[("ann@x", "1"), ("bob@x", "2")], &[("bob@x", "1"), ("ann@x", "2")]);
    let [first, ..] = plan.steps.as_slice() else { panic!("{plan}") };
    assert_eq!((first.action, plan.steps.len()), (Action::FreeName, 3), "{plan}");
    let temporary = first.desired.as_ref().unwrap().user_name.clone().unwrap();
    assert_eq!((&temporary[..4], &temporary[12..], temporary.len()), ("ann~", "@x", 14));
    assert_eq!(plan.count(Action::Update), 2);
}

#[test]
fn a_leaver_whose_name_is_passed_on_is_deactivated_and_renamed_in_one_step() {
    let plan = plan(&policy(&Profile::standard()), &[("ann", "1"), ("bob", "2")], &[("bob", "1")]);
    assert_eq!(actions(&plan), [(Action::Deactivate, "bob"), (Action::Update, "ann")]);
    let changes: Vec<_> = plan.steps[0].changes.iter().map(|change| &*change.path).collect();
    assert_eq!(changes, ["userName", "active"]);
}

#[test]
fn a_name_that_stays_with_its_user_is_a_conflict_with_it() {
    use ConflictKind::{InactiveHolder, NameTaken, OtherExternalId, Outside};
    let kinds = |policy: &Policy, current: &[ScimUser], desired: &[ScimUser]| {
        let plan = policy.plan(&Current::complete(current.to_vec()), desired).unwrap();
        let kinds: Vec<_> = plan.conflicts.iter().map(|conflict| conflict.kind).collect();
        assert!(plan.conflicts.iter().all(|conflict| conflict.held.is_some()), "{plan}");
        (kinds, plan.steps.len())
    };
    let (standard, current) = (policy(&Profile::standard()), [user("ann", "1"), user("bob", "2")]);
    let [inactive, alike] = [user("bob", "2").with_active(false), user("bob", "2").with_display_name("Bob")];
    let bob = |id: &str| wanted("bob", id);
    let taken = [bob("1")];
    assert_eq!(kinds(&standard, &[user("ann", "1"), inactive.clone()], &taken), (vec![InactiveHolder], 0));
    assert_eq!(
        kinds(&standard, &[user("ann", "1"), inactive], &[wanted("ann", "1"), bob("3")]),
        (vec![InactiveHolder], 0)
    );
    let same = [wanted("ann", "1"), bob("3").with_display_name("Bob")];
    assert_eq!(kinds(&standard, &[user("ann", "1"), alike], &same), (vec![OtherExternalId], 0));
    assert_eq!(kinds(&standard.clone().leavers(Leavers::Keep), &current, &taken), (vec![NameTaken], 0));
    assert_eq!(kinds(&standard.clone().protect(["bob"]), &current, &taken), (vec![NameTaken], 0));
    assert_eq!(kinds(&standard.clone().ours(Ours::WithPrefix("2".into())), &current, &taken), (vec![Outside], 1));
    // The name of a user in conflict is not free either.
    let three = [user("ann", "1"), user("bob", "2"), user("cy", "3")];
    let chain = [wanted("bob", "1"), wanted("cy", "2"), wanted("cy2", "3")];
    assert_eq!(kinds(&standard.clone().protect(["cy"]), &three, &chain), (vec![NameTaken; 2], 0));
}

#[test]
fn two_holders_of_one_external_id_are_a_conflict() {
    let twins = vec![user("ann", "1"), user("bob", "1")];
    let plan = policy(&Profile::standard()).plan(&Current::complete(twins), &[wanted("ann", "1")]).unwrap();
    assert_eq!((plan.conflicts[0].kind, plan.steps.len()), (ConflictKind::TwiceOnServer, 0));
}

#[test]
fn who_waits_for_a_name_that_is_not_freed_is_in_conflict_and_the_first_conflict_is_named() {
    let current: Vec<_> = [("ann", "1"), ("bob", "2"), ("cy", "3")].map(|(name, id)| user(name, id)).to_vec();
    // Cy passes her name on to bob, bob his to ann, and ann hers to a new user, who manages another one.
    let cy = managed(&wanted("cyra", "3"), "stranger");
    let desired = [wanted("bob", "1"), wanted("cy", "2"), cy, wanted("ann", "4"), managed(&wanted("dee", "5"), "4")];
    let groups =
        vec![DesiredGroup::new("Testers").with_members([Reference::user_name("dee"), Reference::external_id("1")])];
    let current = Current::complete(current).with_groups(Vec::new());
    let plan =
        policy(&Profile::standard()).plan(&current, &Desired::of_users(desired.to_vec()).with_groups(groups)).unwrap();
    assert_eq!(actions(&plan), [(Action::CreateGroup, "Testers"), (Action::AddMembers, "Testers")], "{plan}");
    assert_eq!(plan.steps[1].members.len(), 1, "{plan}");
    let first =
        "cyra is in conflict: its manager is externalId stranger, and it is neither in the source nor on the server";
    let taken = format!("another user of the server keeps this userName, because {first}");
    let mut found: Vec<_> =
        plan.conflicts.iter().map(|conflict| (conflict.kind, &*conflict.user, &*conflict.reason)).collect();
    found.sort_by_key(|(_, user, _)| *user);
    let manager = first.split_once(": ").unwrap().1;
    let expected = [
        (ConflictKind::NameTaken, "ann", &*taken),
        (ConflictKind::NameTaken, "bob", &taken),
        (ConflictKind::NameTaken, "cy", &taken),
        (ConflictKind::Manager, "cyra", manager),
        (ConflictKind::Manager, "dee", &format!("its manager ann is not created, because {first}")),
        (ConflictKind::Group, "group Testers", "its member dee is not created"),
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_leaver_keeps_its_name_if_the_user_that_wants_it_is_in_conflict() {
    let current = vec![user("ann", "1"), user("bob", "2"), user("cy", "3")];
    let desired = [managed(&wanted("ann", "9"), "stranger"), wanted("bob", "2"), wanted("cy", "3")];
    let plan = policy(&Profile::standard()).plan(&Current::complete(current), &desired).unwrap();
    let changes: Vec<_> = plan.steps.iter().flat_map(|step| &step.changes).map(|change| &*change.path).collect();
    assert_eq!((actions(&plan), changes), (vec![(Action::Deactivate, "ann")], vec!["active"]), "{plan}");
}
