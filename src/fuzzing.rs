//! Private functions that the fuzz targets call.

use std::path::Path;
use std::time::SystemTime;

use http::{HeaderMap, HeaderValue};

use crate::error::{ErrorMessage, Result, Secrets};
use crate::exchange::bulk_results;
use crate::model::ScimWrite;
use crate::plan::{Journal, OpenJournal, Outcome, Plan};
use crate::wats::ScimToken;

/// Reads the detail and the `scimType` of an error body.
#[must_use]
pub fn error_message(body: &[u8]) -> (Option<String>, Option<String>) {
    let message = ErrorMessage::read(body, &Secrets::default());
    (message.detail, message.scim_type)
}

/// Reads the detail and the `scimType` of an error body that may contain a secret of the client.
#[must_use]
pub fn redacted_message(body: &[u8], secret: &str) -> (Option<String>, Option<String>) {
    let message = ErrorMessage::read(body, &Secrets::new([secret]));
    (message.detail, message.scim_type)
}

/// Assigns the results of a bulk request to its writes: whether each write was applied.
#[must_use]
pub fn bulk(writes: &[ScimWrite], answer: &serde_json::Value) -> Vec<bool> {
    let writes: Vec<_> = writes.iter().collect();
    bulk_results(&writes, answer, &Secrets::default()).iter().map(Result::is_ok).collect()
}

/// Reads a token reply.
#[must_use]
pub fn token(reply: &serde_json::Value) -> Option<ScimToken> {
    ScimToken::read(reply).ok()
}

/// Reads a `Retry-After` header.
#[must_use]
pub fn retry_after(header: &[u8]) -> Option<std::time::Duration> {
    let value = HeaderValue::from_bytes(header).ok()?;
    crate::exchange::retry_after(&HeaderMap::from_iter([(http::header::RETRY_AFTER, value)]), SystemTime::now())
}

/// Opens the journal of a plan: whether each step is done.
///
/// # Errors
///
/// As an apply.
pub fn journal(path: &Path, plan: &Plan) -> Result<Vec<bool>> {
    let journal = open(path, plan)?;
    Ok((0..plan.steps.len()).map(|step| journal.is_done(step)).collect())
}

/// Records in the journal of a plan that a step begins and is applied.
///
/// # Errors
///
/// As an apply.
pub fn record_in_journal(path: &Path, plan: &Plan, step: usize) -> Result<()> {
    let journal = open(path, plan)?;
    let Some(of) = plan.steps.get(step) else { return Ok(()) };
    journal.begin(step, of)?;
    journal.end(step, of, None, &Outcome::Applied)
}

fn open(path: &Path, plan: &Plan) -> Result<OpenJournal> {
    let journal = Journal::at(path);
    OpenJournal::open(&journal, plan)?.ok_or_else(|| journal.in_use())
}
