use serde::Serialize;

/// The progress of a listing, a batch or an apply.
///
/// ```
/// # let sandbox = wats_scim_sandbox::Sandbox::builder().users(3).start()?;
/// # let credentials = wats_scim::Credentials::wats_token(sandbox.token());
/// # let client = wats_scim::blocking::ScimClient::new(sandbox.base_url(), credentials)?;
/// let mut users = client.iter_users().on_page(|progress| {
///     println!("page {}: {} of {:?} users", progress.pages, progress.done, progress.total);
/// });
/// assert_eq!(users.by_ref().count(), 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Progress {
    /// The number of resources listed, or of writes or steps with a result.
    pub done: u64,
    /// The number of writes or steps that failed or were skipped; 0 for a listing.
    pub failed: u64,
    /// The total number of resources, writes or steps, if known.
    pub total: Option<u64>,
    /// The number of pages that a listing has read; 0 for a batch or an apply.
    pub pages: u64,
}

impl Progress {
    /// Creates the progress of writes from an iterator with this size hint.
    pub(crate) fn of(size_hint: (usize, Option<usize>)) -> Self {
        let (least, most) = size_hint;
        let total = most.filter(|most| *most == least).and_then(|total| u64::try_from(total).ok());
        Self { total, ..Self::default() }
    }

    pub(crate) fn count(&mut self, is_failure: bool) {
        self.done += 1;
        self.failed += u64::from(is_failure);
    }
}
