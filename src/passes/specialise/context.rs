//! What the specialiser knows of the generic version before it begins.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::analysis::liveness::Liveness;
use crate::analysis::loops::Loops;
use crate::ir::cfg::Cfg;
use crate::ir::dominators::Dominators;
use crate::ir::{
    Block, FuncId, Function, GlobalFact, Inst, LoopStart, Op, Point, Signature, StartKind, Type, Value,
};

/// How many values live through the beginnings of all blocks together in a function that is followed.
const MAX_WIDTH: usize = 500_000;

/// Facts about globals, by their dotted names, and about attributes, by their names with a dot in front.
pub type Facts = FxHashMap<String, GlobalFact>;

/// How a generic value is used.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Uses {
    /// Only called, asked for an attribute or released: it may do without a machine value.
    pub(super) only_known: bool,
    /// Only iterated over, passed to a call or released.
    pub(super) only_range: bool,
    /// Only asked for the next item or released.
    pub(super) only_iterator: bool,
}

/// The generic version and the analyses of it.
pub(super) struct Context<'a> {
    /// Which function it is.
    pub(super) id: FuncId,
    /// What its annotations promise.
    pub(super) signature: Signature,
    /// Its generic version.
    pub(super) generic: &'a Function,
    /// Facts about globals.
    pub(super) facts: &'a Facts,
    /// The slots of resume points.
    pub(super) live: Liveness,
    /// The loops.
    pub(super) loops: Loops,
    /// Reachable blocks, in reverse postorder.
    pub(super) order: Vec<Block>,
    /// The loop at which the specialised version begins, unless that is the function's beginning.
    pub(super) start: Option<LoopStart>,
    /// Instructions whose int results did not fit 64 bits.
    wide: FxHashSet<Inst>,
    uses: Vec<Uses>,
    /// By value: the instructions that read it.
    users: Vec<Vec<Inst>>,
    /// By block: whether specialised code leaves where it begins.
    leaves: Vec<bool>,
    /// By instruction: the first at or after it that is no release.
    reader: Vec<Inst>,
    stripped: Function,
    needed: Liveness,
}

impl<'a> Context<'a> {
    /// Analyses the generic version.
    #[must_use]
    pub(super) fn of(
        id: FuncId,
        signature: Signature,
        generic: &'a Function,
        facts: &'a Facts,
        (start, wide): (Option<LoopStart>, FxHashSet<Inst>),
    ) -> Context<'a> {
        let cfg = Cfg::of(generic);
        let dominators = Dominators::of(&cfg);
        let stripped = without_releases(generic);
        let live = Liveness::of(generic);
        let mut cx = Context {
            id,
            signature,
            generic,
            facts,
            loops: Loops::of(&cfg, &dominators),
            order: cfg.reverse_postorder().to_vec(),
            uses: uses_of(generic),
            users: users_of(generic),
            start: None,
            wide,
            leaves: leaving_blocks(generic, cfg.reverse_postorder(), &live),
            live,
            reader: readers(generic),
            needed: Liveness::of(&stripped),
            stripped,
        };
        cx.start = start.map(|start| cx.with_usable_kinds(start));
        cx
    }

    /// The start with kinds that the specialised version can begin with: an iterator that has another use
    /// than being asked for the next item keeps its object, what nothing reads needs no word.
    fn with_usable_kinds(&self, mut start: LoopStart) -> LoopStart {
        let point = Point::Before(start.inst);
        let needed = self.needed_at(point);
        for (kind, value) in start.kinds.iter_mut().zip(self.live.resume_slots(self.generic, point)) {
            let is_silent = match kind {
                StartKind::Truth | StartKind::Object => false,
                StartKind::Exact(class) => class.ty().dies_silently(),
                _ => true,
            };
            if is_silent && needed.binary_search(&value).is_err() {
                *kind = StartKind::Unread;
            } else if matches!(kind, StartKind::RangeIter(_)) && !self.uses(value).only_iterator {
                *kind = StartKind::Object;
            }
        }
        start
    }

    /// Whether the instruction's int result is computed wide.
    #[must_use]
    pub(super) fn is_wide(&self, inst: Inst) -> bool {
        self.wide.contains(&inst)
    }

    /// The machine type of what the specialised version returns.
    #[must_use]
    pub(super) fn result(&self) -> Type {
        if self.start.is_some() { Type::Obj } else { Signature::machine(&self.signature.result) }
    }

    /// The block that the start names.
    #[must_use]
    pub(super) fn start_block(&self) -> Block {
        let Some(start) = &self.start else { return self.generic.entry() };
        let names = |block: &Block| self.generic.block(*block).insts.first() == Some(&start.inst);
        self.order.iter().copied().find(names).expect("a loop version begins at a block of the layout")
    }

    /// Whether a loop of the generic version is entered at the block.
    #[must_use]
    pub(super) fn is_loop_header(&self, block: Block) -> bool {
        self.loops.innermost(block).is_some_and(|number| self.loops.all()[number].header == block)
    }

    /// How a generic value is used.
    #[must_use]
    pub(super) fn uses(&self, value: Value) -> Uses {
        self.uses[value.index()]
    }

    /// The instruction that reads the value, releases apart, where there is one.
    #[must_use]
    pub(super) fn only_reader(&self, value: Value) -> Option<Inst> {
        let mut readers = self.readers(value);
        readers.next().filter(|_| readers.next().is_none())
    }

    /// The instructions that read the value, releases apart.
    pub(super) fn readers(&self, value: Value) -> impl Iterator<Item = Inst> + '_ {
        let users = self.users[value.index()].iter().copied();
        users.filter(|&inst| self.generic.inst(inst).op != Op::Release)
    }

    /// Whether the value is an iterator that is only asked for its next item.
    #[must_use]
    pub(super) fn is_iterator(&self, value: Value) -> bool {
        self.uses(value).only_iterator
            && self.generic.def_inst(value).is_some_and(|def| def.op == Op::ObjIter)
    }

    /// Whether the block is the generic version's business: it does nothing but prepare an exception, or
    /// the function is too wide.
    #[must_use]
    pub(super) fn leaves_at(&self, block: Block) -> bool {
        self.leaves[block.index()]
    }

    /// The values that something other than a release reads at or after the block's beginning, its own
    /// parameters left out; ascending.
    #[must_use]
    pub(super) fn needed_in(&self, block: Block) -> &[Value] {
        self.needed.live_in(block)
    }

    /// Whether something other than a release reads the block's parameter.
    #[must_use]
    pub(super) fn is_needed_param(&self, block: Block, param: Value) -> bool {
        self.stripped.block(block).params.contains(&param)
    }

    /// The values that something other than a release reads after the point, and those that the call in front of
    /// it shows; ascending.
    #[must_use]
    pub(super) fn needed_at(&self, point: Point) -> Vec<Value> {
        let point = match point {
            Point::Before(inst) => Point::Before(self.reader[inst.index()]),
            point => point,
        };
        let mut needed = self.needed.resume_slots(&self.stripped, point);
        if let Point::After(inst) = point
            && let Some(shown) = self.generic.shown_at(inst)
        {
            // Should the call have raised.
            shown.visit_values(&mut |value| {
                if let Err(position) = needed.binary_search(&value) {
                    needed.insert(position, value);
                }
            });
        }
        needed
    }
}

fn users_of(generic: &Function) -> Vec<Vec<Inst>> {
    let mut users = vec![Vec::new(); generic.values.len()];
    for &inst in generic.layout.iter().flat_map(|&block| &generic.block(block).insts) {
        let data = generic.inst(inst);
        for arg in data.args.iter().chain(data.targets.iter().flat_map(|target| &target.args)) {
            users[arg.index()].push(inst);
        }
    }
    users
}

fn uses_of(generic: &Function) -> Vec<Uses> {
    let fresh = Uses { only_known: true, only_range: true, only_iterator: true };
    let mut uses = vec![fresh; generic.values.len()];
    for &block in &generic.layout {
        for &inst in &generic.block(block).insts {
            let data = generic.inst(inst);
            for (position, arg) in data.args.iter().enumerate() {
                let uses = &mut uses[arg.index()];
                let (known, range, iterator) = match (data.op, position) {
                    (Op::Release, _) => (true, true, true),
                    (Op::ObjCall | Op::ObjCallMethod, 0) | (Op::ObjAttr | Op::ObjMethod, _) => {
                        (true, false, false)
                    }
                    (Op::ObjCall | Op::ObjCallMethod, _) | (Op::ObjIter, _) => (false, true, false),
                    (Op::ObjNext, _) => (false, false, true),
                    _ => (false, false, false),
                };
                uses.only_known &= known;
                uses.only_range &= range;
                uses.only_iterator &= iterator;
            }
            for arg in data.targets.iter().flat_map(|target| &target.args) {
                uses[arg.index()] = Uses::default();
            }
        }
    }
    uses
}

/// By block: whether every path from it ends in an exception, and it does something before that. Where
/// more values live through blocks than is worth following, the entry.
fn leaving_blocks(generic: &Function, order: &[Block], live: &Liveness) -> Vec<bool> {
    let mut leaves = vec![false; generic.blocks.len()];
    for &block in order.iter().rev() {
        let terminator = generic.inst(generic.terminator(block));
        leaves[block.index()] = match terminator.op {
            Op::Raise | Op::RaiseUnbound => true,
            _ => {
                !terminator.targets.is_empty()
                    && terminator.targets.iter().all(|target| leaves[target.block.index()])
            }
        };
    }
    for &block in order {
        // To raise by itself takes no more than to leave.
        leaves[block.index()] &= generic.block(block).insts.len() > 1;
    }
    let width: usize = order.iter().map(|&block| live.live_in(block).len()).sum();
    leaves[generic.entry().index()] |= width > MAX_WIDTH;
    leaves
}

fn readers(generic: &Function) -> Vec<Inst> {
    let mut readers: Vec<Inst> = (0..generic.insts.len()).map(Inst::new).collect();
    for &block in &generic.layout {
        let mut reader = generic.terminator(block);
        for &inst in generic.block(block).insts.iter().rev() {
            if generic.inst(inst).op != Op::Release {
                reader = inst;
            }
            readers[inst.index()] = reader;
        }
    }
    readers
}

/// The generic version without releases, and without the block parameters that are then never read.
fn without_releases(generic: &Function) -> Function {
    let wanted = wanted_values(generic);
    let mut stripped = generic.clone();
    for &block in &generic.layout {
        let data = stripped.block_mut(block);
        data.insts.retain(|&inst| generic.inst(inst).op != Op::Release);
        if block != generic.entry() {
            data.params.retain(|param| wanted[param.index()]);
        }
        for target in &mut stripped.inst_mut(generic.terminator(block)).targets {
            let params = &generic.block(target.block).params;
            let mut position = 0;
            target.args.retain(|_| {
                position += 1;
                wanted[params[position - 1].index()]
            });
        }
    }
    stripped
}

/// Which values an instruction that is no release reads, directly or through block parameters.
fn wanted_values(generic: &Function) -> Vec<bool> {
    let mut wanted = vec![false; generic.values.len()];
    let mut work = Vec::new();
    let mut feeds: FxHashMap<Value, Vec<Value>> = FxHashMap::default();
    for &block in &generic.layout {
        for &inst in &generic.block(block).insts {
            let data = generic.inst(inst);
            if data.op != Op::Release {
                work.extend_from_slice(&data.args);
            }
            if let Some(shown) = generic.shown_at(inst) {
                shown.visit_values(&mut |value| work.push(value));
            }
            for target in &data.targets {
                for (&param, &arg) in generic.block(target.block).params.iter().zip(&target.args) {
                    feeds.entry(param).or_default().push(arg);
                }
            }
        }
    }
    while let Some(value) = work.pop() {
        if !std::mem::replace(&mut wanted[value.index()], true) {
            work.extend(feeds.remove(&value).unwrap_or_default());
        }
    }
    wanted
}
