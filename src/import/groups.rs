//! Whole groups of a source.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use wats_scim_filter::json::text_key;

use super::rows::identifier_problems;
use crate::plan::DesiredGroup;

/// The groups of a source, collected while it is read.
#[derive(Debug, Default)]
pub(super) struct Groups {
    list: Vec<DesiredGroup>,
    /// The line of each name, in the form in which names are compared.
    names: HashMap<String, u64>,
    /// The line of each `externalId`.
    external_ids: HashMap<String, u64>,
}

impl Groups {
    /// Adds a group of a line, with the problems found so far, unless another one has its identifiers.
    pub(super) fn add(&mut self, line: u64, mut group: DesiredGroup, problems: &mut Vec<String>) {
        group.put_line(line);
        problems.extend(identifier_problems("displayName", &group.display_name));
        match self.names.entry(text_key(&group.display_name).into_owned()) {
            Entry::Occupied(first) => problems.push(format!("same displayName as line {}", first.get())),
            Entry::Vacant(free) => drop(free.insert(line)),
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

#[cfg(test)]
mod tests {
    use super::*;

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
