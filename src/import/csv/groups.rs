//! Groups that rows name.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use wats_scim_filter::json::{same_characters, text_key};

use crate::import::rows::identifier_problems;
use crate::plan::{DesiredGroup, Reference};

/// The groups that rows name, collected while they are read.
#[derive(Debug, Default)]
pub(super) struct NamedGroups {
    list: Vec<DesiredGroup>,
    /// The place of each group, by its name in the form in which names are compared.
    places: HashMap<String, Place>,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    at: usize,
    /// The first line with the group; `None` if a setting names it.
    line: Option<u64>,
}

impl NamedGroups {
    /// The group with this name, which a line or a setting names, for the first time or again.
    pub(super) fn named(&mut self, line: Option<u64>, name: &str) -> Result<&mut DesiredGroup, String> {
        if let Some(problem) = identifier_problems("the name of a group", name).next() {
            return Err(problem);
        }
        let next = Place { at: self.list.len(), line };
        let place = match self.places.entry(text_key(name).into_owned()) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(free) => {
                self.list.push(DesiredGroup::new(name).with_members([]));
                *free.insert(next)
            }
        };
        match self.list.get_mut(place.at) {
            // Otherwise the order of the lines would decide which spelling the server gets.
            Some(group) if !same_characters(&group.display_name, name) => Err(match place.line {
                Some(first) => format!("it spells the name of a group in another way than line {first}"),
                None => "it spells the name of a group in another way than the settings".to_owned(),
            }),
            Some(group) => {
                if let Some(line) = line {
                    group.put_line(line);
                }
                Ok(group)
            }
            None => Err("its group is unknown".to_owned()),
        }
    }

    pub(super) fn finish(self) -> Vec<DesiredGroup> {
        self.list
    }
}

/// Adds a member that a line names, once for the line.
pub(super) fn add_member(group: &mut DesiredGroup, member: Reference) {
    let members = group.members.get_or_insert_default();
    if members.last() != Some(&member) {
        members.push(member);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Origin;

    #[test]
    fn a_name_in_another_spelling_is_an_error_that_names_the_first_line() {
        let mut groups = NamedGroups::default();
        groups.named(None, "Makers").unwrap();
        groups.named(Some(2), "Ju\u{308}rgens Team").unwrap();
        groups.named(Some(3), "J\u{fc}rgens Team").unwrap();
        let error = groups.named(Some(4), "j\u{fc}rgens team").unwrap_err();
        assert_eq!(error, "it spells the name of a group in another way than line 2");
        let error = groups.named(Some(4), "MAKERS").unwrap_err();
        assert_eq!(error, "it spells the name of a group in another way than the settings");
        assert_eq!(groups.finish().len(), 2);
    }

    #[test]
    fn a_group_is_from_the_first_line_that_names_it() {
        let mut groups = NamedGroups::default();
        for (line, name) in
            [(None, "Makers"), (None, "Fitters"), (Some(2), "Testers"), (Some(3), "Makers"), (Some(4), "Makers")]
        {
            groups.named(line, name).unwrap();
        }
        let lines: Vec<_> = groups.finish().into_iter().map(|group| group.origin).collect();
        assert_eq!(lines, [Some(Origin::row(None, 3)), None, Some(Origin::row(None, 2))]);
    }
}
