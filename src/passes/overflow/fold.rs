//! What the ranges decide: constants, guards that always pass, branches that go one way, ops that
//! give one of their operands.

use crate::analysis::ranges::Ranges;
use crate::analysis::ranges::interval::Interval;
use crate::ir::Effects;
use crate::ir::Imm;
use crate::ir::Inst;
use crate::ir::Op;
use crate::ir::Type;
use crate::ir::Value;

use crate::passes::rewrite::Keep;
use crate::passes::rewrite::Rewriter;

/// Takes away what is decided: a guard, one way of a branch, an op that gives an operand.
pub(super) fn decide(rewriter: &mut Rewriter<'_>, ranges: &Ranges, inst: Inst) -> Keep {
    let known = |number| ranges.operand(inst, number).single();
    match rewriter.func.inst(inst).op {
        Op::GuardTrue if known(0) == Some(1) => return Keep::No,
        Op::Branch => {
            if let Some(condition) = known(0) {
                become_jump(rewriter, inst, usize::from(condition == 0));
            }
        }
        _ => {
            if let Some(value) = same_as(rewriter, ranges, inst) {
                return rewriter.replace(inst, value);
            }
        }
    }
    Keep::Yes
}

fn become_jump(rewriter: &mut Rewriter<'_>, inst: Inst, taken: usize) {
    let data = rewriter.func.inst_mut(inst);
    data.op = Op::Jump;
    data.args.clear();
    let target = data.targets.swap_remove(taken);
    data.targets = vec![target];
}

/// Makes the instruction a constant if it is pure and has only one possible result.
pub(super) fn fold_constant(rewriter: &mut Rewriter<'_>, ranges: &Ranges, inst: Inst) {
    let data = rewriter.func.inst(inst);
    let &[result] = data.results.as_slice() else {
        return;
    };
    if data.op.effects() != Effects::NONE || matches!(data.op, Op::IntConst | Op::BoolConst) {
        return;
    }
    let Some(value) = ranges.value(result).single() else {
        return;
    };
    match (rewriter.func.ty(result), i64::try_from(value)) {
        (Type::I64, Ok(value)) => rewriter.become_constant(inst, Op::IntConst, Imm::Int(value)),
        (Type::Bool, _) => rewriter.become_constant(inst, Op::BoolConst, Imm::Bool(value != 0)),
        _ => {}
    }
}

/// The operand that the instruction always gives.
fn same_as(rewriter: &Rewriter<'_>, ranges: &Ranges, inst: Inst) -> Option<Value> {
    let data = rewriter.func.inst(inst);
    let of = |number: usize| ranges.operand(inst, number);
    let number = match data.op {
        Op::IntAbs | Op::IntAbsChecked if of(0).min >= 0 => 0,
        Op::IntMin if of(0).max <= of(1).min => 0,
        Op::IntMin if of(1).max < of(0).min => 1,
        Op::IntMax if of(0).min >= of(1).max => 0,
        Op::IntMax if of(1).min > of(0).max => 1,
        Op::IntAnd if keeps_all_bits(of(0), of(1)) => 0,
        Op::IntAnd if keeps_all_bits(of(1), of(0)) => 1,
        Op::SelectFloat => match of(0).single() {
            Some(1) => 1,
            Some(0) => 2,
            _ => return None,
        },
        _ => return None,
    };
    Some(data.args[number])
}

/// Whether the mask is always the same run of ones that no value exceeds.
fn keeps_all_bits(value: Interval, mask: Interval) -> bool {
    let is_run = |mask: i128| mask >= 0 && mask & (mask + 1) == 0;
    mask.single().is_some_and(|mask| is_run(mask) && value.min >= 0 && value.max <= mask)
}
