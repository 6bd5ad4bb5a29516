use std::fmt;

use serde::{Deserialize, Serialize};

/// Where the reason for a step is found: a row of the source, or a resource of a server.
///
/// ```
/// use wats_scim::plan::Origin;
///
/// let origin = Origin::row(Some("people.csv"), 12);
/// assert_eq!(origin.to_string(), "people.csv:12");
/// assert_eq!(serde_json::to_string(&origin)?, r#"{"file":"people.csv","line":12}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Origin {
    /// A row of the source.
    #[non_exhaustive]
    Row {
        /// The file, if the source was read from one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        file: Option<String>,
        /// The 1-based number of the line on which the row begins.
        line: u64,
    },
    /// A resource of a server.
    #[non_exhaustive]
    Held {
        /// The address of the server, if it is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        server: Option<String>,
        /// The id of the resource.
        id: String,
    },
}

impl Origin {
    /// A row of a file, by the 1-based number of its line.
    #[must_use]
    pub fn row(file: Option<&str>, line: u64) -> Self {
        Self::Row { file: file.map(ToOwned::to_owned), line }
    }

    /// A resource of a server.
    #[must_use]
    pub fn held(server: Option<&str>, id: impl Into<String>) -> Self {
        Self::Held { server: server.map(ToOwned::to_owned), id: id.into() }
    }
}

/// `people.csv:12`, `line 12`, or `id 7f3a`.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Row { file: Some(file), line } => write!(f, "{file}:{line}"),
            Self::Row { file: None, line } => write!(f, "line {line}"),
            Self::Held { server: _, id } => write!(f, "id {id}"),
        }
    }
}

/// Where each user of a source is from: the file, and a line for each user. It takes 8 bytes a user.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origins {
    pub(crate) file: Option<String>,
    /// The line of each user, in their order.
    pub(crate) lines: Vec<u64>,
}

impl Origins {
    /// The origin of the user at this index; `None` beyond the last one.
    pub(crate) fn get(&self, index: usize) -> Option<Origin> {
        self.lines.get(index).map(|line| Origin::row(self.file.as_deref(), *line))
    }
}
