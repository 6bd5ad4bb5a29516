//! By hand over reqwest.

use std::time::Duration;

use http::StatusCode;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use reqwest::{Client, RequestBuilder, Response};

use super::{ACCEPT_SCIM, AGENT, MOST_BYTES, PlainPage, PlainUser, SCIM_JSON, Target, decoded};
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

    async fn send(&self, request: RequestBuilder) -> Result<Response> {
        let request = request
            .header(ACCEPT, ACCEPT_SCIM)
            .header(AUTHORIZATION, self.target.authorization.clone())
            .header(USER_AGENT, AGENT);
        Ok(request.send().await?)
    }
}

/// No TLS is spoken here, but a client wants to have it.
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
