//! The async client on smol: no tokio, but an `HttpClient` of one's own, here ureq on smol's pool of threads.
//! `cargo run --features async-api --example smol`

mod support;

use std::error::Error;

use http::{Request, Response};
use wats_scim::ScimUser;
use wats_scim::asynchronous::{HttpClient, ScimService};
use wats_scim::blocking::{self, Ureq};
use wats_scim::transport::TransportError;

/// Ureq waits on a thread of smol's, so that no task has to.
struct OnSmol(Ureq);

impl HttpClient for OnSmol {
    async fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, TransportError> {
        let ureq = self.0.clone();
        smol::unblock(move || blocking::HttpClient::send(&ureq, request)).await
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    smol::block_on(async {
        let (config, _sandbox) = support::server(3)?;
        let client = ScimService::with_http_client(&config, OnSmol(Ureq::new(&config)?))?;

        let user_name = format!("smol-{}@example.com", std::process::id());
        let user = client.create_user(&ScimUser::new(&user_name)).await?;
        println!("created {user_name}");

        // Both at once: each waits on a thread of its own.
        let count = async {
            let mut count = 0;
            let mut users = client.iter_users();
            while users.try_next().await?.is_some() {
                count += 1;
            }
            Ok::<_, wats_scim::Error>(count)
        };
        let (count, found) = smol::future::zip(count, client.get_user_by_username(&user_name)).await;
        println!("counted {} users, and found the new one: {}", count?, found?.is_some());

        client.delete_user(&user.id.ok_or("the server gave the user no id")?).await?;
        println!("deleted {user_name}");
        Ok(())
    })
}
