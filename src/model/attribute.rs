//! Reading attributes as servers really write them, and losing none.

use std::marker::PhantomData;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What stood where an attribute of type `T` was expected.
pub(crate) enum Read<T> {
    Assigned(T),
    /// `null` or `[]`: the same as absent (RFC 7643 §2.5).
    Unassigned,
    /// A value of another type. It is kept as it is, so that one odd user does not cost the page.
    Other(Value),
}

/// A type that an attribute can have, as the JSON forms it can be read from.
pub(crate) trait Attribute: Sized + Serialize {
    fn from_text(_: &str) -> Option<Self> {
        None
    }

    fn from_bool(_: bool) -> Option<Self> {
        None
    }

    fn from_seq<'de, A: SeqAccess<'de>>(seq: A) -> Result<Read<Self>, A::Error> {
        let items = Vec::<Value>::deserialize(SeqAccessDeserializer::new(seq))?;
        Ok(if items.is_empty() { Read::Unassigned } else { Read::Other(items.into()) })
    }

    fn from_map<'de, A: MapAccess<'de>>(map: A) -> Result<Read<Self>, A::Error> {
        Value::deserialize(MapAccessDeserializer::new(map)).map(Read::Other)
    }
}

impl Attribute for String {
    fn from_text(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }
}

impl Attribute for bool {
    fn from_bool(value: bool) -> Option<Self> {
        Some(value)
    }

    /// Entra-style peers write `"True"` and `"False"`.
    fn from_text(text: &str) -> Option<Self> {
        match text {
            _ if text.eq_ignore_ascii_case("true") => Some(true),
            _ if text.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        }
    }
}

impl<T: Attribute> Attribute for Vec<T> {
    fn from_seq<'de, A: SeqAccess<'de>>(mut seq: A) -> Result<Read<Self>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(AttributeSeed::new())? {
            match item {
                Read::Assigned(item) => {
                    // Most lists have one item, and a page has hundreds of lists.
                    if items.is_empty() {
                        items.reserve_exact(1);
                    }
                    items.push(item);
                }
                Read::Unassigned => return as_json(items, Value::Null, seq),
                Read::Other(odd) => return as_json(items, odd, seq),
            }
        }
        Ok(if items.is_empty() { Read::Unassigned } else { Read::Assigned(items) })
    }
}

/// A list with an item of another type in it is kept whole, as JSON.
fn as_json<'de, T: Serialize, A: SeqAccess<'de>>(
    items: Vec<T>,
    odd: Value,
    mut seq: A,
) -> Result<Read<Vec<T>>, A::Error> {
    let mut all = Vec::with_capacity(items.len() + 1);
    for item in items {
        all.push(serde_json::to_value(item).map_err(A::Error::custom)?);
    }
    all.push(odd);
    while let Some(value) = seq.next_element()? {
        all.push(value);
    }
    Ok(Read::Other(Value::Array(all)))
}

/// Reads one attribute value.
pub(crate) struct AttributeSeed<T>(PhantomData<T>);

impl<T> AttributeSeed<T> {
    pub(crate) const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<'de, T: Attribute> DeserializeSeed<'de> for AttributeSeed<T> {
    type Value = Read<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Read<T>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: Attribute> Visitor<'de> for AttributeSeed<T> {
    type Value = Read<T>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the value of an attribute")
    }

    #[inline]
    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Read<T>, E> {
        self.visit_str(text)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Read<T>, E> {
        Ok(T::from_text(text).map_or_else(|| Read::Other(text.into()), Read::Assigned))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Read<T>, E> {
        Ok(T::from_bool(value).map_or(Read::Other(value.into()), Read::Assigned))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Read<T>, E> {
        Ok(Read::Other(number.into()))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Read<T>, E> {
        Ok(Read::Other(number.into()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Read<T>, E> {
        Ok(Read::Other(number.into()))
    }

    fn visit_unit<E: Error>(self) -> Result<Read<T>, E> {
        Ok(Read::Unassigned)
    }

    fn visit_none<E: Error>(self) -> Result<Read<T>, E> {
        Ok(Read::Unassigned)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Read<T>, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Read<T>, A::Error> {
        T::from_seq(seq)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Read<T>, A::Error> {
        T::from_map(map)
    }
}
