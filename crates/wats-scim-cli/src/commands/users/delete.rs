//! `wats-scim users delete`

use wats_scim::{ScimUser, ScimWrite};

use super::ConfirmedArgs;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::lookup::resolve;
use crate::many::{Words, name_of, question, write_all};
use crate::who;

const WORDS: Words =
    Words { units: "users", done: "deleted", again: "run the same command again with --skip-unknown for the rest" };

pub(super) fn run(context: &Context, args: &ConfirmedArgs) -> Result<Exit, Failure> {
    let who = who::read(context, &args.who.who)?;
    let client = context.connect_to_write()?;
    let users: Vec<ScimUser> = resolve(context, &client, &who)?.for_write(context, args.who.skip_unknown)?;
    context.confirm(args.yes, users.len(), &question("deletes, with their data,", &users))?;
    let writes = users.iter().map(|user| (name_of(user), ScimWrite::<ScimUser>::delete(user))).collect();
    write_all(context, &client, writes, WORDS, |_| Ok(()))
}
