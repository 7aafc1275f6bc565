//! A representation as one of another kind: what is passed where versions of blocks meet.

use std::rc::Rc;

use crate::ir::{Type, Value};
use crate::passes::specialise::repr::{Kind, Repr};
use crate::passes::specialise::walk::Left;

use super::Emission;

impl Emission<'_> {
    /// Appends the machine values of `repr` as a value of this kind.
    pub(super) fn convert(
        &mut self,
        repr: &Repr<Value>,
        kind: &Kind,
        args: &mut Vec<Value>,
    ) -> Result<(), Left> {
        match (kind, repr) {
            (Repr::Never | Repr::None | Repr::Known(_), _) => {}
            (Repr::Int((), Some(_)), _) | (Repr::Bool((), Some(_)), _) => {}
            (Repr::Int(..), Repr::Int(value, _))
            | (Repr::Float(()), Repr::Float(value))
            | (Repr::Char(()), Repr::Char(value))
            | (Repr::Bool(..), Repr::Bool(value, _)) => args.push(*value),
            (Repr::Wide(..), repr @ (Repr::Wide(..) | Repr::Int(..))) => {
                if let Some((low, high)) = self.walker.as_wide(repr) {
                    args.extend([low, high]);
                }
            }
            (Repr::Wide(..), Repr::Never) => {
                let zero = self.walker.int_constant(0);
                args.extend([zero, zero]);
            }
            (Repr::Int(..) | Repr::Char(_), Repr::Never) => args.push(self.walker.int_constant(0)),
            (Repr::Float(()), Repr::Never) => args.push(self.walker.float_constant(0.0)),
            (Repr::Bool(..), Repr::Never) => {
                if let Repr::Bool(value, _) = self.walker.truth(false) {
                    args.push(value);
                }
            }
            (Repr::Tuple(kinds), Repr::Never) => {
                for kind in kinds.iter() {
                    self.convert(&Repr::Never, kind, args)?;
                }
            }
            (Repr::Tuple(kinds), Repr::Tuple(items)) if kinds.len() == items.len() => {
                for (item, kind) in items.iter().zip(kinds.iter()) {
                    self.convert(item, kind, args)?;
                }
            }
            (
                Repr::Range { by, .. } | Repr::RangeIter { by, .. },
                Repr::Range { start: a, stop: b, step: c, .. }
                | Repr::RangeIter { next: a, end: b, step: c, .. },
            ) => {
                args.extend_from_slice(&[*a, *b]);
                args.extend(by.value().is_none().then_some(*c));
            }
            (Repr::Range { by, .. } | Repr::RangeIter { by, .. }, Repr::Never) => {
                let one = self.walker.int_constant(1);
                args.extend_from_slice(&[one, one]);
                args.extend(by.value().is_none().then_some(one));
            }
            (kind, repr) if kind.is_counter() => self.convert_iterator(repr, kind, args)?,
            (
                Repr::Object(())
                | Repr::Likely(..)
                | Repr::Exact(..)
                | Repr::Class(..)
                | Repr::Method(..)
                | Repr::Instance(..),
                repr,
            ) => args.push(self.walker.object(repr)?),
            _ => return Err(Left),
        }
        Ok(())
    }

    /// The same for iterators of lists and strings, and what is made of iterators.
    fn convert_iterator(
        &mut self,
        repr: &Repr<Value>,
        kind: &Kind,
        args: &mut Vec<Value>,
    ) -> Result<(), Left> {
        match (kind, repr) {
            (Repr::ListIter { .. }, Repr::ListIter { list: a, next: b, .. })
            | (Repr::ReverseIter { .. }, Repr::ReverseIter { list: a, next: b, .. })
            | (Repr::StrIter { .. }, Repr::StrIter { text: a, next: b }) => args.extend([*a, *b]),
            (Repr::ListIter { .. } | Repr::ReverseIter { .. } | Repr::StrIter { .. }, Repr::Never) => {
                let nothing = self.walker.object(&Repr::Never)?;
                args.extend([nothing, self.walker.int_constant(0)]);
            }
            (Repr::Enumerate { of: kind, .. }, Repr::Enumerate { count, of }) => {
                args.push(*count);
                self.convert(of, kind, args)?;
            }
            (Repr::Enumerate { of: kind, .. }, Repr::Never) => {
                args.push(self.walker.int_constant(0));
                self.convert(&Repr::Never, kind, args)?;
            }
            (Repr::Zip(kinds), Repr::Zip(parts)) if kinds.len() == parts.len() => {
                for (part, kind) in parts.iter().zip(kinds.iter()) {
                    self.convert(part, kind, args)?;
                }
            }
            (Repr::Zip(kinds), Repr::Never) => {
                for kind in kinds.iter() {
                    self.convert(&Repr::Never, kind, args)?;
                }
            }
            _ => return Err(Left),
        }
        Ok(())
    }
}

/// Whether [`Emission::convert`] takes nothing but constants and can't leave.
pub(super) fn is_plain(repr: &Repr<Value>, kind: &Kind) -> bool {
    match (kind, repr) {
        (Repr::Object(()) | Repr::Likely(..), repr) => {
            let made = matches!(repr, Repr::Never | Repr::None | Repr::Bool(..));
            made || matches!(
                repr,
                Repr::Object(_) | Repr::Likely(..) | Repr::Exact(..) | Repr::Class(..) | Repr::Instance(..)
            )
        }
        (Repr::Tuple(kinds), Repr::Tuple(items)) => {
            kinds.len() == items.len()
                && items.iter().zip(kinds.iter()).all(|(item, kind)| is_plain(item, kind))
        }
        _ => true,
    }
}

/// A list with what the inference has found out of its items along the way, an object whose class was tested since;
/// anything else as it is.
pub(super) fn as_inferred(repr: &Repr<Value>, kind: &Kind) -> Repr<Value> {
    match (repr, kind) {
        (Repr::Exact(value, own), Repr::Exact((), ty)) if own.class() == ty.class() => {
            Repr::Exact(*value, Rc::clone(ty))
        }
        (Repr::Likely(value, _) | Repr::Instance(value, _), Repr::Instance((), ty)) => {
            Repr::Instance(*value, Rc::clone(ty))
        }
        _ => repr.clone(),
    }
}

/// A representation of this kind; `value` makes the machine values.
pub(super) fn make(kind: &Kind, value: &mut dyn FnMut(Type) -> Value) -> Repr<Value> {
    match kind {
        Repr::Never => Repr::Never,
        Repr::None => Repr::None,
        Repr::Bool((), known) => Repr::Bool(value(Type::Bool), *known),
        Repr::Int((), known) => Repr::Int(value(Type::I64), *known),
        Repr::Wide((), ()) => Repr::Wide(value(Type::I64), value(Type::I64)),
        Repr::Float(()) => Repr::Float(value(Type::F64)),
        Repr::Tuple(items) => Repr::Tuple(items.iter().map(|item| make(item, value)).collect()),
        Repr::Range { by, .. } => {
            Repr::Range { start: value(Type::I64), stop: value(Type::I64), step: value(Type::I64), by: *by }
        }
        Repr::RangeIter { by, .. } => {
            Repr::RangeIter { next: value(Type::I64), end: value(Type::I64), step: value(Type::I64), by: *by }
        }
        Repr::ListIter { item, .. } => {
            Repr::ListIter { list: value(Type::Obj), next: value(Type::I64), item: Rc::clone(item) }
        }
        Repr::ReverseIter { item, .. } => {
            Repr::ReverseIter { list: value(Type::Obj), next: value(Type::I64), item: Rc::clone(item) }
        }
        Repr::StrIter { .. } => Repr::StrIter { text: value(Type::Obj), next: value(Type::I64) },
        Repr::Enumerate { of, .. } => {
            Repr::Enumerate { count: value(Type::I64), of: Rc::new(make(of, value)) }
        }
        Repr::Zip(parts) => Repr::Zip(parts.iter().map(|part| make(part, value)).collect()),
        Repr::Slice(parts) => Repr::Slice(parts.iter().map(|part| make(part, value)).collect()),
        Repr::Method((), class, name) => Repr::Method(value(Type::Obj), *class, Rc::clone(name)),
        Repr::Known(known) => Repr::Known(Rc::clone(known)),
        Repr::Likely((), ty) => Repr::Likely(value(Type::Obj), Rc::clone(ty)),
        Repr::Char(()) => Repr::Char(value(Type::I64)),
        Repr::Class((), class) => Repr::Class(value(Type::Obj), *class),
        Repr::Exact((), ty) => Repr::Exact(value(Type::Obj), Rc::clone(ty)),
        Repr::Instance((), ty) => Repr::Instance(value(Type::Obj), Rc::clone(ty)),
        Repr::Object(()) => Repr::Object(value(Type::Obj)),
    }
}
