use std::any::type_name;
use std::borrow::Cow;
use std::sync::OnceLock;

use serde::de::MapAccess;
use serde_json::Value;
use serde_json::value::RawValue;

/// The value of an unknown attribute: JSON text until its first use.
///
/// Most unknown attributes of a page are never used, and building their values is the most
/// expensive part of reading it.
#[derive(Clone, Debug)]
pub(crate) struct Unparsed {
    value: OnceLock<Box<Value>>,
    /// The JSON text of a value that was read.
    text: Option<Box<RawValue>>,
}

impl Unparsed {
    /// Reads the next value of a map.
    pub(crate) fn read<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Self, A::Error> {
        // Only serde_json's text deserializer supports `RawValue`; the deserializer of `Value` and
        // the buffer of `serde(flatten)` do not, and the type name is the only way to distinguish
        // them. With any other name the value is parsed at once, which only costs time.
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

impl From<Value> for Unparsed {
    fn from(value: Value) -> Self {
        Self { value: OnceLock::from(Box::new(value)), text: None }
    }
}

impl PartialEq for Unparsed {
    fn eq(&self, other: &Self) -> bool {
        self.value() == other.value()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::model::ScimUser;

    #[test]
    fn text_is_parsed_on_first_use() {
        let from_text: ScimUser = serde_json::from_str(r#"{"x": {"b": 1, "a": [1.0, null]}, "n": 1e999}"#).unwrap();
        let (_, unparsed) = &from_text.attributes.entries()[0];
        assert!(unparsed.text.is_some() && unparsed.value.get().is_none());
        assert_eq!(from_text.attributes.get("x"), Some(&json!({ "b": 1, "a": [1.0, null] })));
        assert_eq!(from_text.attributes.get("n"), Some(&json!("1e999")));
    }

    #[test]
    fn parsed_and_unparsed_values_are_equal() {
        let json = json!({ "userName": "jane", "x": { "b": 1, "a": [1.0, null] } });
        let late: ScimUser = serde_json::from_str(&json.to_string()).unwrap();
        let early: ScimUser = serde_json::from_value(json).unwrap();
        assert_eq!(late, early);
    }
}
