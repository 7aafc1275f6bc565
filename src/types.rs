//! What an annotation or an inference can say about a value: one answer for checker and compiler.
//!
//! A [`Type`] describes the *exact* class of a value. `Type::Int` is an exact `int` (never a `bool`
//! or another subclass); whatever may be anything else is `Type::Object`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How an instance of a sealed class holds the value of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Held {
    /// A reference, null while the field is unset.
    Object,
    /// An exact float that is no NaN as it is; anything else as a reference in the low bits of a NaN, null while unset.
    Float,
    /// An exact int of 63 bits, shifted, above a set bit; anything else as a reference, null while unset.
    Int,
}

impl Held {
    /// How values of the type are held where they are kept unboxed.
    #[must_use]
    pub fn unboxed(ty: &Type) -> Held {
        match ty {
            Type::Float => Held::Float,
            Type::Int => Held::Int,
            _ => Held::Object,
        }
    }
}

/// Among so many first fields of a sealed class those that are given to new objects unboxed have a bit each.
pub const MAX_UNBOXED: usize = 63;

/// The exact class of a value, as far as the compiler tells classes apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Type {
    /// No value at all: the bottom of the lattice (an unbound variable, code never reached).
    Never,
    /// `None`.
    None,
    /// Exactly `bool`.
    Bool,
    /// Exactly `int`, of any size.
    Int,
    /// Exactly `float`.
    Float,
    /// Exactly `tuple`, of known length and element types.
    Tuple(Box<[Type]>),
    /// Exactly `list`. What its items are is a guess: whoever reads one tests it.
    List(Box<Type>),
    /// Exactly `str`.
    Str,
    /// Exactly `bytes`.
    Bytes,
    /// Exactly `bytearray`.
    ByteArray,
    /// An object of the sealed class of this dotted global name: exactly of it where it has no subclasses, else of
    /// it or of a sealed subclass that keeps its fields where they are.
    Sealed(Box<str>),
    /// The same, or None.
    Optional(Box<str>),
    /// Anything: the top of the lattice.
    Object,
}

impl Type {
    /// The least type that covers both.
    #[must_use]
    pub fn join(&self, other: &Type) -> Type {
        match (self, other) {
            (Type::Never, only) | (only, Type::Never) => only.clone(),
            (Type::Tuple(a), Type::Tuple(b)) if a.len() == b.len() => {
                Type::Tuple(a.iter().zip(b).map(|(a, b)| a.join(b)).collect())
            }
            (Type::List(a), Type::List(b)) => Type::List(Box::new(a.join(b))),
            (a, b) if a == b => a.clone(),
            (Type::None, Type::Sealed(name)) | (Type::Sealed(name), Type::None) => {
                Type::Optional(name.clone())
            }
            (Type::Optional(name), Type::None) | (Type::None, Type::Optional(name)) => {
                Type::Optional(name.clone())
            }
            (Type::Optional(a), Type::Sealed(b)) | (Type::Sealed(a), Type::Optional(b)) if a == b => {
                Type::Optional(a.clone())
            }
            _ => Type::Object,
        }
    }

    /// Whether values of both are handled by the same ops, so that one may stand for the other: lists of different
    /// items are, whose items are guesses.
    #[must_use]
    pub fn has_ops_of(&self, other: &Type) -> bool {
        match (self, other) {
            (Type::Sealed(_) | Type::Optional(_), other) => self == other,
            (own, other) => own.class().is_some() && own.class() == other.class(),
        }
    }

    /// The sealed class that a value is an object of, unless it is None.
    #[must_use]
    pub fn sealed(&self) -> Option<&str> {
        match self {
            Type::Sealed(name) | Type::Optional(name) => Some(name),
            _ => None,
        }
    }

    /// The type as far as these names are those of sealed classes; where they are not, nothing is known.
    #[must_use]
    pub fn knowing(&self, is_known: &dyn Fn(&str) -> bool) -> Type {
        match self {
            Type::Sealed(name) | Type::Optional(name) if !is_known(name) => Type::Object,
            Type::List(item) => Type::List(Box::new(item.knowing(is_known))),
            Type::Tuple(items) => Type::Tuple(items.iter().map(|item| item.knowing(is_known)).collect()),
            other => other.clone(),
        }
    }

    /// Whether some part of it may be anything. What is in a list is nobody's promise.
    #[must_use]
    pub fn mentions_object(&self) -> bool {
        match self {
            Type::Object | Type::Never => true,
            Type::Tuple(items) => items.iter().any(Type::mentions_object),
            Type::None
            | Type::Bool
            | Type::Int
            | Type::Float
            | Type::List(_)
            | Type::Str
            | Type::Bytes
            | Type::ByteArray
            | Type::Sealed(_)
            | Type::Optional(_) => false,
        }
    }

    /// Whether every value of this type owns nothing with a finaliser, so that the moment at which it dies
    /// can't be observed.
    #[must_use]
    pub fn dies_silently(&self) -> bool {
        match self {
            Type::Never | Type::None | Type::Bool | Type::Int | Type::Float => true,
            Type::Str | Type::Bytes | Type::ByteArray => true,
            Type::Tuple(items) => items.iter().all(Type::dies_silently),
            Type::List(_) | Type::Sealed(_) | Type::Optional(_) | Type::Object => false,
        }
    }

    /// The class of an object that has no unboxed form but ops of its own.
    #[must_use]
    pub fn class(&self) -> Option<Class> {
        match self {
            Type::List(_) => Some(Class::List),
            Type::Str => Some(Class::Str),
            Type::Bytes => Some(Class::Bytes),
            Type::ByteArray => Some(Class::ByteArray),
            Type::Never
            | Type::None
            | Type::Bool
            | Type::Int
            | Type::Float
            | Type::Tuple(_)
            | Type::Sealed(_)
            | Type::Optional(_)
            | Type::Object => None,
        }
    }
}

/// A class whose exact instances stay objects, on which there are ops of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Class {
    /// `list`
    List,
    /// `str`
    Str,
    /// `bytes`
    Bytes,
    /// `bytearray`
    ByteArray,
}

impl Class {
    /// Every one of them.
    pub const ALL: &'static [Class] = &[Class::List, Class::Str, Class::Bytes, Class::ByteArray];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Class::List => "list",
            Class::Str => "str",
            Class::Bytes => "bytes",
            Class::ByteArray => "bytearray",
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Never => f.write_str("never"),
            Type::None => f.write_str("None"),
            Type::Bool => f.write_str("bool"),
            Type::Int => f.write_str("int"),
            Type::Float => f.write_str("float"),
            Type::Tuple(items) => {
                f.write_str("tuple[")?;
                for (position, item) in items.iter().enumerate() {
                    if position > 0 {
                        f.write_str(", ")?;
                    }
                    write!(f, "{item}")?;
                }
                f.write_str("]")
            }
            Type::List(item) => write!(f, "list[{item}]"),
            Type::Str => f.write_str("str"),
            Type::Bytes => f.write_str("bytes"),
            Type::ByteArray => f.write_str("bytearray"),
            Type::Sealed(name) => write!(f, "sealed[{name}]"),
            Type::Optional(name) => write!(f, "optional[{name}]"),
            Type::Object => f.write_str("object"),
        }
    }
}
