//! The plan of a unit's exits: their numbers, their metadata, and the entries of the resume functions.
//!
//! Exits are numbered over the whole unit, in the order of functions and instructions. Every resume
//! point that some exit names becomes an entry of that function's resume function; entry 0 is always
//! the function's beginning. Both orders depend on the CIR alone, so equal input gives equal output.

use rustc_hash::FxHashMap;

use crate::analysis::liveness::Liveness;
use crate::analysis::loops::Loops;
use crate::ir;
use crate::ir::cfg::Cfg;
use crate::ir::dominators::Dominators;
use crate::ir::{
    ExitFrame, ExitState, FuncId, Function, Inst, Op, Point, Signature, Site, Slot, Unit, Value,
};
use crate::runtime::meta::{ExitMeta, FrameMeta, LoopMeta, SlotMeta, Wants, WordType};

/// An entry of a resume function: where it goes on, and the values in its slots.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// The resume point.
    pub(super) point: Point,
    /// The generic version's values, in the order of the slots.
    pub(super) slots: Vec<Value>,
}

/// A loop header of a generic version, where it may go on in a specialised loop.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    /// Its first instruction.
    pub(super) inst: Inst,
    /// The entry that lies there.
    pub(super) entry: u32,
    /// Its counter in the unit's data.
    pub(super) counter: u32,
}

/// Numbers of exits and entries.
#[derive(Debug, Default)]
pub(super) struct Plan {
    exits: FxHashMap<(FuncId, Inst), u32>,
    entries: Vec<Vec<Entry>>,
    headers: Vec<Vec<Header>>,
    loops: usize,
    /// The exits' metadata, by number.
    pub(super) metas: Vec<ExitMeta>,
}

impl Plan {
    /// Reads the exits of all specialised versions.
    pub(super) fn of(unit: &Unit) -> Plan {
        let mut planner = Planner::new(unit);
        for (number, function) in unit.functions.iter().enumerate() {
            if let Some(body) = &function.specialised {
                planner.add_body(FuncId::new(number), body);
            }
        }
        planner.plan
    }

    /// The number of an instruction's exit.
    ///
    /// # Panics
    /// When the instruction has no exit state, which no verified function's exiting instruction lacks.
    pub(super) fn exit(&self, function: FuncId, inst: Inst) -> u32 {
        *self.exits.get(&(function, inst)).expect("an exiting instruction has an exit state")
    }

    /// The loop headers of a function's generic version.
    pub(super) fn headers(&self, function: FuncId) -> &[Header] {
        &self.headers[function.index()]
    }

    fn next_loop(&mut self) -> u32 {
        self.loops += 1;
        number(self.loops - 1)
    }

    /// How many loops the generic versions of all functions have together.
    pub(super) fn loops(&self) -> usize {
        self.loops
    }

    /// What the runtime must know of a function's loops.
    pub(super) fn loop_metas(&self, unit: &Unit, function: FuncId) -> Vec<LoopMeta> {
        let Some(generic) = &unit.function(function).generic else { return Vec::new() };
        let headers = self.headers(function).iter();
        let metas = headers.map(|header| {
            let slots = &self.entries(function)[header.entry as usize].slots;
            LoopMeta {
                entry: header.entry,
                inst: number(header.inst.index()),
                counter: header.counter,
                slots: slots.iter().map(|&value| wants(generic, value)).collect(),
            }
        });
        metas.collect()
    }

    /// The entries of a function's resume function, by number.
    pub(super) fn entries(&self, function: FuncId) -> &[Entry] {
        &self.entries[function.index()]
    }

    /// The most words that any exit spills.
    pub(super) fn most_words(&self) -> usize {
        self.metas.iter().map(|meta| meta.words.len()).max().unwrap_or(0)
    }
}

/// How many inlined calls lead to an instruction of this site.
pub(super) fn nesting(func: &Function, mut site: Option<Site>) -> usize {
    let mut depth = 0;
    while let Some(inner) = site {
        depth += 1;
        site = func.sites[inner.index()].parent;
    }
    depth
}

/// Whether the exit of this instruction can be taken at all: a direct call whose result is an object
/// hands over whatever its callee returns.
#[must_use]
pub fn can_exit(unit: &Unit, func: &Function, inst: Inst) -> bool {
    let data = func.inst(inst);
    match (data.op, data.imm) {
        // Whatever is called gives an object.
        (Op::CallOneOf, _) => false,
        (Op::CallDirect | Op::CallQuiet, ir::Imm::Func(callee)) => {
            Signature::machine(&unit.function(callee).signature.result) != ir::Type::Obj
        }
        _ => data.exit.is_some(),
    }
}

struct Planner<'a> {
    unit: &'a Unit,
    plan: Plan,
    numbers: FxHashMap<(FuncId, Point), u32>,
    liveness: Vec<Option<Liveness>>,
}

impl<'a> Planner<'a> {
    fn new(unit: &'a Unit) -> Planner<'a> {
        let count = unit.functions.len();
        let plan =
            Plan { entries: vec![Vec::new(); count], headers: vec![Vec::new(); count], ..Plan::default() };
        let mut planner = Planner { unit, plan, numbers: FxHashMap::default(), liveness: vec![None; count] };
        for (number, function) in unit.functions.iter().enumerate() {
            if let Some(generic) = &function.generic {
                planner.entry_number(FuncId::new(number), Point::Entry);
                planner.add_loops(FuncId::new(number), generic);
            }
        }
        planner
    }

    fn add_loops(&mut self, function: FuncId, generic: &Function) {
        let cfg = Cfg::of(generic);
        let loops = Loops::of(&cfg, &Dominators::of(&cfg));
        let catches =
            |block: &ir::Block| generic.block(*block).insts.iter().any(|&inst| generic.inst(inst).catches());
        let catching: Vec<ir::Block> = cfg.reverse_postorder().iter().copied().filter(catches).collect();
        for (number, found) in loops.all().iter().enumerate() {
            // Specialised code would leave at once.
            if catching.iter().any(|&block| loops.contains(number, block)) {
                continue;
            }
            let inst = first_inst(generic, found.header);
            let entry = self.entry_number(function, Point::Before(inst));
            let counter = self.plan.next_loop();
            self.plan.headers[function.index()].push(Header { inst, entry, counter });
        }
    }

    fn add_body(&mut self, function: FuncId, body: &Function) {
        for &block in &body.layout {
            for &inst in &body.block(block).insts {
                let Some(exit) = body.inst(inst).exit else { continue };
                if can_exit(self.unit, body, inst) {
                    let state = body.exit(exit);
                    let mut values = Vec::new();
                    state.visit_values(&mut |value| values.push(value));
                    let overflow = overflow_of(body.inst(inst).op, state);
                    let callee = match body.inst(inst).imm {
                        ir::Imm::Func(callee) => Some(callee),
                        _ => None,
                    };
                    let words = values.iter().map(|&value| word_type(body.ty(value))).collect();
                    let number = self.add_exit((state, callee), overflow, &values, words);
                    self.plan.exits.insert((function, inst), number);
                }
            }
        }
    }

    fn add_exit(
        &mut self,
        (state, callee): (&ExitState, Option<FuncId>),
        overflow: Option<(u32, u32)>,
        values: &[Value],
        word_types: Vec<WordType>,
    ) -> u32 {
        let mut words = Words { firsts: firsts(values), used: 0 };
        let mut callee = callee;
        let frames = state.frames.iter().map(|frame| {
            let entry = self.entry_number(frame.func, frame.point);
            let live = self.plan.entries[frame.func.index()][entry as usize].slots.clone();
            assert_eq!(
                live.len(),
                frame.slots.len(),
                "an exit to {} {:?} has a slot for each live value",
                frame.func,
                frame.point
            );
            let generic = self.generic(frame.func);
            let wanted = live.iter().map(|&value| wants(generic, value));
            let mut word = |_| words.next();
            let slots = frame.slots.iter().map(|slot| slot_meta(slot, &mut word)).zip(wanted).collect();
            // The trace is known when the code is written.
            let declined = self.declined(frame, callee);
            callee = Some(frame.func);
            FrameMeta { function: number(frame.func.index()), entry, trace: 0, declined, slots }
        });
        let frames = frames.collect();
        self.plan.metas.push(ExitMeta { words: word_types, frames, overflow });
        number(self.plan.metas.len() - 1)
    }

    /// What TypeError says where a frame waits for the method of an operator, and that declines.
    fn declined(&self, frame: &ExitFrame, callee: Option<FuncId>) -> Option<String> {
        let (Point::After(inst), Some(callee)) = (frame.point, callee) else { return None };
        let data = self.generic(frame.func).inst(inst);
        let (Op::ObjBinary, ir::Imm::Binary(binary, in_place)) = (data.op, data.imm) else { return None };
        Some(self.unit.declined(binary, in_place, callee))
    }

    fn entry_number(&mut self, function: FuncId, point: Point) -> u32 {
        if let Some(&known) = self.numbers.get(&(function, point)) {
            return known;
        }
        let generic = self.generic(function);
        let slots = match point {
            Point::Entry => generic.params().to_vec(),
            Point::Before(_) | Point::After(_) => self.liveness[function.index()]
                .get_or_insert_with(|| Liveness::of(generic))
                .resume_slots(generic, point),
        };
        let entries = &mut self.plan.entries[function.index()];
        entries.push(Entry { point, slots });
        let entry = number(entries.len() - 1);
        self.numbers.insert((function, point), entry);
        entry
    }

    fn generic(&self, function: FuncId) -> &'a Function {
        self.unit
            .function(function)
            .generic
            .as_ref()
            .expect("exits lead to functions that this unit compiles")
    }
}

/// The generic instruction of an exit that is taken because a result does not fit 64 bits.
fn overflow_of(op: Op, state: &ExitState) -> Option<(u32, u32)> {
    let may_be_wide = matches!(op, Op::IntAddChecked | Op::IntSubChecked | Op::IntMulChecked);
    match state.frames.first()? {
        ExitFrame { func, point: Point::Before(inst), .. } if may_be_wide => {
            Some((number(func.index()), number(inst.index())))
        }
        _ => None,
    }
}

/// The block's first instruction that counts no references.
fn first_inst(func: &Function, block: ir::Block) -> Inst {
    let mut insts = func.block(block).insts.iter().copied();
    let counts = |op| matches!(op, Op::IncRef | Op::DecRef);
    insts.find(|&inst| !counts(func.inst(inst).op)).expect("a verified block ends with a terminator")
}

fn wants(generic: &Function, value: Value) -> Wants {
    match generic.ty(value) {
        ir::Type::Bool => Wants::Truth,
        ir::Type::Obj | ir::Type::I64 | ir::Type::F64 => Wants::Object,
    }
}

/// The words of an exit, given out in the order in which its slots read values.
struct Words {
    /// By word: the first one of the same value, so that two slots that show one value show one object.
    firsts: Vec<u32>,
    used: usize,
}

impl Words {
    fn next(&mut self) -> u32 {
        self.used += 1;
        self.firsts[self.used - 1]
    }
}

fn firsts(values: &[Value]) -> Vec<u32> {
    let mut known: FxHashMap<Value, u32> = FxHashMap::default();
    values.iter().enumerate().map(|(word, &value)| *known.entry(value).or_insert(number(word))).collect()
}

/// How the runtime makes a slot; `word` gives the word of each value that it reads, in their order.
pub(super) fn slot_meta(slot: &Slot, word: &mut impl FnMut(Value) -> u32) -> SlotMeta {
    match slot {
        Slot::Value(value) => SlotMeta::Word(word(*value)),
        Slot::None => SlotMeta::None,
        Slot::Bool(value) => SlotMeta::Bool(*value),
        Slot::Const(constant) => SlotMeta::Const(number(constant.index())),
        Slot::Cell(cell) => SlotMeta::Cell(number(cell.index())),
        Slot::Tuple(items) => SlotMeta::Tuple(items.iter().map(|item| slot_meta(item, word)).collect()),
        Slot::Instance { class, keeper, fields } => {
            let class = word(*class);
            keeper.map(&mut *word);
            SlotMeta::Instance { class, fields: fields.iter().map(|field| slot_meta(field, word)).collect() }
        }
        Slot::Wide { low, high } => SlotMeta::Wide { low: word(*low), high: word(*high) },
        Slot::Range { start, stop, step } => {
            SlotMeta::Range { start: word(*start), stop: word(*stop), step: word(*step) }
        }
        Slot::RangeIter { next, count, step } => {
            SlotMeta::RangeIter { next: word(*next), count: word(*count), step: word(*step) }
        }
        Slot::UnitRangeIter { next, stop, step } => {
            SlotMeta::UnitRangeIter { next: word(*next), stop: word(*stop), step: word(*step) }
        }
        Slot::ListIter { list, next } => SlotMeta::ListIter { list: word(*list), next: word(*next) },
        Slot::ReverseIter { list, next } => SlotMeta::ReverseIter { list: word(*list), next: word(*next) },
        Slot::Enumerate { count, of } => {
            SlotMeta::Enumerate { count: word(*count), of: Box::new(slot_meta(of, word)) }
        }
        Slot::Zip(items) => SlotMeta::Zip(items.iter().map(|item| slot_meta(item, word)).collect()),
        Slot::Char(point) => SlotMeta::Char(word(*point)),
    }
}

/// The machine type of a word.
pub(super) fn word_type(ty: ir::Type) -> WordType {
    match ty {
        ir::Type::Obj => WordType::Obj,
        ir::Type::I64 => WordType::I64,
        ir::Type::F64 => WordType::F64,
        ir::Type::Bool => WordType::Bool,
    }
}

fn number(index: usize) -> u32 {
    u32::try_from(index).expect("counted budgets keep every table below 2**32 entries")
}
