//! Direct calls of specialised bodies.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value};

use crate::ir;
use crate::ir::{FuncId, Imm, InstData};

use super::Lower;
use crate::codegen::abi::WORD;
use crate::codegen::code::displacement;

pub(super) fn direct(cx: &mut Lower<'_>, at: &InstData) {
    let results = call_body(cx, at);
    let (value, status) = (results[0], results.get(1).copied());
    match status {
        None => cx.fail_if_null(value),
        Some(status) => check_status(cx, status),
    }
    if cx.keeps_depth {
        // The callee may have called others that left their own depth behind.
        cx.store_depth(1);
    }
    cx.result(at, value);
}

pub(super) fn quiet(cx: &mut Lower<'_>, at: &InstData) {
    direct(cx, at);
}

pub(super) fn one_of(cx: &mut Lower<'_>, at: &InstData) {
    let Imm::Dispatch(class, method) = at.imm else { unreachable!("the verifier checks immediates") };
    let targets = cx.unit.unit.targets(class, method);
    let args = body_args(cx, &at.args[1..]);
    let number = cx.arg(at, 0);
    let done = cx.code.block();
    let result = cx.code.builder.append_block_param(done, WORD);
    for (position, &(_, callee)) in targets.iter().enumerate() {
        let next = (position + 1 < targets.len()).then(|| cx.code.block());
        if let Some(next) = next {
            let position = i64::try_from(position).expect("a method has few targets");
            let differs = cx.code.compare_constant(IntCC::NotEqual, number, position);
            let here = cx.code.block();
            cx.code.builder.ins().brif(differs, next, &[], here, &[]);
            cx.code.enter(here);
        }
        let value = call(cx, callee, &args)[0];
        cx.code.jump(done, &[value]);
        if let Some(next) = next {
            cx.code.enter(next);
        }
    }
    cx.code.enter(done);
    cx.fail_if_null(result);
    if cx.keeps_depth {
        cx.store_depth(1);
    }
    cx.result(at, result);
}

fn call_body(cx: &mut Lower<'_>, at: &InstData) -> Vec<Value> {
    let Imm::Func(callee) = at.imm else { unreachable!("the verifier checks immediates") };
    let args = body_args(cx, &at.args);
    call(cx, callee, &args)
}

/// What a body is called with.
fn body_args(cx: &mut Lower<'_>, args: &[ir::Value]) -> Vec<Value> {
    let levels = cx.levels(cx.inst);
    let depth = cx.depth_below(levels);
    [depth].into_iter().chain(cx.values(args)).collect()
}

fn call(cx: &mut Lower<'_>, callee: FuncId, args: &[Value]) -> Vec<Value> {
    cx.code.locate(cx.code.place.trace);
    let call = match cx.callees.get(&callee) {
        Some(&known) => cx.code.builder.ins().call(known, args),
        None => {
            let signature = cx.code.abi.body(&cx.unit.unit.function(callee).signature);
            let signature = cx.code.builder.import_signature(signature);
            let address = cx.code.data_address();
            let offset = displacement(cx.code.data.body(callee.index()));
            let body = cx.code.load(WORD, address, offset);
            cx.code.builder.ins().call_indirect(signature, body, args)
        }
    };
    cx.code.locate(None);
    cx.code.builder.inst_results(call).to_vec()
}

/// Goes on when the value holds; unwinds for an error, and takes the exit when the callee's generic
/// version has returned an object.
fn check_status(cx: &mut Lower<'_>, status: Value) {
    let inst = cx.inst;
    let (other, holds) = (cx.code.cold_block(), cx.code.block());
    cx.code.builder.ins().brif(status, other, &[], holds, &[]);
    cx.code.enter(other);
    let error = cx.error_block();
    let failed = cx.code.compare_constant(IntCC::Equal, status, 1);
    cx.code.branch_if(failed, error);
    let number = cx.unit.plan.exit(cx.func.id, inst);
    cx.store_exit(inst);
    cx.resume_with_result(number, status);
    cx.code.enter(holds);
}
