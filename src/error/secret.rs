use std::borrow::Cow;
use std::fmt;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use zeroize::Zeroizing;

/// A token or a password.
///
/// `Debug` prints `[redacted]`, `Display` is not implemented, and the memory is wiped on drop. Only
/// [`expose`](Self::expose) returns the text.
///
/// ```
/// let secret = wats_scim::Secret::new("s3cret");
/// assert_eq!(format!("{secret:?}"), "[redacted]");
/// assert_eq!(secret.expose(), "s3cret");
/// ```
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Creates a secret from its text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// Returns the text. Do not log it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

/// The secrets of a client, in the forms in which a server may repeat them in an answer.
///
/// Whatever an error quotes from an answer goes through [`hide`](Self::hide) before it is shortened,
/// so that no part of a secret remains.
#[derive(Clone, Debug, Default)]
pub(crate) struct Secrets(Vec<Secret>);

impl Secrets {
    const REDACTED: &'static str = "[redacted]";

    /// A shorter secret is only found as a whole word: it would match parts of ordinary words.
    const LONG: usize = 8;

    pub(crate) fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let mut forms = Vec::new();
        for secret in secrets {
            let encoded = utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string();
            let unpadded = secret.trim_end_matches('=').to_owned();
            forms.extend([with_lower_hex(&encoded), encoded, secret.to_owned(), unpadded]);
        }
        forms.retain(|form| !form.is_empty());
        // A form that contains another one comes first.
        forms.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
        forms.dedup();
        Self(forms.into_iter().map(Secret::new).collect())
    }

    /// These secrets and others.
    pub(crate) fn with<'a>(&self, others: impl IntoIterator<Item = &'a str>) -> Self {
        self.and(&Self::new(others))
    }

    /// These secrets and those.
    pub(crate) fn and(&self, others: &Self) -> Self {
        let mut all: Vec<Secret> = self.0.iter().chain(&others.0).cloned().collect();
        all.sort_by_key(|secret| std::cmp::Reverse(secret.expose().len()));
        Self(all)
    }

    /// Replaces the secrets in a text.
    pub(crate) fn hide<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.0.iter().fold(Cow::Borrowed(text), |text, secret| match hidden(&text, secret.expose()) {
            Some(hidden) => Cow::Owned(hidden),
            None => text,
        })
    }
}

/// Percent-encoded text with the other spelling of its digits: `%3d` for `%3D`.
fn with_lower_hex(encoded: &str) -> String {
    let mut digits = 0_u8;
    let mut lower = String::with_capacity(encoded.len());
    for c in encoded.chars() {
        lower.push(if digits > 0 { c.to_ascii_lowercase() } else { c });
        digits = if c == '%' { 2 } else { digits.saturating_sub(1) };
    }
    lower
}

/// The text without a secret; `None` if it does not contain it.
fn hidden(text: &str, secret: &str) -> Option<String> {
    let (mut hidden, mut rest, mut is_found) = (String::new(), text, false);
    while let Some((before, after)) = rest.split_once(secret) {
        hidden.push_str(before);
        let touches_a_word = hidden.ends_with(char::is_alphanumeric) || after.starts_with(char::is_alphanumeric);
        if secret.len() < Secrets::LONG && touches_a_word {
            hidden.push_str(secret);
        } else {
            hidden.push_str(Secrets::REDACTED);
            is_found = true;
        }
        rest = after;
    }
    hidden.push_str(rest);
    is_found.then_some(hidden)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_secret_is_hidden() {
        let secrets = Secrets::new(["dTpzM2NyZXQ+/w==", "u:s3cret->\u{ff}", "s3cret->\u{ff}"]);
        for text in [
            "bad header: Basic dTpzM2NyZXQ+/w==",
            "dTpzM2NyZXQ+/w",
            "dTpzM2NyZXQ%2B%2Fw%3D%3D",
            "?token=dTpzM2NyZXQ%2b%2fw%3d%3d&x",
            "user u:s3cret->\u{ff}",
            "password s3cret->\u{ff}s3cret->\u{ff}",
        ] {
            let hidden = secrets.hide(text);
            assert!(!hidden.contains("s3cret") && !hidden.contains("dTpz"), "{text}: {hidden}");
            assert!(hidden.contains("[redacted]"), "{text}: {hidden}");
        }
        assert!(matches!(secrets.hide("nothing"), Cow::Borrowed("nothing")));
    }

    #[test]
    fn a_short_secret_does_not_garble_ordinary_words() {
        let secrets = Secrets::new(["known", "p"]);
        assert_eq!(secrets.hide("unknown user, knowns, pp"), "unknown user, knowns, pp");
        assert_eq!(secrets.hide("known: (known) =p"), "[redacted]: ([redacted]) =[redacted]");
        assert_eq!(secrets.hide("knownknown"), "knownknown");
    }
}
