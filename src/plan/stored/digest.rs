//! The digest of a plan, by which it is approved.

use std::fmt::Write;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::audit::format;
use crate::plan::Plan;
use crate::plan::stored::Head;
use crate::plan::stored::secrets::StoredStep;

impl Plan {
    /// The SHA-256 of all that the stored plan says, in hexadecimal: 64 digits. A plan has the same digest
    /// before and after it was stored, whatever the white space and the order of members in the file.
    ///
    /// [`ScimApply::approved`](crate::blocking::ScimApply::approved) applies exactly the plan with a digest.
    /// It takes time in proportion to the number of steps.
    ///
    /// It is computed from JSON in a canonical form (no white space, the members of each object in the order
    /// of their names in UTF-8): the plan without the members `digest` and `steps`, then each step after a
    /// line feed. A plan has a random `salt`, so that values cannot be guessed from the digest.
    ///
    /// ```
    /// use wats_scim::{Profile, ScimUser};
    /// use wats_scim::plan::{Current, Plan, Policy};
    ///
    /// let plan = Policy::new(&Profile::wats()).plan(&Current::complete(vec![]), &[ScimUser::new("ann")])?;
    /// let stored = serde_json::to_string_pretty(&plan)?;
    /// assert_eq!(serde_json::from_str::<Plan>(&stored)?.digest(), plan.digest());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        // What cannot be written as JSON is neither stored nor sent.
        put(&serde_json::to_value(Head::of(self, format::PLAN)).unwrap_or_default(), &mut hash);
        for step in &self.steps {
            let step = StoredStep { step, with_passwords: self.stores_passwords };
            hash.update(b"\n");
            put(&serde_json::to_value(step).unwrap_or_default(), &mut hash);
        }
        hash.finalize().iter().fold(String::with_capacity(64), |mut digest, byte| {
            // Writing to a string does not fail.
            let _ = write!(digest, "{byte:02x}");
            digest
        })
    }
}

/// Adds a value in the canonical form.
fn put(value: &Value, hash: &mut Sha256) {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            list(b"{", members, b"}", hash, |(name, value), hash| {
                text(name, hash);
                hash.update(b":");
                put(value, hash);
            });
        }
        Value::Array(items) => list(b"[", items, b"]", hash, put),
        Value::String(value) => text(value, hash),
        plain => hash.update(plain.to_string()),
    }
}

fn text(text: &str, hash: &mut Sha256) {
    hash.update(serde_json::to_string(text).unwrap_or_default());
}

fn list<T>(
    open: &[u8],
    items: impl IntoIterator<Item = T>,
    close: &[u8],
    hash: &mut Sha256,
    put: impl Fn(T, &mut Sha256),
) {
    hash.update(open);
    for (number, item) in items.into_iter().enumerate() {
        if number > 0 {
            hash.update(b",");
        }
        put(item, hash);
    }
    hash.update(close);
}
