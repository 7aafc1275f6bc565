//! The inference: which versions of the generic blocks there are, and the kind of each value in them.
//!
//! A forward analysis to a fixpoint. A block gets a second version where values arrive whose kinds have
//! no unboxed form in common (`total = 0` before a loop that adds floats to it): so the first turn of a
//! loop is peeled off by itself when types only settle in it. Within a loop a version belongs to one
//! version of the loop's header, and a back edge never goes to an older version of the header: so the
//! control flow stays reducible.

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use crate::ir::{Block, CellSpec, Const, FuncId, Imm, LoopStart, Op, Point, Type, Unit, Value};

use super::context::Context;
use super::repr::{Kind, Repr};
use super::walk::{Env, Flow, Place, Sink, Walker};

/// Functions with more instructions get one version of each block.
const SPLIT_INSTS: usize = 5_000;

/// How many times versions are split in a function.
const MAX_SPLITS: usize = 12;

/// How many versions a block has in one version of the loop around it.
const MAX_VERSIONS: usize = 3;

/// A version of a generic block.
#[derive(Clone, Debug)]
pub(super) struct Version {
    /// The generic block.
    pub(super) block: Block,
    /// The kinds of [`Plan::entering`], in its order.
    pub(super) kinds: Vec<Kind>,
    /// The versions that its terminator goes to, by the number of the successor.
    pub(super) edges: [Option<usize>; 2],
    /// The header's version of the innermost loop that the block lies in; itself for a header.
    home: Option<usize>,
    /// For a header: the header's version of the loop around its loop.
    outer: Option<usize>,
}

/// The outcome of the inference.
pub(super) struct Plan {
    /// All versions; those that are never reached too.
    pub(super) versions: Vec<Version>,
    /// By block: the values that have a representation where it begins, its parameters first.
    pub(super) entering: Vec<Vec<Value>>,
}

/// Infers the versions of all blocks.
#[must_use]
pub(super) fn infer(cx: &Context<'_>, unit: &Unit) -> Plan {
    let entering = entering_values(cx);
    let mut inference = Inference {
        cx,
        plan: Plan { versions: Vec::new(), entering },
        by_place: FxHashMap::default(),
        work: BTreeSet::new(),
        position: positions(cx),
        splits: 0,
    };
    inference.start();
    let mut walker = Walker::new(cx, Dry { unit });
    while let Some((_, version)) = inference.work.pop_first() {
        inference.evaluate(&mut walker, version);
    }
    inference.plan
}

impl Plan {
    /// The versions that are reached from the entry (number 0), in reverse postorder; the successor of
    /// number 0 comes first, which keeps the body of a loop in front of what follows it.
    #[must_use]
    pub(super) fn order(&self) -> Vec<usize> {
        let mut seen = vec![false; self.versions.len()];
        let mut order = Vec::new();
        let mut stack = vec![(0, 0)];
        seen[0] = true;
        while let Some((version, next)) = stack.pop() {
            if next == 2 {
                order.push(version);
                continue;
            }
            stack.push((version, next + 1));
            if let Some(target) = self.versions[version].edges[1 - next]
                && !std::mem::replace(&mut seen[target], true)
            {
                stack.push((target, 0));
            }
        }
        order.reverse();
        order
    }
}

struct Inference<'a> {
    cx: &'a Context<'a>,
    plan: Plan,
    /// The versions of a block within one version of the loop around it, oldest first.
    by_place: FxHashMap<(Block, Option<usize>), Vec<usize>>,
    /// Versions to evaluate, in the order of their blocks.
    work: BTreeSet<(usize, usize)>,
    /// By block: its position in reverse postorder.
    position: Vec<usize>,
    splits: usize,
}

impl Inference<'_> {
    fn start(&mut self) {
        let block = self.cx.start_block();
        let kinds = match &self.cx.start {
            None => self.cx.signature.params.iter().map(Kind::promised).collect(),
            Some(start) => self.starting_kinds(start, block),
        };
        self.add_version(block, None, kinds);
    }

    /// The kinds of what enters the loop at which the version begins.
    fn starting_kinds(&self, start: &LoopStart, block: Block) -> Vec<Kind> {
        let slots = self.cx.live.resume_slots(self.cx.generic, Point::Before(start.inst));
        let needed = self.cx.needed_in(block);
        let entering = self.plan.entering[block.index()].iter();
        let kinds = entering.map(|value| {
            let Ok(position) = slots.binary_search(value) else { return Repr::Never };
            let kind = Kind::starting(start.kinds[position]);
            let is_needed = self.cx.is_needed_param(block, *value) || needed.binary_search(value).is_ok();
            if is_needed || !kind.dies_silently() { kind } else { Repr::Never }
        });
        kinds.collect()
    }

    fn evaluate(&mut self, walker: &mut Walker<'_, Dry<'_>>, version: usize) {
        let data = &self.plan.versions[version];
        let block = data.block;
        walker.env.clear();
        walker.env.extend(self.plan.entering[block.index()].iter().copied().zip(data.kinds.iter().cloned()));
        let reached = match walker.walk(block) {
            Flow::Goto(successor) => vec![successor],
            Flow::Branch(()) => vec![0, 1],
            Flow::End => Vec::new(),
        };
        let mut edges = [None; 2];
        for successor in reached {
            let kinds = self.kinds_over_edge(&walker.env, block, successor);
            let target = self.cx.generic.inst(self.cx.generic.terminator(block)).targets[successor].block;
            edges[successor] = Some(self.flow_into(version, target, kinds));
        }
        self.plan.versions[version].edges = edges;
    }

    /// The kinds of what enters the successor.
    fn kinds_over_edge(&self, env: &Env<()>, block: Block, successor: usize) -> Vec<Kind> {
        let target = &self.cx.generic.inst(self.cx.generic.terminator(block)).targets[successor];
        let needed = self.cx.needed_in(target.block);
        let entering = &self.plan.entering[target.block.index()];
        let kinds = entering.iter().enumerate().map(|(position, &value)| {
            let (source, is_needed) = match target.args.get(position) {
                Some(&arg) => (arg, self.cx.is_needed_param(target.block, value)),
                None => (value, needed.binary_search(&value).is_ok()),
            };
            let kind = env.get(&source).cloned().unwrap_or(Repr::Never);
            if is_needed || !kind.dies_silently() { kind } else { Repr::Never }
        });
        kinds.collect()
    }

    /// The version of the block that these kinds flow into.
    fn flow_into(&mut self, from: usize, block: Block, kinds: Vec<Kind>) -> usize {
        let number = self.cx.loops.innermost(block);
        let header = number.filter(|&number| self.cx.loops.all()[number].header == block);
        let around = match header {
            Some(number) => self.cx.loops.all()[number].parent,
            None => number,
        };
        let place = (block, self.enclosing(from, around));
        let oldest = header.and_then(|_| self.enclosing(from, number)).unwrap_or(0);
        let candidates: Vec<usize> = match self.by_place.get(&place) {
            Some(versions) => versions.iter().copied().filter(|&version| version >= oldest).collect(),
            None => Vec::new(),
        };
        let compatible = candidates.iter().copied().find(|&version| {
            self.plan.versions[version].kinds.iter().zip(&kinds).all(|(a, b)| a.is_compatible(b))
        });
        let room = candidates.len() < MAX_VERSIONS && self.may_split();
        match (compatible, candidates.last()) {
            (Some(version), _) => self.join_into(version, &kinds),
            (None, Some(&version)) if !room => self.join_into(version, &kinds),
            (None, last) => {
                self.splits += usize::from(last.is_some());
                self.add_version(block, place.1, kinds)
            }
        }
    }

    fn may_split(&self) -> bool {
        self.splits < MAX_SPLITS && self.cx.generic.insts.len() <= SPLIT_INSTS
    }

    fn join_into(&mut self, version: usize, kinds: &[Kind]) -> usize {
        let data = &mut self.plan.versions[version];
        let mut changed = false;
        for (old, new) in data.kinds.iter_mut().zip(kinds) {
            let joined = old.join(new);
            if joined != *old {
                *old = joined;
                changed = true;
            }
        }
        if changed {
            self.work.insert((self.position[data.block.index()], version));
        }
        version
    }

    fn add_version(&mut self, block: Block, around: Option<usize>, kinds: Vec<Kind>) -> usize {
        let version = self.plan.versions.len();
        let number = self.cx.loops.innermost(block);
        let is_header = number.is_some_and(|number| self.cx.loops.all()[number].header == block);
        let home = if is_header { Some(version) } else { around };
        self.plan.versions.push(Version {
            block,
            kinds,
            edges: [None; 2],
            home,
            outer: around.filter(|_| is_header),
        });
        self.by_place.entry((block, around)).or_default().push(version);
        self.work.insert((self.position[block.index()], version));
        version
    }

    /// The version of the loop's header in which this version lies.
    fn enclosing(&self, from: usize, wanted: Option<usize>) -> Option<usize> {
        let wanted = wanted?;
        let mut home = self.plan.versions[from].home;
        while let Some(version) = home {
            let data = &self.plan.versions[version];
            if self.cx.loops.innermost(data.block) == Some(wanted) {
                return home;
            }
            home = data.outer;
        }
        None
    }
}

/// By block: its parameters, then the values that live through its beginning.
fn entering_values(cx: &Context<'_>) -> Vec<Vec<Value>> {
    let mut entering = vec![Vec::new(); cx.generic.blocks.len()];
    for &block in &cx.order {
        let values = &mut entering[block.index()];
        values.extend_from_slice(&cx.generic.block(block).params);
        values.extend_from_slice(cx.live.live_in(block));
    }
    entering
}

fn positions(cx: &Context<'_>) -> Vec<usize> {
    let mut positions = vec![0; cx.generic.blocks.len()];
    for (position, &block) in cx.order.iter().enumerate() {
        positions[block.index()] = position;
    }
    positions
}

/// The sink of the inference: nothing is written.
struct Dry<'a> {
    unit: &'a Unit,
}

impl Sink for Dry<'_> {
    type V = ();

    fn unit(&self) -> &Unit {
        self.unit
    }

    fn emit(&mut self, _: &Place<'_, ()>, _: Op, _: Imm, _: &[()], results: &[Type]) -> Vec<()> {
        vec![(); results.len()]
    }

    fn is_full(&self) -> bool {
        false
    }

    fn constant(&mut self, _: Const) -> Imm {
        Imm::None
    }

    fn cell(&mut self, _: CellSpec) -> Imm {
        Imm::None
    }

    fn guess(&mut self, _: &[FuncId]) -> Imm {
        Imm::None
    }

    fn float_value(&self, (): ()) -> Option<f64> {
        None
    }
}
