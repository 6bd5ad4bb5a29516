//! An extension of your own on a user, and a device as a resource of your own: `cargo run --example extension`

use std::error::Error;

use http::{Request, Response};
use serde::{Deserialize, Serialize};
use wats_scim::blocking::{ScimClient, ScimService};
use wats_scim::{Credentials, EnterpriseUser, Extension, Profile, Resource, ScimConfig, ScimUser};
use wats_scim_sandbox::Sandbox;

#[derive(Deserialize, Serialize)]
struct Badge {
    number: u32,
}

impl Extension for Badge {
    const SCHEMA: &'static str = "urn:example:2.0:Badge";
}

#[derive(Clone, Deserialize, Serialize)]
struct Device {
    id: Option<String>,
    serial: String,
}

impl Resource for Device {
    const NAME: &'static str = "device";
    const ENDPOINT: &'static str = "Devices";
    const SCHEMA: &'static str = "urn:example:2.0:Device";
    const NAMED_BY: &'static str = "serial";
    fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }
    fn name(&self) -> Option<&str> {
        Some(&self.serial)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let sandbox = Sandbox::start()?;
    let users = ScimClient::new(sandbox.base_url(), Credentials::wats_token(sandbox.token()))?;
    let work = EnterpriseUser { department: Some("Test".into()), ..EnterpriseUser::default() };
    let jane = ScimUser::new("jane@example.com").with_extension(&work)?.with_extension(&Badge { number: 7 })?;
    let jane = users.create_user(&jane)?;
    let work = jane.extension::<EnterpriseUser>()?.unwrap_or_default();
    println!("the server keeps her department: {}", work.department.unwrap_or_default());
    println!("and her badge: {}", jane.extension::<Badge>()?.ok_or("it has no badge")?.number);

    // In place of a server with devices: it has one, whatever it is sent.
    let server = |request: Request<Vec<u8>>| {
        let (one, list) = (r#"{"id":"1","serial":"A1"}"#, r#"{"Resources":[{"id":"1","serial":"A1"}]}"#);
        Ok(Response::new(if request.method() == "POST" { one } else { list }.into()))
    };
    let config = ScimConfig::new("https://scim.example.com", Credentials::bearer("t")).profile(Profile::standard());
    let devices = ScimService::with_http_client(&config, server)?.resources::<Device>();
    devices.create(&Device { id: None, serial: "A1".into() })?;
    println!("created the device A1; found by its serial: {}", devices.get_by_name("A1")?.is_some());
    Ok(())
}
