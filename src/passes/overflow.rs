//! Overflow-check elimination: checks that cannot fail go, decided conditions become constants.
//!
//! ```text
//! v2 = int.add_checked v0, v1, exit …      v0 and v1 in [0, 10]      v2 = int.add v0, v1
//! v3 = int.mod_checked v2, v1              v1 is 8                   v4 = int.constant 7
//!                                                                    v3 = int.and v2, v4
//! v5 = int.compare lt v3, v6               v6 in [8, 100]            v5 = bool.constant true
//! control.branch v5, b1, b2                                          control.jump b1
//! ```
//!
//! In: a function and its [`Ranges`]. Out: the same function; an op that no longer exits has no exit
//! state, blocks that nothing leads to any more are out of the layout. The ranges are stale afterwards.

mod division;
mod fold;
mod offset;
mod power;

use crate::analysis::ranges::Ranges;
use crate::analysis::ranges::interval::Interval;
use crate::ir::Function;
use crate::ir::Imm;
use crate::ir::ImmKind;
use crate::ir::Inst;
use crate::ir::Op;
use crate::ir::cfg::Cfg;

use crate::passes::rewrite::Keep;
use crate::passes::rewrite::Rewriter;
use crate::passes::rewrite::rewrite_insts;

/// Shift counts that the machine takes.
const COUNTS: Interval = Interval { min: 0, max: 63 };

/// Replaces every checked op whose check cannot fail and everything that the ranges decide.
pub fn eliminate_overflow_checks(func: &mut Function, ranges: &Ranges) {
    let variables = offset::loop_variables(func);
    rewrite_insts(func, |rewriter, inst| {
        if !ranges.reaches(inst) {
            return Keep::Yes;
        }
        // What looks at the operands' intervals comes before what changes the operands.
        if fold::decide(rewriter, ranges, inst) == Keep::No || simplify(rewriter, ranges, inst) == Keep::No {
            return Keep::No;
        }
        fold::fold_constant(rewriter, ranges, inst);
        offset::compare_operand(rewriter, ranges, &variables, inst);
        Keep::Yes
    });
    let cfg = Cfg::of(func);
    func.layout.retain(|&block| cfg.is_reachable(block));
}

/// Gives the instruction its cheapest form.
fn simplify(rewriter: &mut Rewriter<'_>, ranges: &Ranges, inst: Inst) -> Keep {
    let operand = |number| ranges.operand(inst, number);
    let fits = ranges.exact_result(rewriter.func, inst).is_some_and(Interval::fits_i64);
    match rewriter.func.inst(inst).op {
        Op::IntAddChecked if fits => become_unchecked(rewriter, inst, Op::IntAdd),
        Op::IntSubChecked if fits => become_unchecked(rewriter, inst, Op::IntSub),
        Op::IntMulChecked if fits => become_unchecked(rewriter, inst, Op::IntMul),
        Op::IntNegChecked if fits => become_unchecked(rewriter, inst, Op::IntNeg),
        Op::IntAbsChecked if fits => become_unchecked(rewriter, inst, Op::IntAbs),
        Op::IntShlChecked if fits && operand(1).within(COUNTS) => {
            become_unchecked(rewriter, inst, Op::IntShl)
        }
        Op::IntShrChecked if operand(1).min >= 0 => shift_right(rewriter, ranges, inst),
        Op::IntFloorDivChecked | Op::IntFloorDiv => division::floor_div(rewriter, ranges, inst),
        Op::IntModChecked | Op::IntMod => return division::modulo(rewriter, ranges, inst),
        Op::IntTrueDivChecked => division::true_div(rewriter, ranges, inst),
        Op::IntPowChecked => return power::pow(rewriter, ranges, inst),
        Op::IntRangeLen => power::range_len(rewriter, ranges, inst),
        Op::FloatDivChecked => division::float_div(rewriter, ranges, inst),
        op if has_index(op) && operand(1).min >= 0 => rewriter.func.inst_mut(inst).imm = Imm::Bool(true),
        _ => {}
    }
    Keep::Yes
}

/// Whether the op takes an index as its second operand, whose sign its immediate knows.
fn has_index(op: Op) -> bool {
    op.row().imm == ImmKind::Bool && op.row().operands.len() > 1
}

fn become_unchecked(rewriter: &mut Rewriter<'_>, inst: Inst, op: Op) {
    let args = rewriter.func.inst(inst).args.clone();
    rewriter.become_op(inst, op, &args);
}

/// A count beyond 63 shifts everything but the sign out, as 63 does.
fn shift_right(rewriter: &mut Rewriter<'_>, ranges: &Ranges, inst: Inst) {
    let &[value, count] = rewriter.func.inst(inst).args.as_slice() else {
        return;
    };
    let count = if ranges.operand(inst, 1).within(COUNTS) {
        count
    } else {
        let most = rewriter.emit_int(inst, 63);
        rewriter.emit(inst, Op::IntMin, Imm::None, &[count, most])
    };
    rewriter.become_op(inst, Op::IntShr, &[value, count]);
}
