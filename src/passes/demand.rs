//! Arithmetic modulo 2**64 where only low bits are demanded.
//!
//! ```text
//! v2 = int.mul_checked v0, v1, exit …      v2 = int.mul v0, v1
//! v4 = int.add_checked v2, v3, exit …      v4 = int.add v2, v3
//! v6 = int.mod_checked v4, v5, exit …      v7 = int.constant 1023    (v5 is 1024)
//!                                          v6 = int.and v4, v7
//! ```
//!
//! The low k bits of a sum, difference, product, negation or left shift follow from the low k bits of
//! its operands. A value of which nobody wants more than the low 63 bits need not be exact, so its op
//! needs no check: a mask, or a remainder by a power of two, gives the exact result all the same.
//!
//! The demand of a value is the number of low bits that its users read, or [`EXACT`]. It starts at nothing
//! and only grows: a checked op counts as one that never exits until somebody demands its exact
//! result, and only then are the values of its exit state demanded too.
//!
//! In and out: a function. An op that no longer exits has no exit state. Remainders and quotients by powers of
//! two become masks and shifts, for which an operand with the right low bits is enough.

use crate::ir::Def;
use crate::ir::Function;
use crate::ir::Imm;
use crate::ir::Inst;
use crate::ir::Op;
use crate::ir::Type;
use crate::ir::Value;
use crate::ir::cfg::Cfg;

use crate::passes::rewrite::Keep;
use crate::passes::rewrite::Rewriter;
use crate::passes::rewrite::rewrite_insts;

/// The demand of a user that needs the int itself, and not only low bits of it.
const EXACT: u32 = 64;

/// Replaces the checked ops of which only low bits are demanded by ops modulo 2**64.
pub fn drop_checks_below_masks(func: &mut Function) {
    let demand = Demand::of(func).bits;
    rewrite_insts(func, |rewriter, inst| {
        rewrite(rewriter, inst, &demand);
        Keep::Yes
    });
}

/// How an op computes its result out of low bits of its operands.
#[derive(Clone, Copy)]
enum LowBits {
    /// As many low bits as are demanded of the result.
    Same,
    /// At most this many.
    AtMost(u32),
    /// So many fewer: the first operand is shifted left.
    Left(u32),
    /// So many more: the first operand is shifted right.
    Right(u32),
}

/// The value of an int constant.
fn constant(func: &Function, value: Value) -> Option<i64> {
    match func.def_inst(value).map(|data| data.imm) {
        Some(Imm::Int(value)) => Some(value),
        _ => None,
    }
}

/// The exponent of a constant power of two.
fn power_of_two(func: &Function, value: Value) -> Option<u32> {
    let value = constant(func, value).filter(|value| *value > 0)?;
    (value & (value - 1) == 0).then(|| value.trailing_zeros())
}

fn shift_count(func: &Function, value: Value) -> Option<u32> {
    constant(func, value).and_then(|value| u32::try_from(value).ok()).filter(|value| *value < 64)
}

/// How many low bits a mask keeps.
fn mask_width(func: &Function, value: Value) -> Option<u32> {
    constant(func, value).filter(|value| *value >= 0).map(|value| 64 - value.leading_zeros())
}

/// What the instruction needs of its int operands; `None` when it needs them exactly.
fn low_bits(func: &Function, inst: Inst) -> Option<LowBits> {
    let data = func.inst(inst);
    let second = || data.args[1];
    match data.op {
        Op::IntAdd | Op::IntAddChecked | Op::IntSub | Op::IntSubChecked | Op::IntMul | Op::IntMulChecked => {
            Some(LowBits::Same)
        }
        Op::IntNeg | Op::IntNegChecked | Op::IntInvert | Op::IntOr | Op::IntXor => Some(LowBits::Same),
        Op::IntAnd => {
            let width = mask_width(func, second()).or_else(|| mask_width(func, data.args[0]));
            Some(width.map_or(LowBits::Same, LowBits::AtMost))
        }
        Op::IntShl | Op::IntShlChecked => shift_count(func, second()).map(LowBits::Left),
        Op::IntShr | Op::IntShrChecked => shift_count(func, second()).map(LowBits::Right),
        Op::IntMod | Op::IntModChecked | Op::IntModUnsigned => {
            power_of_two(func, second()).map(LowBits::AtMost)
        }
        Op::IntFloorDiv | Op::IntFloorDivChecked | Op::IntDivUnsigned => {
            power_of_two(func, second()).map(LowBits::Right)
        }
        _ => None,
    }
}

/// Whether the op still exits when this much of its result is demanded.
fn exits(func: &Function, inst: Inst, demanded: u32) -> bool {
    match func.inst(inst).op {
        Op::IntAddChecked | Op::IntSubChecked | Op::IntMulChecked | Op::IntNegChecked | Op::IntShlChecked => {
            demanded == EXACT
        }
        _ => false,
    }
}

/// How many low bits of each value are demanded.
struct Demand<'f> {
    func: &'f Function,
    cfg: Cfg,
    bits: Vec<u32>,
    grown: Vec<Value>,
}

impl Demand<'_> {
    fn of(func: &Function) -> Demand<'_> {
        let mut demand =
            Demand { func, cfg: Cfg::of(func), bits: vec![0; func.values.len()], grown: Vec::new() };
        for &block in &func.layout {
            for &inst in &func.block(block).insts {
                demand.take_root(inst);
            }
        }
        while let Some(value) = demand.grown.pop() {
            demand.spread(value);
        }
        demand
    }

    /// What the instruction demands whatever is demanded of its result.
    fn take_root(&mut self, inst: Inst) {
        let data = self.func.inst(inst);
        if low_bits(self.func, inst).is_some() {
            return;
        }
        for &arg in &data.args {
            self.raise(arg, EXACT);
        }
        self.raise_exit(inst);
    }

    fn raise_exit(&mut self, inst: Inst) {
        if let Some(exit) = self.func.inst(inst).exit {
            self.func.exit(exit).visit_values(&mut |value| self.raise(value, EXACT));
        }
        if let Some(shown) = self.func.shown_at(inst) {
            shown.visit_values(&mut |value| self.raise(value, EXACT));
        }
    }

    fn raise(&mut self, value: Value, to: u32) {
        let bits = &mut self.bits[value.index()];
        if self.func.ty(value) == Type::I64 && *bits < to {
            *bits = to;
            self.grown.push(value);
        }
    }

    /// Hands the demand of a value on to what it is computed from.
    fn spread(&mut self, value: Value) {
        let demanded = self.bits[value.index()];
        match self.func.def(value) {
            Def::Param(block, number) => {
                for position in 0..self.cfg.predecessors(block).len() {
                    let source = self.cfg.predecessors(block)[position];
                    let targets = &self.func.inst(self.func.terminator(source)).targets;
                    for target in targets.iter().filter(|target| target.block == block) {
                        self.raise(target.args[number], demanded);
                    }
                }
            }
            Def::Result(inst, _) => self.spread_into(inst, demanded),
        }
    }

    fn spread_into(&mut self, inst: Inst, demanded: u32) {
        let Some(low) = low_bits(self.func, inst) else {
            return;
        };
        let wanted = match low {
            LowBits::Same => demanded,
            LowBits::AtMost(width) => demanded.min(width),
            LowBits::Left(_) if demanded == EXACT => EXACT,
            LowBits::Left(count) => demanded.saturating_sub(count),
            LowBits::Right(count) => (demanded + count).min(EXACT),
        };
        for &arg in &self.func.inst(inst).args {
            self.raise(arg, wanted);
        }
        if exits(self.func, inst, demanded) {
            self.raise_exit(inst);
        }
    }
}

/// Gives the instruction the form that makes do with what is demanded.
fn rewrite(rewriter: &mut Rewriter<'_>, inst: Inst, demand: &[u32]) {
    let data = rewriter.func.inst(inst);
    let (Some(low), &[result]) = (low_bits(rewriter.func, inst), data.results.as_slice()) else {
        return;
    };
    let args = data.args.clone();
    let op = data.op;
    let wraps = demand[result.index()] < EXACT;
    match (op, low) {
        (Op::IntAddChecked, _) if wraps => rewriter.become_op(inst, Op::IntAdd, &args),
        (Op::IntSubChecked, _) if wraps => rewriter.become_op(inst, Op::IntSub, &args),
        (Op::IntMulChecked, _) if wraps => rewriter.become_op(inst, Op::IntMul, &args),
        (Op::IntNegChecked, _) if wraps => rewriter.become_op(inst, Op::IntNeg, &args),
        (Op::IntShlChecked, _) if wraps => rewriter.become_op(inst, Op::IntShl, &args),
        (Op::IntShrChecked, _) => rewriter.become_op(inst, Op::IntShr, &args),
        (Op::IntMod | Op::IntModChecked | Op::IntModUnsigned, LowBits::AtMost(width)) => {
            let mask = rewriter.emit_int(inst, (1 << width) - 1);
            rewriter.become_op(inst, Op::IntAnd, &[args[0], mask]);
        }
        (Op::IntFloorDiv | Op::IntFloorDivChecked | Op::IntDivUnsigned, LowBits::Right(count)) => {
            let count = rewriter.emit_int(inst, i64::from(count));
            rewriter.become_op(inst, Op::IntShr, &[args[0], count]);
        }
        _ => {}
    }
}
