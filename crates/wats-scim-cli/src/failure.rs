//! How a run ends: its exit code, and the sentence that says why.

use std::process::ExitCode;

use serde_json::{Value, json};
use wats_scim::import::ImportError;
use wats_scim::{Error, ErrorKind};

/// The exit codes. A script can rely on them; any other code means failure, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It is done, or there was nothing to do.
    Done = 0,
    /// It failed.
    Error = 1,
    /// `plan --detailed-exitcode` found changes.
    Changes = 2,
    /// A guard rejected the plan, or it waits for approval.
    Rejected = 3,
    /// It is done in part; the same command resumes it.
    Partly = 4,
    /// The server rejected the credentials.
    Credentials = 5,
    /// The server cannot be reached.
    Unreachable = 6,
    /// The arguments are wrong.
    Usage = 64,
    /// It was interrupted.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command did not do what it was asked for. `Display` is a sentence that says what to do next.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// An error of the library.
    #[error("{0}")]
    Scim(#[from] Error),
    /// A source that cannot be read.
    #[error("{0}")]
    Import(#[from] ImportError),
    /// A file or a setting that cannot be used.
    #[error("{0}")]
    Other(String),
    /// A guard rejected the plan, or it waits for approval.
    #[error("{0}")]
    Rejected(String),
    /// It is done in part.
    #[error("{0}")]
    Partly(String),
    /// The arguments do not fit each other.
    #[error("{0}")]
    Usage(String),
    /// It was interrupted.
    #[error("{0}")]
    Interrupted(String),
    /// Standard output cannot be written.
    #[error("the output cannot be written: {0}")]
    Output(#[from] std::io::Error),
}

impl Failure {
    /// A file that cannot be used.
    pub(crate) fn file(path: &std::path::Path, error: impl std::fmt::Display) -> Self {
        Self::Other(format!("{}: {error}", path.display()))
    }

    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Scim(error) => match error.kind() {
                ErrorKind::Unauthorized => Exit::Credentials,
                ErrorKind::Connection | ErrorKind::Timeout => Exit::Unreachable,
                _ => Exit::Error,
            },
            Self::Import(_) | Self::Other(_) | Self::Output(_) => Exit::Error,
            Self::Rejected(_) => Exit::Rejected,
            Self::Partly(_) => Exit::Partly,
            Self::Usage(_) => Exit::Usage,
            Self::Interrupted(_) => Exit::Interrupted,
        }
    }

    /// For `--json`: an error of the library as it serializes it, any other one with the same names.
    pub(crate) fn to_json(&self) -> Value {
        let kind = match self {
            Self::Scim(error) => return serde_json::to_value(error).unwrap_or_default(),
            Self::Import(error) => {
                let mut json = serde_json::to_value(error).unwrap_or_default();
                if let Some(members) = json.as_object_mut() {
                    members.insert("kind".to_owned(), "import".into());
                }
                return json;
            }
            Self::Other(_) => "other",
            Self::Rejected(_) => "rejected",
            Self::Partly(_) => "partly",
            Self::Usage(_) => "usage",
            Self::Interrupted(_) => "interrupted",
            Self::Output(_) => "output",
        };
        json!({ "kind": kind, "message": self.to_string() })
    }
}
