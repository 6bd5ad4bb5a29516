//! The growth of the time and memory of a plan with the number of users, and the time to print and
//! store it.

mod support;

use std::env;
use std::hint::black_box;
use std::process::Command;

use support::cost::cpu;
use support::figures::{Goal, median, show};
use support::{Result, full_or_short, memory, users};
use wats_scim::plan::{CurrentUsers, Plan, Policy};
use wats_scim::{Profile, ScimUser};

const GROWTH: Goal = Goal::AtMost(12.0);
const MEASURE: &str = "measure-plan";

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let [what, server, users] = &arguments[..]
        && what == MEASURE
    {
        return measure(server, users.parse()?);
    }

    let (rounds, many, few) = full_or_short((11, 50_000, 5_000), (1, 1_000, 100));
    for server in ["wats", "standard"] {
        let (mut growth, mut of_many) = (vec![Vec::new(); COSTS.len()], vec![Vec::new(); COSTS.len()]);
        for round in 0..rounds {
            let (few, many) = if round % 2 == 0 {
                let few = costs(server, few)?;
                (few, costs(server, many)?)
            } else {
                let many = costs(server, many)?;
                (costs(server, few)?, many)
            };
            for (at, (few, many)) in few.into_iter().zip(many).enumerate() {
                growth[at].push(many / few);
                of_many[at].push(many);
            }
        }
        for (what, (growth, of_many)) in COSTS.iter().zip(growth.into_iter().zip(of_many)) {
            show(&format!("plan.{what}.50k_over_5k.{server}"), median(growth), &GROWTH);
            println!("  50k: {:.2}", median(of_many));
        }
    }
    Ok(())
}

/// The measured costs, in milliseconds and MiB.
const COSTS: [&str; 4] = ["time", "memory", "print", "store"];

/// Runs a measurement in its own process: the peak of one would hide that of another, and memory
/// kept by the allocator would distort the next.
fn costs(server: &str, users: u32) -> Result<Vec<f64>> {
    let child = Command::new(env::current_exe()?).args([MEASURE, server, &users.to_string()]).output()?;
    if !child.status.success() {
        return Err(format!("a plan for {users} users: {}", String::from_utf8_lossy(&child.stderr)).into());
    }
    String::from_utf8(child.stdout)?.split_whitespace().map(|cost| Ok(cost.parse()?)).collect()
}

fn measure(server: &str, users: u32) -> Result<()> {
    let profile = if server == "wats" { Profile::wats() } else { Profile::standard() };
    let policy = Policy::new(&profile).max_deactivations(1_000);
    let (held, wanted) = (held(users)?, wanted_of(users));
    let before = memory::now_kib();
    let mut plan = None;
    let time = cpu(|| {
        plan = Some(policy.plan(&held, &wanted)?);
        Ok(())
    })?;
    let memory =
        memory::peak_kib().zip(before).map_or(f64::NAN, |(peak, before)| f64::from(peak.saturating_sub(before)));
    let plan = plan.ok_or("no plan")?;
    let expected = usize::try_from(users / 100 * 4 + 1)?;
    if plan.steps.len() != expected {
        return Err(format!("the plan has {} steps, and not {expected}", plan.steps.len()).into());
    }

    let renamed: Vec<_> = (0..users).map(|number| users::wanted(number, "Roe")).collect();
    let plan = policy.plan(&held, &renamed)?;
    let print = cpu(|| {
        black_box(plan.to_string());
        Ok(())
    })?;
    let store = cpu(|| {
        let stored = serde_json::to_vec(&plan)?;
        black_box(serde_json::from_slice::<Plan>(&stored)?);
        Ok(())
    })?;
    println!(
        "{} {} {} {}",
        time.as_secs_f64() * 1e3,
        memory / 1024.0,
        print.as_secs_f64() * 1e3,
        store.as_secs_f64() * 1e3
    );
    Ok(())
}

/// The current users of the server, in no order.
fn held(count: u32) -> Result<CurrentUsers> {
    let template = users::Users::new();
    let mut text = Vec::new();
    let mut held = Vec::new();
    for at in 0..u64::from(count) {
        text.clear();
        template.put(at * 7_919 % u64::from(count), &mut text);
        held.push(serde_json::from_slice(&text)?);
    }
    Ok(CurrentUsers::complete(held))
}

/// The desired users. In each hundred, one is missing, two are renamed and one is new. One more is
/// new, because a list of exactly this length would look like a page.
fn wanted_of(count: u32) -> Vec<ScimUser> {
    let stayed = (0..count).filter(|number| number % 100 != 7);
    let new = count..=count + count / 100;
    stayed.chain(new).map(|number| users::wanted(number, if number % 50 == 3 { "Roe" } else { "Doe" })).collect()
}
