//! Items of exact lists: read without a box, and written into the box that is there.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value, types};

use crate::ir;
use crate::ir::{Imm, InstData, Op};
use crate::runtime::data::Fixed;
use crate::runtime::table::Helper;

use super::Lower;
use super::store::{self, Place, exit_unless_silent};
use crate::codegen::abi::{BOOL, WORD};
use crate::codegen::code::type_word;

/// The position that an index, the instruction's operand of this number, means among so many items; exits where
/// there is none. Where no size is given the position is known to be there.
pub(super) fn in_bounds(cx: &mut Lower<'_>, at: &InstData, operand: usize, size: Option<Value>) -> Value {
    let index = cx.arg(at, operand);
    let Some(size) = size else { return index };
    let exit = cx.exit_block();
    let known = match cx.func.def_inst(at.args[operand]) {
        Some(InstData { op: Op::IntConst, imm: Imm::Int(known), .. }) => Some(*known),
        _ => None,
    };
    let from_end = known.is_some_and(i64::is_negative);
    let position = if from_end { cx.code.builder.ins().iadd(index, size) } else { index };
    let inside = cx.code.compare(IntCC::UnsignedLessThan, position, size);
    if known.is_some() || at.imm == Imm::Bool(true) {
        cx.code.branch_unless(inside, exit);
        return position;
    }
    let (outside, done) = (cx.code.cold_block(), cx.code.block());
    let result = cx.code.builder.append_block_param(done, WORD);
    cx.code.builder.ins().brif(inside, done, &[index.into()], outside, &[]);
    cx.code.enter(outside);
    // An index that is too large is so the more with the size added.
    let from_end = cx.code.builder.ins().iadd(index, size);
    let inside = cx.code.compare(IntCC::UnsignedLessThan, from_end, size);
    cx.code.builder.ins().brif(inside, done, &[from_end.into()], exit, &[]);
    cx.code.enter(done);
    result
}

/// A list: how many items it has, and where the first one stands.
#[derive(Clone, Copy)]
struct Open {
    /// Nothing where the indices are known to be inside.
    size: Option<Value>,
    first: Value,
}

/// What is known of a list, the operand of this number: operands from `known` on, if there are any.
fn open(cx: &mut Lower<'_>, at: &InstData, list: usize, known: usize) -> Open {
    if at.args.len() > known {
        return Open { size: size_of(cx, at, known), first: cx.arg(at, known + 1) };
    }
    let list = cx.arg(at, list);
    let places = cx.code.layout.container;
    let size = cx.code.load(WORD, list, places.list_size);
    Open { size: Some(size), first: cx.code.load(WORD, list, places.list_items) }
}

/// The size that an operand gives, unless it says that any index is inside.
pub(super) fn size_of(cx: &mut Lower<'_>, at: &InstData, operand: usize) -> Option<Value> {
    match cx.func.def_inst(at.args[operand]) {
        Some(InstData { op: Op::IntConst, imm: Imm::Int(i64::MAX), .. }) => None,
        _ => Some(cx.arg(at, operand)),
    }
}

/// The address of an open list's item at the index, the operand of this number.
fn place(cx: &mut Lower<'_>, at: &InstData, list: Open, index: usize) -> Value {
    let index = in_bounds(cx, at, index, list.size);
    let distance = cx.code.builder.ins().ishl_imm_u(index, 3);
    cx.code.builder.ins().iadd(list.first, distance)
}

/// An item of a list that was found to be there, of this type, a moment ago.
#[derive(Clone, Copy)]
pub(super) struct KnownItem {
    list: ir::Value,
    index: ir::Value,
    place: Value,
    object: Value,
    ty: Fixed,
}

/// The item that a read takes.
fn load_item(cx: &mut Lower<'_>, at: &InstData) -> Value {
    let list = open(cx, at, 0, 2);
    let place = place(cx, at, list, 1);
    cx.code.load(WORD, place, 0)
}

/// The item that a read takes, which has to be of this type.
fn load_item_of(cx: &mut Lower<'_>, at: &InstData, ty: Fixed) -> Value {
    let list = open(cx, at, 0, 2);
    let place = place(cx, at, list, 1);
    let object = cx.code.load(WORD, place, 0);
    let exit = cx.exit_block();
    cx.code.require_type(object, ty, exit);
    cx.known_items.push(KnownItem { list: at.args[0], index: at.args[1], place, object, ty });
    object
}

/// The place that a store goes to.
fn stored_place(cx: &mut Lower<'_>, at: &InstData) -> Value {
    let list = open(cx, at, 0, 3);
    place(cx, at, list, 1)
}

pub(super) fn len(cx: &mut Lower<'_>, at: &InstData) {
    let list = cx.arg(at, 0);
    let length = cx.code.load(WORD, list, cx.code.layout.container.list_size);
    cx.result(at, length);
}

pub(super) fn item_int(cx: &mut Lower<'_>, at: &InstData) {
    let item = load_item_of(cx, at, Fixed::IntType);
    let exit = cx.exit_block();
    let value = cx.code.unbox_int(item, exit);
    cx.result(at, value);
}

pub(super) fn item_float(cx: &mut Lower<'_>, at: &InstData) {
    let item = load_item_of(cx, at, Fixed::FloatType);
    let exit = cx.exit_block();
    let value = cx.code.unbox_float(item, exit);
    cx.result(at, value);
}

pub(super) fn item_float_any(cx: &mut Lower<'_>, at: &InstData) {
    let item = load_item_of(cx, at, Fixed::FloatType);
    let value = cx.code.load(types::F64, item, cx.code.layout.float_value);
    cx.result(at, value);
}

pub(super) fn item_bool(cx: &mut Lower<'_>, at: &InstData) {
    let item = load_item(cx, at);
    let exit = cx.exit_block();
    let value = cx.code.unbox_bool(item, exit);
    cx.result(at, value);
}

pub(super) fn item(cx: &mut Lower<'_>, at: &InstData) {
    let item = load_item(cx, at);
    cx.code.inc_ref(item);
    cx.result(at, item);
}

pub(super) fn item_borrowed(cx: &mut Lower<'_>, at: &InstData) {
    let item = load_item(cx, at);
    cx.result(at, item);
}

/// Where the item is stored, and the object that is known to stand there, of this type.
fn known_place(cx: &mut Lower<'_>, at: &InstData, ty: Fixed) -> (Place, Option<Value>) {
    let is_it = |known: &&KnownItem| known.list == at.args[0] && known.index == at.args[1] && known.ty == ty;
    let known = cx.known_items.iter().find(is_it).map(|known| (known.place, known.object));
    let base = known.map_or_else(|| stored_place(cx, at), |(place, _)| place);
    (Place { base, offset: 0, is_optional: false }, known.map(|(_, object)| object))
}

pub(super) fn set_float(cx: &mut Lower<'_>, at: &InstData) {
    let (place, known) = known_place(cx, at, Fixed::FloatType);
    let value = cx.arg(at, 2);
    store::float(cx, place, known, value);
}

pub(super) fn set_int(cx: &mut Lower<'_>, at: &InstData) {
    let (place, known) = known_place(cx, at, Fixed::IntType);
    let value = cx.arg(at, 2);
    store::int(cx, place, known, value);
}

pub(super) fn set_bool(cx: &mut Lower<'_>, at: &InstData) {
    let (place, known) = known_place(cx, at, Fixed::BoolType);
    let value = cx.arg(at, 2);
    store::bool(cx, place, known, value);
}

pub(super) fn set(cx: &mut Lower<'_>, at: &InstData) {
    let base = stored_place(cx, at);
    let new = cx.arg(at, 2);
    store::object(cx, Place { base, offset: 0, is_optional: false }, new);
}

pub(super) fn copy_item(cx: &mut Lower<'_>, at: &InstData) {
    let (to, from) = (open(cx, at, 0, 4), open(cx, at, 2, 6));
    let from = place(cx, at, from, 3);
    let new = cx.code.load(WORD, from, 0);
    let to = place(cx, at, to, 1);
    let old = cx.code.load(WORD, to, 0);
    let (alone, other, fresh) = (cx.code.block(), cx.code.cold_block(), cx.code.block());
    cx.code.require_only_reference(old, fresh);
    cx.code.jump(alone, &[]);
    cx.code.enter(alone);
    let found = cx.code.load(WORD, old, cx.code.layout.ob_type);
    for ty in [Fixed::IntType, Fixed::FloatType] {
        let wanted = cx.code.fixed(ty);
        let is_it = cx.code.compare(IntCC::Equal, found, wanted);
        cx.code.branch_if(is_it, fresh);
    }
    cx.code.jump(other, &[]);
    cx.code.enter(other);
    exit_unless_silent(cx, old);
    cx.code.jump(fresh, &[]);
    cx.code.enter(fresh);
    cx.code.inc_ref(new);
    cx.code.store(new, to, 0);
    cx.code.dec_ref(old);
}

pub(super) fn swap(cx: &mut Lower<'_>, at: &InstData) {
    let list = open(cx, at, 0, 3);
    let (a, b) = (place(cx, at, list, 1), place(cx, at, list, 2));
    let (from_a, from_b) = (cx.code.load(WORD, a, 0), cx.code.load(WORD, b, 0));
    cx.code.store(from_b, a, 0);
    cx.code.store(from_a, b, 0);
}

pub(super) fn items(cx: &mut Lower<'_>, at: &InstData) {
    let list = cx.arg(at, 0);
    let first = cx.code.load(WORD, list, cx.code.layout.container.list_items);
    cx.result(at, first);
}

/// The item at an index that is not negative and what `read` makes of it, where there is one; else what `otherwise` gives.
fn next_item(
    cx: &mut Lower<'_>,
    at: &InstData,
    ty: types::Type,
    read: impl FnOnce(&mut Lower<'_>, Value) -> Value,
    otherwise: impl FnOnce(&mut Lower<'_>) -> Value,
) {
    let list = open(cx, at, 0, 2);
    let index = cx.arg(at, 1);
    let (some, none, done) = (cx.code.block(), cx.code.block(), cx.code.block());
    let results = [ty, BOOL].map(|ty| cx.code.builder.append_block_param(done, ty));
    let size = list.size.expect("an iterator does not know how far it is");
    let inside = cx.code.compare(IntCC::UnsignedLessThan, index, size);
    cx.code.builder.ins().brif(inside, some, &[], none, &[]);
    cx.code.enter(some);
    let distance = cx.code.builder.ins().ishl_imm_u(index, 3);
    let place = cx.code.builder.ins().iadd(list.first, distance);
    let item = cx.code.load(WORD, place, 0);
    let value = read(cx, item);
    let yes = cx.code.builder.ins().iconst(BOOL, 1);
    cx.code.jump(done, &[value, yes]);
    cx.code.enter(none);
    let value = otherwise(cx);
    let no = cx.code.builder.ins().iconst(BOOL, 0);
    cx.code.jump(done, &[value, no]);
    cx.code.enter(done);
    cx.set_value(at.results[0], results[0]);
    cx.set_value(at.results[1], results[1]);
}

pub(super) fn next_int(cx: &mut Lower<'_>, at: &InstData) {
    let exit = cx.exit_block();
    let read = |cx: &mut Lower<'_>, item: Value| {
        cx.code.require_type(item, Fixed::IntType, exit);
        cx.code.unbox_int(item, exit)
    };
    next_item(cx, at, WORD, read, |cx| cx.code.word(0));
}

pub(super) fn next_float(cx: &mut Lower<'_>, at: &InstData) {
    let exit = cx.exit_block();
    let read = |cx: &mut Lower<'_>, item: Value| {
        cx.code.require_type(item, Fixed::FloatType, exit);
        cx.code.unbox_float(item, exit)
    };
    next_item(cx, at, types::F64, read, |cx| cx.code.builder.ins().f64const(0.0));
}

pub(super) fn next(cx: &mut Lower<'_>, at: &InstData) {
    next_item(cx, at, WORD, counted, nothing);
}

pub(super) fn next_of(cx: &mut Lower<'_>, at: &InstData) {
    let Imm::Class(class) = at.imm else { unreachable!("the verifier checks immediates") };
    let exit = cx.exit_block();
    let read = |cx: &mut Lower<'_>, item: Value| {
        cx.code.require_type(item, type_word(class), exit);
        counted(cx, item)
    };
    next_item(cx, at, WORD, read, nothing);
}

fn counted(cx: &mut Lower<'_>, object: Value) -> Value {
    cx.code.inc_ref(object);
    object
}

fn nothing(cx: &mut Lower<'_>) -> Value {
    let none = cx.code.fixed(Fixed::None);
    counted(cx, none)
}

pub(super) fn append(cx: &mut Lower<'_>, at: &InstData) {
    let (list, item) = cx.args_two(at);
    let places = cx.code.layout.container;
    let size = cx.code.load(WORD, list, places.list_size);
    let room = cx.code.load(WORD, list, places.list_allocated);
    let (full, done) = (cx.code.cold_block(), cx.code.block());
    let has_room = cx.code.compare(IntCC::UnsignedLessThan, size, room);
    cx.code.branch_unless(has_room, full);
    cx.code.inc_ref(item);
    let first = cx.code.load(WORD, list, places.list_items);
    let distance = cx.code.builder.ins().ishl_imm_u(size, 3);
    let place = cx.code.builder.ins().iadd(first, distance);
    cx.code.store(item, place, 0);
    let size = cx.code.builder.ins().iadd_imm_s(size, 1);
    cx.code.store(size, list, places.list_size);
    cx.code.jump(done, &[]);
    cx.code.enter(full);
    let status = cx.code.call_aside(Helper::ObjListAppend, &[list, item])[0];
    cx.fail_if_negative(status);
    cx.code.jump(done, &[]);
    cx.code.enter(done);
}

pub(super) fn pop(cx: &mut Lower<'_>, at: &InstData) {
    let list = cx.arg(at, 0);
    let exit = cx.exit_block();
    let places = cx.code.layout.container;
    let size = cx.code.load(WORD, list, places.list_size);
    let empty = cx.code.compare_constant(IntCC::Equal, size, 0);
    cx.code.branch_if(empty, exit);
    let room = cx.code.load(WORD, list, places.list_allocated);
    let half = cx.code.builder.ins().ushr_imm_u(room, 1);
    let size = cx.code.builder.ins().iadd_imm_s(size, -1);
    let (shrinks, done) = (cx.code.cold_block(), cx.code.block());
    let result = cx.code.builder.append_block_param(done, WORD);
    let much_room = cx.code.compare(IntCC::UnsignedLessThan, size, half);
    cx.code.branch_if(much_room, shrinks);
    let first = cx.code.load(WORD, list, places.list_items);
    let distance = cx.code.builder.ins().ishl_imm_u(size, 3);
    let place = cx.code.builder.ins().iadd(first, distance);
    let item = cx.code.load(WORD, place, 0);
    cx.code.store(size, list, places.list_size);
    cx.code.jump(done, &[item]);
    cx.code.enter(shrinks);
    let item = cx.code.call_aside(Helper::ListPop, &[list])[0];
    let failed = cx.code.compare_constant(IntCC::Equal, item, 0);
    cx.code.branch_if(failed, exit);
    cx.code.jump(done, &[item]);
    cx.code.enter(done);
    cx.result(at, result);
}

pub(super) fn slice(cx: &mut Lower<'_>, at: &InstData) {
    let args = cx.values(&at.args);
    let list = cx.code.call_one(Helper::ListSlice, &args);
    cx.fail_if_null(list);
    cx.result(at, list);
}

pub(super) fn set_slice(cx: &mut Lower<'_>, at: &InstData) {
    super::object::done_with_operands(cx, at, Helper::ListSetSlice);
}

pub(super) fn range(cx: &mut Lower<'_>, at: &InstData) {
    let (start, stop, step) = cx.args_three(at);
    let (count, fits) = cx.code.call_two(Helper::IntRangeLen, &[start, stop, step]);
    cx.exit_unless(fits);
    let list = cx.code.call_one(Helper::ListRange, &[start, step, count]);
    cx.fail_if_null(list);
    cx.result(at, list);
}
