use chrono::{DateTime, Utc};
use wats_scim_filter::json::same_text;

use super::{Event, Outcome};

/// Which events of a trail are read; all by default. An event must meet every condition.
///
/// ```
/// use wats_scim::audit::{EventQuery, Outcome, Trail};
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("trail.jsonl");
/// # std::fs::write(&path, "")?;
///
/// let query = EventQuery::new().label("nightly import").outcome(Outcome::Unknown);
/// for event in Trail::read(&path)?.matching(query) {
///     let event = event?;
///     println!("{} {}: {:?}", event.at, event.operation, event.id);
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EventQuery {
    label: Option<String>,
    resource: Option<String>,
    server: Option<String>,
    since: Option<DateTime<Utc>>,
    until: Option<DateTime<Utc>>,
    outcome: Option<Outcome>,
}

impl EventQuery {
    /// All events.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Events with this label.
    #[must_use]
    pub fn label(self, label: impl Into<String>) -> Self {
        Self { label: Some(label.into()), ..self }
    }

    /// Events of one user or group, by its id, its `externalId`, or its name in any form of the same name.
    ///
    /// Not every event has all three: the first event of a patch has the id alone, and that of a creation no id.
    #[must_use]
    pub fn resource(self, resource: impl Into<String>) -> Self {
        Self { resource: Some(resource.into()), ..self }
    }

    /// Events of writes to this server: scheme, host and port, such as `https://acme.wats.com`.
    #[must_use]
    pub fn server(self, origin: impl Into<String>) -> Self {
        Self { server: Some(origin.into()), ..self }
    }

    /// Events at this time or later.
    #[must_use]
    pub fn since(self, time: DateTime<Utc>) -> Self {
        Self { since: Some(time), ..self }
    }

    /// Events before this time.
    #[must_use]
    pub fn until(self, time: DateTime<Utc>) -> Self {
        Self { until: Some(time), ..self }
    }

    /// Events with this outcome.
    #[must_use]
    pub fn outcome(self, outcome: Outcome) -> Self {
        Self { outcome: Some(outcome), ..self }
    }

    /// Whether an event meets every condition.
    #[must_use]
    pub fn matches(&self, event: &Event) -> bool {
        let Self { label, resource, server, since, until, outcome } = self;
        let is_of = |resource: &String| {
            [&event.id, &event.external_id].into_iter().any(|known| known.as_ref() == Some(resource))
                || event.name.as_deref().is_some_and(|name| same_text(name, resource))
        };
        label.as_deref().is_none_or(|label| event.label.as_deref() == Some(label))
            && resource.as_ref().is_none_or(is_of)
            && server.as_ref().is_none_or(|server| event.server == *server)
            && since.is_none_or(|since| event.at >= since)
            && until.is_none_or(|until| event.at < until)
            && outcome.is_none_or(|outcome| event.outcome == outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(label: &str, resource: [Option<&str>; 3], at: &str, outcome: Outcome) -> Event {
        let [id, name, external_id] = resource;
        serde_json::from_value(serde_json::json!({
            "at": at, "write": "a-1", "server": "https://a.example", "label": label, "operation": "update user",
            "id": id, "name": name, "externalId": external_id, "outcome": outcome, "attempts": 1,
        }))
        .unwrap()
    }

    #[test]
    fn a_query_selects_by_label_resource_server_time_and_outcome() {
        let time = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let jane =
            event("ann", [Some("7f"), Some("J\u{fc}rg"), Some("4711")], "2026-11-24T09:15:02Z", Outcome::Applied);
        let all = EventQuery::new;
        for query in [
            all(),
            all().label("ann"),
            all().resource("7f"),
            all().resource("4711"),
            all().resource("JU\u{308}RG"),
            all().server("https://a.example"),
            all().since(time("2026-11-24T09:15:02Z")).until(time("2026-11-24T09:15:03Z")),
            all().outcome(Outcome::Applied).label("ann").resource("7f"),
        ] {
            assert!(query.matches(&jane), "{query:?}");
        }
        for query in [
            all().label("Ann"),
            all().resource("7F"),
            all().resource("47"),
            all().server("https://b.example"),
            all().since(time("2026-11-24T09:15:03Z")),
            all().until(time("2026-11-24T09:15:02Z")),
            all().outcome(Outcome::Begun),
            all().label("ann").outcome(Outcome::Unknown),
        ] {
            assert!(!query.matches(&jane), "{query:?}");
        }
        let unnamed = event("ann", [None, None, None], "2026-11-24T09:15:02Z", Outcome::Begun);
        assert!(!all().resource("7f").matches(&unnamed));
    }
}
