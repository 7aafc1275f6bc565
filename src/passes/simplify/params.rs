//! Removal of block parameters that are always the same value, or the same as their neighbour.

use rustc_hash::FxHashMap;

use crate::ir::{Block, Def, Function, Value};

use super::aliases::Aliases;

/// Replaces parameters that every jump passes the same value, and those that are passed exactly what
/// another one is; returns whether there were any.
pub(in crate::passes) fn remove_needless_params(func: &mut Function) -> bool {
    let incoming = incoming_vectors(func);
    let mut aliases = Aliases::new(func);
    let mut is_gone = vec![false; func.values.len()];
    for &block in &func.layout[1..] {
        let mut seen: FxHashMap<Vec<Value>, Value> = FxHashMap::default();
        for (number, &param) in func.block(block).params.iter().enumerate() {
            let args: Vec<Value> =
                incoming[block.index()].iter().map(|args| aliases.find(args[number])).collect();
            let mut others = args.iter().copied().filter(|&arg| arg != param);
            let only = others.next().filter(|&first| others.all(|other| other == first));
            match only.or_else(|| seen.get(&args).copied()) {
                Some(other) => {
                    aliases.set(param, other);
                    is_gone[param.index()] = true;
                }
                None => {
                    seen.insert(args, param);
                }
            }
        }
    }
    if !aliases.apply(func) {
        return false;
    }
    drop_superfluous_args(func, |param| !is_gone[param.index()]);
    true
}

/// For each block the arguments of each jump to it.
fn incoming_vectors(func: &Function) -> Vec<Vec<Vec<Value>>> {
    let mut incoming = vec![Vec::new(); func.blocks.len()];
    for &block in &func.layout {
        for target in &func.inst(func.terminator(block)).targets {
            incoming[target.block.index()].push(target.args.clone());
        }
    }
    incoming
}

/// Removes the parameters that are not kept, the entry's excepted, and what is passed to them.
pub(super) fn drop_superfluous_args(func: &mut Function, keep: impl Fn(Value) -> bool) {
    for block in func.layout.clone() {
        let terminator = func.terminator(block);
        let mut targets = std::mem::take(&mut func.inst_mut(terminator).targets);
        for target in &mut targets {
            let mut params = func.block(target.block).params.iter();
            target.args.retain(|_| params.next().is_some_and(|&param| keep(param)));
        }
        func.inst_mut(terminator).targets = targets;
    }
    let entry = func.entry();
    for block in func.layout.clone() {
        if block != entry {
            func.block_mut(block).params.retain(|&param| keep(param));
            renumber_params(func, block);
        }
    }
}

fn renumber_params(func: &mut Function, block: Block) {
    for (number, param) in func.block(block).params.clone().into_iter().enumerate() {
        func.values[param.index()].def = Def::Param(block, number);
    }
}
