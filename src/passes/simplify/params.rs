//! Removal of block parameters that are always the same value, or the same as their neighbour.

use rustc_hash::FxHashMap;

use crate::ir::{Block, Def, Function, Type, Value};

use super::aliases::Aliases;

/// Parameters that are not told apart after so many rounds are left alone.
const MAX_ROUNDS: usize = 16;

/// Replaces parameters that every jump passes the same value, and those that are passed what another one is, around
/// loops too; returns whether there were any.
pub(in crate::passes) fn remove_needless_params(func: &mut Function) -> bool {
    let incoming = incoming_vectors(func);
    let mut aliases = Aliases::new(func);
    let mut is_gone = vec![false; func.values.len()];
    for (param, other) in congruent_params(func, &incoming).unwrap_or_default() {
        aliases.set(param, other);
        is_gone[param.index()] = true;
    }
    for &block in &func.layout[1..] {
        let mut seen: FxHashMap<Vec<Value>, Value> = FxHashMap::default();
        for (number, &param) in func.block(block).params.iter().enumerate() {
            if is_gone[param.index()] {
                continue;
            }
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

/// Parameters and the first of their block that is always equal: all of a block and type are taken for equal until a
/// jump passes them what is not (Alpern, Wegman and Zadeck, "Detecting equality of variables in programs", 1988). None
/// where that takes too long to find out.
fn congruent_params(func: &Function, incoming: &[Vec<Vec<Value>>]) -> Option<Vec<(Value, Value)>> {
    // Each value is in the class of one of its members, the least one; others than parameters are alone.
    let mut class: Vec<Value> = (0..func.values.len()).map(Value::new).collect();
    let blocks = &func.layout[1..];
    for &block in blocks {
        let mut first: FxHashMap<Type, Value> = FxHashMap::default();
        for &param in &func.block(block).params {
            class[param.index()] = *first.entry(func.ty(param)).or_insert(param);
        }
    }
    let has_equal = |class: &[Value], block: Block| {
        func.block(block).params.iter().any(|param| class[param.index()] != *param)
    };
    for _ in 0..MAX_ROUNDS {
        let mut has_split = false;
        for &block in blocks.iter().filter(|&&block| has_equal(&class, block)).collect::<Vec<_>>() {
            let mut first: FxHashMap<(Value, Vec<Value>), Value> = FxHashMap::default();
            let params = &func.block(block).params;
            let found: Vec<Value> = params
                .iter()
                .enumerate()
                .map(|(number, &param)| {
                    let args =
                        incoming[block.index()].iter().map(|args| class[args[number].index()]).collect();
                    *first.entry((class[param.index()], args)).or_insert(param)
                })
                .collect();
            for (&param, found) in params.iter().zip(found) {
                has_split |= std::mem::replace(&mut class[param.index()], found) != found;
            }
        }
        if !has_split {
            let params = blocks.iter().flat_map(|&block| &func.block(block).params);
            let equal = params.map(|&param| (param, class[param.index()]));
            return Some(equal.filter(|(param, other)| param != other).collect());
        }
    }
    None
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
