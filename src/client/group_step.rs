//! One step of a group, applied.

use std::time::Duration;

use super::apply_step::{Done, ROUNDS, StepJob, after, is_worth_a_look, unusable};
use super::members::read_group;
use super::settle::{Found, LOOK_FAILED, look_for};
use super::{ScimRepository, maybe_async, sleep};
use crate::config::{Membership, Profile};
use crate::error::{Error, ErrorKind, Operation, Result, Sender, WriteOutcome};
use crate::model::{Resource, ScimGroup, Target};
use crate::plan::{Action, Fit, MEMBERS_IN_A_REQUEST, Outcome, Reference, additions, lost};

/// How long the client waits before it reads members again that a server does not show yet.
const READ_AGAIN: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(1)];

/// What became of the members of one request.
#[derive(Default)]
struct Sent {
    is_sent: bool,
    /// Those that the server does not show as changed.
    not_kept: Vec<Reference>,
}

/// Why the members of a request were not changed.
enum Rejected {
    /// The group is gone or has another name.
    Stale(String),
    Failed(Error),
}

impl From<Error> for Rejected {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

#[maybe_async]
impl StepJob {
    pub(super) async fn apply_to_group<R: ScimRepository>(&self, repository: &R) -> Result<(Outcome, Option<String>)> {
        let (outcome, group) = match self.step.action {
            Action::CreateGroup => self.create_group(repository).await?,
            Action::AddMembers | Action::RemoveMembers => {
                let Some(group) = self.group_id(repository).await? else {
                    return Ok((Outcome::Blocked(format!("create group {}", self.step.name)), None));
                };
                return Ok((self.change_members(repository, &group).await?, Some(group)));
            }
            _ => self.change_group(repository).await?,
        };
        Ok((outcome, group.and_then(|group| group.id)))
    }

    async fn create_group<R: ScimRepository>(&self, repository: &R) -> Result<Done<ScimGroup>> {
        let desired = self.step.new_group();
        // Unlike the names of users, those of groups need not be unique: a server would create a second one.
        if let Some(done) = found_group(look_for(repository, &desired).await?) {
            return Ok(done);
        }
        self.keep(None)?;
        let error = match repository.create(&desired).await {
            Ok(group) => {
                self.ends.record_version(group.id().unwrap_or_default(), group.version());
                return Ok((Outcome::Applied, Some(group)));
            }
            Err(error) if error.kind() == ErrorKind::Conflict => error,
            Err(error) => return Err(error),
        };
        match look_for(repository, &desired).await {
            Ok(found) => found_group(found).ok_or(error),
            Err(look) => Err(error.followed_by(&look, LOOK_FAILED)),
        }
    }

    /// Renames or deletes a group.
    async fn change_group<R: ScimRepository>(&self, repository: &R) -> Result<Done<ScimGroup>> {
        let id = self.step.id.as_deref().ok_or_else(|| unusable(&self.step, "it has no id"))?;
        let mut rounds = 0;
        // The error of a write that may have been applied.
        let mut unknown: Option<Error> = None;
        loop {
            rounds += 1;
            let held = match read(repository, id, !repository.profile().patches).await {
                Ok(held) => held,
                Err(error) => return Err(after(unknown, error)),
            };
            let Some(held) = held else {
                return Ok((self.gone(unknown.is_some()), None));
            };
            let (fit, is_unknown) = (self.step.fit_group(&held), unknown.is_some());
            // Otherwise its members may be others than the plan knows.
            let is_as_planned = !is_unknown && held.version() == self.step.version.as_deref();
            self.ends.record_version(id, None);
            if matches!(fit, Fit::Change(_) | Fit::Delete) {
                self.keep(None)?;
            }
            let done = match fit {
                Fit::Done if is_unknown => return Ok((Outcome::Applied, Some(held))),
                Fit::Done => return Ok((Outcome::Unneeded, Some(held))),
                Fit::Stale(reason) => {
                    return match unknown {
                        Some(written) => Err(written.with_note(&format!("; then {reason}"))),
                        None => Ok((Outcome::Skipped(reason), Some(held))),
                    };
                }
                Fit::Change(patch) if repository.profile().patches => {
                    repository.patch::<ScimGroup>(Target::of(&held)?, &patch).await
                }
                Fit::Change(_) => match check_whole(repository.profile(), &held) {
                    Ok(()) => repository.replace(&self.step.renamed(held.clone())).await,
                    Err(error) => Err(error),
                },
                Fit::Delete => repository.delete::<ScimGroup>(Target::of(&held)?).await.map(|()| None),
            };
            let error = match done {
                Ok(group) => {
                    let version = group.as_ref().filter(|_| is_as_planned).and_then(Resource::version);
                    self.ends.record_version(id, version);
                    return Ok((Outcome::Applied, group));
                }
                Err(error) => error,
            };
            if rounds == ROUNDS || !is_worth_a_look(&error) {
                return Err(after(unknown, error));
            }
            if error.write_outcome() == Some(WriteOutcome::Unknown) {
                unknown = Some(error);
            }
        }
    }

    async fn change_members<R: ScimRepository>(&self, repository: &R, group: &str) -> Result<Outcome> {
        let (mut known, mut missing) = (Vec::with_capacity(self.step.members.len()), Vec::new());
        for member in &self.step.members {
            match self.id_of(repository, member).await? {
                Some(id) => known.push(Reference { id: Some(id), ..member.clone() }),
                None if self.ends.was_not_created(member) => missing.push(format!("{member} was not created")),
                None => missing.push(format!("{member} is not on the server")),
            }
        }
        let (mut is_sent, mut problems) = (false, Vec::new());
        let mut requests = vec![known];
        while let Some(mut members) = requests.pop().filter(|members| !members.is_empty()) {
            match self.send_members(repository, group, &members).await {
                Ok(sent) => {
                    is_sent |= sent.is_sent;
                    problems.extend(sent.not_kept.iter().map(|member| self.not_kept(member)));
                }
                Err(Rejected::Stale(reason)) if is_sent => return Ok(Outcome::NotKept(vec![reason])),
                Err(Rejected::Stale(reason)) => return Ok(Outcome::Skipped(reason)),
                // The server may take fewer members at once, or reject one of them.
                Err(Rejected::Failed(error)) if is_about_members(&error) => match members.as_slice() {
                    [member] if is_sent || self.step.members.len() > 1 => problems.push(format!("{member}: {error}")),
                    [_] => return Err(error),
                    _ => {
                        let rest = members.split_off(members.len() / 2);
                        requests.extend([rest, members]);
                    }
                },
                Err(Rejected::Failed(error)) if is_sent => return Err(partly_done(error)),
                Err(Rejected::Failed(error)) => return Err(error),
            }
        }
        Ok(if !missing.is_empty() {
            // They can exist when the step is tried again.
            Outcome::Blocked(missing.into_iter().chain(problems).collect::<Vec<_>>().join("; "))
        } else if !problems.is_empty() {
            Outcome::NotKept(problems)
        } else if is_sent {
            Outcome::Applied
        } else {
            Outcome::Unneeded
        })
    }

    /// The id of the group of a step, which the plan may have created.
    pub(super) async fn group_id<R: ScimRepository>(&self, repository: &R) -> Result<Option<String>> {
        match &self.step.id {
            Some(id) => Ok(Some(id.clone())),
            None => self.id_of(repository, &Reference::group(&self.step.name)).await,
        }
    }

    /// Adds or removes members in one request, and reads them back where the answer does not show them.
    async fn send_members<R: ScimRepository>(
        &self,
        repository: &R,
        group: &str,
        members: &[Reference],
    ) -> std::result::Result<Sent, Rejected> {
        let (mut rounds, mut unknown) = (0, None);
        let profile = repository.profile();
        let by_list = profile.removes_members_by_list && self.step.action == Action::RemoveMembers;
        // A known version tells that the group is as it was, so it need not be read.
        let is_versioned = profile.checks_versions && profile.patches && !by_list && !self.was_begun();
        if let Some(known) = self.known_group(group).filter(|_| is_versioned) {
            rounds += 1;
            self.keep(None)?;
            let patch = self.step.members_patch(members, by_list);
            match repository.patch::<ScimGroup>(Target::unchanged(&known)?, &patch).await {
                Ok(answer) => return Ok(self.sent(repository, group, answer, members.to_vec()).await?),
                Err(error) if error.write_outcome() == Some(WriteOutcome::Unknown) => unknown = Some(error),
                Err(error) if is_worth_a_look(&error) || is_about_members(&error) => {}
                Err(error) => return Err(error.into()),
            }
            self.ends.record_version(group, None);
        }
        loop {
            rounds += 1;
            // A member that is there already can be added again.
            let needs_members = self.step.action == Action::RemoveMembers || !profile.patches;
            let held = match read(repository, group, needs_members).await {
                Ok(Some(held)) => held,
                // A replica may not show yet what the plan has just created.
                Ok(None) if self.step.id.is_none() && profile.patches && rounds == 1 => self.created_group(group),
                Ok(None) => return Err(Rejected::Stale("the group no longer exists".to_owned())),
                Err(error) => return Err(after(unknown, error).into()),
            };
            if let Some(reason) = self.step.why_not_on(&held, self.ends.name_before(&self.plan, self.number)) {
                return Err(match unknown {
                    Some(written) => Rejected::Failed(written),
                    None => Rejected::Stale(reason),
                });
            }
            if by_list || !profile.patches {
                check_whole(profile, &held)?;
            }
            let left = self.left(profile, &held, members);
            if left.is_empty() {
                return Ok(Sent { is_sent: unknown.is_some(), not_kept: Vec::new() });
            }
            self.keep(None)?;
            let sent = if profile.patches {
                // In any version: members are added and removed one by one, and a replica may show an old one.
                let patch = self.step.members_patch(&left, by_list);
                repository.patch::<ScimGroup>(Target::id(group), &patch).await
            } else {
                repository.replace(&self.step.with_members_changed(held.clone(), &left)).await
            };
            let error = match sent {
                Ok(_) if by_list && profile.patches && profile.shows_members() => {
                    return Ok(self.removed_by_list(repository, &held, left).await?);
                }
                Ok(answer) => return Ok(self.sent(repository, group, answer, left).await?),
                Err(error) => error,
            };
            if rounds == ROUNDS || !is_worth_a_look(&error) {
                return Err(after(unknown, error).into());
            }
            if error.write_outcome() == Some(WriteOutcome::Unknown) {
                unknown = Some(error);
            }
        }
    }

    /// What became of members that the server has accepted.
    async fn sent<R: ScimRepository>(
        &self,
        repository: &R,
        group: &str,
        answer: Option<ScimGroup>,
        members: Vec<Reference>,
    ) -> Result<Sent> {
        self.ends.record_version(group, answer.as_ref().and_then(Resource::version));
        let not_kept = if repository.profile().shows_members() {
            self.read_back(repository, group, answer, members).await?
        } else {
            Vec::new()
        };
        Ok(Sent { is_sent: true, not_kept })
    }

    /// What became of a removal by a list of members, which some servers take for a removal of all members.
    async fn removed_by_list<R: ScimRepository>(
        &self,
        repository: &R,
        before: &ScimGroup,
        members: Vec<Reference>,
    ) -> Result<Sent> {
        let group = before.id().unwrap_or_default();
        let after = read_group(repository, group).await.map_err(partly_done)?;
        let Some(after) = after else { return Ok(Sent::default()) };
        let lost = lost(before, &after, &members);
        if lost.is_empty() {
            let not_kept = self.read_back(repository, group, Some(after), members).await?;
            return Ok(Sent { is_sent: true, not_kept });
        }
        for lost in lost.chunks(MEMBERS_IN_A_REQUEST) {
            repository.patch::<ScimGroup>(Target::id(group), &additions(lost)).await.map_err(partly_done)?;
        }
        let why = format!(
            "the server removed these members, and also removed {} others, which were added again; do \
             not allow removal by list in its profile",
            lost.len()
        );
        let error = Error::new(ErrorKind::UnexpectedBody, why).with_outcome(WriteOutcome::Unknown);
        Err(error.in_operation(Operation::Patch("group")))
    }

    /// Which members the server does not show as changed, in its answer or when the group is read again. A
    /// replica may show them later. What cannot be read is not known, and credentials that have expired by now
    /// end the apply.
    async fn read_back<R: ScimRepository>(
        &self,
        repository: &R,
        group: &str,
        answer: Option<ScimGroup>,
        members: Vec<Reference>,
    ) -> Result<Vec<Reference>> {
        // A page of members does not show that another one is gone.
        let shows_all = repository.profile().membership == Membership::OfGroups;
        let is_sufficient = shows_all || self.step.action == Action::AddMembers;
        let shown = answer.filter(|group| group.members.is_some() && is_sufficient);
        let mut left = match shown {
            Some(group) => self.step.left_to_change(&group, &members),
            None => members,
        };
        for pause in [Duration::ZERO].into_iter().chain(READ_AGAIN) {
            if left.is_empty() {
                break;
            }
            if !pause.is_zero() {
                sleep(pause).await;
            }
            match read_group(repository, group).await.map_err(unread)? {
                Some(held) => left = self.step.left_to_change(&held, &left),
                None => break,
            }
        }
        Ok(left)
    }
}

impl StepJob {
    /// Which members the step still has to add or remove, as far as the group shows them.
    fn left(&self, profile: &Profile, held: &ScimGroup, members: &[Reference]) -> Vec<Reference> {
        let hides_some = profile.may_hide_members(held.member_ids().count());
        let tells = profile.shows_members() && (!hides_some || self.step.action == Action::AddMembers);
        if tells { self.step.left_to_change(held, members) } else { members.to_vec() }
    }

    /// The group of a step with the version that the server is known to have, if there is one.
    fn known_group(&self, id: &str) -> Option<ScimGroup> {
        let version = self.ends.version(id, self.step.version.as_deref())?;
        let mut known = ScimGroup { id: Some(id.to_owned()), ..ScimGroup::default() };
        known.set_version(&version);
        Some(known)
    }

    /// The group that an earlier step has created.
    fn created_group(&self, id: &str) -> ScimGroup {
        ScimGroup { id: Some(id.to_owned()), ..ScimGroup::new(&self.step.name) }
    }

    fn not_kept(&self, member: &Reference) -> String {
        match self.step.action {
            Action::AddMembers => format!("the server does not show {member} in the group"),
            _ => format!("the server still shows {member} in the group"),
        }
    }
}

/// The group, with all members that the server shows if the step needs them.
#[maybe_async]
async fn read<R: ScimRepository>(repository: &R, id: &str, needs_members: bool) -> Result<Option<ScimGroup>> {
    if needs_members { read_group(repository, id).await } else { repository.get(id).await }
}

/// The outcome if the group, or another one with its name or external id, already exists.
pub(super) fn found_group(found: Found<ScimGroup>) -> Option<Done<ScimGroup>> {
    match found {
        Found::Sent(held) => Some((Outcome::Unneeded, Some(held))),
        Found::Other(held) => Some((Outcome::Skipped("another group has this name now".to_owned()), Some(held))),
        Found::Perhaps(held) => {
            let reason = "a group with this externalId exists, with another name".to_owned();
            Some((Outcome::Skipped(reason), Some(held)))
        }
        Found::Nothing => None,
    }
}

/// Checks that the group shows all of its members, before a request that replaces them as a whole.
fn check_whole(profile: &Profile, held: &ScimGroup) -> Result<()> {
    if !profile.may_hide_members(held.member_ids().count()) {
        return Ok(());
    }
    let why = "the server may not show all members of the group, and this change could remove the others; a probe \
               finds where it shows all, or set its member limit in the profile";
    Err(Error::new(ErrorKind::Unsupported, why).in_operation(Operation::Patch("group")))
}

/// The error of a step that has changed some members.
fn partly_done(error: Error) -> Error {
    let why = format!("some members of the step were changed; then this failed: {error}");
    of_members(error, why)
}

/// The error of a step whose members were accepted and could not be read back.
fn unread(error: Error) -> Error {
    let why = format!("the server has accepted the members, and they could not be read back: {error}");
    of_members(error, why)
}

fn of_members(error: Error, why: String) -> Error {
    let error = Error::new(error.kind(), why).with_source(error).with_outcome(WriteOutcome::Unknown);
    error.in_operation(Operation::Patch("group"))
}

/// Whether the server may have rejected a request because of its members, so that fewer may be accepted. What a
/// gateway says is about the size of a request at most.
fn is_about_members(error: &Error) -> bool {
    let is_rejected = match error.kind() {
        ErrorKind::BadRequest | ErrorKind::NotFound => error.sender() != Sender::Intermediary,
        kind => kind == ErrorKind::PayloadTooLarge,
    };
    is_rejected && error.write_outcome() == Some(WriteOutcome::NotApplied)
}
