//! Floor division and modulo.
//!
//! The machine's division truncates and traps for a zero divisor and for the least i64 by -1. Divisors
//! 0 and -1 go a cold way around it; a remainder whose sign is not the divisor's is mended on a cold
//! path too, which costs less than a conditional move on the hot one.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, InstBuilder, Value};

use crate::codegen::abi::WORD;
use crate::codegen::lower::Lower;
use crate::ir::InstData;

use super::known;

pub(in crate::codegen::lower) fn floor_div_checked(cx: &mut Lower<'_>, at: &InstData) {
    match known(cx, at.args[1]) {
        Some(0) => exit_always(cx, at),
        Some(-1) => negate(cx, at),
        Some(_) => floor_div(cx, at),
        None => {
            let done = result_block(cx);
            let (a, b) = cx.args_two(at);
            let special = enter_special(cx, b);
            let quotient = floor_quotient(cx, a, b);
            cx.code.jump(done, &[quotient]);
            cx.code.enter(special);
            exit_if_zero(cx, b);
            let zero = cx.code.word(0);
            let (quotient, overflow) = cx.code.builder.ins().ssub_overflow(zero, a);
            cx.exit_if(overflow);
            cx.code.jump(done, &[quotient]);
            finish(cx, at, done);
        }
    }
}

pub(in crate::codegen::lower) fn mod_checked(cx: &mut Lower<'_>, at: &InstData) {
    match known(cx, at.args[1]) {
        Some(0) => exit_always(cx, at),
        Some(-1) => {
            let zero = cx.code.word(0);
            cx.result(at, zero);
        }
        Some(_) => modulo(cx, at),
        None => {
            let done = result_block(cx);
            let (a, b) = cx.args_two(at);
            let special = enter_special(cx, b);
            let remainder = floor_remainder(cx, a, b);
            cx.code.jump(done, &[remainder]);
            cx.code.enter(special);
            exit_if_zero(cx, b);
            let zero = cx.code.word(0);
            cx.code.jump(done, &[zero]);
            finish(cx, at, done);
        }
    }
}

pub(in crate::codegen::lower) fn floor_div(cx: &mut Lower<'_>, at: &InstData) {
    let (a, b) = cx.args_two(at);
    let value = match power_of_two(cx, at) {
        Some(shift) => cx.code.builder.ins().sshr_imm_u(a, shift),
        None => floor_quotient(cx, a, b),
    };
    cx.result(at, value);
}

pub(in crate::codegen::lower) fn modulo(cx: &mut Lower<'_>, at: &InstData) {
    let (a, b) = cx.args_two(at);
    let value = match power_of_two(cx, at) {
        Some(shift) => cx.code.builder.ins().band_imm_s(a, (1_i64 << shift) - 1),
        None => floor_remainder(cx, a, b),
    };
    cx.result(at, value);
}

pub(in crate::codegen::lower) fn div_unsigned(cx: &mut Lower<'_>, at: &InstData) {
    let (a, b) = cx.args_two(at);
    let value = cx.code.builder.ins().udiv(a, b);
    cx.result(at, value);
}

pub(in crate::codegen::lower) fn mod_unsigned(cx: &mut Lower<'_>, at: &InstData) {
    let (a, b) = cx.args_two(at);
    let value = cx.code.builder.ins().urem(a, b);
    cx.result(at, value);
}

/// The exponent of a constant divisor that is a power of two.
fn power_of_two(cx: &Lower<'_>, at: &InstData) -> Option<i64> {
    let divisor = known(cx, at.args[1]).filter(|&divisor| divisor > 0)?;
    (divisor & (divisor - 1) == 0).then(|| i64::from(divisor.trailing_zeros()))
}

fn exit_always(cx: &mut Lower<'_>, at: &InstData) {
    let always = cx.code.builder.ins().iconst(crate::codegen::abi::BOOL, 1);
    cx.exit_if(always);
    let nothing = cx.code.word(0);
    cx.result(at, nothing);
}

fn negate(cx: &mut Lower<'_>, at: &InstData) {
    let a = cx.arg(at, 0);
    let zero = cx.code.word(0);
    let (value, overflow) = cx.code.builder.ins().ssub_overflow(zero, a);
    cx.exit_if(overflow);
    cx.result(at, value);
}

fn result_block(cx: &mut Lower<'_>) -> Block {
    let done = cx.code.block();
    cx.code.builder.append_block_param(done, WORD);
    done
}

fn finish(cx: &mut Lower<'_>, at: &InstData, done: Block) {
    cx.code.enter(done);
    let value = cx.code.builder.block_params(done)[0];
    cx.result(at, value);
}

/// Goes to the returned block for the divisors 0 and -1.
fn enter_special(cx: &mut Lower<'_>, divisor: Value) -> Block {
    let special = cx.code.cold_block();
    let shifted = cx.code.builder.ins().iadd_imm_s(divisor, 1);
    let is_special = cx.code.compare_constant(IntCC::UnsignedLessThanOrEqual, shifted, 1);
    cx.code.branch_if(is_special, special);
    special
}

fn exit_if_zero(cx: &mut Lower<'_>, divisor: Value) {
    let by_zero = cx.code.compare_constant(IntCC::Equal, divisor, 0);
    cx.exit_if(by_zero);
}

fn floor_quotient(cx: &mut Lower<'_>, a: Value, b: Value) -> Value {
    let quotient = cx.code.builder.ins().sdiv(a, b);
    let product = cx.code.builder.ins().imul(quotient, b);
    let remainder = cx.code.builder.ins().isub(a, product);
    mend(cx, remainder, b, quotient, |cx| {
        let inexact = cx.code.compare_constant(IntCC::NotEqual, remainder, 0);
        let one = cx.code.builder.ins().uextend(WORD, inexact);
        cx.code.builder.ins().isub(quotient, one)
    })
}

pub(super) fn floor_remainder(cx: &mut Lower<'_>, a: Value, b: Value) -> Value {
    let remainder = cx.code.builder.ins().srem(a, b);
    mend(cx, remainder, b, remainder, |cx| {
        let mended = cx.code.builder.ins().iadd(remainder, b);
        cx.code.builder.ins().select(remainder, mended, remainder)
    })
}

/// `usual` when remainder and divisor have the same sign bit, else what `other` writes on a cold path.
fn mend(
    cx: &mut Lower<'_>,
    remainder: Value,
    divisor: Value,
    usual: Value,
    other: impl FnOnce(&mut Lower<'_>) -> Value,
) -> Value {
    let (cold, done) = (cx.code.cold_block(), cx.code.block());
    let value = cx.code.builder.append_block_param(done, WORD);
    let signs = cx.code.builder.ins().bxor(remainder, divisor);
    let differ = cx.code.compare_constant(IntCC::SignedLessThan, signs, 0);
    cx.code.branch_if(differ, cold);
    cx.code.jump(done, &[usual]);
    cx.code.enter(cold);
    let mended = other(cx);
    cx.code.jump(done, &[mended]);
    cx.code.enter(done);
    value
}
