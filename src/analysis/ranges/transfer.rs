//! What one op makes of the intervals of its operands.

use crate::ir::Imm;
use crate::ir::Op;
use crate::ir::Type;

use super::interval::Interval;

/// No container has more items: each takes a byte at least.
const MOST_ITEMS: i128 = i64::MAX as i128;

/// Everything that a value of the type can be, as an interval: truth values are 0 and 1.
#[must_use]
pub fn whole(ty: Type) -> Interval {
    match ty {
        Type::Bool => Interval::BOOL,
        Type::I64 | Type::F64 | Type::Obj => Interval::I64,
    }
}

/// The op's mathematical result, before it is known whether an i64 holds it, for operands in these
/// intervals; `None` for an op whose result is no function of ints and truth values.
#[must_use]
pub fn exact_result(op: Op, imm: Imm, operands: &[Interval]) -> Option<Interval> {
    let operand = |number: usize| operands[number];
    let binary = |combine: fn(Interval, Interval) -> Interval| Some(combine(operands[0], operands[1]));
    match op {
        Op::IntConst | Op::BoolConst => match imm {
            Imm::Int(value) => Some(Interval::exactly(i128::from(value))),
            Imm::Bool(value) => Some(Interval::exactly(i128::from(value))),
            _ => None,
        },
        Op::IntAddChecked | Op::IntAdd => binary(Interval::plus),
        Op::IntSubChecked | Op::IntSub => binary(Interval::minus),
        Op::IntMulChecked | Op::IntMul => binary(Interval::times),
        Op::IntNegChecked | Op::IntNeg => Some(operand(0).negated()),
        Op::IntAbsChecked | Op::IntAbs => Some(operand(0).abs()),
        Op::IntShlChecked | Op::IntShl => binary(Interval::shifted_left),
        Op::IntShrChecked | Op::IntShr => binary(Interval::shifted_right),
        Op::IntFloorDivChecked | Op::IntFloorDiv | Op::IntDivUnsigned => binary(Interval::floor_div),
        Op::IntModChecked | Op::IntMod | Op::IntModUnsigned => binary(Interval::modulo),
        Op::IntPowChecked => binary(Interval::pow),
        Op::IntAnd | Op::BoolAnd => binary(Interval::and),
        Op::IntOr | Op::BoolOr => binary(Interval::or),
        Op::IntXor | Op::BoolXor => binary(Interval::xor),
        Op::IntInvert => Some(operand(0).invert()),
        Op::IntMin => binary(Interval::min_with),
        Op::IntMax => binary(Interval::max_with),
        Op::IntCompare => match imm {
            Imm::Cmp(cmp) => Some(operand(0).compare(cmp, operand(1))),
            _ => None,
        },
        Op::BoolNot => Some(Interval::exactly(1).minus(operand(0))),
        Op::BoolToInt => Some(operand(0)),
        Op::StrItem => Some(Interval::new(0, 0x0010_ffff)),
        Op::ListLen | Op::StrLen | Op::BytesLen | Op::ByteArrayLen => Some(Interval::new(0, MOST_ITEMS)),
        Op::BytesItem | Op::ByteArrayItem => Some(Interval::new(0, 255)),
        Op::IntRangeLen => Some(range_len(operand(0), operand(1), operand(2))),
        _ => None,
    }
}

/// `len(range(start, stop, step))`
fn range_len(start: Interval, stop: Interval, step: Interval) -> Interval {
    if start.is_empty() || stop.is_empty() || step.is_empty() {
        return Interval::EMPTY;
    }
    let distance = stop.minus(start);
    let least = step.meet(Interval::new(1, i128::MAX));
    let up = if least.is_empty() { Interval::EMPTY } else { ceil_div(distance, least) };
    let greatest = step.meet(Interval::new(i128::MIN, -1)).negated();
    let down = if greatest.is_empty() { Interval::EMPTY } else { ceil_div(distance.negated(), greatest) };
    up.join(down)
}

/// How many positive steps it takes to cover the distance.
fn ceil_div(distance: Interval, step: Interval) -> Interval {
    let zero = Interval::exactly(0);
    distance.negated().floor_div(step).negated().max_with(zero)
}
