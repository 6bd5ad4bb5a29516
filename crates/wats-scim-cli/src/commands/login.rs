//! `wats-scim login`: a profile is kept when a user was read with it.

use wats_scim::blocking::ScimClient;
use wats_scim::http::Uri;
use wats_scim::{ListQuery, RetryPolicy};

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::profiles::{self, Profiles, Saved};
use crate::secrets::{self, Key};
use crate::server::environment::{self, Named};
use crate::server::{self, Kind, Login, NamedBy, Server, is_same_url};
use crate::terminal;

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The name of the profile [default: the first word of the host]
    name: Option<String>,
    /// Log in with a user name and a password instead of a token
    #[arg(long, value_name = "USER")]
    user: Option<String>,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let given = &context.global.server;
    let profiles = Profiles::read()?;
    let wanted = match (&args.name, &given.profile) {
        (Some(name), Some(other)) if name != other => {
            return Err(Failure::Usage("NAME and --profile name two profiles; give one of them".to_owned()));
        }
        (name, other) => name.as_deref().or(other.as_deref()),
    };
    wanted.map_or(Ok(()), profiles::check_name)?;
    let before = wanted.and_then(|name| profiles.saved.get(name));
    let (url, kind) = url(context, before)?;
    // Before the URL is shown: it may contain a password.
    let is_wats = server::is_wats(&url, given.kind.or(kind))?;
    let kind = Some(if is_wats { Kind::Wats } else { Kind::Standard });
    let name = wanted.map_or_else(|| free_name(&profiles, &url), |name| Ok(name.to_owned()))?;
    // What is not given is as it was, for the same server only.
    let before = profiles.saved.get(&name).filter(|saved| is_same_url(&saved.url, &url));
    let user = args.user.as_deref().or(before.and_then(|saved| saved.user.as_deref()));
    let ca = match &given.ca {
        Some(path) => Some(std::path::absolute(path).map_err(|error| Failure::file(path, error))?),
        None => before.and_then(|saved| saved.ca.clone()),
    };
    let login = login(context, &url, kind, user)?;
    let named_by = NamedBy::Profile(name.clone());
    let server = Server { url, kind, login, named_by, ca, measured: None, timeout: given.timeout };
    let found = check(&server)?;
    keep(context, &name, &server)?;
    context.say(format!("{found}\nIt is kept as the profile {name}, which is the current one now."));
    if environment::named()?.is_some() {
        context
            .say(format!("The environment names a server, too, and comes first: unset it, or give --profile {name}."));
    }
    Ok(Exit::Done)
}

/// The URL, and the kind of server if what names the URL says it.
fn url(context: &Context, before: Option<&Saved>) -> Result<(String, Option<Kind>), Failure> {
    let (url, kind) = match (&context.global.server.url, before, environment::named()?) {
        (Some(url), ..) => (url.clone(), None),
        (None, Some(saved), _) => (saved.url.clone(), saved.kind),
        (None, None, Some(Named::Server(url, variables))) => (url, Some(variables.kind)),
        (None, None, _) if terminal::can_ask() => {
            (terminal::ask("URL of the server, such as https://acme.wats.com")?, None)
        }
        (None, None, _) => return Err(Failure::Usage("there is no terminal to ask on; give --url".to_owned())),
    };
    Ok((url.trim().trim_end_matches('/').to_owned(), kind))
}

/// The name of the profile of this URL, or a new name: the first word of the host, or else the host.
fn free_name(profiles: &Profiles, url: &str) -> Result<String, Failure> {
    if let Some((name, _)) = profiles.saved.iter().find(|(_, saved)| is_same_url(&saved.url, url)) {
        return Ok(name.clone());
    }
    let uri: Option<Uri> = url.parse().ok();
    let host = uri.as_ref().and_then(Uri::host).unwrap_or_default();
    let first = host.split('.').next().filter(|word| word.parse::<u8>().is_err()).unwrap_or(host);
    let is_free = |name: &&str| profiles::check_name(name).is_ok() && !profiles.saved.contains_key(*name);
    let taken = || Failure::Usage("give the profile a name: `wats-scim login NAME`".to_owned());
    [first, host].into_iter().find(is_free).map(str::to_owned).ok_or_else(taken)
}

fn login(context: &Context, url: &str, kind: Option<Kind>, user: Option<&str>) -> Result<Login, Failure> {
    if let Some(secret) = context.global.server.given_secret()? {
        return Ok(Login::new(user, secret));
    }
    let known = environment::login_for(url, kind)?;
    if let Some(login) = known.filter(|login| user.is_none() || login.user() == user) {
        return Ok(login);
    }
    if !terminal::can_ask() {
        return Err(Failure::Usage(
            "there is no terminal to ask on; give --token-file or --token-stdin, or set WATS_TOKEN or SCIM_TOKEN"
                .to_owned(),
        ));
    }
    let prompt = user.map_or_else(|| format!("Token for {url}"), |user| format!("Password of {user} for {url}"));
    Ok(Login::new(user, terminal::ask_secret(&prompt)?))
}

/// Reads one user, and says what the server is.
fn check(server: &Server) -> Result<String, Failure> {
    let config = server.config()?.retry(RetryPolicy::none());
    let client = ScimClient::with_config(&config)?.discover()?;
    let page = client.get_users(&ListQuery::new().count(1))?;
    let kind = if client.profile().is_wats() { "WATS" } else { "standard SCIM" };
    let users = page.total_results.map(|total| format!(" with {total} users")).unwrap_or_default();
    let groups = if client.profile().offers("Groups") { "" } else { ", without groups" };
    Ok(format!("{} is a {kind} server{users}{groups}.", server.url))
}

fn keep(context: &Context, name: &str, server: &Server) -> Result<(), Failure> {
    Profiles::change(|profiles| {
        let key = Key { profile: name, url: &server.url };
        let secret = secrets::keep(context, key, server.login.secret())?;
        let user = server.login.user().map(str::to_owned);
        let Server { url, kind, ca, .. } = server.clone();
        let is_same = |saved: &&Saved| is_same_url(&saved.url, &url) && saved.kind == kind;
        let measured = profiles.saved.get(name).filter(is_same).and_then(|saved| saved.measured.clone());
        let saved = Saved { url, kind, user, ca, secret, measured };
        let before = profiles.saved.insert(name.to_owned(), saved);
        profiles.current = Some(name.to_owned());
        // The file has one secret for a name; it is replaced already.
        if let Some(before) = before.filter(|before| before.secret != secret || before.url != server.url)
            && let Err(failure) = secrets::forget(before.secret, Key { profile: name, url: &before.url })
        {
            context.say(format!("The secret that the profile had before is not removed: {failure}"));
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::Store;

    #[test]
    fn a_profile_is_named_after_its_host() {
        let mut profiles = Profiles::default();
        for (url, name) in [
            ("https://acme.wats.com", "acme"),
            ("https://acme.example.com/scim", "acme.example.com"),
            ("http://127.0.0.1:8080", "127.0.0.1"),
            ("http://localhost:1/scim/v2", "localhost"),
        ] {
            assert_eq!(free_name(&profiles, url).unwrap(), name);
            let saved =
                Saved { url: url.to_owned(), kind: None, user: None, ca: None, secret: Store::File, measured: None };
            profiles.saved.insert(name.to_owned(), saved);
            assert_eq!(free_name(&profiles, url).unwrap(), name, "the same server has the same name");
        }
        assert!(free_name(&profiles, "https://acme.example.com/other").is_err());
        assert!(free_name(&profiles, "http://[::1]:80").is_err());
    }
}
