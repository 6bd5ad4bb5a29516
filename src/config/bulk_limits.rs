use std::num::NonZero;

use serde::{Deserialize, Deserializer, Serialize};

/// The limits of one bulk request, from the server's configuration (RFC 7643 §5).
///
/// ```
/// use wats_scim::Profile;
///
/// // WATS does not support bulk requests.
/// assert_eq!(Profile::wats().bulk(), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct BulkLimits {
    /// The maximum number of operations.
    #[serde(deserialize_with = "positive")]
    pub max_operations: usize,
    /// The maximum size of the body, in bytes.
    #[serde(deserialize_with = "positive")]
    pub max_payload_size: usize,
}

fn positive<'de, D: Deserializer<'de>>(number: D) -> Result<usize, D::Error> {
    NonZero::<usize>::deserialize(number).map(NonZero::get)
}
