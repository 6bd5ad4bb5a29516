//! Tests of a program that uses the library: against a sandbox, with answers that are lost, and without
//! any server.
//! `cargo test --example testing`

use wats_scim::blocking::{ScimRepository, ScimService};
use wats_scim::{ErrorKind, Result, ScimUser};

/// The program: a user for each address, whether there was one before or not.
fn invite<R: ScimRepository>(client: &ScimService<R>, address: &str) -> Result<ScimUser> {
    match client.create_user(&ScimUser::new(address).with_email(address)) {
        Err(error) if error.kind() == ErrorKind::Conflict => match client.get_user_by_username(address)? {
            Some(user) => Ok(user),
            None => Err(error),
        },
        created => created,
    }
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let sandbox = wats_scim_sandbox::Sandbox::start()?;
    let credentials = wats_scim::Credentials::wats_token(sandbox.token());
    let client = wats_scim::blocking::ScimClient::new(sandbox.base_url(), credentials)?;
    println!("invited {}", invite(&client, "ann@example.com")?.user_name.unwrap_or_default());
    Ok(())
}

#[cfg(test)]
mod tests {
    use wats_scim::blocking::ScimClient;
    use wats_scim::http::{Method, Request, Response};
    use wats_scim::transport::TransportError;
    use wats_scim::{Credentials, RetryPolicy, ScimConfig, WriteOutcome};
    use wats_scim_sandbox::{Fault, FaultProxy, FaultRule, Sandbox};

    use super::*;

    #[test]
    fn who_is_there_is_not_invited_twice() {
        let sandbox = Sandbox::start().unwrap();
        let client = ScimClient::new(sandbox.base_url(), Credentials::wats_token(sandbox.token())).unwrap();
        let first = invite(&client, "ann@example.com").unwrap();
        assert_eq!(invite(&client, "ANN@example.com").unwrap().id, first.id);
        assert_eq!(sandbox.users().len(), 1);
    }

    #[test]
    fn an_answer_that_is_lost_costs_nothing() {
        let sandbox = Sandbox::start().unwrap();
        let lost = FaultRule::new(Fault::ResetAfterApplied).on_method(Method::POST).times(1);
        let proxy = FaultProxy::builder(sandbox.base_url()).with_rule(lost).start().unwrap();
        let client = ScimClient::new(proxy.base_url(), Credentials::wats_token(sandbox.token())).unwrap();
        invite(&client, "ann@example.com").unwrap();
        assert_eq!(sandbox.users().len(), 1);
    }

    #[test]
    fn a_closure_is_a_server() {
        let unplugged = |_: Request<Vec<u8>>| -> std::result::Result<Response<Vec<u8>>, TransportError> {
            Err(TransportError::not_connected("the cable is unplugged"))
        };
        let config = ScimConfig::new("https://acme.wats.com", Credentials::wats_token("dTpw"));
        let client = ScimService::with_http_client(&config.retry(RetryPolicy::none()), unplugged).unwrap();
        let error = invite(&client, "ann@example.com").unwrap_err();
        assert_eq!((error.kind(), error.write_outcome()), (ErrorKind::Connection, Some(WriteOutcome::NotApplied)));
    }
}
