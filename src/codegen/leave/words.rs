//! What the ways out leave behind: the words of exits and tracebacks, and what is dropped.

use cranelift_codegen::ir::{InstBuilder, StackSlot, Value};

use crate::codegen::abi::WORD;
use crate::codegen::code::displacement;
use crate::codegen::lower::Lower;
use crate::codegen::plan::{slot_meta, word_type};
use crate::ir;
use crate::ir::{Imm, Inst, Op};
use crate::runtime::data::WORD as WORD_BYTES;
use crate::runtime::meta::{ShowMeta, VariableMeta};
use crate::runtime::table::Helper;

/// How many sums a value is followed back through.
const MOST_STEPS: usize = 8;

/// What an exit leaves behind.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct ExitWords {
    /// The values that are stored, and whether a reference to each is owned.
    words: Vec<(ir::Value, bool)>,
    /// What else is owned.
    dropped: Vec<ir::Value>,
    /// Where something is dropped: the trace of the instruction, as which that is seen.
    trace: Option<u32>,
}

/// How many objects a cold path drops by itself.
const MOST_INLINE_DROPS: usize = 2;

impl Lower<'_> {
    /// What the function owns while the instruction runs.
    pub(in crate::codegen) fn owned(&self, inst: Inst) -> Vec<ir::Value> {
        self.func.unwind.get(&inst).cloned().unwrap_or_default()
    }

    /// Drops these objects, on a cold path. Many of them go to a helper: a function has about as many
    /// such paths as instructions, and each would be as long as the function has variables.
    pub(in crate::codegen) fn drop_all(&mut self, objects: &[ir::Value]) {
        if objects.len() > MOST_INLINE_DROPS {
            let slot = self.drops_slot();
            for (number, &object) in objects.iter().enumerate() {
                let object = self.value(object);
                let address = self.code.slot_address(slot, number);
                self.code.store(object, address, 0);
            }
            let address = self.code.slot_address(slot, 0);
            let count = self.code.word(i64::try_from(objects.len()).expect("counted budgets"));
            self.code.call(Helper::DropAll, &[address, count]);
            return;
        }
        for &object in objects {
            let object = self.value(object);
            self.code.dec_ref(object);
        }
    }

    /// Room for the longest list of objects that is dropped at once.
    pub(in crate::codegen) fn drops_slot(&mut self) -> StackSlot {
        if let Some(slot) = self.cold.drops {
            return slot;
        }
        let most = self.func.unwind.values().map(Vec::len).max().unwrap_or_default();
        *self.cold.drops.insert(self.code.slot(most))
    }

    /// Goes to where the words of the variables that the instruction shows are stored, as owned references. Behind
    /// them stands what else is owned, to be dropped.
    pub(in crate::codegen) fn show(
        &mut self,
        inst: Inst,
        mut owned: Vec<ir::Value>,
        there: impl Fn(ir::Value) -> bool,
    ) {
        let (words, show) = self.shown_by(inst, there);
        let state = words.iter().map(|&value| (value, self.take_owned(value, &words, &mut owned)));
        let state: Vec<(ir::Value, bool)> = state.collect();
        for (number, &object) in owned.iter().enumerate() {
            let word = self.value(object);
            let slot = self.words_slot();
            let address = self.code.slot_address(slot, words.len() + number);
            self.code.store(word, address, 0);
        }
        let drops = u32::try_from(owned.len()).expect("counted budgets keep variables few");
        let number = self.unit.traces.borrow_mut().show(ShowMeta { drops, ..show });
        self.store_number(number);
        self.store_shown(state);
    }

    /// What the instruction shows of the values that are `there`, and what it is made of: nothing is dropped.
    fn shown_by(&mut self, inst: Inst, there: impl Fn(ir::Value) -> bool) -> (Vec<ir::Value>, ShowMeta) {
        let (trace, func) = (self.trace(inst), self.func);
        let mut words: Vec<ir::Value> = Vec::new();
        let mut word = |value| {
            let known = words.iter().position(|&other| other == value).unwrap_or_else(|| {
                words.push(value);
                words.len() - 1
            });
            u32::try_from(known).expect("counted budgets keep variables few")
        };
        let shown = func.shown_at(inst).map(|shown| shown.frames.as_slice()).unwrap_or_default();
        let frames = shown.iter().map(|frame| {
            let frame = frame.iter().filter(|variable| {
                let mut all = variable.bound.is_none_or(&there);
                variable.slot.visit_values(&mut |value| all &= there(value));
                all
            });
            let frame = frame.map(|variable| VariableMeta {
                number: variable.number,
                slot: slot_meta(&variable.slot, &mut word),
                bound: variable.bound.map(&mut word),
            });
            frame.collect()
        });
        let frames = frames.collect();
        let types = words.iter().map(|&value| word_type(func.ty(value))).collect();
        let again = func.inst(inst).op.raises_again();
        (words, ShowMeta { trace, words: types, frames, drops: 0, again })
    }

    /// Stores what the instruction shows as new references, since the function goes on to own its variables. The number of
    /// what is shown, and the address of the words.
    pub(in crate::codegen) fn store_shown_copies(&mut self, inst: Inst) -> [Value; 2] {
        let (words, show) = self.shown_by(inst, |_| true);
        for (number, &value) in words.iter().enumerate() {
            let word = self.word_of(value, &words, false);
            let slot = self.words_slot();
            let address = self.code.slot_address(slot, number);
            self.code.store(word, address, 0);
        }
        let number = self.unit.traces.borrow_mut().show(show);
        let number = self.code.word(i64::from(number));
        if words.is_empty() {
            return [number, self.code.word(0)];
        }
        let slot = self.words_slot();
        [number, self.code.slot_address(slot, 0)]
    }

    /// Goes to where these values are stored and the traceback is made. Instructions that show the same share
    /// that block: a function has about as many of them as words in each.
    fn store_shown(&mut self, state: Vec<(ir::Value, bool)>) {
        if let Some(&known) = self.cold.shown.get(&state) {
            return self.code.jump(known, &[]);
        }
        let block = self.code.cold_block();
        self.code.jump(block, &[]);
        // More instructions may go there: it is sealed when all are written.
        self.code.builder.switch_to_block(block);
        let values: Vec<ir::Value> = state.iter().map(|&(value, _)| value).collect();
        for (number, &(value, is_owned)) in state.iter().enumerate() {
            let word = self.word_of(value, &values, is_owned);
            let slot = self.words_slot();
            let address = self.code.slot_address(slot, number);
            self.code.store(word, address, 0);
        }
        let traceback = self.traceback_block();
        self.code.jump(traceback, &[]);
        self.cold.shown.insert(state, block);
    }

    /// Whether a reference to the value is owned, which is taken from what is owned then.
    fn take_owned(&self, value: ir::Value, all: &[ir::Value], owned: &mut Vec<ir::Value>) -> bool {
        if distance_from(self.func, value, all).is_some() || self.func.ty(value) != ir::Type::Obj {
            return false;
        }
        let position = owned.iter().position(|&other| other == value);
        position.is_some_and(|position| {
            owned.remove(position);
            true
        })
    }

    /// One of the values that are stored together as a word, with a reference if it is an object: the one
    /// that is owned, or a new one.
    fn word_of(&mut self, value: ir::Value, all: &[ir::Value], is_owned: bool) -> Value {
        if let Some((base, distance)) = distance_from(self.func, value, all) {
            let base = self.value(base);
            return self.code.builder.ins().iadd_imm_s(base, distance);
        }
        let word = self.value(value);
        match self.func.ty(value) {
            ir::Type::Obj if is_owned => {}
            ir::Type::Obj => self.code.inc_ref(word),
            ir::Type::Bool => return self.code.builder.ins().uextend(WORD, word),
            ir::Type::I64 | ir::Type::F64 => {}
        }
        word
    }

    /// Takes the instruction's exit. Exits in the same state share what they do but for their number.
    pub(in crate::codegen) fn leave_by_exit(&mut self, inst: Inst) {
        self.store_number(self.unit.plan.exit(self.func.id, inst));
        let state = self.state_of_exit(inst);
        if let Some(&known) = self.cold.exits.get(&state) {
            return self.code.jump(known, &[]);
        }
        let block = self.code.cold_block();
        self.code.jump(block, &[]);
        // More exits may go there: it is sealed when all are written.
        self.code.builder.switch_to_block(block);
        self.store_state(&state);
        let resume = self.resume_block();
        self.code.jump(resume, &[]);
        self.cold.exits.insert(state, block);
    }

    /// Stores the words of the instruction's exit as owned references, and drops everything else.
    pub(in crate::codegen) fn store_exit(&mut self, inst: Inst) {
        let state = self.state_of_exit(inst);
        self.store_state(&state);
    }

    fn state_of_exit(&self, inst: Inst) -> ExitWords {
        let func = self.func;
        let exit = func.inst(inst).exit.expect("an exiting instruction has an exit state");
        let mut values = Vec::new();
        func.exit(exit).visit_values(&mut |value| values.push(value));
        let mut dropped = self.owned(inst);
        let take = |&value: &ir::Value| (value, self.take_owned(value, &values, &mut dropped));
        let words = values.iter().map(take).collect();
        let trace = (!dropped.is_empty()).then(|| self.trace(inst));
        ExitWords { words, dropped, trace }
    }

    fn store_state(&mut self, state: &ExitWords) {
        let values: Vec<ir::Value> = state.words.iter().map(|&(value, _)| value).collect();
        for (number, &(value, is_owned)) in state.words.iter().enumerate() {
            let word = self.word_of(value, &values, is_owned);
            self.store_word(number, word);
        }
        if let Some(turns) = self.turns {
            let turns = self.code.builder.use_var(turns);
            self.store_word(values.len(), turns);
        }
        self.drop_all(&state.dropped);
    }

    /// Stores a word of an exit: a loop version leaves them to its caller.
    pub(in crate::codegen) fn store_word(&mut self, number: usize, word: Value) {
        if let Some(lent) = self.lent {
            return self.code.store(word, lent, displacement(number * WORD_BYTES));
        }
        let slot = self.words_slot();
        let address = self.code.slot_address(slot, number);
        self.code.store(word, address, 0);
    }

    pub(in crate::codegen) fn words_slot(&mut self) -> StackSlot {
        if let Some(slot) = self.cold.words {
            return slot;
        }
        let most = self.unit.plan.most_words().max(1);
        let at_errors = self.func.layout.iter().flat_map(|&block| &self.func.block(block).insts);
        let words = at_errors.map(|&inst| self.words_of_error(inst)).max().unwrap_or_default().max(most);
        *self.cold.words.insert(self.code.slot(words))
    }

    /// How many words an error in the instruction leaves behind at most.
    fn words_of_error(&self, inst: Inst) -> usize {
        let mut words = 0;
        if let Some(shown) = self.func.shown_at(inst) {
            shown.visit_values(&mut |_| words += 1);
        }
        words + self.func.unwind.get(&inst).map_or(0, Vec::len)
    }
}

/// How far an int is from another one of those that are stored together. Cold paths compute such a value anew:
/// the hot path need not keep it for them.
fn distance_from(func: &ir::Function, value: ir::Value, all: &[ir::Value]) -> Option<(ir::Value, i64)> {
    let (mut at, mut distance, mut found) = (value, 0_i64, None);
    for _ in 0..MOST_STEPS {
        let Some(data) = func.def_inst(at) else { break };
        let step = |operand: usize| match func.def_inst(data.args[operand])?.imm {
            Imm::Int(step) => Some(step),
            _ => None,
        };
        // A sum that is there has not overflowed, so that the distances add up modulo 2**64.
        (at, distance) = match data.op {
            Op::IntAdd | Op::IntAddChecked => match (step(0), step(1)) {
                (_, Some(step)) => (data.args[0], distance.wrapping_add(step)),
                (Some(step), None) => (data.args[1], distance.wrapping_add(step)),
                (None, None) => break,
            },
            Op::IntSub | Op::IntSubChecked => match step(1) {
                Some(step) => (data.args[0], distance.wrapping_sub(step)),
                None => break,
            },
            _ => break,
        };
        if all.contains(&at) {
            found = Some((at, distance));
        }
    }
    found
}
