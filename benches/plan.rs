//! How the time and the memory of a plan grow with the number of users, and those of printing and
//! storing it; and what planning takes for each user.

mod support;

use std::env;
use std::hint::black_box;
use std::process::Command;

use serde::de::DeserializeOwned;
use support::cost::cpu;
use support::figures::{Goal, median, show};
use support::{Result, by_hand, full_or_short, is_wanted, memory, users};
use wats_scim::Profile;
use wats_scim::plan::{Current, Plan, Policy};

/// What a process of this bench is asked to measure.
const COSTS: &str = "measure-costs";
const PLANNING: &str = "measure-planning";

/// What the costs are: milliseconds, and MiB.
const NAMES: [&str; 4] = ["time", "memory", "print", "store"];
const GROWTH: Goal = Goal::AtMost(12.0);
/// Half of what it was before planning was made faster, on the machine of `README.md`.
const US_PER_USER: Goal = Goal::AtMost(4.6);

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let [what, server, users] = &arguments[..] {
        match what.as_str() {
            COSTS => return measure_costs(server, users.parse()?),
            PLANNING => return measure_planning(server, users.parse()?),
            _ => {}
        }
    }
    for server in ["wats", "standard"] {
        if is_wanted("growth") {
            growth(server)?;
        }
        if is_wanted("us_per_user") {
            us_per_user(server)?;
        }
    }
    Ok(())
}

/// Shows what a plan costs for ten times the users.
fn growth(server: &str) -> Result<()> {
    let (rounds, many, few) = full_or_short((11, 50_000, 5_000), (1, 1_000, 100));
    let (mut growth, mut of_many) = (vec![Vec::new(); NAMES.len()], vec![Vec::new(); NAMES.len()]);
    let costs = |users| measured(COSTS, server, users);
    for round in 0..rounds {
        let (few, many) = if round % 2 == 0 {
            let few = costs(few)?;
            (few, costs(many)?)
        } else {
            let many = costs(many)?;
            (costs(few)?, many)
        };
        for (at, (few, many)) in few.into_iter().zip(many).enumerate() {
            growth[at].push(many / few);
            of_many[at].push(many);
        }
    }
    for (what, (growth, of_many)) in NAMES.iter().zip(growth.into_iter().zip(of_many)) {
        show(&format!("plan.{what}.50k_over_5k.{server}"), median(growth), &GROWTH);
        println!("  50k: {:.2}", median(of_many));
    }
    Ok(())
}

/// Shows the processor time of planning for each user of the server, and over the same comparison by
/// hand.
fn us_per_user(server: &str) -> Result<()> {
    let mut both = Vec::new();
    for (name, rounds, users) in
        [full_or_short(("50k", 11, 50_000), ("50k", 1, 1_000)), full_or_short(("500k", 3, 500_000), ("500k", 1, 5_000))]
    {
        let costs = (0..rounds).map(|_| measured(PLANNING, server, users)).collect::<Result<Vec<_>>>()?;
        let per_user = |at: usize| median(costs.iter().map(|costs| costs[at]).collect()) / f64::from(users);
        let (us, kib, by_hand) = (per_user(0) * 1e3, per_user(1) * 1024.0, per_user(2) * 1e3);
        show(&format!("plan.us_per_user.{name}.{server}"), us, &US_PER_USER);
        println!("  {kib:.2} KiB a user; by hand: {by_hand:.2} µs");
        both.push(us);
        if name == "50k" {
            let ratios = costs.iter().map(|costs| costs[0] / costs[2]).collect();
            show(&format!("plan.over_by_hand.{server}"), median(ratios), &Goal::None);
        }
    }
    if let [few, many] = both[..] {
        show(&format!("plan.us_per_user.500k_over_50k.{server}"), many / few, &Goal::AtMost(1.2));
    }
    Ok(())
}

/// Each measurement has a process of its own: the peak of one would hide that of another, and what
/// one leaves to the allocator would cost the next.
fn measured(what: &str, server: &str, users: u32) -> Result<Vec<f64>> {
    let child = Command::new(env::current_exe()?).args([what, server, &users.to_string()]).output()?;
    if !child.status.success() {
        return Err(format!("a plan for {users} users: {}", String::from_utf8_lossy(&child.stderr)).into());
    }
    String::from_utf8(child.stdout)?.split_whitespace().map(|cost| Ok(cost.parse()?)).collect()
}

/// Prints the milliseconds and the MiB of a plan, and the milliseconds of its print and storage.
fn measure_costs(server: &str, users: u32) -> Result<()> {
    let policy = policy(server, users);
    let held = Current::complete(held(users)?);
    let (time, memory) = planning(&policy, &held, users)?;

    let wanted: Vec<_> = (0..users).map(|number| users::wanted(number, "Roe")).collect();
    let plan = policy.plan(&held, &wanted)?;
    let print = cpu(|| {
        black_box(plan.to_string());
        Ok(())
    })?;
    let store = cpu(|| {
        let stored = serde_json::to_vec(&plan)?;
        black_box(serde_json::from_slice::<Plan>(&stored)?);
        Ok(())
    })?;
    println!("{time} {memory} {} {}", print.as_secs_f64() * 1e3, store.as_secs_f64() * 1e3);
    Ok(())
}

/// Prints the milliseconds and the MiB of a plan, and the milliseconds of the same by hand.
fn measure_planning(server: &str, users: u32) -> Result<()> {
    let (time, memory) = planning(&policy(server, users), &Current::complete(held(users)?), users)?;
    let (held, wanted) = (held(users)?, wanted_of(users, by_hand::wanted));
    let by_hand = cpu(|| {
        black_box(by_hand::sync::changes(&held, &wanted));
        Ok(())
    })?;
    println!("{time} {memory} {}", by_hand.as_secs_f64() * 1e3);
    Ok(())
}

fn policy(server: &str, users: u32) -> Policy {
    let profile = if server == "wats" { Profile::wats() } else { Profile::standard() };
    let users = users as usize;
    let policy = Policy::new(&profile).max_deactivations(users).max_creations(users);
    policy.max_changes(users).max_change_percent(100)
}

/// The milliseconds and the MiB of a plan.
fn planning(policy: &Policy, held: &Current, users: u32) -> Result<(f64, f64)> {
    let wanted = wanted_of(users, users::wanted);
    let before = memory::now_kib();
    let mut plan = None;
    let time = cpu(|| {
        plan = Some(policy.plan(held, &wanted)?);
        Ok(())
    })?;
    let memory =
        memory::peak_kib().zip(before).map_or(f64::NAN, |(peak, before)| f64::from(peak.saturating_sub(before)));
    let steps = plan.ok_or("no plan")?.steps.len();
    let expected = usize::try_from(users / 100 * 4 + 1)?;
    if steps != expected {
        return Err(format!("the plan has {steps} steps, and not {expected}").into());
    }
    Ok((time.as_secs_f64() * 1e3, memory / 1024.0))
}

/// So many users as the server has them, in no order.
fn held<U: DeserializeOwned>(count: u32) -> Result<Vec<U>> {
    let template = users::Users::new();
    let mut text = Vec::new();
    let mut held = Vec::new();
    for at in 0..u64::from(count) {
        text.clear();
        template.put(at * 7_919 % u64::from(count), &mut text);
        held.push(serde_json::from_slice(&text)?);
    }
    Ok(held)
}

/// Of so many users, hundreds of them, one in a hundred has left, two have another name, and one is new. One more is
/// new, because a list of just so many would look like a page.
fn wanted_of<U>(count: u32, wanted: fn(u32, &str) -> U) -> Vec<U> {
    let stayed = (0..count).filter(|number| number % 100 != 7);
    let new = count..=count + count / 100;
    stayed.chain(new).map(|number| wanted(number, if number % 50 == 3 { "Roe" } else { "Doe" })).collect()
}
