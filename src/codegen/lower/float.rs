//! Unboxed floats. No contraction, no reassociation: each op rounds as CPython's does.

use cranelift_codegen::ir::condcodes::FloatCC;
use cranelift_codegen::ir::immediates::Ieee64;
use cranelift_codegen::ir::{InstBuilder, Value};

use crate::ir::{Cmp, Imm, InstData, MathFn};
use crate::runtime::data::{Fixed, WORD as WORD_BYTES};
use crate::runtime::table::Helper;

use super::Lower;
use crate::codegen::abi::WORD;
use crate::codegen::code::displacement;

/// 2**63 as a double: the first that is too large for an i64.
const TOO_LARGE: f64 = 9_223_372_036_854_775_808.0;

pub(super) fn constant(cx: &mut Lower<'_>, at: &InstData) {
    let Imm::Float(bits) = at.imm else { unreachable!("the verifier checks immediates") };
    let value = cx.code.builder.ins().f64const(Ieee64::with_bits(bits));
    cx.result(at, value);
}

pub(super) fn add(cx: &mut Lower<'_>, at: &InstData) {
    let (a, b) = cx.args_two(at);
    let value = cx.code.builder.ins().fadd(a, b);
    cx.result(at, value);
}

pub(super) fn sub(cx: &mut Lower<'_>, at: &InstData) {
    let (a, b) = cx.args_two(at);
    let value = cx.code.builder.ins().fsub(a, b);
    cx.result(at, value);
}

pub(super) fn mul(cx: &mut Lower<'_>, at: &InstData) {
    let (a, b) = cx.args_two(at);
    let value = cx.code.builder.ins().fmul(a, b);
    cx.result(at, value);
}

fn exit_if_zero(cx: &mut Lower<'_>, value: Value) {
    let zero = cx.code.builder.ins().f64const(0.0);
    let is_zero = cx.code.builder.ins().fcmp(FloatCC::Equal, value, zero);
    cx.exit_if(is_zero);
}

pub(super) fn div_checked(cx: &mut Lower<'_>, at: &InstData) {
    let divisor = cx.arg(at, 1);
    exit_if_zero(cx, divisor);
    div(cx, at);
}

pub(super) fn div(cx: &mut Lower<'_>, at: &InstData) {
    let (a, b) = cx.args_two(at);
    let value = cx.code.builder.ins().fdiv(a, b);
    cx.result(at, value);
}

pub(super) fn floor_div_checked(cx: &mut Lower<'_>, at: &InstData) {
    let (a, b) = cx.args_two(at);
    exit_if_zero(cx, b);
    let value = cx.code.call_one(Helper::FloatFloorDiv, &[a, b]);
    cx.result(at, value);
}

pub(super) fn mod_checked(cx: &mut Lower<'_>, at: &InstData) {
    let (a, b) = cx.args_two(at);
    exit_if_zero(cx, b);
    let value = cx.code.call_one(Helper::FloatMod, &[a, b]);
    cx.result(at, value);
}

pub(super) fn pow_checked(cx: &mut Lower<'_>, at: &InstData) {
    let (a, b) = cx.args_two(at);
    let (value, holds) = cx.code.call_two(Helper::FloatPow, &[a, b]);
    cx.exit_unless(holds);
    cx.result(at, value);
}

pub(super) fn neg(cx: &mut Lower<'_>, at: &InstData) {
    let a = cx.arg(at, 0);
    let value = cx.code.builder.ins().fneg(a);
    cx.result(at, value);
}

pub(super) fn abs(cx: &mut Lower<'_>, at: &InstData) {
    let a = cx.arg(at, 0);
    let value = cx.code.builder.ins().fabs(a);
    cx.result(at, value);
}

/// Cranelift's ordered comparisons are false for a NaN, its `NotEqual` is true for one.
pub(super) fn condition(cmp: Cmp) -> FloatCC {
    match cmp {
        Cmp::Lt => FloatCC::LessThan,
        Cmp::Le => FloatCC::LessThanOrEqual,
        Cmp::Eq => FloatCC::Equal,
        Cmp::Ne => FloatCC::NotEqual,
        Cmp::Gt => FloatCC::GreaterThan,
        Cmp::Ge => FloatCC::GreaterThanOrEqual,
    }
}

pub(super) fn compare(cx: &mut Lower<'_>, at: &InstData) {
    let Imm::Cmp(cmp) = at.imm else { unreachable!("the verifier checks immediates") };
    let (a, b) = cx.args_two(at);
    let value = cx.code.builder.ins().fcmp(condition(cmp), a, b);
    cx.result(at, value);
}

pub(super) fn floor(cx: &mut Lower<'_>, at: &InstData) {
    let a = cx.arg(at, 0);
    let value = cx.code.builder.ins().floor(a);
    cx.result(at, value);
}

pub(super) fn ceil(cx: &mut Lower<'_>, at: &InstData) {
    let a = cx.arg(at, 0);
    let value = cx.code.builder.ins().ceil(a);
    cx.result(at, value);
}

pub(super) fn trunc(cx: &mut Lower<'_>, at: &InstData) {
    let a = cx.arg(at, 0);
    let value = cx.code.builder.ins().trunc(a);
    cx.result(at, value);
}

pub(super) fn nearest(cx: &mut Lower<'_>, at: &InstData) {
    let a = cx.arg(at, 0);
    let value = cx.code.builder.ins().nearest(a);
    cx.result(at, value);
}

pub(super) fn sqrt(cx: &mut Lower<'_>, at: &InstData) {
    let a = cx.arg(at, 0);
    let value = cx.code.builder.ins().sqrt(a);
    cx.result(at, value);
}

pub(super) fn to_int_checked(cx: &mut Lower<'_>, at: &InstData) {
    let a = cx.arg(at, 0);
    let least = cx.code.builder.ins().f64const(-TOO_LARGE);
    let limit = cx.code.builder.ins().f64const(TOO_LARGE);
    let above = cx.code.builder.ins().fcmp(FloatCC::GreaterThanOrEqual, a, least);
    let below = cx.code.builder.ins().fcmp(FloatCC::LessThan, a, limit);
    let fits = cx.code.builder.ins().band(above, below);
    cx.exit_unless(fits);
    let value = cx.code.builder.ins().fcvt_to_sint_sat(WORD, a);
    cx.result(at, value);
}

pub(super) fn math(cx: &mut Lower<'_>, at: &InstData) {
    let Imm::Math(function) = at.imm else { unreachable!("the verifier checks immediates") };
    let row = MathFn::ALL.iter().position(|&other| other == function).expect("every function is in the list");
    let args = cx.values(&at.args);
    let table = cx.code.fixed(Fixed::Math);
    let callee = cx.code.load(WORD, table, displacement(row * WORD_BYTES));
    let signature = cx.code.abi.math(args.len());
    let signature = cx.code.builder.import_signature(signature);
    let call = cx.code.builder.ins().call_indirect(signature, callee, &args);
    let value = cx.code.builder.inst_results(call)[0];
    cx.result(at, value);
}

pub(super) fn box_float(cx: &mut Lower<'_>, at: &InstData) {
    let a = cx.arg(at, 0);
    let exit = cx.exit_block();
    cx.code.branch_if_nan(a, exit);
    let object = cx.code.call_one(Helper::FloatBox, &[a]);
    cx.fail_if_null(object);
    cx.result(at, object);
}
