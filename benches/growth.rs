//! The cost of ten times as much in one place, relative to that of as much: what a server or a file can
//! send must not cost the square of its size.

mod support;

use std::hint::black_box;
use std::time::Duration;

use http::{Request, Response};
use serde_json::{Value, json};
use support::cost::{cpu, ratio};
use support::figures::{Goal, show};
use support::{Result, full_or_short};
use wats_scim::blocking::ScimService;
use wats_scim::import::UserCsv;
use wats_scim::plan::{Current, Policy};
use wats_scim::transport::TransportError;
use wats_scim::{Credentials, Profile, ScimConfig, ScimUser, ScimWrite};

/// 10 is linear.
const GOAL: Goal = Goal::AtMost(12.0);

fn main() -> Result<()> {
    growth("growth.attributes", 500, attributes)?;
    growth("growth.emails", 200, emails)?;
    growth("growth.csv_columns", 200, csv_columns)?;
    growth("growth.bulk_results", 200, bulk_results)
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
