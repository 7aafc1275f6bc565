//! Bytes of bytes objects and bytearrays.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value, types};

use crate::ir::InstData;

use super::Lower;
use super::list::{in_bounds, size_of};
use crate::codegen::abi::WORD;
use crate::codegen::code::memory;

pub(super) fn len(cx: &mut Lower<'_>, at: &InstData) {
    let bytes = cx.arg(at, 0);
    let length = cx.code.load(WORD, bytes, cx.code.layout.container.bytes_size);
    cx.result(at, length);
}

pub(super) fn item(cx: &mut Lower<'_>, at: &InstData) {
    let bytes = cx.arg(at, 0);
    let size = cx.code.load(WORD, bytes, cx.code.layout.container.bytes_size);
    let index = in_bounds(cx, at, 1, Some(size));
    let first = i64::from(cx.code.layout.container.bytes_items);
    let address = cx.code.builder.ins().iadd(bytes, index);
    let address = cx.code.builder.ins().iadd_imm_s(address, first);
    load_byte(cx, at, address);
}

pub(super) fn array_len(cx: &mut Lower<'_>, at: &InstData) {
    let bytes = cx.arg(at, 0);
    let length = cx.code.load(WORD, bytes, cx.code.layout.container.bytearray_size);
    cx.result(at, length);
}

pub(super) fn array_item(cx: &mut Lower<'_>, at: &InstData) {
    let address = byte_of_array(cx, at, 2);
    load_byte(cx, at, address);
}

pub(super) fn array_set(cx: &mut Lower<'_>, at: &InstData) {
    let value = cx.arg(at, 2);
    let wide = cx.code.compare_constant(IntCC::UnsignedGreaterThan, value, 255);
    cx.exit_if(wide);
    let address = byte_of_array(cx, at, 3);
    cx.code.builder.ins().istore8(memory(), value, address, 0);
}

/// The address of the byte at the index, operand 1; what is known of the bytearray is behind so many operands.
fn byte_of_array(cx: &mut Lower<'_>, at: &InstData, operands: usize) -> Value {
    let places = cx.code.layout.container;
    let bytes = cx.arg(at, 0);
    let (size, first) = if at.args.len() > operands {
        (size_of(cx, at, operands), Some(cx.arg(at, operands + 1)))
    } else {
        (Some(cx.code.load(WORD, bytes, places.bytearray_size)), None)
    };
    let index = in_bounds(cx, at, 1, size);
    let first = first.unwrap_or_else(|| cx.code.load(WORD, bytes, places.bytearray_items));
    cx.code.builder.ins().iadd(first, index)
}

pub(super) fn array_items(cx: &mut Lower<'_>, at: &InstData) {
    let bytes = cx.arg(at, 0);
    let first = cx.code.load(WORD, bytes, cx.code.layout.container.bytearray_items);
    cx.result(at, first);
}

fn load_byte(cx: &mut Lower<'_>, at: &InstData, address: Value) {
    let byte = cx.code.load(types::I8, address, 0);
    let byte = cx.code.builder.ins().uextend(WORD, byte);
    cx.result(at, byte);
}
