//! Strings and their characters, which are held as code points.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value, types};

use crate::ir;
use crate::ir::{Const, Imm, InstData, Op};
use crate::runtime::table::Helper;

use super::Lower;
use super::list::in_bounds;
use crate::codegen::abi::{BOOL, WORD};

pub(super) fn len(cx: &mut Lower<'_>, at: &InstData) {
    let string = cx.arg(at, 0);
    let length = cx.code.load(WORD, string, cx.code.layout.string.length);
    cx.result(at, length);
}

pub(super) fn item(cx: &mut Lower<'_>, at: &InstData) {
    let string = cx.arg(at, 0);
    let length = cx.code.load(WORD, string, cx.code.layout.string.length);
    let index = in_bounds(cx, at, 1, Some(length));
    let point = character(cx, string, index);
    cx.result(at, point);
}

pub(super) fn next(cx: &mut Lower<'_>, at: &InstData) {
    let (string, index) = cx.args_two(at);
    let length = cx.code.load(WORD, string, cx.code.layout.string.length);
    let (some, done) = (cx.code.block(), cx.code.block());
    let results = [WORD, BOOL].map(|ty| cx.code.builder.append_block_param(done, ty));
    let inside = cx.code.compare(IntCC::UnsignedLessThan, index, length);
    let nothing = cx.code.word(0);
    cx.code.builder.ins().brif(inside, some, &[], done, &[nothing.into(), inside.into()]);
    cx.code.enter(some);
    let point = character(cx, string, index);
    cx.code.jump(done, &[point, inside]);
    cx.code.enter(done);
    cx.set_value(at.results[0], results[0]);
    cx.set_value(at.results[1], results[1]);
}

/// The code point of a character that there is.
fn character(cx: &mut Lower<'_>, string: Value, index: Value) -> Value {
    let (wide, done) = (cx.code.cold_block(), cx.code.block());
    let result = cx.code.builder.append_block_param(done, WORD);
    let is_ascii = is_ascii(cx, string);
    cx.code.branch_unless(is_ascii, wide);
    let address = cx.code.builder.ins().iadd(string, index);
    let byte = cx.code.load(types::I8, address, cx.code.layout.string.ascii_items);
    let byte = cx.code.builder.ins().uextend(WORD, byte);
    cx.code.jump(done, &[byte]);
    cx.code.enter(wide);
    let point = cx.code.call_aside(Helper::StrItem, &[string, index])[0];
    cx.code.jump(done, &[point]);
    cx.code.enter(done);
    result
}

fn is_ascii(cx: &mut Lower<'_>, string: Value) -> Value {
    let places = cx.code.layout.string;
    let state = cx.code.load(types::I32, string, places.state);
    let state = cx.code.builder.ins().band_imm_u(state, places.state_mask);
    cx.code.compare_constant(IntCC::Equal, state, places.ascii)
}

pub(super) fn is_char(cx: &mut Lower<'_>, at: &InstData) {
    let (string, point) = cx.args_two(at);
    if let Some(text) = constant(cx, at.args[0]) {
        let mut characters = text.chars();
        let value = match (characters.next(), characters.next()) {
            (Some(only), None) => cx.code.compare_constant(IntCC::Equal, point, i64::from(u32::from(only))),
            _ => cx.code.builder.ins().iconst(BOOL, 0),
        };
        return cx.result(at, value);
    }
    let done = cx.code.block();
    let result = cx.code.builder.append_block_param(done, BOOL);
    let length = cx.code.load(WORD, string, cx.code.layout.string.length);
    let is_one = cx.code.compare_constant(IntCC::Equal, length, 1);
    let one = cx.code.block();
    cx.code.builder.ins().brif(is_one, one, &[], done, &[is_one.into()]);
    cx.code.enter(one);
    let first = cx.code.word(0);
    let found = character(cx, string, first);
    let same = cx.code.compare(IntCC::Equal, found, point);
    cx.code.jump(done, &[same]);
    cx.code.enter(done);
    cx.result(at, result);
}

/// The text of a constant.
fn constant(cx: &Lower<'_>, value: ir::Value) -> Option<String> {
    match cx.func.def_inst(value)? {
        InstData { op: Op::ObjConst, imm: Imm::Const(id), .. } => match &cx.unit.unit.consts[id.index()] {
            Const::Str(text) => Some(text.clone()),
            _ => None,
        },
        _ => None,
    }
}

pub(super) fn equal(cx: &mut Lower<'_>, at: &InstData) {
    let (a, b) = cx.args_two(at);
    let done = cx.code.block();
    let result = cx.code.builder.append_block_param(done, BOOL);
    let same = cx.code.compare(IntCC::Equal, a, b);
    let other = cx.code.block();
    cx.code.builder.ins().brif(same, done, &[same.into()], other, &[]);
    cx.code.enter(other);
    let lengths = [a, b].map(|string| cx.code.load(WORD, string, cx.code.layout.string.length));
    let as_long = cx.code.compare(IntCC::Equal, lengths[0], lengths[1]);
    let text = cx.code.block();
    cx.code.builder.ins().brif(as_long, text, &[], done, &[as_long.into()]);
    cx.code.enter(text);
    let equal = cx.code.call_one(Helper::StrEqual, &[a, b]);
    let equal = cx.code.builder.ins().ireduce(BOOL, equal);
    cx.code.jump(done, &[equal]);
    cx.code.enter(done);
    cx.result(at, result);
}

pub(super) fn char(cx: &mut Lower<'_>, at: &InstData) {
    let point = cx.arg(at, 0);
    let object = cx.code.call_one(Helper::StrChar, &[point]);
    cx.fail_if_null(object);
    cx.result(at, object);
}
