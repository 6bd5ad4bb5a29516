//! Reads attribute values as real servers write them, without loss.

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An attribute value whose type differs from the schema. It is kept as JSON, so that one unusual
/// user does not fail the whole page.
pub(crate) type Mismatch = Option<Box<Value>>;

/// A type of attribute, with the JSON types it can be read from.
///
/// Values are read into their final place: a page has hundreds of objects, and moving each one
/// through serde's layers was a large part of the cost. `null` and `[]` leave the place empty (RFC
/// 7643 §2.5).
pub(crate) trait Attribute: Sized + Serialize {
    /// The typical length of a list of this type, for its first allocation.
    const TYPICAL_LENGTH: usize = 1;

    fn from_text(_: &str) -> Option<Self> {
        None
    }

    fn from_bool(_: bool) -> Option<Self> {
        None
    }

    fn from_seq<'de, A: SeqAccess<'de>>(_: &mut Option<Self>, seq: A) -> Result<Mismatch, A::Error> {
        let items = Vec::<Value>::deserialize(SeqAccessDeserializer::new(seq))?;
        Ok(if items.is_empty() { None } else { mismatch(items) })
    }

    fn from_map<'de, A: MapAccess<'de>>(_: &mut Option<Self>, map: A) -> Result<Mismatch, A::Error> {
        Value::deserialize(MapAccessDeserializer::new(map)).map(|value| Some(Box::new(value)))
    }
}

impl Attribute for String {
    /// `schemas` with one extension.
    const TYPICAL_LENGTH: usize = 2;

    #[inline]
    fn from_text(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }
}

impl Attribute for bool {
    fn from_bool(value: bool) -> Option<Self> {
        Some(value)
    }

    /// Microsoft Entra ID writes `"True"` and `"False"`.
    fn from_text(text: &str) -> Option<Self> {
        match text {
            _ if text.eq_ignore_ascii_case("true") => Some(true),
            _ if text.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        }
    }
}

impl<T: Attribute> Attribute for Vec<T> {
    fn from_seq<'de, A: SeqAccess<'de>>(slot: &mut Option<Self>, mut seq: A) -> Result<Mismatch, A::Error> {
        let mut items = Vec::new();
        let mut item = None;
        while let Some(mismatch) = seq.next_element_seed(AttributeSeed::new(&mut item))? {
            match item.take() {
                Some(item) => {
                    if items.is_empty() {
                        items.reserve_exact(T::TYPICAL_LENGTH);
                    }
                    items.push(item);
                }
                None => return as_json(items, mismatch.map_or(Value::Null, |value| *value), seq).map(Some),
            }
        }
        if !items.is_empty() {
            *slot = Some(items);
        }
        Ok(None)
    }
}

/// Collects a list with an item of an unexpected type as JSON.
fn as_json<'de, T: Serialize, A: SeqAccess<'de>>(
    items: Vec<T>,
    mismatch: Value,
    mut seq: A,
) -> Result<Box<Value>, A::Error> {
    let mut all = Vec::with_capacity(items.len() + 1);
    for item in items {
        all.push(serde_json::to_value(item).map_err(A::Error::custom)?);
    }
    all.push(mismatch);
    while let Some(value) = seq.next_element()? {
        all.push(value);
    }
    Ok(Box::new(Value::Array(all)))
}

/// Reads one attribute value into its place, which stays empty if the type is unexpected.
pub(crate) struct AttributeSeed<'a, T> {
    slot: &'a mut Option<T>,
    /// Whether a whole number is read as text.
    is_identifier: bool,
}

impl<'a, T> AttributeSeed<'a, T> {
    pub(crate) fn new(slot: &'a mut Option<T>) -> Self {
        *slot = None;
        Self { slot, is_identifier: false }
    }

    /// Reads a whole number as text: servers write ids in their own type.
    pub(crate) fn identifier(self) -> Self {
        Self { is_identifier: true, ..self }
    }
}

impl<T: Attribute> AttributeSeed<'_, T> {
    #[cold]
    fn number(self, number: impl Into<Value> + std::fmt::Display) -> Mismatch {
        if self.is_identifier {
            *self.slot = T::from_text(&number.to_string());
        }
        if self.slot.is_some() { None } else { mismatch(number) }
    }
}

impl<'de, T: Attribute> DeserializeSeed<'de> for AttributeSeed<'_, T> {
    type Value = Mismatch;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Mismatch, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: Attribute> Visitor<'de> for AttributeSeed<'_, T> {
    type Value = Mismatch;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the value of an attribute")
    }

    #[inline]
    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Mismatch, E> {
        self.visit_str(text)
    }

    #[inline]
    fn visit_str<E: Error>(self, text: &str) -> Result<Mismatch, E> {
        *self.slot = T::from_text(text);
        Ok(if self.slot.is_some() { None } else { mismatch(text) })
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Mismatch, E> {
        *self.slot = T::from_bool(value);
        Ok(if self.slot.is_some() { None } else { mismatch(value) })
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Mismatch, E> {
        Ok(self.number(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Mismatch, E> {
        Ok(self.number(number))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Mismatch, E> {
        Ok(mismatch(number))
    }

    fn visit_unit<E: Error>(self) -> Result<Mismatch, E> {
        Ok(None)
    }

    fn visit_none<E: Error>(self) -> Result<Mismatch, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Mismatch, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Mismatch, A::Error> {
        T::from_seq(self.slot, seq)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Mismatch, A::Error> {
        T::from_map(self.slot, map)
    }
}

/// Not inlined, because it would make the readers of ordinary values larger and slower.
#[cold]
#[allow(clippy::unnecessary_wraps, reason = "the return type of the visitor")]
fn mismatch(value: impl Into<Value>) -> Mismatch {
    Some(Box::new(value.into()))
}
