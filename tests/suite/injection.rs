//! Layers that are chosen at run time, and code over any repository.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::channel;

use http::Request;
use serde::{Deserialize, Serialize};
use wats_scim::audit::{Event, Trail};
use wats_scim::plan::Policy;
use wats_scim::{Credentials, ErrorKind, Profile, Resource, Result, ScimConfig, ScimGroup, ScimUser};
use wats_scim_sandbox::{Sandbox, StandardSandbox};

use super::in_memory::{InMemory, life_cycle};
use crate::api::{DynHttpClient, DynScimRepository, DynScimService, ScimRepository, ScimService};
use crate::{ScimClient, Transport, answering, maybe_async, test};

#[derive(Clone, Debug, Deserialize, Serialize)]
struct Device {
    id: Option<String>,
    serial: String,
}

impl Resource for Device {
    const NAME: &'static str = "device";
    const ENDPOINT: &'static str = "Devices";
    const SCHEMA: &'static str = "urn:example:2.0:Device";
    const NAMED_BY: &'static str = "serial";

    fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    fn name(&self) -> Option<&str> {
        Some(&self.serial)
    }
}

#[maybe_async]
#[test]
async fn one_type_serves_every_repository() {
    let sandbox = Sandbox::start().unwrap();
    let services: [DynScimService; 3] = [
        super::client(&sandbox).boxed(),
        ScimService::with_repository(InMemory::default()).boxed(),
        ScimService::with_repository(InMemory::default()).boxed().boxed(),
    ];
    for service in services {
        life_cycle(&service).await;
    }
}

#[maybe_async]
#[test]
async fn a_boxed_service_has_all_methods_of_its_repository() {
    let sandbox = StandardSandbox::builder().users(3).start().unwrap();
    let config = ScimConfig::new(sandbox.scim_url(), Credentials::bearer(sandbox.token()));
    let client = ScimClient::with_config(&config).unwrap();
    let client = client.discover().await.unwrap();
    let boxed = client.boxed();
    assert_eq!(boxed.profile(), client.profile());
    assert_eq!(boxed.repository().server(), Some(config.scim_url().unwrap().as_str()));
    assert_eq!(boxed.repository().bulk_limits(), client.repository().bulk_limits());
    let created = boxed.groups().create(&ScimGroup::new("Testers")).await.unwrap();
    let replaced = boxed.groups().replace(&created).await;
    assert!(replaced.is_ok());
    let users = boxed.create_users(["ann", "bob"].map(ScimUser::new)).run().await;
    assert!(users.iter().all(|item| item.result.is_ok()));
    assert!(super::received(&sandbox).iter().any(|request| request.ends_with("/Bulk")), "a batch is sent in bulk");
    let error = boxed.users().me().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[maybe_async]
#[test]
async fn a_boxed_repository_knows_the_types_it_was_made_for() {
    let boxed = ScimService::with_repository(DynScimRepository::new(InMemory::default()));
    let error = boxed.resources::<Device>().get("1").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("DynScimRepository::builder"), "{error}");

    let repository = DynScimRepository::builder(InMemory::default()).resources::<Device>().build();
    let devices = ScimService::with_repository(repository).resources::<Device>();
    let created = devices.create(&Device { id: None, serial: "S1".into() }).await.unwrap();
    let found = devices.get_by_name("S1").await.unwrap();
    assert_eq!(found.unwrap().id, created.id);
}

#[maybe_async]
#[test]
async fn a_label_reaches_the_trail_through_a_box() {
    let sandbox = Sandbox::start().unwrap();
    let (trail, events) = channel();
    let audit = Trail::to(move |event: &Event| drop(trail.send(event.clone())));
    let client = ScimClient::with_config(&super::config(&sandbox).audit(audit)).unwrap().boxed();
    client.labelled("ann").create_user(&ScimUser::new("jane")).await.unwrap();
    client.create_user(&ScimUser::new("john")).await.unwrap();
    let labels: Vec<_> = events.try_iter().map(|event| event.label).collect();
    let ann = Some("ann".to_owned());
    assert_eq!(labels, [ann.clone(), ann, None, None]);
}

/// Generic code, over any repository.
#[maybe_async]
async fn planned<R: ScimRepository>(service: &ScimService<R>) -> Result<usize> {
    let service = service.labelled("night");
    let current = service.current_users().await?;
    let plan = Policy::new(service.profile()).plan(&current, &[ScimUser::new("jane")]).unwrap();
    Ok(plan.steps.len())
}

#[maybe_async]
#[test]
async fn generic_code_plans_over_any_repository() {
    let sandbox = Sandbox::start().unwrap();
    let steps = planned(&super::client(&sandbox)).await;
    assert_eq!(steps.unwrap(), 1);
    let memory = ScimService::with_repository(InMemory::default());
    assert_eq!(memory.profile(), &Profile::standard());
    let steps = planned(&memory).await;
    assert_eq!(steps.unwrap(), 1);
    let steps = planned(&memory.boxed()).await;
    assert_eq!(steps.unwrap(), 1);
}

#[maybe_async]
#[test]
async fn the_transport_is_chosen_at_run_time() {
    let sandbox = Sandbox::builder().users(2).start().unwrap();
    let config = super::config(&sandbox);
    for is_offline in [true, false] {
        let transport = if is_offline {
            DynHttpClient::new(answering(|_| super::answer(200, "application/json", r#"{"Resources": []}"#)))
        } else {
            DynHttpClient::new(Transport::new(&config).unwrap())
        };
        let client = ScimService::with_http_client(&config, transport).unwrap();
        let mut users = client.iter_users();
        let user = users.try_next().await;
        assert_eq!(user.unwrap().is_none(), is_offline);
    }
}

/// A counter that cannot be cloned.
struct Counter(AtomicU32);

#[maybe_async]
#[test]
async fn a_transport_need_not_be_clone_for_views() {
    let counter = Arc::new(Counter(AtomicU32::new(0)));
    let seen = Arc::clone(&counter);
    let transport = DynHttpClient::new(answering(move |_: Request<Vec<u8>>| {
        seen.0.fetch_add(1, Ordering::Relaxed);
        super::answer(200, "application/json", r#"{"id": "1"}"#)
    }));
    let config = ScimConfig::new("https://acme.wats.com", Credentials::wats_token("dTpw"));
    let client = ScimService::with_http_client(&config, transport).unwrap();
    let view = client.with_header("X-Tenant", "a").unwrap().with_timeout(super::MS * 1000).labelled("ann");
    view.get_user("1").await.unwrap();
    client.get_user("1").await.unwrap();
    assert_eq!(counter.0.load(Ordering::Relaxed), 2);
}
