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

    /// Stores the words of the variables that the instruction shows as owned references, and drops the rest of
    /// what is owned; the number of what is shown.
    pub(in crate::codegen) fn show(
        &mut self,
        inst: Inst,
        mut owned: Vec<ir::Value>,
        there: impl Fn(ir::Value) -> bool,
    ) -> u32 {
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
        for (number, &value) in words.iter().enumerate() {
            let word = self.owned_word(value, &words, &mut owned);
            let slot = self.words_slot();
            let address = self.code.slot_address(slot, number);
            self.code.store(word, address, 0);
        }
        self.drop_all(&owned);
        let words = words.iter().map(|&value| word_type(func.ty(value))).collect();
        self.unit.traces.borrow_mut().show(ShowMeta { trace, words, frames })
    }

    /// One of the values that are stored together as a word, with a reference if it is an object: the one
    /// that is owned, as far as it goes.
    pub(in crate::codegen) fn owned_word(
        &mut self,
        value: ir::Value,
        all: &[ir::Value],
        owned: &mut Vec<ir::Value>,
    ) -> Value {
        if let Some((base, distance)) = distance_from(self.func, value, all) {
            let base = self.value(base);
            return self.code.builder.ins().iadd_imm_s(base, distance);
        }
        let word = self.value(value);
        match self.func.ty(value) {
            ir::Type::Obj => match owned.iter().position(|&other| other == value) {
                Some(position) => drop(owned.remove(position)),
                None => self.code.inc_ref(word),
            },
            ir::Type::Bool => return self.code.builder.ins().uextend(WORD, word),
            ir::Type::I64 | ir::Type::F64 => {}
        }
        word
    }

    /// Stores the words of the instruction's exit as owned references, and drops everything else.
    pub(in crate::codegen) fn store_exit(&mut self, inst: Inst) {
        let func = self.func;
        let exit = func.inst(inst).exit.expect("an exiting instruction has an exit state");
        let mut values = Vec::new();
        func.exit(exit).visit_values(&mut |value| values.push(value));
        self.store_words(&values, self.owned(inst));
    }

    /// Stores the words of an exit. References are made of what the function owns, as far as it goes;
    /// the rest of that is dropped.
    pub(in crate::codegen) fn store_words(&mut self, values: &[ir::Value], mut owned: Vec<ir::Value>) {
        for (number, &value) in values.iter().enumerate() {
            let word = self.owned_word(value, values, &mut owned);
            self.store_word(number, word);
        }
        if let Some(turns) = self.turns {
            let turns = self.code.builder.use_var(turns);
            self.store_word(values.len(), turns);
        }
        self.drop_all(&owned);
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
        let mut words = self.unit.plan.most_words().max(1);
        for shown in &self.func.shows {
            let mut count = 0;
            shown.visit_values(&mut |_| count += 1);
            words = words.max(count);
        }
        *self.cold.words.insert(self.code.slot(words))
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
