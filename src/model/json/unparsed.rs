use std::any::type_name;
use std::borrow::Cow;
use std::sync::OnceLock;

use serde::de::MapAccess;
use serde_json::Value;
use serde_json::value::RawValue;

/// The value of an attribute that a model does not know: JSON text until somebody asks for it.
///
/// Most of what a page holds beyond what a model knows is never looked at, and a tree of values is
/// the dearest part of reading it.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    value: OnceLock<Box<Value>>,
    /// What the value is read from, if it was not given.
    text: Option<Box<RawValue>>,
}

impl Held {
    /// Reads the next value of an object.
    pub(crate) fn read<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Self, A::Error> {
        // Only a reader of JSON text can hand out text. Others cannot (one of JSON values, or the
        // buffer behind `serde(flatten)`), and a reader can be told by its name alone. Under
        // another name the value is read at once, which costs time and nothing else.
        if type_name::<A>().starts_with("serde_json::de::MapAccess<") {
            return Ok(Self { value: OnceLock::new(), text: Some(map.next_value()?) });
        }
        map.next_value::<Value>().map(Self::from)
    }

    pub(crate) fn value(&self) -> &Value {
        self.value.get_or_init(|| Box::new(self.parse()))
    }

    /// The value, which is not kept: a look at every user must not cost memory for each.
    pub(crate) fn peek(&self) -> Cow<'_, Value> {
        self.value.get().map_or_else(|| Cow::Owned(self.parse()), |value| Cow::Borrowed(&**value))
    }

    fn parse(&self) -> Value {
        let text = self.text.as_deref().map_or("null", RawValue::get);
        // What is JSON and yet no `Value`, such as 1e999, is kept as it was written.
        serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))
    }

    #[cfg(test)]
    pub(crate) fn is_read(&self) -> bool {
        self.value.get().is_some()
    }

    pub(crate) fn into_value(self) -> Value {
        self.value();
        self.value.into_inner().map_or(Value::Null, |value| *value)
    }
}

impl From<Value> for Held {
    fn from(value: Value) -> Self {
        Self { value: OnceLock::from(Box::new(value)), text: None }
    }
}

impl PartialEq for Held {
    fn eq(&self, other: &Self) -> bool {
        self.value() == other.value()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::model::ScimUser;

    #[test]
    fn text_is_read_when_it_is_asked_for() {
        let from_text: ScimUser = serde_json::from_str(r#"{"x": {"b": 1, "a": [1.0, null]}, "n": 1e999}"#).unwrap();
        let (_, held) = &from_text.attributes.held()[0];
        assert!(held.text.is_some() && held.value.get().is_none());
        assert_eq!(from_text.attributes.get("x"), Some(&json!({ "b": 1, "a": [1.0, null] })));
        assert_eq!(from_text.attributes.get("n"), Some(&json!("1e999")));
    }

    #[test]
    fn what_is_read_early_and_late_is_the_same() {
        let json = json!({ "userName": "jane", "x": { "b": 1, "a": [1.0, null] } });
        let late: ScimUser = serde_json::from_str(&json.to_string()).unwrap();
        let early: ScimUser = serde_json::from_value(json).unwrap();
        assert_eq!(late, early);
    }
}
