//! The total that the server states, and whether it can be believed.

/// The server's `totalResults`.
#[derive(Debug, Default)]
pub(super) struct Total {
    /// The last one that the server stated.
    stated: Option<u64>,
    trust: Trust,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Trust {
    #[default]
    Full,
    /// The total equals the number of resources so far, although the page was as long as pages get:
    /// either the list ends here, or the server sends another number, such as the size of the page.
    /// One more short page tells.
    Suspect,
    /// There are more resources than the total.
    None,
}

impl Total {
    /// Takes the total of a page. Returns whether it differs from the previous one.
    pub(super) fn update(&mut self, stated: Option<u64>) -> bool {
        let is_changed = stated.is_some() && self.stated.is_some_and(|before| stated != Some(before));
        self.stated = stated.or(self.stated);
        is_changed
    }

    pub(super) fn stated(&self) -> Option<u64> {
        self.stated
    }

    /// The total, unless it is known to be wrong.
    pub(super) fn believed(&self) -> Option<u64> {
        self.stated.filter(|_| self.trust != Trust::None)
    }

    /// The total, if there is no doubt about it.
    pub(super) fn trusted(&self) -> Option<u64> {
        self.stated.filter(|_| self.trust == Trust::Full)
    }

    pub(super) fn is_above(&self, number: u64) -> bool {
        self.stated.is_some_and(|total| total > number)
    }

    pub(super) fn is_suspect(&self) -> bool {
        self.trust == Trust::Suspect
    }

    pub(super) fn suspect(&mut self) {
        self.trust = Trust::Suspect;
    }

    pub(super) fn disbelieve(&mut self) {
        self.trust = Trust::None;
    }

    /// Ends a suspicion without a result.
    pub(super) fn drop_suspicion(&mut self) {
        if self.trust == Trust::Suspect {
            self.trust = Trust::Full;
        }
    }
}
