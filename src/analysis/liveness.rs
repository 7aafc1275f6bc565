//! Liveness: which values are still read after a point, and so the slots of a resume point.
//!
//! A value is read by operands, jump arguments, exit slots and shown variables; `object.release` reads its operand, the
//! `refcount` ops read nothing. So the slots of a resume point are the same before and after the
//! refcount pass, which adds neither values nor other reads.
//!
//! Sets are sorted lists, and within a block a full set is kept only every [`STEP`] instructions: the
//! cost follows the sizes of the sets, not blocks times values.

use crate::ir::cfg::Cfg;
use crate::ir::dominators::Positions;
use crate::ir::{Block, Function, Inst, Op, Point, Value};

/// Instructions between two kept sets of a block.
const STEP: usize = 64;

/// The live values of a function at every point.
#[derive(Clone, Debug)]
pub struct Liveness {
    live_in: Vec<Vec<Value>>,
    live_out: Vec<Vec<Value>>,
    /// By block: the sets before its instructions number `STEP`, `2 * STEP` and so on.
    kept: Vec<Vec<Vec<Value>>>,
    positions: Positions,
}

impl Liveness {
    /// Computes it for the reachable blocks.
    #[must_use]
    pub fn of(func: &Function) -> Liveness {
        let cfg = Cfg::of(func);
        let mut live_in = vec![Vec::new(); func.blocks.len()];
        let mut live_out = vec![Vec::new(); func.blocks.len()];
        let homes = homes(func, &cfg);
        for (index, blocks) in reading_blocks(func, &cfg, &homes).into_iter().enumerate() {
            spread(&cfg, (Value::new(index), homes[index]), blocks, &mut live_in, &mut live_out);
        }
        let kept = vec![Vec::new(); func.blocks.len()];
        let mut liveness = Liveness { live_in, live_out, kept, positions: Positions::of(func) };
        for &block in cfg.reverse_postorder() {
            liveness.keep_sets(func, block);
        }
        liveness
    }

    /// The values live where the block begins, its own parameters left out; ascending.
    #[must_use]
    pub fn live_in(&self, block: Block) -> &[Value] {
        &self.live_in[block.index()]
    }

    /// The values live where the block ends, jump arguments that nothing else reads left out; ascending.
    #[must_use]
    pub fn live_out(&self, block: Block) -> &[Value] {
        &self.live_out[block.index()]
    }

    /// The values live just before the instruction, its operands among them; ascending.
    ///
    /// # Panics
    /// When the instruction is in no block of the layout.
    #[must_use]
    pub fn live_before(&self, func: &Function, inst: Inst) -> Vec<Value> {
        let (block, position) = self.place(inst);
        self.live_at(func, block, position)
    }

    /// The values live just after the instruction, its results left out; ascending.
    ///
    /// # Panics
    /// When the instruction is in no block of the layout.
    #[must_use]
    pub fn live_after(&self, func: &Function, inst: Inst) -> Vec<Value> {
        let (block, position) = self.place(inst);
        let mut live = self.live_at(func, block, position + 1);
        live.retain(|value| !func.inst(inst).results.contains(value));
        live
    }

    /// The values that the slots of a resume point of this (generic) version hold, in their order.
    ///
    /// # Panics
    /// When the point's instruction is in no block of the layout.
    #[must_use]
    pub fn resume_slots(&self, func: &Function, point: Point) -> Vec<Value> {
        match point {
            Point::Entry => func.params().to_vec(),
            Point::Before(inst) => self.live_before(func, inst),
            Point::After(inst) => {
                let mut live = self.live_after(func, inst);
                add_bound(func, inst, &mut live);
                live
            }
        }
    }

    /// Whether the instruction lies in the layout, so that it can name a resume point.
    #[must_use]
    pub fn has(&self, inst: Inst) -> bool {
        self.positions.get(inst).is_some()
    }

    fn place(&self, inst: Inst) -> (Block, usize) {
        self.positions.get(inst).expect("a resume point lies in the layout")
    }

    /// The values live before the instruction with this position in the block.
    fn live_at(&self, func: &Function, block: Block, position: usize) -> Vec<Value> {
        let insts = &func.block(block).insts;
        let mark = position.div_ceil(STEP).max(1);
        let (from, mut live) = match self.kept[block.index()].get(mark - 1) {
            Some(kept) => (mark * STEP, kept.clone()),
            None => (insts.len(), self.live_out(block).to_vec()),
        };
        for &inst in insts[position..from].iter().rev() {
            step_back(func, inst, &mut live);
        }
        live
    }

    fn keep_sets(&mut self, func: &Function, block: Block) {
        let insts = &func.block(block).insts;
        if insts.len() <= STEP {
            return;
        }
        let mut live = self.live_out(block).to_vec();
        let mut kept = Vec::new();
        for (position, &inst) in insts.iter().enumerate().rev() {
            step_back(func, inst, &mut live);
            if position % STEP == 0 && position > 0 {
                kept.push(live.clone());
            }
        }
        kept.reverse();
        self.kept[block.index()] = kept;
    }
}

/// Calls `visit` with every value whose life the instruction prolongs.
pub fn visit_reads(func: &Function, inst: Inst, visit: impl FnMut(Value)) {
    if !matches!(func.inst(inst).op, Op::IncRef | Op::DecRef) {
        func.visit_uses(inst, visit);
    }
}

/// Behind a call that has raised its variables are shown: they live there anyway, as they are released some
/// time; what says whether they are bound need not.
fn add_bound(func: &Function, inst: Inst, live: &mut Vec<Value>) {
    let shown = func.shown_at(inst).into_iter().flat_map(|shown| shown.frames.iter().flatten());
    for bound in shown.filter_map(|variable| variable.bound) {
        if let Err(position) = live.binary_search(&bound) {
            live.insert(position, bound);
        }
    }
}

/// Turns the set after an instruction into the set before it.
fn step_back(func: &Function, inst: Inst, live: &mut Vec<Value>) {
    for result in &func.inst(inst).results {
        if let Ok(position) = live.binary_search(result) {
            live.remove(position);
        }
    }
    visit_reads(func, inst, |value| {
        if let Err(position) = live.binary_search(&value) {
            live.insert(position, value);
        }
    });
}

/// For each value the block that defines it.
fn homes(func: &Function, cfg: &Cfg) -> Vec<Option<Block>> {
    let mut homes = vec![None; func.values.len()];
    for &block in cfg.reverse_postorder() {
        let data = func.block(block);
        let results = data.insts.iter().flat_map(|&inst| &func.inst(inst).results);
        for value in data.params.iter().chain(results) {
            homes[value.index()] = Some(block);
        }
    }
    homes
}

/// For each value the blocks that read it and do not define it.
fn reading_blocks(func: &Function, cfg: &Cfg, homes: &[Option<Block>]) -> Vec<Vec<Block>> {
    let mut reading: Vec<Vec<Block>> = vec![Vec::new(); func.values.len()];
    for &block in cfg.reverse_postorder() {
        for &inst in &func.block(block).insts {
            visit_reads(func, inst, |value| {
                let blocks = &mut reading[value.index()];
                if homes[value.index()] != Some(block) && blocks.last() != Some(&block) {
                    blocks.push(block);
                }
            });
        }
    }
    reading
}

/// Marks the value live on every path from its definition to the blocks that read it. Values come in
/// ascending order, so the lists stay sorted and their last entry says whether a block is marked.
fn spread(
    cfg: &Cfg,
    (value, home): (Value, Option<Block>),
    mut work: Vec<Block>,
    live_in: &mut [Vec<Value>],
    live_out: &mut [Vec<Value>],
) {
    while let Some(block) = work.pop() {
        if live_in[block.index()].last() == Some(&value) {
            continue;
        }
        live_in[block.index()].push(value);
        for &from in cfg.predecessors(block) {
            let out = &mut live_out[from.index()];
            if out.last() != Some(&value) {
                out.push(value);
            }
            if home != Some(from) {
                work.push(from);
            }
        }
    }
}
