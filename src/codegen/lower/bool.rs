//! Truth values: 0 or 1 in a byte.

use cranelift_codegen::ir::InstBuilder;

use crate::ir::{Imm, InstData};
use crate::runtime::data::Fixed;

use super::Lower;
use crate::codegen::abi::{BOOL, WORD};

pub(super) fn constant(cx: &mut Lower<'_>, at: &InstData) {
    let Imm::Bool(truth) = at.imm else { unreachable!("the verifier checks immediates") };
    let value = cx.code.builder.ins().iconst(BOOL, i64::from(truth));
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

pub(super) fn not(cx: &mut Lower<'_>, at: &InstData) {
    let a = cx.arg(at, 0);
    let value = cx.code.builder.ins().bxor_imm_u(a, 1);
    cx.result(at, value);
}

pub(super) fn to_int(cx: &mut Lower<'_>, at: &InstData) {
    let a = cx.arg(at, 0);
    let value = cx.code.builder.ins().uextend(WORD, a);
    cx.result(at, value);
}

pub(super) fn box_bool(cx: &mut Lower<'_>, at: &InstData) {
    let a = cx.arg(at, 0);
    let (yes, no) = (cx.code.fixed(Fixed::True), cx.code.fixed(Fixed::False));
    let value = cx.code.builder.ins().select(a, yes, no);
    cx.result(at, value);
}

pub(super) fn select_float(cx: &mut Lower<'_>, at: &InstData) {
    let (condition, a, b) = cx.args_three(at);
    let value = cx.code.builder.ins().select(condition, a, b);
    cx.result(at, value);
}
