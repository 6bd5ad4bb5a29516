//! Serialization of models that keep unknown attributes.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde_json::Value;

use super::attribute::Mismatch;
use super::attributes::{Attributes, Name, stored_name};

/// Implements serde for a struct with `Option` fields and an `attributes` field: known names match
/// in any letter case; unknown attributes are kept in order and written back. `as identifier` accepts
/// a whole number as text. A name after the type is that of the field instead of `attributes`.
macro_rules! json_object {
    ($type:ident { $($fields:tt)+ }) => {
        $crate::model::json::json_object!($type, attributes { $($fields)+ });
    };
    ($type:ident, $rest:ident { $($wire:literal => $field:ident $(as $kind:ident)?),+ $(,)? }) => {
        const _: () = {
            use serde::de::{Deserialize, Deserializer, MapAccess};
            use serde::ser::{Serialize, SerializeMap, Serializer};
            use $crate::model::json::attribute::{Attribute, AttributeSeed, Mismatch};
            use $crate::model::json::unparsed::Unparsed;
            use $crate::model::json::object::{put, put_rest, KeySeed, Key, Object, ObjectVisitor, keep_mismatch};

            #[allow(non_camel_case_types)]
            enum Field { $($field),+ }

            fn field(name: &str) -> Option<Field> {
                match name {
                    $($wire => Some(Field::$field),)+
                    $(_ if name.eq_ignore_ascii_case($wire) => Some(Field::$field),)+
                    _ => None,
                }
            }

            impl Object for $type {
                fn fill<'de, A: MapAccess<'de>>(&mut self, mut map: A) -> Result<(), A::Error> {
                    let mut mismatches = Vec::new();
                    while let Some(key) = map.next_key_seed(KeySeed(field))? {
                        match key {
                            $(Key::Known(Field::$field) => {
                                let value = map.next_value_seed(AttributeSeed::new(&mut self.$field)$(.$kind())?)?;
                                if value.is_some() || !mismatches.is_empty() {
                                    keep_mismatch(&mut mismatches, $wire, value);
                                }
                            })+
                            Key::Unknown(name) => self.$rest.push(name, Unparsed::read(&mut map)?),
                        }
                    }
                    for (name, value) in mismatches {
                        self.$rest.push(std::borrow::Cow::Borrowed(name), Unparsed::from(*value));
                    }
                    self.$rest.deduplicate();
                    Ok(())
                }
            }

            impl Attribute for $type {
                fn from_map<'de, A: MapAccess<'de>>(slot: &mut Option<Self>, map: A) -> Result<Mismatch, A::Error> {
                    slot.insert(Self::default()).fill(map)?;
                    Ok(None)
                }
            }

            impl Serialize for $type {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    let mut map = serializer.serialize_map(None)?;
                    $(put(&mut map, $wire, self.$field.as_ref())?;)+
                    put_rest(&mut map, &self.$rest, |name| match field(name) {
                        $(Some(Field::$field) => self.$field.is_some(),)+
                        None => false,
                    })?;
                    map.end()
                }
            }

            impl<'de> Deserialize<'de> for $type {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    deserializer.deserialize_map(ObjectVisitor::<Self>::new())
                }
            }
        };
    };
}

pub(crate) use json_object;

/// A model whose fields are set while its JSON is read.
pub(crate) trait Object: Default {
    fn fill<'de, A: MapAccess<'de>>(&mut self, map: A) -> Result<(), A::Error>;
}

/// Keeps a value of an unexpected type. It replaces an earlier value with the same name.
#[cold]
pub(crate) fn keep_mismatch(mismatches: &mut Vec<(&'static str, Box<Value>)>, name: &'static str, value: Mismatch) {
    mismatches.retain(|(known, _)| *known != name);
    mismatches.extend(value.map(|value| (name, value)));
}

pub(crate) fn put<M: SerializeMap>(
    map: &mut M,
    name: &'static str,
    value: Option<&impl serde::Serialize>,
) -> Result<(), M::Error> {
    value.map_or(Ok(()), |value| map.serialize_entry(name, value))
}

/// Writes the attributes, except those whose field has a value.
pub(crate) fn put_rest<M: SerializeMap>(
    map: &mut M,
    attributes: &Attributes,
    has_field_value: impl Fn(&str) -> bool,
) -> Result<(), M::Error> {
    attributes
        .iter()
        .filter(|(name, _)| !has_field_value(name))
        .try_for_each(|(name, value): (&str, &Value)| map.serialize_entry(name, value))
}

pub(crate) enum Key<F> {
    Known(F),
    Unknown(Name),
}

/// Reads a member's name, without an allocation if it is known.
pub(crate) struct KeySeed<F>(pub(crate) fn(&str) -> Option<F>);

impl<'de, F> DeserializeSeed<'de> for KeySeed<F> {
    type Value = Key<F>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key<F>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<F> Visitor<'_> for KeySeed<F> {
    type Value = Key<F>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an attribute name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Key<F>, E> {
        Ok((self.0)(name).map_or_else(|| Key::Unknown(stored_name(name)), Key::Known))
    }
}

pub(crate) struct ObjectVisitor<T>(std::marker::PhantomData<T>);

impl<T> ObjectVisitor<T> {
    pub(crate) const fn new() -> Self {
        Self(std::marker::PhantomData)
    }
}

impl<'de, T: Object> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        let mut object = T::default();
        object.fill(map)?;
        Ok(object)
    }
}
