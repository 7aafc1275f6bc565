//! What an annotation or an inference can say about a value: one answer for checker and compiler.
//!
//! A [`Type`] describes the *exact* class of a value. `Type::Int` is an exact `int` (never a `bool`
//! or another subclass); whatever may be anything else is `Type::Object`.

use std::fmt;

use serde::{Deserialize, Serialize};

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
            (a, b) if a == b => a.clone(),
            _ => Type::Object,
        }
    }

    /// Whether some part of it may be anything.
    #[must_use]
    pub fn mentions_object(&self) -> bool {
        match self {
            Type::Object | Type::Never => true,
            Type::Tuple(items) => items.iter().any(Type::mentions_object),
            Type::None | Type::Bool | Type::Int | Type::Float => false,
        }
    }

    /// Whether every value of this type is immutable and owns nothing with a finaliser, so that the
    /// moment at which it dies can't be observed.
    #[must_use]
    pub fn dies_silently(&self) -> bool {
        match self {
            Type::Never | Type::None | Type::Bool | Type::Int | Type::Float => true,
            Type::Tuple(items) => items.iter().all(Type::dies_silently),
            Type::Object => false,
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
            Type::Object => f.write_str("object"),
        }
    }
}
