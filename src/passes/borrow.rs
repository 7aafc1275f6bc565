//! Fields and items that are looked at while nothing could change: whoever holds them keeps them alive.
//!
//! ```text
//! v1 = sealed.field Ray: origin v0 exit [..]               v1 = sealed.field_borrowed Ray: origin v0 exit [..]
//! v2 = sealed.field_float Vec3: x v1 exit [.. v1]    ->    v2 = sealed.field_float Vec3: x v1 exit [.. v1]
//! control.ret v2                                           control.ret v2
//! ```
//!
//! An object that was read needs no reference of its own where, as long as it is wanted, no code runs that could take it
//! from where it stands: no foreign code, no store, and no death of another object but numbers.
//! Runs in front of [`super::refcount`], which then counts nothing for it.

use rustc_hash::FxHashSet;

use crate::analysis::liveness;
use crate::analysis::liveness::Liveness;
use crate::analysis::ownership;
use crate::ir::cfg::Cfg;
use crate::ir::verify::Version;
use crate::ir::{Block, Def, Effects, Function, Imm, Inst, InstData, Op, Type, Value};
use crate::types::Class;

/// In functions with more instructions everything read is counted.
const MAX_INSTS: usize = 20_000;

/// Has what is read be borrowed where that is safe.
pub fn borrow_what_is_read(func: &mut Function) {
    let mut borrowed: FxHashSet<Value> = FxHashSet::default();
    let mut count = 0;
    for inst in func.layout.iter().flat_map(|&block| &func.block(block).insts) {
        count += 1;
        if borrowing(func.inst(*inst).op).is_some() {
            borrowed.extend(&func.inst(*inst).results);
        }
    }
    if borrowed.is_empty() || count > MAX_INSTS {
        return;
    }
    let mut search = Search::new(func, borrowed);
    while search.reject() {}
    for value in search.borrowed {
        let Def::Result(inst, _) = func.def(value) else { continue };
        let op = func.inst(inst).op;
        func.inst_mut(inst).op = borrowing(op).expect("only what such an op reads is borrowed");
    }
}

/// The op that borrows what this one reads.
fn borrowing(op: Op) -> Option<Op> {
    match op {
        Op::SealedField => Some(Op::SealedFieldBorrowed),
        Op::ListItem => Some(Op::ListItemBorrowed),
        _ => None,
    }
}

/// Where the death of an object could run something.
#[derive(Default)]
pub(super) struct Deaths {
    /// Behind these instructions.
    pub(super) behind: FxHashSet<Inst>,
    /// Where these blocks begin.
    pub(super) at: FxHashSet<Block>,
}

impl Deaths {
    /// Whether there is one in the block.
    pub(super) fn has_any(&self, func: &Function, block: Block) -> bool {
        self.at.contains(&block) || func.block(block).insts.iter().any(|inst| self.behind.contains(inst))
    }
}

/// Finds where references that the function owns are the last ones, as far as it knows, and are dropped.
pub(super) fn deaths(func: &Function) -> Deaths {
    let search = Search::new(func, FxHashSet::default());
    let mut deaths = Deaths::default();
    for &block in search.cfg.reverse_postorder() {
        let live_out = search.liveness.live_out(block);
        for target in func.successors(block) {
            let dies = |value: &Value| search.matters(*value) && !search.is_live_in(target, *value);
            if live_out.iter().any(dies) {
                deaths.at.insert(target);
            }
        }
        let mut live: FxHashSet<Value> = live_out.iter().copied().collect();
        for &inst in func.block(block).insts.iter().rev() {
            if search.step(inst, &mut live).0 {
                deaths.behind.insert(inst);
            }
        }
        if func.block(block).params.iter().any(|&param| search.matters(param) && !live.contains(&param)) {
            deaths.at.insert(block);
        }
    }
    deaths
}

struct Search<'a> {
    func: &'a Function,
    cfg: Cfg,
    liveness: Liveness,
    /// What is taken to be borrowed so far.
    borrowed: FxHashSet<Value>,
    /// What dies silently, by value.
    silent: Vec<bool>,
}

/// For each value whether nothing could run when it dies: numbers that were boxed, what a guard where it is defined
/// finds to be a string, and parameters that are passed nothing else.
fn silent_values(func: &Function) -> Vec<bool> {
    let mut silent: Vec<bool> = (0..func.values.len())
        .map(|number| {
            let value = Value::new(number);
            let is_box =
                |data: &InstData| matches!(data.op, Op::IntBox | Op::IntWideBox | Op::FloatBox | Op::StrChar);
            !ownership::is_owned(func, Version::Specialised, value)
                || func.def_inst(value).is_some_and(is_box)
                || matches!(func.def(value), Def::Param(block, _) if block != func.entry())
        })
        .collect();
    for &block in &func.layout {
        let mut defined: FxHashSet<Value> = FxHashSet::default();
        for &inst in &func.block(block).insts {
            let data = func.inst(inst);
            if let (Op::GuardClass, Imm::Class(Class::Str | Class::Bytes | Class::ByteArray)) =
                (data.op, data.imm)
                && defined.contains(&data.args[0])
            {
                silent[data.args[0].index()] = true;
            }
            defined.extend(&data.results);
        }
    }
    let mut changed = true;
    while changed {
        changed = false;
        for &block in &func.layout {
            for target in &func.inst(func.terminator(block)).targets {
                for (param, arg) in func.block(target.block).params.iter().zip(&target.args) {
                    changed |= silent[param.index()] && !silent[arg.index()];
                    silent[param.index()] &= silent[arg.index()];
                }
            }
        }
    }
    silent
}

impl<'a> Search<'a> {
    fn new(func: &'a Function, borrowed: FxHashSet<Value>) -> Search<'a> {
        let (cfg, liveness) = (Cfg::of(func), Liveness::of(func));
        Search { func, cfg, liveness, borrowed, silent: silent_values(func) }
    }

    /// Takes out what is wanted where something could change; whether there was anything.
    fn reject(&mut self) -> bool {
        let before = self.borrowed.len();
        for block in self.cfg.reverse_postorder().to_vec() {
            self.block(block);
            if self.borrowed.is_empty() {
                return false;
            }
        }
        self.borrowed.len() != before
    }

    fn block(&mut self, block: Block) {
        let func = self.func;
        let mut live: FxHashSet<Value> = self.liveness.live_out(block).iter().copied().collect();
        for target in func.successors(block) {
            let dies = |value: &Value| self.matters(*value) && !self.is_live_in(target, *value);
            if self.liveness.live_out(block).iter().any(dies) {
                reject(&mut self.borrowed, self.liveness.live_in(target));
            }
        }
        for &inst in func.block(block).insts.iter().rev() {
            self.inst(inst, &mut live);
        }
        let params = &func.block(block).params;
        if params.iter().any(|&param| self.matters(param) && !live.contains(&param)) {
            reject(&mut self.borrowed, &live.iter().copied().collect::<Vec<_>>());
        }
    }

    /// Steps to the point before the instruction.
    fn inst(&mut self, inst: Inst, live: &mut FxHashSet<Value>) {
        let changes = may_change(self.func.inst(inst).op);
        let after: Vec<Value> = live.iter().copied().collect();
        let (dies, reads) = self.step(inst, live);
        if changes || dies {
            reject(&mut self.borrowed, &after);
        }
        if changes {
            reject(&mut self.borrowed, &reads);
        }
    }

    /// Makes what is live after the instruction what is live before it. Whether something that matters dies behind
    /// it, and what it reads.
    fn step(&self, inst: Inst, live: &mut FxHashSet<Value>) -> (bool, Vec<Value>) {
        let data = self.func.inst(inst);
        let mut dies = false;
        for &result in &data.results {
            dies |= !live.remove(&result) && self.matters(result);
        }
        let mut reads = Vec::new();
        liveness::visit_reads(self.func, inst, |value| reads.push(value));
        // What a jump or return takes does not die.
        dies |= !data.op.is_terminator()
            && data.op != Op::DropShared
            && reads.iter().any(|&value| !live.contains(&value) && self.matters(value));
        live.extend(&reads);
        (dies, reads)
    }

    /// Whether something could run when the function drops its reference to the value.
    fn matters(&self, value: Value) -> bool {
        self.func.ty(value) == Type::Obj && !self.borrowed.contains(&value) && !self.silent[value.index()]
    }

    fn is_live_in(&self, block: Block, value: Value) -> bool {
        self.liveness.live_in(block).binary_search(&value).is_ok()
    }
}

fn reject(borrowed: &mut FxHashSet<Value>, values: &[Value]) {
    for value in values {
        borrowed.remove(value);
    }
}

/// Whether the op may run foreign code or change memory.
pub(super) fn may_change(op: Op) -> bool {
    let effects = op.effects();
    effects.has(Effects::FOREIGN)
        || effects.has(Effects::WRITES)
        || matches!(op, Op::Poll | Op::GuardPoll | Op::CallQuiet)
}
