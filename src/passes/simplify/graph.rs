//! Control flow without a purpose: unreachable blocks, jumps to jumps, blocks that can be one.

use crate::ir::cfg::Cfg;
use crate::ir::dominators::Dominators;
use crate::ir::{Block, Function, Imm, Op, Target, Value};

use super::aliases::Aliases;

/// How many empty blocks in a row a jump is led through.
const MAX_HOPS: usize = 16;

/// Takes blocks that the entry does not reach out of the layout; returns whether there were any.
pub(super) fn remove_unreachable(func: &mut Function) -> bool {
    let cfg = Cfg::of(func);
    let before = func.layout.len();
    func.layout.retain(|&block| cfg.is_reachable(block));
    func.layout.len() != before
}

/// Leads jumps past blocks that only jump on, or that branch on what the jump passes as a constant;
/// returns whether there were any.
pub(super) fn thread_jumps(func: &mut Function) -> bool {
    let cfg = Cfg::of(func);
    let dominators = Dominators::of(&cfg);
    let mut is_header = vec![false; func.blocks.len()];
    for (_, header) in dominators.back_edges(&cfg) {
        is_header[header.index()] = true;
    }
    let escapes = escaping_values(func);
    let mut changed = false;
    for block in func.layout.clone() {
        let terminator = func.terminator(block);
        let has_one = func.inst(terminator).targets.len() == 1;
        for number in 0..func.inst(terminator).targets.len() {
            for _ in 0..MAX_HOPS {
                let target = &func.inst(terminator).targets[number];
                let Some(further) = next_hop(func, target, &is_header, &escapes) else { break };
                // A critical edge into a loop header would leave no place for what belongs in front of the loop.
                if !has_one && (is_header[further.block.index()] || is_header[target.block.index()]) {
                    break;
                }
                is_header[further.block.index()] |= is_header[target.block.index()];
                func.inst_mut(terminator).targets[number] = further;
                changed = true;
            }
        }
    }
    if changed {
        remove_unreachable(func);
    }
    changed
}

/// For each value whether a block reads it that does not define it.
fn escaping_values(func: &Function) -> Vec<bool> {
    let mut home = vec![None; func.values.len()];
    for &block in &func.layout {
        func.block(block).params.iter().for_each(|param| home[param.index()] = Some(block));
    }
    let mut escapes = vec![false; func.values.len()];
    for &block in &func.layout {
        for &inst in &func.block(block).insts {
            func.visit_uses(inst, |value| escapes[value.index()] |= home[value.index()] != Some(block));
        }
    }
    escapes
}

/// Where a jump ends up if its target does nothing but go on.
fn next_hop(func: &Function, target: &Target, is_header: &[bool], escapes: &[bool]) -> Option<Target> {
    let block = func.block(target.block);
    let [only] = block.insts.as_slice() else { return None };
    if block.params.iter().any(|param| escapes[param.index()]) {
        return None;
    }
    let passed = |value: Value| {
        let number = block.params.iter().position(|&param| param == value);
        number.map_or(value, |number| target.args[number])
    };
    let data = func.inst(*only);
    let next = match data.op {
        Op::Jump => &data.targets[0],
        // A second way into a loop past its header would not be reducible.
        Op::Branch if !is_header[target.block.index()] => match func.def_inst(passed(data.args[0]))?.imm {
            Imm::Bool(true) => &data.targets[0],
            Imm::Bool(false) => &data.targets[1],
            _ => return None,
        },
        _ => return None,
    };
    if next.block == target.block {
        return None;
    }
    Some(Target { block: next.block, args: next.args.iter().map(|&arg| passed(arg)).collect() })
}

/// Joins blocks of which one is the only way to the other; returns whether there were any.
pub(super) fn merge_blocks(func: &mut Function) -> bool {
    let cfg = Cfg::of(func);
    let mut aliases = Aliases::new(func);
    let mut is_gone = vec![false; func.blocks.len()];
    for block in func.layout.clone() {
        while !is_gone[block.index()] {
            let Some(next) = only_next(func, &cfg, block) else { break };
            let jump = func.block_mut(block).insts.pop().expect("a verified block ends with a terminator");
            let args = std::mem::take(&mut func.inst_mut(jump).targets[0].args);
            let merged = std::mem::take(func.block_mut(next));
            for (&param, &arg) in merged.params.iter().zip(&args) {
                aliases.set(param, arg);
            }
            func.block_mut(block).insts.extend(merged.insts);
            is_gone[next.index()] = true;
        }
    }
    let changed = is_gone.contains(&true);
    func.layout.retain(|block| !is_gone[block.index()]);
    aliases.apply(func);
    changed
}

/// The block behind this one if no other edge leads there.
fn only_next(func: &Function, cfg: &Cfg, block: Block) -> Option<Block> {
    let jump = func.inst(func.terminator(block));
    let next = jump.targets.first().filter(|_| jump.op == Op::Jump)?.block;
    (cfg.predecessors(next).len() == 1 && next != block && next != func.entry()).then_some(next)
}
