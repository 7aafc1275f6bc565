//! Calls of builtins on unboxed values.
//!
//! Where a builtin has no unboxed form here, the answer is the type that its result is sure or likely
//! to have: the call is made on objects and its result unboxed under a guard.

use std::rc::Rc;

use crate::ir::{Binary, Builtin, Cmp, Imm, Inst, Op};
use crate::types::Type;

use super::{Form, Left, Repr, Sink, Walker};

impl<S: Sink> Walker<'_, S> {
    pub(super) fn builtin(
        &mut self,
        inst: Inst,
        builtin: Builtin,
        args: &[Repr<S::V>],
    ) -> Result<Form<S::V>, Left> {
        Ok(match (builtin, args) {
            (Builtin::Range, _) => self.range(inst, args),
            (Builtin::Enumerate | Builtin::Zip | Builtin::Reversed, _) => self.walk_over(inst, builtin, args),
            (Builtin::Bool, []) => Ok(self.truth(false)),
            (Builtin::Bool, [arg]) => Ok(self.truth_of(arg)?),
            (Builtin::Int, []) => Ok(self.int(0)),
            (Builtin::Float, []) => Ok(Repr::Float(self.float_constant(0.0))),
            (Builtin::Abs, [arg]) => self.abs(arg),
            (Builtin::Int, [arg]) => self.int_of(arg),
            (Builtin::Float, [arg]) => self.as_float(arg).map(Repr::Float).ok_or(Some(Type::Float)),
            (Builtin::Round, [arg] | [arg, Repr::None]) => self.round(arg),
            (Builtin::Round, [arg, digits]) => self.round_to(arg, digits),
            (Builtin::DivMod, [a, b]) => self.divmod(a, b),
            (Builtin::Pow, [a, b]) => self.binary(Binary::Pow, a, b),
            (Builtin::Pow, [a, b, c]) if [a, b, c].iter().all(|arg| arg.is_integral()) => {
                Err(Some(Type::Int))
            }
            (Builtin::Len, [Repr::Tuple(items)]) => {
                Ok(self.int(i64::try_from(items.len()).expect("unboxed tuples are short")))
            }
            (Builtin::Len, [Repr::Range { start, stop, step, .. }]) => {
                Ok(self.range_len(*start, *stop, *step))
            }
            (Builtin::Len, [Repr::Exact(object, ty)]) => {
                let length = self.length(*object, ty).ok_or(Some(Type::Int));
                length.map(|length| Repr::Int(length, None))
            }
            (Builtin::Len, [Repr::Char(_)]) => Ok(self.int(1)),
            (Builtin::Ord, [Repr::Char(point)]) => Ok(Repr::Int(*point, None)),
            (Builtin::Str, [arg @ Repr::Char(_)]) => Ok(arg.clone()),
            (Builtin::Len, [_]) => Err(Some(Type::Int)),
            (Builtin::List, [Repr::Range { start, stop, step, .. }]) => {
                let list = self.one(Op::ListRange, Imm::None, &[*start, *stop, *step]);
                Ok(Repr::Exact(list, Rc::new(Type::List(Box::new(Type::Int)))))
            }
            (Builtin::List | Builtin::Sorted, [Repr::Exact(_, ty)]) if matches!(**ty, Type::List(_)) => {
                Err(Some((**ty).clone()))
            }
            (Builtin::List, [] | [_]) | (Builtin::Sorted, [_]) => {
                Err(Some(Type::List(Box::new(Type::Object))))
            }
            (Builtin::ByteArray, [] | [_]) => Err(Some(Type::ByteArray)),
            (Builtin::Bytes, [] | [_]) => Err(Some(Type::Bytes)),
            (Builtin::Str, [] | [_]) => Err(Some(Type::Str)),
            (Builtin::Ord, [_]) => Err(Some(Type::Int)),
            (Builtin::Sum, [Repr::Range { start, stop, step, .. }]) => {
                Ok(self.range_sum(*start, *stop, *step))
            }
            (Builtin::Sum, [Repr::Tuple(items)]) => self.sum(items),
            (Builtin::Min | Builtin::Max, [Repr::Tuple(items)]) => self.extreme(builtin, items),
            (Builtin::Min | Builtin::Max, [_, _, ..]) => self.extreme(builtin, args),
            _ => Err(None),
        })
    }

    /// `len` of an object that has a class.
    pub(super) fn length(&mut self, object: S::V, ty: &Type) -> Option<S::V> {
        let op = match ty {
            Type::List(_) => Op::ListLen,
            Type::Str => Op::StrLen,
            Type::Bytes => Op::BytesLen,
            Type::ByteArray => Op::ByteArrayLen,
            _ => return None,
        };
        Some(self.one(op, Imm::None, &[object]))
    }

    fn abs(&mut self, arg: &Repr<S::V>) -> Form<S::V> {
        if let Repr::Float(value) = arg {
            return Ok(Repr::Float(self.one(Op::FloatAbs, Imm::None, &[*value])));
        }
        let value = self.as_int(arg).ok_or(None)?;
        Ok(Repr::Int(self.one(Op::IntAbsChecked, Imm::None, &[value]), None))
    }

    /// `int(arg)`.
    fn int_of(&mut self, arg: &Repr<S::V>) -> Form<S::V> {
        match arg {
            Repr::Int(..) => Ok(arg.clone()),
            Repr::Float(value) => Ok(self.integral(Op::FloatTrunc, *value)),
            _ => self.as_int(arg).map(|value| Repr::Int(value, None)).ok_or(Some(Type::Int)),
        }
    }

    /// A float rounded by the op, as an int.
    pub(super) fn integral(&mut self, op: Op, value: S::V) -> Repr<S::V> {
        let rounded = self.one(op, Imm::None, &[value]);
        Repr::Int(self.one(Op::FloatToIntChecked, Imm::None, &[rounded]), None)
    }

    fn round(&mut self, arg: &Repr<S::V>) -> Form<S::V> {
        match arg {
            Repr::Int(..) => Ok(arg.clone()),
            Repr::Float(value) => Ok(self.integral(Op::FloatNearest, *value)),
            _ => self.as_int(arg).map(|value| Repr::Int(value, None)).ok_or(None),
        }
    }

    fn round_to(&mut self, arg: &Repr<S::V>, digits: &Repr<S::V>) -> Form<S::V> {
        match (arg, digits) {
            (Repr::Int(..), Repr::Int(_, Some(0..))) => Ok(arg.clone()),
            (Repr::Float(_), digits) if digits.is_integral() => Err(Some(Type::Float)),
            (arg, digits) if arg.is_integral() && digits.is_integral() => Err(Some(Type::Int)),
            _ => Err(None),
        }
    }

    fn divmod(&mut self, a: &Repr<S::V>, b: &Repr<S::V>) -> Form<S::V> {
        let quotient = self.binary(Binary::FloorDiv, a, b)?;
        let remainder = self.binary(Binary::Mod, a, b)?;
        Ok(Repr::Tuple([quotient, remainder].into()))
    }

    /// `sum` of a tuple; of floats it is compensated from CPython 3.12 on.
    fn sum(&mut self, items: &[Repr<S::V>]) -> Form<S::V> {
        if !items.iter().all(Repr::is_integral) {
            let floats = items.iter().all(|item| matches!(item, Repr::Float(_)));
            return Err(floats.then_some(Type::Float));
        }
        let mut total = self.int(0);
        for item in items {
            total = self.binary(Binary::Add, &total, item)?;
        }
        Ok(total)
    }

    /// `min` or `max`: as CPython does it, an item replaces the best so far when it compares less (or
    /// greater), so of equals the first stays and a NaN never replaces anything.
    fn extreme(&mut self, builtin: Builtin, items: &[Repr<S::V>]) -> Form<S::V> {
        let Some((first, rest)) = items.split_first() else { return Err(None) };
        let less = builtin == Builtin::Min;
        let mut best = first.clone();
        for item in rest {
            best = match (&best, item) {
                (Repr::Int(a, _), Repr::Int(b, _)) => {
                    let op = if less { Op::IntMin } else { Op::IntMax };
                    Repr::Int(self.one(op, Imm::None, &[*a, *b]), None)
                }
                (Repr::Bool(a, _), Repr::Bool(b, _)) => {
                    let op = if less { Op::BoolAnd } else { Op::BoolOr };
                    Repr::Bool(self.one(op, Imm::None, &[*a, *b]), None)
                }
                (Repr::Float(a), Repr::Float(b)) => {
                    let cmp = if less { Cmp::Lt } else { Cmp::Gt };
                    let replaces = self.one(Op::FloatCompare, Imm::Cmp(cmp), &[*b, *a]);
                    Repr::Float(self.one(Op::SelectFloat, Imm::None, &[replaces, *b, *a]))
                }
                _ => return Err(None),
            };
        }
        if best.is_number() { Ok(best) } else { Err(None) }
    }
}
