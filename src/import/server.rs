use super::error::ImportError;
use crate::plan::{Current, Desired};

/// Takes the directory of a server as the source of a plan for another one.
///
/// The ids of the server are not those of another one, so members and managers are named by `userName`. A group
/// whose members could not be read keeps those that it has.
///
/// ```
/// use wats_scim::ScimUser;
/// use wats_scim::import::directory_of;
/// use wats_scim::plan::{Current, Policy};
///
/// let source = Current::complete(vec![ScimUser::new("ann").with_external_id("1")]); // From `current_directory`.
/// let target = Current::complete(Vec::new());
/// let plan = Policy::default().plan(&target, &directory_of(&source)?)?;
/// assert_eq!(plan.steps[0].name, "ann");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// An [`ImportError`] if the list of users is incomplete, or with the users and groups that could not be found
/// again on another server, such as two users with one `externalId`; the line is the place in the list.
pub fn directory_of(current: &Current) -> Result<Desired, ImportError> {
    // A line for each user and group, which errors name.
    let export = serde_json::to_vec(current).map_err(|error| ImportError::unreadable(error.to_string()))?;
    super::directory_from_json(export)
}
