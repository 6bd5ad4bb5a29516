//! The servers that were logged in to, by name, without their secrets: `profiles.toml`.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use chrono::{SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use toml::value::Datetime;
use wats_scim::Profile;

use crate::failure::Failure;
use crate::secrets::Store;
use crate::server::Kind;
use crate::{place, private};

/// The content of the file.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Profiles {
    /// The name of the profile that is used if none is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) current: Option<String>,
    #[serde(default, rename = "profiles")]
    pub(crate) saved: BTreeMap<String, Saved>,
}

/// A server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Saved {
    pub(crate) url: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) kind: Option<Kind>,
    /// With a user name, the secret is its password; else it is a token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ca: Option<PathBuf>,
    /// Where the secret is.
    pub(crate) secret: Store,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) measured: Option<Measured>,
}

/// What a server was seen to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Measured {
    pub(crate) at: Datetime,
    /// A [`Profile`]. It is read when it is used: another version of the command may have written it.
    features: toml::Table,
}

impl Measured {
    pub(crate) fn now(features: &Profile) -> Result<Self, Failure> {
        let other = |error: &dyn fmt::Display| Failure::Other(format!("what was measured cannot be kept: {error}"));
        let at = Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true).parse().map_err(|error| other(&error))?;
        let features = toml::Table::try_from(features).map_err(|error| other(&error))?;
        Ok(Self { at, features })
    }

    pub(crate) fn features(&self) -> Result<Profile, Failure> {
        self.features.clone().try_into().map_err(|error| {
            let error = error.to_string();
            Failure::Other(format!(
                "what was measured of the server cannot be used ({}); run `wats-scim doctor --keep` again",
                error.trim_end()
            ))
        })
    }
}

impl Profiles {
    pub(crate) fn read() -> Result<Self, Failure> {
        let path = path()?;
        let Some(text) = private::read(&path)? else { return Ok(Self::default()) };
        toml::from_str(&text).map_err(|error| Failure::file(&path, error.to_string().trim_end()))
    }

    /// Changes the file, while no other run does.
    pub(crate) fn change<T>(change: impl FnOnce(&mut Self) -> Result<T, Failure>) -> Result<T, Failure> {
        let _lock = private::lock(&place::configuration()?)?;
        let mut profiles = Self::read()?;
        let file = private::NewFile::create(&path()?)?;
        let result = change(&mut profiles)?;
        let text = toml::to_string(&profiles).map_err(|error| Failure::Other(error.to_string()))?;
        file.keep(text.as_bytes())?;
        Ok(result)
    }

    /// # Errors
    ///
    /// [`Failure::Usage`] if there is no profile with this name.
    pub(crate) fn named(&self, name: &str) -> Result<&Saved, Failure> {
        self.saved.get(name).ok_or_else(|| {
            let names: Vec<_> = self.saved.keys().map(String::as_str).collect();
            let known = if names.is_empty() { "nor any other".to_owned() } else { format!("but {}", names.join(", ")) };
            Failure::Usage(format!("there is no profile {name:?}, {known}; `wats-scim login {name}` adds it"))
        })
    }
}

/// Checks a name that is given to a new profile.
pub(crate) fn check_name(name: &str) -> Result<(), Failure> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !name.is_empty() && !name.starts_with('-') && name.chars().all(is_plain) {
        return Ok(());
    }
    Err(Failure::Usage("a profile has a name of letters, digits, `-`, `_` and `.`, such as acme".to_owned()))
}

fn path() -> Result<PathBuf, Failure> {
    Ok(place::configuration()?.join("profiles.toml"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_are_written_as_they_are_read() {
        let text = "current = \"lab\"\n\n[profiles.lab]\nurl = \"https://lab.example.com/v2\"\nkind = \"standard\"\n\
                    user = \"admin\"\nca = \"/etc/lab.pem\"\nsecret = \"keyring\"\n";
        let profiles: Profiles = toml::from_str(text).unwrap();
        assert_eq!(toml::to_string(&profiles).unwrap(), text);
    }

    #[test]
    fn what_was_measured_is_read_as_it_was_kept_and_a_part_of_it_is_not_used() {
        for features in [Profile::wats(), Profile::standard().with_member_limit(100).allow_versions_in_bulk()] {
            let measured = Measured::now(&features).unwrap();
            let text = toml::to_string(&measured).unwrap();
            let mut read: Measured = toml::from_str(&text).unwrap();
            assert_eq!(read.features().unwrap(), features, "{text}");
            read.features.remove("filters");
            let message = read.features().unwrap_err().to_string();
            assert!(message.contains("filters") && message.contains("doctor --keep"), "{message}");
        }
    }

    #[test]
    fn an_unknown_word_in_the_file_is_an_error_and_not_lost() {
        assert!(toml::from_str::<Profiles>("[profiles.a]\nurl = \"x\"\nsecret = \"file\"\ntoken = \"t\"").is_err());
    }

    #[test]
    fn a_name_cannot_be_taken_for_a_flag_or_a_path() {
        for name in ["acme", "acme.wats.com", "a-b_c"] {
            check_name(name).unwrap();
        }
        for name in ["", "-a", "a/b", "a b", "ä", "a\n"] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }
}
