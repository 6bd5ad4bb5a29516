//! Looks up the users or groups that a command names.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use wats_scim::blocking::ScimClient;
use wats_scim::filter::json::same_text;
use wats_scim::{Error, ErrorKind, Filter, Resource};

use crate::context::Context;
use crate::failure::Failure;
use crate::many::named;
use crate::output::shown;
use crate::who::Who;

/// So many look-ups are in flight.
const IN_FLIGHT: usize = 8;

/// What was found, each once, and what was not.
#[derive(Debug)]
pub(crate) struct Resolved<T> {
    pub(crate) found: Vec<T>,
    pub(crate) unknown: Vec<Who>,
}

impl<T: Resource> Resolved<T> {
    /// Those to write: all of them, unless `--skip-unknown` is given.
    pub(crate) fn for_write(self, context: &Context, skip_unknown: bool) -> Result<Vec<T>, Failure> {
        if self.unknown.is_empty() {
            return Ok(self.found);
        }
        let missing = self.missing();
        if !skip_unknown {
            let next = "nothing was changed; correct them, or leave them out with --skip-unknown";
            return Err(Failure::Other(format!("{missing}; {next}")));
        }
        context.say(format!("left out: {missing}"));
        Ok(self.found)
    }

    /// A message about those that are not on the server.
    pub(crate) fn missing(&self) -> String {
        let names = named(self.unknown.iter().map(Who::to_string));
        format!("the server has no {} {names}", T::NAME)
    }
}

/// Looks each of them up. A text is a name first and an id second; if it is both, of two of them, it is an error.
pub(crate) fn resolve<T: Resource>(
    context: &Context,
    client: &ScimClient,
    who: &[Who],
) -> Result<Resolved<T>, Failure> {
    let lookup = Lookup::<T> { client, all: Mutex::new(None) };
    let bar = context.progress_of("looked up", who.len());
    let (next, is_failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let work = || {
        let mut results = Vec::new();
        while !is_failed.load(Ordering::Relaxed) {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(one) = who.get(at) else { break };
            let found = lookup.find(one);
            is_failed.fetch_or(found.is_err(), Ordering::Relaxed);
            bar.inc(1);
            results.push((at, found));
        }
        results
    };
    let mut results = thread::scope(|scope| {
        let others: Vec<_> = (1..who.len().min(IN_FLIGHT)).map(|_| scope.spawn(work)).collect();
        let mut results = work();
        results.extend(others.into_iter().filter_map(|other| other.join().ok()).flatten());
        results
    });
    bar.finish_and_clear();
    results.sort_unstable_by_key(|(at, _)| *at);
    let mut found = Vec::with_capacity(results.len());
    let (mut ids, mut unknown) = (HashSet::new(), Vec::new());
    for ((_, result), who) in results.into_iter().zip(who) {
        match result? {
            Some(one) if ids.insert(one.id().unwrap_or_default().to_owned()) => found.push(one),
            Some(_) => {}
            None => unknown.push(who.clone()),
        }
    }
    Ok(Resolved { found, unknown })
}

/// Finds users or groups; reads all of them where the server cannot find one.
struct Lookup<'a, T> {
    client: &'a ScimClient,
    all: Mutex<Option<Vec<T>>>,
}

impl<T: Resource> Lookup<'_, T> {
    fn find(&self, who: &Who) -> Result<Option<T>, Failure> {
        match who {
            Who::Id(id) => Ok(self.by_id(id)?),
            Who::ExternalId(id) => self.by_external_id(id),
            Who::Text(text) => match self.by_name_or_id(text)? {
                (Some(named), Some(other)) if named.id() != other.id() => {
                    let (id, name) = (named.id().unwrap_or_default(), other.name().unwrap_or_default());
                    Err(Failure::Usage(format!(
                        "{} is the {} of one {} and the id of another one; nothing was changed. The first one has the \
                         id {}, the other one the {} {}: give that",
                        shown(text),
                        T::NAMED_BY,
                        T::NAME,
                        shown(id),
                        T::NAMED_BY,
                        shown(name),
                    )))
                }
                (named, other) => Ok(named.or(other)),
            },
        }
    }

    fn by_name(&self, name: &str) -> Result<Option<T>, Failure> {
        match self.client.resources::<T>().get_by_name(name) {
            Err(error) if error.kind() == ErrorKind::Unsupported && self.client.profile().offers(T::ENDPOINT) => {
                let is_meant = |one: &T| one.name().is_some_and(|known| same_text(known, name));
                self.only_one(is_meant, &format!("{} {name:?}", T::NAMED_BY))
            }
            found => Ok(found?),
        }
    }

    /// Those with this name and with this id.
    fn by_name_or_id(&self, text: &str) -> Result<(Option<T>, Option<T>), Failure> {
        let named = self.by_name(text)?;
        match self.by_id(text) {
            Ok(other) => Ok((named, other)),
            // The server has just answered for the name, so that it rejects the text as an id: it is not one.
            Err(error) if error.status().is_some_and(|status| status.as_u16() == 404) => Ok((named, None)),
            Err(error) if named.is_some() && error.status().is_some() && error.kind() != ErrorKind::Unauthorized => {
                Ok((named, None))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A text that cannot be an id is the id of none.
    fn by_id(&self, id: &str) -> Result<Option<T>, Error> {
        match self.client.resources::<T>().get(id) {
            Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::BadRequest) => Ok(None),
            // On WATS, `userName=jane` in the place of an id finds jane.
            found => Ok(found?.filter(|one| one.id().is_some_and(|known| known.eq_ignore_ascii_case(id)))),
        }
    }

    fn by_external_id(&self, id: &str) -> Result<Option<T>, Failure> {
        let is_meant = |one: &T| one.external_id() == Some(id);
        let what = format!("externalId {id:?}");
        let matching: Result<Vec<T>, Error> =
            self.client.resources::<T>().iter().matching(Filter::eq("externalId", id)).collect();
        match matching {
            Ok(matching) => only(matching.iter().filter(|one| is_meant(one)), &what),
            Err(error) if may_not_filter(&error) => self.only_one(is_meant, &what),
            Err(error) => Err(error.into()),
        }
    }

    /// The one that is meant, among all of the server.
    fn only_one(&self, is_meant: impl Fn(&T) -> bool, what: &str) -> Result<Option<T>, Failure> {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        if all.is_none() {
            *all = Some(self.client.resources::<T>().iter().page_size(200).in_flight(4).collect::<Result<_, _>>()?);
        }
        only(all.iter().flatten().filter(|one| is_meant(one)), what)
    }
}

fn only<'a, T: Resource>(mut found: impl Iterator<Item = &'a T>, what: &str) -> Result<Option<T>, Failure> {
    match (found.next(), found.next()) {
        (Some(_), Some(_)) => Err(Failure::Usage(format!("several {}s have the {what}; give the id of one", T::NAME))),
        (one, _) => Ok(one.cloned()),
    }
}

/// Whether the error of a filtered list can mean that the server does not filter.
pub(crate) fn may_not_filter(error: &Error) -> bool {
    let is_missing = error.status().is_some_and(|status| status.as_u16() == 501);
    is_missing || matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::UnexpectedBody)
}
