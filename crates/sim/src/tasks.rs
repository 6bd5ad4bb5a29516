//! What a process does, once for both APIs.

use wats_scim::audit::{Log as TrailLog, Trail};
use wats_scim::plan::{Current, CurrentGroup, Journal, Outcome, Plan};
use wats_scim::{
    Credentials, Error, Profile, RetryPolicy, ScimConfig, ScimGroup, ScimPatchRequest, ScimWrite, WriteOutcome,
};

use super::{api, maybe_async, send, with_patience};
use crate::log::{Claim, Intent, Listing, Refused, Write};
use crate::marks::Mark;
use crate::program::{JOURNAL, TRAIL, Task, new_user};
use crate::server::TOKEN;
use crate::world::{World, here};

/// What has come of a task.
#[derive(Debug)]
pub enum Ended {
    Done,
    /// What the server holds, or an error.
    Current(Option<Box<Current>>),
    /// An apply: the steps that were not done, each with what became of it.
    Applied {
        problems: Vec<(usize, String)>,
        is_complete: bool,
    },
}

#[maybe_async]
pub async fn run(task: Task) -> Ended {
    let world = here();
    let audit = match TrailLog::append(TRAIL) {
        Ok(log) => Trail::to(log).label("sim"),
        Err(_) => return Ended::Done,
    };
    let setting = &world.setting;
    let (url, profile) = if setting.kind.wats {
        ("https://sim.example", Profile::wats())
    } else {
        ("https://sim.example/scim", Profile::standard().allow_versions_in_bulk())
    };
    let config = ScimConfig::new(url, Credentials::wats_token(TOKEN))
        .profile(profile)
        .retry(RetryPolicy::default().attempts(setting.attempts).deadline(setting.deadline))
        .audit(audit);
    let client = match api::ScimService::with_http_client(&config, send) {
        Ok(client) => client,
        Err(error) => unreachable!("{error}"),
    };
    let client = if setting.kind.wats {
        client
    } else {
        let was_calm = world.is_calm();
        world.set_calm(true);
        let discovered = client.discover().await;
        world.set_calm(was_calm);
        // What a discovery is refused says nothing about the task.
        world.wire.borrow_mut().since_rejection = None;
        match discovered {
            Ok(client) => client,
            Err(_) => return Ended::Done,
        }
    };
    match task {
        Task::Single(intents) => {
            for intent in intents {
                single(&world, &client, intent).await;
            }
            Ended::Done
        }
        Task::Batch(intents) => {
            batch(&world, &client, intents).await;
            Ended::Done
        }
        Task::List => {
            list(&world, &client).await;
            Ended::Done
        }
        Task::Read { with_groups } => {
            world.log.borrow_mut().operations += 1;
            let read = read(&client, with_groups).await;
            Ended::Current(read.ok().map(Box::new))
        }
        Task::Apply(plan) => apply(&world, &client, *plan).await,
    }
}

/// What the server holds, read with one request after the other.
#[maybe_async]
async fn read<R: api::ScimRepository>(client: &api::ScimService<R>, with_groups: bool) -> wats_scim::Result<Current> {
    let (mut users, mut groups) = (Vec::new(), Vec::new());
    let mut listed = client.iter_users();
    while let Some(user) = listed.try_next().await? {
        users.push(user);
    }
    if !with_groups {
        return Ok(Current::complete(users));
    }
    let mut listed = client.groups().iter();
    while let Some(group) = listed.try_next().await? {
        groups.push(CurrentGroup::complete(group));
    }
    Ok(Current::complete(users).with_groups(groups))
}

#[maybe_async]
async fn single<R: api::ScimRepository>(world: &World, client: &api::ScimService<R>, intent: Intent) {
    let (called, first) = (world.elapsed(), world.sent());
    let claim = match &intent {
        Intent::Create { endpoint: "Groups", key } => {
            let done = client.groups().create(&ScimGroup::new(key)).await;
            Claim::of(&done)
        }
        Intent::Create { key, .. } => {
            let done = client.create_user(&new_user(key)).await;
            Claim::of(&done)
        }
        Intent::Change { id, key } => {
            let done = client.update_display_name(id, key).await;
            Claim::of(&done)
        }
        Intent::Deactivate { id } => {
            let done = client.deactivate_user(id).await;
            Claim::of(&done)
        }
        Intent::Delete { id } => {
            let done = client.delete_user(id).await;
            Claim::of(&done)
        }
        Intent::AddMember { group, id } => {
            let done = client.groups().add_members(group, &[id]).await;
            Claim::of(&done)
        }
        Intent::RemoveMember { group, id } => {
            let done = client.groups().remove_members(group, &[id]).await;
            Claim::of(&done)
        }
    };
    let (returned, tickets) = (world.elapsed(), first..world.sent());
    world.record(Write { intent, called, returned, claim, tickets, is_alone: true });
}

#[maybe_async]
async fn batch<R: api::ScimRepository>(world: &World, client: &api::ScimService<R>, intents: Vec<Intent>) {
    let (called, first) = (world.elapsed(), world.sent());
    let writes: Vec<ScimWrite> = intents
        .iter()
        .map(|intent| match intent {
            Intent::Create { key, .. } => ScimWrite::create(new_user(key)),
            Intent::Change { id, key } => {
                ScimWrite::patch(id, ScimPatchRequest::new().replace("displayName", key.as_str()))
            }
            Intent::Deactivate { id } => ScimWrite::set_active(id, false),
            Intent::Delete { id } | Intent::AddMember { id, .. } | Intent::RemoveMember { id, .. } => {
                ScimWrite::delete(id)
            }
        })
        .collect();
    let mut batch = client.write_users(writes).in_flight(world.setting.in_flight);
    for intent in intents {
        let Some(item) = batch.next().await else {
            if world.wire.borrow().since_rejection.is_none() {
                world.violation("(a) a batch has fewer results than writes");
            }
            return;
        };
        let (returned, claim) = (world.elapsed(), Claim::of(&item.result));
        world.record(Write { intent, called, returned, claim, tickets: first..world.sent(), is_alone: false });
    }
}

#[maybe_async]
async fn list<R: api::ScimRepository>(world: &World, client: &api::ScimService<R>) {
    let (called, first) = (world.elapsed(), world.sent());
    let mut users = client.iter_users().page_size(4).in_flight(world.setting.in_flight);
    let mut ids = Vec::new();
    let is_complete = loop {
        let next = with_patience(users.try_next()).await;
        match next {
            None => world.mark(Mark::ListWentOn),
            Some(Ok(Some(user))) => ids.push(user.id.unwrap_or_default()),
            Some(Ok(None)) => break true,
            Some(Err(error)) => {
                world.say(|| format!("the client says: the list fails: {error}"));
                break false;
            }
        }
    };
    let returned = world.elapsed();
    let mut log = world.log.borrow_mut();
    log.operations += 1;
    log.listings.push(Listing { called, returned, ids, is_complete, tickets: first..world.sent() });
}

#[maybe_async]
async fn apply<R: api::ScimRepository>(world: &World, client: &api::ScimService<R>, plan: Plan) -> Ended {
    let journal = Journal::at(JOURNAL);
    let journal = if world.setting.plans_groups() { journal.keep_before() } else { journal };
    let journal = if world.setting.is_synced || world.setting.loses_power { journal.synced() } else { journal };
    let mut apply = client.apply(plan).journal(journal).in_flight(world.setting.in_flight);
    let (mut problems, first) = (Vec::new(), world.sent());
    let is_complete = loop {
        let next = apply.try_next().await;
        match next {
            Ok(Some(step)) => {
                world.log.borrow_mut().operations += 1;
                if let Outcome::Failed(error) = &step.outcome
                    && error.write_outcome() != Some(WriteOutcome::Unknown)
                {
                    let (why, tickets) = (error.to_string(), first..world.sent());
                    world.log.borrow_mut().refused.push(Refused { step: step.number, why, tickets });
                }
                world.say(|| format!("the client says: step {} is {}", step.number, step.outcome));
                world.check_secrets("an outcome", &step.outcome.to_string());
                if matches!(step.outcome, Outcome::Skipped(_)) {
                    world.mark(Mark::StepSkipped);
                }
                if matches!(step.outcome, Outcome::Unneeded) && world.process.get() > 2 {
                    world.mark(Mark::FoundDone);
                }
                if step.outcome.is_problem() {
                    problems.push((step.number, step.outcome.to_string()));
                }
            }
            Ok(None) => break apply.progress().total == Some(apply.progress().done),
            Err(error) => {
                tell(world, &error);
                break false;
            }
        }
    };
    Ended::Applied { is_complete: is_complete && problems.is_empty(), problems }
}

fn tell(world: &World, error: &Error) {
    world.say(|| format!("the client says: the apply fails: {error}"));
    world.check_secrets("an error", &error.to_string());
}
