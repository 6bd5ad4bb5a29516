use std::collections::HashMap;
use std::collections::hash_map::Entry;

use wats_scim_filter::json::{same_characters, text_key};

use super::rows::identifier_problems;
use crate::plan::{DesiredGroup, Reference};

/// The groups of a source, collected while it is read.
#[derive(Debug, Default)]
pub(super) struct Groups {
    list: Vec<DesiredGroup>,
    /// The place of each group, by its name in the form in which names are compared.
    places: HashMap<String, Place>,
    /// The line of each `externalId`.
    external_ids: HashMap<String, u64>,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    at: usize,
    /// The first line with the group; `None` if a setting names it.
    line: Option<u64>,
}

impl Groups {
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
            Some(group) => Ok(group),
            None => Err("its group is unknown".to_owned()),
        }
    }

    /// Adds a group of a line, with the problems found so far, unless another one has its identifiers.
    pub(super) fn add(&mut self, line: u64, group: DesiredGroup, problems: &mut Vec<String>) {
        let place = Place { at: self.list.len(), line: Some(line) };
        problems.extend(identifier_problems("displayName", &group.display_name));
        match self.places.entry(text_key(&group.display_name).into_owned()) {
            Entry::Occupied(known) => {
                problems.push(format!("same displayName as line {}", known.get().line.unwrap_or_default()));
            }
            Entry::Vacant(free) => drop(free.insert(place)),
        }
        if let Some(id) = &group.external_id {
            problems.extend(identifier_problems("externalId", id));
            match self.external_ids.entry(id.clone()) {
                Entry::Occupied(first) => problems.push(format!("same externalId as line {}", first.get())),
                Entry::Vacant(free) => drop(free.insert(line)),
            }
        }
        self.list.push(group);
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

    #[test]
    fn a_name_in_another_spelling_is_an_error_that_names_the_first_line() {
        let mut groups = Groups::default();
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
    fn two_whole_groups_with_one_identifier_are_reported() {
        let mut groups = Groups::default();
        let mut problems = |line, group| {
            let mut problems = Vec::new();
            groups.add(line, group, &mut problems);
            problems.join("; ")
        };
        assert_eq!(problems(1, DesiredGroup::new("Testers").with_external_id("7")), "");
        assert_eq!(problems(2, DesiredGroup::new("TESTERS")), "same displayName as line 1");
        assert_eq!(problems(3, DesiredGroup::new("Makers").with_external_id("7")), "same externalId as line 1");
        assert_eq!(problems(4, DesiredGroup::new("")), "displayName is missing");
    }
}
