//! Direct calls of specialised bodies.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value};

use crate::ir::{Imm, InstData};

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

fn call_body(cx: &mut Lower<'_>, at: &InstData) -> Vec<Value> {
    let Imm::Func(callee) = at.imm else { unreachable!("the verifier checks immediates") };
    let levels = cx.levels(cx.inst);
    let depth = cx.depth_below(levels);
    let args: Vec<Value> = [depth].into_iter().chain(cx.values(&at.args)).collect();
    cx.code.locate(cx.code.place.trace);
    let call = match cx.callees.get(&callee) {
        Some(&known) => cx.code.builder.ins().call(known, &args),
        None => {
            let signature = cx.code.abi.body(&cx.unit.unit.function(callee).signature);
            let signature = cx.code.builder.import_signature(signature);
            let address = cx.code.data_address();
            let offset = displacement(cx.code.data.body(callee.index()));
            let body = cx.code.load(WORD, address, offset);
            cx.code.builder.ins().call_indirect(signature, body, &args)
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
