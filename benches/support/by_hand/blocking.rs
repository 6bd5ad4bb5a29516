//! By hand over ureq.

use std::io::Read;
use std::time::Duration;

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{Response, StatusCode};
use ureq::{Agent, Body};

use super::{ACCEPT_SCIM, AGENT, MOST_BYTES, PlainPage, PlainUser, SCIM_JSON, Target, decoded};
use crate::support::Result;

pub(crate) struct ByHand {
    agent: Agent,
    target: Target,
}

impl ByHand {
    pub(crate) fn new(base: &str) -> Result<Self> {
        let timeout = Some(Duration::from_secs(30));
        // A timeout for each part of a call: for a global one, ureq looks the server's name up on a
        // thread that it starts for every request.
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .timeout_connect(Some(Duration::from_secs(10)))
            .timeout_send_request(timeout)
            .timeout_send_body(timeout)
            .timeout_recv_response(timeout)
            .timeout_recv_body(timeout)
            .max_idle_connections(256)
            .max_idle_connections_per_host(256)
            .build()
            .new_agent();
        Ok(Self { agent, target: Target::new(base)? })
    }

    pub(crate) fn get_user(&self, id: &str) -> Result<Option<PlainUser>> {
        let (status, body) = read(self.get(&self.target.user(id))?)?;
        if status == StatusCode::NOT_FOUND { Ok(None) } else { decoded(status, &body).map(Some) }
    }

    pub(crate) fn get_users(&self, start: u64, count: u64) -> Result<PlainPage> {
        let (status, body) = read(self.get(&self.target.page(start, count))?)?;
        decoded(status, &body)
    }

    pub(crate) fn create_user(&self, user: &PlainUser) -> Result<PlainUser> {
        let response = self
            .agent
            .post(self.target.users())
            .header(ACCEPT, ACCEPT_SCIM)
            .header(AUTHORIZATION, self.target.authorization.clone())
            .header(USER_AGENT, AGENT)
            .header(CONTENT_TYPE, SCIM_JSON)
            .send(serde_json::to_vec(user)?)?;
        let (status, body) = read(response)?;
        decoded(status, &body)
    }

    fn get(&self, url: &str) -> Result<Response<Body>> {
        Ok(self
            .agent
            .get(url)
            .header(ACCEPT, ACCEPT_SCIM)
            .header(AUTHORIZATION, self.target.authorization.clone())
            .header(USER_AGENT, AGENT)
            .call()?)
    }
}

fn read(response: Response<Body>) -> Result<(StatusCode, Vec<u8>)> {
    let status = response.status();
    let body = response.into_body();
    let length = body.content_length().unwrap_or(0).min(MOST_BYTES);
    let mut bytes = Vec::with_capacity(usize::try_from(length)?);
    body.into_reader().take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len())? > MOST_BYTES {
        return Err("the answer is too large".into());
    }
    Ok((status, bytes))
}
