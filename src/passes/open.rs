//! Lists and bytearrays that stay as long as they are while a loop runs: how many items there are and where the
//! first one stands is read in front of the loop.
//!
//! ```text
//!     control.jump -> b1(..)                       v7 = list.len v0
//! b1(..):                                          v8 = list.items v0
//!     v2 = list.item_int v0, v1 exit [..]          control.jump -> b1(.., v7, v8)
//!     ..                                       b1(.., v3: i64, v4: i64):
//!     control.poll                       ->        v2 = list.item_int v0, v1, v3, v4 exit [..]
//!     control.branch v5 -> b1(..), b2              ..
//!                                                  v9 = control.pending
//!                                                  control.branch v9 -> b3, b4(v3, v4)
//!                                              b3 cold:
//!                                                  control.poll
//!                                                  v10 = list.len v0
//!                                                  v11 = list.items v0
//!                                                  control.jump -> b4(v10, v11)
//!                                              b4(v12: i64, v13: i64):
//!                                                  control.branch v5 -> b1(.., v12, v13), b2
//! ```
//!
//! Only polls may run foreign code in such a loop, no object dies in it, and nothing makes a container longer or shorter. What is read
//! in front of a loop is read of an object that is a container from its definition on, or from a guard in
//! front of the loop on; else it might not even have room for a size. (An unbound variable's None has: it is part of
//! the interpreter.)

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use rustc_hash::FxHashSet;

use crate::analysis::loops::Loops;
use crate::ir::Block;
use crate::ir::Effects;
use crate::ir::Function;
use crate::ir::Imm;
use crate::ir::Inst;
use crate::ir::InstData;
use crate::ir::Op;
use crate::ir::Type;
use crate::ir::Value;
use crate::ir::cfg::Cfg;
use crate::ir::dominators::Dominators;
use crate::passes::borrow;
use crate::passes::borrow::Deaths;
use crate::passes::simplify::DeadChecks;

/// Each open container takes two registers.
const MOST_OPEN: usize = 4;

/// Each loop with open containers looks at the whole function again; this many instructions are looked at in all.
const BUDGET: usize = 5_000_000;

/// Opens the containers of each loop that lets them be, outer loops first.
pub fn open_containers(func: &mut Function) {
    let mut headers: Vec<Block> = {
        let cfg = Cfg::of(func);
        let loops = Loops::of(&cfg, &Dominators::of(&cfg));
        loops.all().iter().map(|found| found.header).collect()
    };
    headers.truncate(BUDGET / func.insts.len().max(1));
    let deaths = borrow::deaths(func);
    for header in headers {
        let cfg = Cfg::of(func);
        let dominators = Dominators::of(&cfg);
        let loops = Loops::of(&cfg, &dominators);
        let Some(number) = loops.all().iter().position(|found| found.header == header) else { continue };
        let opened = wanted(func, &cfg, &dominators, &loops, number, &deaths);
        if !opened.is_empty() {
            let blocks = loops.all()[number].blocks.clone();
            let least = least_sizes(func, &blocks, &opened);
            Opening { func, opened, least }.open(header, &blocks);
        }
    }
    super::simplify::params::remove_needless_params(func);
    super::simplify::dead::remove_dead_code(func, DeadChecks::Stay);
}

/// Where what is known of a container stands among an op's operands.
struct Access {
    /// The container's operand.
    container: usize,
    /// How many operands the op has by itself.
    operands: usize,
}

fn access(op: Op) -> Option<Access> {
    let operands = match op {
        Op::ListItem | Op::ListItemBorrowed | Op::ListItemInt | Op::ListItemBool => 2,
        Op::ListItemFloat | Op::ListItemFloatAny | Op::ByteArrayItem => 2,
        Op::ListNext | Op::ListNextInt | Op::ListNextFloat | Op::ListNextOf => 2,
        Op::ListSet | Op::ListSetInt | Op::ListSetFloat | Op::ListSetBool | Op::ByteArraySet => 3,
        Op::ListSwap => 3,
        _ => return None,
    };
    Some(Access { container: 0, operands })
}

/// The containers that the instruction works on and of which nothing is known there.
fn containers(data: &InstData) -> Vec<Value> {
    match access(data.op) {
        Some(access) if data.args.len() == access.operands => vec![data.args[access.container]],
        None if data.op == Op::ListCopyItem && data.args.len() == 4 => vec![data.args[0], data.args[2]],
        _ => Vec::new(),
    }
}

fn is_bytearray(op: Op) -> bool {
    matches!(op, Op::ByteArrayItem | Op::ByteArraySet)
}

/// Whether a container may be longer, shorter or elsewhere behind the op. What allocates only numbers and strings
/// collects no garbage.
fn may_resize(op: Op) -> bool {
    let effects = op.effects();
    let is_plain = matches!(
        op,
        Op::IntBox
            | Op::IntWideBox
            | Op::FloatBox
            | Op::StrChar
            | Op::ListSetInt
            | Op::ListSetFloat
            | Op::Poll
    );
    let resizes = op == Op::ListPop || op.calls_body() || effects.has(Effects::FOREIGN);
    resizes || effects.has(Effects::RAISES) && !is_plain
}

/// The kinds of containers that a loop may keep open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    List,
    ByteArray,
}

/// The containers to open in front of the loop, in the order of their values.
fn wanted(
    func: &Function,
    cfg: &Cfg,
    dominators: &Dominators,
    loops: &Loops,
    number: usize,
    deaths: &Deaths,
) -> Vec<(Value, Kind)> {
    let found = &loops.all()[number];
    if found.blocks.iter().any(|&block| deaths.has_any(func, block)) {
        return Vec::new();
    }
    let is_inside = defined_in(func, &found.blocks);
    let mut accesses: BTreeMap<Value, (usize, Kind)> = BTreeMap::new();
    for &block in &found.blocks {
        for &inst in &func.block(block).insts {
            let data = func.inst(inst);
            if may_resize(data.op) {
                return Vec::new();
            }
            for container in containers(data) {
                if !is_inside.contains(&container) {
                    let kind = if is_bytearray(data.op) { Kind::ByteArray } else { Kind::List };
                    let weight = 1 << (3 * loops.depth(block).min(6));
                    accesses.entry(container).or_insert((0, kind)).0 += weight;
                }
            }
        }
    }
    accesses.retain(|&container, _| is_container_before(func, cfg, dominators, (found.header, container)));
    let mut order: Vec<(Value, (usize, Kind))> = accesses.into_iter().collect();
    order.sort_by_key(|&(_, (weight, _))| std::cmp::Reverse(weight));
    order.truncate(MOST_OPEN);
    let mut opened: Vec<(Value, Kind)> = order.into_iter().map(|(value, (_, kind))| (value, kind)).collect();
    opened.sort_unstable_by_key(|&(value, _)| value);
    opened
}

/// Containers that a block asks for an item at the same index, which is not negative: the first access of a pair tests
/// it against the lesser size. Where it would pass and the second one would not, the block exits anyway.
fn least_sizes(func: &Function, blocks: &[Block], opened: &[(Value, Kind)]) -> Vec<[usize; 2]> {
    let mut least = Vec::new();
    for &block in blocks {
        for pair in pairs_of(func, &func.block(block).insts, opened).into_values() {
            if !least.contains(&pair) {
                least.push(pair);
            }
        }
    }
    least.truncate(MOST_OPEN);
    least
}

/// By index: the first two open containers that are asked for the item there.
fn pairs_of(func: &Function, insts: &[Inst], opened: &[(Value, Kind)]) -> BTreeMap<Value, [usize; 2]> {
    let mut first: BTreeMap<Value, usize> = BTreeMap::new();
    let mut pairs = BTreeMap::new();
    for &inst in insts {
        if let Some((number, index)) = tested(func.inst(inst), opened) {
            let one = *first.entry(index).or_insert(number);
            if one != number {
                pairs.entry(index).or_insert([one.min(number), one.max(number)]);
            }
        }
    }
    pairs
}

/// The open container and the index that the instruction tests, where it is not negative.
fn tested(data: &InstData, opened: &[(Value, Kind)]) -> Option<(usize, Value)> {
    let access = access(data.op)?;
    if data.imm != Imm::Bool(true) || data.op == Op::ListSwap || data.args.len() != access.operands {
        return None;
    }
    let number = opened.iter().position(|&(value, _)| value == data.args[access.container])?;
    Some((number, data.args[1]))
}

/// Everything that the blocks define.
fn defined_in(func: &Function, blocks: &[Block]) -> FxHashSet<Value> {
    let results = |block: &Block| {
        let insts = &func.block(*block).insts;
        insts.iter().flat_map(|&inst| func.inst(inst).results.iter().copied()).collect::<Vec<_>>()
    };
    let params = blocks.iter().flat_map(|&block| func.block(block).params.iter().copied());
    params.chain(blocks.iter().flat_map(results)).collect()
}

/// Whether the object is a container wherever the loop with this header is entered.
fn is_container_before(
    func: &Function,
    cfg: &Cfg,
    dominators: &Dominators,
    (header, container): (Block, Value),
) -> bool {
    let guards: Vec<Block> = cfg
        .reverse_postorder()
        .iter()
        .copied()
        .filter(|&block| {
            func.block(block).insts.iter().any(|&inst| {
                let data = func.inst(inst);
                data.op == Op::GuardClass && data.args[0] == container
            })
        })
        .collect();
    guards.is_empty() || guards.iter().any(|&block| block != header && dominators.dominates(block, header))
}

struct Opening<'f> {
    func: &'f mut Function,
    opened: Vec<(Value, Kind)>,
    /// Pairs of them whose lesser size is known, too.
    least: Vec<[usize; 2]>,
}

/// No index is tested against this size.
const ANY_SIZE: i64 = i64::MAX;

impl Opening<'_> {
    /// How many words are known of the containers: size and place of each, then lesser sizes.
    fn words(&self) -> usize {
        2 * self.opened.len() + self.least.len()
    }

    /// Opens the containers in front of the loop and hands what is known of them through its blocks.
    fn open(&mut self, header: Block, blocks: &[Block]) {
        let inside: FxHashSet<Block> = blocks.iter().copied().collect();
        let entries: Vec<Block> = self
            .func
            .layout
            .iter()
            .copied()
            .filter(|block| {
                !inside.contains(block) && self.func.successors(*block).any(|next| next == header)
            })
            .collect();
        let inside: FxHashSet<Block> =
            blocks.iter().flat_map(|&block| self.expand_polls(block)).chain(inside).collect();
        let cfg = Cfg::of(self.func);
        let mut at_end: FxHashMap<Block, Vec<Value>> = FxHashMap::default();
        let mut joins: FxHashSet<Block> = FxHashSet::default();
        let order: Vec<Block> =
            cfg.reverse_postorder().iter().copied().filter(|block| inside.contains(block)).collect();
        for &block in &order {
            let known = match cfg.predecessors(block) {
                [only] if block != header => at_end[only].clone(),
                _ => {
                    joins.insert(block);
                    (0..self.words()).map(|_| self.func.add_param(block, Type::I64)).collect()
                }
            };
            let known = self.use_known(block, known);
            at_end.insert(block, known);
        }
        for entry in entries {
            let like = self.func.terminator(entry);
            let mut reads = Vec::new();
            let known = self.read(like, &mut reads);
            let insts = &mut self.func.block_mut(entry).insts;
            let end = insts.len() - 1;
            insts.splice(end..end, reads);
            at_end.insert(entry, known);
        }
        for (&block, known) in &at_end {
            let terminator = self.func.terminator(block);
            for target in &mut self.func.inst_mut(terminator).targets {
                if joins.contains(&target.block) && (inside.contains(&block) || target.block == header) {
                    target.args.extend(known);
                }
            }
        }
    }

    /// Gives the block's ops what is known where it begins; what is known where it ends.
    fn use_known(&mut self, block: Block, mut known: Vec<Value>) -> Vec<Value> {
        let insts = std::mem::take(&mut self.func.block_mut(block).insts);
        let mut kept = Vec::with_capacity(insts.len());
        let pairs = pairs_of(self.func, &insts, &self.opened);
        let mut inside: FxHashSet<(usize, Value)> = FxHashSet::default();
        for inst in insts {
            if let Some((number, index)) = tested(self.func.inst(inst), &self.opened) {
                let size = match pairs
                    .get(&index)
                    .map(|pair| (pair, self.least.iter().position(|least| least == pair)))
                {
                    _ if inside.contains(&(number, index)) => self.any_size(inst, &mut kept),
                    Some((pair, Some(least))) if pair.contains(&number) => {
                        inside.extend(pair.map(|number| (number, index)));
                        known[2 * self.opened.len() + least]
                    }
                    _ => known[2 * number],
                };
                inside.insert((number, index));
                self.func.inst_mut(inst).args.extend([size, known[2 * number + 1]]);
            }
            kept.push(inst);
            let number = |container: Value| self.opened.iter().position(|&(opened, _)| opened == container);
            let numbers: Option<Vec<usize>> =
                containers(self.func.inst(inst)).into_iter().map(number).collect();
            for number in numbers.into_iter().flatten() {
                self.func.inst_mut(inst).args.extend(&known[2 * number..2 * number + 2]);
            }
            if self.func.inst(inst).op == Op::Poll {
                known = self.read(inst, &mut kept);
                inside.clear();
            }
        }
        self.func.block_mut(block).insts = kept;
        known
    }

    /// A size that no index is tested against.
    fn any_size(&mut self, like: Inst, into: &mut Vec<Inst>) -> Value {
        self.emit(like, (Op::IntConst, Imm::Int(ANY_SIZE)), Vec::new(), into)
    }

    /// An instruction with one result that stands for the same text as `like`.
    fn emit(&mut self, like: Inst, (op, imm): (Op, Imm), args: Vec<Value>, into: &mut Vec<Inst>) -> Value {
        let (range, site) = (self.func.inst(like).range, self.func.inst(like).site);
        let data =
            InstData { op, imm, args, results: Vec::new(), targets: Vec::new(), range, exit: None, site };
        let inst = self.func.add_inst(data, op.row().results);
        into.push(inst);
        self.func.inst(inst).results[0]
    }

    /// Reads what is to be known of the containers, in instructions that stand for the same text as this one.
    fn read(&mut self, like: Inst, into: &mut Vec<Inst>) -> Vec<Value> {
        let mut known = Vec::with_capacity(self.words());
        for (container, kind) in self.opened.clone() {
            let ops = match kind {
                Kind::List => [Op::ListLen, Op::ListItems],
                Kind::ByteArray => [Op::ByteArrayLen, Op::ByteArrayItems],
            };
            known.extend(ops.map(|op| self.emit(like, (op, Imm::None), vec![container], into)));
        }
        for [a, b] in self.least.clone() {
            let sizes = vec![known[2 * a], known[2 * b]];
            known.push(self.emit(like, (Op::IntMin, Imm::None), sizes, into));
        }
        known
    }

    /// Puts the block's polls on cold paths of their own; the new blocks.
    fn expand_polls(&mut self, block: Block) -> Vec<Block> {
        let mut added = Vec::new();
        if self.func.block(block).cold {
            return added;
        }
        let insts = std::mem::take(&mut self.func.block_mut(block).insts);
        let mut current = block;
        for inst in insts {
            if self.func.inst(inst).op == Op::Poll {
                let [taken, after] = super::guards::put_aside(self.func, current, inst);
                added.extend([taken, after]);
                current = after;
            } else {
                self.func.block_mut(current).insts.push(inst);
            }
        }
        added
    }
}
