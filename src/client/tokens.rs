//! The credentials of requests, and the waiting for an access token.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::token_provider::AnyProvider;
use super::{HttpClient, Watched, maybe_async};
use crate::config::{AccessToken, Origin, ScimConfig, TokenFile};
use crate::error::{Error, ErrorKind, Result, Secrets};
use crate::exchange::{Answer, Authorization, Budget, Renewal, TimeLeft, TokenEndpoint, Turn, Waited, read_token};
use crate::outside::clock;

/// The credentials of a client, shared by its clones.
pub(super) struct Tokens {
    source: Source,
    /// The secrets of the configuration.
    secrets: Arc<Secrets>,
    renewal: Watched<Renewal>,
}

enum Source {
    Fixed(Arc<Authorization>),
    File(TokenFile),
    Endpoint(Box<TokenEndpoint>),
    Provider(Arc<dyn AnyProvider>),
}

impl Tokens {
    pub(super) fn new(config: &ScimConfig) -> Result<Self> {
        let mut secrets = Arc::new(config.secrets());
        let source = match config.credentials.origin()? {
            Origin::Fixed(header) => {
                let secrets = Arc::clone(&secrets);
                Source::Fixed(Arc::new(Authorization { header, secrets, ..Authorization::default() }))
            }
            Origin::File(file) => Source::File(file),
            Origin::OAuth2(client) => {
                let endpoint = TokenEndpoint::new(client, config)?;
                secrets = Arc::new(endpoint.secrets().and(&secrets));
                Source::Endpoint(Box::new(endpoint))
            }
        };
        Ok(Self::of(source, secrets))
    }

    /// The tokens of a provider, for a client that had these before.
    pub(super) fn provided(provider: Arc<dyn AnyProvider>, before: &Self) -> Self {
        Self::of(Source::Provider(provider), Arc::clone(&before.secrets))
    }

    fn of(source: Source, secrets: Arc<Secrets>) -> Self {
        Self { source, renewal: Watched::new(Renewal::new(Arc::clone(&secrets))), secrets }
    }

    /// Whether a rejected token can be replaced by a new one.
    pub(super) fn are_renewed(&self) -> bool {
        !matches!(self.source, Source::Fixed(_))
    }

    /// What a request can be sent with at once, which is nearly always there.
    pub(super) fn ready(&self, now: Instant) -> Option<Arc<Authorization>> {
        match &self.source {
            Source::Fixed(authorization) => return Some(Arc::clone(authorization)),
            Source::File(file) if file.has_changed() => self.renewal.change(Renewal::outdate),
            _ => {}
        }
        self.renewal.look(|renewal| renewal.ready(now))
    }

    /// Takes note of an answer to a request that was authorized so. Returns whether the token was accepted
    /// before: it has expired then, and was not wrong from the start.
    pub(super) fn judge(&self, authorization: &Authorization, answer: &Result<Answer>) -> bool {
        if authorization.renewal == 0 {
            return false;
        }
        if answer.as_ref().is_err_and(|error| error.kind() == ErrorKind::Unauthorized) {
            self.renewal.change(|renewal| renewal.reject(authorization.renewal));
            return authorization.was_accepted.load(Ordering::Relaxed);
        }
        authorization.was_accepted.store(true, Ordering::Relaxed);
        true
    }
}

#[maybe_async]
impl Tokens {
    /// Waits for a token, or renews it, and returns it with the time.
    pub(super) async fn obtain<C: HttpClient>(
        &self,
        client: &C,
        budget: &Budget<'_>,
        timeout: Duration,
    ) -> Result<(Arc<Authorization>, Instant)> {
        let mut waited = Waited::default();
        loop {
            let time_left = budget.time_left(clock::now());
            let turn = self.renewal.wait(time_left, |renewal| renewal.turn(&mut waited, clock::now())).await;
            match turn {
                Some(Turn::Send(authorization)) => return Ok((authorization, clock::now())),
                Some(Turn::Fail(error)) => return Err(error),
                Some(Turn::Renew(number)) => {
                    let underway = Underway { tokens: self, number };
                    let begun = clock::now();
                    let token = self.renew(client, budget.time_left(begun).min(timeout)).await;
                    underway.end(token, begun);
                }
                None => return Err(late().without_token()),
            }
        }
    }

    async fn renew<C: HttpClient>(&self, client: &C, time_left: Duration) -> Result<AccessToken> {
        match &self.source {
            Source::Fixed(_) => Err(Error::invalid("these credentials are not renewed")),
            Source::File(file) => file.read(),
            Source::Provider(provider) => provider.boxed_token().await,
            Source::Endpoint(endpoint) => {
                let (mut request, secrets) = endpoint.request(clock::date(), [clock::random(), clock::random()])?;
                request.extensions_mut().insert(TimeLeft(time_left));
                match client.send(request).await {
                    Ok(response) => read_token(&response, &secrets, clock::date()),
                    Err(error) => Err(endpoint.no_answer(error)),
                }
            }
        }
    }
}

#[cold]
fn late() -> Error {
    Error::new(ErrorKind::Timeout, "it was not there in the time that the operation has (RetryPolicy::deadline)")
}

/// A renewal in flight. Dropped before its end, because its request is cancelled or has panicked, it
/// leaves the renewal to another request.
struct Underway<'a> {
    tokens: &'a Tokens,
    number: u64,
}

impl Underway<'_> {
    fn end(self, token: Result<AccessToken>, begun: Instant) {
        self.tokens.renewal.change(|renewal| renewal.end(self.number, token, begun, clock::now()));
    }
}

impl Drop for Underway<'_> {
    fn drop(&mut self) {
        self.tokens.renewal.change(|renewal| renewal.abandon(self.number));
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.source {
            Source::Fixed(_) => "Fixed",
            Source::File(_) => "File",
            Source::Endpoint(_) => "OAuth2",
            Source::Provider(_) => "TokenProvider",
        })
    }
}
