//! Cell guards leave loops in which only polls run foreign code.
//!
//! ```text
//!     control.anchor exit [A]                      guard.cell "N" .. exit [A]
//!     control.jump -> b1(..)                       control.jump -> b1(..)
//! b1(..):                                      b1(..):
//!     guard.cell "N" .. exit [..]                  guard.cell "N" .. exit [..]     (repeats, goes next)
//!     ..                                           ..
//!     control.poll                       ->        v9 = control.pending
//!     control.anchor exit [B]                      control.branch v9 -> b2, b3
//!     control.jump -> b1(..)                   b2 cold:
//!                                                  control.poll
//!                                                  guard.cell "N" .. exit [B]
//!                                                  control.jump -> b3
//!                                              b3:
//!                                                  control.jump -> b1(..)
//! ```
//!
//! A guard in front of a loop that turns zero times may exit without need; the answer is the same.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::analysis::loops::Loops;
use crate::ir::cfg::Cfg;
use crate::ir::dominators::Dominators;
use crate::ir::{Block, CellId, Effects, Function, Imm, Inst, InstData, Op, Target};

use super::guarded_cell;

/// Loops that bet on more names keep their guards: every poll would test them all.
const MAX_CELLS: usize = 16;

/// Removes the anchors that no loop has a use for, so that they keep no value alive.
pub fn drop_idle_anchors(func: &mut Function) {
    let cfg = Cfg::of(func);
    let loops = Loops::of(&cfg, &Dominators::of(&cfg));
    let is_useful: Vec<bool> =
        (0..loops.all().len()).map(|number| cells_of(func, &loops, number).is_some()).collect();
    for &block in cfg.reverse_postorder() {
        let entered = func.successors(block).filter_map(|next| loops.innermost(next));
        if !entered.into_iter().any(|number| is_useful[number]) {
            remove_anchors(func, block);
        }
    }
}

fn remove_anchors(func: &mut Function, block: Block) {
    let mut insts = std::mem::take(&mut func.block_mut(block).insts);
    insts.retain(|&inst| func.inst(inst).op != Op::Anchor);
    func.block_mut(block).insts = insts;
}

/// Where which cells are to be tested.
#[derive(Default)]
struct Plan {
    /// At an anchor in front of a loop.
    anchors: BTreeMap<Inst, BTreeSet<CellId>>,
    /// Behind a poll, with the exit state of the anchor there.
    polls: BTreeMap<Inst, BTreeSet<CellId>>,
}

/// Moves guards in front of loops where that is possible; no anchor is left.
pub(super) fn hoist_guards(func: &mut Function) {
    let cfg = Cfg::of(func);
    let loops = Loops::of(&cfg, &Dominators::of(&cfg));
    let mut plan = Plan::default();
    let mut is_hoisted = vec![false; loops.all().len()];
    for (number, found) in loops.all().iter().enumerate() {
        let is_covered = found.parent.is_some_and(|parent| is_hoisted[parent]);
        is_hoisted[number] = is_covered || plan_loop(func, &cfg, &loops, number, &mut plan).is_some();
    }
    for &block in cfg.reverse_postorder() {
        apply(func, block, &plan);
    }
    for block in func.layout.clone() {
        remove_anchors(func, block);
    }
}

/// The cells that a loop's guards test, if there are any and nothing else runs foreign code there.
fn cells_of(func: &Function, loops: &Loops, number: usize) -> Option<BTreeSet<CellId>> {
    let mut cells = BTreeSet::new();
    for &block in &loops.all()[number].blocks {
        for &inst in &func.block(block).insts {
            if func.inst(inst).op.effects().has(Effects::FOREIGN) {
                return None;
            }
            cells.extend(guarded_cell(func, inst));
        }
    }
    (1..=MAX_CELLS).contains(&cells.len()).then_some(cells)
}

/// Adds what it takes to test a loop's cells in front of it; none where a place for that is missing.
fn plan_loop(func: &Function, cfg: &Cfg, loops: &Loops, number: usize, plan: &mut Plan) -> Option<()> {
    let cells = cells_of(func, loops, number)?;
    let found = &loops.all()[number];
    let mut polls = Vec::new();
    for &block in &found.blocks {
        let insts = &func.block(block).insts;
        for (position, &inst) in insts.iter().enumerate() {
            if func.inst(inst).op == Op::Poll {
                let next = insts.get(position + 1)?;
                polls.push((func.inst(*next).op == Op::Anchor).then_some(inst)?);
            }
        }
    }
    let entries = cfg.predecessors(found.header).iter().filter(|&&source| !loops.contains(number, source));
    let anchors: Vec<Inst> = entries.map(|&source| anchor_of(func, source)).collect::<Option<_>>()?;
    for anchor in anchors {
        plan.anchors.entry(anchor).or_default().extend(&cells);
    }
    for poll in polls {
        plan.polls.entry(poll).or_default().extend(&cells);
    }
    Some(())
}

/// The last anchor of the block, if nothing behind it ends what is known of cells.
fn anchor_of(func: &Function, block: Block) -> Option<Inst> {
    let insts = func.block(block).insts.iter().rev().copied();
    let quiet = |inst: &Inst| {
        let op = func.inst(*inst).op;
        op != Op::Poll && !op.effects().has(Effects::FOREIGN)
    };
    insts.take_while(quiet).find(|&inst| func.inst(inst).op == Op::Anchor)
}

/// Writes what is planned for the block; what follows an expanded poll moves to a new block.
fn apply(func: &mut Function, block: Block, plan: &Plan) {
    let insts = std::mem::take(&mut func.block_mut(block).insts);
    let mut current = block;
    for (position, &inst) in insts.iter().enumerate() {
        if let Some(cells) = plan.polls.get(&inst) {
            current = expand_poll(func, current, inst, insts[position + 1], cells);
            continue;
        }
        if let Some(cells) = plan.anchors.get(&inst) {
            add_guards(func, current, inst, cells);
        }
        func.block_mut(current).insts.push(inst);
    }
}

fn add_guards(func: &mut Function, block: Block, anchor: Inst, cells: &BTreeSet<CellId>) {
    for &cell in cells {
        let mut data = func.inst(anchor).clone();
        data.op = Op::GuardCell;
        data.imm = Imm::Cell(cell);
        data.exit = data.exit.map(|exit| func.add_exit(func.exit(exit).clone()));
        let guard = func.add_inst(data, &[]);
        func.block_mut(block).insts.push(guard);
    }
}

/// Puts the poll and the guards behind it on a path of its own; returns the block where it goes on.
fn expand_poll(
    func: &mut Function,
    block: Block,
    poll: Inst,
    anchor: Inst,
    cells: &BTreeSet<CellId>,
) -> Block {
    let [taken, after] = put_aside(func, block, poll);
    let jump = func.block_mut(taken).insts.pop();
    add_guards(func, taken, anchor, cells);
    func.block_mut(taken).insts.extend(jump);
    after
}

/// Ends the block with a test for pending work: the poll goes to a new block off the expected path, and both ways
/// lead to another new one, which is empty yet.
pub(in crate::passes) fn put_aside(func: &mut Function, block: Block, poll: Inst) -> [Block; 2] {
    let [taken, after] = [(); 2].map(|()| func.add_detached_block());
    let position = func.layout.iter().position(|&other| other == block).expect("the block is in the layout");
    func.layout.splice(position + 1..position + 1, [taken, after]);
    func.block_mut(taken).cold = true;
    func.block_mut(after).cold = func.block(block).cold;
    let like = func.inst(poll).clone();
    let pending = func.add_inst(InstData { op: Op::Pending, ..like.clone() }, Op::Pending.row().results);
    let args = func.inst(pending).results.clone();
    let to = |block: Block| Target { block, args: Vec::new() };
    let branch = InstData { op: Op::Branch, args, targets: vec![to(taken), to(after)], ..like.clone() };
    let branch = func.add_inst(branch, &[]);
    func.block_mut(block).insts.extend([pending, branch]);
    let jump = func.add_inst(InstData { op: Op::Jump, targets: vec![to(after)], ..like }, &[]);
    func.block_mut(taken).insts.extend([poll, jump]);
    [taken, after]
}
