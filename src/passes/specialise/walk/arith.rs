//! Operators, comparisons and truth on unboxed values.

use crate::ir::{Binary, Cmp, Imm, Op, Unary};
use crate::types::Type;

use super::{Form, Left, Repr, Sink, Walker};

/// Every int up to this absolute value is a float.
const EXACT: i64 = 1 << 53;

impl<S: Sink> Walker<'_, S> {
    /// An int or bool as an i64.
    pub(super) fn as_int(&mut self, repr: &Repr<S::V>) -> Option<S::V> {
        match repr {
            Repr::Int(value, _) => Some(*value),
            Repr::Bool(value, _) => Some(self.one(Op::BoolToInt, Imm::None, &[*value])),
            _ => None,
        }
    }

    /// A number as a float, converted as CPython converts it.
    pub(super) fn as_float(&mut self, repr: &Repr<S::V>) -> Option<S::V> {
        match repr {
            Repr::Float(value) => Some(*value),
            #[expect(
                clippy::cast_precision_loss,
                reason = "rounds to nearest even, as the conversion it stands for"
            )]
            Repr::Int(_, Some(value)) => Some(self.float_constant(*value as f64)),
            _ => {
                let int = self.as_int(repr)?;
                Some(self.one(Op::IntToFloat, Imm::None, &[int]))
            }
        }
    }

    pub(super) fn binary(&mut self, binary: Binary, a: &Repr<S::V>, b: &Repr<S::V>) -> Form<S::V> {
        if self.is_wide(binary, a, b) {
            return self.wide_binary(binary, a, b);
        }
        if !a.is_number() || !b.is_number() {
            return Err(result_of_sequences(binary, a, b));
        }
        match (a, b) {
            (Repr::Bool(a, _), Repr::Bool(b, _))
                if matches!(binary, Binary::And | Binary::Or | Binary::Xor) =>
            {
                let op = match binary {
                    Binary::And => Op::BoolAnd,
                    Binary::Or => Op::BoolOr,
                    _ => Op::BoolXor,
                };
                Ok(Repr::Bool(self.one(op, Imm::None, &[*a, *b]), None))
            }
            (Repr::Float(_), _) | (_, Repr::Float(_)) => self.float_binary(binary, a, b),
            _ => self.int_binary(binary, a, b),
        }
    }

    fn float_binary(&mut self, binary: Binary, a: &Repr<S::V>, b: &Repr<S::V>) -> Form<S::V> {
        let op = match binary {
            Binary::Add => Op::FloatAdd,
            Binary::Sub => Op::FloatSub,
            Binary::Mul => Op::FloatMul,
            Binary::TrueDiv => Op::FloatDivChecked,
            Binary::FloorDiv => Op::FloatFloorDivChecked,
            Binary::Mod => Op::FloatModChecked,
            Binary::Pow => Op::FloatPowChecked,
            Binary::Shl | Binary::Shr | Binary::And | Binary::Or | Binary::Xor | Binary::MatMul => {
                return Err(None);
            }
        };
        let (Some(a), Some(b)) = (self.as_float(a), self.as_float(b)) else { return Err(None) };
        let nonzero = self.sink.float_value(b).is_some_and(|value| value != 0.0);
        let op = if op == Op::FloatDivChecked && nonzero { Op::FloatDiv } else { op };
        Ok(Repr::Float(self.one(op, Imm::None, &[a, b])))
    }

    fn int_binary(&mut self, binary: Binary, a: &Repr<S::V>, b: &Repr<S::V>) -> Form<S::V> {
        let op = match binary {
            Binary::Add => Op::IntAddChecked,
            Binary::Sub => Op::IntSubChecked,
            Binary::Mul => Op::IntMulChecked,
            Binary::TrueDiv => Op::IntTrueDivChecked,
            Binary::FloorDiv => Op::IntFloorDivChecked,
            Binary::Mod => Op::IntModChecked,
            Binary::Shl => Op::IntShlChecked,
            Binary::Shr => Op::IntShrChecked,
            Binary::And => Op::IntAnd,
            Binary::Or => Op::IntOr,
            Binary::Xor => Op::IntXor,
            Binary::Pow => return self.int_power(a, b),
            Binary::MatMul => return Err(None),
        };
        let (Some(a), Some(b)) = (self.as_int(a), self.as_int(b)) else { return Err(None) };
        let value = self.one(op, Imm::None, &[a, b]);
        Ok(if binary == Binary::TrueDiv { Repr::Float(value) } else { Repr::Int(value, None) })
    }

    /// A negative exponent gives a float: known beforehand it stays an object op, else it exits.
    pub(super) fn int_power(&mut self, base: &Repr<S::V>, exponent: &Repr<S::V>) -> Form<S::V> {
        let known = if let Repr::Int(_, known) = exponent { *known } else { None };
        if known.is_some_and(|exponent| exponent < 0) {
            return Err(Some(Type::Float));
        }
        let Some(a) = self.as_int(base) else { return Err(None) };
        let value = match known {
            Some(2) => self.one(Op::IntMulChecked, Imm::None, &[a, a]),
            Some(3) => {
                let square = self.one(Op::IntMulChecked, Imm::None, &[a, a]);
                self.one(Op::IntMulChecked, Imm::None, &[square, a])
            }
            _ => {
                let Some(b) = self.as_int(exponent) else { return Err(None) };
                self.one(Op::IntPowChecked, Imm::None, &[a, b])
            }
        };
        Ok(Repr::Int(value, None))
    }

    pub(super) fn unary(&mut self, unary: Unary, a: &Repr<S::V>) -> Form<S::V> {
        match (unary, a) {
            (Unary::Neg, Repr::Int(_, Some(value))) if *value != i64::MIN => Ok(self.int(-value)),
            (Unary::Neg, Repr::Float(value)) => Ok(Repr::Float(self.one(Op::FloatNeg, Imm::None, &[*value]))),
            (_, Repr::Wide(low, high)) => Ok(self.wide_unary(unary, (*low, *high))),
            (Unary::Pos, Repr::Int(..) | Repr::Float(_)) => Ok(a.clone()),
            // CPython 3.12 and later warn about `~True`.
            (Unary::Invert, Repr::Bool(..)) => Err(Some(Type::Int)),
            (Unary::Neg | Unary::Pos | Unary::Invert, Repr::Int(..) | Repr::Bool(..)) => {
                let Some(int) = self.as_int(a) else { return Err(None) };
                let value = match unary {
                    Unary::Neg => self.one(Op::IntNegChecked, Imm::None, &[int]),
                    Unary::Pos => int,
                    Unary::Invert => self.one(Op::IntInvert, Imm::None, &[int]),
                };
                Ok(Repr::Int(value, None))
            }
            _ => Err(None),
        }
    }

    pub(super) fn compare(&mut self, cmp: Cmp, a: &Repr<S::V>, b: &Repr<S::V>) -> Form<S::V> {
        if let Some(truth) = self.wide_compare(cmp, a, b) {
            return Ok(Repr::Bool(truth, None));
        }
        if a.is_number() && b.is_number() {
            return self.compare_numbers(cmp, a, b).map(|value| Repr::Bool(value, None)).ok_or(None);
        }
        if let Some(truth) = self.compare_strings(cmp, a, b) {
            return Ok(Repr::Bool(truth, None));
        }
        let tuples = matches!((a, b), (Repr::Tuple(_), Repr::Tuple(_)));
        if a.is_item() && b.is_item() && !tuples && matches!(cmp, Cmp::Eq | Cmp::Ne) {
            let same = matches!((a, b), (Repr::None, Repr::None));
            return Ok(self.truth(same == (cmp == Cmp::Eq)));
        }
        let likely = |repr: &Repr<S::V>| repr.is_item() || matches!(repr, Repr::Likely(..));
        Err((likely(a) && likely(b)).then_some(Type::Bool))
    }

    /// Comparisons of strings, by their code points where both are characters.
    fn compare_strings(&mut self, cmp: Cmp, a: &Repr<S::V>, b: &Repr<S::V>) -> Option<S::V> {
        if let (Repr::Char(a), Repr::Char(b)) = (a, b) {
            return Some(self.one(Op::IntCompare, Imm::Cmp(cmp), &[*a, *b]));
        }
        let equal = match (a, b) {
            _ if !matches!(cmp, Cmp::Eq | Cmp::Ne) || !is_str(a) || !is_str(b) => return None,
            (Repr::Exact(text, _), Repr::Char(point)) | (Repr::Char(point), Repr::Exact(text, _)) => {
                self.one(Op::StrIsChar, Imm::None, &[*text, *point])
            }
            (Repr::Exact(a, _), Repr::Exact(b, _)) => self.one(Op::StrEqual, Imm::None, &[*a, *b]),
            _ => return None,
        };
        Some(if cmp == Cmp::Eq { equal } else { self.one(Op::BoolNot, Imm::None, &[equal]) })
    }

    fn compare_numbers(&mut self, cmp: Cmp, a: &Repr<S::V>, b: &Repr<S::V>) -> Option<S::V> {
        match (a, b) {
            (Repr::Float(a), Repr::Float(b)) => Some(self.one(Op::FloatCompare, Imm::Cmp(cmp), &[*a, *b])),
            (Repr::Float(a), b) => self.compare_with_float(cmp.swapped(), b, *a),
            (a, Repr::Float(b)) => self.compare_with_float(cmp, a, *b),
            _ => {
                let (a, b) = (self.as_int(a)?, self.as_int(b)?);
                Some(self.one(Op::IntCompare, Imm::Cmp(cmp), &[a, b]))
            }
        }
    }

    fn compare_with_float(&mut self, cmp: Cmp, int: &Repr<S::V>, float: S::V) -> Option<S::V> {
        let exact = match int {
            Repr::Int(_, Some(value)) => (-EXACT..=EXACT).contains(value),
            int => matches!(int, Repr::Bool(..)),
        };
        if exact {
            let converted = self.as_float(int)?;
            return Some(self.one(Op::FloatCompare, Imm::Cmp(cmp), &[converted, float]));
        }
        let int = self.as_int(int)?;
        Some(self.one(Op::IntCompareFloat, Imm::Cmp(cmp), &[int, float]))
    }

    /// `a is b`. The identity of equal ints, floats and tuples is CPython's business.
    pub(super) fn identity(
        &mut self,
        same: bool,
        a: &Repr<S::V>,
        b: &Repr<S::V>,
    ) -> Result<Repr<S::V>, Left> {
        if same {
            return Ok(self.truth(true));
        }
        match (a, b) {
            (Repr::Bool(a, _), Repr::Bool(b, _)) => {
                let differ = self.one(Op::BoolXor, Imm::None, &[*a, *b]);
                Ok(Repr::Bool(self.one(Op::BoolNot, Imm::None, &[differ]), None))
            }
            (Repr::None, Repr::None) => Ok(self.truth(true)),
            (Repr::None, Repr::Instance(_, ty)) | (Repr::Instance(_, ty), Repr::None)
                if matches!(**ty, Type::Sealed(_)) =>
            {
                Ok(self.truth(false))
            }
            _ if a.is_item() && b.is_item() && class_of(a) != class_of(b) => Ok(self.truth(false)),
            _ if has_identity(a) && has_identity(b) => {
                let (a, b) = (self.object(a)?, self.object(b)?);
                Ok(Repr::Bool(self.one(Op::ObjIs, Imm::None, &[a, b]), None))
            }
            _ => Err(Left),
        }
    }

    /// `bool(a)`.
    pub(super) fn truth_of(&mut self, a: &Repr<S::V>) -> Result<Repr<S::V>, Left> {
        Ok(match a {
            Repr::Bool(..) => a.clone(),
            Repr::None => self.truth(false),
            Repr::Char(_) => self.truth(true),
            Repr::Exact(object, ty) => {
                let length = self.length(*object, ty).ok_or(Left)?;
                let zero = self.int_constant(0);
                Repr::Bool(self.one(Op::IntCompare, Imm::Cmp(Cmp::Ne), &[length, zero]), None)
            }
            Repr::Tuple(items) => self.truth(!items.is_empty()),
            Repr::Int(_, Some(value)) => self.truth(*value != 0),
            Repr::Int(value, None) => {
                let zero = self.int_constant(0);
                Repr::Bool(self.one(Op::IntCompare, Imm::Cmp(Cmp::Ne), &[*value, zero]), None)
            }
            Repr::Wide(low, high) => {
                let zero = self.int_constant(0);
                let bits = self.one(Op::IntOr, Imm::None, &[*low, *high]);
                Repr::Bool(self.one(Op::IntCompare, Imm::Cmp(Cmp::Ne), &[bits, zero]), None)
            }
            Repr::Float(value) => {
                let zero = self.float_constant(0.0);
                Repr::Bool(self.one(Op::FloatCompare, Imm::Cmp(Cmp::Ne), &[*value, zero]), None)
            }
            _ => {
                let object = self.object(a)?;
                Repr::Bool(self.one(Op::ObjTruth, Imm::None, &[object]), None)
            }
        })
    }

    /// An op of the group `bool`, with what is known of its result.
    pub(super) fn logic(&mut self, op: Op, operands: &[Repr<S::V>]) -> Result<Repr<S::V>, Left> {
        let mut values = Vec::with_capacity(operands.len());
        let mut known = Vec::with_capacity(operands.len());
        for operand in operands {
            let Repr::Bool(value, constant) = operand else { return Err(Left) };
            values.push(*value);
            known.push(*constant);
        }
        let result = match (op, &known[..]) {
            (Op::BoolNot, [Some(a)]) => Some(!a),
            (Op::BoolAnd, [Some(false), _] | [_, Some(false)]) => Some(false),
            (Op::BoolOr, [Some(true), _] | [_, Some(true)]) => Some(true),
            (Op::BoolAnd, [Some(a), Some(b)]) => Some(a & b),
            (Op::BoolOr, [Some(a), Some(b)]) => Some(a | b),
            (Op::BoolXor, [Some(a), Some(b)]) => Some(a ^ b),
            _ => None,
        };
        match result {
            Some(result) => Ok(self.truth(result)),
            None => Ok(Repr::Bool(self.one(op, Imm::None, &values), None)),
        }
    }
}

/// Whether the value is an exact str.
fn is_str<V: Copy>(repr: &Repr<V>) -> bool {
    match repr {
        Repr::Char(_) => true,
        Repr::Exact(_, ty) => **ty == Type::Str,
        _ => false,
    }
}

/// The type that an operator on lists, strings or bytes gives for certain.
fn result_of_sequences<V: Copy>(binary: Binary, a: &Repr<V>, b: &Repr<V>) -> Option<Type> {
    match (binary, a, b) {
        (Binary::Mul, Repr::Exact(_, ty), times) | (Binary::Mul, times, Repr::Exact(_, ty))
            if times.is_integral() =>
        {
            Some((**ty).clone())
        }
        (Binary::Add, Repr::Exact(_, a), Repr::Exact(_, b)) if a.class() == b.class() => Some(a.join(b)),
        (Binary::Add, a, b) if is_str(a) && is_str(b) => Some(Type::Str),
        (Binary::Mul, Repr::Char(_), times) if times.is_integral() => Some(Type::Str),
        (Binary::Mod, Repr::Exact(_, ty), _) if **ty == Type::Str => Some(Type::Str),
        _ => None,
    }
}

/// Whether an object made of the value is the only one that it can be.
fn has_identity<V>(repr: &Repr<V>) -> bool {
    matches!(
        repr,
        Repr::Object(_)
            | Repr::Likely(..)
            | Repr::Exact(..)
            | Repr::Instance(..)
            | Repr::Class(..)
            | Repr::None
            | Repr::Bool(..)
    )
}

/// A number for each class that an unboxed value may have.
fn class_of<V>(repr: &Repr<V>) -> usize {
    match repr {
        Repr::None => 0,
        Repr::Bool(..) => 1,
        Repr::Int(..) | Repr::Wide(..) => 2,
        Repr::Float(_) => 3,
        _ => 4,
    }
}
