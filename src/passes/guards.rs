//! Removal of cell guards that repeat another one.
//!
//! ```text
//! guard.cell "N" is value 5 exit [..]             guard.cell "N" is value 5 exit [..]
//! v1 = int.add_checked v0, v0 exit [..]     ->    v1 = int.add_checked v0, v0 exit [..]
//! guard.cell "N" is value 5 exit [..]
//! ```
//!
//! Between the two, on no path, may anything run foreign code, which could rebind the name; a poll may
//! run a signal handler, and the death of an object a finaliser, so both count. But what a loop bets on is tested once in front of it, and again
//! where a poll found work ([`hoist`]), if nothing else in the loop runs foreign code.
//!
//! Other guards test values, which never change: [`super::simplify`] removes those that repeat.

mod hoist;

pub use hoist::drop_idle_anchors;
pub(super) use hoist::put_aside;

use rustc_hash::FxHashSet;

use crate::ir::cfg::Cfg;
use crate::ir::{Block, CellId, Effects, Function, Imm, Inst, Op};
use crate::passes::borrow;
use crate::passes::borrow::Deaths;
use crate::passes::simplify::DeadChecks;

/// Removes every cell guard whose assumption holds where it stands, and all anchors.
pub fn remove_guards(func: &mut Function) {
    hoist::hoist_guards(func);
    remove_repeated(func);
    super::simplify::dead::remove_dead_code(func, DeadChecks::Stay);
}

fn remove_repeated(func: &mut Function) {
    let cfg = Cfg::of(func);
    let deaths = borrow::deaths(func);
    let known = known_at_end(func, &cfg, &deaths);
    for &block in cfg.reverse_postorder() {
        let mut holding = known_at_start(&cfg, &known, block, &deaths);
        let mut insts = std::mem::take(&mut func.block_mut(block).insts);
        insts.retain(|&inst| {
            let is_known = guarded_cell(func, inst).is_some_and(|cell| holding.contains(&cell));
            step(func, inst, &deaths, &mut holding);
            !is_known
        });
        func.block_mut(block).insts = insts;
    }
}

type Cells = FxHashSet<CellId>;

/// For each block the cells that hold where it ends. Blocks that were not reached yet hold everything:
/// a loop's own back edge must not hide what holds in front of it.
fn known_at_end(func: &Function, cfg: &Cfg, deaths: &Deaths) -> Vec<Option<Cells>> {
    let mut known: Vec<Option<Cells>> = vec![None; func.blocks.len()];
    let mut changed = true;
    while changed {
        changed = false;
        for &block in cfg.reverse_postorder() {
            let mut holding = known_at_start(cfg, &known, block, deaths);
            for &inst in &func.block(block).insts {
                step(func, inst, deaths, &mut holding);
            }
            if known[block.index()].as_ref() != Some(&holding) {
                known[block.index()] = Some(holding);
                changed = true;
            }
        }
    }
    known
}

fn known_at_start(cfg: &Cfg, known: &[Option<Cells>], block: Block, deaths: &Deaths) -> Cells {
    if deaths.at.contains(&block) {
        return Cells::default();
    }
    let mut sources = cfg.predecessors(block).iter().filter_map(|source| known[source.index()].as_ref());
    let Some(first) = sources.next() else { return Cells::default() };
    let mut holding = first.clone();
    for source in sources {
        holding.retain(|cell| source.contains(cell));
    }
    holding
}

fn step(func: &Function, inst: Inst, deaths: &Deaths, holding: &mut Cells) {
    let op = func.inst(inst).op;
    if op.effects().has(Effects::FOREIGN) || op == Op::Poll {
        holding.clear();
    }
    holding.extend(guarded_cell(func, inst));
    if deaths.behind.contains(&inst) {
        holding.clear();
    }
}

fn guarded_cell(func: &Function, inst: Inst) -> Option<CellId> {
    match func.inst(inst) {
        data if data.op != Op::GuardCell => None,
        data => match data.imm {
            Imm::Cell(cell) => Some(cell),
            _ => None,
        },
    }
}
