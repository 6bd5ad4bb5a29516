//! The words that describe an attribute (RFC 7643 §7).

use serde::{Serialize, Serializer};

use crate::model::json::attribute::Attribute;

/// An enum of words, read in any letter case.
macro_rules! words {
    ($(#[$doc:meta])* $type:ident { $($(#[$of:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $type {
            $($(#[$of])* $variant),+
        }

        impl $type {
            /// Returns the word of RFC 7643.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }
        }

        impl Attribute for $type {
            fn from_text(text: &str) -> Option<Self> {
                match text {
                    $(_ if text.eq_ignore_ascii_case($word) => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}

words! {
    /// The type of one value of an attribute (RFC 7643 §2.3).
    AttributeType {
        /// Text.
        String = "string",
        /// `true` or `false`.
        Boolean = "boolean",
        /// A number with decimals.
        Decimal = "decimal",
        /// A whole number.
        Integer = "integer",
        /// A date and time.
        DateTime = "dateTime",
        /// Bytes, in base64.
        Binary = "binary",
        /// A URI.
        Reference = "reference",
        /// An object with sub-attributes.
        Complex = "complex",
    }
}

words! {
    /// Who can change an attribute, and when (RFC 7643 §7).
    Mutability {
        /// Only the server.
        ReadOnly = "readOnly",
        /// The client, at any time.
        ReadWrite = "readWrite",
        /// The client, until it has a value.
        Immutable = "immutable",
        /// The client, at any time; it is not returned.
        WriteOnly = "writeOnly",
    }
}

words! {
    /// When the server returns an attribute (RFC 7643 §7).
    Returned {
        /// Always, even if it is not requested.
        Always = "always",
        /// Never.
        Never = "never",
        /// Unless the request selects other attributes.
        Default = "default",
        /// Only if it is requested, or was written.
        Request = "request",
    }
}

words! {
    /// Among which resources a value is unique (RFC 7643 §7).
    Uniqueness {
        /// It need not be unique.
        None = "none",
        /// Among the resources of the endpoint or tenant.
        Server = "server",
        /// Everywhere.
        Global = "global",
    }
}
