//! Comparisons of sums with constants: `n - 1 < 2` tests `n < 3`, which leaves the sum to those who want it.
//!
//! A machine compares with any constant at the same price, and where one value is tested at several
//! distances (recursion that is inlined) all tests read one register. What a loop turn computes for the
//! next one is compared as it is: its old value would need a register of its own.

use rustc_hash::FxHashSet;

use crate::analysis::loops::Loops;
use crate::analysis::ranges::Ranges;
use crate::analysis::ranges::interval::Interval;
use crate::ir::Def;
use crate::ir::Function;
use crate::ir::Imm;
use crate::ir::Inst;
use crate::ir::Op;
use crate::ir::Value;
use crate::ir::cfg::Cfg;
use crate::ir::dominators::Dominators;

use crate::passes::rewrite::Rewriter;

/// The parameters of loop headers.
pub(super) fn loop_variables(func: &Function) -> FxHashSet<Value> {
    let cfg = Cfg::of(func);
    let loops = Loops::of(&cfg, &Dominators::of(&cfg));
    let headers = loops.all().iter().map(|found| found.header);
    headers.flat_map(|header| func.block(header).params.iter().copied()).collect()
}

/// Makes a comparison of a sum with a constant one of the sum's operand.
pub(super) fn compare_operand(
    rewriter: &mut Rewriter<'_>,
    ranges: &Ranges,
    variables: &FxHashSet<Value>,
    inst: Inst,
) {
    let data = rewriter.func.inst(inst);
    let (Op::IntCompare, &[sum, limit]) = (data.op, data.args.as_slice()) else { return };
    let (imm, limit) = (data.imm, constant(rewriter.func, limit));
    let (mut value, mut limit, mut is_sum) = (sum, limit, false);
    while let (Some(known), Some((operand, added))) = (limit, exact_sum(rewriter.func, ranges, value)) {
        (value, limit, is_sum) = (operand, known.checked_sub(added), true);
    }
    let (true, Some(limit)) = (is_sum && !variables.contains(&value), limit) else { return };
    let limit = rewriter.emit_int(inst, limit);
    rewriter.become_op(inst, Op::IntCompare, &[value, limit]);
    rewriter.func.inst_mut(inst).imm = imm;
}

fn constant(func: &Function, value: Value) -> Option<i64> {
    match func.def_inst(value)?.imm {
        Imm::Int(constant) => Some(constant),
        _ => None,
    }
}

/// The operand and the constant of a sum that never wraps.
fn exact_sum(func: &Function, ranges: &Ranges, value: Value) -> Option<(Value, i64)> {
    let Def::Result(inst, _) = func.def(value) else { return None };
    let data = func.inst(inst);
    let &[a, b] = data.args.as_slice() else { return None };
    let (operand, added) = match data.op {
        Op::IntAdd | Op::IntAddChecked => match (constant(func, a), constant(func, b)) {
            (_, Some(added)) => (a, added),
            (Some(added), None) => (b, added),
            (None, None) => return None,
        },
        Op::IntSub | Op::IntSubChecked => (a, constant(func, b)?.checked_neg()?),
        _ => return None,
    };
    let is_exact = matches!(data.op, Op::IntAddChecked | Op::IntSubChecked)
        || ranges.exact_result(func, inst).is_some_and(Interval::fits_i64);
    is_exact.then_some((operand, added))
}
