//! Loop rotation: the test of a loop moves to its bottom, with a copy of it in front.
//!
//! ```text
//! b0(v0: i64):                                 b0(v0: i64):
//!     v1 = int.constant 1                          v1 = int.constant 1
//!     control.jump -> b1(v1)                       control.jump -> b4
//! b1(v2: i64):                                 b4:
//!     v3 = int.compare lt v2, v0                   v6 = int.compare lt v1, v0
//!     control.branch v3 -> b2, b3        ->        control.branch v6 -> b2(v1), b3(v1)
//! b2:                                          b2(v7: i64):
//!     v4 = int.add v2, v2                          v4 = int.add v7, v7
//!     control.jump -> b1(v4)                       control.jump -> b1
//! b3:                                          b1:
//!     control.ret v2                               v3 = int.compare lt v4, v0
//!                                                  control.branch v3 -> b2(v4), b3(v4)
//!                                              b3(v8: i64):
//!                                                  control.ret v8
//! ```
//!
//! Cranelift hoists nothing out of a loop whose header branches `body, exit`, and lays loops out as they
//! are. A loop turn saves a jump besides.
//! Every execution runs the header or its copy, never both: effects are no obstacle, only size is.

mod repair;

use crate::analysis::loops::Loop;
use crate::analysis::loops::Loops;
use crate::ir::cfg::Cfg;
use crate::ir::dominators::Dominators;
use crate::ir::{Block, Effects, Function, Imm, Inst, Op, Target, Value};

use rustc_hash::FxHashMap;

/// Headers with more instructions are not worth their copy.
const MAX_HEADER: usize = 32;

/// Each rotation looks at the whole function again; this many instructions are looked at in all.
const BUDGET: usize = 20_000_000;

/// Rotates every loop whose header tests whether to go on, inner loops first.
pub fn rotate_loops(func: &mut Function) {
    unshare_exits(func);
    let headers: Vec<Block> = loops_of(func).all().iter().rev().map(|found| found.header).collect();
    let affordable = BUDGET / func.insts.len().max(1);
    for header in headers.into_iter().take(affordable) {
        let loops = loops_of(func);
        let found = loops.all().iter().position(|found| found.header == header);
        if let Some(number) = found
            && let Some(body) = body_of(func, &loops, number)
        {
            sink_into_body(func, header, body);
            rotate(func, &loops, number, body);
        }
    }
    super::simplify::params::remove_needless_params(func);
}

fn loops_of(func: &Function) -> Loops {
    let cfg = Cfg::of(func);
    Loops::of(&cfg, &Dominators::of(&cfg))
}

/// Gives each instruction an exit state of its own, so that one can change without the other.
fn unshare_exits(func: &mut Function) {
    let mut is_taken = vec![false; func.exits.len()];
    for block in func.layout.clone() {
        for inst in func.block(block).insts.clone() {
            let Some(exit) = func.inst(inst).exit else { continue };
            if std::mem::replace(&mut is_taken[exit.index()], true) {
                let copy = func.add_exit(func.exit(exit).clone());
                is_taken.push(true);
                func.inst_mut(inst).exit = Some(copy);
            }
        }
    }
}

/// The block inside the loop to which its header goes on, if rotating the loop is possible and worth it.
fn body_of(func: &Function, loops: &Loops, number: usize) -> Option<Block> {
    let Loop { header, latches, .. } = &loops.all()[number];
    let block = func.block(*header);
    let branch = func.inst(func.terminator(*header));
    if branch.op != Op::Branch || latches.contains(header) || block.insts.len() > MAX_HEADER {
        return None;
    }
    let [first, second] = [branch.targets[0].block, branch.targets[1].block];
    match (loops.contains(number, first), loops.contains(number, second)) {
        (true, false) => Some(first),
        (false, true) => Some(second),
        _ => None,
    }
}

/// Moves what only the body needs out of the header: both copies would hand it over in a register.
fn sink_into_body(func: &mut Function, header: Block, body: Block) {
    let cfg = Cfg::of(func);
    if cfg.predecessors(body).len() != 1 {
        return;
    }
    let dominators = Dominators::of(&cfg);
    let mut is_pinned = vec![false; func.values.len()];
    for &block in cfg.reverse_postorder() {
        if block != header && !dominators.dominates(body, block) {
            func.block(block).insts.iter().for_each(|&inst| pin_reads(func, inst, &mut is_pinned));
        }
    }
    let insts = std::mem::take(&mut func.block_mut(header).insts);
    let (mut kept, mut sunk) = (Vec::new(), Vec::new());
    for &inst in insts.iter().rev() {
        let data = func.inst(inst);
        let may_move = data.op.is_removable() && !data.op.effects().has(Effects::READS);
        if may_move && !data.results.iter().any(|result| is_pinned[result.index()]) {
            sunk.push(inst);
        } else {
            pin_reads(func, inst, &mut is_pinned);
            kept.push(inst);
        }
    }
    kept.reverse();
    sunk.reverse();
    func.block_mut(header).insts = kept;
    func.block_mut(body).insts.splice(0..0, sunk);
}

fn pin_reads(func: &Function, inst: Inst, is_pinned: &mut [bool]) {
    func.visit_uses(inst, |value| is_pinned[value.index()] = true);
}

fn rotate(func: &mut Function, loops: &Loops, number: usize, body: Block) {
    let found = &loops.all()[number];
    let header = found.header;
    let copy = copy_block(func, header);
    let entries: Vec<Block> = func
        .layout
        .iter()
        .copied()
        .filter(|&block| block != copy && !loops.contains(number, block))
        .collect();
    for block in entries {
        let terminator = func.terminator(block);
        for target in &mut func.inst_mut(terminator).targets {
            if target.block == header {
                target.block = copy;
            }
        }
    }
    let is_shared = loops.all().iter().any(|other| other.header == body);
    let landing = is_shared.then(|| put_landing(func, [header, copy], body));
    lay_out(func, found, copy, landing);
    repair::repair(func, header, copy);
}

/// A copy of the block, not in the layout, with values and exit states of its own; the parameters and
/// results come in the same order.
fn copy_block(func: &mut Function, block: Block) -> Block {
    let copy = func.add_detached_block();
    func.block_mut(copy).cold = func.block(block).cold;
    let mut copies: FxHashMap<Value, Value> = FxHashMap::default();
    for param in func.block(block).params.clone() {
        copies.insert(param, func.add_param(copy, func.ty(param)));
    }
    for inst in func.block(block).insts.clone() {
        let mut data = func.inst(inst).clone();
        data.exit = data.exit.map(|exit| func.add_exit(func.exit(exit).clone()));
        let types: Vec<_> = data.results.iter().map(|&result| func.ty(result)).collect();
        let results = data.results.clone();
        let new = func.add_inst(data, &types);
        func.copy_shown(inst, new);
        func.map_uses(new, |value| copies.get(&value).copied().unwrap_or(value));
        copies.extend(results.into_iter().zip(func.inst(new).results.clone()));
        func.block_mut(copy).insts.push(new);
    }
    copy
}

/// Puts a block between these sources and the body, which heads a loop of its own.
fn put_landing(func: &mut Function, sources: [Block; 2], body: Block) -> Block {
    let landing = func.add_detached_block();
    let types: Vec<_> = func.block(body).params.iter().map(|&param| func.ty(param)).collect();
    let args = types.into_iter().map(|ty| func.add_param(landing, ty)).collect();
    let mut data = func.inst(func.terminator(body)).clone();
    data.op = Op::Jump;
    data.imm = Imm::None;
    data.args.clear();
    data.exit = None;
    data.targets = vec![Target { block: body, args }];
    let jump = func.add_inst(data, &[]);
    func.block_mut(landing).insts.push(jump);
    for source in sources {
        let terminator = func.terminator(source);
        for target in &mut func.inst_mut(terminator).targets {
            if target.block == body {
                target.block = landing;
            }
        }
    }
    landing
}

/// The copy takes the header's place, the landing follows it, the header goes behind the loop's last block.
fn lay_out(func: &mut Function, found: &Loop, copy: Block, landing: Option<Block>) {
    let header = found.header;
    let last = func.layout.iter().rposition(|block| found.blocks.contains(block) && *block != header);
    let last = last.map(|position| func.layout[position]);
    let layout = std::mem::take(&mut func.layout);
    for block in layout {
        if block == header {
            func.layout.push(copy);
            func.layout.extend(landing);
        } else {
            func.layout.push(block);
        }
        if Some(block) == last {
            func.layout.push(header);
        }
    }
}
