//! The settings of a WATS server.

use std::io;
use std::time::Duration;

use super::Sandbox;
use super::directory::Directory;
use super::gate::Gate;
use super::routes::{Base, Wats};
use crate::example::example;
use crate::setup::{Setup, rejected, shared_settings};

/// Builds a [`Sandbox`] with users, latency and quirks.
///
/// By default the server has no users, answers at once, records all requests and has no quirks. Each
/// quirk was seen on a real server.
///
#[doc = example!("Sandbox":
    "use std::time::Duration;\n\n",
    "let sandbox = Sandbox::builder()\n",
    "    .users(250)\n",
    "    .page_cap(50)\n",
    "    .latency(Duration::from_millis(5))\n",
    "    .start()?;\n",
    "assert_eq!(sandbox.users().len(), 250);",
)]
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing until `start` is called"]
pub struct SandboxBuilder {
    setup: Setup,
    base: Base,
    token_lifetime: Option<Duration>,
}

impl SandboxBuilder {
    shared_settings!("Sandbox");

    /// Serves the SCIM base `/scim/v2` instead of `/api/SCIM/v2`.
    ///
    /// The server then has neither the token route nor the by-name route of WATS, so a client finds a
    /// user by name only with a filter. PATCH still follows the rules of WATS.
    ///
    #[doc = example!("Sandbox":
        "let sandbox = Sandbox::builder().standard_path().start()?;\n",
        "assert!(sandbox.scim_url().ends_with(\"/scim/v2\"));\n",
        "let token = send(\"GET\", &format!(\"{}/Token\", sandbox.scim_url()), sandbox.token(), \"\")?;\n",
        "assert!(token.starts_with(\"HTTP/1.1 404\"));",
    )]
    pub fn standard_path(mut self) -> Self {
        self.base = Base::Standard;
        self
    }

    /// The lifetime of the tokens of the token route, overriding the duration in the request.
    ///
    /// The default is the number of days in the request, or 90. A lifetime of zero creates tokens that
    /// are expired when they are used.
    ///
    #[doc = example!("Sandbox":
        "use std::time::Duration;\n\n",
        "use serde_json::Value;\n\n",
        "let sandbox = Sandbox::builder().token_lifetime(Duration::ZERO).start()?;\n",
        "let answer = send(\"GET\", &format!(\"{}/Token\", sandbox.scim_url()), sandbox.token(), \"\")?;\n",
        "let body: Value = serde_json::from_str(answer.split_once(\"\\r\\n\\r\\n\").unwrap_or_default().1)?;\n",
        "let expired = body[\"token\"].as_str().unwrap_or_default();\n",
        "let answer = send(\"GET\", &format!(\"{}/Users\", sandbox.scim_url()), expired, \"\")?;\n",
        "assert!(answer.starts_with(\"HTTP/1.1 401\"));",
    )]
    pub fn token_lifetime(mut self, lifetime: Duration) -> Self {
        self.token_lifetime = Some(lifetime);
        self
    }

    /// Starts the server. It accepts requests when this returns.
    ///
    #[doc = example!("Sandbox":
        "let sandbox = Sandbox::builder().users(2).start()?;\n",
        "let answer = send(\"GET\", &format!(\"{}/Users\", sandbox.scim_url()), sandbox.token(), \"\")?;\n",
        "assert!(answer.contains(\"\\\"totalResults\\\":2\"));",
    )]
    ///
    /// # Errors
    ///
    /// If the server rejects one of the given users, or if a loopback port, a thread or a runtime is not
    /// available.
    pub fn start(self) -> io::Result<Sandbox> {
        let (base, lifetime) = (self.base, self.token_lifetime);
        let running = self.setup.start(base.path(), |place, setup| {
            let mut directory = Directory::new(format!("{}/Users", place.scim_url));
            for user in setup.all_users() {
                let user = user?;
                directory.seed(user.clone()).map_err(|refusal| rejected(&user, &refusal))?;
            }
            let gate = Gate::new(place.account.clone(), place.origin, lifetime);
            Ok(Wats { directory, gate, base, quirks: setup.quirks.clone() })
        })?;
        Ok(Sandbox { running })
    }
}
