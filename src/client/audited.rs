//! Records writes in the audit trail, before the first request and after the last one. Without a
//! trail, this does nothing.

use std::iter::{once, repeat};

use super::{HttpScimRepository, ScimRepository, ScimService, example};
use crate::audit::{Record, Subject};
use crate::error::Result;
use crate::exchange::Call;
use crate::model::Resource;

impl<R: ScimRepository> ScimService<R> {
    /// Returns a service whose writes have this label in the audit trail, such as the acting user or a
    /// ticket number. It shares the connections, the rate limit and the trail with this one. Without
    /// an [`audit`](crate::ScimConfig::audit) trail, the label has no effect; a repository of your own
    /// can support labels with [`ScimRepository::labelled`].
    ///
    #[doc = example!(
        "# use wats_scim::ScimConfig;\n\
         # use wats_scim::audit::{Event, Trail};\n\
         let (trail, events) = std::sync::mpsc::channel();\n\
         let audit = Trail::to(move |event: &Event| drop(trail.send(event.clone())));\n\
         let config = ScimConfig::new(sandbox.base_url(), Credentials::wats_token(sandbox.token())).audit(audit);\n\
         let client = ScimClient::with_config(&config)?;\n\
         let ann = client.labelled(\"ann, ticket 4711\");\n\
         ann.create_user(&ScimUser::new(\"jane@example.com\"))" await "?;\n\
         assert_eq!(events.recv()?.label.as_deref(), Some(\"ann, ticket 4711\"));"
    )]
    #[must_use]
    pub fn labelled(&self, label: impl Into<String>) -> Self {
        let labelled = self.repository().labelled(&label.into());
        labelled.map_or_else(|| self.clone(), Self::with_repository)
    }
}

impl<C> HttpScimRepository<C> {
    /// Records the start of one or more writes and returns their call. A write that cannot be sent is
    /// recorded as rejected. The trail decides whether values are recorded.
    pub(super) fn recorded(
        &self,
        call: Result<Call>,
        subjects: impl FnOnce(bool) -> Vec<Subject>,
    ) -> Result<(Call, Record)> {
        let Some(audit) = &self.audit else { return Ok((call?, Record::default())) };
        let subjects = subjects(audit.with_values);
        match call {
            Ok(call) => {
                let record = Record::begin(audit, subjects).map_err(|error| error.in_operation(call.operation))?;
                Ok((call.counted_by(record.attempts()), record))
            }
            Err(error) => {
                for subject in subjects {
                    Record::reject(audit, subject, &error);
                }
                Err(error)
            }
        }
    }

    /// Returns the check of a write that is part of a bulk request. A failed one is recorded as rejected.
    pub(super) fn checked(&self, check: Result<()>, subject: impl FnOnce(bool) -> Subject) -> Result<()> {
        if let (Some(audit), Err(error)) = (&self.audit, &check) {
            Record::reject(audit, subject(audit.with_values), error);
        }
        check
    }
}

/// Records the result of a write and returns it.
pub(super) fn ended<T: Resource, V>(
    record: Record,
    result: Result<V>,
    shown: impl FnOnce(&V) -> Option<&T>,
) -> Result<V> {
    record.end(once(result.as_ref().map(shown)));
    result
}

/// Records the results of all writes of a bulk request and returns them.
pub(super) fn all_ended<T: Resource>(
    record: Record,
    results: Result<Vec<Result<Option<T>>>>,
) -> Result<Vec<Result<Option<T>>>> {
    match &results {
        Ok(results) => record.end(results.iter().map(|result| result.as_ref().map(Option::as_ref))),
        Err(error) => record.end::<T>(repeat(Err(error))),
    }
    results
}
