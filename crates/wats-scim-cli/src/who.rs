//! Which users or groups a command is about.

use crate::context::Context;
use crate::failure::Failure;
use crate::output::shown;
use crate::standard_input;

/// A user or a group, as it is named on the command line or in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// Its name, or its id.
    Text(String),
    /// Its `externalId`.
    ExternalId(String),
    /// Its id, from a line of JSON.
    Id(String),
}

/// Reads names. `-` stands for the lines of standard input: a name each, or a user or group as JSON, as `list`
/// prints it.
pub(crate) fn read(context: &Context, words: &[String]) -> Result<Vec<Who>, Failure> {
    let mut all = Vec::new();
    for (at, word) in words.iter().enumerate() {
        if word != "-" {
            all.push(Who::of(word)?);
        } else if words.iter().take(at).any(|word| word == "-") {
            return Err(Failure::Usage("- is there twice; standard input is read once".to_owned()));
        } else {
            let text = String::from_utf8(standard_input::read(context)?)
                .map_err(|_| Failure::Other("the list on standard input is not UTF-8".to_owned()))?;
            let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim).filter(|line| !line.is_empty());
            for line in lines {
                all.push(Who::of_line(line)?);
            }
        }
    }
    Ok(all)
}

impl Who {
    fn of(word: &str) -> Result<Self, Failure> {
        let word = word.trim();
        let (text, who) = match word.split_once(':') {
            Some((kind, id)) if kind.eq_ignore_ascii_case("externalId") => (id, Self::ExternalId(id.to_owned())),
            _ => (word, Self::Text(word.to_owned())),
        };
        if text.is_empty() {
            return Err(Failure::Usage(format!("{word:?} names neither a user nor a group")));
        }
        Ok(who)
    }

    /// The identifier of a user in a plan or in a trail, which is looked for among all identifiers of a user.
    pub(crate) fn in_text(word: &str) -> Result<String, Failure> {
        Ok(match Self::of(word)? {
            Self::Text(text) | Self::ExternalId(text) | Self::Id(text) => text,
        })
    }

    fn of_line(line: &str) -> Result<Self, Failure> {
        if !line.starts_with('{') {
            return Self::of(line);
        }
        let object: serde_json::Value = serde_json::from_str(line).unwrap_or_default();
        match object.get("id").and_then(|id| id.as_str()) {
            Some(id) if !id.is_empty() => Ok(Self::Id(id.to_owned())),
            _ => Err(Failure::Usage(format!("a line of standard input is no JSON object with an id: {}", shown(line)))),
        }
    }
}

impl std::fmt::Display for Who {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) | Self::Id(text) => f.write_str(&shown(text)),
            Self::ExternalId(id) => write!(f, "externalId:{}", shown(id)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_a_name_or_id_unless_it_begins_with_external_id() {
        assert_eq!(Who::of(" jane:doe ").unwrap(), Who::Text("jane:doe".to_owned()));
        assert_eq!(Who::of("EXTERNALID:hr:7").unwrap(), Who::ExternalId("hr:7".to_owned()));
        assert!(Who::of(" ").is_err() && Who::of("externalId:").is_err());
    }

    #[test]
    fn a_line_can_be_what_list_prints() {
        assert_eq!(Who::of_line(r#"{"userName":"jane","id":"7"}"#).unwrap(), Who::Id("7".to_owned()));
        assert!(Who::of_line(r#"{"userName":"jane"}"#).is_err() && Who::of_line("{").is_err());
    }
}
