//! What of a user is shown, and what can be edited.

use std::collections::HashMap;

use wats_scim::{Profile, ScimUser};

use super::user::{Shown, Status};
use crate::column_names::OF_USERS;
use crate::columns::Columns;
use crate::failure::Failure;

/// The columns that can be edited, with their labels. WATS changes few, and clears none.
const OF_WATS: &[(&str, &str)] =
    &[("givenName", "Given name"), ("familyName", "Family name"), ("fullName", "Full name"), ("email", "Email")];
const OF_STANDARD: &[(&str, &str)] = &[
    ("givenName", "Given name"),
    ("familyName", "Family name"),
    ("displayName", "Display name"),
    ("title", "Job title"),
    ("email", "Email"),
];

pub(super) struct Fields {
    editable: &'static [(&'static str, &'static str)],
    can_clear: bool,
    columns: Columns,
}

/// A field of the form.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) value: String,
    /// The value on the server when the form was made.
    pub(super) shown: String,
    pub(super) problem: Option<String>,
}

/// What a form asks for.
#[derive(Debug)]
pub(super) struct Edited {
    pub(super) fields: Vec<Field>,
    pub(super) user: ScimUser,
    /// Whether another person changed a field meanwhile.
    pub(super) is_conflict: bool,
}

impl Fields {
    pub(super) fn of(profile: &Profile) -> Result<Self, Failure> {
        let editable = if profile.is_wats() { OF_WATS } else { OF_STANDARD };
        let names: Vec<String> = editable.iter().map(|(name, _)| (*name).to_owned()).collect();
        Ok(Self { editable, can_clear: !profile.is_wats(), columns: Columns::new(&names, OF_USERS)? })
    }

    pub(super) fn is_of_wats(&self) -> bool {
        !self.can_clear
    }

    /// What is shown of a user in lists.
    pub(super) fn shown(&self, user: &ScimUser) -> Shown {
        let cell = self.columns.of(user);
        let user_name = user.user_name.clone().unwrap_or_default();
        let name = format!("{} {}", cell("givenName"), cell("familyName"));
        let names = [user.display_name.as_deref().unwrap_or_default(), &cell("fullName"), &name, &user_name];
        Shown {
            id: user.id.clone().unwrap_or_default(),
            title: names.iter().map(|name| name.trim()).find(|name| !name.is_empty()).unwrap_or("?").to_owned(),
            email: cell("email"),
            status: Status::of(user.active),
            user_name,
        }
    }

    /// The form for a user.
    pub(super) fn form(&self, user: &ScimUser) -> Vec<Field> {
        self.edit(user, &HashMap::new()).fields
    }

    /// Changes only the fields that were edited, so that what others changed meanwhile is kept.
    pub(super) fn edit(&self, user: &ScimUser, form: &HashMap<String, String>) -> Edited {
        let cell = self.columns.of(user);
        let mut edited = Edited { fields: Vec::new(), user: user.clone(), is_conflict: false };
        for &(name, label) in self.editable {
            let current = cell(name);
            let shown = form.get(&format!("shown {name}")).unwrap_or(&current);
            let wanted = form.get(name).filter(|wanted| *wanted != shown).map_or(&*current, |wanted| wanted.trim());
            let problem = if wanted == current {
                None
            } else if *shown != current {
                edited.is_conflict = true;
                Some(format!("Meanwhile this was changed to “{current}”. Save again to replace that."))
            } else if wanted.is_empty() && !self.can_clear {
                Some(format!("{label} cannot be empty."))
            } else {
                let set = edited.user.set_text(name, wanted);
                set.err().map(|_| format!("This cannot be the value of {label}."))
            };
            edited.fields.push(Field { name, label, value: wanted.to_owned(), shown: current.clone(), problem });
        }
        edited
    }
}

impl Edited {
    pub(super) fn has_problems(&self) -> bool {
        self.fields.iter().any(|field| field.problem.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(profile: &Profile, form: &[(&str, &str)]) -> Edited {
        let user = ScimUser::new("jane").with_name(wats_scim::ScimUserName::new("Jane", "Doe"));
        let form = form.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Fields::of(profile).unwrap().edit(&user, &form)
    }

    fn family_name(edited: &Edited) -> Option<&str> {
        edited.user.name.as_ref().and_then(|name| name.family_name.as_deref())
    }

    #[test]
    fn only_what_was_edited_changes() {
        let edited = edit(&Profile::standard(), &[("familyName", " Roe "), ("shown familyName", "Doe")]);
        assert!(!edited.has_problems());
        assert_eq!(family_name(&edited), Some("Roe"));
        // From an older page, on which neither was edited.
        let old = [("familyName", "Old"), ("shown familyName", "Old"), ("title", ""), ("shown title", "")];
        assert_eq!(edit(&Profile::standard(), &old).user, edit(&Profile::standard(), &[]).user);
    }

    #[test]
    fn what_another_person_changed_meanwhile_is_not_replaced_at_once() {
        let edited = edit(&Profile::standard(), &[("familyName", "Roe"), ("shown familyName", "Old")]);
        assert!(edited.is_conflict && edited.has_problems());
        assert_eq!(family_name(&edited), Some("Doe"));
        let field = edited.fields.iter().find(|field| field.name == "familyName").unwrap();
        assert_eq!((field.value.as_str(), field.shown.as_str()), ("Roe", "Doe"), "saved by the next attempt");
    }

    #[test]
    fn a_standard_server_clears_a_value_and_wats_does_not() {
        let cleared = [("familyName", " "), ("shown familyName", "Doe")];
        let edited = edit(&Profile::standard(), &cleared);
        assert_eq!((family_name(&edited), edited.has_problems()), (None, false));
        assert!(edit(&Profile::wats(), &cleared).has_problems());
    }
}
