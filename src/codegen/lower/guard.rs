//! Guards: tests of what the specialised version bets on.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value};

use crate::ir::{Imm, InstData};
use crate::runtime::data::{Fixed, WORD as WORD_BYTES};
use crate::runtime::table::Helper;

use super::Lower;
use super::control::{count, poll_aside};
use crate::codegen::abi::WORD;
use crate::codegen::code::{displacement, type_word};

pub(super) fn cell(cx: &mut Lower<'_>, at: &InstData) {
    let Imm::Cell(cell) = at.imm else { unreachable!("the verifier checks immediates") };
    let (lost, holds) = (cx.code.cold_block(), cx.code.block());
    let offset = cx.code.data.cell(cell.index());
    let address = cx.code.data_address();
    let word = |number: usize| displacement(offset + number * WORD_BYTES);
    let valid = if cx.code.layout.dict_version.is_some() {
        if !cx.unit.unit.cells[cell.index()].watches_one_dict() {
            let second = tag_holds(cx, address, word(2));
            cx.code.branch_unless(second, lost);
        }
        tag_holds(cx, address, word(0))
    } else {
        let flag = cx.code.load(WORD, address, word(0));
        cx.code.compare_constant(IntCC::NotEqual, flag, 0)
    };
    cx.code.builder.ins().brif(valid, holds, &[], lost, &[]);
    cx.code.enter(lost);
    let number = cx.code.word(i64::try_from(cell.index()).expect("counted budgets keep units small"));
    let unit = cx.loaded_unit();
    let answer = cx.code.call_aside(Helper::CellCheck, &[unit, number])[0];
    let exit = cx.exit_block();
    cx.code.branch_unless(answer, exit);
    cx.code.jump(holds, &[]);
    cx.code.enter(holds);
}

/// Whether a dict still has the version tag under which the assumption was last seen to hold.
fn tag_holds(cx: &mut Lower<'_>, cell: Value, offset: i32) -> Value {
    let place = cx.code.load(WORD, cell, offset);
    let found = cx.code.load(WORD, place, 0);
    let expected = cx.code.load(WORD, cell, offset + displacement(WORD_BYTES));
    cx.code.compare(IntCC::Equal, found, expected)
}

pub(super) fn depth(cx: &mut Lower<'_>, at: &InstData) {
    let depth = cx.depth();
    let short = cx.code.compare_constant(IntCC::SignedLessThanOrEqual, depth, i64::from(count(at)));
    if cx.first_depth_guard() != Some(cx.inst) {
        return cx.exit_if(short);
    }
    let (few, enough) = (cx.code.cold_block(), cx.code.block());
    cx.code.builder.ins().brif(short, few, &[], enough, &[]);
    cx.code.enter(few);
    cx.fail_if_exhausted();
    let exit = cx.exit_block();
    cx.code.jump(exit, &[]);
    cx.code.enter(enough);
}

pub(super) fn poll(cx: &mut Lower<'_>, _at: &InstData) {
    let done = cx.code.block();
    let status = poll_aside(cx, Helper::PollCells, done);
    cx.fail_if_negative(status);
    cx.exit_if(status);
    cx.code.jump(done, &[]);
    cx.code.enter(done);
}

pub(super) fn is_true(cx: &mut Lower<'_>, at: &InstData) {
    let condition = cx.arg(at, 0);
    cx.exit_unless(condition);
}

pub(super) fn int(cx: &mut Lower<'_>, at: &InstData) {
    let object = cx.arg(at, 0);
    let exit = cx.exit_block();
    cx.code.require_type(object, Fixed::IntType, exit);
    let value = cx.code.unbox_int(object, exit);
    cx.result(at, value);
}

pub(super) fn float(cx: &mut Lower<'_>, at: &InstData) {
    let object = cx.arg(at, 0);
    let exit = cx.exit_block();
    cx.code.require_type(object, Fixed::FloatType, exit);
    let value = cx.code.unbox_float(object, exit);
    cx.result(at, value);
}

pub(super) fn bool(cx: &mut Lower<'_>, at: &InstData) {
    let object = cx.arg(at, 0);
    let exit = cx.exit_block();
    let value = cx.code.unbox_bool(object, exit);
    cx.result(at, value);
}

pub(super) fn none(cx: &mut Lower<'_>, at: &InstData) {
    let object = cx.arg(at, 0);
    let none = cx.code.fixed(Fixed::None);
    let differs = cx.code.compare(IntCC::NotEqual, object, none);
    cx.exit_if(differs);
}

pub(super) fn class(cx: &mut Lower<'_>, at: &InstData) {
    let Imm::Class(class) = at.imm else { unreachable!("the verifier checks immediates") };
    let object = cx.arg(at, 0);
    let exit = cx.exit_block();
    cx.code.require_type(object, type_word(class), exit);
}

pub(super) fn tuple(cx: &mut Lower<'_>, at: &InstData) {
    let object = cx.arg(at, 0);
    let exit = cx.exit_block();
    cx.code.require_type(object, Fixed::TupleType, exit);
    cx.code.require_length(object, i64::from(count(at)), exit);
    let first = cx.code.layout.tuple_items;
    for (number, &result) in at.results.iter().enumerate() {
        let item = cx.code.load(WORD, object, first + displacement(number * WORD_BYTES));
        cx.code.inc_ref(item);
        cx.set_value(result, item);
    }
}
