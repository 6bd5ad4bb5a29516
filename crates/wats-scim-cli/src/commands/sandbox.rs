//! `wats-scim sandbox`: a server to try the commands on.

use std::io::{self, Write as _};

use wats_scim_sandbox::{Sandbox, StandardSandbox};

use crate::context::Context;
use crate::failure::{Exit, Failure};

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// A server that follows RFC 7643 and 7644, with groups, instead of one like WATS
    #[arg(long)]
    standard: bool,
    /// How many users it begins with
    #[arg(long, value_name = "N", default_value_t = 25)]
    users: usize,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let start = |error| Failure::Other(format!("the server cannot be started: {error}"));
    context.interrupt.listen();
    if args.standard {
        let server = StandardSandbox::builder().users(args.users).start().map_err(start)?;
        print(server.scim_url(), server.token(), "SCIM_URL", "SCIM_TOKEN")?;
        wait(context);
    } else {
        let server = Sandbox::builder().users(args.users).start().map_err(start)?;
        print(server.base_url(), server.token(), "WATS_BASE_URL", "WATS_TOKEN")?;
        wait(context);
    }
    Ok(Exit::Done)
}

fn print(url: &str, token: &str, url_name: &str, token_name: &str) -> Result<(), Failure> {
    let mut out = io::stdout();
    writeln!(out, "export {url_name}={url}\nexport {token_name}={token}")?;
    Ok(out.flush()?)
}

/// Serves until Ctrl-C.
fn wait(context: &Context) {
    context.say("The server runs until Ctrl-C. Paste the two lines above into another terminal.");
    while !context.interrupt.is_pressed() {
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}
