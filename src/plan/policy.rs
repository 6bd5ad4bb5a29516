use std::fmt;

use serde::{Deserialize, Serialize};
use wats_scim_filter::Filter;

use crate::config::Profile;
use crate::model::ScimUser;
use crate::plan::groups::GroupRules;
use crate::plan::guard::limits::Limits;
use crate::plan::identity::ours::{Bounds, Ours, Standing, keys};
use crate::plan::values::attributes::{Attributes, Empty, Write};
use crate::plan::values::mapping::Mapping;

/// The rules by which a [`Plan`](crate::plan::Plan) is computed: what happens to leavers, who is protected, and which
/// limits a plan may not exceed.
///
/// By default, users that are missing from the server are created, users that differ are updated,
/// inactive users are reactivated, and users that are missing from the source are deactivated.
/// **Attributes missing from the source are left unchanged**; [`clears`](Self::clears) names
/// attributes to clear.
///
/// Users are matched by `externalId`, or else by `userName`. User names are compared by RFC 8265
/// (`UsernameCaseMapped`): in any letter case and width, composed or decomposed. Users whose match is
/// ambiguous are left unchanged and reported as a [conflict](crate::plan::Conflict). A user whose name the source
/// gives to another person, with another `externalId`, is missing from the source. It is in conflict if
/// it looks like the same person with a new `externalId`: both have the same name, or few users match by
/// their `externalId` at all.
///
/// A policy deactivates, deletes and renames only users [with an `externalId`](Ours), unless
/// [`ours`](Self::ours) says otherwise, and no [protected](Self::protect) one.
///
/// ```
/// use wats_scim::{Profile, ScimUser};
/// use wats_scim::plan::{Current, Leavers, Policy};
///
/// let policy = Policy::new(&Profile::wats())
///     .protect(["admin@example.com"])
///     .leavers(Leavers::Keep)
///     .max_deactivations(20);
/// # let _ = policy;
/// ```
///
/// A policy is serde data, so that a nightly job can be a configuration file. Settings that are not in the
/// file have their default:
///
/// ```
/// use wats_scim::Profile;
/// use wats_scim::plan::Policy;
///
/// let file = r#"{
///     "who": { "ours": { "withPrefix": "hr-" }, "scope": "userType eq \"Employee\"", "protected": ["admin"] },
///     "leavers": "deactivate",
///     "attributes": { "displayName": { "write": "on_create" }, "title": { "empty": "clear" } },
///     "limits": { "deactivations": { "count": 50, "percent": 10 }, "mustContain": ["jane@example.com"] }
/// }"#;
/// let policy = serde_json::from_str::<Policy>(file)?.profile(&Profile::wats());
/// # let _ = policy;
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Policy {
    /// The server accepts only the patches of WATS.
    pub(super) is_wats: bool,
    pub(super) who: Bounds,
    pub(super) joiners: Joiners,
    pub(super) leavers: Leavers,
    pub(super) reactivates: bool,
    pub(super) adopts_by_email: bool,
    #[serde(skip_serializing_if = "Attributes::is_empty")]
    pub(super) attributes: Attributes,
    pub(super) groups: GroupRules,
    #[serde(skip_serializing_if = "Mapping::is_empty")]
    pub(super) mapping: Mapping,
    pub(super) limits: Limits,
}

/// What happens to users that are missing from the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Joiners {
    /// They are created.
    #[default]
    Create,
    /// They are reported as [conflicts](crate::plan::ConflictKind::NotOnServer).
    Report,
    /// They are ignored.
    Ignore,
}

/// What happens to users that are missing from the source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Leavers {
    /// They are deactivated, and can no longer sign in.
    #[default]
    Deactivate,
    /// They are left unchanged.
    Keep,
    /// They are deleted with their data. This cannot be undone.
    Delete,
}

impl Policy {
    /// A policy for a server with this profile, which decides how changes are sent. WATS accepts few
    /// PATCH paths; differences that they cannot express are reported.
    #[must_use]
    pub fn new(profile: &Profile) -> Self {
        Self {
            is_wats: profile.is_wats(),
            who: Bounds::default(),
            joiners: Joiners::default(),
            leavers: Leavers::default(),
            reactivates: true,
            adopts_by_email: false,
            attributes: Attributes::default(),
            groups: GroupRules::default(),
            mapping: Mapping::default(),
            limits: Limits::default(),
        }
    }

    /// The same policy for a server with this profile, for a policy from a file.
    #[must_use]
    pub fn profile(mut self, profile: &Profile) -> Self {
        self.is_wats = profile.is_wats();
        self
    }

    /// Which users of the server the source owns: the only ones that are ever deactivated, deleted or
    /// renamed. By default those with an `externalId`.
    #[must_use]
    pub fn ours(mut self, ours: Ours) -> Self {
        self.who.ours = ours;
        self
    }

    /// Whether the policy may deactivate, delete and rename this user.
    #[must_use]
    pub fn is_ours(&self, user: &ScimUser) -> bool {
        self.who.standing(user, None) == Standing::Ours
    }

    /// What happens to users that are missing from the server; they are created by default.
    #[must_use]
    pub fn joiners(mut self, joiners: Joiners) -> Self {
        self.joiners = joiners;
        self
    }

    /// What happens to users that are missing from the source; they are deactivated by default.
    #[must_use]
    pub fn leavers(mut self, leavers: Leavers) -> Self {
        self.leavers = leavers;
        self
    }

    /// Whether inactive users that are in the source are reactivated, unless the source marks them as
    /// inactive; true by default.
    #[must_use]
    pub fn reactivates(mut self, reactivates: bool) -> Self {
        self.reactivates = reactivates;
        self
    }

    /// Adopts a user of the server that has the email address of a new user of the source, if that is the only
    /// one in both lists and has no other `externalId`: it gets the `externalId` and the `userName` of the
    /// source. Not by default: then such a user is reported as a [conflict](crate::plan::ConflictKind::SameEmail),
    /// and no user is created.
    #[must_use]
    pub fn adopt_by_email(mut self, adopts: bool) -> Self {
        self.adopts_by_email = adopts;
        self
    }

    /// Names of users and of groups, in any form of the same name, for which no step is made: administrators,
    /// service accounts, groups that grant rights. May be called more than once.
    ///
    /// The user of [`Credentials::basic`](crate::Credentials::basic) and of a WATS token is always protected.
    #[must_use]
    pub fn protect<N: AsRef<str>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.who.protected.extend(keys(names));
        self
    }

    /// Ids and external ids of users and of groups for which no step is made. May be called more than once.
    #[must_use]
    pub fn protect_ids<I: Into<String>>(mut self, ids: impl IntoIterator<Item = I>) -> Self {
        self.who.protected_ids.extend(ids.into_iter().map(Into::into));
        self
    }

    /// Narrows [`ours`](Self::ours) to the users that match a filter.
    ///
    /// ```
    /// use wats_scim::{Filter, Profile};
    /// use wats_scim::plan::Policy;
    ///
    /// let policy = Policy::new(&Profile::wats()).scope(Filter::ew("emails.value", "@example.com"));
    /// # let _ = policy;
    /// ```
    #[must_use]
    pub fn scope(mut self, scope: Filter) -> Self {
        self.who.scope = Some(scope);
        self
    }

    /// Narrows [`ours`](Self::ours) to the users for which a function returns true. A policy with a function
    /// cannot be serialized; [`scope`](Self::scope) can.
    ///
    /// ```
    /// use wats_scim::{Profile, ScimUser};
    /// use wats_scim::plan::Policy;
    ///
    /// let policy = Policy::new(&Profile::wats())
    ///     .concerning(|user: &ScimUser| user.email().is_some_and(|email| email.ends_with("@example.com")));
    /// # let _ = policy;
    /// ```
    #[must_use]
    pub fn concerning(mut self, concerns: impl Fn(&ScimUser) -> bool + Send + Sync + 'static) -> Self {
        self.who.concerns = Some(std::sync::Arc::new(concerns));
        self
    }

    /// Whether groups that are [ours](Self::ours) and missing from the source are deleted; they are left
    /// unchanged by default.
    #[must_use]
    pub fn deletes_groups(mut self, deletes: bool) -> Self {
        self.groups.deletes = deletes;
        self
    }

    /// Whether the members of a nested group become members of the groups around it, for a server or an
    /// application that does not look into nested groups; nested groups are kept by default.
    #[must_use]
    pub fn flattens_groups(mut self, flattens: bool) -> Self {
        self.groups.flattens = flattens;
        self
    }

    /// When the value of an attribute is taken from the source; always by default. The path is that of an
    /// attribute, of a part of it, or of an extension, such as `name.middleName`.
    ///
    /// ```
    /// use wats_scim::Profile;
    /// use wats_scim::plan::{Policy, Write};
    ///
    /// // Users may change their own display name.
    /// let policy = Policy::new(&Profile::standard()).write("displayName", Write::OnCreate);
    /// # let _ = policy;
    /// ```
    #[must_use]
    pub fn write(mut self, path: impl Into<String>, write: Write) -> Self {
        self.attributes.write(path.into(), write);
        self
    }

    /// What it means that the source has no value of an attribute: by default the server's value is left
    /// unchanged. WATS cannot clear attributes.
    #[must_use]
    pub fn empty(mut self, path: impl Into<String>, empty: Empty) -> Self {
        self.attributes.empty(path.into(), empty);
        self
    }

    /// Attributes of the users of the source that are computed from other ones, before anything else. None by
    /// default.
    ///
    /// ```
    /// use wats_scim::plan::{Current, Derived, Mapping, Policy};
    /// use wats_scim::{Profile, ScimUser};
    ///
    /// let mapping = Mapping::new().with("displayName", Derived::template("{userName} (HR)")?)?;
    /// let policy = Policy::new(&Profile::standard()).mapping(mapping);
    /// let plan = policy.plan(&Current::complete(Vec::new()), &[ScimUser::new("ann")])?;
    /// assert_eq!(plan.steps[0].desired.as_ref().and_then(|user| user.display_name.as_deref()), Some("ann (HR)"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn mapping(mut self, mapping: Mapping) -> Self {
        self.mapping = mapping;
        self
    }

    /// Paths of attributes that are cleared if they are missing from the source: [`Empty::Clear`] for each.
    #[must_use]
    pub fn clears<P: Into<String>>(self, paths: impl IntoIterator<Item = P>) -> Self {
        paths.into_iter().fold(self, |policy, path| policy.empty(path, Empty::Clear))
    }
}

/// The default policy for a server that follows the standard; see [`Policy::profile`].
impl Default for Policy {
    fn default() -> Self {
        Self::new(&Profile::standard())
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { is_wats, who, joiners, leavers, reactivates, adopts_by_email, attributes, groups, mapping, limits } =
            self;
        f.debug_struct("Policy")
            .field("is_wats", is_wats)
            .field("who", who)
            .field("joiners", joiners)
            .field("leavers", leavers)
            .field("reactivates", reactivates)
            .field("adopts_by_email", adopts_by_email)
            .field("attributes", attributes)
            .field("groups", groups)
            .field("mapping", mapping)
            .field("limits", limits)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plan::{Current, Derived};

    fn policy() -> Policy {
        Policy::new(&Profile::wats())
            .ours(Ours::WithPrefix("hr-".into()))
            .scope(r#"title eq "T" or emails[type eq "work"]"#.parse().unwrap())
            .protect(["Admin"])
            .protect_ids(["7"])
            .joiners(Joiners::Report)
            .leavers(Leavers::Delete)
            .reactivates(false)
            .adopt_by_email(true)
            .write("displayName", Write::Never)
            .clears(["title"])
            .mapping(Mapping::new().with("nickName", Derived::of("userName")).unwrap())
            .max_adoptions(7)
            .must_contain(["Jane"])
            .allow_empty_source(3)
            .expecting(12)
    }

    #[test]
    fn a_policy_is_data() {
        let stored = serde_json::to_value(policy()).unwrap();
        let read: Policy = serde_json::from_value(stored.clone()).unwrap();
        assert_eq!(
            (serde_json::to_value(&read).unwrap(), format!("{read:?}")),
            (stored.clone(), format!("{:?}", policy()))
        );
        assert_eq!(stored["who"]["ours"], json!({ "withPrefix": "hr-" }));
        assert_eq!(stored["limits"]["adoptions"], json!({ "count": 7, "percent": 20 }));
        let default = serde_json::to_value(serde_json::from_str::<Policy>("{}").unwrap()).unwrap();
        assert_eq!(default, serde_json::to_value(Policy::new(&Profile::standard())).unwrap());
        assert_eq!(serde_json::to_value(Policy::default().profile(&Profile::wats())).unwrap()["isWats"], true);
    }

    #[test]
    fn names_in_a_file_are_names_in_any_form() {
        let file = json!({ "who": { "protected": ["ADMIN"] }, "limits": { "mustContain": ["JANE"] } });
        let policy: Policy = serde_json::from_value(file).unwrap();
        assert!(!policy.is_ours(&ScimUser::new("admin").with_external_id("1")));
        assert!(policy.is_ours(&ScimUser::new("jane").with_external_id("1")));
        let current = Current::complete(vec![ScimUser::new("jane").with_external_id("1")]);
        assert!(policy.plan(&current, &[ScimUser::new("jane")]).is_ok());
    }

    #[test]
    fn a_setting_that_is_misspelt_or_no_data_is_an_error() {
        for (file, why) in [
            (json!({ "leaver": "keep" }), "unknown field `leaver`"),
            (json!({ "who": { "scope": "title eq" } }), "the scope is no filter"),
            (json!({ "limits": { "deletions": { "count": 1, "percent": 1 } } }), "unknown field `deletions`"),
        ] {
            let error = serde_json::from_value::<Policy>(file).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
        let error = serde_json::to_string(&policy().concerning(|_| true)).unwrap_err().to_string();
        assert!(error.contains("use Policy::scope"), "{error}");
    }

    #[test]
    fn new_users_are_created_or_reported_or_ignored() {
        let current = Current::complete(vec![ScimUser::new("ann").with_external_id("1")]);
        let desired = ["ann", "bob"].map(ScimUser::new);
        for (joiners, steps, conflicts) in [(Joiners::Create, 1, 0), (Joiners::Report, 0, 1), (Joiners::Ignore, 0, 0)] {
            let plan = Policy::default().joiners(joiners).plan(&current, &desired).unwrap();
            assert_eq!((plan.steps.len(), plan.conflicts.len()), (steps, conflicts), "{plan}");
        }
    }
}
