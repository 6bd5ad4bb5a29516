/// How far a listing, a batch or an apply has come.
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// How many resources were listed, or how many writes or steps have a result.
    pub done: u64,
    /// How many of the writes or steps failed or were skipped; 0 for a listing.
    pub failed: u64,
    /// How many there are in all, if that is known.
    pub total: Option<u64>,
    /// How many pages a listing has read; 0 for writes and steps.
    pub pages: u64,
}

impl Progress {
    /// Of writes from an iterator with this size hint.
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
