//! Bodies: the specialised version behind `(depth, parameters…)`, with the thread state in its register.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{FuncRef, InstBuilder, Value};
use rustc_hash::FxHashMap;

use crate::ir::{FuncId, Function, Inst, Op};
use crate::runtime::table::Helper;

use super::carried::Thread;
use super::code::Code;
use super::lower::{Lower, Parts, Version};
use super::unit::UnitContext;

/// Writes the body of a function.
pub(super) fn write_body(
    mut code: Code<'_>,
    unit: &UnitContext<'_>,
    func: &Function,
    callees: FxHashMap<FuncId, FuncRef>,
) {
    let first = code.block();
    code.builder.append_block_params_for_function_params(first);
    code.enter(first);
    let params = code.builder.block_params(first).to_vec();
    let depth = params[0];
    let parts = Parts { unit, func, version: Version::Body, thread: Thread::Register, depth, callees };
    let mut cx = Lower::new(code, parts);
    cx.keep_depth_for_calls();
    if cx.first_depth_guard().is_none() {
        cx.fail_if_exhausted();
    }
    if cx.keeps_depth {
        cx.store_depth(1);
    }
    enter_version(&mut cx, &params[1..]);
    cx.write_blocks();
}

impl Lower<'_> {
    /// The guard that a body begins with and that a depth of 0 fails too: one test on the hot path does
    /// for both. A body that keeps the counter in the thread state has changed it by then, and a forced
    /// exit would come before the test.
    pub(super) fn first_depth_guard(&self) -> Option<Inst> {
        let first = self.func.block(self.func.entry()).insts.first().copied();
        first.filter(|&first| {
            self.version == Version::Body
                && !self.keeps_depth
                && !self.unit.forces_exits
                && self.func.inst(first).op == Op::GuardDepth
        })
    }

    /// No depth left: RecursionError is set, and no traceback entry added, since CPython never enters the
    /// frame. The counter in the thread state is still the caller's.
    pub(super) fn fail_if_exhausted(&mut self) {
        let (exhausted, enough) = (self.code.cold_block(), self.code.block());
        let depth = self.depth();
        let none_left = self.code.compare_constant(IntCC::SignedLessThanOrEqual, depth, 0);
        self.code.builder.ins().brif(none_left, exhausted, &[], enough, &[]);
        self.code.enter(exhausted);
        let thread = self.thread();
        self.code.call(Helper::DepthExhausted, &[thread]);
        self.return_failed();
        self.code.enter(enough);
    }
}

/// Goes to the version's first block.
pub(super) fn enter_version(cx: &mut Lower<'_>, params: &[Value]) {
    let first = cx.block(cx.func.entry());
    cx.code.jump(first, params);
}
