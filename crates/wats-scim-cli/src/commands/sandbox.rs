//! `wats-scim sandbox`: a server to try the commands on.

use std::io::{self, Write as _};

use clap::ValueEnum;
use wats_scim_sandbox::{Sandbox, StandardSandbox};

use crate::context::Context;
use crate::failure::{Exit, Failure};

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Run a server with groups that follows RFC 7643 and 7644, instead of one like WATS
    #[arg(long)]
    standard: bool,
    /// Begin with N users
    #[arg(long, value_name = "N", default_value_t = 25)]
    users: usize,
    /// Listen on this port of this machine [default: a free one]
    #[arg(long, value_name = "P", default_value_t = 0, hide_default_value = true)]
    port: u16,
    /// Print the two lines for this shell
    #[arg(long, value_enum, value_name = "SHELL", default_value_t = if cfg!(windows) { Shell::Powershell } else { Shell::Sh })]
    shell: Shell,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Shell {
    /// sh, bash, zsh
    Sh,
    /// `PowerShell`
    Powershell,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let start = |error: io::Error| match error.kind() {
        io::ErrorKind::AddrInUse => Failure::Other(format!("the port {} is taken; give another --port", args.port)),
        _ => Failure::Other(format!("the server cannot be started: {error}")),
    };
    context.interrupt.listen();
    if args.standard {
        let server = StandardSandbox::builder().users(args.users).port(args.port).record_requests(false);
        let server = server.start().map_err(start)?;
        print(args.shell, [("SCIM_URL", server.scim_url()), ("SCIM_TOKEN", server.token())])?;
        wait(context);
    } else {
        let server = Sandbox::builder().users(args.users).port(args.port).record_requests(false);
        let server = server.start().map_err(start)?;
        print(args.shell, [("WATS_BASE_URL", server.base_url()), ("WATS_TOKEN", server.token())])?;
        wait(context);
    }
    Ok(Exit::Done)
}

/// The values need no quotes in a shell, apart from those that `PowerShell` requires.
fn print(shell: Shell, variables: [(&str, &str); 2]) -> Result<(), Failure> {
    let mut out = io::stdout();
    for (name, value) in variables {
        match shell {
            Shell::Sh => writeln!(out, "export {name}={value}")?,
            Shell::Powershell => writeln!(out, "$env:{name} = '{value}'")?,
        }
    }
    Ok(out.flush()?)
}

/// Serves until Ctrl-C, or until the service manager ends it.
fn wait(context: &Context) {
    context.say("The server runs until Ctrl-C. Paste the two lines above into the terminal that you work in.");
    while !context.interrupt.is_pressed() {
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}
