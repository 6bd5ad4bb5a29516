//! Identifiers that users of the source share with each other and with users of the server.

use std::borrow::Cow;
use std::hash::BuildHasher;

use crate::model::{Resource, ScimUser};
use crate::plan::identity::matching::name_of;

/// Which users share the identifier of a user of the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::plan) enum Shared {
    /// None, or the user has no such identifier.
    Nowhere,
    /// One user of the server, at this index.
    With(usize),
    /// Several users of the server.
    WithSeveral,
    /// Other users of the source.
    InSource,
}

/// Finds the users that share the `externalId` and the `userName` of each user of the source.
pub(in crate::plan) fn shared<'a, H: BuildHasher>(
    current: &'a [ScimUser],
    desired: &'a [ScimUser],
    hasher: &H,
) -> impl Iterator<Item = (Shared, Shared)> + use<'a, H> {
    let ids = by_hash(current, desired, external_id_of, hasher);
    let names = by_hash(current, desired, name_of, hasher);
    desired.iter().zip(ids).zip(names).map(|((user, id), name)| {
        // Both checks read the same user of the server, while it is in the cache.
        (id.checked(current, user, external_id_of), name.checked(current, user, name_of))
    })
}

fn external_id_of(user: &ScimUser) -> Option<Cow<'_, str>> {
    user.external_id().map(Cow::Borrowed)
}

type Identifier = for<'a> fn(&'a ScimUser) -> Option<Cow<'a, str>>;

impl Shared {
    /// Corrects a match with one user of the server that shares only the hash.
    fn checked(self, current: &[ScimUser], user: &ScimUser, identifier: Identifier) -> Self {
        match self {
            Self::With(at) if current.get(at).and_then(identifier) != identifier(user) => Self::Nowhere,
            shared => shared,
        }
    }
}

/// Finds the users that share an identifier of each user of the source. [`With`](Shared::With) has
/// to be checked, since two identifiers can have the same hash.
///
/// The hashes are sorted, in 8 bytes per user. A hash table would take four times as much memory, and
/// filling it would miss the cache for each user of a large directory.
fn by_hash(
    current: &[ScimUser],
    desired: &[ScimUser],
    identifier: Identifier,
    hasher: &impl BuildHasher,
) -> Vec<Shared> {
    let users = current.len().saturating_add(desired.len());
    // The low bits of a hash are replaced by the index of the user. The indexes of the source follow
    // those of the server.
    let of_hash = u64::MAX.checked_shl(usize::BITS - users.leading_zeros()).unwrap_or(0);
    let place = |hash: u64| usize::try_from(hash & !of_hash).unwrap_or(usize::MAX);
    let in_source = |hash: u64| place(hash).checked_sub(current.len());
    let identifier_at = |hash: u64| {
        let user = in_source(hash).map_or_else(|| current.get(place(hash)), |place| desired.get(place));
        user.and_then(identifier)
    };

    let mut sorted = Vec::with_capacity(users);
    for (place, user) in (0_u64..).zip(current.iter().chain(desired)) {
        sorted.extend(identifier(user).map(|identifier| (hasher.hash_one(&*identifier) & of_hash) | place));
    }
    sorted.sort_unstable();

    let mut shared = vec![Shared::Nowhere; desired.len()];
    let mut found = |hash: u64, with: Shared| {
        if let Some(shared) = in_source(hash).and_then(|place| shared.get_mut(place)) {
            *shared = with;
        }
    };
    for same_hash in sorted.chunk_by_mut(|a, b| a & of_hash == b & of_hash) {
        match same_hash {
            [_] => {}
            // The common case.
            [held, wanted] if in_source(*held).is_none() => found(*wanted, Shared::With(place(*held))),
            _ => {
                same_hash.sort_by(|a, b| identifier_at(*a).cmp(&identifier_at(*b)));
                for same in same_hash.chunk_by(|a, b| identifier_at(*a) == identifier_at(*b)) {
                    let (held, wanted) = same.split_at(same.partition_point(|hash| in_source(*hash).is_none()));
                    let with = match held {
                        _ if wanted.len() > 1 => Shared::InSource,
                        [] => Shared::Nowhere,
                        [held] => Shared::With(place(*held)),
                        _ => Shared::WithSeveral,
                    };
                    for hash in wanted {
                        found(*hash, with);
                    }
                }
            }
        }
    }
    shared
}

#[cfg(test)]
mod tests {
    use std::hash::{Hasher, RandomState};

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// Gives everything the same hash.
    struct Collide;

    impl BuildHasher for Collide {
        type Hasher = Constant;

        fn build_hasher(&self) -> Constant {
            Constant
        }
    }

    struct Constant;

    impl Hasher for Constant {
        fn write(&mut self, _: &[u8]) {}

        fn finish(&self) -> u64 {
            u64::MAX
        }
    }

    fn users() -> impl Strategy<Value = Vec<ScimUser>> {
        let user = |(name, id): (String, String)| json!({ "userName": name, "externalId": id });
        let user = ("[aA]?[bB]?([cé]|e\u{301}|ｃ)?", "[12]{0,2}")
            .prop_map(move |of| serde_json::from_value(user(of)).unwrap());
        prop::collection::vec(user, 0..8)
    }

    /// By comparing each with each.
    fn shared_with(current: &[ScimUser], desired: &[ScimUser], user: &ScimUser, identifier: Identifier) -> Shared {
        let of = identifier(user);
        let places = |users: &[ScimUser]| -> Vec<usize> {
            let is_same = |user: &ScimUser| of.is_some() && identifier(user) == of;
            users.iter().enumerate().filter_map(|(at, user)| is_same(user).then_some(at)).collect()
        };
        match places(current)[..] {
            _ if places(desired).len() > 1 => Shared::InSource,
            [] => Shared::Nowhere,
            [at] => Shared::With(at),
            _ => Shared::WithSeveral,
        }
    }

    proptest! {
        #[test]
        fn users_are_found_whatever_their_hashes((current, desired) in (users(), users())) {
            let of = |identifier: Identifier| {
                let (current, desired) = (&current, &desired);
                desired.iter().map(move |user| shared_with(current, desired, user, identifier))
            };
            let expected: Vec<_> = of(external_id_of).zip(of(name_of)).collect();
            prop_assert_eq!(shared(&current, &desired, &RandomState::new()).collect::<Vec<_>>(), expected.clone());
            prop_assert_eq!(shared(&current, &desired, &Collide).collect::<Vec<_>>(), expected);
        }
    }
}
