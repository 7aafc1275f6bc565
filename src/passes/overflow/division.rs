//! Divisions: by a power of two, of operands with known signs, by what cannot be zero.

use crate::analysis::ranges::Ranges;
use crate::analysis::ranges::interval::Interval;
use crate::ir::Function;
use crate::ir::Imm;
use crate::ir::Inst;
use crate::ir::Op;
use crate::ir::Value;

use crate::passes::rewrite::Keep;
use crate::passes::rewrite::Rewriter;

/// Ints that a float holds exactly.
const EXACT_IN_FLOAT: Interval = Interval { min: -(1 << 53), max: 1 << 53 };

/// The exponent of a divisor that is always the same power of two.
fn power_of_two(divisor: Interval) -> Option<i64> {
    let value = divisor.single().filter(|value| *value > 0)?;
    (value & (value - 1) == 0).then(|| i64::from(value.trailing_zeros()))
}

/// Whether the machine's division takes the divisor as it is.
fn is_harmless(divisor: Interval) -> bool {
    divisor.min > 0 || divisor.max < -1
}

/// `a // b`
pub(super) fn floor_div(rewriter: &mut Rewriter<'_>, ranges: &Ranges, inst: Inst) {
    let (dividend, divisor) = (ranges.operand(inst, 0), ranges.operand(inst, 1));
    let &[a, b] = rewriter.func.inst(inst).args.as_slice() else {
        return;
    };
    if let Some(exponent) = power_of_two(divisor) {
        let count = rewriter.emit_int(inst, exponent);
        rewriter.become_op(inst, Op::IntShr, &[a, count]);
    } else if dividend.min >= 0 && divisor.min > 0 {
        rewriter.become_op(inst, Op::IntDivUnsigned, &[a, b]);
    } else if is_harmless(divisor) {
        rewriter.become_op(inst, Op::IntFloorDiv, &[a, b]);
    } else if divisor.single() == Some(-1) && dividend.negated().fits_i64() {
        rewriter.become_op(inst, Op::IntNeg, &[a]);
    }
}

/// `a % b`
pub(super) fn modulo(rewriter: &mut Rewriter<'_>, ranges: &Ranges, inst: Inst) -> Keep {
    let (dividend, divisor) = (ranges.operand(inst, 0), ranges.operand(inst, 1));
    let &[a, b] = rewriter.func.inst(inst).args.as_slice() else {
        return Keep::Yes;
    };
    let below = dividend.min >= 0 && dividend.max < divisor.min;
    let above = dividend.max <= 0 && divisor.max < dividend.min;
    if below || above {
        return rewriter.replace(inst, a);
    }
    if let Some(exponent) = power_of_two(divisor) {
        let mask = rewriter.emit_int(inst, (1 << exponent) - 1);
        rewriter.become_op(inst, Op::IntAnd, &[a, mask]);
    } else if dividend.min >= 0 && divisor.min > 0 {
        rewriter.become_op(inst, Op::IntModUnsigned, &[a, b]);
    } else if is_harmless(divisor) {
        rewriter.become_op(inst, Op::IntMod, &[a, b]);
    } else if divisor.single() == Some(-1) {
        rewriter.become_constant(inst, Op::IntConst, Imm::Int(0));
    }
    Keep::Yes
}

/// `a / b` of ints
pub(super) fn true_div(rewriter: &mut Rewriter<'_>, ranges: &Ranges, inst: Inst) {
    let (dividend, divisor) = (ranges.operand(inst, 0), ranges.operand(inst, 1));
    let exact = dividend.within(EXACT_IN_FLOAT) && divisor.within(EXACT_IN_FLOAT);
    if exact && !divisor.contains(0) {
        super::become_unchecked(rewriter, inst, Op::IntTrueDiv);
    }
}

/// `a / b` of floats
pub(super) fn float_div(rewriter: &mut Rewriter<'_>, ranges: &Ranges, inst: Inst) {
    let divisor = rewriter.func.inst(inst).args[1];
    if is_nonzero_float(rewriter.func, ranges, divisor) {
        super::become_unchecked(rewriter, inst, Op::FloatDiv);
    }
}

fn is_nonzero_float(func: &Function, ranges: &Ranges, value: Value) -> bool {
    func.def_inst(value).is_some_and(|data| match (data.op, data.imm) {
        (Op::FloatConst, Imm::Float(bits)) => f64::from_bits(bits) != 0.0,
        (Op::IntToFloat, _) => {
            let from = ranges.value(data.args[0]);
            !from.is_empty() && !from.contains(0)
        }
        _ => false,
    })
}
