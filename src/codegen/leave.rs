//! The ways out of a version: results, exits, errors.
//!
//! Each exiting or raising instruction has at most one cold block for either, written behind it: it
//! stores the exit's words or drops what the function owns, and goes on in a cold block that the whole
//! function shares, which calls the helper and returns.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, InstBuilder, StackSlot, Value, types};
use rustc_hash::FxHashMap;

use crate::ir;
use crate::ir::{Inst, InstData, Op};
use crate::runtime::meta::ShowMeta;
use crate::runtime::table::Helper;

use super::abi::{WORD, machine_type};
use super::code::displacement;
use super::lower::{Lower, Version};

use crate::runtime::data::{EXITED, Fixed, WITH_RESULT};

mod words;

use words::ExitWords;

/// Cold blocks that are gone to but not written yet.
#[derive(Debug, Default)]
pub(super) struct Cold {
    /// The exit of the instruction being written.
    exit: Option<Block>,
    /// The error of the instruction being written.
    error: Option<Block>,
    /// Stores what exits leave behind, but for their number.
    exits: FxHashMap<ExitWords, Block>,
    /// Finishes the call in the generic version; the exit's number is stored.
    resume: Option<Block>,
    /// The number of what is shown is stored, its words and what is dropped too, and the exception set.
    traceback: Option<Block>,
    /// The same with the object that a direct call returned, which it takes.
    resume_with_result: Option<Block>,
    /// Where values are stored that instructions show: which, and whether a reference to each is owned.
    shown: FxHashMap<Vec<(ir::Value, bool)>, Block>,
    /// Takes an object or null: what the generic version returned.
    object: Option<Block>,
    /// The exception is set and has its traceback.
    failed: Option<Block>,
    /// Where exits and errors put their words.
    words: Option<StackSlot>,
    /// Where objects are put that a helper drops.
    drops: Option<StackSlot>,
    /// Where exits and errors put their number.
    number: Option<StackSlot>,
}

impl Lower<'_> {
    /// Exits when the condition is true.
    pub(super) fn exit_if(&mut self, condition: Value) {
        let exit = self.exit_block();
        self.code.branch_if(condition, exit);
    }

    /// Exits when the condition is false.
    pub(super) fn exit_unless(&mut self, condition: Value) {
        let exit = self.exit_block();
        self.code.branch_unless(condition, exit);
    }

    /// The block that takes the instruction's exit.
    pub(super) fn exit_block(&mut self) -> Block {
        match self.cold.exit {
            Some(block) => block,
            None => *self.cold.exit.insert(self.code.cold_block()),
        }
    }

    /// Exits for once when the exit's counter has come down to zero. The op has had no effect then, and
    /// the generic version does without every bet.
    pub(super) fn count_down_to_exit(&mut self, at: &InstData) {
        let is_way_out =
            at.exit.is_some() && !at.op.exits_with_result() && !matches!(at.op, Op::Anchor | Op::Leave);
        if self.version == Version::Resume || !is_way_out {
            return;
        }
        let plan = &self.unit.plan;
        let number = plan.loops() + plan.exit(self.func.id, self.inst) as usize;
        let (address, offset) = (self.code.data_address(), displacement(self.code.data.counter(number)));
        let left = self.code.load(WORD, address, offset);
        let left = self.code.builder.ins().iadd_imm_s(left, -1);
        self.code.store(left, address, offset);
        let now = self.code.compare_constant(IntCC::Equal, left, 0);
        self.exit_if(now);
    }

    /// The block in which the instruction's exception is set.
    pub(super) fn error_block(&mut self) -> Block {
        match self.cold.error {
            Some(block) => block,
            None => *self.cold.error.insert(self.code.cold_block()),
        }
    }

    /// Unwinds when a helper returned null.
    pub(super) fn fail_if_null(&mut self, object: Value) {
        let error = self.error_block();
        self.code.branch_unless(object, error);
    }

    /// Unwinds when a helper returned a negative status.
    pub(super) fn fail_if_negative(&mut self, status: Value) {
        let error = self.error_block();
        let failed = self.code.compare_constant(IntCC::SignedLessThan, status, 0);
        self.code.branch_if(failed, error);
    }

    /// Unwinds.
    pub(super) fn fail(&mut self) {
        let error = self.error_block();
        self.code.jump(error, &[]);
    }

    /// Returns a value.
    pub(super) fn return_value(&mut self, value: Value) {
        if self.func.result == ir::Type::Obj {
            return self.finish(&[value]);
        }
        let holds = self.code.word(0);
        self.finish(&[value, holds]);
    }

    fn finish(&mut self, results: &[Value]) {
        if self.keeps_depth && self.version == Version::Body {
            self.store_depth(0);
        }
        self.give_back_register();
        self.code.builder.ins().return_(results);
    }

    /// Returns without a value, but with this status where there is one.
    fn finish_without_value(&mut self, status: Value) {
        let nothing = match self.func.result {
            ir::Type::Obj => return self.finish(&[status]),
            ir::Type::F64 => self.code.builder.ins().f64const(0.0),
            ir::Type::I64 | ir::Type::Bool => {
                self.code.builder.ins().iconst(machine_type(self.func.result), 0)
            }
        };
        self.finish(&[nothing, status]);
    }

    /// Writes the cold paths of an instruction and comes back to the block behind it.
    pub(super) fn write_cold_paths(&mut self, inst: Inst, terminated: bool) {
        let (exit, error) = (self.cold.exit.take(), self.cold.error.take());
        if exit.is_none() && error.is_none() {
            return;
        }
        let behind = self.code.builder.current_block();
        if let Some(block) = exit {
            self.code.enter(block);
            self.leave_by_exit(inst);
        }
        if let Some(block) = error {
            self.code.enter(block);
            let owned = self.owned(inst);
            self.raise(inst, owned, |_| true);
        }
        if let (false, Some(behind)) = (terminated, behind) {
            self.code.builder.switch_to_block(behind);
        }
    }

    /// Goes on behind an instruction that catches what it raises: its last result says which way it went.
    pub(super) fn write_caught(&mut self, inst: Inst) {
        let at = self.func.inst(inst);
        let (&flag, results) =
            at.results.split_last().expect("an instruction that catches says whether it did");
        let succeeded = self.code.builder.ins().iconst(machine_type(ir::Type::Bool), 1);
        let Some(error) = self.cold.error.take() else { return self.set_value(flag, succeeded) };
        let behind = self.code.block();
        for &result in &at.results {
            let ty = machine_type(self.func.ty(result));
            self.code.builder.append_block_param(behind, ty);
        }
        let mut args = self.values(results);
        args.push(succeeded);
        self.code.jump(behind, &args);
        self.code.enter(error);
        if !at.op.raises_again() {
            let ([number, words], unit) = (self.store_shown_copies(inst), self.loaded_unit());
            // Nothing is dropped, so nobody looks.
            let trace = self.code.place.trace.take();
            self.code.call(Helper::AddTraceback, &[unit, number, words]);
            self.code.place.trace = trace;
        }
        let args: Vec<Value> =
            at.results.iter().map(|&result| self.nothing_of(self.func.ty(result))).collect();
        self.code.jump(behind, &args);
        self.code.enter(behind);
        let values = self.code.builder.block_params(behind).to_vec();
        for (&result, value) in at.results.iter().zip(values) {
            self.set_value(result, value);
        }
    }

    /// The number of the instruction's traceback entries without any variables: they go on to live.
    pub(super) fn show_nothing(&mut self, inst: Inst) -> u32 {
        let trace = self.trace(inst);
        self.unit.traces.borrow_mut().show(ShowMeta {
            trace,
            words: Vec::new(),
            frames: Vec::new(),
            drops: 0,
            again: false,
        })
    }

    /// What stands for the result of an op that failed.
    fn nothing_of(&mut self, ty: ir::Type) -> Value {
        match ty {
            ir::Type::Obj => {
                let none = self.code.fixed(Fixed::None);
                self.code.inc_ref(none);
                none
            }
            ir::Type::F64 => self.code.builder.ins().f64const(0.0),
            ir::Type::I64 | ir::Type::Bool => self.code.builder.ins().iconst(machine_type(ty), 0),
        }
    }

    /// The exception is set: hands the variables over to the frames of its traceback, those whose values are
    /// `there`, has whatever else is owned dropped, and returns.
    pub(super) fn raise(&mut self, inst: Inst, owned: Vec<ir::Value>, there: impl Fn(ir::Value) -> bool) {
        self.show(inst, owned, there);
    }

    fn traceback_block(&mut self) -> Block {
        match self.cold.traceback {
            Some(block) => block,
            None => *self.cold.traceback.insert(self.code.cold_block()),
        }
    }

    fn resume_block(&mut self) -> Block {
        match self.cold.resume {
            Some(block) => block,
            None => *self.cold.resume.insert(self.code.cold_block()),
        }
    }

    /// Leaves the number of an exit or a trace to the cold block that the function shares. In memory, as an argument
    /// of the block it would be kept from where the hot path has the same constant, and of 32 bits, which
    /// the program's constants don't have.
    fn store_number(&mut self, number: u32) {
        let number = self.code.builder.ins().iconst(types::I32, i64::from(number));
        let address = self.number_address();
        self.code.store(number, address, 0);
    }

    fn number_address(&mut self) -> Value {
        let slot = match self.cold.number {
            Some(slot) => slot,
            None => *self.cold.number.insert(self.code.slot(1)),
        };
        self.code.slot_address(slot, 0)
    }

    fn load_number(&mut self) -> Value {
        let address = self.number_address();
        let number = self.code.load(types::I32, address, 0);
        self.code.builder.ins().uextend(WORD, number)
    }

    /// Goes on in the generic version, behind a direct call whose result came back as this object; the exit's
    /// words are stored.
    pub(super) fn resume_with_result(&mut self, number: u32, object: Value) {
        if self.version == Version::Loop {
            let words = self.unit.plan.metas[number as usize].words.len();
            self.store_word(words + 1, object);
            let answer = self.code.word(i64::from(number) << 2 | EXITED | WITH_RESULT);
            return self.finish(&[answer]);
        }
        let block = match self.cold.resume_with_result {
            Some(block) => block,
            None => {
                let block = self.code.cold_block();
                self.code.builder.append_block_param(block, WORD);
                *self.cold.resume_with_result.insert(block)
            }
        };
        self.store_number(number);
        self.code.jump(block, &[object]);
    }

    fn object_block(&mut self) -> Block {
        match self.cold.object {
            Some(block) => block,
            None => {
                let block = self.code.cold_block();
                self.code.builder.append_block_param(block, WORD);
                *self.cold.object.insert(block)
            }
        }
    }

    /// Returns: the exception is set and has its traceback.
    pub(super) fn return_failed(&mut self) {
        let failed = self.failed_block();
        self.code.jump(failed, &[]);
    }

    fn failed_block(&mut self) -> Block {
        match self.cold.failed {
            Some(block) => block,
            None => *self.cold.failed.insert(self.code.cold_block()),
        }
    }

    /// Writes the cold blocks that the instructions share.
    pub(super) fn write_shared_cold_paths(&mut self) {
        if let Some(block) = self.cold.resume.take() {
            self.code.enter(block);
            let number = self.load_number();
            self.resume_numbered(number);
        }
        if let Some(block) = self.cold.resume_with_result.take() {
            let object = self.enter_with_param(block);
            let number = self.load_number();
            self.call_resume(Helper::ResumeWithResult, number, Some(object));
        }
        if let Some(block) = self.cold.object.take() {
            let object = self.enter_with_param(block);
            let status = match (self.version, self.func.result) {
                (Version::Resume | Version::Loop, _) | (_, ir::Type::Obj) => object,
                (Version::Body, _) => {
                    let error = self.code.word(1);
                    self.code.builder.ins().select(object, object, error)
                }
            };
            self.finish_without_value(status);
        }
        if let Some(block) = self.cold.traceback.take() {
            self.code.enter(block);
            let number = self.load_number();
            let slot = self.words_slot();
            let (unit, words) = (self.loaded_unit(), self.code.slot_address(slot, 0));
            // What is shown says which instruction it is.
            self.code.place.trace = Some(0);
            self.code.call(Helper::AddTraceback, &[unit, number, words]);
            self.code.place.trace = None;
            self.return_failed();
        }
        if let Some(block) = self.cold.failed.take() {
            self.code.enter(block);
            let status = self.code.word(i64::from(self.func.result != ir::Type::Obj));
            self.finish_without_value(status);
        }
    }

    /// Has the generic version finish the call. A loop version leaves that to its caller: the two may take
    /// turns for ever, and must not nest.
    fn resume_numbered(&mut self, number: Value) {
        if self.version == Version::Loop {
            let shifted = self.code.builder.ins().ishl_imm_u(number, 2);
            let answer = self.code.builder.ins().bor_imm_s(shifted, EXITED);
            return self.finish(&[answer]);
        }
        self.call_resume(Helper::Resume, number, None);
    }

    fn call_resume(&mut self, helper: Helper, number: Value, result: Option<Value>) {
        let slot = self.words_slot();
        let (unit, words) = (self.loaded_unit(), self.code.slot_address(slot, 0));
        let (thread, depth) = (self.thread(), self.depth());
        let args: Vec<Value> = [unit, number, words, thread, depth].into_iter().chain(result).collect();
        // The exit says which instruction it is; the helper wants this body's frame alone.
        self.code.place.trace = Some(0);
        let object = self.code.call_one(helper, &args);
        self.code.place.trace = None;
        let block = self.object_block();
        self.code.jump(block, &[object]);
    }

    fn enter_with_param(&mut self, block: Block) -> Value {
        self.code.enter(block);
        self.code.builder.block_params(block)[0]
    }
}
