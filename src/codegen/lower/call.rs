//! Direct calls of specialised bodies.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, InstBuilder, Value};

use crate::ir;
use crate::ir::{FuncId, Imm, InstData};

use super::Lower;
use super::object::number;
use crate::codegen::abi::{WORD, machine_type};
use crate::codegen::code::displacement;
use crate::runtime::data::Fixed;
use crate::runtime::table::Helper;

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

pub(super) fn guessed(cx: &mut Lower<'_>, at: &InstData) {
    let done = cx.code.block();
    let result = cx.code.builder.append_block_param(done, WORD);
    let other = compare_callees(cx, at, |cx, results| cx.code.jump(done, &results[..1]));
    cx.code.enter(other);
    let object = call_as_object(cx, at);
    cx.code.jump(done, &[object]);
    cx.code.enter(done);
    cx.fail_if_null(result);
    if cx.keeps_depth {
        // The callee may have called others that left their own depth behind.
        cx.store_depth(1);
    }
    cx.result(at, result);
}

pub(super) fn guessed_number(cx: &mut Lower<'_>, at: &InstData) {
    let ty = cx.func.ty(at.results[0]);
    let done = cx.code.block();
    let result = cx.code.builder.append_block_param(done, machine_type(ty));
    let status = cx.code.builder.append_block_param(done, WORD);
    let other = compare_callees(cx, at, |cx, results| cx.code.jump(done, &results[..2]));
    cx.code.enter(other);
    let object = call_as_object(cx, at);
    let (boxed, failed) = (cx.code.block(), cx.code.cold_block());
    cx.code.branch_unless(object, failed);
    let value = match ty {
        ir::Type::I64 => {
            cx.code.require_type(object, Fixed::IntType, boxed);
            cx.code.unbox_int(object, boxed)
        }
        ir::Type::F64 => {
            cx.code.require_type(object, Fixed::FloatType, boxed);
            cx.code.unbox_float(object, boxed)
        }
        ir::Type::Bool => cx.code.unbox_bool(object, boxed),
        ir::Type::Obj => unreachable!("the verifier checks results"),
    };
    cx.code.dec_ref(object);
    let holds = cx.code.word(0);
    cx.code.jump(done, &[value, holds]);
    let nothing = |cx: &mut Lower<'_>| match ty {
        ir::Type::F64 => cx.code.builder.ins().f64const(0.0),
        ty => cx.code.builder.ins().iconst(machine_type(ty), 0),
    };
    cx.code.enter(boxed);
    let value = nothing(cx);
    cx.code.jump(done, &[value, object]);
    cx.code.enter(failed);
    let (value, raised) = (nothing(cx), cx.code.word(1));
    cx.code.jump(done, &[value, raised]);
    cx.code.enter(done);
    check_status(cx, status);
    if cx.keeps_depth {
        cx.store_depth(1);
    }
    cx.result(at, result);
}

/// Compares what a lookup gave with the functions that it probably is, and calls the body of the one that it is, whose
/// results `take` gets; the block where it is none of them.
fn compare_callees(
    cx: &mut Lower<'_>,
    at: &InstData,
    mut take: impl FnMut(&mut Lower<'_>, &[Value]),
) -> Block {
    let Imm::Guess(row) = at.imm else { unreachable!("the verifier checks immediates") };
    let unit = cx.unit.unit;
    let (function, with) = cx.args_two(at);
    let args = body_args(cx, &at.args[1..]);
    let other = cx.code.block();
    // What is no method is called without the object.
    let none = cx.code.fixed(Fixed::None);
    let is_bare = cx.code.compare(IntCC::Equal, with, none);
    cx.code.branch_if(is_bare, other);
    let callees = &unit.guesses[row as usize];
    for (position, &callee) in callees.iter().enumerate() {
        let wanted = cx.code.data_word(cx.code.data.callable(callee.index()));
        let same = cx.code.compare(IntCC::Equal, function, wanted);
        let here = cx.code.block();
        let next = if position + 1 < callees.len() { cx.code.block() } else { other };
        cx.code.builder.ins().brif(same, here, &[], next, &[]);
        cx.code.enter(here);
        let results = call(cx, callee, &args);
        take(cx, &results);
        if next != other {
            cx.code.enter(next);
        }
    }
    other
}

/// Calls what a lookup gave with objects: numbers get boxes, which die behind the call. Null where anything failed.
fn call_as_object(cx: &mut Lower<'_>, at: &InstData) -> Value {
    let function = cx.arg(at, 0);
    let slot = cx.scratch(at.args.len());
    let mut boxes = Vec::new();
    for (position, &operand) in at.args[1..].iter().enumerate() {
        let value = cx.value(operand);
        let object = match cx.func.ty(operand) {
            ir::Type::Obj => value,
            ir::Type::Bool => {
                let (yes, no) = (cx.code.fixed(Fixed::True), cx.code.fixed(Fixed::False));
                cx.code.builder.ins().select(value, yes, no)
            }
            ty => {
                let helper = if ty == ir::Type::F64 { Helper::FloatBox } else { Helper::IntBox };
                let object = cx.code.call_one(helper, &[value]);
                boxes.push(object);
                object
            }
        };
        let address = cx.code.slot_address(slot, position + 1);
        cx.code.store(object, address, 0);
    }
    let done = cx.code.block();
    let result = cx.code.builder.append_block_param(done, WORD);
    let failed = cx.code.cold_block();
    for &object in &boxes {
        cx.code.branch_unless(object, failed);
    }
    let operands = cx.code.slot_address(slot, 0);
    let (count, names) = (number(cx, at.args.len() - 2), cx.code.word(0));
    let object = cx.code.call_one(Helper::ObjCallMethod, &[function, operands, count, names]);
    for &held in &boxes {
        cx.code.dec_ref(held);
    }
    cx.code.jump(done, &[object]);
    cx.code.enter(failed);
    for &object in &boxes {
        let (made, next) = (cx.code.block(), cx.code.block());
        cx.code.builder.ins().brif(object, made, &[], next, &[]);
        cx.code.enter(made);
        cx.code.dec_ref(object);
        cx.code.jump(next, &[]);
        cx.code.enter(next);
    }
    let nothing = cx.code.word(0);
    cx.code.jump(done, &[nothing]);
    cx.code.enter(done);
    result
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
