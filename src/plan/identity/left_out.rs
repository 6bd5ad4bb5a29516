//! Users whose row of the source is bad: nothing is done with them, since what the source wants is not known.

use std::collections::HashSet;

use wats_scim_filter::json::text_key;

use crate::model::{Resource, ScimUser};
use crate::plan::identity::matching::name_of;
use crate::plan::{Conflict, ConflictKind, LeftOut};

/// The users of the rows that were left out.
pub(in crate::plan) struct Unsaid {
    names: HashSet<String>,
    external_ids: HashSet<String>,
    /// Of a row, it is not known whose it is.
    has_unknown: bool,
    is_empty: bool,
}

impl Unsaid {
    pub(in crate::plan) fn of(rows: &[LeftOut]) -> Self {
        let names = rows.iter().filter_map(|row| row.user_name.as_deref()).map(|name| text_key(name).into_owned());
        Self {
            names: names.collect(),
            external_ids: rows.iter().filter_map(|row| row.external_id.clone()).collect(),
            has_unknown: rows.iter().any(|row| row.user_name.is_none() && row.external_id.is_none()),
            is_empty: rows.is_empty(),
        }
    }

    /// Whether no row was left out.
    pub(in crate::plan) fn is_empty(&self) -> bool {
        self.is_empty
    }

    /// Whether any user of the server can be the one of a row.
    pub(in crate::plan) fn can_be_any(&self) -> bool {
        self.has_unknown
    }

    /// Whether a user of the server is the one of a row.
    pub(in crate::plan) fn has(&self, user: &ScimUser) -> bool {
        name_of(user).is_some_and(|name| self.names.contains(&*name))
            || user.external_id().is_some_and(|id| self.external_ids.contains(id))
    }
}

/// What a plan says about the rows.
pub(in crate::plan) fn conflicts(rows: &[LeftOut]) -> impl Iterator<Item = Conflict> {
    rows.iter().map(|row| {
        let who = row.user_name.clone().or_else(|| row.external_id.clone());
        let effect =
            if who.is_some() { "its user is left unchanged" } else { "no user counts as missing from the source" };
        let reason = format!("line {} of the source was left out, so {effect}: {}", row.line, row.reason);
        Conflict::new(ConflictKind::BadRow, &who.unwrap_or_else(|| format!("line {}", row.line)), &reason)
    })
}

#[cfg(all(test, feature = "csv"))]
mod tests {
    use crate::model::ScimUser;
    use crate::plan::{Action, ConflictKind, Current, CurrentGroup, Policy};

    #[test]
    fn the_user_of_a_row_that_is_left_out_is_never_a_leaver() {
        let user = |name: &str| {
            let user =
                serde_json::json!({ "id": name, "userName": name, "externalId": format!("x{name}"), "active": true });
            serde_json::from_value::<ScimUser>(user).unwrap()
        };
        let group = serde_json::json!({ "id": "g", "displayName": "G", "members": [{ "value": "ann" }, { "value": "bob" }, { "value": "eve" }] });
        let groups = vec![CurrentGroup::complete(serde_json::from_value(group).unwrap())];
        let users = ["ann", "bob", "cy", "dee", "eve"].map(user).to_vec();
        let current = Current::complete(users).with_groups(groups);
        let plan = |rows: &str| {
            let file = format!("userName,externalId,active,groups\nann,xann,yes,G\n{rows}");
            let error = crate::import::UserCsv::new().read_directory(file.as_bytes()).unwrap_err();
            let desired = error.without_bad_rows().unwrap();
            Policy::default().plan(&current, &desired).unwrap()
        };
        let leavers = |plan: &crate::plan::Plan| -> Vec<String> {
            plan.steps.iter().filter(|step| step.action == Action::Deactivate).map(|step| step.name.clone()).collect()
        };
        // Bob's row is bad, and Cy has two.
        let named = plan("bob,xbob,perhaps,G\ncy,xcy,yes,\nCY,7,yes,\n");
        assert_eq!(leavers(&named), ["dee", "eve"], "{named}");
        let rows: Vec<_> = named.conflicts.iter().map(|it| (it.kind, it.user.as_str())).collect();
        assert_eq!(rows, [(ConflictKind::BadRow, "bob"), (ConflictKind::BadRow, "cy"), (ConflictKind::BadRow, "CY")]);
        let removed: Vec<_> = named.steps.iter().filter(|step| step.action == Action::RemoveMembers).collect();
        assert_eq!(removed.iter().flat_map(|step| &step.members).map(ToString::to_string).collect::<Vec<_>>(), ["eve"]);

        let unnamed = plan("bob,xbob\n");
        assert!(unnamed.is_empty(), "{unnamed}");
        assert!(unnamed.conflicts[0].reason.contains("no user counts as missing"), "{unnamed}");
    }
}
