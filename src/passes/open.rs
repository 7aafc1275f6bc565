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
//! Only polls may run foreign code in such a loop, and nothing in it makes a container longer or shorter. What is read
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
    for header in headers {
        let cfg = Cfg::of(func);
        let dominators = Dominators::of(&cfg);
        let loops = Loops::of(&cfg, &dominators);
        let Some(number) = loops.all().iter().position(|found| found.header == header) else { continue };
        let opened = wanted(func, &cfg, &dominators, &loops, number);
        if !opened.is_empty() {
            let blocks = loops.all()[number].blocks.clone();
            Opening { func, opened }.open(header, &blocks);
        }
    }
    super::simplify::params::remove_needless_params(func);
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
        Op::ListItem | Op::ListItemInt | Op::ListItemBool => 2,
        Op::ListItemFloat | Op::ListItemFloatAny | Op::ByteArrayItem => 2,
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
    effects.has(Effects::FOREIGN) || op.calls_body() || effects.has(Effects::RAISES) && !is_plain
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
) -> Vec<(Value, Kind)> {
    let found = &loops.all()[number];
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
}

impl Opening<'_> {
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
                    (0..2 * self.opened.len()).map(|_| self.func.add_param(block, Type::I64)).collect()
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
        for inst in insts {
            kept.push(inst);
            let number = |container: Value| self.opened.iter().position(|&(opened, _)| opened == container);
            let numbers: Option<Vec<usize>> =
                containers(self.func.inst(inst)).into_iter().map(number).collect();
            for number in numbers.into_iter().flatten() {
                self.func.inst_mut(inst).args.extend(&known[2 * number..2 * number + 2]);
            }
            if self.func.inst(inst).op == Op::Poll {
                known = self.read(inst, &mut kept);
            }
        }
        self.func.block_mut(block).insts = kept;
        known
    }

    /// Reads what is to be known of the containers, in instructions that stand for the same text as this one.
    fn read(&mut self, like: Inst, into: &mut Vec<Inst>) -> Vec<Value> {
        let mut known = Vec::with_capacity(2 * self.opened.len());
        let (range, site) = (self.func.inst(like).range, self.func.inst(like).site);
        for &(container, kind) in &self.opened {
            let ops = match kind {
                Kind::List => [Op::ListLen, Op::ListItems],
                Kind::ByteArray => [Op::ByteArrayLen, Op::ByteArrayItems],
            };
            for op in ops {
                let data = InstData {
                    op,
                    imm: Imm::None,
                    args: vec![container],
                    results: Vec::new(),
                    targets: Vec::new(),
                    range,
                    exit: None,
                    site,
                };
                let inst = self.func.add_inst(data, op.row().results);
                known.push(self.func.inst(inst).results[0]);
                into.push(inst);
            }
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
