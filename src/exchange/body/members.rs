//! Writes the members of a resource straight into the body of a request.
//!
//! Serializing the resource first and filtering its JSON would process every member twice.

use serde::Serialize;
use serde::ser::{Error as _, Impossible, SerializeMap, SerializeStruct, Serializer};
use serde_json::{Error, Value};

type Result<T> = std::result::Result<T, Error>;

/// Writes the attributes for which `is_sent` returns true, and the `schemas` of the extensions in use
/// (RFC 7643 §3). `schema` is the default for a resource without `schemas`.
pub(super) fn write(resource: &impl Serialize, is_sent: impl Fn(&str) -> bool, schema: &str) -> Result<Vec<u8>> {
    let mut body = Vec::with_capacity(512);
    body.extend_from_slice(b"{\"schemas\":");
    let start = body.len();
    serde_json::to_writer(&mut body, &[schema])?;
    let end = body.len();
    let mut members = Members { body, is_sent, name: String::new(), schemas: Vec::new(), extensions: Vec::new() };
    resource.serialize(&mut members)?;
    let mut body = members.body;
    if let Some(schemas) = schemas(members.schemas, &members.extensions, schema)? {
        body.splice(start..end, schemas);
    }
    body.push(b'}');
    Ok(body)
}

/// The JSON of `schemas` if it is not the default alone: the value of the resource, plus the
/// extensions that it does not list.
fn schemas(written: Vec<u8>, extensions: &[String], schema: &str) -> Result<Option<Vec<u8>>> {
    let mut schemas = match &*written {
        b"" | b"null" | b"[]" if extensions.is_empty() => return Ok(None),
        b"" | b"null" | b"[]" => vec![schema.into()],
        _ if extensions.is_empty() => return Ok(Some(written)),
        _ => match serde_json::from_slice(&written)? {
            Value::Array(schemas) => schemas,
            _ => return Ok(Some(written)),
        },
    };
    for extension in extensions {
        let is_named = |schema: &Value| schema.as_str().is_some_and(|schema| schema.eq_ignore_ascii_case(extension));
        if !schemas.iter().any(is_named) {
            schemas.push(extension.as_str().into());
        }
    }
    serde_json::to_vec(&schemas).map(Some)
}

struct Members<F> {
    body: Vec<u8>,
    is_sent: F,
    /// The name of the member that is being written.
    name: String,
    /// The JSON of `schemas`, if the resource has them.
    schemas: Vec<u8>,
    extensions: Vec<String>,
}

impl<F: Fn(&str) -> bool> Members<F> {
    fn member(&mut self, name: &str, value: &(impl Serialize + ?Sized)) -> Result<()> {
        if name.eq_ignore_ascii_case("schemas") {
            self.schemas = serde_json::to_vec(value)?;
            return Ok(());
        }
        if !(self.is_sent)(name) {
            return Ok(());
        }
        self.body.push(b',');
        serde_json::to_writer(&mut self.body, name)?;
        self.body.push(b':');
        let start = self.body.len();
        serde_json::to_writer(&mut self.body, value)?;
        let is_extension = name.get(..4).is_some_and(|urn| urn.eq_ignore_ascii_case("urn:"));
        if is_extension && self.body.get(start..) != Some(b"null") {
            self.extensions.push(name.to_owned());
        }
        Ok(())
    }

    /// Writes the value of the member whose key was serialized last.
    fn named(&mut self, value: &(impl Serialize + ?Sized)) -> Result<()> {
        let name = std::mem::take(&mut self.name);
        self.member(&name, value)?;
        self.name = name;
        Ok(())
    }
}

impl<F: Fn(&str) -> bool> SerializeMap for &mut Members<F> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<()> {
        self.name.clear();
        key.serialize(Text(&mut self.name))
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.named(value)
    }

    fn end(self) -> Result<()> {
        Ok(())
    }
}

impl<F: Fn(&str) -> bool> SerializeStruct for &mut Members<F> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<()> {
        self.member(name, value)
    }

    fn end(self) -> Result<()> {
        Ok(())
    }
}

fn other<T>() -> Result<T> {
    Err(Error::custom("not an object"))
}

macro_rules! others {
    ($($method:ident($($of:ty),*) -> $ok:ty;)+) => {
        $(fn $method(self, $(_: $of),*) -> Result<$ok> {
            other()
        })+
    };
}

macro_rules! no_object {
    () => {
        others! {
            serialize_bool(bool) -> (); serialize_i8(i8) -> (); serialize_i16(i16) -> (); serialize_i32(i32) -> ();
            serialize_i64(i64) -> (); serialize_u8(u8) -> (); serialize_u16(u16) -> (); serialize_u32(u32) -> ();
            serialize_u64(u64) -> (); serialize_f32(f32) -> (); serialize_f64(f64) -> (); serialize_char(char) -> ();
            serialize_bytes(&[u8]) -> (); serialize_none() -> (); serialize_unit() -> ();
            serialize_unit_struct(&'static str) -> (); serialize_unit_variant(&'static str, u32, &'static str) -> ();
            serialize_seq(Option<usize>) -> Self::SerializeSeq; serialize_tuple(usize) -> Self::SerializeTuple;
            serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct;
            serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant;
            serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant;
        }

        fn serialize_newtype_variant<T: Serialize + ?Sized>(
            self,
            _: &'static str,
            _: u32,
            _: &'static str,
            _: &T,
        ) -> Result<()> {
            other()
        }

        type Ok = ();
        type Error = Error;
        type SerializeSeq = Impossible<(), Error>;
        type SerializeTuple = Impossible<(), Error>;
        type SerializeTupleStruct = Impossible<(), Error>;
        type SerializeTupleVariant = Impossible<(), Error>;
        type SerializeStructVariant = Impossible<(), Error>;
    };
}

impl<F: Fn(&str) -> bool> Serializer for &mut Members<F> {
    type SerializeMap = Self;
    type SerializeStruct = Self;

    no_object!();

    fn serialize_str(self, _: &str) -> Result<()> {
        other()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<()> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<()> {
        value.serialize(self)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self> {
        Ok(self)
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Self> {
        // serde_json serializes raw text and exact numbers as structs whose name begins with `$`.
        if name.starts_with('$') { other() } else { Ok(self) }
    }
}

/// The name of a member.
struct Text<'a>(&'a mut String);

impl Serializer for Text<'_> {
    type SerializeMap = Impossible<(), Error>;
    type SerializeStruct = Impossible<(), Error>;

    no_object!();

    fn serialize_str(self, text: &str) -> Result<()> {
        self.0.push_str(text);
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<()> {
        other()
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<()> {
        value.serialize(self)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap> {
        other()
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct> {
        other()
    }
}
