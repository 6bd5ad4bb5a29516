//! Matches groups of the source with groups of the server: by `externalId`, or else by `displayName`.

use std::borrow::Cow;
use std::collections::HashMap;

use wats_scim_filter::json::text_key;

use crate::model::{Resource, ScimGroup};
use crate::plan::{CurrentGroup, DesiredGroup};

/// The match of a group of the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::plan) enum GroupPair {
    New,
    /// The group of the server at this index.
    With(usize),
    Conflict(&'static str),
}

/// A name in the form in which names are compared.
pub(in crate::plan) fn group_name(name: Option<&str>) -> Option<Cow<'_, str>> {
    name.map(str::trim).filter(|name| !name.is_empty()).map(text_key)
}

pub(in crate::plan) fn group_pairs(current: &[CurrentGroup], desired: &[DesiredGroup]) -> Vec<GroupPair> {
    let groups = || current.iter().map(CurrentGroup::group).enumerate();
    let held_ids = places(groups().map(|(at, group)| (at, group.external_id())));
    let held_names = places(groups().map(|(at, group)| (at, group_name(group.display_name.as_deref()))));
    let ids = places(desired.iter().map(DesiredGroup::known_external_id).enumerate());
    let names = places(desired.iter().map(|group| group_name(Some(&group.display_name))).enumerate());
    let mut pairs: Vec<GroupPair> = desired
        .iter()
        .map(|group| {
            let id = group.known_external_id();
            let Some(name) = group_name(Some(&group.display_name)) else {
                return GroupPair::Conflict("the group of the source has no displayName");
            };
            if id.and_then(|id| ids.get(id)).is_some_and(|places| places.len() > 1) {
                return GroupPair::Conflict("the source has several groups with its externalId");
            }
            if names.get(&name).is_some_and(|places| places.len() > 1) {
                return GroupPair::Conflict("the source has several groups with its displayName");
            }
            match id.and_then(|id| held_ids.get(id)).map(Vec::as_slice) {
                Some([at]) => return GroupPair::With(*at),
                Some([_, ..]) => return GroupPair::Conflict("the server has several groups with its externalId"),
                _ => {}
            }
            let is_another = |group: &ScimGroup| id.is_some() && group.external_id().is_some();
            match held_names.get(&name).map(Vec::as_slice) {
                None | Some([]) => GroupPair::New,
                Some([at]) if current.get(*at).is_some_and(|held| is_another(held.group())) => GroupPair::Conflict(
                    "the server has a group with this displayName and another externalId; delete or rename that group \
                     first",
                ),
                Some([at]) => GroupPair::With(*at),
                Some(_) => GroupPair::Conflict("the server has several groups with its displayName"),
            }
        })
        .collect();
    refuse_sharing(&mut pairs, current.len());
    pairs
}

/// Two groups of the source, one by its externalId and one by its name, can match the same group.
fn refuse_sharing(pairs: &mut [GroupPair], groups: usize) {
    let mut times = vec![0_usize; groups];
    for pair in &*pairs {
        if let GroupPair::With(at) = pair
            && let Some(times) = times.get_mut(*at)
        {
            *times += 1;
        }
    }
    for pair in pairs {
        if matches!(pair, GroupPair::With(at) if times.get(*at).is_some_and(|times| *times > 1)) {
            *pair = GroupPair::Conflict("the source has another group that matches the same group of the server");
        }
    }
}

fn places<K: std::hash::Hash + Eq>(keys: impl Iterator<Item = (usize, Option<K>)>) -> HashMap<K, Vec<usize>> {
    let mut places: HashMap<K, Vec<usize>> = HashMap::new();
    for (at, key) in keys {
        if let Some(key) = key {
            places.entry(key).or_default().push(at);
        }
    }
    places
}

impl DesiredGroup {
    pub(in crate::plan) fn known_external_id(&self) -> Option<&str> {
        self.external_id.as_deref().filter(|id| !id.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pairs(current: &[[&str; 2]], desired: &[[&str; 2]]) -> Vec<Option<GroupPair>> {
        let current: Vec<_> = current
            .iter()
            .map(|[name, id]| serde_json::from_value(json!({ "displayName": name, "externalId": id })).unwrap())
            .map(CurrentGroup::complete)
            .collect();
        let desired: Vec<_> = desired.iter().map(|[name, id]| DesiredGroup::new(*name).with_external_id(*id)).collect();
        let known = |pair| if matches!(pair, GroupPair::Conflict(_)) { None } else { Some(pair) };
        group_pairs(&current, &desired).into_iter().map(known).collect()
    }

    #[test]
    fn the_external_id_decides_and_then_the_name() {
        let current = [["Testers", "1"], ["Makers", ""], ["Fitters", "3"], ["Makers 2", ""]];
        let desired = [["Makers", "9"], ["Quality", "1"], ["New", "4"], ["FITTERS", ""]];
        let with = |at| Some(GroupPair::With(at));
        assert_eq!(pairs(&current, &desired), [with(1), with(0), Some(GroupPair::New), with(2)]);
    }

    #[test]
    fn what_is_ambiguous_is_a_conflict() {
        assert_eq!(
            pairs(&[], &[["A", "1"], ["B", "1"], ["C", ""], ["c", ""], ["", "5"]]),
            [None, None, None, None, None]
        );
        assert_eq!(pairs(&[["A", "1"], ["B", "1"], ["C", ""], ["c", ""]], &[["X", "1"], ["C", ""]]), [None, None]);
        assert_eq!(pairs(&[["A", "1"]], &[["A", "2"]]), [None], "another externalId");
        assert_eq!(pairs(&[["A", "1"]], &[["A", ""], ["B", "1"]]), [None, None], "both mean it");
    }
}
