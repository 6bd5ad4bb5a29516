//! The cost of ten times as much in one place, relative to that of as much: what a server or a file can
//! send must not cost the square of its size.

mod support;

use std::env;
use std::hint::black_box;
use std::process::Command;
use std::time::Duration;

use http::{Request, Response};
use serde_json::{Value, json};
use support::cost::{cpu, ratio};
use support::figures::{Goal, median, show};
use support::{Result, full_or_short, memory};
use wats_scim::blocking::ScimService;
use wats_scim::import::UserCsv;
use wats_scim::plan::{Current, CurrentGroup, Desired, DesiredGroup, Policy, Reference};
use wats_scim::transport::TransportError;
use wats_scim::{Credentials, Profile, ScimConfig, ScimUser, ScimWrite};

/// 10 is linear.
const GOAL: Goal = Goal::AtMost(12.0);

/// What a process of this bench is asked to measure.
const MEMBERSHIPS: &str = "measure-memberships";

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let [what, number] = &arguments[..]
        && what == MEMBERSHIPS
    {
        return measure_memberships(number.parse()?);
    }
    growth("growth.attributes", 500, attributes)?;
    growth("growth.emails", 200, emails)?;
    growth("growth.csv_columns", 200, csv_columns)?;
    growth("growth.bulk_results", 200, bulk_results)?;
    memberships()
}

/// Shows what a plan of groups costs for ten times the memberships, users and groups. Each measurement has a
/// process of its own, because the peak of one would hide that of another.
fn memberships() -> Result<()> {
    let (rounds, few) = full_or_short((11, 20_000), (1, 2_000));
    let costs = |number: u32| -> Result<[f64; 2]> {
        let child = Command::new(env::current_exe()?).args([MEMBERSHIPS, &number.to_string()]).output()?;
        if !child.status.success() {
            return Err(String::from_utf8_lossy(&child.stderr).into());
        }
        let text = String::from_utf8(child.stdout)?;
        let (time, memory) = text.trim().split_once(' ').ok_or("no costs")?;
        Ok([time.parse()?, memory.parse()?])
    };
    let (mut growth, mut of_many) = ([Vec::new(), Vec::new()], [0.0; 2]);
    for _ in 0..rounds {
        let of_few = costs(few)?;
        of_many = costs(10 * few)?;
        for ((growth, few), many) in growth.iter_mut().zip(of_few).zip(of_many) {
            growth.push(many / few);
        }
    }
    let [time, memory] = growth;
    show("growth.memberships.time", median(time), &GOAL);
    show("growth.memberships.memory", median(memory), &GOAL);
    println!("  for ten times as many: {:.1} ms, {:.1} MiB", of_many[0], of_many[1]);
    Ok(())
}

/// Prints the milliseconds and the MiB of a plan with so many memberships, and a user for every two of them.
fn measure_memberships(number: usize) -> Result<()> {
    let users = number / 2;
    let user =
        |number: usize| json!({ "id": format!("id-{number}"), "userName": name(number), "externalId": name(number) });
    let held: Vec<ScimUser> = (0..users).map(|at| Ok(serde_json::from_value(user(at))?)).collect::<Result<_>>()?;
    let group = |number: usize| {
        let members = members(number, users).map(|at| json!({ "value": format!("id-{at}") })).collect::<Vec<_>>();
        let group = json!({ "id": format!("g-{number}"), "displayName": format!("Group {number}"), "externalId": name(number), "members": members });
        Ok(CurrentGroup::complete(serde_json::from_value(group)?))
    };
    // One in ten is new; of the others, each loses a member and gets another one.
    let groups = number / 100;
    let current = (groups / 10..groups).map(group).collect::<Result<Vec<_>>>()?;
    let wanted = (0..groups).map(|number| {
        let members = members(number + 2, users).take(1).chain(members(number, users).skip(1));
        let members = members.map(|at| Reference::user_name(name(at)));
        DesiredGroup::new(format!("Group {number}")).with_external_id(name(number)).with_members(members)
    });
    let desired: Vec<_> = (0..users).map(|at| ScimUser::new(name(at)).with_external_id(name(at))).collect();
    let desired = Desired::of_users(desired).with_groups(wanted.collect());
    let current = Current::complete(held).with_groups(current);
    let policy = Policy::new(&Profile::standard()).max_members_added(number).max_members_removed(number);

    let before = memory::now_kib();
    let mut steps = 0;
    let time = cpu(|| {
        let plan = policy.plan(&current, &desired)?;
        steps = black_box(plan).steps.len();
        Ok(())
    })?;
    let kib = memory::peak_kib().zip(before).map_or(f64::NAN, |(peak, before)| f64::from(peak.saturating_sub(before)));
    if steps != groups * 2 {
        return Err(format!("the plan has {steps} steps, and not {}", groups * 2).into());
    }
    println!("{} {}", time.as_secs_f64() * 1e3, kib / 1024.0);
    Ok(())
}

fn name(number: usize) -> String {
    format!("user{number:07}@example.com")
}

/// 100 members of a group, of which each is in another group, too.
fn members(group: usize, users: usize) -> impl Iterator<Item = usize> {
    (0..100).map(move |at| (group * 50 + at) % users)
}

fn growth(name: &str, size: usize, cost: impl Fn(usize) -> Result<Duration>) -> Result<()> {
    let (rounds, size) = full_or_short((101, size), (1, 20));
    let figure = ratio(rounds, || cost(10 * size), || cost(size))?;
    show(name, figure, &GOAL);
    Ok(())
}

/// A user with so many unknown attributes is read.
fn attributes(number: usize) -> Result<Duration> {
    let members: serde_json::Map<String, Value> =
        (0..number).map(|at| (format!("attribute{at}"), json!("value"))).collect();
    let text = serde_json::to_string(&members)?;
    cpu(|| {
        black_box(serde_json::from_str::<ScimUser>(&text)?);
        Ok(())
    })
}

/// A user with so many addresses is compared with the same user, whose addresses are in another order.
fn emails(number: usize) -> Result<Duration> {
    let user = |order: &mut dyn Iterator<Item = usize>| {
        let emails: Vec<Value> = order.map(|at| json!({ "value": format!("{at}@example.com") })).collect();
        serde_json::from_value::<ScimUser>(json!({ "id": "1", "userName": "jane", "emails": emails }))
    };
    let (held, desired) = (user(&mut (0..number))?, user(&mut (0..number).rev())?);
    let (current, policy) = (Current::complete(vec![held]), Policy::new(&Profile::standard()));
    cpu(|| {
        let plan = policy.plan(&current, std::slice::from_ref(&desired))?;
        if plan.steps.is_empty() { Ok(()) } else { Err("the addresses are the same".into()) }
    })
}

/// A file with so many columns is read.
fn csv_columns(number: usize) -> Result<Duration> {
    let header: Vec<String> = (0..number).map(|at| format!("column{at}")).collect();
    let file = format!("userName,{}\njane{}\n", header.join(","), ",x".repeat(number));
    cpu(|| {
        black_box(UserCsv::new().allow_other_columns().read(file.as_bytes())?);
        Ok(())
    })
}

/// The results of so many writes in one request are assigned to their writes, in another order.
fn bulk_results(number: usize) -> Result<Duration> {
    let results: Vec<Value> =
        (0..number).rev().map(|at| json!({ "bulkId": format!("write-{at}"), "status": "204" })).collect();
    let answer = serde_json::to_vec(&json!({ "Operations": results }))?;
    let configuration = serde_json::to_vec(&json!({
        "bulk": { "supported": true, "maxOperations": number, "maxPayloadSize": u32::MAX },
    }))?;
    let transport = move |request: Request<Vec<u8>>| {
        let body = if request.uri().path().ends_with("/Bulk") { &answer } else { &configuration };
        Ok::<_, TransportError>(Response::new(body.clone()))
    };
    let config = ScimConfig::new("https://scim.example/v2", Credentials::bearer("secret"));
    let client = ScimService::with_http_client(&config, transport)?.discover()?;
    let writes: Vec<ScimWrite> = (0..number).map(|at| ScimWrite::delete(at.to_string())).collect();
    cpu(|| {
        let items = client.write_users(writes).run();
        if items.iter().all(|item| item.result.is_ok()) { Ok(()) } else { Err("a write failed".into()) }
    })
}
