//! The data structure of CIR: a function as blocks of instructions in SSA form.
//!
//! Blocks have parameters instead of phis. Every value is defined once, by a block parameter or as a
//! result of an instruction. Entities are never renumbered, so an [`Inst`] of a generic version names a
//! resume point for as long as the function lives. The order of `layout` is the order of emission; its
//! first block is the entry and its parameters are the function's.

use ruff_text_size::TextRange;
use rustc_hash::FxHashMap;

use super::entity::{Block, Exit, FuncId, Inst, Show, Site, Value};
use super::imm::{Imm, rest_counts};
use super::ops::{Op, Type};
use super::shown::Shown;

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Def {
    /// The block's parameter of this number.
    Param(Block, usize),
    /// The instruction's result of this number.
    Result(Inst, usize),
}

/// A value's type and definition.
#[derive(Clone, Copy, Debug)]
pub struct ValueData {
    /// Its machine-level type.
    pub ty: Type,
    /// Its definition.
    pub def: Def,
}

/// A jump's destination and what it passes to the destination's parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The destination.
    pub block: Block,
    /// One value for each of its parameters.
    pub args: Vec<Value>,
}

/// One instruction.
#[derive(Clone, Debug)]
pub struct InstData {
    /// What it does.
    pub op: Op,
    /// Its immediate.
    pub imm: Imm,
    /// Its operands.
    pub args: Vec<Value>,
    /// Its results.
    pub results: Vec<Value>,
    /// Where it may go; empty but for jumps and branches.
    pub targets: Vec<Target>,
    /// The source text it stands for.
    pub range: TextRange,
    /// Where it goes when it exits; present exactly when the op exits.
    pub exit: Option<Exit>,
    /// The inlined calls it came through; none for the function's own instructions.
    pub site: Option<Site>,
}

impl InstData {
    /// How many results the op has by itself.
    #[must_use]
    pub fn own_results(&self) -> usize {
        match (self.op, self.imm) {
            (Op::GuardTuple | Op::ObjUnpack, Imm::Count(count)) => count as usize,
            (Op::ObjUnpackRest, Imm::Count(counts)) => {
                let (before, after) = rest_counts(counts);
                before + 1 + after
            }
            (Op::CallDirect | Op::CallQuiet | Op::CallOneOf | Op::CallGuessedNumber, _) => 1,
            _ => self.op.row().results.len(),
        }
    }

    /// Whether the code goes on where the op fails: one more result, the last one, says whether it did not.
    /// The exception is set then, and the other results are None and false.
    #[must_use]
    pub fn catches(&self) -> bool {
        self.results.len() > self.own_results()
    }
}

/// A basic block.
#[derive(Clone, Debug, Default)]
pub struct BlockData {
    /// Its parameters.
    pub params: Vec<Value>,
    /// Its instructions, the last of them a terminator.
    pub insts: Vec<Inst>,
    /// Whether it is off the expected path.
    pub cold: bool,
}

/// A position in a function's *generic* version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Point {
    /// The function's beginning; the slots are the parameters.
    Entry,
    /// Just before this instruction, which is executed again, from boxed operands.
    Before(Inst),
    /// Just after this instruction (a call), whose object result is passed besides the slots.
    After(Inst),
}

/// How to make one live value of the generic version out of values of the specialised one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Slot {
    /// This value, boxed if the generic version wants an object.
    Value(Value),
    /// `None`: what stands for an unbound variable or a value that nothing reads again.
    None,
    /// A truth value known beforehand.
    Bool(bool),
    /// A constant of the unit.
    Const(super::entity::ConstId),
    /// The object that the cell's path named when the unit was compiled: a builtin, module or function.
    Cell(super::entity::CellId),
    /// A tuple of these.
    Tuple(Vec<Slot>),
    /// An object of a sealed class that was never made. Slots of one exit with the same class value are one object.
    Instance {
        /// What `sealed.borrowed_class` gave for this object.
        class: Value,
        /// The value that keeps the class alive, if anything could end its life.
        keeper: Option<Value>,
        /// What stands in its fields, in their order.
        fields: Vec<Slot>,
    },
    /// A wide int.
    Wide {
        /// Its low word.
        low: Value,
        /// Its high word.
        high: Value,
    },
    /// `range(start, stop, step)`.
    Range {
        /// Where it begins.
        start: Value,
        /// Where it ends, exclusively.
        stop: Value,
        /// The difference of neighbours.
        step: Value,
    },
    /// The iterator of a range that has `count` items left, beginning with `next`.
    RangeIter {
        /// The next item.
        next: Value,
        /// How many items are left.
        count: Value,
        /// The difference of neighbours.
        step: Value,
    },
    /// A str of one character with this code point.
    Char(Value),
    /// The iterator of a list or a str that gives the item at this index next.
    ListIter {
        /// The list or str.
        list: Value,
        /// The index.
        next: Value,
    },
    /// `reversed` of a list that gives the item at this index next; -1 where it is at its end.
    ReverseIter {
        /// The list.
        list: Value,
        /// The index.
        next: Value,
    },
    /// `enumerate` of an iterator.
    Enumerate {
        /// The number that it gives next.
        count: Value,
        /// The iterator.
        of: Box<Slot>,
    },
    /// `zip` of iterators.
    Zip(Vec<Slot>),
    /// The iterator of a range that goes from `next` to `stop` in steps of one, up or down.
    UnitRangeIter {
        /// The next item.
        next: Value,
        /// Where it ends, exclusively.
        stop: Value,
        /// 1 or -1.
        step: Value,
    },
}

/// One frame of an exit state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExitFrame {
    /// The function whose generic version goes on.
    pub func: FuncId,
    /// Where it goes on.
    pub point: Point,
    /// One slot for each value live there, in the order of the values ([`crate::analysis::liveness`]).
    pub slots: Vec<Slot>,
}

/// Where an exiting instruction goes: a list of frames, innermost first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExitState {
    /// The frames; more than one for an instruction of an inlined function.
    pub frames: Vec<ExitFrame>,
}

/// An inlined call: an instruction with this site belongs to `func`, called at `call` by the function
/// of the parent site, or by the function itself where there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteData {
    /// The inlined function.
    pub func: FuncId,
    /// The text of the call in the caller.
    pub call: TextRange,
    /// The caller, where it is itself inlined.
    pub parent: Option<Site>,
}

/// A function in SSA form.
#[derive(Clone, Debug)]
pub struct Function {
    /// Which function of the unit this is a version of.
    pub id: FuncId,
    /// Its name in dumps.
    pub name: String,
    /// The type of what it returns.
    pub result: Type,
    /// Blocks in order of emission, the entry first.
    pub layout: Vec<Block>,
    /// All blocks ever made.
    pub blocks: Vec<BlockData>,
    /// All instructions ever made.
    pub insts: Vec<InstData>,
    /// All values ever made.
    pub values: Vec<ValueData>,
    /// All exit states.
    pub exits: Vec<ExitState>,
    /// All inlined calls.
    pub sites: Vec<SiteData>,
    /// Whether this specialised version begins at a loop of the generic one: it owns its parameters, which
    /// are what is live there, and returns an object.
    pub begins_in_loop: bool,
    /// Objects that the function owns and must drop when the instruction raises or exits, temporaries
    /// before variables; filled by the refcount pass.
    pub unwind: FxHashMap<Inst, Vec<Value>>,
    /// What raising instructions show in tracebacks.
    pub shown: FxHashMap<Inst, Show>,
    /// All such states.
    pub shows: Vec<Shown>,
}

impl Function {
    /// A function without any block.
    #[must_use]
    pub fn new(id: FuncId, name: &str, result: Type) -> Function {
        Function {
            id,
            name: name.to_owned(),
            result,
            layout: Vec::new(),
            blocks: Vec::new(),
            insts: Vec::new(),
            values: Vec::new(),
            exits: Vec::new(),
            sites: Vec::new(),
            begins_in_loop: false,
            unwind: FxHashMap::default(),
            shown: FxHashMap::default(),
            shows: Vec::new(),
        }
    }

    /// The first block.
    #[must_use]
    pub fn entry(&self) -> Block {
        self.layout[0]
    }

    /// The function's parameters.
    #[must_use]
    pub fn params(&self) -> &[Value] {
        &self.block(self.entry()).params
    }

    /// A block's data.
    #[must_use]
    pub fn block(&self, block: Block) -> &BlockData {
        &self.blocks[block.index()]
    }

    /// A block's data, to change.
    pub fn block_mut(&mut self, block: Block) -> &mut BlockData {
        &mut self.blocks[block.index()]
    }

    /// An instruction's data.
    #[must_use]
    pub fn inst(&self, inst: Inst) -> &InstData {
        &self.insts[inst.index()]
    }

    /// An instruction's data, to change.
    pub fn inst_mut(&mut self, inst: Inst) -> &mut InstData {
        &mut self.insts[inst.index()]
    }

    /// A value's type.
    #[must_use]
    pub fn ty(&self, value: Value) -> Type {
        self.values[value.index()].ty
    }

    /// A value's definition.
    #[must_use]
    pub fn def(&self, value: Value) -> Def {
        self.values[value.index()].def
    }

    /// The instruction that defines a value, unless it is a block parameter.
    #[must_use]
    pub fn def_inst(&self, value: Value) -> Option<&InstData> {
        match self.def(value) {
            Def::Result(inst, _) => Some(self.inst(inst)),
            Def::Param(..) => None,
        }
    }

    /// An exit state.
    #[must_use]
    pub fn exit(&self, exit: Exit) -> &ExitState {
        &self.exits[exit.index()]
    }

    /// The block's last instruction.
    ///
    /// # Panics
    /// When the block is empty, which no verified function's block is.
    #[must_use]
    pub fn terminator(&self, block: Block) -> Inst {
        *self.block(block).insts.last().expect("a verified block ends with a terminator")
    }

    /// The blocks that the block may go to.
    pub fn successors(&self, block: Block) -> impl Iterator<Item = Block> + '_ {
        self.inst(self.terminator(block)).targets.iter().map(|target| target.block)
    }

    /// A new block at the end of the layout.
    pub fn add_block(&mut self) -> Block {
        let block = self.add_detached_block();
        self.layout.push(block);
        block
    }

    /// A new block that is not in the layout yet.
    pub fn add_detached_block(&mut self) -> Block {
        let block = Block::new(self.blocks.len());
        self.blocks.push(BlockData::default());
        block
    }

    /// A new parameter at the end of the block's list.
    pub fn add_param(&mut self, block: Block, ty: Type) -> Value {
        let number = self.block(block).params.len();
        let value = self.add_value(ty, Def::Param(block, number));
        self.block_mut(block).params.push(value);
        value
    }

    /// A new value; the caller puts it where `def` says.
    pub fn add_value(&mut self, ty: Type, def: Def) -> Value {
        let value = Value::new(self.values.len());
        self.values.push(ValueData { ty, def });
        value
    }

    /// A new instruction that is in no block yet, with fresh results of these types.
    pub fn add_inst(&mut self, mut data: InstData, results: &[Type]) -> Inst {
        let inst = Inst::new(self.insts.len());
        data.results = Vec::with_capacity(results.len());
        for (number, &ty) in results.iter().enumerate() {
            data.results.push(self.add_value(ty, Def::Result(inst, number)));
        }
        self.insts.push(data);
        inst
    }

    /// A new exit state.
    pub fn add_exit(&mut self, state: ExitState) -> Exit {
        let exit = Exit::new(self.exits.len());
        self.exits.push(state);
        exit
    }

    /// A new inlined call.
    pub fn add_site(&mut self, site: SiteData) -> Site {
        let entity = Site::new(self.sites.len());
        self.sites.push(site);
        entity
    }

    /// Calls `visit` with every value the instruction reads: operands, jump arguments, exit slots and what
    /// it shows.
    pub fn visit_uses(&self, inst: Inst, mut visit: impl FnMut(Value)) {
        let data = self.inst(inst);
        data.args.iter().copied().for_each(&mut visit);
        for target in &data.targets {
            target.args.iter().copied().for_each(&mut visit);
        }
        if let Some(exit) = data.exit {
            self.exit(exit).visit_values(&mut visit);
        }
        if let Some(shown) = self.shown_at(inst) {
            shown.visit_values(&mut visit);
        }
    }

    /// Replaces every value that the instruction reads, its exit slots and what it shows included, by what
    /// `map` gives.
    pub fn map_uses(&mut self, inst: Inst, mut map: impl FnMut(Value) -> Value) {
        let data = &mut self.insts[inst.index()];
        for arg in &mut data.args {
            *arg = map(*arg);
        }
        for target in &mut data.targets {
            for arg in &mut target.args {
                *arg = map(*arg);
            }
        }
        if let Some(exit) = data.exit {
            self.exits[exit.index()].map_values(&mut map);
        }
        if let (Some(show), true) = (self.shown.get(&inst), self.shown_at(inst).is_some()) {
            self.shows[show.index()].map_values(&mut map);
        }
    }
}

impl ExitState {
    /// Calls `visit` with every value that a slot reads.
    pub fn visit_values(&self, visit: &mut impl FnMut(Value)) {
        for frame in &self.frames {
            for slot in &frame.slots {
                slot.visit_values(visit);
            }
        }
    }

    /// Replaces every value that a slot reads.
    pub fn map_values(&mut self, map: &mut impl FnMut(Value) -> Value) {
        for frame in &mut self.frames {
            for slot in &mut frame.slots {
                slot.map_values(map);
            }
        }
    }
}

impl Slot {
    /// Calls `visit` with every value that the slot reads, in the order of its fields.
    pub fn visit_values(&self, visit: &mut impl FnMut(Value)) {
        match self {
            Slot::Value(value) | Slot::Char(value) => visit(*value),
            Slot::None | Slot::Bool(_) | Slot::Const(_) | Slot::Cell(_) => {}
            Slot::Tuple(items) | Slot::Zip(items) => items.iter().for_each(|item| item.visit_values(visit)),
            Slot::Enumerate { count, of } => {
                visit(*count);
                of.visit_values(visit);
            }
            Slot::Instance { class, keeper, fields } => {
                visit(*class);
                keeper.iter().copied().for_each(&mut *visit);
                fields.iter().for_each(|field| field.visit_values(visit));
            }
            Slot::Wide { low: a, high: b }
            | Slot::ListIter { list: a, next: b }
            | Slot::ReverseIter { list: a, next: b } => {
                visit(*a);
                visit(*b);
            }
            Slot::Range { start: a, stop: b, step: c }
            | Slot::RangeIter { next: a, count: b, step: c }
            | Slot::UnitRangeIter { next: a, stop: b, step: c } => {
                visit(*a);
                visit(*b);
                visit(*c);
            }
        }
    }

    /// Replaces every value that the slot reads.
    pub fn map_values(&mut self, map: &mut impl FnMut(Value) -> Value) {
        match self {
            Slot::Value(value) | Slot::Char(value) => *value = map(*value),
            Slot::None | Slot::Bool(_) | Slot::Const(_) | Slot::Cell(_) => {}
            Slot::Tuple(items) | Slot::Zip(items) => items.iter_mut().for_each(|item| item.map_values(map)),
            Slot::Enumerate { count, of } => {
                *count = map(*count);
                of.map_values(map);
            }
            Slot::Instance { class, keeper, fields } => {
                *class = map(*class);
                *keeper = keeper.map(&mut *map);
                fields.iter_mut().for_each(|field| field.map_values(map));
            }
            Slot::Wide { low: a, high: b }
            | Slot::ListIter { list: a, next: b }
            | Slot::ReverseIter { list: a, next: b } => {
                *a = map(*a);
                *b = map(*b);
            }
            Slot::Range { start: a, stop: b, step: c }
            | Slot::RangeIter { next: a, count: b, step: c }
            | Slot::UnitRangeIter { next: a, stop: b, step: c } => {
                *a = map(*a);
                *b = map(*b);
                *c = map(*c);
            }
        }
    }
}
