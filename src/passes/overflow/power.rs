//! Small fixed exponents as multiplications, lengths of ranges with a fixed step as divisions.

use crate::analysis::ranges::Ranges;
use crate::analysis::ranges::interval::Interval;
use crate::ir::Imm;
use crate::ir::Inst;
use crate::ir::Op;
use crate::ir::Value;

use crate::passes::rewrite::Keep;
use crate::passes::rewrite::Rewriter;

/// `a ** b`: a product that leaves an i64 on the way leaves it at the end too, so that every
/// multiplication may take the exit of the whole.
pub(super) fn pow(rewriter: &mut Rewriter<'_>, ranges: &Ranges, inst: Inst) -> Keep {
    let (of_base, exponent) = (ranges.operand(inst, 0), ranges.operand(inst, 1).single());
    let base = rewriter.func.inst(inst).args[0];
    match exponent {
        Some(0) => rewriter.become_constant(inst, Op::IntConst, Imm::Int(1)),
        Some(1) => return rewriter.replace(inst, base),
        Some(2) => become_product(rewriter, inst, [(base, of_base), (base, of_base)]),
        Some(3) => {
            let square = emit_square(rewriter, inst, (base, of_base));
            become_product(rewriter, inst, [square, (base, of_base)]);
        }
        Some(4) => {
            let square = emit_square(rewriter, inst, (base, of_base));
            become_product(rewriter, inst, [square, square]);
        }
        _ => {}
    }
    Keep::Yes
}

fn emit_square(
    rewriter: &mut Rewriter<'_>,
    inst: Inst,
    (base, of_base): (Value, Interval),
) -> (Value, Interval) {
    // Both factors are the same, so the square is never negative.
    let of_square = of_base.abs().times(of_base.abs());
    let square = if of_square.fits_i64() {
        rewriter.emit(inst, Op::IntMul, Imm::None, &[base, base])
    } else {
        rewriter.emit_exiting(inst, Op::IntMulChecked, &[base, base])
    };
    (square, of_square.meet(Interval::I64))
}

fn become_product(rewriter: &mut Rewriter<'_>, inst: Inst, [(a, of_a), (b, of_b)]: [(Value, Interval); 2]) {
    if of_a.times(of_b).fits_i64() {
        rewriter.become_op(inst, Op::IntMul, &[a, b]);
    } else {
        let data = rewriter.func.inst_mut(inst);
        data.op = Op::IntMulChecked;
        data.args = vec![a, b];
    }
}

/// `len(range(start, stop, step))` is the distance by the step, rounded up, and never negative.
pub(super) fn range_len(rewriter: &mut Rewriter<'_>, ranges: &Ranges, inst: Inst) {
    let Some(step) = ranges.operand(inst, 2).single().filter(|step| *step != 0) else {
        return;
    };
    let &[start, stop, _] = rewriter.func.inst(inst).args.as_slice() else {
        return;
    };
    let (of_start, of_stop) = (ranges.operand(inst, 0), ranges.operand(inst, 1));
    let upward = step > 0;
    let distance = if upward { of_stop.minus(of_start) } else { of_start.minus(of_stop) };
    let stride = Interval::exactly(step.abs());
    let rounded = distance.plus(stride);
    let Ok(stride) = i64::try_from(step.abs()) else {
        return;
    };
    if !distance.fits_i64() || !rounded.fits_i64() {
        return;
    }
    let ends = if upward { [stop, start] } else { [start, stop] };
    let distance = rewriter.emit(inst, Op::IntSub, Imm::None, &ends);
    let zero = rewriter.emit_int(inst, 0);
    if stride == 1 {
        rewriter.become_op(inst, Op::IntMax, &[distance, zero]);
        return;
    }
    let more = rewriter.emit_int(inst, stride - 1);
    let rounded = rewriter.emit(inst, Op::IntAdd, Imm::None, &[distance, more]);
    let clamped = rewriter.emit(inst, Op::IntMax, Imm::None, &[rounded, zero]);
    let stride = rewriter.emit_int(inst, stride);
    rewriter.become_op(inst, Op::IntDivUnsigned, &[clamped, stride]);
}
