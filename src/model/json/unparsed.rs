//! Values of unknown attributes, which are parsed on their first use.

use std::borrow::Cow;
use std::fmt;
use std::sync::OnceLock;

use serde::Deserialize;
use serde::de::value::{
    BoolDeserializer, F64Deserializer, I64Deserializer, MapAccessDeserializer, SeqAccessDeserializer, StrDeserializer,
    StringDeserializer, U64Deserializer,
};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::text;

/// The value of an unknown attribute: JSON text until its first use.
///
/// Most unknown attributes of a page are never used, and building their values is the most
/// expensive part of reading it.
#[derive(Clone, Debug)]
pub(crate) struct Unparsed {
    value: OnceLock<Box<Value>>,
    /// The JSON text of a value that was read.
    text: Option<Box<str>>,
}

impl Unparsed {
    /// Reads the next value of a map.
    pub(crate) fn read<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Self, A::Error> {
        map.next_value_seed(UnparsedSeed)
    }

    fn from_text<E: Error>(text: Box<str>) -> Result<Self, E> {
        // A shorter text cannot be nested too deeply.
        if text.len() > 2 * text::MAX_DEPTH && text::depth(&text) > text::MAX_DEPTH {
            return Err(E::custom(format_args!("an attribute is nested more than {} levels deep", text::MAX_DEPTH)));
        }
        Ok(Self { value: OnceLock::new(), text: Some(text) })
    }

    pub(crate) fn value(&self) -> &Value {
        self.value.get_or_init(|| Box::new(self.parse()))
    }

    /// The value, which is not kept: a look at every user must not cost memory for each.
    pub(crate) fn peek(&self) -> Cow<'_, Value> {
        self.value.get().map_or_else(|| Cow::Owned(self.parse()), |value| Cow::Borrowed(&**value))
    }

    /// Whether one of the words may be in the value, in any letter case: a quick look that reads nothing.
    pub(crate) fn mentions(&self, words: &[&str]) -> bool {
        let has = |text: &str, word: &str| {
            text.as_bytes().windows(word.len().max(1)).any(|part| part.eq_ignore_ascii_case(word.as_bytes()))
        };
        self.text.as_deref().is_none_or(|text| words.iter().any(|word| has(text, word)))
    }

    fn parse(&self) -> Value {
        self.text.as_deref().map_or(Value::Null, text::value)
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

/// Asks for the text of a value, as `RawValue` does: by the name of a newtype struct. A deserializer of
/// `serde_json` then gives a map with this name as its key, and the text. Any other deserializer gives the
/// value.
struct UnparsedSeed;

impl<'de> DeserializeSeed<'de> for UnparsedSeed {
    type Value = Unparsed;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Unparsed, D::Error> {
        deserializer.deserialize_newtype_struct(name_of_raw_value(), UnparsedVisitor)
    }
}

/// The name that `RawValue` asks for, which is private to `serde_json`. Empty if it asks in another way,
/// so that all values are parsed at once.
fn name_of_raw_value() -> &'static str {
    static NAME: OnceLock<&str> = OnceLock::new();
    NAME.get_or_init(|| {
        let mut name = "";
        // It fails: there is nothing to read.
        drop(Box::<RawValue>::deserialize(NameOf(&mut name)));
        name
    })
}

/// Finds the name of the newtype struct that a type asks for.
struct NameOf<'a>(&'a mut &'static str);

impl<'de> Deserializer<'de> for NameOf<'_> {
    type Error = serde::de::value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
        Err(Error::custom("no newtype struct"))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, _: V) -> Result<V::Value, Self::Error> {
        *self.0 = name;
        Err(Error::custom("nothing to read"))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

struct UnparsedVisitor;

/// The value that a deserializer has given.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Unparsed, D::Error> {
    Value::deserialize(deserializer).map(Unparsed::from)
}

impl<'de> Visitor<'de> for UnparsedVisitor {
    type Value = Unparsed;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the value of an attribute")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Unparsed, D::Error> {
        given(deserializer)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Unparsed, A::Error> {
        let first = match map.next_key_seed(KeySeed)? {
            None => return Ok(Unparsed::from(Value::Object(Map::new()))),
            Some(Key::RawValue) => return Unparsed::from_text(map.next_value_seed(TextSeed)?),
            Some(Key::Member(name)) => name,
        };
        let value = map.next_value()?;
        let mut members = Map::from_iter([(first, value)]);
        members.extend(Map::<String, Value>::deserialize(MapAccessDeserializer::new(map))?);
        Ok(Unparsed::from(Value::Object(members)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Unparsed, A::Error> {
        given(SeqAccessDeserializer::new(seq))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Unparsed, D::Error> {
        given(deserializer)
    }

    fn visit_none<E: Error>(self) -> Result<Unparsed, E> {
        Ok(Unparsed::from(Value::Null))
    }

    fn visit_unit<E: Error>(self) -> Result<Unparsed, E> {
        Ok(Unparsed::from(Value::Null))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Unparsed, E> {
        given(BoolDeserializer::new(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Unparsed, E> {
        given(I64Deserializer::new(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Unparsed, E> {
        given(U64Deserializer::new(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Unparsed, E> {
        given(F64Deserializer::new(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Unparsed, E> {
        given(StrDeserializer::new(value))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Unparsed, E> {
        given(StringDeserializer::new(value))
    }
}

/// The first key of a map.
enum Key {
    RawValue,
    Member(String),
}

struct KeySeed;

impl<'de> DeserializeSeed<'de> for KeySeed {
    type Value = Key;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for KeySeed {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Key, E> {
        Ok(if !name.is_empty() && name == name_of_raw_value() { Key::RawValue } else { Key::Member(name.to_owned()) })
    }
}

struct TextSeed;

impl<'de> DeserializeSeed<'de> for TextSeed {
    type Value = Box<str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Box<str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for TextSeed {
    type Value = Box<str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Box<str>, E> {
        Ok(text.into())
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Box<str>, E> {
        Ok(text.into_boxed_str())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
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
    fn every_deserializer_gives_the_same_values() {
        #[derive(Deserialize)]
        struct Flat {
            #[serde(flatten)]
            user: ScimUser,
        }
        let json = json!({
            "userName": "jane", "x": { "b": 1, "a": [1.0, null] }, "e": {}, "t": "text", "n": null, "i": -1, "f": 1.5,
            "b": true, "l": [],
        });
        let text = json.to_string();
        let late: ScimUser = serde_json::from_str(&text).unwrap();
        let early: ScimUser = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(late, early);
        let streamed: ScimUser = serde_json::from_reader(text.as_bytes()).unwrap();
        assert_eq!(late, streamed);
        let flat: Flat = serde_json::from_str(&text).unwrap();
        assert_eq!(late, flat.user);
        let members = json.as_object().unwrap().clone();
        let plain = serde::de::value::MapDeserializer::<_, serde_json::Error>::new(members.into_iter());
        assert_eq!(late, ScimUser::deserialize(plain).unwrap());
    }

    #[test]
    fn a_deeply_nested_attribute_keeps_its_type() {
        let user = |levels: usize| {
            let text = format!(r#"{{"id":"1","x":{}0{},"y":1}}"#, "[".repeat(levels), "]".repeat(levels));
            serde_json::from_str::<ScimUser>(&text).map(|user| (user, text))
        };
        for levels in [126, 127, 128, text::MAX_DEPTH] {
            let (user, text) = user(levels).unwrap();
            assert!(user.attributes.get("x").unwrap().is_array(), "{levels}");
            assert_eq!(serde_json::to_string(&user).unwrap(), text);
        }
        let error = user(text::MAX_DEPTH + 1).unwrap_err();
        assert!(error.to_string().contains("nested more than 256 levels deep"), "{error}");
    }

    #[test]
    fn half_of_a_surrogate_pair_does_not_change_the_type() {
        let user: ScimUser = serde_json::from_str(r#"{"x":{"nick":"Bob \ud83d","n":1}}"#).unwrap();
        assert_eq!(user.attributes.get("x"), Some(&json!({ "nick": "Bob \u{fffd}", "n": 1 })));
    }
}
