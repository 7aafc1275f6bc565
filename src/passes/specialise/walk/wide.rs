//! Ints that may be beyond 64 bits, in two words: what a loop version makes of ops that have overflowed
//! often, and of variables that were beyond 64 bits where it began.

use crate::ir::{Binary, Cmp, Imm, Op, Type, Unary};

use super::{Form, Repr, Sink, Walker};

impl<S: Sink> Walker<'_, S> {
    /// An int or bool as a wide int.
    pub(in crate::passes::specialise) fn as_wide(&mut self, repr: &Repr<S::V>) -> Option<(S::V, S::V)> {
        if let Repr::Wide(low, high) = repr {
            return Some((*low, *high));
        }
        let low = self.as_int(repr)?;
        let sign = self.int_constant(63);
        Some((low, self.one(Op::IntShr, Imm::None, &[low, sign])))
    }

    /// Whether the op on these operands is computed wide.
    pub(super) fn is_wide(&self, binary: Binary, a: &Repr<S::V>, b: &Repr<S::V>) -> bool {
        let may_overflow = matches!(binary, Binary::Add | Binary::Sub | Binary::Mul);
        let is_int = |repr: &Repr<S::V>| repr.is_integral() || matches!(repr, Repr::Wide(..));
        let any = matches!(a, Repr::Wide(..)) || matches!(b, Repr::Wide(..));
        is_int(a) && is_int(b) && (any || may_overflow && self.cx.is_wide(self.inst))
    }

    /// A binary operator on ints of which one is wide, or whose result is.
    pub(super) fn wide_binary(&mut self, binary: Binary, a: &Repr<S::V>, b: &Repr<S::V>) -> Form<S::V> {
        let op = match (binary, a, b) {
            (Binary::Mul, _, _) if a.is_integral() && b.is_integral() => {
                let (Some(a), Some(b)) = (self.as_int(a), self.as_int(b)) else { return Err(None) };
                return Ok(self.two(Op::IntWideProduct, &[a, b]));
            }
            (Binary::Mod, Repr::Wide(low, high), b) if b.is_integral() => {
                let Some(b) = self.as_int(b) else { return Err(None) };
                return Ok(Repr::Int(self.one(Op::IntWideModInt, Imm::None, &[*low, *high, b]), None));
            }
            (Binary::And, Repr::Wide(low, _), Repr::Int(mask, Some(0..)))
            | (Binary::And, Repr::Int(mask, Some(0..)), Repr::Wide(low, _)) => {
                return Ok(Repr::Int(self.one(Op::IntAnd, Imm::None, &[*low, *mask]), None));
            }
            (Binary::Shr, Repr::Wide(low, high), Repr::Int(amount, Some(0..=127))) => {
                return Ok(self.two(Op::IntWideShr, &[*low, *high, *amount]));
            }
            (Binary::And | Binary::Or | Binary::Xor, _, _) => return self.wide_bits(binary, a, b),
            (Binary::Add, _, _) => Op::IntWideAdd,
            (Binary::Sub, _, _) => Op::IntWideSub,
            (Binary::Mul, _, _) => Op::IntWideMul,
            (Binary::FloorDiv, _, _) => Op::IntWideFloorDiv,
            (Binary::Mod, _, _) => Op::IntWideMod,
            (Binary::TrueDiv | Binary::Pow | Binary::Shl | Binary::Shr | Binary::MatMul, _, _) => {
                return Err(None);
            }
        };
        let (Some(a), Some(b)) = (self.as_wide(a), self.as_wide(b)) else { return Err(None) };
        Ok(self.two(op, &[a.0, a.1, b.0, b.1]))
    }

    fn wide_bits(&mut self, binary: Binary, a: &Repr<S::V>, b: &Repr<S::V>) -> Form<S::V> {
        let op = match binary {
            Binary::And => Op::IntAnd,
            Binary::Or => Op::IntOr,
            _ => Op::IntXor,
        };
        let (Some(a), Some(b)) = (self.as_wide(a), self.as_wide(b)) else { return Err(None) };
        let low = self.one(op, Imm::None, &[a.0, b.0]);
        let high = self.one(op, Imm::None, &[a.1, b.1]);
        Ok(Repr::Wide(low, high))
    }

    /// A unary operator on a wide int.
    pub(super) fn wide_unary(&mut self, unary: Unary, (low, high): (S::V, S::V)) -> Repr<S::V> {
        match unary {
            Unary::Pos => Repr::Wide(low, high),
            Unary::Invert => {
                let [low, high] = [low, high].map(|word| self.one(Op::IntInvert, Imm::None, &[word]));
                Repr::Wide(low, high)
            }
            Unary::Neg => {
                let zero = self.int_constant(0);
                self.two(Op::IntWideSub, &[zero, zero, low, high])
            }
        }
    }

    /// A comparison of two ints of which one is wide; none for anything else.
    pub(super) fn wide_compare(&mut self, cmp: Cmp, a: &Repr<S::V>, b: &Repr<S::V>) -> Option<S::V> {
        if !matches!(a, Repr::Wide(..)) && !matches!(b, Repr::Wide(..)) {
            return None;
        }
        let is_int = |repr: &Repr<S::V>| repr.is_integral() || matches!(repr, Repr::Wide(..));
        if !is_int(a) || !is_int(b) {
            return None;
        }
        let (a, b) = (self.as_wide(a)?, self.as_wide(b)?);
        Some(self.one(Op::IntWideCompare, Imm::Cmp(cmp), &[a.0, a.1, b.0, b.1]))
    }

    fn two(&mut self, op: Op, args: &[S::V]) -> Repr<S::V> {
        let words = self.many(op, Imm::None, args, &[Type::I64, Type::I64]);
        Repr::Wide(words[0], words[1])
    }
}
