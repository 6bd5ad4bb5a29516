//! The server that the examples talk to.

use std::env;
use std::error::Error;

use wats_scim::{Credentials, ScimConfig};
use wats_scim_sandbox::Sandbox;

/// The server of `WATS_BASE_URL` and `WATS_TOKEN`, or a sandbox with some users if neither is set.
///
/// The sandbox is there until it is dropped.
pub(crate) fn server(users: usize) -> Result<(ScimConfig, Option<Sandbox>), Box<dyn Error>> {
    if ["WATS_BASE_URL", "WATS_TOKEN"].iter().any(|name| env::var_os(name).is_some()) {
        return Ok((ScimConfig::from_env()?, None));
    }
    let sandbox = Sandbox::builder().users(users).start()?;
    let config = ScimConfig::new(sandbox.base_url(), Credentials::wats_token(sandbox.token()));
    Ok((config, Some(sandbox)))
}
