//! Bytes of bytes objects and bytearrays.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value, types};

use crate::ir::InstData;

use super::Lower;
use super::list::{Items, in_bounds};
use crate::codegen::abi::WORD;
use crate::codegen::code::memory;

pub(super) fn len(cx: &mut Lower<'_>, at: &InstData) {
    let bytes = cx.arg(at, 0);
    let length = cx.code.load(WORD, bytes, cx.code.layout.container.bytes_size);
    cx.result(at, length);
}

pub(super) fn item(cx: &mut Lower<'_>, at: &InstData) {
    let (bytes, index) = cx.args_two(at);
    let items = Items { object: bytes, size: cx.code.layout.container.bytes_size };
    let index = in_bounds(cx, at, items, index);
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
    let (bytes, index) = cx.args_two(at);
    let address = byte_of_array(cx, at, bytes, index);
    load_byte(cx, at, address);
}

pub(super) fn array_set(cx: &mut Lower<'_>, at: &InstData) {
    let (bytes, index, value) = cx.args_three(at);
    let wide = cx.code.compare_constant(IntCC::UnsignedGreaterThan, value, 255);
    cx.exit_if(wide);
    let address = byte_of_array(cx, at, bytes, index);
    cx.code.builder.ins().istore8(memory(), value, address, 0);
}

fn byte_of_array(cx: &mut Lower<'_>, at: &InstData, bytes: Value, index: Value) -> Value {
    let places = cx.code.layout.container;
    let index = in_bounds(cx, at, Items { object: bytes, size: places.bytearray_size }, index);
    let first = cx.code.load(WORD, bytes, places.bytearray_items);
    cx.code.builder.ins().iadd(first, index)
}

fn load_byte(cx: &mut Lower<'_>, at: &InstData, address: Value) {
    let byte = cx.code.load(types::I8, address, 0);
    let byte = cx.code.builder.ins().uextend(WORD, byte);
    cx.result(at, byte);
}
