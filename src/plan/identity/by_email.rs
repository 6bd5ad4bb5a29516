//! Users that the source and the server share by nothing but an email address.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use wats_scim_filter::json::text_key;

use crate::model::ScimUser;
use crate::plan::identity::chains::Claim;
use crate::plan::identity::matching::{Pair, have_other_ids};

/// The new users of the source, each with the only user of the server that has its email address, if that
/// one has no other match, no other `externalId`, and a name that no other user gets. An address that several users of a list share says nothing.
pub(in crate::plan) fn by_email(
    current: &[ScimUser],
    desired: &[ScimUser],
    found: &[Pair],
    claims: &[Claim],
) -> Vec<(usize, usize)> {
    let mut is_free = vec![true; current.len()];
    let holders = claims.iter().map(|claim| claim.holder);
    for at in found.iter().filter_map(|pair| pair.held()).chain(holders) {
        if let Some(is_free) = is_free.get_mut(at) {
            *is_free = false;
        }
    }
    if !is_free.contains(&true) {
        return Vec::new();
    }
    let claiming: HashSet<_> = claims.iter().map(|claim| claim.who).collect();
    let is_new = |who: &usize| found.get(*who) == Some(&Pair::New) && !claiming.contains(who);
    let new: Vec<_> = (0..desired.len()).filter(is_new).collect();
    // How many users of the source have each address of a new one, and which users of the server.
    let mut holders: HashMap<Cow<'_, str>, Holders> = HashMap::new();
    for address in new.iter().filter_map(|who| desired.get(*who)).filter_map(address) {
        holders.insert(address, Holders::default());
    }
    if holders.is_empty() {
        return Vec::new();
    }
    for address in desired.iter().filter_map(address) {
        holders.entry(address).and_modify(|holders| holders.in_source += 1);
    }
    for (at, held) in current.iter().enumerate() {
        if let Some(holders) = address(held).and_then(|address| holders.get_mut(&address)) {
            holders.on_server += 1;
            holders.last = at;
        }
    }
    let only = |who: usize| {
        let user = desired.get(who)?;
        let Holders { in_source: 1, on_server: 1, last: at } = *holders.get(&address(user)?)? else { return None };
        let is_it = is_free.get(at) == Some(&true) && !have_other_ids(current.get(at)?, user);
        is_it.then_some((who, at))
    };
    new.into_iter().filter_map(only).collect()
}

#[derive(Default)]
struct Holders {
    in_source: usize,
    on_server: usize,
    /// The last one on the server.
    last: usize,
}

fn address(user: &ScimUser) -> Option<Cow<'_, str>> {
    user.email().filter(|address| address.contains('@')).map(text_key)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::config::Profile;
    use crate::plan::{Action, ConflictKind, Current, Plan, Policy};

    fn users(users: Value) -> Vec<ScimUser> {
        serde_json::from_value(users).unwrap()
    }

    fn held() -> Value {
        json!([{ "id": "1", "userName": "jdoe", "active": true, "emails": [{ "value": "Jane@x" }] }])
    }

    fn jane() -> Value {
        json!([{ "userName": "jane", "externalId": "7", "emails": [{ "value": "jane@X" }] }])
    }

    fn plan(held: &Value, source: &Value, adopts: bool) -> Plan {
        let policy = Policy::new(&Profile::standard()).adopt_by_email(adopts);
        policy.plan(&Current::complete(users(held.clone())), &users(source.clone())).unwrap()
    }

    #[test]
    fn a_match_by_email_alone_is_proposed_and_never_applied_unasked() {
        let proposed = plan(&held(), &jane(), false);
        assert!(proposed.is_empty(), "{proposed}");
        assert_eq!(proposed.conflicts[0].kind, ConflictKind::SameEmail);
        assert_eq!(proposed.conflicts[0].held.as_ref().unwrap().name.as_deref(), Some("jdoe"));

        let adopted = plan(&held(), &jane(), true);
        assert_eq!((adopted.steps.len(), adopted.steps[0].action), (1, Action::Adopt), "{adopted}");
        let to: Vec<_> = adopted.steps[0].changes.iter().map(|change| (&*change.path, change.to.clone())).collect();
        assert_eq!(to, [("userName", Some("jane".into())), ("externalId", Some("7".into()))]);
    }

    #[test]
    fn an_email_address_of_several_users_is_no_match() {
        let other = json!({ "id": "2", "userName": "joe", "emails": [{ "value": "jane@x" }] });
        let twin = json!({ "userName": "june", "externalId": "8", "emails": [{ "value": "jane@x" }] });
        let both = |one: Value, other: &Value| json!([one[0], other]);
        let numbered = json!([{ "userName": "jdoe", "externalId": "1", "emails": [{ "value": "jane@x" }] }]);
        for (held, source, created) in [
            (both(held(), &other), jane(), 1),
            (held(), both(jane(), &twin), 2),
            (both(numbered, &other), both(jane(), &json!({ "userName": "jdoe", "externalId": "1" })), 1),
        ] {
            for adopts in [false, true] {
                let plan = plan(&held, &source, adopts);
                assert_eq!((plan.count(Action::Create), plan.conflicts.len()), (created, 0), "{plan}");
            }
        }
    }
}
