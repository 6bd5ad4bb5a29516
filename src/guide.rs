//! The guide: one page for each topic.
//!
//! The pages are also in the folder `docs` of the package. Every program in them runs as a test.

/// Each page is a module, so that rustdoc shows it. Of two definitions of a link, Markdown uses the
/// first: these links work in rustdoc, and those at the end of a page work for readers of the file.
macro_rules! pages {
    ($($page:ident: $reference:literal)*) => {$(
        /// [audit_trail]: crate::guide::audit_trail
        /// [cancellation]: crate::guide::cancellation
        /// [coming_from_pywats]: crate::guide::coming_from_pywats
        /// [dependency_injection]: crate::guide::dependency_injection
        /// [errors_and_retries]: crate::guide::errors_and_retries
        /// [many_users]: crate::guide::many_users
        /// [plans]: crate::guide::plans
        /// [scim_servers]: crate::guide::scim_servers
        /// [security]: crate::guide::security
        /// [testing]: crate::guide::testing
        ///
        #[doc = include_str!(concat!("../docs/", stringify!($page), ".md"))]
        ///
        /// ## Reference
        ///
        #[doc = $reference]
        pub mod $page {}
    )*};
}

pages! {
    coming_from_pywats: "[`ScimService`](crate::blocking::ScimService), [`WatsService`](crate::blocking::WatsService), \
                         [`ListQuery`](crate::ListQuery), [`ScimToken`](crate::ScimToken)"
    many_users: "[`ScimListing`](crate::blocking::ScimListing), [`ScimBatch`](crate::blocking::ScimBatch), \
                 [`ScimWrite`](crate::ScimWrite), [`Filter`](crate::Filter), [`Progress`](crate::Progress)"
    plans: "[`plan`](crate::plan), [`import`](crate::import), [`ScimApply`](crate::blocking::ScimApply)"
    audit_trail: "[`audit`](crate::audit), [`ScimConfig::audit`](crate::ScimConfig::audit)"
    errors_and_retries: "[`Error`](crate::Error), [`ErrorKind`](crate::ErrorKind), \
                         [`WriteOutcome`](crate::WriteOutcome), [`RetryPolicy`](crate::RetryPolicy)"
    cancellation: "[`asynchronous`](crate::asynchronous), [`blocking`](crate::blocking), \
                   [`Journal`](crate::plan::Journal), [`Trail`](crate::audit::Trail)"
    testing: "the crate [`wats-scim-sandbox`](https://docs.rs/wats-scim-sandbox)"
    scim_servers: "[`Profile`](crate::Profile), [`ScimResources`](crate::blocking::ScimResources), \
                   [`Resource`](crate::Resource), [`Target`](crate::Target), [`Extension`](crate::Extension), \
                   [`ScimValue`](crate::ScimValue), [`Schemas`](crate::Schemas)"
    dependency_injection: "[`HttpClient`](crate::blocking::HttpClient), \
                           [`ScimRepository`](crate::blocking::ScimRepository), [`transport`](crate::transport)"
    security: "[`Credentials`](crate::Credentials), [`Secret`](crate::Secret), [`ScimConfig`](crate::ScimConfig)"
}
