//! Stubs: functions that a unit has once, between cold paths and the helpers they call.
//!
//! A cold path is short where a stub does what each of them would do: it finds the helper in the table and
//! leaves its caller's site. One that comes back to a hot path calls a stub that keeps every register: what is
//! live across a C call would have to live in memory on the hot path too.

use cranelift_codegen::ir::{ExtFuncData, ExternalName, FuncRef, InstBuilder, UserExternalName, Value};

use crate::runtime::data::WORD as WORD_BYTES;
use crate::runtime::table::Helper;

use super::abi::{Pairs, helper_type};
use super::code::{Code, displacement};

/// What becomes of the caller's registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Registers {
    /// All are kept; results come back in memory.
    Kept,
    /// As the platform's C convention has it.
    Free,
}

/// What a stub is told of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Caller {
    /// Nothing: the helper does not look at the stack.
    Unseen,
    /// The trace of a body's instruction.
    Body,
    /// The trace of a resume function's instruction, and its segment.
    Resume,
}

impl Caller {
    /// Who says so many words of itself.
    fn with_words(count: usize) -> Caller {
        [Caller::Unseen, Caller::Body, Caller::Resume][count]
    }

    /// How many words it says.
    pub(super) fn words(self) -> usize {
        self as usize
    }
}

/// What a stub does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Work {
    /// It calls its helper.
    Call,
    /// It drops a reference, and calls its helper where that was the last one.
    Drop,
    /// It does what its helper does for objects that it knows, whose count is one then, and else nothing that anybody
    /// could see. What it is told is how deep objects free each other.
    Free,
}

/// One of a unit's stubs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Stub {
    /// What it does.
    pub(super) work: Work,
    /// What it calls.
    pub(super) helper: Helper,
    /// What becomes of the registers.
    pub(super) registers: Registers,
    /// What it is told.
    pub(super) caller: Caller,
}

impl Ord for Stub {
    fn cmp(&self, other: &Stub) -> std::cmp::Ordering {
        let key = |stub: &Stub| (stub.helper as usize, stub.work, stub.registers, stub.caller);
        key(self).cmp(&key(other))
    }
}

impl PartialOrd for Stub {
    fn partial_cmp(&self, other: &Stub) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Stub {
    /// A name of its own.
    pub(super) fn name(self) -> String {
        let Stub { work, helper, registers, caller } = self;
        format!("{}.{work:?}.{registers:?}.{caller:?}", helper.name()).to_lowercase()
    }

    /// Writes it: leaves the site, calls the helper, and hands its results over.
    pub(super) fn write(self, mut code: Code<'_>) {
        let first = code.block();
        code.builder.append_block_params_for_function_params(first);
        code.enter(first);
        let params = code.builder.block_params(first).to_vec();
        if self.work == Work::Free {
            code.write_freeing(params[0], params[1]);
            return code.finish();
        }
        let (args, rest) = params.split_at(self.helper.args().len());
        let (words, place) = rest.split_at(self.caller.words());
        if self.work == Work::Drop {
            // Not a cold one, which would call a stub.
            let (dead, done) = (code.block(), code.block());
            code.count_down(args[0], dead, done);
            code.enter(done);
            code.builder.ins().return_(&[]);
            code.enter(dead);
        }
        code.leave_site_of_caller(words);
        let results = code.call(self.helper, args);
        match self.registers {
            Registers::Free => code.builder.ins().return_(&results),
            Registers::Kept => {
                for (number, result) in results.into_iter().enumerate() {
                    code.store(result, place[0], displacement(number * WORD_BYTES));
                }
                code.builder.ins().return_(&[])
            }
        };
        code.finish();
    }
}

impl Code<'_> {
    /// Whether the helper's results come back as a C function's do everywhere.
    pub(super) fn has_plain_results(&self, helper: Helper) -> bool {
        helper.results().len() < 2 || self.abi.pairs == Pairs::Registers
    }

    /// Calls a helper on a cold path, or anywhere in compact code.
    pub(super) fn call_stub(&mut self, helper: Helper, args: &[Value]) -> Vec<Value> {
        self.call_freely(Work::Call, helper, args)
    }

    /// Drops a reference to an object in compact code.
    pub(super) fn drop_by_stub(&mut self, object: Value) {
        self.call_freely(Work::Drop, Helper::Dealloc, &[object]);
    }

    /// Calls the stub that frees objects of the unit's classes.
    pub(super) fn free_aside(&mut self, object: Value) {
        let depth = self.word(0);
        self.free_nested(object, depth);
    }

    /// The same for an object that dies with another one, so deep.
    pub(super) fn free_nested(&mut self, object: Value, depth: Value) {
        let stub = self.stub((Work::Free, Helper::Dealloc), Registers::Kept, 1);
        self.builder.ins().call(stub, &[object, depth]);
    }

    fn call_freely(&mut self, work: Work, helper: Helper, args: &[Value]) -> Vec<Value> {
        let words = self.words_of_site(helper);
        let stub = self.stub((work, helper), Registers::Free, words.len());
        let args: Vec<Value> = args.iter().copied().chain(words).collect();
        let call = self.builder.ins().call(stub, &args);
        self.builder.inst_results(call).to_vec()
    }

    /// Calls a helper on a cold path that comes back to a hot one.
    pub(super) fn call_aside(&mut self, helper: Helper, args: &[Value]) -> Vec<Value> {
        let words = self.words_of_site(helper);
        let stub = self.stub((Work::Call, helper), Registers::Kept, words.len());
        let place = (!helper.results().is_empty()).then(|| self.pair_address());
        let args: Vec<Value> = args.iter().copied().chain(words).chain(place).collect();
        self.builder.ins().call(stub, &args);
        let place = place.into_iter();
        place
            .flat_map(|place| helper.results().iter().map(move |result| (place, result)))
            .enumerate()
            .map(|(number, (place, &word))| {
                self.load(helper_type(word), place, displacement(number * WORD_BYTES))
            })
            .collect()
    }

    fn stub(&mut self, (work, helper): (Work, Helper), registers: Registers, words: usize) -> FuncRef {
        let stub = Stub { work, helper, registers, caller: Caller::with_words(words) };
        if let Some(&known) = self.stubs.get(&stub) {
            return known;
        }
        let symbol = (self.declare_stub)(stub);
        let signature = self.builder.import_signature(self.abi.stub(stub));
        let name = UserExternalName::new(0, symbol.as_u32());
        let name = ExternalName::user(self.builder.func.declare_imported_user_function(name));
        let data = ExtFuncData { name, signature, colocated: true, patchable: false };
        let known = self.builder.import_function(data);
        self.stubs.insert(stub, known);
        known
    }
}
