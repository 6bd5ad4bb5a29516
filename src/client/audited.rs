//! Writes on record: before their first request and after their last. Without an audit, nothing is
//! done for it.

use std::iter::{once, repeat};

use super::{HttpClient, HttpScimRepository, ScimService, example};
use crate::audit::{Record, Subject};
use crate::error::{Error, Result};
use crate::exchange::Call;
use crate::model::Resource;

impl<C: HttpClient + Clone> ScimService<HttpScimRepository<C>> {
    /// The same service under another label in the audit trail, such as who is acting, or a
    /// ticket. It shares the connections, the pace and the trail; without an
    /// [`audit`](crate::ScimConfig::audit) the label is not used.
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
        let mut repository = self.repository().clone();
        repository.audit = repository.audit.map(|audit| audit.label(label));
        Self::with_repository(repository)
    }
}

impl<C> HttpScimRepository<C> {
    /// The call of one or more writes, once they are on record. What cannot be sent is on record
    /// as refused. Whether values are told is up to the audit.
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

    /// The check of a write that is to go with others. One that cannot is on record as refused.
    pub(super) fn checked(&self, check: Result<()>, subject: impl FnOnce(bool) -> Subject) -> Result<()> {
        if let (Some(audit), Err(error)) = (&self.audit, &check) {
            Record::reject(audit, subject(audit.with_values), error);
        }
        check
    }

    /// The result of a write, once it is on record.
    pub(super) fn ended<T: Resource, V>(
        &self,
        record: Record,
        result: Result<V>,
        shown: impl FnOnce(&V) -> Option<&T>,
    ) -> Result<V> {
        let result = result.map_err(|error| self.endpoint.without_secrets(error));
        record.end(once(result.as_ref().map(shown)));
        result
    }

    /// The results of all writes of a request, once they are on record.
    pub(super) fn all_ended<T: Resource>(
        &self,
        record: Record,
        results: Result<Vec<Result<Option<T>>>>,
    ) -> Result<Vec<Result<Option<T>>>> {
        let hide = |error: Error| self.endpoint.without_secrets(error);
        let hidden = |results: Vec<Result<_>>| results.into_iter().map(|result| result.map_err(hide)).collect();
        let results: Result<Vec<Result<Option<T>>>> = results.map(hidden).map_err(hide);
        match &results {
            Ok(results) => record.end(results.iter().map(|result| result.as_ref().map(Option::as_ref))),
            Err(error) => record.end::<T>(repeat(Err(error))),
        }
        results
    }
}
