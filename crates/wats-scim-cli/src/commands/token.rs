//! `wats-scim token`: the secret with which Microsoft Entra ID or Okta provisions the users of a WATS server.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;

use wats_scim::ErrorKind;
use wats_scim::blocking::ScimClient;

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::private::NewFile;

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Ask for a token that is valid for N days [default: 90 days, chosen by the server]
    #[arg(long, value_name = "N")]
    days: Option<u32>,
    /// Write the secret to this file, readable by this account only; an existing one is replaced
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Show the secret, on a terminal only
    #[arg(long, conflicts_with = "out")]
    show: bool,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    if args.show && !io::stdout().is_terminal() {
        return Err(Failure::Usage("--show shows the secret on a terminal only; give --out FILE".to_owned()));
    }
    if !args.show && args.out.is_none() {
        return Err(Failure::Usage("give --out FILE for the secret, or --show to see it on the terminal".to_owned()));
    }
    let config = context.with_trail(context.server()?.config()?)?;
    let client = ScimClient::with_config(&config)?;
    // Each call creates a token, so the file comes first.
    let file = args.out.as_deref().map(NewFile::create).transpose()?;
    let token = client.get_token(args.days).map_err(|error| match error.kind() {
        ErrorKind::InvalidInput => Failure::Usage(format!("--days: {error}")),
        _ => error.into(),
    })?;
    let secret = match (file, &args.out) {
        (Some(file), Some(path)) => {
            file.keep(token.token.expose().as_bytes())?;
            format!("in {}", path.display())
        }
        _ => token.token.expose().to_owned(),
    };
    let expires = token.expires.map_or("unknown".to_owned(), |time| time.format("%Y-%m-%d %H:%M UTC").to_string());
    let mut out = io::stdout();
    writeln!(out, "Tenant URL    {}/\nSecret token  {secret}\nExpires       {expires}", config.scim_url()?)?;
    out.flush()?;
    context.say(
        "Paste both into the provisioning settings of the identity provider. Fetch a new token before it expires.",
    );
    Ok(Exit::Done)
}
