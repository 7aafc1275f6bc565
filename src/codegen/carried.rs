//! What a body carries along besides its parameters: the thread state and the depth.
//!
//! The thread state is in the pinned register, which no code of ours uses for anything else and C code
//! gives back as it found it. The depth is an argument; a body with several calls keeps what it passes on
//! in memory, so that neither holds a register across them.

use cranelift_codegen::ir::{InstBuilder, StackSlot, Value, types};

use super::abi::WORD;
use super::code::Code;
use super::lower::Lower;
use super::plan::nesting;
use crate::ir;

/// Where the thread state is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Thread {
    /// In the register that bodies find it in.
    Register,
    /// The same, in a function that C code has called: what was in the register before.
    Borrowed(StackSlot),
    /// An argument.
    Argument(Value),
}

/// Where the depth is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Depth {
    /// How many more calls may nest, this one counted.
    whole: Value,
    /// As much as that less so many levels, which most calls pass on.
    passed: Option<(StackSlot, i64)>,
}

/// How many calls on one level make memory cheaper than computing what they pass.
const CALLS_FOR_SLOT: usize = 3;

impl From<Value> for Depth {
    fn from(whole: Value) -> Depth {
        Depth { whole, passed: None }
    }
}

impl Code<'_> {
    /// In a function that C code calls: puts the thread state where bodies find it. The slot holds what C
    /// code had there.
    pub(super) fn lend_register(&mut self, thread: Value) -> StackSlot {
        let slot = self.slot(1);
        let before = self.builder.ins().get_pinned_reg(WORD);
        let address = self.slot_address(slot, 0);
        self.store(before, address, 0);
        self.builder.ins().set_pinned_reg(thread);
        slot
    }
}

impl Lower<'_> {
    /// The thread state.
    pub(super) fn thread(&mut self) -> Value {
        match self.thread {
            Thread::Register | Thread::Borrowed(_) => self.code.builder.ins().get_pinned_reg(WORD),
            Thread::Argument(thread) => thread,
        }
    }

    /// Puts the thread state's register back as C code wants to find it.
    pub(super) fn give_back_register(&mut self) {
        if let Thread::Borrowed(slot) = self.thread {
            let address = self.code.slot_address(slot, 0);
            let before = self.code.load(WORD, address, 0);
            self.code.builder.ins().set_pinned_reg(before);
        }
    }

    /// At the beginning of a body: keeps what its calls pass on, if there are several on one level.
    pub(super) fn keep_depth_for_calls(&mut self) {
        let mut levels: Vec<i64> = self.calls().map(|inst| self.levels(inst)).collect();
        levels.sort_unstable();
        let most = levels.chunk_by(|a, b| a == b).max_by_key(|same| same.len());
        let Some(&[level, ..]) = most.filter(|same| same.len() >= CALLS_FOR_SLOT) else { return };
        let slot = self.code.slot(1);
        let passed = self.depth_below(level);
        let address = self.code.slot_address(slot, 0);
        self.code.store(passed, address, 0);
        self.depth.passed = Some((slot, level));
    }

    fn calls(&self) -> impl Iterator<Item = ir::Inst> {
        let func = self.func;
        let insts = func.layout.iter().flat_map(|&block| &func.block(block).insts);
        insts.copied().filter(|&inst| func.inst(inst).op.calls_body())
    }

    /// How many levels of recursion the call's callee is below this body.
    pub(super) fn levels(&self, call: ir::Inst) -> i64 {
        let nesting = nesting(self.func, self.func.inst(call).site);
        i64::try_from(nesting).expect("counted budgets keep inlining shallow") + 1
    }

    /// How many more calls may nest, this one counted.
    pub(super) fn depth(&mut self) -> Value {
        let block = self.code.builder.current_block();
        let is_cold = block.is_some_and(|block| self.code.builder.func.layout.is_cold(block));
        match self.depth.passed {
            Some((slot, level)) if is_cold => {
                let passed = self.load_passed(slot);
                self.code.builder.ins().iadd_imm_s(passed, level)
            }
            _ => self.depth.whole,
        }
    }

    /// The depth of a callee so many levels below.
    pub(super) fn depth_below(&mut self, levels: i64) -> Value {
        match self.depth.passed {
            Some((slot, level)) if level == levels => self.load_passed(slot),
            _ => self.code.builder.ins().iadd_imm_s(self.depth.whole, -levels),
        }
    }

    fn load_passed(&mut self, slot: StackSlot) -> Value {
        let address = self.code.slot_address(slot, 0);
        self.code.load(WORD, address, 0)
    }

    /// Sets the thread state's counter to so many below this body's depth.
    pub(super) fn store_depth(&mut self, below: i64) {
        let depth = self.depth();
        let depth = self.code.builder.ins().iadd_imm_s(depth, -below);
        let counter = self.code.builder.ins().ireduce(types::I32, depth);
        let offset = self.code.layout.thread.recursion_remaining;
        let thread = self.thread();
        self.code.store(counter, thread, offset);
    }
}
