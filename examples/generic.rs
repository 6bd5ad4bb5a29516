//! One function for any server, another for any client that a program was built with: generic and boxed code.
//! `cargo run --example generic`

mod support;

use std::error::Error;

use wats_scim::ScimUser;
use wats_scim::blocking::{DynScimService, ScimClient, ScimRepository, ScimService};
use wats_scim::plan::{Leavers, Plan, Policy};
use wats_scim::{Credentials, Profile, ScimConfig};
use wats_scim_sandbox::StandardSandbox;

/// Generic: compiled for each kind of repository. The plan follows from the features of the server.
fn plan<R: ScimRepository>(client: &ScimService<R>, staff: &[ScimUser]) -> Result<Plan, Box<dyn Error>> {
    let policy = Policy::new(client.profile()).leavers(Leavers::Keep);
    Ok(policy.plan(&client.current_users()?, staff)?)
}

/// Boxed: one type for a field, whatever is behind it.
struct Onboarding {
    servers: Vec<DynScimService>,
}

impl Onboarding {
    fn invite(&self, user: &ScimUser) -> Result<(), Box<dyn Error>> {
        for server in &self.servers {
            let created = server.create_user(user)?;
            println!(
                "created {} with the id {}",
                created.user_name.as_deref().unwrap_or_default(),
                created.require_id()?
            );
        }
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let (config, _sandbox) = support::server(2)?;
    let other = StandardSandbox::start()?;
    let wats = ScimClient::with_config(&config)?;
    let standard = ScimConfig::new(other.base_url(), Credentials::bearer(other.token())).profile(Profile::standard());
    let standard = ScimClient::with_config(&standard)?;

    let name = format!("generic-{}@example.com", std::process::id());
    let staff = [ScimUser::new(&name)];
    println!("WATS: {}", plan(&wats, &staff)?);
    println!("the other server: {}", plan(&standard, &staff)?);

    let onboarding = Onboarding { servers: vec![wats.boxed(), standard.boxed()] };
    onboarding.invite(&staff[0])?;
    println!("left to do: {}", plan(&wats, &staff)?.steps.len() + plan(&standard, &staff)?.steps.len());
    Ok(())
}
