//! The settings of a full server.

use crate::SandboxBuilder;
use crate::quirks::Base;

/// What a bulk request may be, at most (RFC 7644 §3.7.4).
#[derive(Clone, Copy, Debug)]
pub(crate) struct BulkLimits {
    pub(crate) max_operations: usize,
    pub(crate) max_payload_size: usize,
}

/// What a full server offers.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Whether it is served at all, in place of WATS.
    pub(crate) is_on: bool,
    pub(crate) bulk: Option<BulkLimits>,
    pub(crate) cursors: bool,
    pub(crate) me: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        let bulk = BulkLimits { max_operations: 1000, max_payload_size: 1_048_576 };
        Self { is_on: false, bulk: Some(bulk), cursors: false, me: None }
    }
}

/// A complete SCIM 2.0 server in place of WATS.
impl SandboxBuilder {
    /// Serves all of RFC 7643 and RFC 7644 at `/scim/v2`, in place of what WATS has.
    ///
    /// There are `/Users` with the enterprise and the WATS extension, `/Groups`, `/Bulk`,
    /// `/.search` here and at each endpoint, `/ServiceProviderConfig`, `/ResourceTypes` and
    /// `/Schemas`; `/Me` answers 501 unless [`me`](Self::me) is called. Nothing of WATS is left
    /// but the sample [`users`](Self::users); the quirks of lists, PATCH and creates apply as in
    /// the WATS mode. The default is the WATS mode.
    ///
    /// - **Credentials**: the token, as `Basic` or as `Bearer`; discovery needs none.
    /// - **Writes** keep attributes that no schema has, except that the path of a PATCH must name
    ///   one that exists (`invalidPath`). Passwords are accepted and not kept.
    /// - **Members** of a group must exist; their `type`, `display` and `$ref` are the server's. A
    ///   user's `groups` lists its direct groups and is no part of the user's version.
    /// - **PATCH** (§3.5.2) that adds `emails[type eq "work"].value` where there is no such value
    ///   creates one, as servers for Entra ID do; other value paths that select nothing answer
    ///   `noTarget`.
    /// - **Versions** (§3.14) are weak entity tags, `W/"1"` for a new resource. A write that changes
    ///   nothing keeps the version.
    /// - **Lists** hold 100 resources where no `count` is given, and never more than 1000, or
    ///   [`page_cap`](Self::page_cap).
    ///
    /// ```
    /// use wats_scim_sandbox::Sandbox;
    ///
    /// let sandbox = Sandbox::builder().standard().users(3).start()?;
    /// assert!(sandbox.scim_url().ends_with("/scim/v2"));
    /// assert!(sandbox.groups().is_empty());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn standard(mut self) -> Self {
        self.quirks.base = Base::Standard;
        self.standard.is_on = true;
        self
    }

    /// How many operations a bulk request may have, and how many bytes (RFC 7644 §3.7.4).
    ///
    /// One that is larger is answered with 413. The default is 1000 operations and 1 MiB; it has
    /// an effect after [`standard`](Self::standard) only.
    pub fn bulk_limits(mut self, max_operations: usize, max_payload_size: usize) -> Self {
        self.standard.bulk = Some(BulkLimits { max_operations, max_payload_size });
        self
    }

    /// Has no `/Bulk`: it answers 501, and `/ServiceProviderConfig` says so.
    ///
    /// By default there is one; this has an effect after [`standard`](Self::standard) only.
    pub fn no_bulk(mut self) -> Self {
        self.standard.bulk = None;
        self
    }

    /// Answers lists that are asked for with `cursor` a page at a time, by cursors (RFC 9865).
    ///
    /// Lists can be asked for by `startIndex` too. By default `cursor` is ignored; this has an
    /// effect after [`standard`](Self::standard) only. The results are fixed when the first page
    /// is asked for. Cursors can be used again, and those of all but the last 64 queries have
    /// expired.
    pub fn cursors(mut self) -> Self {
        self.standard.cursors = true;
        self
    }

    /// Answers `/Me` (RFC 7644 §3.11) with the user of this name, in any letter case.
    ///
    /// It is not redirected: GET, PUT, PATCH and DELETE work on it as at the user's own address,
    /// which is in `Content-Location`. Without such a user it is 404. The default is 501; it has
    /// an effect after [`standard`](Self::standard) only.
    pub fn me(mut self, user_name: impl Into<String>) -> Self {
        self.standard.me = Some(user_name.into());
        self
    }
}
