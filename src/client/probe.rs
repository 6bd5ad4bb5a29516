//! Asks a server what it does.

use std::fmt;

use wats_scim_filter::Filter;

use super::{HttpClient, HttpScimRepository, ScimRepository, ScimService, boxed, example, maybe_async};
use crate::config::Profile;
use crate::error::Result;
use crate::exchange::{Attempts, ListQuery};
use crate::model::{ScimListResponse, ScimPatchRequest, ScimUser, ScimUserName, Target};
use crate::outside::clock::random;
use crate::probe::{self, Finding, Report, SPECIAL};

/// The most users that a probe lists.
const SAMPLE: u64 = 2_000;
/// The `count` with which the largest page is looked for.
const LARGE: u64 = 1_000;

impl<C: HttpClient + Clone> ScimService<HttpScimRepository<C>> {
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
/// returns, whether versions are checked. The user is removed at the end whatever the checks found; only
/// if the future of [`run`](Self::run) is dropped or the server refuses the deletion does it stay.
#[must_use = "a probe is lazy: it sends no request until it runs"]
pub struct ScimProbe<C> {
    repository: HttpScimRepository<C>,
    allows_writes: bool,
}

impl<C> ScimProbe<C> {
    /// Allows the probe to create a user, change it and delete it again. Its name begins with
    /// `wats-scim-probe` and ends with `@example.invalid`.
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
impl<C: HttpClient + Clone> ScimProbe<C> {
    /// Asks the server, and returns the report. A check that fails is a finding, not an error.
    ///
    /// # Errors
    ///
    /// Any [`Error`](crate::Error) of reading the first page: without it there is nothing to find.
    pub async fn run(self) -> Result<Report> {
        let profile = self.repository.profile().clone();
        // Whatever the server is said to lack is asked for, too.
        let endpoint = self.repository.endpoint.clone().with_profile(Profile::to_probe(&profile));
        let asked = Asked { repository: HttpScimRepository { endpoint, ..self.repository } };
        let first = asked.page(&ListQuery::new()).await?;
        let mut findings = Vec::new();
        let mut names = Vec::new();
        findings.extend(boxed(asked.pages(first.total_results, &mut names)).await);
        findings.extend(boxed(asked.look_ups(&names)).await);
        if self.allows_writes {
            findings.extend(boxed(asked.writes()).await);
        }
        Ok(Report::new(profile, findings))
    }
}

/// A server that is asked for everything.
struct Asked<C> {
    repository: HttpScimRepository<C>,
}

#[maybe_async]
impl<C: HttpClient + Clone> Asked<C> {
    async fn page(&self, query: &ListQuery) -> Result<ScimListResponse> {
        self.repository.list(query).await
    }

    /// Reads pages, and collects the names of users.
    async fn pages(&self, total: Option<u64>, names: &mut Vec<String>) -> Vec<Finding> {
        let one = self.page(&ListQuery::new().start_index(1).count(1)).await;
        let two = self.page(&ListQuery::new().start_index(2).count(1)).await;
        let large = self.page(&ListQuery::new().start_index(1).count(LARGE)).await;
        let (listed, is_whole) = self.listed(names).await;
        let selected = self.page(&ListQuery::new().count(10).attributes(["userName"])).await;
        let complete = self.page(&ListQuery::new().count(10)).await;
        let cursor = self.page(&ListQuery::new().cursor("").count(1)).await;
        vec![
            probe::count(&one),
            probe::start_index(&one, &two),
            probe::page_size(LARGE, &large),
            probe::totals(total, &listed, is_whole),
            probe::attribute_selection(&selected, &complete),
            probe::cursors(&cursor),
        ]
    }

    /// The number of users that a listing returns, and whether it went to its end.
    async fn listed(&self, names: &mut Vec<String>) -> (Result<u64>, bool) {
        let mut users = ScimService::with_repository(self.repository.clone()).iter_users();
        let mut number = 0;
        loop {
            match users.try_next().await {
                Ok(Some(user)) => {
                    number += 1;
                    names.extend(user.user_name);
                }
                Ok(None) => return (Ok(number), true),
                Err(error) => return (Err(error), true),
            }
            if number == SAMPLE {
                return (Ok(number), false);
            }
        }
    }

    async fn look_ups(&self, names: &[String]) -> Vec<Finding> {
        let mut known = None;
        // A user may have been deleted since it was listed, so another one is tried.
        for name in names.iter().rev().take(3) {
            let found = self.page(&ListQuery::new().filter(Filter::eq("userName", name.as_str()))).await;
            let is_empty = found.as_ref().is_ok_and(|page| page.resources.is_empty());
            known = Some(found);
            if !is_empty {
                break;
            }
        }
        let unknown = self.page(&ListQuery::new().filter(Filter::eq("userName", throwaway_name()))).await;

        let mut read = Vec::new();
        for special in SPECIAL {
            let mut is_read = None;
            if let Some(name) = names.iter().find(|name| name.contains(special)) {
                is_read = Some(self.is_read(name).await);
            }
            read.push((special, is_read));
        }

        let refused = match self.repository.endpoint.get::<ScimUser>("wats-scim-probe-00000000") {
            Ok(call) => {
                self.repository.send_within(&call, &mut Attempts::default(), &mut self.repository.budget()).await
            }
            Err(error) => Err(error),
        };
        vec![
            probe::filter(known.as_ref(), &unknown),
            probe::special_names(&read),
            probe::errors(refused.err().as_ref()),
        ]
    }

    /// Whether a user with this name is found by it.
    async fn is_read(&self, name: &str) -> bool {
        let found = self.repository.get_by_name::<ScimUser>(name).await;
        found.is_ok_and(|user| user.is_some())
    }

    /// The life of a user, from its creation to its removal.
    async fn writes(&self) -> Vec<Finding> {
        let sent = ScimUser::new(throwaway_name())
            .with_external_id(format!("wats-scim-probe-{:016x}", random()))
            .with_display_name("Probe")
            .with_name(ScimUserName::new("Wats", "Probe"))
            .with_email("wats-scim-probe@example.invalid")
            .with_attribute("title", "Probe");
        let created = self.repository.create(&sent).await;
        let mut findings =
            vec![probe::creation(&created), probe::media_type(self.repository.endpoint.sends_plain_json())];
        let Some(id) = created.ok().and_then(|user| user.id) else { return findings };

        let held = self.repository.get::<ScimUser>(&id).await.ok().flatten().unwrap_or_default();
        findings.push(probe::kept(&sent, &held));
        let changed = ScimPatchRequest::new().replace("displayName", "Changed");
        let patched = self.repository.patch::<ScimUser>(Target::id(&id), &changed).await;
        let held = self.repository.get::<ScimUser>(&id).await.ok().flatten().unwrap_or_default();
        findings.push(probe::patching(&patched, held.display_name.as_deref() == Some("Changed")));
        findings.push(self.versions(&id, &held).await);

        let deleted = self.repository.delete::<ScimUser>(Target::id(&id)).await;
        let after = self.repository.get::<ScimUser>(&id).await;
        findings.push(probe::deletion(&deleted, &after));
        findings
    }

    async fn versions(&self, id: &str, held: &ScimUser) -> Finding {
        let version = held.meta.as_ref().and_then(|meta| meta.version.as_deref());
        let mut outdated = None;
        if version.is_some() {
            let patch = ScimPatchRequest::new().replace("displayName", "Outdated");
            let mut other = held.clone();
            other.id = Some(id.to_owned());
            if let Some(meta) = &mut other.meta {
                meta.version = Some("W/\"wats-scim-probe\"".to_owned());
            }
            if let Ok(target) = Target::unchanged(&other) {
                outdated = Some(self.repository.patch::<ScimUser>(target, &patch).await);
            }
        }
        probe::versions(version, outdated.as_ref())
    }
}

/// A name that no user has.
fn throwaway_name() -> String {
    format!("wats-scim-probe-{:016x}@example.invalid", random())
}
