//! `wats-scim users activate` and `wats-scim users deactivate`

use wats_scim::{ScimUser, ScimWrite};

use super::{ConfirmedArgs, WhoArgs, say_unneeded};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::lookup::resolve;
use crate::many::{AGAIN, Words, name_of, question, write_all};
use crate::who;

pub(super) fn activate(context: &Context, args: &WhoArgs) -> Result<Exit, Failure> {
    set_active(context, args, true, |_| Ok(()))
}

pub(super) fn deactivate(context: &Context, args: &ConfirmedArgs) -> Result<Exit, Failure> {
    set_active(context, &args.who, false, |users| {
        context.confirm(args.yes, users.len(), &question("deactivates", users))
    })
}

fn set_active(
    context: &Context,
    args: &WhoArgs,
    active: bool,
    confirm: impl Fn(&[ScimUser]) -> Result<(), Failure>,
) -> Result<Exit, Failure> {
    let who = who::read(context, &args.who)?;
    let client = context.connect_to_write()?;
    let users: Vec<ScimUser> = resolve(context, &client, &who)?.for_write(context, args.skip_unknown)?;
    let all = users.len();
    let users: Vec<ScimUser> = users.into_iter().filter(|user| user.active != Some(active)).collect();
    let done = if active { "activated" } else { "deactivated" };
    say_unneeded(context, all, users.len(), if active { "active" } else { "inactive" });
    confirm(&users)?;
    let writes = users.iter().map(|user| (name_of(user), ScimWrite::<ScimUser>::set_active(user, active))).collect();
    write_all(context, &client, writes, Words { units: "users", done, again: AGAIN }, |_| Ok(()))
}
