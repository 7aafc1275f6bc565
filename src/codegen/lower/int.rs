//! Unboxed ints. Division has its own file.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value, types};

use crate::ir;
use crate::ir::{Cmp, Imm, InstData, Op};
use crate::runtime::table::Helper;

use super::Lower;

mod division;
mod wide;

pub(super) use division::{div_unsigned, floor_div, floor_div_checked, mod_checked, mod_unsigned, modulo};
pub(super) use wide::{
    box_wide, wide_add, wide_compare, wide_floor_div, wide_mod_int, wide_modulo, wide_mul, wide_narrow,
    wide_product, wide_shr, wide_sub,
};

use division::floor_remainder;

/// Ints of at most this magnitude are doubles exactly.
const EXACT_AS_FLOAT: i64 = 1 << 53;

/// The value of an operand that is a constant.
fn known(cx: &Lower<'_>, value: ir::Value) -> Option<i64> {
    match cx.func.def_inst(value)? {
        InstData { op: Op::IntConst, imm: Imm::Int(known), .. } => Some(*known),
        _ => None,
    }
}

pub(super) fn constant(cx: &mut Lower<'_>, at: &InstData) {
    let Imm::Int(known) = at.imm else { unreachable!("the verifier checks immediates") };
    let value = cx.code.word(known);
    cx.result(at, value);
}

pub(super) fn add_checked(cx: &mut Lower<'_>, at: &InstData) {
    let (a, b) = cx.args_two(at);
    if let Some(step) = known(cx, at.args[1]) {
        return step_checked(cx, at, a, step);
    }
    if let Some(step) = known(cx, at.args[0]) {
        return step_checked(cx, at, b, step);
    }
    let (value, overflow) = cx.code.builder.ins().sadd_overflow(a, b);
    cx.exit_if(overflow);
    cx.result(at, value);
}

pub(super) fn sub_checked(cx: &mut Lower<'_>, at: &InstData) {
    let (a, b) = cx.args_two(at);
    if let Some(step) = known(cx, at.args[1]).and_then(i64::checked_neg) {
        return step_checked(cx, at, a, step);
    }
    let (value, overflow) = cx.code.builder.ins().ssub_overflow(a, b);
    cx.exit_if(overflow);
    cx.result(at, value);
}

/// Adds a constant: a sum on the wrong side of the operand has wrapped. Cranelift takes such a test for
/// one compare and branch, but sets a byte and tests it for an overflow flag.
fn step_checked(cx: &mut Lower<'_>, at: &InstData, value: Value, step: i64) {
    let sum = cx.code.builder.ins().iadd_imm_s(value, step);
    let wrong_side = if step < 0 { IntCC::SignedGreaterThan } else { IntCC::SignedLessThan };
    let wrapped = cx.code.compare(wrong_side, sum, value);
    cx.exit_if(wrapped);
    cx.result(at, sum);
}

pub(super) fn mul_checked(cx: &mut Lower<'_>, at: &InstData) {
    let (a, b) = cx.args_two(at);
    let (value, overflow) = cx.code.builder.ins().smul_overflow(a, b);
    cx.exit_if(overflow);
    cx.result(at, value);
}

pub(super) fn neg_checked(cx: &mut Lower<'_>, at: &InstData) {
    let a = cx.arg(at, 0);
    let zero = cx.code.word(0);
    let (value, overflow) = cx.code.builder.ins().ssub_overflow(zero, a);
    cx.exit_if(overflow);
    cx.result(at, value);
}

pub(super) fn abs_checked(cx: &mut Lower<'_>, at: &InstData) {
    let a = cx.arg(at, 0);
    let value = cx.code.builder.ins().iabs(a);
    // The magnitude of the least i64 wraps to itself.
    let overflow = cx.code.compare_constant(IntCC::SignedLessThan, value, 0);
    cx.exit_if(overflow);
    cx.result(at, value);
}

pub(super) fn shl_checked(cx: &mut Lower<'_>, at: &InstData) {
    let (a, b) = cx.args_two(at);
    if !known(cx, at.args[1]).is_some_and(|b| (0..64).contains(&b)) {
        let outside = cx.code.compare_constant(IntCC::UnsignedGreaterThan, b, 63);
        cx.exit_if(outside);
    }
    let value = cx.code.builder.ins().ishl(a, b);
    let back = cx.code.builder.ins().sshr(value, b);
    let lost = cx.code.compare(IntCC::NotEqual, back, a);
    cx.exit_if(lost);
    cx.result(at, value);
}

pub(super) fn shr_checked(cx: &mut Lower<'_>, at: &InstData) {
    let (a, b) = cx.args_two(at);
    if known(cx, at.args[1]).is_some_and(|b| (0..64).contains(&b)) {
        return shr(cx, at);
    }
    let negative = cx.code.compare_constant(IntCC::SignedLessThan, b, 0);
    cx.exit_if(negative);
    let most = cx.code.word(63);
    let amount = cx.code.builder.ins().smin(b, most);
    let value = cx.code.builder.ins().sshr(a, amount);
    cx.result(at, value);
}

pub(super) fn pow_checked(cx: &mut Lower<'_>, at: &InstData) {
    let (a, b) = cx.args_two(at);
    if known(cx, at.args[1]) == Some(2) {
        let (value, overflow) = cx.code.builder.ins().smul_overflow(a, a);
        cx.exit_if(overflow);
        return cx.result(at, value);
    }
    let (value, holds) = cx.code.call_two(Helper::IntPow, &[a, b]);
    cx.exit_unless(holds);
    cx.result(at, value);
}

pub(super) fn true_div_checked(cx: &mut Lower<'_>, at: &InstData) {
    let (a, b) = cx.args_two(at);
    let by_zero = cx.code.compare_constant(IntCC::Equal, b, 0);
    cx.exit_if(by_zero);
    let (large, done) = (cx.code.cold_block(), cx.code.block());
    let value = cx.code.builder.append_block_param(done, types::F64);
    let (a_shifted, b_shifted) = (offset_to_unsigned(cx, a), offset_to_unsigned(cx, b));
    let either = cx.code.builder.ins().bor(a_shifted, b_shifted);
    let exact = cx.code.compare_constant(IntCC::UnsignedLessThan, either, 2 * EXACT_AS_FLOAT);
    cx.code.branch_unless(exact, large);
    let quotient = float_quotient(cx, a, b);
    cx.code.jump(done, &[quotient]);
    cx.code.enter(large);
    let quotient = cx.code.call_aside(Helper::IntTrueDiv, &[a, b])[0];
    cx.code.jump(done, &[quotient]);
    cx.code.enter(done);
    cx.result(at, value);
}

/// What is below `2 * EXACT_AS_FLOAT`, unsigned, exactly when the value is a double exactly (the
/// power of two itself left out).
fn offset_to_unsigned(cx: &mut Lower<'_>, value: Value) -> Value {
    cx.code.builder.ins().iadd_imm_s(value, EXACT_AS_FLOAT)
}

fn float_quotient(cx: &mut Lower<'_>, a: Value, b: Value) -> Value {
    let a = cx.code.builder.ins().fcvt_from_sint(types::F64, a);
    let b = cx.code.builder.ins().fcvt_from_sint(types::F64, b);
    cx.code.builder.ins().fdiv(a, b)
}

pub(super) fn add(cx: &mut Lower<'_>, at: &InstData) {
    let (a, b) = cx.args_two(at);
    let value = cx.code.builder.ins().iadd(a, b);
    cx.result(at, value);
}

pub(super) fn sub(cx: &mut Lower<'_>, at: &InstData) {
    let (a, b) = cx.args_two(at);
    if let Some(b) = known(cx, at.args[1]) {
        // As a sum, for which the machine has an instruction of three operands.
        let value = cx.code.builder.ins().iadd_imm_s(a, b.wrapping_neg());
        return cx.result(at, value);
    }
    let value = cx.code.builder.ins().isub(a, b);
    cx.result(at, value);
}

pub(super) fn mul(cx: &mut Lower<'_>, at: &InstData) {
    let (a, b) = cx.args_two(at);
    let value = cx.code.builder.ins().imul(a, b);
    cx.result(at, value);
}

pub(super) fn neg(cx: &mut Lower<'_>, at: &InstData) {
    let a = cx.arg(at, 0);
    let value = cx.code.builder.ins().ineg(a);
    cx.result(at, value);
}

pub(super) fn abs(cx: &mut Lower<'_>, at: &InstData) {
    let a = cx.arg(at, 0);
    let value = cx.code.builder.ins().iabs(a);
    cx.result(at, value);
}

pub(super) fn shl(cx: &mut Lower<'_>, at: &InstData) {
    let (a, b) = cx.args_two(at);
    let value = cx.code.builder.ins().ishl(a, b);
    cx.result(at, value);
}

pub(super) fn shr(cx: &mut Lower<'_>, at: &InstData) {
    let (a, b) = cx.args_two(at);
    let value = cx.code.builder.ins().sshr(a, b);
    cx.result(at, value);
}

pub(super) fn true_div(cx: &mut Lower<'_>, at: &InstData) {
    let (a, b) = cx.args_two(at);
    let value = float_quotient(cx, a, b);
    cx.result(at, value);
}

pub(super) fn and(cx: &mut Lower<'_>, at: &InstData) {
    let (a, b) = cx.args_two(at);
    let value = cx.code.builder.ins().band(a, b);
    cx.result(at, value);
}

pub(super) fn or(cx: &mut Lower<'_>, at: &InstData) {
    let (a, b) = cx.args_two(at);
    let value = cx.code.builder.ins().bor(a, b);
    cx.result(at, value);
}

pub(super) fn xor(cx: &mut Lower<'_>, at: &InstData) {
    let (a, b) = cx.args_two(at);
    let value = cx.code.builder.ins().bxor(a, b);
    cx.result(at, value);
}

pub(super) fn invert(cx: &mut Lower<'_>, at: &InstData) {
    let a = cx.arg(at, 0);
    let value = cx.code.builder.ins().bnot(a);
    cx.result(at, value);
}

pub(super) fn min(cx: &mut Lower<'_>, at: &InstData) {
    let (a, b) = cx.args_two(at);
    let value = cx.code.builder.ins().smin(a, b);
    cx.result(at, value);
}

pub(super) fn max(cx: &mut Lower<'_>, at: &InstData) {
    let (a, b) = cx.args_two(at);
    let value = cx.code.builder.ins().smax(a, b);
    cx.result(at, value);
}

fn signed(cmp: Cmp) -> IntCC {
    match cmp {
        Cmp::Lt => IntCC::SignedLessThan,
        Cmp::Le => IntCC::SignedLessThanOrEqual,
        Cmp::Eq => IntCC::Equal,
        Cmp::Ne => IntCC::NotEqual,
        Cmp::Gt => IntCC::SignedGreaterThan,
        Cmp::Ge => IntCC::SignedGreaterThanOrEqual,
    }
}

pub(super) fn compare(cx: &mut Lower<'_>, at: &InstData) {
    let Imm::Cmp(cmp) = at.imm else { unreachable!("the verifier checks immediates") };
    let (a, b) = cx.args_two(at);
    let value = cx.code.compare(signed(cmp), a, b);
    cx.result(at, value);
}

/// Doubles hold small ints exactly, so one float comparison decides; the helper compares the others.
pub(super) fn compare_float(cx: &mut Lower<'_>, at: &InstData) {
    let Imm::Cmp(cmp) = at.imm else { unreachable!("the verifier checks immediates") };
    let (a, b) = cx.args_two(at);
    let (large, done) = (cx.code.cold_block(), cx.code.block());
    let value = cx.code.builder.append_block_param(done, types::I8);
    let shifted = offset_to_unsigned(cx, a);
    let exact = cx.code.compare_constant(IntCC::UnsignedLessThan, shifted, 2 * EXACT_AS_FLOAT);
    cx.code.branch_unless(exact, large);
    let as_float = cx.code.builder.ins().fcvt_from_sint(types::F64, a);
    let truth = cx.code.builder.ins().fcmp(super::float::condition(cmp), as_float, b);
    cx.code.jump(done, &[truth]);
    cx.code.enter(large);
    let order = cx.code.call_aside(Helper::IntCompareFloat, &[a, b])[0];
    let truth = truth_of_order(cx, cmp, order);
    cx.code.jump(done, &[truth]);
    cx.code.enter(done);
    cx.result(at, value);
}

/// The comparison's truth from an order of -1, 0 or 1, or 2 for a NaN, for which only `!=` holds.
fn truth_of_order(cx: &mut Lower<'_>, cmp: Cmp, order: Value) -> Value {
    match cmp {
        Cmp::Lt | Cmp::Le => cx.code.compare_constant(signed(cmp), order, 0),
        Cmp::Eq | Cmp::Ne => cx.code.compare_constant(signed(cmp), order, 0),
        Cmp::Gt => cx.code.compare_constant(IntCC::Equal, order, 1),
        Cmp::Ge => cx.code.compare_constant(IntCC::UnsignedLessThanOrEqual, order, 1),
    }
}

pub(super) fn to_float(cx: &mut Lower<'_>, at: &InstData) {
    let a = cx.arg(at, 0);
    let value = cx.code.builder.ins().fcvt_from_sint(types::F64, a);
    cx.result(at, value);
}

pub(super) fn range_len(cx: &mut Lower<'_>, at: &InstData) {
    let (start, stop, step) = cx.args_three(at);
    let (from, to) = match known(cx, at.args[2]) {
        Some(1) => (start, stop),
        Some(-1) => (stop, start),
        _ => {
            let (value, holds) = cx.code.call_two(Helper::IntRangeLen, &[start, stop, step]);
            cx.exit_unless(holds);
            return cx.result(at, value);
        }
    };
    let (distance, overflow) = cx.code.builder.ins().ssub_overflow(to, from);
    cx.exit_if(overflow);
    let zero = cx.code.word(0);
    let value = cx.code.builder.ins().smax(distance, zero);
    cx.result(at, value);
}

pub(super) fn box_int(cx: &mut Lower<'_>, at: &InstData) {
    let a = cx.arg(at, 0);
    let object = cx.code.call_one(Helper::IntBox, &[a]);
    cx.fail_if_null(object);
    cx.result(at, object);
}
