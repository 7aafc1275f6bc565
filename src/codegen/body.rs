//! Bodies: the specialised version behind `(thread, depth, parameters…)`.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{FuncRef, InstBuilder, Value};
use rustc_hash::FxHashMap;

use crate::ir::{FuncId, Function};
use crate::runtime::table::Helper;

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
    let (thread, depth) = (params[0], params[1]);
    let mut cx = Lower::new(code, Parts { unit, func, version: Version::Body, thread, depth, callees });
    check_depth(&mut cx);
    if cx.keeps_depth {
        cx.store_depth(1);
    }
    enter_version(&mut cx, &params[2..]);
    cx.write_blocks();
}

/// No depth left: RecursionError is set, and no traceback entry added, since CPython never enters the
/// frame. The counter in the thread state is still the caller's.
fn check_depth(cx: &mut Lower<'_>) {
    let (exhausted, enough) = (cx.code.cold_block(), cx.code.block());
    let none_left = cx.code.compare_constant(IntCC::SignedLessThanOrEqual, cx.depth, 0);
    cx.code.builder.ins().brif(none_left, exhausted, &[], enough, &[]);
    cx.code.enter(exhausted);
    cx.code.call(Helper::DepthExhausted, &[cx.thread]);
    cx.return_failed();
    cx.code.enter(enough);
}

/// Goes to the version's first block.
pub(super) fn enter_version(cx: &mut Lower<'_>, params: &[Value]) {
    let first = cx.block(cx.func.entry());
    cx.code.jump(first, params);
}
