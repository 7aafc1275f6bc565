//! Representations: what the specialised version has in place of a generic value.
//!
//! `Repr<Value>` holds the machine values themselves. `Repr<()>`, called [`Kind`], is the same without
//! them: the lattice of the inference, with [`Repr::Never`] at the bottom and [`Repr::Object`] on top.

use std::rc::Rc;

use crate::ir::{ClassId, GlobalFact, StartKind, StartStep};
use crate::types::{Class, Type};

/// Tuples with more items than this stay objects: each item would travel as a parameter of its own.
pub(super) const MAX_TUPLE: usize = 8;

/// What is known of a range's step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// It is 1.
    Up,
    /// It is -1.
    Down,
    /// It is anything but 0.
    Any,
}

impl Step {
    /// The step where it is known.
    #[must_use]
    pub(super) fn value(self) -> Option<i64> {
        match self {
            Step::Up => Some(1),
            Step::Down => Some(-1),
            Step::Any => None,
        }
    }

    /// What is known of a step that has this constant value, if any.
    #[must_use]
    pub(super) fn of(value: Option<i64>) -> Step {
        match value {
            Some(1) => Step::Up,
            Some(-1) => Step::Down,
            _ => Step::Any,
        }
    }
}

/// A global that a guard cell watches and that has no machine value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    /// Its dotted name.
    pub(super) path: String,
    /// What it is.
    pub(super) fact: GlobalFact,
}

/// How the specialised version holds a value of the generic version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Repr<V> {
    /// Nothing: a variable that is unbound or never read again, or code that is never reached.
    Never,
    /// `None`.
    None,
    /// An exact bool, and its value where that is known.
    Bool(V, Option<bool>),
    /// An exact int that fits 64 bits, and its value where that is known.
    Int(V, Option<i64>),
    /// An exact int in two words, the low one first: it may be beyond 64 bits.
    Wide(V, V),
    /// An exact float.
    Float(V),
    /// An exact tuple of items none of which is an object.
    Tuple(Rc<[Repr<V>]>),
    /// A `range` of 64-bit ints.
    Range { start: V, stop: V, step: V, by: Step },
    /// The iterator of such a range. `end` is where it stops for a step of 1 or -1, else how many items
    /// it has left.
    RangeIter { next: V, end: V, step: V, by: Step },
    /// The iterator of an exact list whose items are probably of this type.
    ListIter { list: V, next: V, item: Rc<Type> },
    /// `reversed` of such a list; it is at its end at -1.
    ReverseIter { list: V, next: V, item: Rc<Type> },
    /// The iterator of an exact str.
    StrIter { text: V, next: V },
    /// `enumerate` of such an iterator, whose items are taken apart at once.
    Enumerate { count: V, of: Rc<Repr<V>> },
    /// `zip` of such iterators, whose items are taken apart at once.
    Zip(Rc<[Repr<V>]>),
    /// `slice(start, stop, step)`, until the next instruction takes it.
    Slice(Rc<[Repr<V>]>),
    /// A method of a builtin class, as an object: its name and the class.
    Method(V, Class, Rc<str>),
    /// A global that is still what it was.
    Known(Rc<Known>),
    /// A sealed class of the unit, itself.
    Class(V, ClassId),
    /// An object that is probably of this type.
    Likely(V, Rc<Type>),
    /// An exact str of one character: its code point.
    Char(V),
    /// An object that is exactly of this type, which has a [`Class`](crate::types::Class).
    Exact(V, Rc<Type>),
    /// An object of a sealed class, or None where the type says so.
    Instance(V, Rc<Type>),
    /// Any object.
    Object(V),
}

/// A representation without its machine values.
pub(super) type Kind = Repr<()>;

impl<V: Copy> Repr<V> {
    /// Whether the death of the value can't be observed.
    #[must_use]
    pub(super) fn dies_silently(&self) -> bool {
        match self {
            Repr::Likely(..) | Repr::Instance(..) | Repr::Object(_) => false,
            Repr::ListIter { .. } | Repr::ReverseIter { .. } => false,
            Repr::Enumerate { of, .. } => of.dies_silently(),
            Repr::Zip(parts) => parts.iter().all(Repr::dies_silently),
            Repr::Exact(_, ty) => ty.dies_silently(),
            _ => true,
        }
    }

    /// The exact class of the value, where it is one that annotations can promise.
    #[must_use]
    pub(super) fn exact_type(&self) -> Option<Type> {
        Some(match self {
            Repr::None => Type::None,
            Repr::Bool(..) => Type::Bool,
            Repr::Int(..) | Repr::Wide(..) => Type::Int,
            Repr::Float(_) => Type::Float,
            Repr::Tuple(items) => Type::Tuple(items.iter().map(Repr::exact_type).collect::<Option<_>>()?),
            Repr::Char(_) => Type::Str,
            Repr::Exact(_, ty) | Repr::Instance(_, ty) => (**ty).clone(),
            _ => return None,
        })
    }

    /// Whether the value is exactly of this type, as far as annotations promise it.
    #[must_use]
    pub(super) fn keeps(&self, ty: &Type) -> bool {
        match (self, ty) {
            (Repr::Exact(_, own), ty) => own.class() == ty.class(),
            (Repr::Char(_), ty) => *ty == Type::Str,
            (Repr::Likely(_, own), ty) => **own == *ty && !ty.mentions_object() && ty.sealed().is_none(),
            (Repr::Instance(_, own), Type::Optional(name)) => own.sealed() == Some(name),
            (Repr::None, Type::Optional(_)) => true,
            (repr, ty) => repr.exact_type().as_ref() == Some(ty),
        }
    }

    /// What an item of a list is taken to be where this was put into it. None says nothing: it mostly
    /// stands where something else goes later.
    #[must_use]
    pub(super) fn as_item(&self) -> Type {
        match self {
            Repr::None => Type::Never,
            Repr::Likely(_, ty) => (**ty).clone(),
            repr => repr.exact_type().unwrap_or(Type::Object),
        }
    }

    /// Whether the value is an iterator that is no object: it changes with each turn.
    #[must_use]
    pub(super) fn is_counter(&self) -> bool {
        matches!(
            self,
            Repr::RangeIter { .. }
                | Repr::ListIter { .. }
                | Repr::ReverseIter { .. }
                | Repr::StrIter { .. }
                | Repr::Enumerate { .. }
                | Repr::Zip(_)
        )
    }

    /// Whether the value is a number: an int, a float or a bool.
    #[must_use]
    pub(super) fn is_number(&self) -> bool {
        self.is_integral() || matches!(self, Repr::Float(_))
    }

    /// Whether the value is an int or a bool.
    #[must_use]
    pub(super) fn is_integral(&self) -> bool {
        matches!(self, Repr::Int(..) | Repr::Bool(..))
    }

    /// Whether the value may be an item of an unboxed tuple.
    #[must_use]
    pub(super) fn is_item(&self) -> bool {
        self.is_number() || matches!(self, Repr::None | Repr::Tuple(_) | Repr::Wide(..))
    }
}

impl Kind {
    /// The kind of a value whose type is promised and exact, or likely to be.
    #[must_use]
    pub(super) fn promised(ty: &Type) -> Kind {
        match ty {
            Type::None => Repr::None,
            Type::Bool => Repr::Bool((), None),
            Type::Int => Repr::Int((), None),
            Type::Float => Repr::Float(()),
            Type::Tuple(_) => Repr::Likely((), Rc::new(ty.clone())),
            Type::List(_) | Type::Str | Type::Bytes | Type::ByteArray => Repr::Exact((), Rc::new(ty.clone())),
            Type::Sealed(_) | Type::Optional(_) => Repr::Instance((), Rc::new(ty.clone())),
            Type::Never | Type::Object => Repr::Object(()),
        }
    }

    /// The kind of a value with which a loop version begins.
    #[must_use]
    pub(super) fn starting(kind: StartKind) -> Kind {
        match kind {
            StartKind::Truth | StartKind::Bool => Repr::Bool((), None),
            StartKind::None => Repr::None,
            StartKind::Unread => Repr::Never,
            StartKind::Int => Repr::Int((), None),
            StartKind::Float => Repr::Float(()),
            StartKind::RangeIter(step) => {
                let by = match step {
                    StartStep::Up => Step::Up,
                    StartStep::Down => Step::Down,
                    StartStep::Any => Step::Any,
                };
                Repr::RangeIter { next: (), end: (), step: (), by }
            }
            StartKind::Wide => Repr::Wide((), ()),
            StartKind::Exact(class) => Repr::Exact((), Rc::new(class.ty())),
            StartKind::Object => Repr::Object(()),
        }
    }

    /// The least kind that covers both.
    #[must_use]
    pub(super) fn join(&self, other: &Kind) -> Kind {
        match (self, other) {
            (Repr::Never, only) | (only, Repr::Never) => only.clone(),
            (a, b) if a == b => a.clone(),
            (Repr::Bool(..), Repr::Bool(..)) => Repr::Bool((), None),
            (Repr::Int(..), Repr::Int(..)) => Repr::Int((), None),
            (Repr::Wide(..) | Repr::Int(..), Repr::Wide(..) | Repr::Int(..)) => Repr::Wide((), ()),
            (Repr::Tuple(a), Repr::Tuple(b)) if a.len() == b.len() => {
                let items: Rc<[Kind]> = a.iter().zip(b.iter()).map(|(a, b)| a.join(b)).collect();
                if items.iter().all(Repr::is_item) { Repr::Tuple(items) } else { Repr::Object(()) }
            }
            (tuple @ Repr::Tuple(_), Repr::Likely(_, ty)) | (Repr::Likely(_, ty), tuple @ Repr::Tuple(_))
                if tuple.exact_type().as_ref() == Some(&**ty) =>
            {
                Repr::Likely((), Rc::clone(ty))
            }
            (Repr::Char(()), Repr::Exact((), ty)) | (Repr::Exact((), ty), Repr::Char(()))
                if **ty == Type::Str =>
            {
                Repr::Exact((), Rc::clone(ty))
            }
            (Repr::Exact(_, a), Repr::Exact(_, b)) if a.class() == b.class() => {
                Repr::Exact((), Rc::new(a.join(b)))
            }
            (Repr::Instance(_, a), Repr::Instance(_, b)) if a.sealed() == b.sealed() => {
                Repr::Instance((), Rc::new(a.join(b)))
            }
            (Repr::Instance(_, ty), Repr::None) | (Repr::None, Repr::Instance(_, ty)) => {
                Repr::Instance((), Rc::new(ty.join(&Type::None)))
            }
            (Repr::Likely(_, a), Repr::Instance(_, b) | Repr::Likely(_, b))
            | (Repr::Instance(_, a), Repr::Likely(_, b))
                if a.sealed().is_some() && a.sealed() == b.sealed() =>
            {
                Repr::Likely((), Rc::new(a.join(b)))
            }
            (Repr::Likely(_, ty), Repr::None) | (Repr::None, Repr::Likely(_, ty))
                if ty.sealed().is_some() =>
            {
                Repr::Likely((), Rc::new(ty.join(&Type::None)))
            }
            (Repr::Range { .. }, Repr::Range { .. }) => {
                Repr::Range { start: (), stop: (), step: (), by: Step::Any }
            }
            (Repr::RangeIter { .. }, Repr::RangeIter { .. }) => {
                Repr::RangeIter { next: (), end: (), step: (), by: Step::Any }
            }
            (Repr::ListIter { item: a, .. }, Repr::ListIter { item: b, .. }) => {
                Repr::ListIter { list: (), next: (), item: Rc::new(a.join(b)) }
            }
            (Repr::ReverseIter { item: a, .. }, Repr::ReverseIter { item: b, .. }) => {
                Repr::ReverseIter { list: (), next: (), item: Rc::new(a.join(b)) }
            }
            (Repr::Enumerate { of: a, .. }, Repr::Enumerate { of: b, .. }) => match a.join(b) {
                of if of.is_counter() => Repr::Enumerate { count: (), of: Rc::new(of) },
                _ => Repr::Object(()),
            },
            (Repr::Zip(a), Repr::Zip(b)) if a.len() == b.len() => {
                let parts: Rc<[Kind]> = a.iter().zip(b.iter()).map(|(a, b)| a.join(b)).collect();
                if parts.iter().all(Repr::is_counter) { Repr::Zip(parts) } else { Repr::Object(()) }
            }
            _ => Repr::Object(()),
        }
    }

    /// Whether the join of both is as good as either: neither loses its unboxed form.
    #[must_use]
    pub(super) fn is_compatible(&self, other: &Kind) -> bool {
        match (self, other) {
            (Repr::Object(_) | Repr::Likely(..), _) | (_, Repr::Object(_) | Repr::Likely(..)) => true,
            _ => !matches!(self.join(other), Repr::Object(_)),
        }
    }
}
