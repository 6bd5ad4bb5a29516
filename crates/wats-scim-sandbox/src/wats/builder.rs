//! What a WATS server is like before it starts.

use std::io;
use std::time::Duration;

use super::Sandbox;
use super::directory::Directory;
use super::gate::Gate;
use super::routes::{Base, Wats};
use crate::example::example;
use crate::setup::{Setup, rejected, shared_settings};

/// Sets up a [`Sandbox`]: its users, how fast it answers, and how it misbehaves.
///
/// Without any setting it has no users, answers at once, records every request and follows the
/// rules. Each quirk was seen on a real server.
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

    /// Serves a bare RFC 7644 base, `/scim/v2`, in place of `/api/SCIM/v2`.
    ///
    /// It has neither the Token route nor the by-name route of WATS, so a user is found by name
    /// only through a filter. The rules of PATCH stay those of WATS.
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

    /// How long the tokens of the Token route are valid, whatever a request asks for.
    ///
    /// The default is the number of days that the request asks for, or 90. A lifetime of zero gives
    /// tokens that have expired by the time they are used.
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

    /// Starts the server; it answers by the time this returns.
    ///
    #[doc = example!("Sandbox":
        "let sandbox = Sandbox::builder().users(2).start()?;\n",
        "let answer = send(\"GET\", &format!(\"{}/Users\", sandbox.scim_url()), sandbox.token(), \"\")?;\n",
        "assert!(answer.contains(\"\\\"totalResults\\\":2\"));",
    )]
    ///
    /// # Errors
    ///
    /// If the server would not create one of the users that it was given, no loopback port can be
    /// bound, or no thread or runtime started.
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
