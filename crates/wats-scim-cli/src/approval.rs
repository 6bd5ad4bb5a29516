//! Approvals: files that admit exactly one plan, by its digest.

use std::fs;
use std::path::Path;

use chrono::{SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::plan_file;

const FORMAT: &str = "wats-scim-approval/1";

/// Who approved which plan, when and why.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Approval {
    format: String,
    pub(crate) digest: String,
    pub(crate) approved_by: String,
    pub(crate) approved_at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
}

impl Approval {
    pub(crate) fn new(digest: String, approved_by: String, reason: Option<String>) -> Self {
        let approved_at = Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true);
        Self { format: FORMAT.to_owned(), digest, approved_by, approved_at, reason }
    }

    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let text = fs::read(path).map_err(|error| Failure::file(path, error))?;
        let approval: Self = serde_json::from_slice(&text)
            .map_err(|error| Failure::file(path, format!("it is no approval: {error}")))?;
        if approval.format == FORMAT {
            Ok(approval)
        } else {
            Err(Failure::file(path, "it is no approval that this version reads"))
        }
    }

    pub(crate) fn write(&self, path: &Path) -> Result<(), Failure> {
        plan_file::store(path, self)
    }

    pub(crate) fn is_of(&self, digest: &str) -> bool {
        self.digest.eq_ignore_ascii_case(digest)
    }
}

/// Whether a text has the form of a digest.
pub(crate) fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
