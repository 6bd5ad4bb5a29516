//! An axum service with metrics of its SCIM requests, as Prometheus reads them.
//! `cargo run --features async --example metrics -- 127.0.0.1:3000`; without an address, it calls itself

mod support;

use std::collections::BTreeMap;
use std::env;
use std::error::Error;
use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Path, State};
use axum::http::{Request, StatusCode};
use axum::routing::{get, post};
use axum::{Router, body::Body};
use http_body_util::BodyExt;
use tower::ServiceExt;
use wats_scim::asynchronous::ScimClient;
use wats_scim::{RequestEvent, ScimUser};

/// Number and duration of requests, by their labels.
#[derive(Clone, Default)]
struct Metrics(Arc<Mutex<BTreeMap<String, (u64, f64)>>>);

impl Metrics {
    fn count(&self, request: &RequestEvent) {
        let outcome = match (request.status, request.error) {
            (Some(status), _) => status.as_str().to_owned(),
            (None, error) => error.map_or("cancelled", |kind| kind.as_str()).to_owned(),
        };
        let retry = request.retry.map_or("", |reason| reason.as_str());
        let RequestEvent { method, endpoint, .. } = request;
        let labels = format!(r#"method="{method}",endpoint="{endpoint}",outcome="{outcome}",retry="{retry}""#);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (count, seconds) = all.entry(labels).or_default();
        *count += 1;
        *seconds += request.duration.as_secs_f64();
    }

    fn text(&self) -> String {
        let mut text = String::from("# TYPE scim_request_duration_seconds summary\n");
        for (labels, (count, seconds)) in &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            let _ = writeln!(text, "scim_request_duration_seconds_count{{{labels}}} {count}");
            let _ = writeln!(text, "scim_request_duration_seconds_sum{{{labels}}} {seconds:.6}");
        }
        text
    }
}

async fn create(State(scim): State<ScimClient>, Path(name): Path<String>) -> Result<StatusCode, (StatusCode, String)> {
    let created = scim.create_user(&ScimUser::new(name)).await;
    created.map(|_| StatusCode::CREATED).map_err(|error| (error.kind().http_status(), error.to_scim().to_string()))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (config, _sandbox) = support::server(0)?;
    let metrics = Metrics::default();
    let counted = metrics.clone();
    let scim = ScimClient::with_config(&config.on_request(move |request| counted.count(request)))?;
    let service = Router::new()
        .route("/users/{name}", post(create))
        .with_state(scim)
        .route("/metrics", get(async move || metrics.text()));

    if let Some(address) = env::args().nth(1) {
        return Ok(axum::serve(tokio::net::TcpListener::bind(address).await?, service).await?);
    }
    let user = format!("/users/metrics-{}@example.com", std::process::id());
    for (method, path) in [("POST", user.as_str()), ("POST", &user), ("GET", "/metrics")] {
        let answer = service.clone().oneshot(Request::builder().method(method).uri(path).body(Body::empty())?).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        println!("{method} {path}: {status}\n{}", String::from_utf8_lossy(&body));
    }
    Ok(())
}
