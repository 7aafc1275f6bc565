//! Reference counts, the last pass over either version.
//!
//! ```text
//! i0: v1 = object.binary add v0, v0                  i0: v1 = object.binary add v0, v0 unwind (v0)
//! i1: v2 = object.constant 1                         i1: v2 = object.constant 1
//! i2: v3 = object.binary mul v1, v2           ->     i2: v3 = object.binary mul v1, v2 unwind (v1, v0)
//! i3: object.release v0                              i5: refcount.dec_ref v1
//! i4: control.ret v3                                 i3: object.release v0
//!                                                    i4: control.ret v3
//! ```
//!
//! Who owns what, and where the new instructions stand, is in docs/architecture.md ("Reference counts").
//! Liveness decides: a value dies behind the last instruction that reads it, at its `object.release`, or
//! at the beginning of a block that does not read it though the branch in front of it could still have.
//! No value is added and no instruction is renumbered, so resume points stay what they were.

use rustc_hash::FxHashMap;

use crate::analysis::liveness;
use crate::analysis::liveness::Liveness;
use crate::analysis::ownership;
use crate::ir::cfg::Cfg;
use crate::ir::verify::Version;
use crate::ir::{Block, Effects, Function, Imm, Inst, InstData, Op, Target, Type, Value};

/// Inserts counts, and fills [`Function::unwind`].
pub fn insert_counts(func: &mut Function, version: Version) {
    let cfg = Cfg::of(func);
    let liveness = Liveness::of(func);
    let owned =
        (0..func.values.len()).map(|index| ownership::is_owned(func, version, Value::new(index))).collect();
    let ranks = release_ranks(func, &cfg);
    let mut pass = Pass { func, cfg, liveness, version, owned, ranks };
    let mut at_start: FxHashMap<Block, Vec<Value>> = FxHashMap::default();
    let mut split: FxHashMap<Block, Vec<Block>> = FxHashMap::default();
    for block in pass.cfg.reverse_postorder().to_vec() {
        pass.count_block(block, &mut at_start);
        split.insert(block, pass.count_edges(block, &mut at_start));
    }
    for block in pass.cfg.reverse_postorder().to_vec() {
        let Some(values) = at_start.get(&block) else { continue };
        let drops: Vec<Inst> = values
            .iter()
            .map(|&value| pass.new_count(Op::DecRef, value, pass.func.block(block).insts[0]))
            .collect();
        pass.func.block_mut(block).insts.splice(0..0, drops);
    }
    let layout = std::mem::take(&mut func.layout);
    for block in layout {
        func.layout.push(block);
        func.layout.extend(split.remove(&block).unwrap_or_default());
    }
}

/// For values that a variable holds: where their last release stands. Unwinding drops them in this order,
/// which for values that live up to the end is the order of the variables.
fn release_ranks(func: &Function, cfg: &Cfg) -> FxHashMap<Value, Inst> {
    let mut ranks: FxHashMap<Value, Inst> = FxHashMap::default();
    for &block in cfg.reverse_postorder() {
        for &inst in &func.block(block).insts {
            let data = func.inst(inst);
            if data.op == Op::Release {
                let rank = ranks.entry(data.args[0]).or_insert(inst);
                *rank = inst.max(*rank);
            }
        }
    }
    ranks
}

struct Pass<'a> {
    func: &'a mut Function,
    cfg: Cfg,
    liveness: Liveness,
    version: Version,
    owned: Vec<bool>,
    ranks: FxHashMap<Value, Inst>,
}

impl Pass<'_> {
    fn is_owned(&self, value: Value) -> bool {
        self.owned[value.index()]
    }

    /// A count of this value, in the name of the instruction beside which it stands.
    fn new_count(&mut self, op: Op, value: Value, beside: Inst) -> Inst {
        let InstData { range, site, .. } = *self.func.inst(beside);
        let data = InstData {
            op,
            imm: Imm::None,
            args: vec![value],
            results: Vec::new(),
            targets: Vec::new(),
            range,
            exit: None,
            site,
        };
        self.func.add_inst(data, &[])
    }

    /// Drops what dies inside the block, and notes what its parameters leave to drop at its start.
    fn count_block(&mut self, block: Block, at_start: &mut FxHashMap<Block, Vec<Value>>) {
        let insts = std::mem::take(&mut self.func.block_mut(block).insts);
        let mut live: Vec<Value> = self.liveness.live_out(block).to_vec();
        live.retain(|&value| self.is_owned(value));
        let mut counted = Vec::with_capacity(insts.len());
        for &inst in insts.iter().rev() {
            self.count_inst(inst, &mut live, &mut counted);
        }
        counted.reverse();
        let data = self.func.block_mut(block);
        data.insts = counted;
        let dead: Vec<Value> =
            data.params.iter().copied().filter(|param| live.binary_search(param).is_err()).collect();
        let dead: Vec<Value> = dead.into_iter().filter(|&param| self.is_owned(param)).collect();
        if !dead.is_empty() {
            at_start.entry(block).or_default().extend(dead);
        }
    }

    /// Puts the instruction and its counts on `counted`, last first, and steps `live` (owned values only)
    /// to the point before it.
    fn count_inst(&mut self, inst: Inst, live: &mut Vec<Value>, counted: &mut Vec<Inst>) {
        let op = self.func.inst(inst).op;
        let mut dead: Vec<Value> = Vec::new();
        for result in self.func.inst(inst).results.clone() {
            match live.binary_search(&result) {
                Ok(position) => {
                    live.remove(position);
                }
                Err(_) if self.is_owned(result) => dead.push(result),
                Err(_) => {}
            }
        }
        let mut dying: Vec<Value> = Vec::new();
        liveness::visit_reads(self.func, inst, |value| {
            if self.owned[value.index()]
                && let Err(position) = live.binary_search(&value)
            {
                live.insert(position, value);
                dying.push(value);
            }
        });
        let operands = dying.clone();
        let made = if op == Op::SealedNew { self.references_taken(inst, &mut dying) } else { Vec::new() };
        match op {
            Op::Release | Op::DropShared => return self.count_release(inst, !dying.is_empty(), counted),
            _ if op.is_terminator() => {}
            _ => {
                dying.append(&mut dead);
                for &value in dying.iter().rev() {
                    let drop = self.new_count(Op::DecRef, value, inst);
                    counted.push(drop);
                }
            }
        }
        counted.push(inst);
        if op == Op::Return && self.func.ty(self.func.inst(inst).args[0]) == Type::Obj {
            let value = self.func.inst(inst).args[0];
            if !self.is_owned(value) {
                let count = self.new_count(Op::IncRef, value, inst);
                counted.push(count);
            }
        }
        for &value in &made {
            let count = self.new_count(Op::IncRef, value, inst);
            counted.push(count);
        }
        let fails = op.exits() || op.effects().has(Effects::RAISES);
        if fails && !self.func.inst(inst).catches() {
            let mut unwind = made;
            unwind.extend(self.unwind_order(live, &operands));
            if !unwind.is_empty() {
                self.func.unwind.insert(inst, unwind);
            }
        }
    }

    /// The references that have to be made for the fields of a new object, which takes one for each: those of operands
    /// that die here are there already, and are no longer dropped.
    fn references_taken(&self, inst: Inst, dying: &mut Vec<Value>) -> Vec<Value> {
        let fields = &self.func.inst(inst).args[1..];
        let mut is_there = |field: &Value| match dying.iter().position(|value| value == field) {
            Some(place) => {
                dying.remove(place);
                true
            }
            None => false,
        };
        let objects = fields.iter().copied().filter(|&field| self.func.ty(field) == Type::Obj);
        objects.filter(|field| !is_there(field)).collect()
    }

    /// A release that ends its value's life is the drop itself. Any other drops nothing: resume points
    /// of a generic version may name it, so there it stays and gets a reference to drop.
    fn count_release(&mut self, release: Inst, is_last: bool, counted: &mut Vec<Inst>) {
        if is_last {
            counted.push(release);
        } else if self.version == Version::Generic {
            counted.push(release);
            let value = self.func.inst(release).args[0];
            let count = self.new_count(Op::IncRef, value, release);
            counted.push(count);
        }
    }

    /// The operands that die here, as they stand; other temporaries, the newest first; then what variables
    /// hold, in the order of their releases.
    fn unwind_order(&self, live: &[Value], operands: &[Value]) -> Vec<Value> {
        let (mut held, mut temporaries): (Vec<Value>, Vec<Value>) =
            live.iter().partition(|value| self.ranks.contains_key(value));
        temporaries.reverse();
        held.sort_by_key(|value| self.ranks[value]);
        let dies = |value: &Value| operands.contains(value) && temporaries.contains(value);
        let mut order: Vec<Value> = operands.iter().copied().filter(dies).collect();
        order.extend(temporaries.into_iter().filter(|value| !operands.contains(value)));
        order.append(&mut held);
        order
    }

    /// Gives each edge the references that its arguments need and drops what dies on it; returns the
    /// blocks that were put on edges.
    fn count_edges(&mut self, block: Block, at_start: &mut FxHashMap<Block, Vec<Value>>) -> Vec<Block> {
        let jump = self.func.terminator(block);
        let held: Vec<Value> = match self.func.inst(jump).targets.as_slice() {
            [] => return Vec::new(),
            [_] => Vec::new(),
            _ => self.held_at_branch(block, jump),
        };
        let condition = self.func.inst(jump).args.first().and_then(|&value| self.func.def_inst(value));
        let is_caught = condition.is_some_and(InstData::catches);
        let mut added = Vec::new();
        for number in 0..self.func.inst(jump).targets.len() {
            let target = self.func.inst(jump).targets[number].clone();
            let needed = self.references_needed(&target);
            // What an exception leaves behind goes as the interpreter's stack does, the newest first.
            let mut dead: Vec<Value> = held
                .iter()
                .copied()
                .filter(|value| !self.is_live_in(target.block, *value) && !target.args.contains(value))
                .collect();
            if is_caught {
                dead.reverse();
            }
            let is_only_edge = self.func.inst(jump).targets.len() == 1;
            if is_only_edge {
                self.put_before_terminator(block, Op::IncRef, &needed);
            } else if needed.is_empty() && self.cfg.predecessors(target.block).len() == 1 {
                if !dead.is_empty() {
                    at_start.entry(target.block).or_default().extend(dead);
                }
            } else if !needed.is_empty() || !dead.is_empty() {
                let edge = self.split_edge(block, jump, number);
                self.put_before_terminator(edge, Op::DecRef, &dead);
                self.put_before_terminator(edge, Op::IncRef, &needed);
                added.push(edge);
            }
        }
        added
    }

    /// The owned values that are alive when the branch is taken.
    fn held_at_branch(&self, block: Block, branch: Inst) -> Vec<Value> {
        let mut held: Vec<Value> = self.liveness.live_out(block).to_vec();
        held.extend(self.func.inst(branch).targets.iter().flat_map(|target| &target.args));
        held.retain(|&value| self.is_owned(value));
        held.sort_unstable();
        held.dedup();
        held
    }

    fn is_live_in(&self, block: Block, value: Value) -> bool {
        self.liveness.live_in(block).binary_search(&value).is_ok()
    }

    /// The references that an edge must make: one for each argument, but the last use of an owned value
    /// hands over the one that is there.
    fn references_needed(&self, target: &Target) -> Vec<Value> {
        let mut needed = Vec::new();
        for (position, &arg) in target.args.iter().enumerate() {
            let is_handed_over = self.is_owned(arg)
                && !target.args[..position].contains(&arg)
                && !self.is_live_in(target.block, arg);
            if self.func.ty(arg) == Type::Obj && !is_handed_over {
                needed.push(arg);
            }
        }
        needed
    }

    fn put_before_terminator(&mut self, block: Block, op: Op, values: &[Value]) {
        let terminator = self.func.terminator(block);
        let counts: Vec<Inst> = values.iter().map(|&value| self.new_count(op, value, terminator)).collect();
        let insts = &mut self.func.block_mut(block).insts;
        let end = insts.len() - 1;
        insts.splice(end..end, counts);
    }

    /// Puts a block on the edge, which goes on with the edge's arguments.
    fn split_edge(&mut self, source: Block, branch: Inst, number: usize) -> Block {
        let edge = self.func.add_detached_block();
        let target = std::mem::replace(
            &mut self.func.inst_mut(branch).targets[number],
            Target { block: edge, args: Vec::new() },
        );
        self.func.block_mut(edge).cold = self.func.block(source).cold || self.func.block(target.block).cold;
        let InstData { range, site, .. } = *self.func.inst(branch);
        let data = InstData {
            op: Op::Jump,
            imm: Imm::None,
            args: Vec::new(),
            results: Vec::new(),
            targets: vec![target],
            range,
            exit: None,
            site,
        };
        let jump = self.func.add_inst(data, &[]);
        self.func.block_mut(edge).insts.push(jump);
        edge
    }
}
