//! Folding and global value numbering in one walk over the dominator tree.
//!
//! What holds in a block holds in the blocks that it dominates: computed values, and the truth of
//! conditions that a branch or a guard has tested.

use rustc_hash::FxHashMap;

use crate::ir::cfg::Cfg;
use crate::ir::dominators::Dominators;
use crate::ir::{Block, Cmp, Effects, Function, Imm, Inst, Op, Value};

use super::aliases::Aliases;
use super::fold;
use super::fold::Folded;

/// What an instruction computes, so that equal keys are equal values.
type Key = (Op, Imm, Vec<Value>);

/// Folds and numbers; returns whether anything changed.
pub(super) fn number_values(func: &mut Function) -> bool {
    let cfg = Cfg::of(func);
    let dominators = Dominators::of(&cfg);
    let aliases = Aliases::new(func);
    let mut walk = Numbering {
        func,
        cfg: &cfg,
        aliases,
        computed: FxHashMap::default(),
        truths: FxHashMap::default(),
        undo: Vec::new(),
        changed: false,
    };
    let mut stack = vec![Step::Enter(walk.func.entry())];
    while let Some(step) = stack.pop() {
        match step {
            Step::Enter(block) => {
                stack.push(Step::Leave(walk.undo.len()));
                walk.block(block);
                stack.extend(dominators.children(block).iter().rev().map(|&child| Step::Enter(child)));
            }
            Step::Leave(height) => walk.forget(height),
        }
    }
    let Numbering { mut aliases, changed, .. } = walk;
    aliases.apply(func) || changed
}

enum Step {
    Enter(Block),
    /// Everything learnt since the undo log had this height is forgotten.
    Leave(usize),
}

enum Learnt {
    Computed(Key),
    Truth(Value),
}

struct Numbering<'a> {
    func: &'a mut Function,
    cfg: &'a Cfg,
    aliases: Aliases,
    computed: FxHashMap<Key, Inst>,
    truths: FxHashMap<Value, bool>,
    undo: Vec<Learnt>,
    changed: bool,
}

impl Numbering<'_> {
    fn forget(&mut self, height: usize) {
        for learnt in self.undo.drain(height..) {
            match learnt {
                Learnt::Computed(key) => {
                    self.computed.remove(&key);
                }
                Learnt::Truth(value) => {
                    self.truths.remove(&value);
                }
            }
        }
    }

    fn block(&mut self, block: Block) {
        if let [source] = *self.cfg.predecessors(block) {
            let branch = self.func.inst(self.func.terminator(source));
            if branch.op == Op::Branch {
                let (condition, truth) = (branch.args[0], branch.targets[0].block == block);
                self.learn(condition, truth);
            }
        }
        let insts = std::mem::take(&mut self.func.block_mut(block).insts);
        let mut kept = Vec::with_capacity(insts.len());
        for inst in insts {
            if self.inst(inst) {
                kept.push(inst);
            } else {
                self.changed = true;
            }
        }
        self.func.block_mut(block).insts = kept;
    }

    /// Notes that a condition is known, and what follows of its parts.
    fn learn(&mut self, condition: Value, truth: bool) {
        let mut work = vec![(self.aliases.find(condition), truth)];
        while let Some((value, truth)) = work.pop() {
            if self.truths.insert(value, truth).is_some() {
                continue;
            }
            self.undo.push(Learnt::Truth(value));
            let Some(data) = self.func.def_inst(value) else { continue };
            let parts = data.args.iter().map(|&arg| self.aliases.find(arg));
            match (data.op, truth) {
                (Op::BoolNot, _) => work.extend(parts.map(|part| (part, !truth))),
                (Op::BoolAnd, true) | (Op::BoolOr, false) => work.extend(parts.map(|part| (part, truth))),
                _ => {}
            }
        }
    }

    /// Looks at one instruction; returns whether it stays.
    fn inst(&mut self, inst: Inst) -> bool {
        let aliases = &self.aliases;
        for arg in &mut self.func.insts[inst.index()].args {
            *arg = aliases.find(*arg);
        }
        match self.func.inst(inst).op {
            Op::Branch => {
                self.branch(inst);
                true
            }
            Op::GuardTrue => self.guard(inst),
            _ => self.fold(inst) && self.number(inst),
        }
    }

    fn branch(&mut self, inst: Inst) {
        let data = self.func.inst(inst);
        let condition = data.args[0];
        if let Some(truth) = self.truth(condition) {
            let target = data.targets[usize::from(!truth)].clone();
            self.make_jump(inst, target);
        } else if data.targets[0] == data.targets[1] {
            let target = data.targets[0].clone();
            self.make_jump(inst, target);
        } else if let Some(not) = self.func.def_inst(condition).filter(|def| def.op == Op::BoolNot) {
            let inner = self.aliases.find(not.args[0]);
            let data = self.func.inst_mut(inst);
            data.args[0] = inner;
            data.targets.swap(0, 1);
            self.changed = true;
        }
    }

    fn make_jump(&mut self, inst: Inst, target: crate::ir::Target) {
        let data = self.func.inst_mut(inst);
        data.op = Op::Jump;
        data.args.clear();
        data.targets = vec![target];
        self.changed = true;
    }

    fn guard(&mut self, inst: Inst) -> bool {
        let condition = self.func.inst(inst).args[0];
        match self.truth(condition) {
            Some(true) => return false,
            Some(false) => {}
            None => self.learn(condition, true),
        }
        true
    }

    /// What is known of a condition here.
    fn truth(&self, value: Value) -> Option<bool> {
        if let Some(&truth) = self.truths.get(&value) {
            return Some(truth);
        }
        let data = self.func.def_inst(value)?;
        match (data.op, data.imm) {
            (Op::BoolConst, Imm::Bool(truth)) => Some(truth),
            (Op::IntCompare, Imm::Cmp(cmp)) => self.truth_of_opposite(cmp, &data.args),
            _ => None,
        }
    }

    /// `a < b` is known where `a >= b` is.
    fn truth_of_opposite(&self, cmp: Cmp, args: &[Value]) -> Option<bool> {
        let args: Vec<Value> = args.iter().map(|&arg| self.aliases.find(arg)).collect();
        let opposite = self.computed.get(&canonical(Op::IntCompare, Imm::Cmp(cmp.negated()), args))?;
        let truth = self.truths.get(&self.func.inst(*opposite).results[0])?;
        Some(!truth)
    }

    fn fold(&mut self, inst: Inst) -> bool {
        let folded = fold::fold(self.func, inst, |value| self.truth(value), |value| self.aliases.find(value));
        let Some(folded) = folded else { return true };
        self.changed = true;
        match folded {
            Folded::Values(values) => {
                for (result, value) in self.func.inst(inst).results.clone().into_iter().zip(values) {
                    self.aliases.set(result, value);
                }
                return false;
            }
            Folded::Op(op, imm, args) => {
                let data = self.func.inst_mut(inst);
                data.op = op;
                data.imm = imm;
                data.args = args;
                data.exit = None;
            }
        }
        true
    }

    fn number(&mut self, inst: Inst) -> bool {
        let data = self.func.inst(inst);
        if !is_repeatable(data.op) {
            return true;
        }
        let key = canonical(data.op, data.imm, data.args.clone());
        let Some(&first) = self.computed.get(&key) else {
            self.computed.insert(key.clone(), inst);
            self.undo.push(Learnt::Computed(key));
            return true;
        };
        for (result, value) in data.results.clone().into_iter().zip(self.func.inst(first).results.clone()) {
            self.aliases.set(result, value);
        }
        false
    }
}

/// Whether a second one with equal operands gives what the first gave. Cells change under our feet.
fn is_repeatable(op: Op) -> bool {
    let effects = op.effects();
    let lasting = [Effects::RAISES, Effects::FOREIGN, Effects::TERMINATOR, Effects::READS, Effects::WRITES];
    let is_fact = matches!(
        op,
        Op::GuardNone | Op::GuardClass | Op::GuardDepth | Op::SealedGuard | Op::SealedGuardOptional
    ) || !effects.has(Effects::STAYS);
    is_fact && !lasting.iter().any(|&effect| effects.has(effect))
}

/// The key with operands in order where their order does not matter.
fn canonical(op: Op, mut imm: Imm, mut args: Vec<Value>) -> Key {
    match (op, imm) {
        (Op::IntAdd | Op::IntMul | Op::IntAnd | Op::IntOr | Op::IntXor, _)
        | (Op::IntAddChecked | Op::IntMulChecked, _)
        | (Op::BoolAnd | Op::BoolOr | Op::BoolXor | Op::ObjIs, _) => args.sort_unstable(),
        (Op::IntCompare, Imm::Cmp(cmp)) if args[0] > args[1] => {
            args.swap(0, 1);
            imm = Imm::Cmp(cmp.swapped());
        }
        _ => {}
    }
    (op, imm, args)
}
