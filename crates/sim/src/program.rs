//! What happens in a world, from its beginning to its end.

use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use serde_json::json;
use wats_scim::plan::{Current, Desired, DesiredGroup, Journal, Leavers, Plan, Policy, Reference};
use wats_scim::{Profile, ScimUser};

use crate::log::{Applied, Intent};
use crate::marks::Mark;
use crate::world::World;
use crate::{Api, asynchronous, blocking};

pub const JOURNAL: &str = "/sim/journal";
pub const TRAIL: &str = "/sim/trail";

/// What one process does.
#[derive(Debug)]
pub enum Task {
    Single(Vec<Intent>),
    Batch(Vec<Intent>),
    List,
    /// Reads what the server holds, for a plan.
    Read {
        with_groups: bool,
    },
    Apply(Box<Plan>),
}

/// The user that an intent creates.
pub fn new_user(key: &str) -> ScimUser {
    ScimUser::new(format!("{key}@example.com")).with_external_id(key)
}

/// What a process has come to.
enum Came {
    Nothing,
    Read(Box<Current>),
    Applied {
        problems: Vec<(usize, String)>,
        is_complete: bool,
    },
    /// It was killed.
    Died,
}

/// The number of kinds of programs.
pub const PROGRAMS: usize = 8;

pub fn run(world: &Rc<World>, api: Api) {
    world.say(|| format!("{:?}", world.setting));
    populate(world);
    for number in 0..world.setting.programs {
        let which = world.choose(PROGRAMS);
        world.set_calm(false);
        program(world, api, which, number);
        world.set_calm(true);
    }
    world.settle();
}

/// The users and groups that are there at the beginning.
fn populate(world: &World) {
    let mut server = world.server.borrow_mut();
    let renames = std::mem::take(&mut server.kind.renames);
    for n in 1..=world.setting.users {
        let user = json!({
            "userName": format!("user{n}@example.com"), "externalId": format!("ext-{n}"), "displayName": format!("User {n}"),
            "active": n % 7 != 6,
        });
        server.create(Duration::ZERO, None, "Users", user);
    }
    if !server.kind.wats {
        server.create(
            Duration::ZERO,
            None,
            "Groups",
            json!({ "displayName": "Group", "externalId": "group-0", "members": [{ "value": "id1" }] }),
        );
    }
    server.kind.renames = renames;
}

fn process(world: &Rc<World>, api: Api, task: Task, in_flight: usize, may_die: bool) -> Came {
    world.begin_process(in_flight, may_die);
    let is_apply = matches!(task, Task::Apply(_));
    macro_rules! ended {
        ($api:ident) => {
            match $api::process(world, task) {
                None => Came::Died,
                Some($api::Ended::Current(Some(current))) => Came::Read(current),
                Some($api::Ended::Applied { problems, is_complete }) => Came::Applied { problems, is_complete },
                Some(_) => Came::Nothing,
            }
        };
    }
    let came = match api {
        Api::Asynchronous => ended!(asynchronous),
        Api::Blocking => ended!(blocking),
    };
    world.end_process(is_apply);
    came
}

fn program(world: &Rc<World>, api: Api, which: usize, number: usize) {
    let is_wats = world.setting.kind.wats;
    let key = |what: &str, n: usize| format!("{what}-{number}-{n}");
    // Users that no other program is about.
    let id = |n: usize| format!("id{}", 1 + (number * 3 + n) % world.setting.users);
    let in_flight = world.setting.in_flight;
    let group = format!("id{}", world.setting.users + 1);
    match which {
        0 => {
            let intents = vec![Intent::Create { endpoint: "Users", key: key("new", 0) }];
            process(world, api, Task::Single(intents), 1, false);
        }
        1 => {
            let intents = vec![Intent::Change { id: id(0), key: key("changed", 0) }, Intent::Deactivate { id: id(1) }];
            process(world, api, Task::Single(intents), 1, false);
        }
        2 => {
            process(world, api, Task::Single(vec![Intent::Delete { id: id(2) }]), 1, false);
        }
        3 => {
            let mut intents = Vec::new();
            for n in 0..3 + world.choose(10) {
                intents.push(match world.choose(4) {
                    0 => Intent::Create { endpoint: "Users", key: key("new", n) },
                    _ if intents.len() >= 3 => Intent::Create { endpoint: "Users", key: key("more", n) },
                    1 => Intent::Change { id: id(n), key: key("changed", n) },
                    2 => Intent::Deactivate { id: id(n) },
                    _ => Intent::Delete { id: id(n) },
                });
            }
            process(world, api, Task::Batch(intents), in_flight, false);
        }
        4 => {
            process(world, api, Task::List, in_flight + 1, false);
        }
        5 if !is_wats => {
            let intents = vec![
                Intent::Create { endpoint: "Groups", key: key("group", 0) },
                Intent::AddMember { group: group.clone(), id: id(1) },
                Intent::RemoveMember { group, id: "id1".to_owned() },
            ];
            process(world, api, Task::Single(intents), 1, false);
        }
        6 => plan(world, api, Leavers::Delete),
        _ => plan(world, api, Leavers::Deactivate),
    }
}

pub fn policy(world: &World, leavers: Leavers) -> Policy {
    let profile = if world.setting.kind.wats { Profile::wats() } else { Profile::standard() };
    Policy::new(&profile)
        .leavers(leavers)
        .max_creation_percent(100)
        .max_adoption_percent(100)
        .max_change_percent(100)
        .max_alike_percent(100)
        .max_charset_change_percent(100)
        .max_reactivation_percent(100)
        .max_deactivation_percent(100)
        .max_rename_percent(100)
        .max_members_added_percent(100)
        .max_members_removed_percent(100)
        .max_groups_emptied(1000)
        .max_groups_emptied_percent(100)
        .max_groups_deleted(1000)
        .max_groups_deleted_percent(100)
        .allow_truncated_source(1000)
        .allow_empty_source(1000)
        .deletes_groups(leavers == Leavers::Delete)
}

/// A plan, applied by processes that may be killed, until the world is calm and it is done.
fn plan(world: &Rc<World>, api: Api, leavers: Leavers) {
    world.set_calm(true);
    world.settle();
    let read = process(world, api, Task::Read { with_groups: world.setting.plans_groups() }, 4, false);
    world.set_calm(false);
    let Came::Read(current) = read else { return };
    let desired = desired(world, &current);
    let Ok(plan) = policy(world, leavers).plan(&current, &desired) else { return };
    world.say(|| format!("the plan:\n{plan}"));
    let before: Vec<_> = {
        let server = world.server.borrow();
        server.store.iter().map(|((_, id), held)| (id.clone(), Rc::clone(held))).collect()
    };
    let began = world.elapsed();
    let (problems, is_complete) = apply(world, api, &plan);
    let applied = Applied { began, ended: world.elapsed(), plan, desired, before, problems, is_complete };
    crate::judge::judge_plan(world, &applied, &policy(world, leavers));
    if leavers == Leavers::Deactivate && world.setting.plans_groups() && is_complete {
        undo(world, api, &applied);
    }
}

/// Takes back what a plan has done, and judges whether everything is as before.
fn undo(world: &Rc<World>, api: Api, applied: &Applied) {
    let Ok(written) = Journal::at(JOURNAL).keep_before().written() else { return };
    let read = process(world, api, Task::Read { with_groups: true }, 4, false);
    let Came::Read(current) = read else { return };
    let policy = policy(world, Leavers::Deactivate).deletes_groups(true);
    match policy.undo(&current, &written) {
        Ok(undo) => {
            world.say(|| format!("the plan that takes it back:\n{undo}"));
            world.set_calm(false);
            let (problems, is_complete) = apply(world, api, &undo);
            crate::judge::judge_undo(world, applied, &undo, &problems, is_complete);
        }
        Err(refusal) => world.violation(&format!("(e) a plan cannot be taken back: {refusal}")),
    }
}

/// Applies a plan by processes that may be killed, until the world is calm and it is done; returns the problems
/// of the last one, and whether all is done.
fn apply(world: &Rc<World>, api: Api, plan: &Plan) -> (Vec<(usize, String)>, bool) {
    world.disk.borrow_mut().remove(Path::new(JOURNAL));
    world.log.borrow_mut().refused.clear();
    let in_flight = world.setting.in_flight;
    let (mut problems, mut is_complete) = (Vec::new(), false);
    for run in 0..6 {
        if run == 3 {
            world.set_calm(true);
            world.server.borrow_mut().kind.expires = None;
            world.settle();
        }
        // A resume needs nothing but the journal.
        let known = if run == 0 { None } else { world.enter_journal() };
        if run > 0 && known.is_some() {
            world.mark(Mark::Resumed);
        }
        let task = Task::Apply(Box::new(known.unwrap_or_else(|| plan.clone())));
        match process(world, api, task, in_flight, true) {
            Came::Applied { problems: new, is_complete: is } => (problems, is_complete) = (new, is),
            Came::Died | Came::Nothing => is_complete = false,
            Came::Read(_) => {}
        }
        if is_complete && world.chance(2) {
            break;
        }
    }
    world.set_calm(true);
    world.settle();
    (problems, is_complete)
}

impl World {
    /// The plan of the journal, if an apply has begun.
    fn enter_journal(&self) -> Option<Plan> {
        let text = self.disk.borrow().read(Path::new(JOURNAL)).unwrap_or_default();
        let is_torn = text
            .split(|byte| *byte == b'\n')
            .any(|line| !line.is_empty() && serde_json::from_slice::<serde_json::Value>(line).is_err());
        match Journal::at(JOURNAL).plan() {
            Ok(Some(plan)) => {
                if is_torn {
                    self.mark(Mark::ResumedWithTornLine);
                }
                Some(plan)
            }
            Ok(None) => None,
            Err(error) => {
                self.violation(&format!("(e) the journal cannot be read: {error}"));
                None
            }
        }
    }
}

/// What the other system says: most users as they are, some changed, renamed, gone, and some new; and, in some
/// worlds, groups of them.
fn desired(world: &World, current: &Current) -> Desired {
    let mut desired = Vec::new();
    for (n, user) in current.users().iter().enumerate() {
        let (Some(name), Some(external_id)) = (&user.user_name, &user.external_id) else { continue };
        let same = ScimUser::new(name).with_external_id(external_id);
        match world.choose(6) {
            0 if n % 2 == 0 => desired.push(same.with_display_name(format!("Planned {n}"))),
            1 => {}
            2 if !world.setting.kind.wats => {
                let renamed = ScimUser::new(format!("renamed-{}-{n}@example.com", world.sent()));
                desired.push(renamed.with_external_id(external_id));
            }
            _ => desired.push(same),
        }
    }
    for n in 0..=world.choose(4) {
        desired.push(new_user(&format!("planned-{}-{n}", world.sent())).with_display_name(format!("New {n}")));
    }
    if current.groups().is_none() {
        return Desired::of_users(desired);
    }
    let members = |step: usize| {
        let chosen = desired.iter().skip(step).step_by(step + 1).filter_map(|user| user.external_id.as_deref());
        chosen.map(Reference::external_id).collect::<Vec<_>>()
    };
    let (first, second) = (members(world.choose(3)), members(world.choose(4)));
    let name = if world.chance(3) { "Group" } else { "Renamed" };
    let known = DesiredGroup::new(name).with_external_id("group-0").with_members(first);
    let key = format!("planned-group-{}", world.sent());
    let new = DesiredGroup::new(&key).with_external_id(&key).with_members(second);
    let groups = if world.chance(4) { vec![known] } else { vec![known, new] };
    Desired::of_users(desired).with_groups(groups)
}
