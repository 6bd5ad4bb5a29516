//! Asks a server what it does.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use http::{Method, Request, Response};
use wats_scim_filter::Filter;

use super::{HttpClient, HttpScimRepository, ScimRepository, ScimService, boxed, example, maybe_async};
use crate::config::Profile;
use crate::error::{Error, Result, TransportError, WriteOutcome};
use crate::exchange::{Attempts, ListQuery};
use crate::model::{Resource, ScimListResponse, ScimPatchRequest, ScimUser, ScimUserName, ScimWrite, Target};
use crate::outside::clock::random;
use crate::probe::{self, Finding, Listed, Report, SPECIAL, Seen, SeenAnswers, SpecialUser};

/// The most users that a probe lists.
const SAMPLE: u64 = 2_000;
/// The `count` with which the largest page is looked for.
const LARGE: u64 = 1_000;
/// How far behind the last user a page is asked for: others may create users meanwhile.
const BEYOND: u64 = 1_000;
/// The most users whose names are looked up with a filter: others may delete users meanwhile.
const FILTERED: usize = 20;
/// A version that no user has.
const OTHER_VERSION: &str = "W/\"wats-scim-probe\"";

impl<C: HttpClient> ScimService<HttpScimRepository<C>> {
    /// Measures what the server does, beside what it says of itself ([`discover`](Self::discover)).
    ///
    /// Read-only unless [`allow_writes`](ScimProbe::allow_writes) is set. See [`ScimProbe`].
    ///
    #[doc = example!(
        standard
        "use wats_scim::probe::{Check, Verdict};\n\n\
         let report = client.probe().run()" await "?;\n\
         println!(\"{report}\");\n\
         assert_eq!(report.finding(Check::Filter).map(|finding| finding.verdict), Some(Verdict::Yes));"
    )]
    pub fn probe(&self) -> ScimProbe<C> {
        ScimProbe { repository: self.repository().clone(), allows_writes: false }
    }
}

/// A probe of a server: whether it honours `count`, `startIndex`, filters, attribute selection and
/// cursors, how large its pages are, whether its totals are true, which names can be looked up, and what
/// its errors look like. At most 2,000 users are listed.
///
/// With leave to write it also creates a user, changes it and removes it: what is kept, what a PATCH
/// returns, whether versions are checked. The user has `+`, `%`, `/` and `#` in its name; where the server
/// rejects such a name, or cannot find the user by its id then, an ordinary one is used. On a server with
/// groups it creates a second user, and a group with both as members: where members can be read
/// ([`Membership`](crate::Membership)), and how one is removed. All are removed at the end whatever the checks
/// found; only if the future of [`run`](Self::run) is dropped or the server rejects the deletion do they stay.
#[must_use = "a probe is lazy: it sends no request until it runs"]
pub struct ScimProbe<C> {
    repository: HttpScimRepository<C>,
    allows_writes: bool,
}

impl<C> ScimProbe<C> {
    /// Allows the probe to create two users and a group, change them and delete them again. Their names begin
    /// with `wats-scim-probe` and end with `@example.invalid`.
    pub fn allow_writes(mut self) -> Self {
        self.allows_writes = true;
        self
    }
}

impl<C> fmt::Debug for ScimProbe<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScimProbe").field("allows_writes", &self.allows_writes).finish_non_exhaustive()
    }
}

#[maybe_async]
impl<C: HttpClient> ScimProbe<C> {
    /// Asks the server, and returns the report. A check that fails is a finding, not an error.
    ///
    /// # Errors
    ///
    /// Any [`Error`] of reading the first page: without it there is nothing to find.
    pub async fn run(self) -> Result<Report> {
        let profile = self.repository.profile().clone();
        // Features that the server says it does not support are probed, too.
        let endpoint = self.repository.endpoint.clone().with_profile(Profile::to_probe(&profile));
        let known = self.repository;
        let repository = HttpScimRepository {
            endpoint,
            client: Arc::new(Watched { client: known.client, seen: Arc::default() }),
            retry: known.retry,
            timeout: known.timeout,
            transport_timeout: known.transport_timeout,
            throttle: known.throttle,
            tokens: known.tokens,
            audit: known.audit,
            observer: known.observer,
        };
        let asked = Asked { repository, has_bulk: profile.bulk().is_some() };
        asked.page(&ListQuery::new()).await?;

        let mut known = Vec::new();
        let mut findings = boxed(asked.pages(&mut known)).await;
        findings.push(boxed(asked.filter(&known)).await);
        let mut read = Vec::new();
        for special in SPECIAL {
            let mut is_read = None;
            if let Some(Known { name, .. }) = known.iter().find(|known| known.name.contains(special)) {
                is_read = Some(asked.is_read(name).await);
            }
            read.push((special, is_read));
        }
        let errors = boxed(asked.errors()).await;
        let (mut special_user, mut writes) = (None, Vec::new());
        if self.allows_writes {
            (special_user, writes) = boxed(asked.writes()).await;
        }
        findings.push(probe::special_names(&read, special_user.as_ref()));
        findings.push(errors);
        findings.extend(writes);
        Ok(Report::new(profile, findings))
    }
}

/// An HTTP client that remembers what answers looked like.
pub(super) struct Watched<C> {
    client: Arc<C>,
    seen: Arc<Mutex<SeenAnswers>>,
}

#[maybe_async(AFIT)]
impl<C: HttpClient> HttpClient for Watched<C> {
    async fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, TransportError> {
        let (method, headers) = (request.method().clone(), request.headers().clone());
        let response = boxed(self.client.send(request)).await?;
        let seen = Seen::new(&headers, &response);
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).add(method, seen);
        Ok(response)
    }
}

/// A server that is asked for everything.
pub(super) struct Asked<C> {
    pub(super) repository: HttpScimRepository<Watched<C>>,
    /// Whether the server says that it supports bulk requests.
    has_bulk: bool,
}

impl<C> Asked<C> {
    /// The last answer to a request of this method.
    pub(super) fn seen(&self, method: &Method) -> Option<Seen> {
        self.repository.client.seen.lock().unwrap_or_else(PoisonError::into_inner).last(method)
    }
}

/// A user that was listed.
struct Known {
    id: String,
    name: String,
}

#[maybe_async]
impl<C: HttpClient> Asked<C> {
    async fn page(&self, query: &ListQuery) -> Result<ScimListResponse> {
        self.repository.list(query).await
    }

    /// Reads pages, and collects users.
    async fn pages(&self, users: &mut Vec<Known>) -> Vec<Finding> {
        let one = self.page(&ListQuery::new().start_index(1).count(1)).await;
        let two = self.page(&ListQuery::new().start_index(2).count(1)).await;
        let large = self.page(&ListQuery::new().start_index(1).count(LARGE)).await;
        let listed = self.listed(users).await;
        let total = |page: &Result<ScimListResponse>| page.as_ref().ok().and_then(|page| page.total_results);
        let (total_of_one, total_of_large) = (total(&one), total(&large));
        let known = total_of_one.max(total_of_large).unwrap_or(0).max(u64::try_from(users.len()).unwrap_or(0));
        let beyond = known.saturating_add(BEYOND);
        let past_the_end = self.page(&ListQuery::new().start_index(beyond).count(2)).await;
        let selected = self.page(&ListQuery::new().count(10).attributes(["userName"])).await;
        let complete = self.page(&ListQuery::new().count(10)).await;
        let cursor = self.page(&ListQuery::new().cursor("").count(1)).await;
        let mut next = None;
        if let Some(next_cursor) = cursor.as_ref().ok().and_then(|page| page.next_cursor.clone()) {
            next = Some(self.page(&ListQuery::new().cursor(next_cursor).count(1)).await);
        }
        vec![
            probe::count(&one, &large),
            probe::start_index(&one, &two),
            probe::past_the_end(beyond, &past_the_end),
            probe::page_size(LARGE, &large, &listed),
            probe::totals(total_of_one, total_of_large, &listed),
            probe::attribute_selection(&selected, &complete),
            probe::cursors(&cursor, next.as_ref(), &large),
        ]
    }

    /// The users that a listing returns.
    async fn listed(&self, known: &mut Vec<Known>) -> Listed {
        let mut users = ScimService::with_repository(self.repository.clone()).iter_users();
        let mut number = 0;
        loop {
            match users.try_next().await {
                Ok(Some(user)) => {
                    number += 1;
                    known.extend(user.id.zip(user.user_name).map(|(id, name)| Known { id, name }));
                }
                Ok(None) => return Listed { number: Ok(number), is_whole: true },
                Err(error) => return Listed { number: Err(error), is_whole: true },
            }
            if number == SAMPLE {
                return Listed { number: Ok(number), is_whole: false };
            }
        }
    }

    async fn filter(&self, users: &[Known]) -> Finding {
        let mut known = None;
        for Known { id, name } in users.iter().rev().take(FILTERED) {
            let found = self.page(&ListQuery::new().filter(Filter::eq("userName", name.as_str()))).await;
            let is_empty = found.as_ref().is_ok_and(|page| page.resources.is_empty());
            // A user may have been deleted since it was listed. That says nothing about filters.
            if !is_empty || !self.is_gone(id).await {
                known = Some((name.as_str(), found));
                break;
            }
        }
        let unknown = self.page(&ListQuery::new().filter(Filter::eq("userName", throwaway_name("")))).await;
        probe::filter(known.as_ref().map(|(name, found)| (*name, found)), &unknown)
    }

    async fn is_gone(&self, id: &str) -> bool {
        let held = self.repository.get::<ScimUser>(id).await;
        held.is_ok_and(|held| held.is_none())
    }

    async fn errors(&self) -> Finding {
        let refused = match self.repository.endpoint.get::<ScimUser>("wats-scim-probe-00000000") {
            Ok(call) => {
                self.repository.send_within(&call, &mut Attempts::default(), &mut self.repository.budget()).await
            }
            Err(error) => Err(error),
        };
        probe::errors(refused.err().as_ref(), self.seen(&Method::GET).as_ref())
    }

    /// Whether a user with this name is found by it.
    async fn is_read(&self, name: &str) -> bool {
        let found = self.repository.get_by_name::<ScimUser>(name).await;
        found.is_ok_and(|user| user.is_some())
    }

    /// The life of a user, from its creation to its removal.
    async fn writes(&self) -> (Option<SpecialUser>, Vec<Finding>) {
        let special = String::from_iter(SPECIAL);
        let mut sent = throwaway_user(&special);
        let mut created = self.created(&sent).await;
        let mut special_user = None;
        if let Ok(user) = &created {
            let is_read = self.is_read(sent.user_name.as_deref().unwrap_or_default()).await;
            special_user = Some(SpecialUser::Created { is_read });
            if !self.is_read_by_id(user).await {
                special_user = Some(SpecialUser::Unreadable);
                drop(self.removed(user).await);
            }
        }
        if !matches!(special_user, Some(SpecialUser::Created { .. })) {
            let refusal = created.as_ref().err().map(|error| error.status().map(|status| status.as_u16()));
            sent = throwaway_user("");
            created = self.created(&sent).await;
            if let (Ok(_), Some(status)) = (&created, refusal) {
                special_user = Some(SpecialUser::Rejected(status));
            }
        }
        let answer = self.seen(&Method::POST);
        let mut findings = vec![probe::creation(&created, answer.as_ref())];
        let Ok(user) = created else { return (special_user, findings) };
        findings.extend(answer.as_ref().map(probe::media_type));
        findings.extend(boxed(self.life(&sent, user.id.as_deref().unwrap_or_default())).await);
        (special_user, findings)
    }

    /// Creates a resource. One that may have been created although the request failed is removed.
    pub(super) async fn created<T: Resource>(&self, sent: &T) -> Result<T> {
        let created = self.repository.create(sent).await;
        if let Err(error) = &created {
            self.clean_up(sent, error).await;
        }
        created.and_then(|held| held.require_id().map(drop).map(|()| held))
    }

    async fn clean_up<T: Resource>(&self, sent: &T, error: &Error) {
        if error.outcome() == WriteOutcome::NotApplied {
            return;
        }
        if let Ok(Some(held)) = self.repository.get_by_name::<T>(sent.name().unwrap_or_default()).await {
            // If this fails, there is nothing else to try.
            drop(self.removed(&held).await);
        }
    }

    async fn is_read_by_id(&self, user: &ScimUser) -> bool {
        let held = self.repository.get::<ScimUser>(user.id.as_deref().unwrap_or_default()).await;
        held.is_ok_and(|held| held.is_some())
    }

    /// Removes a resource that is of no use to the probe any more.
    pub(super) async fn removed<T: Resource>(&self, held: &T) -> Result<()> {
        match held.id() {
            Some(id) => self.repository.delete::<T>(Target::id(id)).await,
            None => Ok(()),
        }
    }

    /// From the created user to its removal.
    async fn life(&self, sent: &ScimUser, id: &str) -> Vec<Finding> {
        let mut findings = Vec::new();
        let held = self.repository.get::<ScimUser>(id).await.ok().flatten().unwrap_or_default();
        findings.push(probe::kept(sent, &held));

        let changed = ScimPatchRequest::new().replace("displayName", "Changed");
        let patched = self.repository.patch::<ScimUser>(Target::id(id), &changed).await;
        let answer = self.seen(&Method::PATCH);
        let held = self.repository.get::<ScimUser>(id).await.map(Option::unwrap_or_default);
        let is_changed = held.as_ref().map(|held| held.display_name.as_deref() == Some("Changed"));
        findings.push(probe::patching(&patched, answer.as_ref(), is_changed));
        let held = held.ok().unwrap_or_default();
        let has_versions = held.version().is_some_and(|version| !version.is_empty());
        findings.push(self.versions(id, held, patched.is_ok()).await);
        if self.has_bulk && has_versions {
            let write = ScimWrite::patch(id, ScimPatchRequest::new().replace("displayName", "Outdated"));
            let outdated = self.repository.bulk::<ScimUser>(&[write.in_version(OTHER_VERSION)]).await;
            findings.push(probe::versions_in_bulk(&outdated));
        }
        findings.extend(boxed(self.groups(id)).await);

        let deleted = self.repository.delete::<ScimUser>(Target::id(id)).await;
        let answer = self.seen(&Method::DELETE);
        let after = self.repository.get::<ScimUser>(id).await;
        findings.push(probe::deletion(&deleted, &after, answer.as_ref()));
        findings
    }

    async fn versions(&self, id: &str, held: ScimUser, has_patch: bool) -> Finding {
        let version = held.meta.as_ref().and_then(|meta| meta.version.clone());
        let mut outdated = None;
        if version.is_some() && has_patch {
            let patch = ScimPatchRequest::new().replace("displayName", "Outdated");
            let mut other = held;
            other.id = Some(id.to_owned());
            if let Some(meta) = &mut other.meta {
                meta.version = Some(OTHER_VERSION.to_owned());
            }
            if let Ok(target) = Target::unchanged(&other) {
                outdated = Some(self.repository.patch::<ScimUser>(target, &patch).await);
            }
        }
        probe::versions(version.as_deref(), outdated.as_ref(), self.seen(&Method::PATCH).as_ref())
    }
}

/// The user of a probe, with this in its name.
pub(super) fn throwaway_user(special: &str) -> ScimUser {
    ScimUser::new(throwaway_name(special))
        .with_external_id(format!("wats-scim-probe-{:016x}", random()))
        .with_display_name("Probe")
        .with_name(ScimUserName::new("Wats", "Probe"))
        .with_email("wats-scim-probe@example.invalid")
        .with_attribute("title", "Probe")
}

/// A name that no user or group has.
pub(super) fn throwaway_name(special: &str) -> String {
    format!("wats-scim-probe{special}-{:016x}@example.invalid", random())
}
