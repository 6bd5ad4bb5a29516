/// What one bulk request may hold (RFC 7643 §5), as a server describes it.
///
/// ```
/// use wats_scim::Profile;
///
/// // WATS takes no bulk requests.
/// assert_eq!(Profile::wats().bulk(), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BulkLimits {
    /// The most operations.
    pub max_operations: usize,
    /// The most bytes of the body.
    pub max_payload_size: usize,
}
