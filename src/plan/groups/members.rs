//! Which members the source wants in each group: references resolved, and nested groups kept or flattened.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use crate::model::{Resource, ScimUser};
use crate::plan::groups::matching::{GroupPair, group_name};
use crate::plan::identity::people::{People, Person};
use crate::plan::{CurrentGroup, DesiredGroup, Kind, Reference};

/// The members that the source wants, for each of its groups.
pub(in crate::plan) struct Wanted(Vec<Members>);

/// `None` leaves the members of a group unchanged; the text is why they cannot be known.
type Members = Result<Option<Vec<Reference>>, String>;

impl Wanted {
    pub(in crate::plan) fn of(
        current: &[CurrentGroup],
        desired: &[DesiredGroup],
        pairs: &[GroupPair],
        people: &People<'_>,
        flattens: bool,
    ) -> Self {
        let groups = Groups::of(current, desired, pairs);
        let mut nested = vec![Vec::new(); desired.len()];
        let mut members: Vec<Members> = Vec::with_capacity(desired.len());
        for (group, nested) in desired.iter().zip(&mut nested) {
            let resolved = group.members.as_ref().map(|members| {
                let resolved = members.iter().map(|member| match member.kind {
                    Kind::User => user(people, member),
                    Kind::Group => groups.find(member).map(|(reference, place)| {
                        nested.extend(place);
                        reference
                    }),
                });
                resolved.collect::<Result<Vec<_>, _>>()
            });
            members.push(resolved.transpose());
        }
        let mut wanted = Self(members);
        let order = wanted.order(&nested);
        for group in order {
            if flattens {
                wanted.flatten(group, &groups);
            }
            wanted.deduplicate(group);
        }
        wanted
    }

    /// The members of the group of the source at this place.
    pub(in crate::plan) fn members(&self, group: usize) -> Result<Option<&[Reference]>, String> {
        match self.0.get(group) {
            Some(Ok(members)) => Ok(members.as_deref()),
            Some(Err(reason)) => Err(reason.clone()),
            None => Ok(None),
        }
    }

    /// The groups, each after those that are nested in it. Groups that contain themselves have no members
    /// that could be known.
    fn order(&mut self, nested: &[Vec<usize>]) -> Vec<usize> {
        let mut containers: HashMap<usize, Vec<usize>> = HashMap::new();
        for (group, nested) in nested.iter().enumerate() {
            for inner in nested {
                containers.entry(*inner).or_default().push(group);
            }
        }
        let mut waiting: Vec<usize> = nested.iter().map(Vec::len).collect();
        let mut order: Vec<usize> = (0..nested.len()).filter(|group| waiting.get(*group) == Some(&0)).collect();
        let mut next = 0;
        while let Some(group) = order.get(next).copied() {
            next += 1;
            for container in containers.remove(&group).unwrap_or_default() {
                if let Some(inner) = waiting.get_mut(container) {
                    *inner -= 1;
                    if *inner == 0 {
                        order.push(container);
                    }
                }
            }
        }
        for (members, _) in self.0.iter_mut().zip(waiting).filter(|(_, inner)| *inner > 0) {
            *members = Err("it contains itself, or a group that does".to_owned());
        }
        order
    }

    /// Replaces nested groups by their members.
    fn flatten(&mut self, group: usize, groups: &Groups<'_>) {
        let Some(Ok(Some(members))) = self.0.get_mut(group) else { return };
        let (inner, mut flat): (Vec<_>, Vec<_>) =
            std::mem::take(members).into_iter().partition(|member| member.kind == Kind::Group);
        let mut problem = None;
        for inner in inner {
            let place = groups.place(&inner);
            match place.and_then(|place| self.0.get(place)) {
                Some(Ok(Some(members))) => flat.extend(members.iter().cloned()),
                Some(Err(reason)) => problem = Some(format!("the members of {inner} are not known: {reason}")),
                // The source does not say which members it has, so they stay.
                Some(Ok(None)) | None => {
                    let Some(held) = groups.held(&inner) else { continue };
                    if let Some(why) = held.why_unread().or(held.why_groups_unread()) {
                        problem = Some(format!("the members of {inner} cannot be read: {why}"));
                    } else {
                        flat.extend(held.group().member_ids().map(Reference::id));
                    }
                }
            }
        }
        if let Some(members) = self.0.get_mut(group) {
            *members = problem.map_or(Ok(Some(flat)), Err);
        }
    }

    fn deduplicate(&mut self, group: usize) {
        if let Some(Ok(Some(members))) = self.0.get_mut(group) {
            let mut known = HashSet::new();
            members.retain(|member| known.insert((member.kind, member.id.clone().or_else(|| member.name.clone()))));
        }
    }
}

fn user(people: &People<'_>, member: &Reference) -> Result<Reference, String> {
    let to = |user: &ScimUser, id: Option<&str>| Reference {
        kind: Kind::User,
        id: id.map(ToOwned::to_owned),
        external_id: user.external_id().map(ToOwned::to_owned),
        name: user.user_name.clone(),
    };
    match people.find(member) {
        Some(Person::Held(user)) => match user.id() {
            Some(id) => Ok(to(user, Some(id))),
            None => Err(format!("its member {member} has no id")),
        },
        Some(Person::New(user)) => Ok(to(user, None)),
        Some(Person::InConflict) => Err(format!("its member {member} is in conflict")),
        None => Err(format!("its member {member} is neither in the source nor on the server")),
    }
}

/// The groups that a reference can mean.
struct Groups<'a> {
    current: &'a [CurrentGroup],
    desired: &'a [DesiredGroup],
    pairs: &'a [GroupPair],
    /// The groups of the source, by name and by `externalId`.
    names: HashMap<Cow<'a, str>, usize>,
    external_ids: HashMap<&'a str, usize>,
    held_ids: HashMap<&'a str, usize>,
    held_names: HashMap<Cow<'a, str>, usize>,
    held_external_ids: HashMap<&'a str, usize>,
    /// The groups of the source that groups of the server match.
    meant: HashMap<usize, usize>,
}

impl<'a> Groups<'a> {
    fn of(current: &'a [CurrentGroup], desired: &'a [DesiredGroup], pairs: &'a [GroupPair]) -> Self {
        let with_name = |(at, group): (usize, &'a DesiredGroup)| Some((group_name(Some(&group.display_name))?, at));
        let held = || current.iter().map(CurrentGroup::group).enumerate();
        Self {
            current,
            desired,
            pairs,
            names: desired.iter().enumerate().filter_map(with_name).collect(),
            external_ids: desired
                .iter()
                .enumerate()
                .filter_map(|(at, group)| Some((group.known_external_id()?, at)))
                .collect(),
            held_ids: held().filter_map(|(at, group)| Some((group.id()?, at))).collect(),
            held_names: held().filter_map(|(at, group)| Some((group_name(group.name())?, at))).collect(),
            held_external_ids: held().filter_map(|(at, group)| Some((group.external_id()?, at))).collect(),
            meant: pairs
                .iter()
                .enumerate()
                .filter_map(|(number, pair)| if let GroupPair::With(at) = pair { Some((*at, number)) } else { None })
                .collect(),
        }
    }

    /// The group of the server that a resolved reference means.
    fn held(&self, reference: &Reference) -> Option<&'a CurrentGroup> {
        let at = self.held_ids.get(reference.id.as_deref()?)?;
        self.current.get(*at)
    }

    /// The place in the source of the group that a resolved reference means.
    fn place(&self, reference: &Reference) -> Option<usize> {
        match &reference.id {
            Some(id) => self.meant.get(self.held_ids.get(id.as_str())?).copied(),
            None => self.names.get(&group_name(reference.name.as_deref())?).copied(),
        }
    }

    /// The group that a reference of the source means, with its place in the source.
    fn find(&self, reference: &Reference) -> Result<(Reference, Option<usize>), String> {
        let name = || group_name(reference.name.as_deref());
        let place = match (&reference.id, &reference.external_id) {
            (Some(_), _) => self.place(reference),
            (None, Some(id)) => self.external_ids.get(id.as_str()).copied(),
            (None, None) => name().and_then(|name| self.names.get(&name)).copied(),
        };
        let held = match place.and_then(|place| self.pairs.get(place)) {
            Some(GroupPair::Conflict(_)) => return Err(format!("its member group {reference} is in conflict")),
            Some(GroupPair::New) => None,
            Some(GroupPair::With(at)) => Some(*at),
            None => {
                let held = match (&reference.id, &reference.external_id) {
                    (Some(id), _) => self.held_ids.get(id.as_str()),
                    (None, Some(id)) => self.held_external_ids.get(id.as_str()),
                    (None, None) => name().and_then(|name| self.held_names.get(&name)),
                };
                let missing = || format!("its member group {reference} is neither in the source nor on the server");
                Some(*held.ok_or_else(missing)?)
            }
        };
        let wanted = place.and_then(|place| self.desired.get(place));
        let held = held.and_then(|at| self.current.get(at)).map(CurrentGroup::group);
        let name = wanted.map(|group| group.display_name.clone()).or_else(|| held?.display_name.clone());
        let external_id = wanted.and_then(|group| group.external_id.clone());
        let id = held.and_then(|held| held.id.clone());
        Ok((Reference { kind: Kind::Group, id, external_id, name }, place))
    }
}
