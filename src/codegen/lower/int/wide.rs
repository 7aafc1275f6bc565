//! Wide ints: two words, the low one first, for numbers that cross 64 bits in a running loop.
//!
//! They stay so far below 128 bits that no sum or difference wraps; one test of the high word then says
//! whether the result still is one. What is rare or long is a helper.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value};

use crate::codegen::abi::WORD;
use crate::codegen::lower::Lower;
use crate::ir::start::WIDE_BITS;
use crate::ir::{Imm, InstData};
use crate::runtime::table::Helper;

use super::{floor_remainder, known, signed};

/// The high word of the least number that is too large.
const HIGH_END: i64 = 1 << (WIDE_BITS - 64);

fn joined(cx: &mut Lower<'_>, at: &InstData, first: usize) -> Value {
    let (low, high) = (cx.arg(at, first), cx.arg(at, first + 1));
    cx.code.builder.ins().iconcat(low, high)
}

fn results(cx: &mut Lower<'_>, at: &InstData, low: Value, high: Value) {
    cx.set_value(at.results[0], low);
    cx.set_value(at.results[1], high);
}

/// Exits unless the words are those of a wide int.
fn checked(cx: &mut Lower<'_>, at: &InstData, low: Value, high: Value) {
    let shifted = cx.code.builder.ins().iadd_imm_s(high, HIGH_END);
    // Between -HIGH_END and HIGH_END, which is half of what a word holds.
    let outside = cx.code.compare_constant(IntCC::SignedLessThan, shifted, 0);
    cx.exit_if(outside);
    results(cx, at, low, high);
}

fn checked_whole(cx: &mut Lower<'_>, at: &InstData, whole: Value) {
    let (low, high) = cx.code.builder.ins().isplit(whole);
    checked(cx, at, low, high);
}

pub(in crate::codegen::lower) fn wide_product(cx: &mut Lower<'_>, at: &InstData) {
    let (a, b) = cx.args_two(at);
    let low = cx.code.builder.ins().imul(a, b);
    let high = cx.code.builder.ins().smulhi(a, b);
    checked(cx, at, low, high);
}

pub(in crate::codegen::lower) fn wide_add(cx: &mut Lower<'_>, at: &InstData) {
    let (a, b) = (joined(cx, at, 0), joined(cx, at, 2));
    let whole = cx.code.builder.ins().iadd(a, b);
    checked_whole(cx, at, whole);
}

pub(in crate::codegen::lower) fn wide_sub(cx: &mut Lower<'_>, at: &InstData) {
    let (a, b) = (joined(cx, at, 0), joined(cx, at, 2));
    let whole = cx.code.builder.ins().isub(a, b);
    checked_whole(cx, at, whole);
}

pub(in crate::codegen::lower) fn wide_mul(cx: &mut Lower<'_>, at: &InstData) {
    by_helper(cx, at, Helper::IntWideMul);
}

pub(in crate::codegen::lower) fn wide_floor_div(cx: &mut Lower<'_>, at: &InstData) {
    exit_if_zero(cx, at);
    by_helper(cx, at, Helper::IntWideFloorDiv);
}

pub(in crate::codegen::lower) fn wide_modulo(cx: &mut Lower<'_>, at: &InstData) {
    exit_if_zero(cx, at);
    by_helper(cx, at, Helper::IntWideMod);
}

fn by_helper(cx: &mut Lower<'_>, at: &InstData, helper: Helper) {
    let args = cx.values(&at.args);
    let (low, high) = cx.code.call_two(helper, &args);
    checked(cx, at, low, high);
}

fn exit_if_zero(cx: &mut Lower<'_>, at: &InstData) {
    let (low, high) = (cx.arg(at, 2), cx.arg(at, 3));
    let bits = cx.code.builder.ins().bor(low, high);
    let is_zero = cx.code.compare_constant(IntCC::Equal, bits, 0);
    cx.exit_if(is_zero);
}

/// Most numbers fit 64 bits most of the time: the machine divides those.
pub(in crate::codegen::lower) fn wide_mod_int(cx: &mut Lower<'_>, at: &InstData) {
    let (low, high, divisor) = cx.args_three(at);
    let is_safe = known(cx, at.args[2]).is_some_and(|divisor| divisor != 0 && divisor != -1);
    let (wide, done) = (cx.code.cold_block(), cx.code.block());
    let result = cx.code.builder.append_block_param(done, WORD);
    if !is_safe {
        let is_zero = cx.code.compare_constant(IntCC::Equal, divisor, 0);
        cx.exit_if(is_zero);
        let is_negative_one = cx.code.compare_constant(IntCC::Equal, divisor, -1);
        cx.code.branch_if(is_negative_one, wide);
    }
    let sign = cx.code.builder.ins().sshr_imm_u(low, 63);
    let is_wide = cx.code.compare(IntCC::NotEqual, sign, high);
    cx.code.branch_if(is_wide, wide);
    let remainder = floor_remainder(cx, low, divisor);
    cx.code.jump(done, &[remainder]);
    cx.code.enter(wide);
    let remainder = cx.code.call_aside(Helper::IntWideModInt, &[low, high, divisor])[0];
    cx.code.jump(done, &[remainder]);
    cx.code.enter(done);
    cx.result(at, result);
}

pub(in crate::codegen::lower) fn wide_shr(cx: &mut Lower<'_>, at: &InstData) {
    let whole = joined(cx, at, 0);
    let amount = cx.arg(at, 2);
    let whole = cx.code.builder.ins().sshr(whole, amount);
    let (low, high) = cx.code.builder.ins().isplit(whole);
    results(cx, at, low, high);
}

pub(in crate::codegen::lower) fn wide_compare(cx: &mut Lower<'_>, at: &InstData) {
    let Imm::Cmp(cmp) = at.imm else { unreachable!("the verifier checks immediates") };
    let (a, b) = (joined(cx, at, 0), joined(cx, at, 2));
    let truth = cx.code.compare(signed(cmp), a, b);
    cx.result(at, truth);
}

pub(in crate::codegen::lower) fn wide_narrow(cx: &mut Lower<'_>, at: &InstData) {
    let (low, high) = cx.args_two(at);
    let sign = cx.code.builder.ins().sshr_imm_u(low, 63);
    let is_wide = cx.code.compare(IntCC::NotEqual, sign, high);
    cx.exit_if(is_wide);
    cx.result(at, low);
}

pub(in crate::codegen::lower) fn box_wide(cx: &mut Lower<'_>, at: &InstData) {
    let (low, high) = cx.args_two(at);
    let object = cx.code.call_one(Helper::IntBoxWide, &[low, high]);
    cx.fail_if_null(object);
    cx.result(at, object);
}
