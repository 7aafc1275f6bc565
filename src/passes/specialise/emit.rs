//! The emission: writes the specialised version from the inference's plan.
//!
//! A value whose block has one version keeps its representation wherever it is live, as the generic
//! definition dominates its uses. Other values, and iterators, which change, become block parameters;
//! those that get the same value from everywhere are left to [`crate::passes::simplify`].

mod convert;

use ruff_text_size::TextRange;
use rustc_hash::FxHashMap;

use crate::ir::cfg::Cfg;
use crate::ir::{
    Block, CellSpec, Const, Def, Effects, ExitFrame, ExitState, FuncId, Function, Imm, Inst, InstData, Op,
    Point, Shown, ShownVariable, Signature, Slot, Target, Type, Unit, Value,
};

use super::context::Context;
use super::infer::Plan;
use super::repr::{Kind, Repr, Step};
use super::walk::{Env, Flow, Left, Place, Sink, Walker};
use convert::{as_inferred, is_plain, make};

/// How many slots the exits of a function have at most: a budget for code with very many variables.
const MAX_SLOTS: usize = 300_000;

/// Writes the specialised version.
#[must_use]
pub(super) fn emit(cx: &Context<'_>, unit: &mut Unit, plan: &Plan) -> Function {
    let order = plan.order();
    let name = &cx.generic.name;
    let mut out = Function::new(cx.id, name, cx.result());
    out.begins_in_loop = cx.start.is_some();
    let mut blocks = FxHashMap::default();
    for &version in &order {
        let block = out.add_detached_block();
        out.block_mut(block).cold = cx.generic.block(plan.versions[version].block).cold;
        blocks.insert(version, block);
    }
    let writer = Writer { unit, out, block: blocks[&0], slots: 0 };
    let mut emission = Emission {
        cx,
        plan,
        blocks,
        walker: Walker::new(cx, writer),
        shared: Env::default(),
        single: single(cx, plan, &order),
    };
    emission.write_start();
    for &version in &order {
        emission.write(version);
    }
    let mut out = emission.walker.sink.out;
    // Blocks behind one that was cut short are never reached.
    let cfg = Cfg::of(&out);
    out.layout.retain(|&block| cfg.is_reachable(block));
    out
}

struct Emission<'a> {
    cx: &'a Context<'a>,
    plan: &'a Plan,
    blocks: FxHashMap<usize, Block>,
    walker: Walker<'a, Writer<'a>>,
    /// The representations of values whose blocks have one version.
    shared: Env<Value>,
    /// By value: whether its block has one version.
    single: Vec<bool>,
}

/// By value: whether the block that defines it has one version.
fn single(cx: &Context<'_>, plan: &Plan, order: &[usize]) -> Vec<bool> {
    let mut count = vec![0; cx.generic.blocks.len()];
    for &version in order {
        count[plan.versions[version].block.index()] += 1;
    }
    let mut single = vec![false; cx.generic.values.len()];
    for &block in &cx.order {
        if count[block.index()] == 1 {
            defined_in(cx.generic, block).for_each(|value| single[value.index()] = true);
        }
    }
    if cx.start.is_some() {
        // What is live at the beginning does not come from its definition.
        plan.entering[cx.start_block().index()].iter().for_each(|value| single[value.index()] = false);
    }
    single
}

fn defined_in(generic: &Function, block: Block) -> impl Iterator<Item = Value> + '_ {
    let data = generic.block(block);
    let results = data.insts.iter().flat_map(|&inst| generic.inst(inst).results.iter().copied());
    data.params.iter().copied().chain(results)
}

impl Emission<'_> {
    /// The entry of a loop version: takes its parameters and goes to the loop.
    fn write_start(&mut self) {
        let Some(start) = &self.cx.start else { return };
        let generic = self.cx.generic;
        let block = self.walker.sink.out.add_detached_block();
        self.begin(block);
        self.walker.stand_before(start.inst);
        self.walker.env.clear();
        let slots = self.cx.live.resume_slots(generic, Point::Before(start.inst));
        for (&value, &kind) in slots.iter().zip(&start.kinds) {
            let out = &mut self.walker.sink.out;
            let repr = make(&Kind::starting(kind), &mut |ty| out.add_param(block, ty));
            self.walker.env.insert(value, repr);
        }
        // One for the depth that inlined calls claim, one for the cells of the loop.
        self.walker.none(Op::Anchor, Imm::None, &[]);
        self.walker.none(Op::Anchor, Imm::None, &[]);
        let to = &self.plan.versions[0];
        let mut args = Vec::new();
        for (position, (value, kind)) in
            self.plan.entering[to.block.index()].iter().zip(&to.kinds).enumerate()
        {
            let is_param = position < generic.block(to.block).params.len();
            let repr = self.walker.env.get(value).cloned().unwrap_or(Repr::Never);
            debug_assert!(
                is_param || self.travels(*value, kind),
                "nothing is defined in front of a loop version"
            );
            if self.convert(&repr, kind, &mut args).is_err() {
                return self.walker.leave();
            }
        }
        let target = Target { block: self.blocks[&0], args };
        let range = generic.inst(start.inst).range;
        self.walker.sink.terminate(range, Op::Jump, &[], vec![target]);
    }

    fn write(&mut self, version: usize) {
        let block = self.blocks[&version];
        let generic = self.plan.versions[version].block;
        self.walker.begin_block();
        self.begin(block);
        self.enter(version);
        match self.walker.walk(generic) {
            Flow::End => {}
            Flow::Goto(successor) => self.jump(version, successor),
            Flow::Branch(condition) => self.branch(version, condition),
        }
        for value in defined_in(self.cx.generic, generic) {
            if self.single[value.index()]
                && let Some(repr) = self.walker.env.get(&value)
            {
                self.shared.insert(value, repr.clone());
            }
        }
    }

    fn begin(&mut self, block: Block) {
        let writer = &mut self.walker.sink;
        writer.out.layout.push(block);
        writer.block = block;
    }

    /// Fills the walker's environment with what enters the version's block.
    fn enter(&mut self, version: usize) {
        let data = &self.plan.versions[version];
        let first = self.cx.generic.block(data.block).insts[0];
        self.walker.stand_before(first);
        self.walker.env.clear();
        let entering = &self.plan.entering[data.block.index()];
        if version == 0 && self.cx.start.is_none() {
            let block = self.blocks[&0];
            for ((&value, ty), kind) in entering.iter().zip(&self.cx.signature.params).zip(&data.kinds) {
                let param = self.walker.sink.out.add_param(block, Signature::machine(ty));
                let repr = make(kind, &mut |_| param);
                self.walker.env.insert(value, repr);
            }
            return;
        }
        let params = self.cx.generic.block(data.block).params.len();
        for (position, (&value, kind)) in entering.iter().zip(&data.kinds).enumerate() {
            let repr = if position >= params && !self.travels(value, kind) {
                self.shared.get(&value).map_or(Repr::Never, |repr| as_inferred(repr, kind))
            } else {
                self.receive(self.blocks[&version], kind)
            };
            let unneeded = matches!(kind, Repr::Never);
            self.walker.env.insert(value, if unneeded { Repr::Never } else { repr });
        }
    }

    /// Whether a value that lives through the beginning of a block is passed as a parameter.
    fn travels(&self, value: Value, kind: &Kind) -> bool {
        !self.single[value.index()] || kind.is_counter() || self.cx.is_iterator(value)
    }

    /// A representation of this kind made of new parameters of the block, and of constants.
    fn receive(&mut self, block: Block, kind: &Kind) -> Repr<Value> {
        match kind {
            Repr::Int((), Some(value)) => self.walker.int(*value),
            Repr::Bool((), Some(value)) => self.walker.truth(*value),
            Repr::Tuple(items) => Repr::Tuple(items.iter().map(|item| self.receive(block, item)).collect()),
            Repr::Range { by, .. } => {
                let [start, stop, step] = self.receive_numbers(block, *by);
                Repr::Range { start, stop, step, by: *by }
            }
            Repr::RangeIter { by, .. } => {
                let [next, end, step] = self.receive_numbers(block, *by);
                Repr::RangeIter { next, end, step, by: *by }
            }
            _ => {
                let out = &mut self.walker.sink.out;
                make(kind, &mut |ty| out.add_param(block, ty))
            }
        }
    }

    /// Two parameters and a step, which is a third one where it is not known.
    fn receive_numbers(&mut self, block: Block, by: Step) -> [Value; 3] {
        let out = &mut self.walker.sink.out;
        let (first, second) = (out.add_param(block, Type::I64), out.add_param(block, Type::I64));
        let step = match by.value() {
            Some(step) => self.walker.int_constant(step),
            None => self.walker.sink.out.add_param(block, Type::I64),
        };
        [first, second, step]
    }

    fn jump(&mut self, version: usize, successor: usize) {
        match self.pass(version, successor) {
            Ok(target) => self.walker.sink.terminate(self.range(version), Op::Jump, &[], vec![target]),
            Err(Left) => self.walker.leave(),
        }
    }

    fn branch(&mut self, version: usize, condition: Value) {
        let block = self.walker.sink.block;
        let mut targets = Vec::with_capacity(2);
        let mut edges = Vec::new();
        for successor in 0..2 {
            if self.is_plain(version, successor)
                && let Ok(target) = self.pass(version, successor)
            {
                targets.push(target);
            } else {
                let edge = self.walker.sink.out.add_detached_block();
                targets.push(Target { block: edge, args: Vec::new() });
                edges.push((edge, successor));
            }
        }
        self.walker.sink.block = block;
        self.walker.sink.terminate(self.range(version), Op::Branch, &[condition], targets);
        for (edge, successor) in edges {
            self.walker.begin_block();
            self.begin(edge);
            self.jump(version, successor);
        }
    }

    /// The generic terminator of the version's block.
    fn origin(&self, version: usize) -> Inst {
        self.cx.generic.terminator(self.plan.versions[version].block)
    }

    fn range(&self, version: usize) -> TextRange {
        self.cx.generic.inst(self.origin(version)).range
    }

    /// Whether passing values over the edge takes nothing but constants.
    fn is_plain(&self, version: usize, successor: usize) -> bool {
        self.passed(version, successor).iter().all(|(repr, kind)| is_plain(repr, kind))
    }

    /// What is passed over the edge, and the kinds that the successor wants.
    fn passed(&self, version: usize, successor: usize) -> Vec<(Repr<Value>, Kind)> {
        let Some(to) = self.plan.versions[version].edges[successor] else { return Vec::new() };
        let to = &self.plan.versions[to];
        let target = &self.cx.generic.inst(self.origin(version)).targets[successor];
        let mut passed = Vec::new();
        for (position, (&value, kind)) in
            self.plan.entering[to.block.index()].iter().zip(&to.kinds).enumerate()
        {
            let source = match target.args.get(position) {
                Some(&arg) => arg,
                None if self.travels(value, kind) => value,
                None => continue,
            };
            let repr = self.walker.env.get(&source).cloned().unwrap_or(Repr::Never);
            passed.push((repr, kind.clone()));
        }
        passed
    }

    /// The jump's target with its arguments, converted to what it wants.
    fn pass(&mut self, version: usize, successor: usize) -> Result<Target, Left> {
        self.walker.stand_before(self.origin(version));
        let to = self.plan.versions[version].edges[successor].ok_or(Left)?;
        let mut args = Vec::new();
        for (repr, kind) in self.passed(version, successor) {
            self.convert(&repr, &kind, &mut args)?;
        }
        Ok(Target { block: self.blocks[&to], args })
    }
}

/// The sink of the emission.
struct Writer<'a> {
    unit: &'a mut Unit,
    out: Function,
    block: Block,
    /// How many slots the exits have together.
    slots: usize,
}

impl Writer<'_> {
    fn terminate(&mut self, range: TextRange, op: Op, args: &[Value], targets: Vec<Target>) {
        let data = InstData {
            op,
            imm: Imm::None,
            args: args.to_vec(),
            results: Vec::new(),
            targets,
            range,
            exit: None,
            site: None,
        };
        let inst = self.out.add_inst(data, &[]);
        self.out.block_mut(self.block).insts.push(inst);
    }

    fn exit_state(&mut self, place: &Place<'_, Value>) -> ExitState {
        let cx = place.cx;
        let needed = cx.needed_at(place.point);
        let live = cx.live.resume_slots(cx.generic, place.point);
        self.slots += live.len();
        let slots = live.iter().map(|value| {
            let repr = place.env.get(value).unwrap_or(&Repr::Never);
            let unread = repr.dies_silently() && needed.binary_search(value).is_err();
            match (cx.generic.ty(*value), repr) {
                (Type::Bool, Repr::Never) => Slot::Bool(false),
                (Type::Bool, _) if unread => Slot::Bool(false),
                _ if unread => Slot::None,
                (_, repr) => self.slot(repr),
            }
        });
        ExitState { frames: vec![ExitFrame { func: cx.id, point: place.point, slots: slots.collect() }] }
    }

    /// What an op shows when it raises: the variables that the generic instruction shows. None where that
    /// one does not raise: only its boxes can, for lack of memory.
    fn shown(&mut self, place: &Place<'_, Value>) -> Option<Shown> {
        let shown = place.cx.generic.shown_at(place.inst)?;
        let [variables] = &shown.frames[..] else { return None };
        let mut frame = Vec::with_capacity(variables.len());
        for variable in variables {
            let bound = variable.bound.and_then(|bound| place.env.get(&bound));
            let bound = match bound {
                Some(Repr::Bool(_, Some(false))) => continue,
                Some(Repr::Bool(value, None)) => Some(*value),
                _ => None,
            };
            let slot = match &variable.slot {
                Slot::Value(value) => match place.env.get(value) {
                    None | Some(Repr::Never) => continue,
                    Some(repr) => self.slot(repr),
                },
                slot => slot.clone(),
            };
            frame.push(ShownVariable { number: variable.number, slot, bound });
        }
        self.slots += frame.len();
        (!frame.is_empty()).then(|| Shown { frames: vec![frame] })
    }

    fn slot(&mut self, repr: &Repr<Value>) -> Slot {
        match repr {
            Repr::Never | Repr::None => Slot::None,
            Repr::Bool(_, Some(value)) => Slot::Bool(*value),
            Repr::Int(_, Some(value)) => Slot::Const(self.unit.constant(Const::Int(*value))),
            Repr::Bool(value, None) | Repr::Int(value, None) => Slot::Value(*value),
            Repr::Wide(low, high) => Slot::Wide { low: *low, high: *high },
            Repr::Float(value) => match self.float_value(*value) {
                Some(float) => Slot::Const(self.unit.constant(Const::Float(float.to_bits()))),
                None => Slot::Value(*value),
            },
            Repr::Char(value) => Slot::Char(*value),
            Repr::Tuple(items) => Slot::Tuple(items.iter().map(|item| self.slot(item)).collect()),
            Repr::Range { start, stop, step, .. } => Slot::Range { start: *start, stop: *stop, step: *step },
            Repr::RangeIter { next, end, step, by: Step::Any } => {
                Slot::RangeIter { next: *next, count: *end, step: *step }
            }
            Repr::RangeIter { next, end, step, .. } => {
                Slot::UnitRangeIter { next: *next, stop: *end, step: *step }
            }
            Repr::Known(known) => {
                let spec = CellSpec { path: known.path.clone(), expected: known.fact.clone() };
                Slot::Cell(self.unit.cell(spec))
            }
            Repr::ListIter { list, next, .. } | Repr::StrIter { text: list, next } => {
                Slot::ListIter { list: *list, next: *next }
            }
            Repr::ReverseIter { list, next, .. } => Slot::ReverseIter { list: *list, next: *next },
            Repr::Enumerate { count, of } => Slot::Enumerate { count: *count, of: Box::new(self.slot(of)) },
            Repr::Zip(parts) => Slot::Zip(parts.iter().map(|part| self.slot(part)).collect()),
            Repr::Slice(_) => Slot::None,
            Repr::Likely(value, _)
            | Repr::Exact(value, _)
            | Repr::Object(value)
            | Repr::Class(value, _)
            | Repr::Instance(value, _)
            | Repr::Method(value, ..) => match self.out.def_inst(*value) {
                Some(InstData { op: Op::ObjConst, imm: Imm::Const(id), .. }) => Slot::Const(*id),
                _ => Slot::Value(*value),
            },
        }
    }
}

impl Sink for Writer<'_> {
    type V = Value;

    fn unit(&self) -> &Unit {
        self.unit
    }

    fn emit(
        &mut self,
        place: &Place<'_, Value>,
        op: Op,
        imm: Imm,
        args: &[Value],
        results: &[Type],
    ) -> Vec<Value> {
        let exit = op.exits().then(|| {
            let state = self.exit_state(place);
            self.out.add_exit(state)
        });
        let range = place.cx.generic.inst(place.inst).range;
        let data = InstData {
            op,
            imm,
            args: args.to_vec(),
            results: Vec::new(),
            targets: Vec::new(),
            range,
            exit,
            site: None,
        };
        let inst = self.out.add_inst(data, results);
        if op.effects().has(Effects::RAISES)
            && let Some(shown) = self.shown(place)
        {
            let show = self.out.add_show(shown);
            self.out.shown.insert(inst, show);
        }
        self.out.block_mut(self.block).insts.push(inst);
        self.out.inst(inst).results.clone()
    }

    fn is_full(&self) -> bool {
        self.slots > MAX_SLOTS
    }

    fn constant(&mut self, constant: Const) -> Imm {
        Imm::Const(self.unit.constant(constant))
    }

    fn cell(&mut self, spec: CellSpec) -> Imm {
        Imm::Cell(self.unit.cell(spec))
    }

    fn guess(&mut self, callees: &[FuncId]) -> Imm {
        Imm::Guess(self.unit.guess(callees))
    }

    fn float_value(&self, value: Value) -> Option<f64> {
        match (self.out.def(value), self.out.def_inst(value)) {
            (Def::Result(..), Some(InstData { op: Op::FloatConst, imm: Imm::Float(bits), .. })) => {
                Some(f64::from_bits(*bits))
            }
            _ => None,
        }
    }
}
