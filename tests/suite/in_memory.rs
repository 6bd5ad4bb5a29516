//! The service with a custom repository, in memory.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde_json::Value;
use wats_scim::{
    Error, ErrorKind, ListQuery, Operation, Resource, Result, ScimListResponse, ScimPatchRequest, ScimToken, ScimUser,
    Target,
};

use crate::api::{ScimRepository, ScimService};
use crate::{maybe_async, test};

/// The contract of every repository.
#[maybe_async]
pub(crate) async fn life_cycle<R: ScimRepository>(service: &ScimService<R>) {
    let jane = ScimUser::new("jane@example.com").with_display_name("Jane Doe").with_external_id("4711");
    let created = service.create_user(&jane).await.unwrap();
    let id = created.id.clone().unwrap();
    assert_eq!(
        (created.user_name.as_deref(), created.external_id.as_deref()),
        (Some("jane@example.com"), Some("4711"))
    );

    let conflict = service.create_user(&jane).await.unwrap_err();
    assert_eq!(conflict.kind(), ErrorKind::Conflict);

    let answer = service.get_user(&id).await;
    assert_eq!(answer.unwrap().unwrap().id, created.id);
    let answer = service.get_user_by_username("JANE@example.com").await;
    assert_eq!(answer.unwrap().unwrap().id, created.id);
    let answer = service.get_user("missing").await;
    assert!(answer.unwrap().is_none());
    let answer = service.get_user_by_username("missing").await;
    assert!(answer.unwrap().is_none());

    let mut users = service.iter_users();
    let answer = users.try_next().await;
    assert_eq!(answer.unwrap().unwrap().id, created.id);
    let answer = users.try_next().await;
    assert!(answer.unwrap().is_none());

    service.update_display_name(&id, "Jane Roe").await.unwrap();
    let answer = service.get_user(&id).await;
    assert_eq!(answer.unwrap().unwrap().display_name.as_deref(), Some("Jane Roe"));
    service.deactivate_user(&id).await.unwrap();
    let answer = service.get_user(&id).await;
    assert_eq!(answer.unwrap().unwrap().active, Some(false));
    service.set_user_active(&id, true).await.unwrap();
    let answer = service.get_user(&id).await;
    assert_eq!(answer.unwrap().unwrap().active, Some(true));

    service.delete_user(&id).await.unwrap();
    let answer = service.get_user(&id).await;
    assert!(answer.unwrap().is_none());
    let answer = service.delete_user(&id).await;
    assert_eq!(answer.unwrap_err().kind(), ErrorKind::NotFound);
    let answer = service.deactivate_user(&id).await;
    assert_eq!(answer.unwrap_err().kind(), ErrorKind::NotFound);
}

/// Resources as JSON, by id.
#[derive(Default)]
pub(crate) struct InMemory(Mutex<BTreeMap<String, Value>>);

impl InMemory {
    fn find<T: Resource>(&self, id: &str) -> Option<T> {
        self.0.lock().unwrap().get(id).map(|value| serde_json::from_value(value.clone()).unwrap())
    }

    fn all<T: Resource>(&self) -> Vec<T> {
        self.0.lock().unwrap().values().map(|value| serde_json::from_value(value.clone()).unwrap()).collect()
    }

    fn named<T: Resource>(&self, name: &str) -> Option<T> {
        self.all::<T>().into_iter().find(|one| one.name().is_some_and(|known| known.eq_ignore_ascii_case(name)))
    }
}

#[maybe_async(AFIT)]
impl ScimRepository for InMemory {
    async fn token(&self, _: Option<u32>) -> Result<ScimToken> {
        Err(Error::new(ErrorKind::Unsupported, "there are no tokens in memory").in_operation(Operation::GetToken))
    }

    async fn get<T: Resource>(&self, id: &str) -> Result<Option<T>> {
        Ok(self.find(id))
    }

    async fn get_by_name<T: Resource>(&self, name: &str) -> Result<Option<T>> {
        Ok(self.named(name))
    }

    async fn list<T: Resource>(&self, query: &ListQuery) -> Result<ScimListResponse<T>> {
        let all = self.all();
        let skip = usize::try_from(query.start_index.unwrap_or(1) - 1).unwrap();
        Ok(ScimListResponse {
            total_results: u64::try_from(all.len()).ok(),
            resources: all.into_iter().skip(skip).collect(),
            ..ScimListResponse::default()
        })
    }

    async fn create<T: Resource>(&self, resource: &T) -> Result<T> {
        if self.named::<T>(resource.name().unwrap()).is_some() {
            return Err(Error::new(ErrorKind::Conflict, "the name is taken").in_operation(Operation::Create(T::NAME)));
        }
        let mut value = serde_json::to_value(resource).unwrap();
        let id = format!("id-{}", self.all::<T>().len());
        value["id"] = id.clone().into();
        self.0.lock().unwrap().insert(id.clone(), value);
        Ok(self.find(&id).unwrap())
    }

    async fn patch<T: Resource>(&self, target: Target<'_>, patch: &ScimPatchRequest) -> Result<Option<T>> {
        let mut all = self.0.lock().unwrap();
        let absent =
            || Error::new(ErrorKind::NotFound, "there is no such resource").in_operation(Operation::Patch(T::NAME));
        let value = all.get_mut(target.as_id()).ok_or_else(absent)?;
        for operation in &patch.operations {
            value[operation.path.as_deref().unwrap()] = operation.value.clone().unwrap();
        }
        Ok(None)
    }

    async fn delete<T: Resource>(&self, target: Target<'_>) -> Result<()> {
        let absent =
            || Error::new(ErrorKind::NotFound, "there is no such resource").in_operation(Operation::Delete(T::NAME));
        self.0.lock().unwrap().remove(target.as_id()).map(drop).ok_or_else(absent)
    }
}

#[maybe_async]
#[test]
async fn the_service_works_with_any_repository() {
    let service = ScimService::with_repository(InMemory::default());
    life_cycle(&service).await;
    let answer = service.get_token(None).await;
    assert_eq!(answer.unwrap_err().to_string(), "could not get token: there are no tokens in memory");
}
