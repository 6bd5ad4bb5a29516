//! The version by hand with reqwest.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use http::StatusCode;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use reqwest::{Client, RequestBuilder, Response};

use super::sync::{Change, changes};
use super::{ACCEPT_SCIM, AGENT, MOST_BYTES, PAGE, PlainPage, PlainPatch, PlainUser, SCIM_JSON, Target, decoded, rest};
use crate::support::Result;

pub(crate) struct ByHand {
    client: Client,
    target: Target,
}

impl ByHand {
    pub(crate) fn new(base: &str) -> Result<Self> {
        let client = Client::builder()
            .no_proxy()
            .tls_backend_preconfigured(tls()?)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .timeout(Duration::from_secs(30))
            .connect_timeout(Duration::from_secs(10))
            .build()?;
        Ok(Self { client, target: Target::new(base)? })
    }

    pub(crate) async fn get_user(&self, id: &str) -> Result<Option<PlainUser>> {
        let request = self.client.get(self.target.user(id));
        let (status, body) = read(self.send(request).await?).await?;
        if status == StatusCode::NOT_FOUND { Ok(None) } else { decoded(status, &body).map(Some) }
    }

    pub(crate) async fn get_users(&self, start: u64, count: u64) -> Result<PlainPage> {
        let request = self.client.get(self.target.page(start, count));
        let (status, body) = read(self.send(request).await?).await?;
        decoded(status, &body)
    }

    pub(crate) async fn create_user(&self, user: &PlainUser) -> Result<PlainUser> {
        let request =
            self.client.post(self.target.users()).header(CONTENT_TYPE, SCIM_JSON).body(serde_json::to_vec(user)?);
        let (status, body) = read(self.send(request).await?).await?;
        decoded(status, &body)
    }

    pub(crate) async fn patch_user(&self, id: &str, patch: &PlainPatch) -> Result<PlainUser> {
        let request =
            self.client.patch(self.target.user(id)).header(CONTENT_TYPE, SCIM_JSON).body(serde_json::to_vec(patch)?);
        let (status, body) = read(self.send(request).await?).await?;
        decoded(status, &body)
    }

    /// Reads all users with `in_flight` pages in flight, and passes on each page as it arrives.
    pub(crate) async fn list_all(&self, in_flight: usize, mut each: impl FnMut(Vec<PlainUser>)) -> Result<()> {
        let first = self.get_users(1, PAGE).await?;
        let rest = rest(&first);
        each(first.resources);
        let mut pages = stream::iter(rest).map(|start| self.get_users(start, PAGE)).buffer_unordered(in_flight);
        while let Some(page) = pages.next().await {
            each(page?.resources);
        }
        Ok(())
    }

    /// Creates the users with `in_flight` requests in flight; returns how many were created.
    pub(crate) async fn create_all(&self, in_flight: usize, users: impl Iterator<Item = PlainUser>) -> Result<usize> {
        let creations = stream::iter(users).map(|user| async move { self.create_user(&user).await });
        let mut creations = creations.buffer_unordered(in_flight);
        let mut created = 0;
        while let Some(user) = creations.next().await {
            user?;
            created += 1;
        }
        Ok(created)
    }

    /// Changes the users of the server into the desired ones; returns how many were changed.
    pub(crate) async fn sync(&self, in_flight: usize, desired: &[PlainUser]) -> Result<usize> {
        let mut current = Vec::new();
        self.list_all(in_flight, |page| current.extend(page)).await?;
        let writes = stream::iter(changes(&current, desired)).map(|change| async move {
            match change {
                Change::Create(user) => self.create_user(user).await,
                Change::Patch { id, patch } => self.patch_user(id, &patch).await,
            }
        });
        let mut writes = writes.buffer_unordered(in_flight);
        let mut written = 0;
        while let Some(user) = writes.next().await {
            user?;
            written += 1;
        }
        Ok(written)
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response> {
        let request = request
            .header(ACCEPT, ACCEPT_SCIM)
            .header(AUTHORIZATION, self.target.authorization.clone())
            .header(USER_AGENT, AGENT);
        Ok(request.send().await?)
    }
}

/// TLS is not used here, but reqwest requires a provider.
fn tls() -> Result<rustls::ClientConfig> {
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth())
}

async fn read(mut response: Response) -> Result<(StatusCode, Vec<u8>)> {
    let status = response.status();
    let length = response.content_length().unwrap_or(0).min(MOST_BYTES);
    let mut bytes = Vec::with_capacity(usize::try_from(length)?);
    while let Some(chunk) = response.chunk().await? {
        if u64::try_from(bytes.len() + chunk.len())? > MOST_BYTES {
            return Err("the answer is too large".into());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok((status, bytes))
}
