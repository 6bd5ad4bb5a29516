//! `wats-scim portal`: web pages that find, edit and deactivate users.

mod change;
mod door;
mod fields;
mod guard;
mod list;
mod page;
mod password;
mod password_file;
mod problem;
mod random;
mod router;
mod searches;
mod serve;
mod sessions;
mod sign_in;
mod site;
#[cfg(test)]
mod tests;
mod throttle;
mod user;

use std::io::{self, Write as _};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use axum::http::HeaderName;
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::time::sleep;

use self::door::Door;
use self::guard::Guard;
use self::password_file::PasswordFile;
use self::router::{Portal, router};
use self::sessions::Sessions;
use self::site::Site;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::interrupt::Interrupt;

/// How long a browser may take to send the head of a request.
const TIME_FOR_HEAD: Duration = Duration::from_secs(10);

/// So many requests to the server are in flight, or passwords are checked.
const IN_FLIGHT: usize = 32;

#[derive(clap::Args, Debug)]
#[command(subcommand_negates_reqs = true, after_help = AFTER)]
#[command(group(clap::ArgGroup::new("door").required(true).args(["user_header", "passwords"])))]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// Listen on this address
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Read the name of the person from this header, which a reverse proxy sets
    #[arg(long, value_name = "NAME")]
    user_header: Option<HeaderName>,
    /// Let people sign in with the passwords in this file [default: portal.passwords beside the
    /// profiles]
    #[arg(long, value_name = "FILE", num_args = 0..=1)]
    #[allow(clippy::option_option, reason = "clap's form of a flag with an optional value")]
    passwords: Option<Option<PathBuf>>,
    /// Be at this URL in browsers, such as `https://people.example.com` [default: http:// and the
    /// address]
    #[arg(long, value_name = "URL", value_parser = Site::parse)]
    public_url: Option<Site>,
    /// Answer this reverse proxy on another machine, too; may be given more than once
    #[arg(long, value_name = "IP")]
    proxy: Vec<IpAddr>,
}

const AFTER: &str = "\
The portal has no TLS: it answers this machine and the proxies that are named. Put a reverse proxy with TLS before \
it. With --user-header, the proxy must set the header itself, whatever a browser sends. Each account on this machine \
can set it, too: use --passwords on a machine that others use.";

#[derive(clap::Subcommand, Debug)]
enum Command {
    /// Add a person to the password file, or change a password
    Password(password::Args),
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    match &args.command {
        Some(Command::Password(password)) => password::run(context, password),
        None => serve(context, args),
    }
}

fn serve(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let door = match &args.user_header {
        Some(name) => Door::Header(name.clone()),
        None => Door::Passwords(Sessions::of(PasswordFile::at(args.passwords.clone().flatten())?)?),
    };
    // A browser cannot use what stands for all addresses, and others than this machine only come through a proxy.
    if !args.listen.ip().is_loopback() && (args.public_url.is_none() || args.proxy.is_empty()) {
        let message = "an address that other machines reach needs --proxy and --public-url: the portal has no TLS";
        return Err(Failure::Usage(message.to_owned()));
    }
    let portal = Portal::new(context.connect_to_write()?, door)?;
    let runtime = Builder::new_current_thread().enable_all().max_blocking_threads(IN_FLIGHT).build();
    let runtime = runtime.map_err(|error| Failure::Other(format!("the portal cannot be started: {error}")))?;
    runtime.block_on(async {
        let unusable = |error: io::Error| Failure::Other(format!("{}: {error}; give another --listen", args.listen));
        let listener = TcpListener::bind(args.listen).await.map_err(unusable)?;
        let site = match &args.public_url {
            Some(site) => site.clone(),
            None => Site::at(listener.local_addr().map_err(unusable)?),
        };
        context.interrupt.listen();
        writeln!(io::stdout(), "{}/", site.origin())?;
        context.say("The portal runs until Ctrl-C.");
        let router = router(portal, Guard::new(site, args.proxy.clone()));
        serve::serve(listener, router, TIME_FOR_HEAD, pressed(context.interrupt.clone())).await;
        Ok(Exit::Done)
    })
}

/// Waits for Ctrl-C.
async fn pressed(interrupt: Interrupt) {
    while !interrupt.is_pressed() {
        sleep(Duration::from_millis(100)).await;
    }
}
