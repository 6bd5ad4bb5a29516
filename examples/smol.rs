//! The async client on smol, without tokio: ureq waits on a few threads of its own, so that no task has to.
//! `cargo run --features async-api --example smol`

mod support;

use std::error::Error;

use wats_scim::ScimUser;
use wats_scim::asynchronous::{OnThreads, ScimService};
use wats_scim::blocking::Ureq;

fn main() -> Result<(), Box<dyn Error>> {
    smol::block_on(async {
        let (config, _sandbox) = support::server(3)?;
        let client = ScimService::with_http_client(&config, OnThreads::new(Ureq::new(&config)?))?;

        let user_name = format!("smol-{}@example.com", std::process::id());
        let user = client.create_user(&ScimUser::new(&user_name)).await?;
        println!("created {user_name}");

        // Both at once.
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

        client.delete_user(&user).await?;
        println!("deleted {user_name}");
        Ok(())
    })
}
