//! Cell guards leave loops in which only polls and deaths of what variables held run foreign code.
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
//! A variable's old value may die where it is released. There the loop tests first whether it will, and the cells again
//! where it did, if the next exit behind the release can take its place:
//!
//! ```text
//!     object.release v4                            v9 = refcount.is_last v4
//!     v5 = list.item v2, v3 exit [C]               control.branch v9 -> b2, b3
//!                                              b2 cold:
//!                                                  object.release v4
//!                                        ->        guard.cell "N" .. exit [C]
//!                                                  control.jump -> b4
//!                                              b3:
//!                                                  refcount.drop_shared v4
//!                                                  control.jump -> b4
//!                                              b4:
//!                                                  v5 = list.item v2, v3 exit [C]
//! ```
//!
//! A guard in front of a loop that turns zero times may exit without need; the answer is the same.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::analysis::loops::Loops;
use crate::ir::cfg::Cfg;
use crate::ir::dominators::Dominators;
use crate::ir::{Block, CellId, Effects, Function, Imm, Inst, InstData, Op, Target, Value};

use super::guarded_cell;
use crate::passes::borrow;
use crate::passes::borrow::Deaths;

/// Loops that bet on more names keep their guards: every poll would test them all.
const MAX_CELLS: usize = 16;

/// Removes the anchors that no loop has a use for, so that they keep no value alive.
pub fn drop_idle_anchors(func: &mut Function) {
    let cfg = Cfg::of(func);
    let loops = Loops::of(&cfg, &Dominators::of(&cfg));
    // What dies is known when everything that is read is borrowed.
    let none = Deaths::default();
    let is_useful: Vec<bool> =
        (0..loops.all().len()).map(|number| cells_of(func, &loops, number, &none).is_some()).collect();
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
    /// Behind a release, with the exit state of this instruction.
    releases: BTreeMap<Inst, (Inst, BTreeSet<CellId>)>,
}

/// Moves guards in front of loops where that is possible; no anchor is left.
pub(super) fn hoist_guards(func: &mut Function) {
    let cfg = Cfg::of(func);
    let loops = Loops::of(&cfg, &Dominators::of(&cfg));
    let mut plan = Plan::default();
    let deaths = borrow::deaths(func);
    let mut is_hoisted = vec![false; loops.all().len()];
    for (number, found) in loops.all().iter().enumerate() {
        let is_covered = found.parent.is_some_and(|parent| is_hoisted[parent]);
        is_hoisted[number] =
            is_covered || plan_loop(func, &cfg, &loops, number, (&deaths, &mut plan)).is_some();
    }
    for &block in cfg.reverse_postorder() {
        apply(func, block, &plan);
    }
    for block in func.layout.clone() {
        remove_anchors(func, block);
    }
}

/// The cells that a loop's guards test, if there are any and nothing else runs foreign code there but polls, and
/// releases with an exit behind them.
fn cells_of(func: &Function, loops: &Loops, number: usize, deaths: &Deaths) -> Option<BTreeSet<CellId>> {
    let mut cells = BTreeSet::new();
    for &block in &loops.all()[number].blocks {
        if deaths.at.contains(&block) {
            return None;
        }
        let insts = &func.block(block).insts;
        for (position, &inst) in insts.iter().enumerate() {
            let op = func.inst(inst).op;
            let is_foreign = op.effects().has(Effects::FOREIGN) || deaths.behind.contains(&inst);
            if is_foreign && (op != Op::Release || exit_behind(func, &insts[position + 1..]).is_none()) {
                return None;
            }
            cells.extend(guarded_cell(func, inst));
        }
    }
    (1..=MAX_CELLS).contains(&cells.len()).then_some(cells)
}

/// How many of these instructions, all of them without effects, stand in front of the anchor.
fn anchor_behind(func: &Function, insts: &[Inst]) -> Option<usize> {
    let place = insts.iter().position(|&inst| func.inst(inst).op.effects() != Effects::NONE)?;
    (func.inst(insts[place]).op == Op::Anchor).then_some(place)
}

/// The first of these instructions with an exit, if nothing happens before it that the exit knows.
fn exit_behind(func: &Function, insts: &[Inst]) -> Option<Inst> {
    let mut defined: Vec<Value> = Vec::new();
    for &inst in insts {
        let data = func.inst(inst);
        if let Some(exit) = data.exit.filter(|_| !data.op.exits_with_result()) {
            let mut is_known = true;
            func.exit(exit).visit_values(&mut |value| is_known &= !defined.contains(&value));
            return is_known.then_some(inst);
        }
        if data.op.effects() != Effects::NONE {
            return None;
        }
        defined.extend(&data.results);
    }
    None
}

/// Adds what it takes to test a loop's cells in front of it; none where a place for that is missing.
fn plan_loop(
    func: &Function,
    cfg: &Cfg,
    loops: &Loops,
    number: usize,
    (deaths, plan): (&Deaths, &mut Plan),
) -> Option<()> {
    let cells = cells_of(func, loops, number, deaths)?;
    let found = &loops.all()[number];
    let (mut polls, mut releases) = (Vec::new(), Vec::new());
    for &block in &found.blocks {
        let insts = &func.block(block).insts;
        for (position, &inst) in insts.iter().enumerate() {
            if func.inst(inst).op == Op::Poll {
                anchor_behind(func, &insts[position + 1..])?;
                polls.push(inst);
            } else if func.inst(inst).op == Op::Release {
                releases.push((inst, exit_behind(func, &insts[position + 1..])?));
            }
        }
    }
    let entries = cfg.predecessors(found.header).iter().filter(|&&source| !loops.contains(number, source));
    let anchors: Vec<Inst> = entries.map(|&source| anchor_of(func, source, deaths)).collect::<Option<_>>()?;
    for anchor in anchors {
        plan.anchors.entry(anchor).or_default().extend(&cells);
    }
    for poll in polls {
        plan.polls.entry(poll).or_default().extend(&cells);
    }
    for (release, exit) in releases {
        plan.releases.entry(release).or_insert((exit, BTreeSet::new())).1.extend(&cells);
    }
    Some(())
}

/// The last anchor of the block, if nothing behind it ends what is known of cells.
fn anchor_of(func: &Function, block: Block, deaths: &Deaths) -> Option<Inst> {
    let insts = func.block(block).insts.iter().rev().copied();
    let quiet = |inst: &Inst| {
        let op = func.inst(*inst).op;
        op != Op::Poll && !op.effects().has(Effects::FOREIGN) && !deaths.behind.contains(inst)
    };
    insts.take_while(quiet).find(|&inst| func.inst(inst).op == Op::Anchor)
}

/// Writes what is planned for the block; what follows an expanded poll moves to a new block.
fn apply(func: &mut Function, block: Block, plan: &Plan) {
    let insts = std::mem::take(&mut func.block_mut(block).insts);
    let mut current = block;
    let mut position = 0;
    while let Some(&inst) = insts.get(position) {
        position += 1;
        if let Some(cells) = plan.polls.get(&inst) {
            // What the anchor's state reads stands in front of the poll then.
            let between = anchor_behind(func, &insts[position..]).expect("what is planned was found");
            func.block_mut(current).insts.extend(&insts[position..position + between]);
            position += between;
            current = expand_poll(func, current, inst, insts[position], cells);
            continue;
        }
        if let Some((exit, cells)) = plan.releases.get(&inst) {
            current = expand_release(func, current, inst, *exit, cells);
            continue;
        }
        if let Some(cells) = plan.anchors.get(&inst) {
            add_guards(func, current, inst, cells);
        }
        func.block_mut(current).insts.push(inst);
    }
}

/// Adds guards with the exit state of an instruction.
fn add_guards(func: &mut Function, block: Block, like: Inst, cells: &BTreeSet<CellId>) {
    for &cell in cells {
        let mut data = func.inst(like).clone();
        data.op = Op::GuardCell;
        data.imm = Imm::Cell(cell);
        data.args.clear();
        data.results.clear();
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

/// Splits the release into the death and the mere drop, with guards behind the death; returns the block where it goes on.
fn expand_release(
    func: &mut Function,
    block: Block,
    release: Inst,
    exit: Inst,
    cells: &BTreeSet<CellId>,
) -> Block {
    let [dead, shared, after] = [(); 3].map(|()| func.add_detached_block());
    let position = func.layout.iter().position(|&other| other == block).expect("the block is in the layout");
    func.layout.splice(position + 1..position + 1, [dead, shared, after]);
    let is_cold = func.block(block).cold;
    func.block_mut(dead).cold = true;
    func.block_mut(shared).cold = is_cold;
    func.block_mut(after).cold = is_cold;
    let like = InstData { exit: None, ..func.inst(release).clone() };
    let to = |block: Block| Target { block, args: Vec::new() };
    let test = func.add_inst(InstData { op: Op::IsLast, ..like.clone() }, Op::IsLast.row().results);
    let args = func.inst(test).results.clone();
    let branch = InstData { op: Op::Branch, args, targets: vec![to(dead), to(shared)], ..like.clone() };
    let branch = func.add_inst(branch, &[]);
    func.block_mut(block).insts.extend([test, branch]);
    func.block_mut(dead).insts.push(release);
    add_guards(func, dead, exit, cells);
    let drop = func.add_inst(InstData { op: Op::DropShared, ..like.clone() }, &[]);
    func.block_mut(shared).insts.push(drop);
    for block in [dead, shared] {
        let jump = InstData { op: Op::Jump, args: Vec::new(), targets: vec![to(after)], ..like.clone() };
        let jump = func.add_inst(jump, &[]);
        func.block_mut(block).insts.push(jump);
    }
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
