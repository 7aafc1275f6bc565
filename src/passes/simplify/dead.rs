//! Removal of instructions and block parameters that nothing needs.

use crate::ir::{Block, Def, Function, Inst, Op, Value};
use crate::passes::simplify::DeadChecks;

/// Removes what neither has an effect nor contributes to one; returns whether there was any.
pub(in crate::passes) fn remove_dead_code(func: &mut Function, checks: DeadChecks) -> bool {
    let needed = needed_values(func, checks);
    let mut changed = false;
    for block in func.layout.clone() {
        let mut insts = std::mem::take(&mut func.block_mut(block).insts);
        let before = insts.len();
        insts.retain(|&inst| {
            !may_drop(func.inst(inst).op, checks)
                || func.inst(inst).results.iter().any(|result| needed[result.index()])
        });
        changed |= insts.len() != before;
        func.block_mut(block).insts = insts;
        changed |= has_dead_params(func, block, &needed);
    }
    if changed {
        super::params::drop_superfluous_args(func, |param| needed[param.index()]);
    }
    changed
}

/// Whether the op may go when nobody uses its results. Besides pure ops these are the arithmetic that
/// exits only because a result is too large for the machine, and allocations: nobody misses the
/// MemoryError. Any other exit may stand for an exception.
fn may_drop(op: Op, checks: DeadChecks) -> bool {
    let only_too_large = matches!(
        op,
        Op::IntAddChecked | Op::IntSubChecked | Op::IntMulChecked | Op::IntNegChecked | Op::IntAbsChecked
    );
    op.is_removable()
        || (only_too_large && checks == DeadChecks::Go)
        || matches!(op, Op::IntBox | Op::FloatBox | Op::ObjTuple)
}

/// For each value whether an instruction that stays reads it, be it through parameters.
fn needed_values(func: &Function, checks: DeadChecks) -> Vec<bool> {
    let mut needed = vec![false; func.values.len()];
    let mut work: Vec<Value> = func.params().to_vec();
    for &block in &func.layout {
        for &inst in &func.block(block).insts {
            if !may_drop(func.inst(inst).op, checks) {
                visit_own_reads(func, inst, |value| work.push(value));
            }
        }
    }
    let incoming = incoming_args(func);
    while let Some(value) = work.pop() {
        if std::mem::replace(&mut needed[value.index()], true) {
            continue;
        }
        match func.def(value) {
            Def::Param(..) => work.extend_from_slice(&incoming[value.index()]),
            Def::Result(inst, _) if may_drop(func.inst(inst).op, checks) => {
                visit_own_reads(func, inst, |value| work.push(value))
            }
            Def::Result(..) => {}
        }
    }
    needed
}

/// What the instruction reads for itself: jump arguments are read by the parameters.
fn visit_own_reads(func: &Function, inst: Inst, mut visit: impl FnMut(Value)) {
    let data = func.inst(inst);
    data.args.iter().copied().for_each(&mut visit);
    if let Some(exit) = data.exit {
        func.exit(exit).visit_values(&mut visit);
    }
    if let Some(shown) = func.shown_at(inst) {
        shown.visit_values(&mut visit);
    }
}

/// For each block parameter what is passed to it.
fn incoming_args(func: &Function) -> Vec<Vec<Value>> {
    let mut incoming = vec![Vec::new(); func.values.len()];
    for &block in &func.layout {
        for target in &func.inst(func.terminator(block)).targets {
            for (&param, &arg) in func.block(target.block).params.iter().zip(&target.args) {
                incoming[param.index()].push(arg);
            }
        }
    }
    incoming
}

fn has_dead_params(func: &Function, block: Block, needed: &[bool]) -> bool {
    block != func.entry() && func.block(block).params.iter().any(|param| !needed[param.index()])
}
